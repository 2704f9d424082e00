"""Opening hours: how long a place was open between two instants. Pure.

`mon` .. `sun` -> `08:00-16:00`, several ranges separated by commas, or nothing for a closed day.
A range that ends at or before its start runs past midnight. No hours at all: always open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST: Final = dt.timedelta(days=21)
"""Beyond three weeks of silence nobody asks for the exact number of open hours."""


def _ranges(text: str) -> list[tuple[dt.time, dt.time]]:
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        start, dash, end = (piece.strip() for piece in part.partition("-"))
        try:
            if not dash:
                raise ValueError
            # 24:00 is how people write the end of a day; `time` knows only 00:00.
            ends = dt.time.fromisoformat("00:00" if end == "24:00" else end)
            found.append((dt.time.fromisoformat(start), ends))
        except ValueError:
            raise ValueError(f"{part!r} is not a range of hours such as 08:00-16:00") from None
    return found


def check(hours: Mapping[str, str]) -> None:
    """Raises ValueError, with a sentence, for what is no week of opening hours."""
    for day, text in hours.items():
        if day not in DAYS:
            raise ValueError(f"{day!r} is no day of the week: mon, tue, wed, thu, fri, sat, sun")
        try:
            _ranges(text)
        except ValueError as error:
            raise ValueError(f"{day}: {error}") from None


def _spans(
    hours: Mapping[str, str], zone: ZoneInfo, first: dt.date, last: dt.date
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Every opening that begins on one of these days, as instants."""
    day = first
    while day <= last:
        for start, end in _ranges(hours.get(DAYS[day.weekday()], "")):
            closing = day if start < end else day + dt.timedelta(1)
            opened = dt.datetime.combine(day, start, zone).astimezone(dt.UTC)
            yield opened, dt.datetime.combine(closing, end, zone).astimezone(dt.UTC)
        day += dt.timedelta(1)


def open_time(
    hours: Mapping[str, str], zone: ZoneInfo, since: dt.datetime, now: dt.datetime
) -> dt.timedelta:
    """How long the place was open between two aware instants; at most three weeks are looked at."""
    if now <= since:
        return dt.timedelta()
    since = max(since, now - _LONGEST)
    if not hours:
        return now - since
    first = since.astimezone(zone).date() - dt.timedelta(1)
    total, reached = dt.timedelta(), since
    for opened, closed in sorted(_spans(hours, zone, first, now.astimezone(zone).date())):
        # Ranges that overlap are counted once.
        begin, end = max(opened, reached), min(closed, now)
        if end > begin:
            total += end - begin
            reached = end
    return total
