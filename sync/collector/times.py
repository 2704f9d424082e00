"""When an answer was given: corrected instant, its quality, local day and hour."""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from sync.contract.records import Stamp

Quality = Literal["synced", "boot", "clocks", "received"]

DEFAULT_ZONE: Final = "Europe/Helsinki"
_QUARTER_MS: Final = 900_000
_LATEST_MS: Final = 253_370_764_800_000
"""9999-01-01: beyond, and before 1970, a day can no longer be written down safely."""
_AHEAD_MS: Final = 366 * 86_400_000
"""A record cannot be from later than its arrival; how far two clocks may disagree about that."""
_RUNNING_MS: Final = 1_735_689_600_000
"""2025-01-01: a centre whose own clock says earlier cannot judge another's."""


class Moment(NamedTuple):
    """An instant fixed at first acceptance."""

    instant_ms: int
    quality: Quality
    day: str
    hour: int
    """Local hour; -1 when only the day is known."""


@dataclass(frozen=True)
class Envelope:
    """What a batch says about the device's clocks."""

    received_ms: int
    boot: str
    sent_boottime_ms: int
    clocks: dict[str, int]


def wall_ms(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 time with offset; None for anything else."""
    try:
        found = datetime.datetime.fromisoformat(text)
        if found.tzinfo is None:
            return None
        ms = round(found.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
    return ms if 0 <= ms < _LATEST_MS else None


def iso(ms: int) -> str:
    """An instant as ISO 8601 in UTC with milliseconds."""
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@functools.lru_cache(64)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo(DEFAULT_ZONE)


def known_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    return name in zoneinfo.available_timezones()


@functools.lru_cache(4096)
def _local(zone: str, quarter: int) -> tuple[str, int]:
    # Offsets change, and hours begin, at quarter hours: one look-up serves fifteen minutes.
    at = datetime.datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, datetime.UTC)
    there = at.astimezone(_zone(zone))
    return there.date().isoformat(), there.hour


def local(instant_ms: int, zone: str) -> tuple[str, int]:
    """Day (ISO) and hour (0-23) of an instant in a zone; an unknown zone reads as Helsinki's."""
    return _local(zone, instant_ms // _QUARTER_MS)


def midnight_ms(day: str, zone: str) -> int:
    """The instant an ISO day begins in a zone."""
    began = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time())
    return round(began.replace(tzinfo=_zone(zone)).timestamp() * 1000)


def _from_later(at: int, received: int) -> bool:
    """Whether a clock that is called synchronised was set years ahead all the same."""
    return at > received + _AHEAD_MS and received >= _RUNNING_MS


def _instant(stamp: Stamp, envelope: Envelope) -> tuple[int, Quality]:
    """The instant where the wall clock cannot be believed."""
    if stamp.boot == envelope.boot:
        ago = envelope.sent_boottime_ms - stamp.boottime_ms
        if 0 <= ago <= envelope.received_ms:
            return envelope.received_ms - ago, "boot"
    else:
        # Noted from the wall clock of that boot, and so no better than that was.
        base = envelope.clocks.get(stamp.boot)
        at = -1 if base is None else base + stamp.boottime_ms
        if 0 <= at < _LATEST_MS and not _from_later(at, envelope.received_ms):
            return at, "clocks"
    return envelope.received_ms, "received"


def moment(stamp: Stamp, envelope: Envelope, zone: str) -> Moment:
    """The corrected instant of a record, as protocol.md orders the ways to know it."""
    wall = wall_ms(stamp.wall) if stamp.synced else None
    if wall is not None and not _from_later(wall, envelope.received_ms):
        return Moment(wall, "synced", *_local(zone, wall // _QUARTER_MS))
    instant_ms, quality = _instant(stamp, envelope)
    day, hour = local(instant_ms, zone)
    return Moment(instant_ms, quality, day, -1 if quality == "received" else hour)
