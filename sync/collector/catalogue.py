"""The catalogue: what places, services, surveys and devices are called, and since when."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.collector import audit, dated, hours, services
from sync.collector.catalogue_messages import (
    CataloguePut,
    DevicePut,
    DeviceWas,
    Known,
    LocationPut,
    LocationWas,
    SurveyPut,
)
from sync.collector.reading import RefusedError
from sync.collector.states import catalogue, hold, recount, touched_by_places
from sync.collector.store.tx import Tx
from sync.collector.times import DEFAULT_ZONE, known_zone, local, midnight_ms


def check_zone(name: str) -> None:
    """Raises RefusedError for what is no time zone."""
    if not known_zone(name):
        raise RefusedError("bad_envelope", f"{name!r} is no IANA time zone")


def touch(tx: Tx) -> None:
    """Tell every process that the catalogue has changed."""
    version = int(tx.value("select value from meta where key = 'catalogue'") or 0) + 1
    tx.upsert("meta", ("key", "value"), ("key",), [("catalogue", str(version))])


def check(put: CataloguePut) -> None:
    """What the catalogue must be before anything is written. Raises RefusedError `bad_envelope`."""
    try:
        for location in put.locations:
            check_zone(location.timezone)
            hours.check(location.hours)
            dated.check((was.until for was in location.history), f"location {location.id}")
        for service in put.services:
            dated.check((was.until for was in service.history), f"service {service.id}")
            dated.check(filter(None, (service.since,)), f"service {service.id}")
            dated.check(filter(None, (service.until,)), f"service {service.id}")
        for device in put.devices:
            dated.check((was.until for was in device.history), f"device {device.id}")
    except ValueError as error:
        raise RefusedError("bad_envelope", str(error)) from None


def put_catalogue(tx: Tx, who: str, put: CataloguePut, now_ms: int) -> None:
    """Take a catalogue in. Raises RefusedError `conflict`: a survey with other words, a service
    that is merged in a circle."""
    if put.locations or put.devices:
        hold(tx)
    touch(tx)
    services.put(tx, put.services)
    _locations(tx, put.locations, now_ms)
    for survey in put.surveys:
        _survey(tx, survey, now_ms)
    for device in put.devices:
        _device(tx, device, now_ms)
    audit.note(
        *(tx, now_ms, who, "catalogue.put"),
        {
            "locations": [x.id for x in put.locations],
            "services": [x.id for x in put.services],
            "surveys": [x.ref for x in put.surveys],
            "devices": [x.id for x in put.devices],
        },
    )


def get_catalogue(tx: Tx) -> Known:
    """Locations, services and devices as they were put."""
    return Known(
        locations=[
            LocationPut(
                *(id_, _plain(name), municipality, zone, _plain(given)),
                _plain(open_) if open_ else {},
                msgspec.json.decode(history or "[]", type=list[LocationWas]),
            )
            for id_, name, municipality, zone, given, open_, history in tx.rows(
                "select id, name, municipality, timezone, services, hours, history "
                "from locations order by id"
            )
        ],
        services=services.get(tx),
        devices=[
            DevicePut(
                *(id_, name, location),
                msgspec.json.decode(history or "[]", type=list[DeviceWas]),
            )
            for id_, name, location, history in tx.rows(
                "select id, name, location, history from devices order by id"
            )
        ],
    )


def _locations(tx: Tx, puts: list[LocationPut], now_ms: int) -> None:
    """Write locations and their places, and recount what the changed ones touch."""
    old = catalogue(tx).places
    changed: dict[str, str] = {}
    for put in puts:
        history = _json(put.history) if put.history else ""
        tx.upsert(
            "locations",
            ("id", "name", "municipality", "timezone", "services", "hours", "history"),
            ("id",),
            [
                (
                    *(put.id, _json(put.name), put.municipality, put.timezone),
                    *(_json(put.services), _json(put.hours) if put.hours else "", history),
                )
            ],
        )
        since = _places(tx, put, local(now_ms, put.timezone)[0])
        if since is not None:
            changed[put.id] = min(since, changed.get(put.id, since))
    if changed:
        new = catalogue(tx).places
        recount(tx, touched_by_places(tx, new, changed), old, new)


def _places(tx: Tx, put: LocationPut, today: str) -> str | None:
    """Write a location's places; the day from which they are others, None when none is."""
    known: list[tuple[str, str, str]] = tx.rows(
        "select since, municipality, service from places where location = ? order by since",
        (put.id,),
    )
    wanted = places_of(put, services.only(tx, put.services, today), known, today)
    if wanted == known:
        return None
    tx.run("delete from places where location = ?", (put.id,))
    tx.insert(
        "places",
        ("location", "since", "municipality", "service"),
        [(put.id, *row) for row in wanted],
    )
    return min(set(known) ^ set(wanted))[0]


def places_of(
    put: LocationPut, only: str, known: list[tuple[str, str, str]], today: str
) -> list[tuple[str, str, str]]:
    """The rows (since, municipality, only service) of `places`, given those known so far.

    Municipalities that IT has dated replace whatever was known. What is not dated holds from the
    day it is heard of; a first description tells what the place always was.
    """
    older = [(was.until, was.municipality) for was in put.history if was.municipality is not None]
    if older:
        towns = dated.timeline(older, put.municipality)
    else:
        towns = _heard([(since, town) for since, town, _ in known], put.municipality, today)
    given = _heard([(since, service) for since, _, service in known], only, today)
    days = sorted({since for since, _ in towns} | {since for since, _ in given})
    both = [(day, (dated.at(towns, day), dated.at(given, day))) for day in days]
    return [(day, *values) for day, values in dated.changes(both)]


def _heard(known: list[tuple[str, str]], newest: str, today: str) -> list[tuple[str, str]]:
    if not known:
        return [("", newest)]
    steps = dated.changes(known)
    if steps[-1][1] == newest:
        return steps
    return [*(step for step in steps if step[0] < today), (today, newest)]


def _survey(tx: Tx, put: SurveyPut, now_ms: int) -> None:
    statements = [{"id": s.id, "theme": s.theme} for s in put.statements]
    known = tx.row("select scale, statements from surveys where ref = ?", (put.ref,))
    if known is None:
        tx.insert(
            "surveys",
            ("ref", "scale", "statements", "created_ms"),
            [(put.ref, put.scale, _json(statements), now_ms)],
        )
    elif (known[0], _plain(known[1])) != (put.scale, statements):
        raise RefusedError("conflict", f"survey {put.ref} is known with another scale or others")
    texts = {
        (language, question): text
        for language, question, text in tx.rows(
            "select language, question, text from survey_texts where survey = ?", (put.ref,)
        )
    }
    new = []
    for language, by_question in put.texts.items():
        for question, text in by_question.items():
            there = texts.get((language, question))
            if there is None:
                new.append((put.ref, language, question, text))
            elif there != text:
                raise RefusedError(
                    "conflict",
                    f"survey {put.ref} has another text for {question!r} in {language!r}:"
                    " a changed wording is a new version",
                )
    tx.insert("survey_texts", ("survey", "language", "question", "text"), new)


def _device(tx: Tx, put: DevicePut, now_ms: int) -> None:
    history = _json(put.history) if put.history else ""
    known = tx.row("select name, location, history from devices where id = ?", (put.id,))
    if known == (put.name, put.location, history):
        return
    if known is None:
        tx.insert(
            "devices",
            ("id", "name", "location", "history", "state", "created_ms"),
            [(put.id, put.name, put.location, history, "expected", now_ms)],
        )
    else:
        tx.run(
            "update devices set name = ?, location = ?, history = ? where id = ?",
            (put.name, put.location, history, put.id),
        )
    rows = [(put.id, now_ms, put.location, put.name)]
    if put.history:
        # What IT has dated replaces what was only heard of.
        tx.run("delete from assignments where device = ?", (put.id,))
        zone = _zone(tx, put.location)
        older = [(was.until, (was.location, was.name)) for was in put.history]
        rows = [
            (put.id, midnight_ms(since, zone) if since else 0, *where)
            for since, where in dated.timeline(older, (put.location, put.name))
        ]
    elif known is not None and known[:2] == (put.name, put.location):
        return
    tx.upsert(
        "assignments",
        ("device", "since_ms", "location", "name"),
        ("device", "since_ms"),
        rows,
    )


def _zone(tx: Tx, location: str) -> str:
    own = tx.value("select timezone from locations where id = ?", (location,))
    return str(own or tx.value("select timezone from organisation") or DEFAULT_ZONE)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _plain(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value


__all__ = ["CataloguePut", "check", "check_zone", "get_catalogue", "put_catalogue", "touch"]
