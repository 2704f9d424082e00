"""What the fleet page says of a device: one list for its order, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from sync.collector.reports.words import Words
from sync.collector.standing import Standing
from sync.collector.web.health import LEDGER, MARKS, rank
from sync.collector.web.times import moment_of


@dataclass(frozen=True)
class Line:
    """One device as a reader of one language in one time zone meets it."""

    standing: Standing
    words: Words
    zone: tzinfo
    now: datetime

    @property
    def place(self) -> str:
        """Where it stands; empty when IT has not said."""
        return self.words.pick(self.standing.place_names, self.standing.place)

    @property
    def mark(self) -> str:
        """The shape that stands with the state's word."""
        return MARKS[self.standing.state]

    @property
    def locked(self) -> datetime | None:
        """Until when wrong PINs have locked the service screen; None: it is not locked."""
        until = moment_of(self.standing.service.get("locked_until"))
        return until if until and until > self.now else None

    @property
    def opened(self) -> datetime | None:
        """When the service screen was last opened with its PIN."""
        return moment_of(self.standing.service.get("opened"))

    @property
    def wrong_pins(self) -> int:
        """Wrong PINs since the last right one."""
        found = self.standing.service.get("wrong")
        return found if isinstance(found, int) else 0

    @property
    def refusal(self) -> str:
        """Which configuration was refused last, and why; empty when none was."""
        if not self.standing.refused:
            return ""
        last = self.standing.refused[-1]
        return self.words("fleet.refusal", n=last.get("version", "?"), why=last.get("reason", ""))

    def notes(self) -> list[str]:
        """What else is wrong, besides the state."""
        one, found = self.standing, []
        if one.clone_suspected and one.state != "clone-suspected":
            found.append(self.words("note.clone"))
        if one.ledger.lost:
            found.append(self.words.counted("note.lost", one.ledger.lost))
        return found

    def why(self, moment: Callable[[datetime], str]) -> str:
        """The state in a few more words; `moment` writes an instant."""
        one, state, words = self.standing, self.standing.state, self.words
        since = {
            "silent": one.last_seen,
            "quiet": one.last_seen,
            "mute": one.last_touch,
            "stuck": one.oldest_unsent,
        }.get(state)
        if since:
            return words(f"why.{state}", when=moment(since))
        if state == "mute":
            return words("why.untouched")
        return words(f"why.{state}") if words.has(f"why.{state}") and state not in _DATED else ""


_DATED: Final = ("silent", "quiet", "stuck")


@dataclass(frozen=True)
class Column:
    """One thing said of a device."""

    key: str
    value: Callable[[Line], Any]
    """str, int or an aware datetime; None: nobody knows."""
    order: Callable[[Line], Any] | None = None
    """What to sort by where it is not the value."""
    figure: bool = False
    """Right-aligned, and sorted from the greatest down."""

    def sort_key(self, line: Line) -> Any:
        """What to compare; None comes last either way."""
        found = (self.order or self.value)(line)
        return line.words.sort_key(found) if isinstance(found, str) else found

    def text(self, line: Line) -> str:
        """For a spreadsheet: instants in the centre's zone, written so that they sort."""
        found = self.value(line)
        if self.key == "state":
            return line.words(f"state.{found}")
        if isinstance(found, datetime):
            return found.astimezone(line.zone).strftime("%Y-%m-%d %H:%M:%S")
        return "" if found is None else str(found)

    def plain(self, line: Line) -> Any:
        """For a program: instants in UTC."""
        found = self.value(line)
        if isinstance(found, datetime):
            return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return found


def _book(name: str) -> Column:
    return Column(name, lambda line: getattr(line.standing.ledger, name), figure=True)


_ALL: Final = (
    Column("id", lambda line: line.standing.id),
    Column("name", lambda line: line.standing.name),
    Column("place", lambda line: line.place),
    Column("municipality", lambda line: line.standing.municipality),
    Column("state", lambda line: line.standing.state, lambda line: rank(line.standing.state)),
    Column("contact", lambda line: line.standing.last_seen),
    Column("touch", lambda line: line.standing.last_touch),
    Column("program", lambda line: line.standing.program),
    Column("published", lambda line: line.standing.published or None),
    Column("active", lambda line: line.standing.active or None),
    Column("since", lambda line: line.standing.config_since),
    Column("refused", lambda line: line.refusal),
    *(_book(name) for name in LEDGER),
    Column("oldest", lambda line: line.standing.oldest_unsent),
    Column("locked", lambda line: line.locked),
    Column("code", lambda line: line.standing.open_code_until),
)
COLUMNS: Final = {column.key: column for column in _ALL}
