"""Services in the catalogue: renamed, ended, merged into others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sync.collector.catalogue_messages import ServicePut, ServiceWas
from sync.collector.reading import RefusedError
from sync.collector.store.tx import Tx

_COLUMNS = (
    *("id", "name", "grouping", "short_name"),
    *("since", "until", "merged_into", "history"),
)


def put(tx: Tx, services: Iterable[ServicePut]) -> None:
    """Add or change services. Raises RefusedError `conflict` for a circle of mergers."""
    rows = {
        s.id: (
            *(s.id, _json(s.name), s.group, _json(s.short_name) if s.short_name else ""),
            *(s.since, s.until, s.merged_into, _json(s.history) if s.history else ""),
        )
        for s in services
    }
    if not rows:
        return
    tx.upsert("services", _COLUMNS, ("id",), list(rows.values()))
    merged: dict[str, str] = dict(
        tx.rows("select id, merged_into from services where merged_into <> ''")
    )
    for service in merged:
        if successor(service, merged) == service:
            raise RefusedError(
                "conflict", f"service {service} is merged into itself, directly or by way of others"
            )


def get(tx: Tx) -> list[ServicePut]:
    """Every service as it was put."""
    return [
        ServicePut(
            *(id_, _plain(name), group, _plain(short) if short else {}),
            *(since, until, merged_into),
            msgspec.json.decode(history or "[]", type=list[ServiceWas]),
        )
        for id_, name, group, short, since, until, merged_into, history in tx.rows(
            f"select {', '.join(_COLUMNS)} from services order by id"  # noqa: S608 - our own names
        )
    ]


def only(tx: Tx, given: Iterable[str], today: str) -> str:
    """The one service a place gives on a day, mergers and ends considered; empty: none or several.

    A device that has but one service left does not ask for it.
    """
    rows = {
        id_: (since, until, into)
        for id_, since, until, into in tx.rows("select id, since, until, merged_into from services")
    }
    over = {id_: into for id_, (_, until, into) in rows.items() if into and until < today}
    left = set()
    for service in given:
        found = successor(service, over)
        since, until, _ = rows.get(found, ("", "", ""))
        if since <= today and (not until or until >= today):
            left.add(found)
    return left.pop() if len(left) == 1 else ""


def successor(service: str, merged: Mapping[str, str]) -> str:
    """Where a chain of mergers ends; the service itself when it goes round in a circle."""
    seen = {service}
    found = service
    while found in merged:
        found = merged[found]
        if found in seen:
            return service
        seen.add(found)
    return found


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _plain(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value
