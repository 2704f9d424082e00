"""Which location an answer counts for, and what a location was on a day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from sync.collector.times import wall_ms

_DAY: Final = len("2026-03-02")


class Gathered(Protocol):
    """Of an answer, what tells where it counts."""

    @property
    def device(self) -> str:
        """Which device took it."""

    @property
    def location(self) -> str:
        """The location it says itself."""

    @property
    def day(self) -> str:
        """Its local day (ISO)."""

    @property
    def instant_ms(self) -> int:
        """Its corrected instant."""


class Place(NamedTuple):
    """What a location was from a day on."""

    since: str
    municipality: str
    service: str


class Correction(NamedTuple):
    """Answers of a device that count for another location: both bounds by day and by instant."""

    location: str
    first: str = ""
    last: str = "~"
    """Local days, both included; `~` is after every day."""
    from_ms: int = 0
    to_ms: int = 1 << 62
    """Instants: the first included, the second not."""

    @classmethod
    def of(cls, since: str, until: str, location: str) -> Correction:
        """From the texts of `corrections`: each is an ISO day or an ISO instant."""
        found = cls(location)
        if len(since) == _DAY:
            found = found._replace(first=since)
        else:
            found = found._replace(from_ms=wall_ms(since) or 0)
        if len(until) == _DAY:
            return found._replace(last=until)
        return found._replace(to_ms=wall_ms(until) or 0)

    def covers(self, day: str, instant_ms: int) -> bool:
        """Whether an answer of this day and instant is meant."""
        return self.first <= day <= self.last and self.from_ms <= instant_ms < self.to_ms


class Places:
    """Which location an answer counts for, and what each location was on a day."""

    def __init__(
        self,
        rows: Iterable[tuple[str, str, str, str]] = (),
        corrections: Iterable[tuple[str, str, str, str]] = (),
    ) -> None:
        """`rows` are (location, since, municipality, service); `corrections` (device, since,
        until, location), the ones that win last."""
        self._by_location: dict[str, list[Place]] = {}
        for location, *rest in rows:
            self._by_location.setdefault(location, []).append(Place(*rest))
        for known in self._by_location.values():
            known.sort(reverse=True)
        self._corrections: dict[str, list[Correction]] = {}
        for device, *fields in corrections:
            self._corrections.setdefault(device, []).insert(0, Correction.of(*fields))

    def where(self, answer: Gathered) -> str:
        """The location an answer counts for: its own, unless IT has corrected it."""
        for correction in self._corrections.get(answer.device, ()):
            if correction.covers(answer.day, answer.instant_ms):
                return correction.location
        return answer.location

    def corrected(self, location: str) -> list[str]:
        """The devices some answers of which count for a location by correction."""
        return [
            d for d, made in self._corrections.items() if location in {c.location for c in made}
        ]

    def at(self, location: str, day: str) -> Place:
        """The place on a day; empty texts for an unknown location."""
        for place in self._by_location.get(location, ()):
            if place.since <= day:
                return place
        return NOWHERE


NOWHERE: Final = Place("", "", "")
