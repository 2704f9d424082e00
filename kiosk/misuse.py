"""Misuse flags the device can set on a visit: they mark, they never delete.

`rush`, `mash`, `straight-rush` and `closed` need one visit only. `burst`, `clone` and `ten-run`
need other visits and the unit's own rate, so the centre sets those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

RUSH: Final = "rush"
MASH: Final = "mash"
STRAIGHT_RUSH: Final = "straight-rush"
CLOSED: Final = "closed"

RUSH_SCREENS: Final = 3
RUSH_S: Final = 0.45
MASH_TAPS: Final = 8
MASH_S: Final = 2.0

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Watch:
    """What one visit's tempo says; times are monotonic seconds."""

    def __init__(self) -> None:
        # One tap more than is allowed: when these span no more than MASH_S, it was mashing.
        self._taps: deque[float] = deque(maxlen=MASH_TAPS + 1)
        self._quick_screens = 0
        self._mashed = False

    def tapped(self, at: float) -> None:
        """Note a tap."""
        self._taps.append(at)
        if len(self._taps) > MASH_TAPS and at - self._taps[0] <= MASH_S:
            self._mashed = True

    def answered(self, seconds: float) -> None:
        """Note a screen answered so many seconds after it appeared."""
        if seconds < RUSH_S:
            self._quick_screens += 1

    def flags(self, statements: Sequence[int], *, in_hours: bool | None) -> list[str]:
        """The flags of the visit, given its statement values and whether the place was open."""
        found = []
        rush = self._quick_screens >= RUSH_SCREENS
        if rush:
            found.append(RUSH)
        if self._mashed:
            found.append(MASH)
        if rush and len(statements) > 1 and len(set(statements)) == 1:
            found.append(STRAIGHT_RUSH)
        if in_hours is False:
            found.append(CLOSED)
        return found


def is_open(hours: Mapping[str, str], local: datetime) -> bool | None:
    """Whether opening hours hold at a local time; None where no hours are given at all.

    `hours` maps `mon` .. `sun` to `08:00-16:00`, several ranges separated by commas, or nothing
    for a closed day. A range that ends at or before its start runs past midnight.
    Raises ValueError for a range that is not two times.
    """
    if not hours:
        return None
    today, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
    now = local.time()
    for start, end in _ranges(hours.get(DAYS[today], "")):
        if (start <= now < end) if start < end else start <= now:
            return True
    return any(end <= start and now < end for start, end in _ranges(hours.get(DAYS[yesterday], "")))


def _ranges(text: str) -> list[tuple[time, time]]:
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        start, dash, end = part.partition("-")
        if not dash:
            raise ValueError(f"{part!r} is not a range of hours such as 08:00-16:00")
        # 24:00 is how people write the end of a day; `time` knows only 00:00.
        end = "00:00" if end.strip() == "24:00" else end
        found.append((time.fromisoformat(start.strip()), time.fromisoformat(end.strip())))
    return found
