"""What the reports read: sums over `daily_counts`, names, wordings, devices.

Every read is over a table whose size depends on devices, days and scale steps, never on how many
answers were given; `late.py` is the one exception, and bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from sync.collector.reports.history import Former, Merged, mergers, named
from sync.collector.reports.periods import Period
from sync.collector.said import instant as instant  # noqa: PLC0414 - the pages take it from here
from sync.collector.store import tables as t
from sync.contract.records import NPS, SATISFIED

TARGETS: Final[dict[str, float]] = {"nps": 80, "fully_agree_pct": 80}
"""What counties aim at, where the organisation has said nothing else."""

_counts = t.daily_counts.c
MONTH: Final = sa.func.substr(_counts.day, 1, 7)
COLUMNS: Final[dict[str, sa.ColumnElement[str]]] = {
    "device": _counts.device,
    "location": _counts.location,
    "municipality": _counts.municipality,
    "service": _counts.service,
    "channel": _counts.channel,
    "survey": _counts.survey,
    "month": MONTH,
    "day": _counts.day,
    "question": _counts.question,
}


@dataclass
class Tally:
    """A distribution value -> count, and the part of it that came from flagged visits."""

    counts: Counter[int] = field(default_factory=Counter)
    flagged: Counter[int] = field(default_factory=Counter)

    @property
    def n(self) -> int:
        """Answers."""
        return self.counts.total()

    def add(self, other: Tally) -> None:
        """Pool another distribution into this one."""
        self.counts.update(other.counts)
        self.flagged.update(other.flagged)

    def cleaned(self) -> Counter[int]:
        """What is left without the flagged visits."""
        return self.counts - self.flagged


@dataclass(frozen=True)
class Scope:
    """Which answers: a period, and values some columns must have (`{"location": "kerava"}`)."""

    period: Period = field(default_factory=Period)
    only: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    """Services counted under others: id -> the id that stands for it."""

    def stands_for(self, name: str, key: str) -> str:
        """The key under which a value of a column is counted."""
        return self.merged.get(key, key) if name == "service" else key

    def values(self, name: str) -> list[str]:
        """All values of a column that count for the one asked for."""
        value = self.only[name]
        others = (k for k, into in self.merged.items() if name == "service" and into == value)
        return [value, *others]

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As SQL; test answers are always left out."""
        found: list[sa.ColumnElement[bool]] = [_counts.test.is_(False), _counts.n != 0]
        if self.period.first:
            found.append(_counts.day >= self.period.first.isoformat())
        if self.period.last:
            found.append(_counts.day <= self.period.last.isoformat())
        found += [COLUMNS[name].in_(self.values(name)) for name in self.only]
        return found


def _question(kind: str) -> sa.ColumnElement[bool]:
    if kind == "statements":
        return _counts.question.not_in((NPS, SATISFIED))
    return _counts.question == kind


def tallies(
    db: sa.Connection, scope: Scope, by: Sequence[str], kind: str = NPS
) -> dict[tuple[str, ...], Tally]:
    """Distributions by the named columns; `kind` is a question id, or `statements`."""
    columns = [COLUMNS[name].label(f"k{i}") for i, name in enumerate(by)]
    query = (
        sa.select(*columns, _counts.flagged, _counts.value, sa.func.sum(_counts.n))
        .where(_question(kind), *scope.conditions())
        .group_by(*(COLUMNS[name] for name in by), _counts.flagged, _counts.value)
    )
    found: dict[tuple[str, ...], Tally] = {}
    for row in db.execute(query):
        *values, flagged, value, n = row
        key = tuple(scope.stands_for(name, one) for name, one in zip(by, values, strict=True))
        tally = found.setdefault(key, Tally())
        tally.counts[int(value)] += int(n)
        if flagged:
            tally.flagged[int(value)] += int(n)
    return found


def distinct(
    db: sa.Connection, scope: Scope, by: str, what: str, kind: str = NPS
) -> dict[str, set[str]]:
    """Which different values of `what` each key of `by` has: the units of a service, say."""
    query = sa.select(COLUMNS[by], COLUMNS[what]).where(_question(kind), *scope.conditions())
    found: dict[str, set[str]] = {}
    for key, value in db.execute(query.distinct()):
        known = found.setdefault(scope.stands_for(by, key), set())
        known.add(scope.stands_for(what, value))
    return found


def extent(db: sa.Connection, scope: Scope) -> Period:
    """First and last day that has an answer."""
    query = sa.select(sa.func.min(_counts.day), sa.func.max(_counts.day))
    first, last = db.execute(query.where(*scope.conditions())).one()
    if not first:
        return Period()
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@dataclass(frozen=True)
class Device:
    """A device as the centre knows it."""

    id: str
    name: str
    location: str
    state: str
    reason: str
    last_seen: datetime | None
    status: str
    config: int


def devices(db: sa.Connection) -> dict[str, Device]:
    """Every device, by id."""
    c = t.devices.c
    return {
        row.id: Device(
            row.id,
            row.name or row.id,
            row.location,
            row.state,
            row.reason,
            instant(row.last_seen_ms),
            row.status,
            row.version,
        )
        for row in db.execute(
            sa.select(
                c.id, c.name, c.location, c.state, c.reason, c.last_seen_ms, c.status, c.version
            ).order_by(c.id)
        )
    }


@dataclass(frozen=True)
class Catalogue:
    """Names and wordings."""

    locations: dict[str, tuple[dict[str, str], str]]
    """id -> (names, municipality)"""
    services: dict[str, dict[str, str]]
    surveys: dict[str, dict[str, str]]
    """ref -> statement id -> theme"""
    texts: dict[tuple[str, str], dict[str, str]]
    """(survey, question) -> language -> wording"""
    organisation: dict[str, str]
    timezone: str
    targets: dict[str, float]
    formerly: dict[str, dict[str, list[Former]]]
    """`location`, `service` -> id -> the names before today's"""
    mergers: dict[str, Merged]
    given: dict[str, Period]
    """service -> from when to when it is given"""

    @property
    def merged(self) -> dict[str, str]:
        """Services counted under others."""
        return {id_: merger.into for id_, merger in self.mergers.items()}

    def wording(self, survey: str, question: str) -> dict[str, str]:
        """A question's wording by language in one survey; empty when it was not published."""
        for key in (question, f"statement.{question}", f"{question}.question"):
            if found := self.texts.get((survey, key)):
                return found
        return {}


def catalogue(db: sa.Connection, now: datetime | None = None) -> Catalogue:
    """Read the names and wordings; they are few. Names are those of `now`, or of the latest."""
    texts: dict[tuple[str, str], dict[str, str]] = {}
    for survey, language, question, text in db.execute(
        sa.select(
            t.survey_texts.c.survey,
            t.survey_texts.c.language,
            t.survey_texts.c.question,
            t.survey_texts.c.text,
        )
    ):
        texts.setdefault((survey, question), {})[language] = text
    organisation: Any = db.execute(sa.select(t.organisation)).first()
    timezone = organisation.timezone if organisation else "Europe/Helsinki"
    today = now.astimezone(ZoneInfo(timezone)).date().isoformat() if now else date.max.isoformat()
    places = {
        r.id: (*named(r.history, r.name, today), r.municipality)
        for r in db.execute(sa.select(t.locations))
    }
    services = db.execute(sa.select(t.services)).all()
    known = {r.id: named(r.history, r.name, today) for r in services}
    return Catalogue(
        locations={id_: (names, town) for id_, (names, _, town) in places.items()},
        services={id_: names for id_, (names, _) in known.items()},
        surveys={
            r.ref: {s["id"]: s.get("theme", "") for s in r.statements}
            for r in db.execute(sa.select(t.surveys))
        },
        texts=texts,
        organisation=organisation.name if organisation else {},
        timezone=timezone,
        targets={**TARGETS, **(organisation.targets if organisation else {})},
        formerly={
            "location": {id_: former for id_, (_, former, _) in places.items()},
            "service": {id_: former for id_, (_, former) in known.items()},
        },
        mergers=mergers(((r.id, r.until, r.merged_into) for r in services), today),
        given={r.id: Period(_day(r.since), _day(r.until)) for r in services},
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def last_received(db: sa.Connection) -> datetime | None:
    """When the newest record arrived."""
    c = t.records.c
    return instant(db.scalar(sa.select(c.received_ms).order_by(c.no.desc()).limit(1)))
