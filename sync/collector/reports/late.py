"""Answers of a closed period that came after its end; reads a bounded number of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from sync.collector.reports.queries import Scope
from sync.collector.store import tables as t
from sync.contract.records import NPS

LATE_SCAN: Final = 200_000
"""Records read at most to count late arrivals."""


def _first_after(db: sa.Connection, at_ms: int) -> int:
    """The number of the first record received after `at_ms`, by bisection over arrival order."""
    c = t.records.c
    low, high = 1, (db.scalar(sa.select(sa.func.max(c.no))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        received = db.scalar(sa.select(c.received_ms).where(c.no >= middle).order_by(c.no).limit(1))
        if received is None or received > at_ms:
            high = middle
        else:
            low = middle + 1
    return low


@dataclass(frozen=True)
class Late:
    """Answers of a closed period that came after its end; `complete` False: at least so many."""

    n: int
    complete: bool


def late(db: sa.Connection, scope: Scope, timezone: str, now: datetime) -> Late | None:
    """0-10 answers of the period received after it had ended; None while it is running."""
    last = scope.period.last
    if last is None or last == date.max:
        return None
    end = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(timezone))
    if end > now:
        return None
    r, a, v = t.records.c, t.answers.c, t.visits.c
    start = _first_after(db, int(end.timestamp() * 1000))
    days = [r.day <= last.isoformat()]
    if scope.period.first:
        days.append(r.day >= scope.period.first.isoformat())
    wanted = {"device": r.device, "location": v.location, "channel": a.channel, "survey": a.survey}
    wanted |= {"municipality": v.municipality, "service": v.service}
    found = db.scalar(
        sa.select(sa.func.count())
        .select_from(t.records)
        .join(t.answers, sa.and_(a.device == r.device, a.visit == r.visit, a.id == r.id))
        .join(t.visits, sa.and_(v.device == a.device, v.visit == a.visit))
        .where(
            *(r.no >= start, r.no < start + LATE_SCAN, r.code == "", *days),
            *(a.question == NPS, a.kind == "scale", v.test.is_(False)),
            *(wanted[name].in_(scope.values(name)) for name in scope.only),
        )
    )
    newest = db.scalar(sa.select(sa.func.max(r.no))) or 0
    return Late(n=int(found or 0), complete=newest < start + LATE_SCAN)
