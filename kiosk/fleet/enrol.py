"""One-time enrolment codes: made at the desk; the centre learns only their hash."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.fleet.admin import Admin
from kiosk.fleet.labels import Label, name_of
from sync.contract import code as codes
from sync.contract.bundle import Bundle, fingerprint

LONGEST = dt.timedelta(days=30)
NEVER = ("", "expected")
"""States of a device that has never been enrolled."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Code:
    """A code of one device, and what goes with it onto a label or a stick."""

    ticket: codes.Ticket
    expires_at: dt.datetime
    label: Label

    @property
    def device(self) -> str:
        """Whose it is."""
        return self.ticket.device

    def as_dict(self, organisation_key: str) -> dict[str, object]:
        """For `--format json`."""
        return {
            "device": self.device,
            "name": self.ticket.name,
            "code": self.ticket.code,
            "expires_at": self.expires_at.isoformat(),
            "endpoint": self.ticket.endpoint,
            "organisation_key": organisation_key,
            "fingerprint": self.ticket.fingerprint,
        }


def lifetime(text: str) -> dt.timedelta:
    """`72h`, `30d`, `45m` as a duration. Raises ValueError with what to write instead."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text.strip())
    if not match:
        raise ValueError(f'"{text}" is not a time span: write 72h, 30d or 45m')
    span = dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > LONGEST:
        raise ValueError(f"a code lives {LONGEST.days} days at most")
    return span


def make(
    bundle: Bundle,
    organisation_key: str,
    expires_at: dt.datetime,
    *,
    zone: dt.tzinfo,
    endpoint: str = "",
    choose: Callable[[str], str] = secrets.choice,
) -> Code:
    """A new code for a device, unknown to the centre yet; `endpoint` instead of the bundle's own.

    The label tells the time of `zone`, whatever the desk's clock shows. Raises BundleError when the
    key is none.
    """
    place = name_of(bundle.location.name, bundle.languages)
    ticket = codes.Ticket(
        endpoint=endpoint or bundle.endpoint.url,
        code=codes.make(organisation_key, choose),
        fingerprint=fingerprint(organisation_key),
        device=bundle.device,
        name=f"{place}, {bundle.name}",
        proxy=bundle.endpoint.proxy,
    )
    label = Label(ticket, place, bundle.name, expires_at.astimezone(zone), bundle.languages)
    return Code(ticket, expires_at, label)


def register(
    made: Iterable[Code], admin: Admin, *, replace: bool = False, now: bool = False
) -> None:
    """Tell the centre the hashes; several in one request, all or none. Raises AdminError.

    `replace` and `now`: see Admin.add_code.
    """
    rows = [
        {
            "device": code.device,
            "code_sha256": codes.sha256(code.ticket.code),
            "expires_at": code.expires_at.isoformat(),
        }
        for code in made
    ]
    if len(rows) == 1:
        (row,) = rows
        admin.add_code(**row, replace=replace, now=now)
    else:
        admin.add_codes(rows)


def waiting(rows: Iterable[Mapping[str, Any]], known: Iterable[str], *, again: bool) -> list[str]:
    """The devices among `known` that were never enrolled; with `again`, those with an open code.

    `rows` are the centre's; a device it does not know is not published yet.
    """
    mine = set(known)
    return sorted(
        str(row["id"])
        for row in rows
        if row.get("id") in mine
        and str(row.get("state", "")) in NEVER
        and (again or not row.get("open_code_until"))
    )


def taken(rows: Iterable[Mapping[str, Any]], devices: Iterable[str]) -> list[str]:
    """Those of `devices` that a terminal already is, and sends as."""
    wanted = set(devices)
    return sorted(
        str(row["id"]) for row in rows if row.get("id") in wanted and row.get("state") == "active"
    )
