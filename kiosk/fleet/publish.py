"""Sign every device's resolved configuration and hand it to the centre, with the catalogue that
lets reports name places, services and wording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import keys, validate
from kiosk.fleet.admin import Admin
from kiosk.fleet.errors import ConfigErrors, KeyFileError, RefusedError
from kiosk.fleet.files import SurveyFile
from kiosk.fleet.resolve import build, next_keys
from kiosk.fleet.tree import Tree
from kiosk.wording import themes, wording
from sync.contract import records
from sync.contract.bundle import LANGUAGES, Bundle, fingerprint, key_text, pack

ATTEMPTS = 3
"""Two administrators may publish at once: the later one takes the next version."""

_QUESTIONS = {
    records.NPS: "nps.question",
    records.SATISFIED: "satisfied.question",
    records.SERVICE: "which-service.question",
    records.RESPONDENT: "respondent.question",
    records.COMMENT: "comment.question",
}


def sound_tree(root: Path) -> Tree:
    """The files, when nothing in them is wrong. Raises ConfigErrors."""
    tree = Tree.load(root)
    errors = [error for error in validate.problems(tree) if error.severity == "error"]
    if errors:
        raise ConfigErrors(errors)
    return tree


def bundles(tree: Tree, devices: Iterable[str] = ()) -> list[Bundle]:
    """The resolved configurations of these devices, or of all; version 0."""
    return [build(tree, device) for device in sorted(devices or tree.devices)]


def publish(
    tree: Tree,
    found: Iterable[Bundle],
    admin: Admin,
    key: Ed25519PrivateKey,
    *,
    done: Callable[[Bundle], None] = lambda _: None,
) -> dict[str, int]:
    """Upload organisation, catalogue and signed bundles; device -> the version it now has.

    `done` is called after each device. Everything can be repeated: a run that was cut off leaves
    some devices a version further, nothing else. Raises AdminError, KeyFileError.
    """
    mine = key_text(key.public_key())
    _same_key(tree.root, mine)
    known = admin.organisation()
    if known.get("key") and known["key"] != mine:
        raise KeyFileError(
            f"the centre knows the organisation by the key {fingerprint(known['key'])}, yours is"
            f" {fingerprint(mine)}: devices would refuse what it signs → use the right key"
        )
    admin.put_organisation(organisation(tree, mine))
    admin.put_catalogue(catalogue(tree))
    versions: dict[str, int] = known.get("versions", {})
    published = {}
    for bundle in found:
        published[bundle.device] = _one(bundle, versions, admin, key)
        done(bundle)
    return published


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
    zone = tree.organisation.value.timezone
    places = [source.value for source in tree.locations.values() if source.value]
    return {
        "locations": [
            {
                "id": place.id,
                "name": place.name,
                "municipality": place.municipality,
                "timezone": place.timezone or zone,
                "services": list(place.services),
            }
            for place in places
        ],
        "services": [
            {"id": entry.id, "name": entry.name, "group": entry.group}
            for entry in tree.services.value.service
        ],
        "surveys": [_survey(source.value) for source in tree.surveys.values() if source.value],
        "devices": [
            {"id": source.value.id, "name": source.value.name, "location": source.value.location}
            for source in tree.devices.values()
            if source.value
        ],
    }


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


def _one(bundle: Bundle, versions: dict[str, int], admin: Admin, key: Ed25519PrivateKey) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        version = versions.get(bundle.device, 0) + 1
        try:
            admin.put_bundle(
                bundle.device, pack(msgspec.structs.replace(bundle, version=version), key)
            )
        except RefusedError as error:
            if error.status != 409 or attempt == ATTEMPTS:
                raise
            versions.update(admin.organisation().get("versions", {}))
        else:
            return version
    raise AssertionError("the last attempt returns or raises")


def _same_key(root: Path, mine: str) -> None:
    """Where keys/organisation.pub says which key is the organisation's, it must be this one."""
    path = root / "keys" / "organisation.pub"
    if path.is_file() and keys.read_public(path) != mine:
        raise KeyFileError(
            f"{path} names another key ({fingerprint(keys.read_public(path))}) than the one you"
            f" sign with ({fingerprint(mine)}) → use the right key, or change the file"
        )
