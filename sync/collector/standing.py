"""How each device stands, judged at the centre: what it said last, what has come from it, and the
opening hours of its place.

`fleet` reads, `judge` decides; the rule is explained in `docs/centre.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from sync.collector import hours, said
from sync.collector.places import Places
from sync.collector.said import instant
from sync.collector.store import tables as t
from sync.collector.times import DEFAULT_ZONE

QUIET_AFTER: Final = timedelta(hours=1)
"""Open time. A device reports every five minutes at the latest, so an hour is worth a word."""
SILENT_AFTER: Final = timedelta(hours=24)
"""By the clock, with at least `QUIET_AFTER` of open time in it."""
MUTE_AFTER: Final = timedelta(days=7)
STUCK_AFTER: Final = timedelta(hours=24)

STATES: Final = (
    *("ok", "quiet", "silent", "mute", "stuck", "refused", "clone-suspected"),
    *("never-enrolled", "unconfirmed", "retired", "revoked", "wiped"),
)
WORRIES: Final = frozenset({"quiet", "silent", "mute", "stuck", "refused", "clone-suspected"})
"""States somebody should look into."""


@dataclass
class Ledger:
    """Records: created = acknowledged + quarantined + held + lost + to_send, at every moment."""

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
class Standing:
    """One device as the centre sees it; instants are aware, in UTC."""

    id: str
    name: str
    """Its display name, or its id."""
    place: str
    """The location's id."""
    place_names: dict[str, str]
    """language -> name"""
    municipality: str
    """Of the place today."""
    state: str
    """One of STATES."""
    registered: str
    """What IT's commands have made of it: expected, enrolled, active, retired, revoked."""
    reason: str
    """Why it was retired or revoked."""
    published: int
    """Version of the newest configuration published; 0: none."""
    active: int
    """Version it says it uses; 0: none."""
    config_since: datetime | None
    refused: list[dict[str, Any]]
    """Configurations it would not take: version, reason."""
    program: str
    last_seen: datetime | None
    last_touch: datetime | None
    oldest_unsent: datetime | None
    """When the oldest answer still to be sent was given."""
    ledger: Ledger
    clone_suspected: bool = False
    open_code_until: datetime | None = None
    """Until when an unused one-time code opens it."""
    service: dict[str, Any] = field(default_factory=dict)
    """Of the service screen: locked_until, wrong, opened."""
    setup: str = ""
    """The set-up screen it shows; empty: none."""
    alarms: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False
    """Out of contact for a day, also where another state matters more."""

    @property
    def worry(self) -> bool:
        """Whether somebody should look."""
        return self.state in WORRIES or bool(self.ledger.lost)


@dataclass(frozen=True)
class Book:
    """What the outbox files of one device amount to."""

    ledger: Ledger = field(default_factory=Ledger)
    forked: bool = False
    """A file written by a key in use holds two histories: two machines, or a disk set back."""
    first: datetime | None = None


@dataclass(frozen=True)
class Opening:
    """When a place is open."""

    hours: dict[str, str]
    zone: ZoneInfo

    def between(self, since: datetime, now: datetime) -> timedelta:
        """Open time between two instants."""
        return hours.open_time(self.hours, self.zone, since, now)


@dataclass(frozen=True)
class Signs:
    """Everything the judgement of one device rests on."""

    registered: str
    last_seen: datetime | None
    setup: str
    clone_suspected: bool
    wiped: bool
    refused: bool
    oldest_unsent: datetime | None
    answered: bool
    """Whether any answer is of the last week."""
    first: datetime | None
    """First contact."""


def is_silent(last_seen: datetime, opening: Opening, now: datetime) -> bool:
    """Out of contact for a day in which the place was open for an hour."""
    return now - last_seen > SILENT_AFTER and opening.between(last_seen, now) >= QUIET_AFTER


def judge(signs: Signs, opening: Opening, now: datetime) -> str:
    """The one of STATES that matters most."""
    if signs.registered in ("retired", "revoked"):
        return signs.registered
    if signs.registered in ("", "expected"):
        return "never-enrolled"
    if signs.last_seen is None or signs.setup == "confirm":
        return "unconfirmed"
    if signs.wiped:
        return "wiped"
    missed = opening.between(signs.last_seen, now) >= QUIET_AFTER
    week_ago = now - MUTE_AFTER
    found = {
        "clone-suspected": signs.clone_suspected,
        "silent": is_silent(signs.last_seen, opening, now),
        "quiet": missed,
        "stuck": signs.oldest_unsent is not None and now - signs.oldest_unsent > STUCK_AFTER,
        "refused": signs.refused,
        "mute": not signs.answered
        and signs.first is not None
        and signs.first < week_ago
        and opening.between(week_ago, now) > timedelta(),
    }
    return next((state for state, holds in found.items() if holds), "ok")


def fleet(db: sa.Connection, now: datetime) -> list[Standing]:
    """Every device, by id. `now` is an aware instant."""
    books, codes, answered = _books(db), _open_codes(db, now), _answered(db, now)
    locations = {row.id: row for row in db.execute(sa.select(t.locations))}
    towns = _towns(db, now)
    found = []
    for row in db.execute(sa.select(t.devices).order_by(t.devices.c.id)):
        says = said.read(row.status)
        location = locations.get(row.location)
        book = books.get(row.id, Book())
        oldest = says.oldest_unsent if book.ledger.to_send else None
        last_seen = instant(row.last_seen_ms)
        opening = _opening(location)
        signs = Signs(
            registered=row.state,
            last_seen=last_seen,
            setup=says.setup,
            clone_suspected=book.forked,
            wiped=bool(row.wiping) and says.active >= row.wiping and not book.ledger.to_send,
            refused=says.refuses,
            oldest_unsent=oldest,
            answered=row.id in answered,
            first=book.first,
        )
        found.append(
            Standing(
                id=row.id,
                name=row.name or row.id,
                place=row.location,
                place_names=location.name if location else {},
                municipality=towns.get(row.location, location.municipality if location else ""),
                state=judge(signs, opening, now),
                registered=row.state,
                reason=row.reason,
                published=row.version,
                active=says.active,
                config_since=says.config_since,
                refused=says.refused,
                program=says.program,
                last_seen=last_seen,
                last_touch=says.last_touch,
                oldest_unsent=oldest,
                ledger=book.ledger,
                clone_suspected=book.forked,
                open_code_until=codes.get(row.id),
                service=says.service,
                setup=says.setup,
                alarms=says.alarms,
                silent=row.state == "active"
                and last_seen is not None
                and is_silent(last_seen, opening, now),
            )
        )
    return found


def total(devices: Iterable[Standing]) -> Ledger:
    """The ledgers of several devices summed up."""
    found = Ledger()
    for one in devices:
        found.add(one.ledger)
    return found


def _books(db: sa.Connection) -> dict[str, Book]:
    c, k = t.epochs.c, t.keys.c
    in_use = set(db.scalars(sa.select(k.key).where(k.state.in_(("active", "pending")))))
    found: dict[str, Book] = {}
    for row in db.execute(sa.select(t.epochs).order_by(c.device, c.first_ms)):
        known = found.get(row.device)
        created = max(row.tail, row.top, row.have)
        book = known or Book(first=instant(row.first_ms))
        book.ledger.add(Ledger(created, row.quarantined, row.held, row.lost, created - row.have))
        # A key that no longer serves has been replaced, and with it the cause.
        forked = bool(row.forks) and row.key in in_use
        found[row.device] = Book(book.ledger, book.forked or forked, book.first)
    return found


def _open_codes(db: sa.Connection, now: datetime) -> dict[str, datetime]:
    c = t.codes.c
    query = (
        sa.select(c.device, sa.func.max(c.expires_ms))
        .where(c.confirmed_ms.is_(None), c.cancelled_ms.is_(None))
        .where(c.expires_ms > int(now.timestamp() * 1000))
        .group_by(c.device)
    )
    return {device: at for device, ms in db.execute(query) if (at := instant(ms))}


def _answered(db: sa.Connection, now: datetime) -> set[str]:
    c = t.daily_counts.c
    # A day earlier: the days are the places', the week is ours.
    since = (now - MUTE_AFTER - timedelta(days=1)).date().isoformat()
    query = sa.select(c.device).where(c.day > since, c.n > 0, c.test.is_(False)).distinct()
    return set(db.scalars(query))


def _towns(db: sa.Connection, now: datetime) -> dict[str, str]:
    c = t.places.c
    rows = db.execute(sa.select(c.location, c.since, c.municipality, c.service)).all()
    places = Places(tuple(row) for row in rows)
    today = now.date().isoformat()
    return {row.location: places.at(row.location, today).municipality for row in rows}


def _opening(location: Any) -> Opening:
    try:
        zone = ZoneInfo(location.timezone if location else DEFAULT_ZONE)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        zone = ZoneInfo(DEFAULT_ZONE)
    return Opening(json.loads(location.hours or "{}") if location else {}, zone)
