"""A fleet in which every state occurs, on top of the county."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sync.collector.store import tables as t
from tests.web.county import NOW
from tests.web.site import Site

REASON = "surveys/aula.toml: question s06 has no text in Swedish; add text.sv or leave out sv"
KEYS = [base64.b64encode(bytes([number]) * 32).decode() for number in range(3)]
STATES = {
    "tuusula-1": "ok",
    "tuusula-2": "quiet",
    "jarvenpaa-1": "refused",
    "jarvenpaa-2": "clone-suspected",
    "hyvinkaa-1": "mute",
    "hyvinkaa-2": "stuck",
    "kerava-1": "ok",
    "mantsala-1": "silent",
    "pornainen-1": "unconfirmed",
    "nurmijarvi-1": "never-enrolled",
    "vanha-1": "retired",
    "vanha-2": "revoked",
    "vanha-3": "wiped",
}


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _status(**says: Any) -> str:
    usual = {
        **{"version": "0.4.0", "config": 4, "config_since": "2025-11-03T09:12:00+02:00"},
        **{"last_touch": (NOW - timedelta(minutes=38)).isoformat(), "setup": ""},
        "service": {"locked_until": None, "wrong": 0, "opened": None},
    }
    return json.dumps({**usual, **says})


def equip(site: Site) -> None:
    """Put the county's devices into the states of `STATES`."""
    with sa.create_engine(site.database).begin() as db:
        _states(db)
        _history(db)


def _states(db: sa.Connection) -> None:
    def device(key: str, **values: Any) -> None:
        db.execute(t.devices.update().where(t.devices.c.id == key).values(**values))

    db.execute(t.epochs.update().values(first_ms=ms(NOW - timedelta(days=300)), key=KEYS[0]))
    db.execute(t.epochs.update().values(last_ms=ms(NOW - timedelta(minutes=2))))
    for key in STATES:
        device(key, status=_status(), last_seen_ms=ms(NOW - timedelta(seconds=20)))
    refused = [{"version": 5, "reason": REASON}]
    device("tuusula-2", last_seen_ms=ms(NOW - timedelta(hours=3)))
    device("jarvenpaa-1", version=5, status=_status(refused=refused))
    device("hyvinkaa-1", status=_status(last_touch="2025-11-06T14:31:00+02:00"))
    device("hyvinkaa-2", status=_status(oldest_unsent="2025-11-17T08:30:00+02:00"))
    locked = {"locked_until": "2025-11-19T12:45:00+00:00", "wrong": 5}
    device("kerava-1", status=_status(service={**locked, "opened": "2025-11-18T08:00:00+00:00"}))
    old, new = "e-mantsala-0", "e-mantsala-1"
    alarms = [
        {"at": "2025-11-02T05:11:00+00:00", "what": "wal", "epoch": new, "saved": 3},
        {"at": "2025-11-09T05:11:00+00:00", "what": "corrupt", "epoch": old, "why": "page 12"},
    ]
    waiting = "2025-11-16T08:30:00+02:00"
    device(
        "mantsala-1",
        last_seen_ms=ms(NOW - timedelta(days=3, hours=4)),
        status=_status(oldest_unsent=waiting, alarms=alarms, refused=refused),
    )
    device("pornainen-1", state="enrolled", status=_status(setup="confirm"))
    device("nurmijarvi-1", last_seen_ms=None, status="")
    db.execute(t.epochs.update().where(t.epochs.c.device == "hyvinkaa-2").values(tail=2650))
    db.execute(t.epochs.update().where(t.epochs.c.device == "jarvenpaa-2").values(forks=3))
    for number, state in ((1, "retired"), (2, "revoked"), (3, "active")):
        seen = ms(NOW - timedelta(days=200))
        row = {"id": f"vanha-{number}", "name": f"Vanha, {number}", "location": "kerava"}
        row |= {"state": state, "last_seen_ms": seen, "status": _status(), "version": 4}
        db.execute(t.devices.insert().values(**row, wiping=4 if number == 3 else 0))
    first, second = ms(NOW - timedelta(days=300)), ms(NOW - timedelta(days=90))
    key = {"device": "mantsala-1"}
    db.execute(t.keys.insert().values(**key, key=KEYS[0], state="active", since_ms=second))
    gone = {"state": "retired", "reason": "replaced", "since_ms": first, "until_ms": second}
    db.execute(t.keys.insert().values(**key, **gone, key=KEYS[1]))
    for device_id in STATES:
        if device_id != "hyvinkaa-1":
            row = {"day": "2025-11-18", "question": "nps", "device": device_id, "location": "x"}
            row |= {"municipality": "x", "service": "", "channel": "terminal", "survey": "county@1"}
            row |= {"language": "fi", "layout": "", "mode": "", "flagged": False, "test": False}
            db.execute(t.daily_counts.insert().values(**row, value=9, n=1))


def _history(db: sa.Connection) -> None:
    code = {"code_sha256": "0" * 64, "device": "nurmijarvi-1", "created_by": "liisa"}
    db.execute(t.codes.insert().values(**code, expires_ms=ms(NOW + timedelta(hours=30))))
    for days, place in ((300, "kerava"), (90, "mantsala")):
        row = {"device": "mantsala-1", "since_ms": ms(NOW - timedelta(days=days))}
        db.execute(t.assignments.insert().values(**row, location=place, name="Mäntsälän, aula"))
    row = {"device": "mantsala-1", "since": "2025-08-01", "until": "2025-08-20"}
    row |= {"location": "mantsala", "reason": "carried over before IT heard", "made_by": "liisa"}
    db.execute(t.corrections.insert().values(**row, made_ms=ms(NOW - timedelta(days=80))))
    row = {"device": "mantsala-1", "epoch": "e-mantsala-0", "have": 310, "tail": 310, "top": 310}
    row |= {"stored": 303, "lost": 7, "first_ms": 1, "last_ms": ms(NOW - timedelta(days=90))}
    db.execute(t.epochs.insert().values(**row, key=KEYS[1]))
