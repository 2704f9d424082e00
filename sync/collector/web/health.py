"""Device health: in contact or not, and the ledger that accounts for every answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from sync.collector.reports.build import SILENT_AFTER, Builder
from sync.collector.reports.queries import Device
from sync.collector.store import tables as t

QUIET_AFTER: Final = timedelta(hours=1)
"""A device reports every five minutes at the latest, so an hour is worth a word."""
MUTE_AFTER: Final = timedelta(days=7)
STUCK_AFTER: Final = timedelta(hours=24)


@dataclass
class Ledger:
    """created = acknowledged + quarantined + held + lost + to_send, at every moment."""

    created: int = 0
    quarantined: int = 0
    held: int = 0
    lost: int = 0
    to_send: int = 0

    @property
    def acknowledged(self) -> int:
        """Stored here and counted."""
        return self.created - self.quarantined - self.held - self.lost - self.to_send

    def add(self, other: Ledger) -> None:
        """Sum up."""
        self.created += other.created
        self.quarantined += other.quarantined
        self.held += other.held
        self.lost += other.lost
        self.to_send += other.to_send


@dataclass(frozen=True)
class Health:
    """One device's line."""

    id: str
    name: str
    place: str
    state: str
    """The key of its wording: `state.<state>`."""
    last_seen: datetime | None
    ledger: Ledger
    oldest: datetime | None
    """When the oldest answer still to be sent was given."""
    config: int

    @property
    def worry(self) -> bool:
        """Whether somebody should look."""
        return self.state in ("quiet", "silent", "mute", "stuck", "refused") or bool(
            self.ledger.lost
        )


def _status(text: str) -> dict[str, object]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _state(
    device: Device, status: dict[str, object], answered: str, oldest: datetime | None, now: datetime
) -> str:
    """The word that matters most, worst first."""
    if device.state in ("retired", "revoked", "expected"):
        return device.state
    if device.last_seen is None:
        return "enrolled"
    silence = now - device.last_seen
    week_ago = (now - MUTE_AFTER).date().isoformat()
    words = {
        "silent": silence > SILENT_AFTER,
        "quiet": silence > QUIET_AFTER,
        "stuck": oldest is not None and now - oldest > STUCK_AFTER,
        "refused": bool(status.get("refused")),
        "mute": answered < week_ago and answered != "",
    }
    return next((word for word, holds in words.items() if holds), "contact")


def ledgers(db: sa.Connection) -> dict[str, Ledger]:
    """Per device, over its outbox files."""
    c = t.epochs.c
    found: dict[str, Ledger] = {}
    for row in db.execute(
        sa.select(c.device, c.have, c.tail, c.top, c.quarantined, c.held, c.lost)
    ):
        created = max(row.tail, row.top, row.have)
        one = Ledger(created, row.quarantined, row.held, row.lost, created - row.have)
        found.setdefault(row.device, Ledger()).add(one)
    return found


def last_answers(db: sa.Connection) -> dict[str, str]:
    """The last day each device has an answer of."""
    c = t.daily_counts.c
    query = sa.select(c.device, sa.func.max(c.day)).where(c.n > 0).group_by(c.device)
    return {row.device: row[1] for row in db.execute(query)}


def health(builder: Builder) -> tuple[list[Health], Ledger]:
    """Every device, those to look at first, and their sum."""
    books, answered = ledgers(builder.db), last_answers(builder.db)
    place = builder.namer("location")
    total = Ledger()
    found = []
    for device in builder.devices.values():
        status = _status(device.status)
        book = books.get(device.id, Ledger())
        total.add(book)
        oldest = _moment(status.get("oldest_unsent")) if status.get("oldest_unsent") else None
        state = _state(device, status, answered.get(device.id, ""), oldest, builder.now)
        config = status.get("config")
        found.append(
            Health(
                id=device.id,
                name=device.name,
                place=place(device.location) if device.location else "",
                state=state,
                last_seen=device.last_seen,
                ledger=book,
                oldest=oldest if book.to_send else None,
                config=config if isinstance(config, int) else 0,
            )
        )
    found.sort(key=lambda h: (not h.worry, builder.words.sort_key(h.name), h.id))
    return found, total
