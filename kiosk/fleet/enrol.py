"""One-time enrolment codes: made at the desk; the centre learns only their hash."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.fleet.admin import Admin
from sync.contract import code as codes

LONGEST = dt.timedelta(days=30)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Code:
    """A code that was made and registered."""

    device: str
    code: str
    expires_at: dt.datetime


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
    organisation_key: str,
    *,
    valid: dt.timedelta,
    now: dt.datetime,
    choose: Callable[[str], str] = secrets.choice,
) -> Code:
    """Make a code for a device and register its hash. Raises AdminError, BundleError."""
    code = Code(device, codes.make(organisation_key, choose), now + valid)
    admin.add_code(device, codes.sha256(code.code), code.expires_at.isoformat())
    return code
