"""What held when. Pure.

IT writes the past as a list of older values, each with `until`, the last day on which it held.
The value without a date is the newest one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_FIRST = ""
"""Before every day."""


def check(untils: Iterable[str], whose: str) -> None:
    """Each `until` is a day, and no two are the same. Raises ValueError with a sentence."""
    seen = set()
    for until in untils:
        try:
            good = datetime.date.fromisoformat(until).isoformat() == until
        except ValueError:
            good = False
        if not good:
            raise ValueError(f"{whose}: until {until!r} is no day, write it as 2026-03-31")
        if until in seen:
            raise ValueError(f"{whose}: two older values until {until}, one day has one value")
        seen.add(until)


def day_after(day: str) -> str:
    """The next ISO day; past the calendar's end the last one again."""
    try:
        return (datetime.date.fromisoformat(day) + datetime.timedelta(1)).isoformat()
    except OverflowError:
        return day


def on(older: Iterable[tuple[str, T]], newest: T, day: str) -> T:
    """The value that holds on a day; `older` are pairs (until, value) in any order."""
    return min(((u, v) for u, v in older if u >= day), key=lambda p: p[0], default=("", newest))[1]


def timeline(older: Iterable[tuple[str, T]], newest: T) -> list[tuple[str, T]]:
    """Pairs (since, value) in order; the first holds from the beginning ('')."""
    found: list[tuple[str, T]] = []
    since = _FIRST
    for until, value in sorted(older, key=lambda pair: pair[0]):
        found.append((since, value))
        since = day_after(until)
    found.append((since, newest))
    return found


def changes(steps: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
    """The same timeline without steps that change nothing."""
    found: list[tuple[str, T]] = []
    for since, value in steps:
        if not found or found[-1][1] != value:
            found.append((since, value))
    return found


def at(steps: list[tuple[str, T]], day: str) -> T:
    """The value of a timeline on a day ('' = before every day)."""
    return [value for since, value in steps if since <= day][-1]
