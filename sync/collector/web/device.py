"""One device's page: ledger per outbox file, keys, places, refusals, alarms, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from sync.collector.reports.queries import instant
from sync.collector.store import tables as t
from sync.collector.web.columns import Line
from sync.collector.web.fleet_address import device_link
from sync.collector.web.times import Clock, moment_of
from sync.contract.bundle import BundleError, fingerprint

STEPS: Final = 5
"""What to do has at most so many steps."""


@dataclass(frozen=True)
class Epoch:
    """One outbox file: numbers of records."""

    name: str
    created: int
    quarantined: int
    held: int
    lost: int
    to_send: int
    forks: int
    conflicts: int
    first: datetime | None
    last: datetime | None

    @property
    def acknowledged(self) -> int:
        """Stored here and counted."""
        return self.created - self.quarantined - self.held - self.lost - self.to_send


@dataclass(frozen=True)
class Key:
    """One of its keys; never the key itself."""

    fingerprint: str
    state: str
    reason: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Place:
    """Where it was meant to stand, from when on."""

    since: datetime | None
    name: str
    place: str


@dataclass(frozen=True)
class Correction:
    """Answers of some days that count for another place."""

    made: datetime | None
    days: str
    place: str
    note: str
    """Who and why."""
    withdrawn: bool


@dataclass(frozen=True)
class Alarm:
    """Something its outbox met."""

    at: datetime | None
    what: str
    epoch: str
    why: str


@dataclass(frozen=True)
class DevicePage:
    """Everything the template needs."""

    line: Line
    link: str
    todo: list[tuple[str, list[str]]]
    """What to do, by cause; empty: nothing."""
    epochs: list[Epoch]
    keys: list[Key]
    places: list[Place]
    corrections: list[Correction]
    alarms: list[Alarm]


def device_page(db: sa.Connection, line: Line, clock: Clock) -> DevicePage:
    """Read what only this page shows."""
    one, words = line.standing, line.words
    names = {row.id: row.name for row in db.execute(sa.select(t.locations))}

    def place(key: str) -> str:
        return words.pick(names.get(key, {}), key)

    return DevicePage(
        line=line,
        link=device_link(one.id),
        todo=_todo(line),
        epochs=_epochs(db, one.id),
        keys=_keys(db, one.id),
        places=_places(db, one.id, place),
        corrections=_corrections(db, one.id, place, clock),
        alarms=[_alarm(found) for found in reversed(one.alarms)],
    )


def _todo(line: Line) -> list[tuple[str, list[str]]]:
    """The steps of its state, then those of what else is wrong."""
    one, words = line.standing, line.words
    also = {
        "clone-suspected": one.clone_suspected,
        "refused": bool(one.refused),
        "lost": bool(one.ledger.lost),
    }
    causes = [one.state, *(cause for cause, holds in also.items() if holds and cause != one.state)]
    found = []
    for cause in causes:
        keys = [f"todo.{cause}.{number}" for number in range(1, STEPS + 1)]
        if steps := [words(key, device=one.id) for key in keys if words.has(key)]:
            lost = words.counted("note.lost", one.ledger.lost)
            found.append((lost if cause == "lost" else words(f"state.{cause}"), steps))
    return found


def _epochs(db: sa.Connection, device: str) -> list[Epoch]:
    c = t.epochs.c
    query = sa.select(t.epochs).where(c.device == device).order_by(c.first_ms, c.epoch)
    found = []
    for row in db.execute(query):
        created = max(row.tail, row.top, row.have)
        found.append(
            Epoch(
                *(row.epoch, created, row.quarantined, row.held, row.lost, created - row.have),
                *(row.forks, row.conflicts, instant(row.first_ms or None)),
                instant(row.last_ms or None),
            )
        )
    return found


def _keys(db: sa.Connection, device: str) -> list[Key]:
    c = t.keys.c
    query = sa.select(t.keys).where(c.device == device).order_by(c.since_ms.desc(), c.key)
    return [
        Key(
            *(_fingerprint(row.key), row.state, row.reason),
            *(instant(row.since_ms), instant(row.until_ms)),
        )
        for row in db.execute(query)
    ]


def _fingerprint(key: str) -> str:
    try:
        return fingerprint(key)
    except BundleError:
        return "?"


def _places(db: sa.Connection, device: str, place: Callable[[str], str]) -> list[Place]:
    c = t.assignments.c
    query = sa.select(t.assignments).where(c.device == device).order_by(c.since_ms.desc())
    return [
        Place(instant(row.since_ms), row.name, place(row.location)) for row in db.execute(query)
    ]


def _corrections(
    db: sa.Connection, device: str, place: Callable[[str], str], clock: Clock
) -> list[Correction]:
    c = t.corrections.c
    query = sa.select(t.corrections).where(c.device == device).order_by(c.no.desc())
    found = []
    for row in db.execute(query):
        made, ended = instant(row.made_ms), instant(row.withdrawn_ms)
        note = [row.reason]
        if made:
            note.append(clock.words("device.corrected", who=row.made_by, when=clock.exact(made)))
        if ended:
            when = clock.exact(ended)
            note.append(clock.words("device.withdrawn", who=row.withdrawn_by, when=when))
        days = f"{_end(row.since, clock)}–{_end(row.until, clock)}"
        text = "; ".join(part for part in note if part)
        found.append(Correction(made, days, place(row.location), text, ended is not None))
    return found


def _end(text: str, clock: Clock) -> str:
    """One end of a correction: a day, an instant, or nothing for an open end."""
    try:
        return clock.words.day(date.fromisoformat(text))
    except ValueError:
        found = moment_of(text)
        return clock.exact(found) if found else ""


def _alarm(found: Any) -> Alarm:
    """An alarm as a device tells it: a mapping of its own words, or anything at all."""
    if not isinstance(found, dict):
        return Alarm(None, str(found), "", "")
    rest = {k: v for k, v in found.items() if k not in ("at", "what", "epoch", "why")}
    why = str(found.get("why", "")) or ", ".join(f"{k} {v}" for k, v in rest.items())
    return Alarm(
        moment_of(found.get("at")), str(found.get("what", "")), str(found.get("epoch", "")), why
    )
