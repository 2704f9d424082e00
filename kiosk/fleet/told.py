"""What the centre is told besides configurations: the organisation, and the catalogue that lets
reports name places, services and wording, now and as they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kiosk.fleet.files import DeviceFile, LocationFile, ServiceEntry, SurveyFile
from kiosk.fleet.offered import given
from kiosk.fleet.resolve import next_keys
from kiosk.fleet.tree import Tree
from kiosk.wording import themes, wording
from sync.contract import records
from sync.contract.bundle import LANGUAGES

_QUESTIONS = {
    records.NPS: "nps.question",
    records.SATISFIED: "satisfied.question",
    records.SERVICE: "which-service.question",
    records.RESPONDENT: "respondent.question",
    records.COMMENT: "comment.question",
}


def organisation(tree: Tree, key: str) -> dict[str, Any]:
    """What the centre is told about the organisation."""
    assert tree.organisation and tree.organisation.value  # noqa: S101 - the tree is sound
    file = tree.organisation.value
    return {
        "id": file.id,
        "name": file.name,
        "key": key,
        "next_keys": list(next_keys(tree.root)),
        "timezone": file.timezone,
        "targets": msgspec.to_builtins(file.targets),
    }


def catalogue(tree: Tree) -> dict[str, list[dict[str, Any]]]:
    """Places, services, devices and the exact wording of every survey."""
    assert tree.organisation and tree.organisation.value  # noqa: S101 - the tree is sound
    assert tree.services and tree.services.value  # noqa: S101
    zone, services = tree.organisation.value.timezone, tree.services.value
    return {
        "locations": [
            _location(s.value, zone, given(s.value, services, tree.today))
            for s in tree.locations.values()
            if s.value
        ],
        "services": [_service(entry) for entry in services.service],
        "surveys": [_survey(s.value) for s in tree.surveys.values() if s.value],
        "devices": [_device(s.value) for s in tree.devices.values() if s.value],
    }


def _location(file: LocationFile, zone: str, services: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "municipality": file.municipality,
        "timezone": file.timezone or zone,
        "services": list(services),
        "hours": file.hours,
        "history": [_said(entry) for entry in file.was],
    }


def _service(entry: ServiceEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "short_name": entry.short_name,
        "group": entry.group,
        "since": entry.since,
        "until": entry.until,
        "merged_into": entry.merged_into,
        "history": [_said(former) for former in entry.was],
    }


def _device(file: DeviceFile) -> dict[str, Any]:
    history = [
        {"until": until, "location": location, "name": name}
        for until, location, name in formerly(file)
    ]
    return {
        "id": file.id,
        "name": file.name,
        "location": file.location,
        "history": history[::-1],
    }


def formerly(file: DeviceFile) -> Iterator[tuple[str, str, str]]:
    """Last day, place and name of each time before now, the latest first.

    What an entry leaves out was as it was later.
    """
    location, name = file.location, file.name
    for entry in reversed(file.was):
        location, name = entry.location or location, entry.name or name
        yield entry.until, location, name


def _said(entry: msgspec.Struct) -> dict[str, Any]:
    """The keys of a dated entry that say something."""
    return {key: value for key, value in msgspec.structs.asdict(entry).items() if value}


def _survey(file: SurveyFile) -> dict[str, Any]:
    """A survey with its wording in every language there is, whether a device shows it or not:
    a language added later must not look like a changed survey."""
    bank = themes()
    questions = _QUESTIONS | {ident: f"statement.{ident}" for ident in file.statements}
    texts = {}
    for language in LANGUAGES:
        said = {**wording(language), **file.texts.get(language, {})}
        texts[language] = {
            question: said[key] for question, key in questions.items() if key in said
        }
    return {
        "ref": f"{file.id}@{file.version}",
        "scale": file.scale,
        "texts": texts,
        "statements": [
            {"id": ident, "theme": file.own.get(ident) or bank[ident]} for ident in file.statements
        ],
    }
