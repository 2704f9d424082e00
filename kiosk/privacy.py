"""Personal data in free text: personal identity codes, e-mail addresses, phone numbers.

Found and taken out on the device, before anything is stored. Names are not detected, and the
screen says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum.fi import hetu

Category = Literal["identity-code", "email", "phone"]

REMOVED: Final = "[…]"
"""What stands where something was taken out: never longer than what stood there."""

_MASK: Final = "¤"
# henkilötunnus: ddmmyy, the century's sign, three digits, a check character. The signs of 2023 are
# Y X W V U and A B C D E F. People put spaces, dots or nothing between, and write the year in full.
_CODE: Final = re.compile(
    r"(?<!\d)(?P<day>0 ?[1-9]|[12] ?\d|3 ?[01])[. ]?(?P<month>0 ?[1-9]|1 ?[0-2])[. ]?"
    r"(?:1 ?[89]|2 ?0)? ?(?P<year>\d ?\d)"
    r"(?:[^\S\n]{0,2}(?P<sign>[-+A-FU-Y])[^\S\n]{0,2}|[ ./_,]{0,2})"
    r"(?P<individual>\d ?\d ?\d) {0,2}(?P<check>[0-9A-Z])(?![0-9A-Z])",
    re.IGNORECASE,
)
_SHAPE: Final = re.compile(r"\d{6} {0,2}[-+A-FU-Y] {0,2}\d{3} {0,2}[0-9A-Z]", re.IGNORECASE)

_AT: Final = r"\s?(?:@|[(\[{]\s?[aäå]t?\s?[)\]}]|\bät\b)\s?"
_DOT_WORD: Final = r"\s?(?:[(\[{]\s?)?\b(?:piste|punkt|dot)\b(?:\s?[)\]}])?\s?"
_LABEL: Final = r"[\w-]{1,64}"
_DOT: Final = rf"(?:\.|{_DOT_WORD})"
_LOCAL: Final = rf"[\w.+'-]{{1,64}}(?:{_DOT_WORD}{_LABEL}){{0,3}}"
_HOSTS: Final = r"(?:gmail|hotmail|outlook|icloud|luukku)\b"
_MAIL: Final = re.compile(
    rf"{_LOCAL}{_AT}{_LABEL}(?:{_DOT}{_LABEL}){{1,4}}"
    # A bare "at" is an everyday English word: only with a dotted name or a spelled-out dot.
    rf"|[\w-]{{1,64}}[._][\w.-]{{1,64}}\sat\s{_LABEL}(?:{_DOT}{_LABEL}){{1,4}}"
    rf"|[\w.-]{{1,64}}\sat\s{_LABEL}(?:{_DOT_WORD}{_LABEL}){{1,4}}"
    # Addresses everyone knows go without their ending, and by a bare "at".
    rf"|{_LOCAL}(?:{_AT}|\sat\s){_HOSTS}(?:{_DOT}{_LABEL}){{0,2}}"
    # No domain behind it, but nothing else is written so.
    r"|[\w.+'-]{1,64}@[\w-]{2,64}",
    re.IGNORECASE,
)

# Dates and times are digits with dots too; they are masked before phone numbers are looked for.
_DAY, _MONTH, _CLOCK = r"(?:[012]?\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"[012]?\d[.:][0-5]\d"
_DATE: Final = re.compile(
    r"(?<!\d)(?<!\d[.:])(?:"
    rf"\d{{4}}-{_MONTH}-{_DAY}(?:[T ]{_CLOCK}(?:[.:][0-5]\d)?)?"
    rf"|{_DAY}[./-]\s?{_MONTH}[./-]\s?(?:\d{{4}}|\d\d)?"
    rf"|{_CLOCK}(?:[.:][0-5]\d)?(?:\s?-\s?{_CLOCK})?"
    r")(?!\d|[.:]\d)"
)

# Letters that look like those of a code, typed on a Cyrillic keyboard.
_LOOK_ALIKE: Final = str.maketrans("АВСЕНКМРТХУавсенкмртху", "ABCEHKMPTXYabcehkmptxy")


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at `text[start:end]`."""

    category: Category
    start: int
    end: int


def find(text: str) -> list[Finding]:
    """Everything in `text` that looks like personal data, in order, without overlaps."""
    plain = "".join(map(_plain, text))
    found: list[Finding] = []
    for search in (_codes, _mails, _phones):
        new = list(search(plain))
        found += new
        for finding in new:
            plain = _masked(plain, finding.start, finding.end)
    return sorted(found, key=lambda finding: finding.start)


def redact(text: str) -> tuple[str, dict[str, int]]:
    """`text` without the personal data found, and how much of each category there was."""
    counts: Counter[str] = Counter()
    # Again while there is something: what was glued to a code stands free once that is gone.
    while found := find(text):
        for finding in reversed(found):
            text = text[: finding.start] + REMOVED + text[finding.end :]
            counts[finding.category] += 1
    return text, dict(counts)


def _plain(char: str) -> str:
    """One character for one character: ASCII digits, one kind of dash, one kind of space."""
    if char.isascii():
        return char
    if unicodedata.category(char) == "Pd" or char == "\N{MINUS SIGN}":
        return "-"
    if char.isspace():
        return " "
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def _masked(text: str, start: int, end: int) -> str:
    return text[:start] + _MASK * (end - start) + text[end:]


def _codes(text: str) -> Iterator[Finding]:
    for match in _CODE.finditer(text.translate(_LOOK_ALIKE)):
        part = {name: (found or "").replace(" ", "") for name, found in match.groupdict().items()}
        date = part["day"] + part["month"] + part["year"]
        rest = part["individual"] + part["check"]
        # Without a sign: 29 February 2000 exists, in 1900 it does not.
        signs = part["sign"] or "-A"
        right = any(hetu.is_valid(date + sign + rest, allow_temporary=True) for sign in signs)
        # A slip in the check character still tells who it is, if the rest has the code's shape.
        if right or _SHAPE.fullmatch(match.group()):
            yield Finding("identity-code", match.start(), match.end())


def _mails(text: str) -> Iterator[Finding]:
    for match in _MAIL.finditer(text):
        yield Finding("email", match.start(), match.end())


def _phones(text: str) -> Iterator[Finding]:
    for date in _DATE.finditer(text):
        text = _masked(text, date.start(), date.end())
    for match in PhoneNumberMatcher(text, "FI", leniency=Leniency.VALID, max_tries=2**31):
        yield Finding("phone", match.start, match.end)
