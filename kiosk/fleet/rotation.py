"""A new key for the organisation, in two steps: first every device pins it, then it signs.

A device that has not pinned the new key would refuse everything signed with it, so the second
step waits for all of them. Each step can be repeated, and goes on where it was cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import keys as keyfiles
from kiosk.fleet.admin import Admin
from kiosk.fleet.differences import digest
from kiosk.fleet.errors import KeyFileError
from kiosk.fleet.resolve import build
from kiosk.fleet.told import organisation
from kiosk.fleet.tree import Tree
from sync.contract.bundle import fingerprint, key_text
from sync.datadir import write_bytes

NEXT, PREVIOUS = "next", "previous"
IN_USE = ("enrolled", "active")
Step = Literal["announce", "swap", "finish"]


@dataclass(frozen=True)
class Rotation:
    """Where the change of keys stands: what there is at the desk and at the centre."""

    keys: Path
    tree: Tree
    known: Mapping[str, Any]
    """What the centre says of the organisation."""

    @property
    def public(self) -> Path:
        """Where the following public key stands, for every checkout."""
        return self.tree.root / "keys" / "next.pub"

    @property
    def step(self) -> Step:
        """What is to be done now. Raises KeyFileError."""
        said = keyfiles.read_public(self.public) if self.public.is_file() else ""
        mine = _public(self.keys, keyfiles.ORGANISATION)
        if (self.keys / f"{NEXT}.key").exists():
            following = _public(self.keys, NEXT)
            if self.known.get("key") == following:
                return "finish"
            return "swap" if said == following else "announce"
        if said and said == mine:
            return "finish"
        if said:
            raise KeyFileError(
                f"{self.public} names the key {fingerprint(said)}, and {self.keys} has no"
                f" {NEXT}.key: finish at the desk that has it, or remove the file"
            )
        return "announce"

    def announce(self) -> str:
        """Make the following key and write its public half; returns that."""
        keyfiles.make(self.keys, NEXT)
        public = _public(self.keys, NEXT)
        self.public.parent.mkdir(exist_ok=True)
        write_bytes(self.public, public.encode() + b"\n", mode=0o644)
        return public

    def behind(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Device -> why the new key would cut it off; `rows` as the centre lists the devices."""
        found = {}
        digests = self.known.get("digests", {})
        for row in rows:
            device = str(row["id"])
            if row.get("state") not in IN_USE or row.get("standing") == "wiped":
                continue
            if device not in self.tree.devices:
                found[device] = "is not in this folder: nothing is published for it"
            elif digest(build(self.tree, device)) != digests.get(device):
                found[device] = "is not published with the new key yet: hymio fleet publish"
            elif int(row.get("config") or 0) < int(row.get("version") or 0):
                found[device] = (
                    f"has configuration {row.get('config') or 0}, {row.get('version')} pins the key"
                )
        return found

    def swap(self, admin: Admin) -> Ed25519PrivateKey:
        """Make the following key the organisation's, at the centre and then here; returns it.

        The old private key stays as `previous.key`. Raises AdminError, KeyFileError.
        """
        folder = self.keys
        if (folder / f"{NEXT}.key").exists():
            new = keyfiles.read(folder, NEXT)
            told = organisation(self.tree, key_text(new.public_key())) | {"next_keys": []}
            admin.put_organisation(told)
            old = (folder / f"{keyfiles.ORGANISATION}.key").read_bytes()
            write_bytes(folder / f"{PREVIOUS}.key", old, mode=0o600)
            # The one moment of change; a crash before or after it is gone on from.
            (folder / f"{NEXT}.key").replace(folder / f"{keyfiles.ORGANISATION}.key")
        new = keyfiles.read(folder, keyfiles.ORGANISATION)
        text = key_text(new.public_key()).encode() + b"\n"
        write_bytes(folder / f"{keyfiles.ORGANISATION}.pub", text, mode=0o644)
        (folder / f"{NEXT}.pub").unlink(missing_ok=True)
        shared = self.tree.root / "keys" / f"{keyfiles.ORGANISATION}.pub"
        if shared.is_file():
            write_bytes(shared, text, mode=0o644)
        self.public.unlink(missing_ok=True)
        return new


def _public(folder: Path, name: str) -> str:
    return key_text(keyfiles.read(folder, name).public_key())
