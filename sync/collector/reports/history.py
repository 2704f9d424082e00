"""What reports say of the past of places and services: former names, and services merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sync.collector import dated
from sync.collector.reports.periods import Period
from sync.collector.services import successor

Names = dict[str, str]
"""language -> name"""


@dataclass(frozen=True)
class Former:
    """A name held until a day; the day after the one before it, or from the beginning."""

    names: Names
    since: str
    until: str

    def within(self, first: str, last: str) -> bool:
        """Whether it held on any of these days."""
        return self.until >= first and self.since <= last


@dataclass(frozen=True)
class Merged:
    """A service whose answers count for another one."""

    into: str
    until: str
    """Its last day (ISO); empty: not said."""


def named(history: str, newest: Names, today: str) -> tuple[Names, list[Former]]:
    """The names of today, and those before them, oldest first. `history` is the JSON kept."""
    older = sorted(
        (was["until"], was["name"]) for was in json.loads(history or "[]") if was.get("name")
    )
    names = dated.on(older, newest, today)
    steps = dated.timeline(older, newest)
    former = [
        Former(was, since, until)
        for (until, was), (since, _) in zip(older, steps, strict=False)
        if until < today and was != names
    ]
    return names, former


def mergers(rows: Iterable[tuple[str, str, str]], today: str) -> dict[str, Merged]:
    """The services that have ended in others, from (id, until, merged_into)."""
    over = {id_: (until, into) for id_, until, into in rows if into and until < today}
    chain = {id_: into for id_, (_, into) in over.items()}
    return {id_: Merged(successor(id_, chain), until) for id_, (until, _) in over.items()}


def formerly(known: Mapping[str, list[Former]], key: str, days: Period) -> list[Former]:
    """The former names of a unit that held on one of these days."""
    first = days.first.isoformat() if days.first else ""
    last = days.last.isoformat() if days.last else date.max.isoformat()
    return [former for former in known.get(key, ()) if former.within(first, last)]
