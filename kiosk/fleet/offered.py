"""Which services are offered on a day: those that have begun and not ended; a merged one gives way
to the service it was merged into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from kiosk.fleet.files import LocationFile, ServiceEntry, ServicesFile


def offered(file: ServicesFile, today: dt.date) -> tuple[ServiceEntry, ...]:
    """The services of the organisation on a day, in the file's order."""
    return tuple(
        entry for entry in file.service if _begun(entry, today) and not ended(entry, today)
    )


def given(place: LocationFile, file: ServicesFile, today: dt.date) -> tuple[str, ...]:
    """The ids a place gives on a day, in its own order; empty: it names none, or none is left."""
    entries = {entry.id: entry for entry in file.service}
    now = {entry.id for entry in offered(file, today)}
    found = (successor(ident, entries, today) for ident in place.services if ident in entries)
    return tuple(dict.fromkeys(ident for ident in found if ident in now))


def successor(ident: str, entries: Mapping[str, ServiceEntry], today: dt.date) -> str:
    """The service that counts for `ident` on a day: itself, or what it was merged into."""
    seen = [ident]
    while ended(entries[seen[-1]], today):
        into = entries[seen[-1]].merged_into
        if into not in entries or into in seen:  # an error of the file, said elsewhere
            break
        seen.append(into)
    return seen[-1]


def ended(entry: ServiceEntry, today: dt.date) -> bool:
    """Whether a service's last day is past."""
    return bool(entry.until) and entry.until < today.isoformat()


def _begun(entry: ServiceEntry, today: dt.date) -> bool:
    return entry.since <= today.isoformat()
