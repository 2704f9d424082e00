"""What the files of this folder and the centre disagree on, before anything is published."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from kiosk.fleet.errors import AdminError
from kiosk.fleet.told import formerly
from kiosk.fleet.tree import Tree
from sync.contract.bundle import Bundle

GONE = ("revoked", "retired", "wiped")
"""States of devices nobody misses in a folder."""


@dataclass(frozen=True)
class Change:
    """One value that would become another; None: not there."""

    key: str
    before: object
    after: object

    def as_dict(self) -> dict[str, object]:
        """For `--format json`."""
        return {"key": self.key, "before": self.before, "after": self.after}


def digest(bundle: Bundle) -> str:
    """What two equal configurations have in common, whatever their versions."""
    plain = msgspec.structs.replace(bundle, version=0)
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()


def changes(container: bytes | None, bundle: Bundle) -> list[Change]:
    """Key by key, from what is published to what would be. Raises AdminError.

    Nothing is verified: this is for people to look at.
    """
    before: dict[str, object] = {}
    if container is not None:
        try:
            box = msgspec.json.decode(container, type=dict[str, Any])
            before = dict(_leaves(msgspec.json.decode(base64.b64decode(box["payload"]))))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise AdminError(
                f"what the centre has as the configuration of {bundle.device} is none"
            ) from None
    after = dict(_leaves(msgspec.json.decode(msgspec.json.encode(bundle))))
    return [
        Change(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if key != "version" and before.get(key) != after.get(key)
    ]


def moved_without_saying(
    tree: Tree, known: Mapping[str, Any], right: Collection[str] = ()
) -> list[str]:
    """A sentence for each device the centre has elsewhere, although no `was` here says so.

    Somebody else has moved it, and this folder does not know: publishing would move it back. Of
    the devices in `right` this folder is said to be right.
    """
    found = []
    placed, published = known.get("placed", {}), known.get("published", {})
    for ident, source in sorted(tree.devices.items()):
        file, there = source.value, placed.get(ident)
        if file is None or file.retired or ident in right or not there or not there.get("location"):
            continue
        where = (there["location"], there.get("name", ""))
        if where in {(file.location, file.name), *(said[1:] for said in formerly(file))}:
            continue
        said = published.get(ident) or {}
        by = f" by {said['by']} at {said['at']}" if said.get("by") else ""
        found.append(
            f'{ident} is published at {where[0]}, "{where[1]}"{by}; this folder says'
            f' {file.location}, "{file.name}"\n'
            f"    → pull first; or move it with `hymio fleet move`, name it with `rename`;\n"
            f"      or, when this folder is right as it stands: publish --moved {ident}"
        )
    return found


def lacking(
    tree: Tree, known: Mapping[str, Any], catalogue: Mapping[str, Any], states: Mapping[str, str]
) -> list[str]:
    """A sentence for each device and place the centre has and this folder does not."""
    devices = sorted(
        ident
        for ident in known.get("placed", {})
        if ident not in tree.devices and states.get(ident) not in GONE
    )
    places = sorted({str(row["id"]) for row in catalogue["locations"]} - tree.locations.keys())
    rest = "they keep what they have; nothing is ever removed by leaving a file out"
    return [
        f"the centre also knows {noun} {', '.join(found[:10])}"
        f"{f' and {len(found) - 10} more' if len(found) > 10 else ''}, not in this folder: {rest}"
        for noun, found in (("devices", devices), ("places", places))
        if found
    ]


def _leaves(value: Any, base: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{base}.{key}" if base else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for at, inner in enumerate(value):
            named = inner.get("id", at)
            yield from _leaves(inner, f"{base}[{named}]")
    else:
        yield base, value
