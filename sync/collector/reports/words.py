"""Words, numbers and days in the reader's language."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Final

from sync.collector.reports.statistics import rounded

LANGUAGES: Final = ("fi", "sv", "en")
"""What the centre speaks."""
MINUS: Final = "\u2212"
NARROW: Final = "\u00a0"
_AFTER_Z: Final = str.maketrans({"å": "{", "ä": "|", "ö": "}"})
_MONTHS_EN: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


@cache
def _catalogue(package: str, language: str) -> dict[str, str]:
    path = resources.files(package) / "wording" / f"{language}.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: str(value) for key, value in found.items()}


class Words:
    """One language: `words("key", n=3)` and the formats of its numbers and days."""

    def __init__(self, language: str, *packages: str) -> None:
        """Load the wording of `language` from each package's `wording` folder, later ones last.

        Raises ValueError for a language the centre does not speak.
        """
        if language not in LANGUAGES:
            raise ValueError(f"{language!r} is not one of {', '.join(LANGUAGES)}")
        self.language = language
        self._texts: dict[str, str] = {}
        for package in ("sync.collector.reports", *packages):
            self._texts.update(_catalogue(package, language))

    def __call__(self, key: str, **values: object) -> str:
        """The wording of `key`. Raises KeyError: a missing text is a mistake of ours."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is a wording for `key`."""
        return key in self._texts

    def counted(self, key: str, n: int) -> str:
        """The wording of `key` for a number: `.0`, `.1` or `.n`."""
        form = str(n) if n in (0, 1) and f"{key}.{n}" in self._texts else "n"
        return self(f"{key}.{form}", n=self.whole(n))

    def pick(self, names: dict[str, str], fallback: str = "") -> str:
        """A name in this language, else in another the centre speaks, else `fallback`."""
        for language in (self.language, *LANGUAGES):
            if names.get(language):
                return names[language]
        return next((name for name in names.values() if name), fallback)

    @property
    def comma(self) -> bool:
        """Whether decimals are set off by a comma (and CSV fields by a semicolon)."""
        return self.language != "en"

    def number(self, value: Fraction | float | Decimal, digits: int = 0) -> str:
        """A number rounded half away from zero: `4,53`, `−31`."""
        text = f"{rounded(Fraction(value), digits):f}".replace("-", MINUS)
        return text.replace(".", ",") if self.comma else text

    def whole(self, n: int) -> str:
        """A count with its thousands set apart."""
        return f"{n:,}".replace(",", NARROW if self.comma else ",").replace("-", MINUS)

    def signed(self, value: Fraction | float, digits: int = 0) -> str:
        """A change with its sign: `+3`, `−2`, `±0`."""
        text = self.number(value, digits)
        if rounded(value, digits) == 0:
            return f"±{text}"
        return text if text.startswith(MINUS) else f"+{text}"

    def percent(self, value: Fraction | float, digits: int = 1) -> str:
        """A share in per cent, with the language's space before the sign."""
        return (
            f"{self.number(value, digits)}{NARROW}%"
            if self.comma
            else (f"{self.number(value, digits)}%")
        )

    def interval(self, low: Fraction | float, high: Fraction | float, digits: int = 0) -> str:
        """`61–73`; with three dots where a minus would run into the dash."""
        one, two = self.number(low, digits), self.number(high, digits)
        return f"{one} … {two}" if MINUS in one + two else f"{one}–{two}"

    def day(self, day: date) -> str:
        """`1.2.2025`, sv and fi; `1 Feb 2025` in English, where the order is no riddle."""
        if self.comma:
            return f"{day.day}.{day.month}.{day.year}"
        return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"

    def days(self, first: date | None, last: date | None) -> str:
        """A range of days, both included; what both share is said once."""
        if not first or not last or first == last:
            one, two = (self.day(d) if d else "" for d in (first, last))
            return one if first == last else f"{one}–{two}"
        same_month = (first.year, first.month) == (last.year, last.month)
        start = self.day(first)
        if first.year == last.year and self.language == "en":
            start = f"{first.day}" if same_month else f"{first.day} {_MONTHS_EN[first.month - 1]}"
        elif first.year == last.year:
            # Finnish ends an ordinal with a full stop, Swedish does not.
            stop = "." if self.language == "fi" else ""
            start = f"{first.day}{stop}" if same_month else f"{first.day}.{first.month}{stop}"
        return f"{start}–{self.day(last)}"

    def month(self, text: str) -> str:
        """`2025-02` as `2/2025`, in English `Feb 2025`."""
        year, month = text.split("-")
        if self.comma:
            return f"{int(month)}/{year}"
        return f"{_MONTHS_EN[int(month) - 1]} {year}"

    def moment(self, at: datetime) -> str:
        """A day and the time of day."""
        clock = f"{at.hour}.{at.minute:02}" if self.language == "fi" else f"{at:%H:%M}"
        return f"{self.day(at.date())} {clock}"

    def sort_key(self, name: str) -> str:
        """Alphabetical order as this language has it: å, ä, ö last in Finnish and Swedish."""
        folded = name.casefold()
        return folded.translate(_AFTER_Z) if self.comma else folded
