"""One-time enrolment codes: made at the desk; the centre learns only their hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.fleet.admin import Admin

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0 O 1 I L U, which are misread; twelve of them are 58.9 bits."""
LENGTH = 12
LONGEST = dt.timedelta(days=30)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Code:
    """A code that was made and registered."""

    device: str
    code: str
    expires_at: dt.datetime


def make_code(choose: Callable[[str], str] = secrets.choice) -> str:
    """A new code, `K7QM-4T2P-9XWB`."""
    letters = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[at : at + 4] for at in range(0, LENGTH, 4))


def code_hash(code: str) -> str:
    """SHA-256 (hex) of a code as the centre computes it: upper case, without dashes."""
    return hashlib.sha256(code.replace("-", "").upper().encode()).hexdigest()


def lifetime(text: str) -> dt.timedelta:
    """`72h`, `30d`, `45m` as a duration. Raises ValueError with what to write instead."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text.strip())
    if not match:
        raise ValueError(f'"{text}" is not a time span: write 72h, 30d or 45m')
    span = dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > LONGEST:
        raise ValueError(f"a code lives {LONGEST.days} days at most")
    return span


def enrol(
    device: str,
    admin: Admin,
    *,
    valid: dt.timedelta,
    now: dt.datetime,
    choose: Callable[[str], str] = secrets.choice,
) -> Code:
    """Make a code for a device and register its hash. Raises AdminError."""
    code = Code(device, make_code(choose), now + valid)
    admin.add_code(device, code_hash(code.code), code.expires_at.isoformat())
    return code
