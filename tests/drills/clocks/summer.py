"""The nights on which clocks change: days, hours and opening hours against the calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kiosk.misuse import is_open
from sync.collector.hours import open_time
from sync.collector.times import Envelope, local, moment
from sync.contract.records import Stamp

ZONES = ("Europe/Helsinki", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe")
QUARTER = timedelta(minutes=15)
WEEKS = {
    "day": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "08:00-16:00"),
    "night": dict.fromkeys(("fri", "sat", "sun", "mon"), "20:00-06:00"),
    "always": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00"),
    "two": dict.fromkeys(("sat", "sun"), "00:00-03:00, 05:00-12:00"),
}


def changes(zone: ZoneInfo, year: int) -> Iterator[datetime]:
    """The quarters of a year (UTC) right after which the offset is another."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    before = at.astimezone(zone).utcoffset()
    while at.year == year:
        at += timedelta(hours=1)
        now = at.astimezone(zone).utcoffset()
        if now != before:
            yield at
        before = now


def wrong_days(name: str, change: datetime) -> list[str]:
    """Around a change, each quarter: day and hour of an answer however its time is known."""
    zone, found = ZoneInfo(name), []
    for n in range(-110, 110):
        at = change + n * QUARTER
        there = at.astimezone(zone)
        ms = round(at.timestamp() * 1000)
        expected = (there.date().isoformat(), there.hour)
        stamps = {
            "synced": Stamp(there.isoformat(timespec="milliseconds"), 0, "b", synced=True),
            "boot": Stamp("1970-01-01T00:00:30+00:00", 1_000, "b", synced=False),
            "clocks": Stamp("1970-01-01T00:00:30+00:00", 2_000, "older", synced=False),
        }
        envelope = Envelope(ms + 7_200_000, "b", 7_201_000, {"older": ms - 2_000})
        for quality, stamp in stamps.items():
            got = moment(stamp, envelope, name)
            if got != (ms, quality, *expected):
                found.append(f"{name} {there}: {got}")
        if local(ms, name) != expected:
            found.append(f"{name} {there}: {local(ms, name)}")
    return found


def wrong_hours(name: str, change: datetime) -> list[str]:
    """The terminal and the centre agree on when a place is open, and the time really passes."""
    zone, found = ZoneInfo(name), []
    for week, hours in WEEKS.items():
        total = timedelta()
        first = change - 110 * QUARTER
        for n in range(220):
            at = first + n * QUARTER
            opened = is_open(hours, at.astimezone(zone)) is True
            total += QUARTER * opened
            if open_time(hours, zone, at, at + QUARTER) != QUARTER * opened:
                found.append(f"{name} {at.astimezone(zone)}, {week}: open is {opened}")
        whole = open_time(hours, zone, first, first + 220 * QUARTER)
        if whole != total:
            found.append(f"{name} {change}, {week}: {whole} open, not {total}")
    return found
