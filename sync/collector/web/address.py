"""What a page's address says: period, breakdown, order. Wrong parts fall back, never fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast
from urllib.parse import urlencode

from sync.collector.reports import periods
from sync.collector.reports.model import By, Sort
from sync.collector.reports.periods import Period, PeriodError

QUICK: Final[dict[str, Callable[[date], Period]]] = {
    "this-month": periods.this_month,
    "last-month": periods.last_month,
    "this-quarter": periods.this_quarter,
    "last-quarter": periods.last_quarter,
    "twelve-months": periods.twelve_months,
    "all": lambda _: Period(),
}
TABS: Final = ("location", "device", "municipality", "service", "channel")
SORTS: Final = ("name", "count", "mean", "nps")
# What gathers few answers is shown over a longer time unless a period was chosen.
WINDOWS: Final = {"device": "twelve-months", "service": "this-quarter"}


@dataclass(frozen=True)
class Address:
    """One view of the page."""

    quick: str = ""
    first: date | None = None
    last: date | None = None
    by: By = "location"
    sort: Sort = "name"
    falling: bool = False
    compare: str = "previous"
    trend: str = ""
    bad: bool = False
    """The period could not be read."""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Address:
        """Read the query part."""
        first, bad = _day(query.get("from", ""))
        last, worse = _day(query.get("to", ""))
        try:
            Period(first, last)
        except PeriodError:
            bad = True
        bad = bad or worse
        quick = query.get("period", "")
        sort = query.get("sort", "")
        sort = sort if sort in SORTS else "name"
        order = query.get("order", "")
        return cls(
            quick=quick if quick in QUICK and not (first or last) else "",
            first=None if bad else first,
            last=None if bad else last,
            by=cast("By", by) if (by := query.get("by", "")) in TABS else "location",
            sort=cast("Sort", sort),
            falling=order == "desc" if order in ("asc", "desc") else sort != "name",
            compare="year-before" if query.get("compare") == "year-before" else "previous",
            trend=trend if (trend := query.get("trend", "")) in ("month", "week") else "",
            bad=bad,
        )

    @property
    def chosen(self) -> bool:
        """Whether the reader chose a period."""
        return bool(self.quick or self.first or self.last)

    @property
    def shown_quick(self) -> str:
        """The quick choice to mark; the current month where nothing was chosen."""
        return self.quick if self.chosen else "this-month"

    def period(self, today: date) -> Period:
        """The page's period: the current month unless chosen."""
        if self.first or self.last:
            return Period(self.first, self.last)
        return QUICK[self.shown_quick](today)

    def window(self, today: date) -> Period:
        """The comparison's period: as chosen, else what suits the breakdown."""
        if self.chosen or self.by not in WINDOWS:
            return self.period(today)
        return QUICK[WINDOWS[self.by]](today)

    def compared(self, period: Period) -> Period | None:
        """What a period is compared with; None for an open one."""
        try:
            return periods.to_compare(self.compare, period)
        except PeriodError:
            return None

    def query(self, **changes: object) -> str:
        """This view with some parts changed, as the query of an address."""
        if "quick" in changes:
            changes |= {"first": None, "last": None}
        to = replace(self, **changes)  # type: ignore[arg-type]
        standing = {
            "period": to.quick,
            "from": to.first.isoformat() if to.first else "",
            "to": to.last.isoformat() if to.last else "",
            "by": "" if to.by == "location" else to.by,
            "sort": "" if to.sort == "name" else to.sort,
            "order": "" if to.falling == (to.sort != "name") else "desc" if to.falling else "asc",
            "compare": "" if to.compare == "previous" else to.compare,
            "trend": to.trend,
        }
        return urlencode({key: value for key, value in standing.items() if value})

    def link(self, anchor: str = "", **changes: object) -> str:
        """An address on this page."""
        query = self.query(**changes)
        return f"/{'?' if query else ''}{query}{'#' if anchor else ''}{anchor}"

    def sorted_by(self, column: str) -> str:
        """The link of a heading: sorts by it, or turns the order round."""
        falling = not self.falling if column == self.sort else column != "name"
        return self.link("where", sort=column, falling=falling)


def _day(text: str) -> tuple[date | None, bool]:
    if not text:
        return None, False
    try:
        return date.fromisoformat(text), False
    except ValueError:
        return None, True
