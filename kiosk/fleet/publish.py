"""Sign the resolved configurations that have changed and hand them to the centre."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import keys, validate
from kiosk.fleet.admin import Admin
from kiosk.fleet.differences import digest, moved_without_saying
from kiosk.fleet.errors import AdminError, ConfigErrors, KeyFileError, RefusedError
from kiosk.fleet.resolve import build
from kiosk.fleet.told import catalogue, organisation
from kiosk.fleet.tree import Tree
from sync.contract.bundle import Bundle, fingerprint, key_text, pack

ATTEMPTS = 3
"""Two administrators may publish at once: the later one takes the next version."""


@dataclass
class Plan:
    """What a publication would do; `known` is the centre's word, taken once."""

    known: dict[str, Any]
    due: list[Bundle] = field(default_factory=list)
    unchanged: dict[str, int] = field(default_factory=dict)
    """Device -> the version that holds, and is what the files say."""
    published: dict[str, int] = field(default_factory=dict)
    """Device -> the version it was given; complete only after the last one."""

    def next_version(self, device: str) -> int:
        """What a device's configuration would be called."""
        return int(self.known.get("versions", {}).get(device, 0)) + 1


def sound_tree(root: Path) -> Tree:
    """The files, when nothing in them is wrong. Raises ConfigErrors."""
    tree = Tree.load(root)
    errors = [error for error in validate.problems(tree) if error.severity == "error"]
    if errors:
        raise ConfigErrors(errors)
    return tree


def bundles(tree: Tree, devices: Iterable[str] = ()) -> list[Bundle]:
    """The resolved configurations of these devices, or of all in use; version 0."""
    return [build(tree, device) for device in sorted(devices or tree.in_use)]


def plan(
    tree: Tree,
    found: Iterable[Bundle],
    admin: Admin,
    mine: str,
    *,
    everything: bool = False,
    right: Collection[str] = (),
) -> Plan:
    """Look what is due; `mine` is the public key to sign with.

    `everything` takes what is unchanged too; of the devices in `right` this folder knows better
    where they are. Raises AdminError when somebody else has moved another one, KeyFileError for a
    wrong key.
    """
    _same_key(tree.root, mine)
    known = admin.organisation()
    if known.get("key") and known["key"] != mine:
        raise KeyFileError(
            f"the centre knows the organisation by the key {fingerprint(known['key'])}, yours is"
            f" {fingerprint(mine)}: devices would refuse what it signs → use the right key"
        )
    moved = moved_without_saying(tree, known, right)
    if moved:
        raise AdminError("nothing is published: " + "\n".join(moved))
    made = Plan(known)
    for bundle in found:
        if not everything and known.get("digests", {}).get(bundle.device) == digest(bundle):
            made.unchanged[bundle.device] = made.next_version(bundle.device) - 1
        else:
            made.due.append(bundle)
    return made


def carry_out(
    planned: Plan,
    tree: Tree,
    admin: Admin,
    key: Ed25519PrivateKey,
    *,
    done: Callable[[Bundle], None] = lambda _: None,
) -> None:
    """Upload organisation, catalogue and the signed bundles that are due, into `planned.published`.

    `done` is called after each device. Everything can be repeated: a run that was cut off leaves
    some devices a version further, nothing else. Raises AdminError.
    """
    admin.put_organisation(organisation(tree, key_text(key.public_key())))
    admin.put_catalogue(catalogue(tree))
    versions: dict[str, int] = planned.known.get("versions", {})
    for bundle in planned.due:
        planned.published[bundle.device] = _one(bundle, versions, admin, key)
        done(bundle)


def publish(
    tree: Tree, found: Iterable[Bundle], admin: Admin, key: Ed25519PrivateKey
) -> dict[str, int]:
    """Plan and carry out; device -> the version it was given. Raises AdminError, KeyFileError."""
    planned = plan(tree, found, admin, key_text(key.public_key()))
    carry_out(planned, tree, admin, key)
    return planned.published


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
