"""The catalogue: what places, services, surveys and devices are called."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from sync.collector import audit
from sync.collector.reading import RefusedError
from sync.collector.states import catalogue, replace_places
from sync.collector.store.tx import Tx
from sync.collector.times import DEFAULT_ZONE, local

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class LocationPut(msgspec.Struct, forbid_unknown_fields=True):
    """One location."""

    id: _Id
    name: dict[str, str]
    municipality: str = ""
    timezone: str = DEFAULT_ZONE
    services: list[str] = []


class ServicePut(msgspec.Struct, forbid_unknown_fields=True):
    """One service."""

    id: _Id
    name: dict[str, str]
    group: str = ""


class StatementPut(msgspec.Struct, forbid_unknown_fields=True):
    """One statement of a survey."""

    id: _Id
    theme: str = ""


class SurveyPut(msgspec.Struct, forbid_unknown_fields=True):
    """One version of a survey; a known `ref` can gain languages, never other words."""

    ref: _Id
    scale: str = ""
    texts: dict[str, dict[str, str]] = {}
    statements: list[StatementPut] = []


class DevicePut(msgspec.Struct, forbid_unknown_fields=True):
    """One device, where it is meant to stand."""

    id: _Id
    name: str = ""
    location: str = ""


class CataloguePut(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /v1/admin/catalogue`: what is named is added or changed, the rest stays."""

    locations: list[LocationPut] = []
    services: list[ServicePut] = []
    surveys: list[SurveyPut] = []
    devices: list[DevicePut] = []


def touch(tx: Tx) -> None:
    """Tell every process that the catalogue has changed."""
    version = int(tx.value("select value from meta where key = 'catalogue'") or 0) + 1
    tx.upsert("meta", ("key", "value"), ("key",), [("catalogue", str(version))])


def put_catalogue(tx: Tx, who: str, put: CataloguePut, now_ms: int) -> None:
    """Take a catalogue in. Raises RefusedError `conflict` for a survey with other words."""
    touch(tx)
    for location in put.locations:
        _location(tx, location, now_ms)
    tx.upsert(
        "services",
        ("id", "name", "grouping"),
        ("id",),
        list({s.id: (s.id, _json(s.name), s.group) for s in put.services}.values()),
    )
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


def _location(tx: Tx, put: LocationPut, now_ms: int) -> None:
    tx.upsert(
        "locations",
        ("id", "name", "municipality", "timezone", "services"),
        ("id",),
        [(put.id, _json(put.name), put.municipality, put.timezone, _json(put.services))],
    )
    only = put.services[0] if len(put.services) == 1 else ""
    known = tx.row(
        "select municipality, service from places where location = ? order by since desc", (put.id,)
    )
    if known == (put.municipality, only):
        return
    # A first description tells what the place always was; a change holds from today on.
    since = local(now_ms, put.timezone)[0] if known else ""
    old = catalogue(tx).places
    tx.upsert(
        "places",
        ("location", "since", "municipality", "service"),
        ("location", "since"),
        [(put.id, since, put.municipality, only)],
    )
    replace_places(tx, old, catalogue(tx).places, put.id, since)


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
    known = tx.row("select name, location from devices where id = ?", (put.id,))
    if known is None:
        tx.insert(
            "devices",
            ("id", "name", "location", "state", "created_ms"),
            [(put.id, put.name, put.location, "expected", now_ms)],
        )
    elif known == (put.name, put.location):
        return
    else:
        tx.run(
            "update devices set name = ?, location = ? where id = ?",
            (put.name, put.location, put.id),
        )
    tx.upsert(
        "assignments",
        ("device", "since_ms", "location", "name"),
        ("device", "since_ms"),
        [(put.id, now_ms, put.location, put.name)],
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _plain(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value
