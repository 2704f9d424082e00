"""Periods of local days, both ends included, and what they are compared with."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

ONE_DAY: Final = timedelta(days=1)
YEARS: Final = range(1900, 3000)
"""No answer is older or younger; a period can then always be moved by its length."""
FORMS: Final = (
    "previous, year-before, 2025, 2025-Q3, 2025-09, 2025-09-01, or 2025-09-01..2025-09-30"
)


class PeriodError(ValueError):
    """A period that cannot be read, with the forms that can."""


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`; None: open at that end."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        for day in (self.first, self.last):
            if day and day.year not in YEARS:
                raise PeriodError(f"{day} is outside the years {YEARS.start}-{YEARS.stop - 1}")
        if self.first and self.last and self.first > self.last:
            raise PeriodError(f"{self.first} is after {self.last}")

    @property
    def days(self) -> int | None:
        """Length in days; None when open."""
        return (self.last - self.first).days + 1 if self.first and self.last else None


def _month(year: int, month: int, length: int = 1) -> Period:
    """`length` whole months from the first of `month`, which may lie outside 1-12."""
    first = date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    end = month + length - 1
    last_year, last_month = year + (end - 1) // 12, (end - 1) % 12 + 1
    last = date(last_year, last_month, calendar.monthrange(last_year, last_month)[1])
    return Period(first, last)


def parse(text: str) -> Period:
    """Read a period. Raises PeriodError."""
    try:
        if found := re.fullmatch(r"(\d{4})", text):
            return _month(int(found[1]), 1, 12)
        if found := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text):
            return _month(int(found[1]), 3 * int(found[2]) - 2, 3)
        if found := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text):
            return _month(int(found[1]), int(found[2]))
        if found := re.fullmatch(r"(\S+?)(?:\.\.|/|–)(\S+)", text):
            return Period(parse(found[1]).first, parse(found[2]).last)
        day = date.fromisoformat(text)
    except PeriodError:
        raise
    except ValueError:
        raise PeriodError(f"{text!r} is not a period: use {FORMS}") from None
    return Period(day, day)


def _whole_months(period: Period) -> int | None:
    """How many whole calendar months the period is; None when it is not."""
    first, last = period.first, period.last
    if not first or not last or first.day != 1 or (last + ONE_DAY).day != 1:
        return None
    return (last.year - first.year) * 12 + last.month - first.month + 1


def previous(period: Period) -> Period:
    """The period of the same length just before: months before months, days before days.

    Raises PeriodError for an open period, which has nothing of the same length before it.
    """
    if not period.first or not period.last:
        raise PeriodError("a period without both ends has none before it: give --from and --to")
    try:
        if months := _whole_months(period):
            return _month(period.first.year, period.first.month - months, months)
        days = period.last - period.first
        return Period(period.first - ONE_DAY - days, period.first - ONE_DAY)
    except (ValueError, OverflowError):
        raise PeriodError(f"there is no period before {period.first}") from None


def year_before(period: Period) -> Period:
    """The same days a year earlier; 29 February becomes the 28th. Raises PeriodError if open."""
    if not period.first or not period.last:
        raise PeriodError("a period without both ends has no year before: give --from and --to")

    def back(day: date) -> date:
        last = calendar.monthrange(day.year - 1, day.month)[1]
        return date(day.year - 1, day.month, min(day.day, last))

    if months := _whole_months(period):
        return _month(period.first.year - 1, period.first.month, months)
    return Period(back(period.first), back(period.last))


def to_compare(text: str, period: Period) -> Period:
    """What `--compare-to TEXT` means for this period. Raises PeriodError."""
    if text == "previous":
        return previous(period)
    if text in ("year-before", "last-year"):
        return year_before(period)
    return parse(text)


def this_month(today: date) -> Period:
    """From the first of the month to its last day: the county's default."""
    return _month(today.year, today.month)


def last_month(today: date) -> Period:
    """The whole month before."""
    return _month(today.year, today.month - 1)


def this_quarter(today: date) -> Period:
    """The calendar quarter of today: the service's default."""
    return _month(today.year, 3 * ((today.month - 1) // 3) + 1, 3)


def last_quarter(today: date) -> Period:
    """The whole quarter before."""
    return _month(today.year, 3 * ((today.month - 1) // 3) - 2, 3)


def twelve_months(today: date) -> Period:
    """The rolling twelve months ending today: the device's default."""
    last = calendar.monthrange(today.year - 1, today.month)[1]
    return Period(date(today.year - 1, today.month, min(today.day, last)) + ONE_DAY, today)
