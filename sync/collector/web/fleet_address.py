"""What the address of the fleet page says: filter and order. Wrong parts fall back, never fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode

from sync.collector.web.columns import COLUMNS

PAGE: Final = "/devices"
FIRST: Final = "state"
"""The order of a fresh page: what needs somebody stands first."""
ATTENTION: Final = "attention"
"""The filter of every state that needs somebody."""
LONGEST: Final = 200
"""Characters of a filter that are read."""


@dataclass(frozen=True)
class FleetAddress:
    """One view of the fleet page."""

    state: str = ""
    municipality: str = ""
    text: str = ""
    sort: str = FIRST
    falling: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> FleetAddress:
        """Read the query part."""
        sort = query.get("sort", "")
        sort = sort if sort in COLUMNS else FIRST
        order = query.get("order", "")
        return cls(
            state=query.get("state", "")[:LONGEST],
            municipality=query.get("municipality", "")[:LONGEST],
            text=query.get("text", "").strip()[:LONGEST],
            sort=sort,
            falling=order == "desc" if order in ("asc", "desc") else COLUMNS[sort].figure,
        )

    @property
    def filtered(self) -> bool:
        """Whether only some devices are asked for."""
        return bool(self.state or self.municipality or self.text)

    def query(self, **changes: object) -> str:
        """This view with some parts changed, as the query of an address."""
        to = replace(self, **changes)  # type: ignore[arg-type]
        usual = COLUMNS[to.sort].figure
        parts = {
            "state": to.state,
            "municipality": to.municipality,
            "text": to.text,
            "sort": "" if to.sort == FIRST else to.sort,
            "order": "" if to.falling == usual else "desc" if to.falling else "asc",
        }
        return urlencode({key: value for key, value in parts.items() if value})

    def link(self, **changes: object) -> str:
        """An address on this page."""
        return _with(PAGE, self.query(**changes))

    def everything(self) -> str:
        """The address without any filter, in the same order."""
        return self.link(state="", municipality="", text="")

    def export(self, form: str) -> str:
        """The address of exactly what is shown, as a file."""
        return _with(f"{PAGE}.{form}", self.query())

    def sorted_by(self, column: str) -> str:
        """The link of a heading: sorts by it, or turns the order round."""
        falling = not self.falling if column == self.sort else COLUMNS[column].figure
        return self.link(sort=column, falling=falling)

    def direction(self, *columns: str) -> str:
        """What `aria-sort` says of a heading over these columns; empty: not sorted by them."""
        if self.sort not in columns:
            return ""
        return "descending" if self.falling else "ascending"


def device_link(device: str) -> str:
    """The address of one device's page."""
    return f"{PAGE}/{quote(device, safe='')}"


def _with(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
