"""The `hymio` folder of a USB stick, as IT's desk writes it and a device reads it.

    hymio/<device>/ticket.json         enrolment
    hymio/<device>/<version>.bundle    the newest signed configuration
    hymio/<device>/answers/*.json      batches, from the device
    hymio/<device>/receipts/*.json     the centre's answers to them, for the device

The file system is FAT: no rights, no links, and pulled out at any moment. Every file is written
whole beside its place and then renamed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kiosk.fleet.errors import FleetError
from sync.contract import carried, wire
from sync.contract.bundle import BundleError, fingerprint
from sync.contract.code import Ticket, TicketError, read_ticket

FOLDER = "hymio"
MAX_FILE_BYTES = 16 << 20


class StickError(FleetError):
    """A stick that cannot be used as asked; the text says what to do."""


@dataclass(frozen=True)
class Carried:
    """What a stick has of one device."""

    device: str
    ticket: bool
    versions: tuple[int, ...]
    answers: int
    receipts: int

    def __str__(self) -> str:
        parts = ["ticket"] if self.ticket else []
        parts += [f"configuration {version}" for version in self.versions]
        parts += [f"{self.answers} files of answers"] if self.answers else []
        parts += [f"{self.receipts} receipts"] if self.receipts else []
        return f"{self.device}: {', '.join(parts) or 'nothing'}"


class Stick:
    """One stick, or any folder that stands for one."""

    def __init__(self, folder: Path) -> None:
        """Raises StickError when there is no such folder."""
        if not folder.is_dir():
            raise StickError(f"there is no folder {folder}: is the stick plugged in and mounted?")
        self.folder = folder
        self._root = folder / FOLDER

    def ours_alone(self, trusted: Collection[str]) -> None:
        """Refuse a stick with anything of another organisation. Raises StickError.

        A device would find a ticket or a configuration there that is not its own.
        """
        prints = {fingerprint(key) for key in trusted}
        for device in self.devices():
            here = self._root / device
            with contextlib.suppress(OSError, TicketError):
                ticket = read_ticket((here / "ticket.json").read_bytes())
                self._same(here / "ticket.json", ticket.fingerprint, prints)
            for path in self._bundles(device):
                with contextlib.suppress(OSError, BundleError):
                    self._same(path, fingerprint(_signer(path.read_bytes())), prints)

    def _same(self, path: Path, theirs: str, ours: Collection[str]) -> None:
        if theirs and theirs not in ours:
            raise StickError(
                f"{path} belongs to an organisation with the key {theirs}, this desk's is"
                f" {', '.join(sorted(ours))}: take an empty stick, or remove {self._root}"
            )

    def devices(self) -> list[str]:
        """The devices that have a folder, sorted."""
        if self._root.is_symlink() or not self._root.is_dir():
            return []
        return sorted(
            path.name
            for path in self._root.iterdir()
            if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
        )

    def carried(self, device: str) -> Carried:
        """What is there of a device."""
        versions = tuple(sorted(int(path.stem) for path in self._bundles(device)))
        ticket = (self._root / device / "ticket.json").is_file()
        counts = (len(self.files(device, folder)) for folder in ("answers", "receipts"))
        return Carried(device, ticket, versions, *counts)

    def put_ticket(self, ticket: Ticket) -> None:
        """Write a device's ticket. Raises StickError."""
        self._put(self._root / ticket.device / "ticket.json", msgspec.json.encode(ticket))

    def put_bundle(self, device: str, version: int, raw: bytes) -> None:
        """Write a device's signed configuration, in place of any other. Raises StickError."""
        path = self._root / device / f"{version}.bundle"
        self._put(path, raw)
        for other in self._bundles(device):
            if other != path:
                with contextlib.suppress(OSError):
                    other.unlink()

    def put_receipt(self, device: str, name: str, raw: bytes) -> None:
        """Write the receipt of a carried batch. Raises StickError."""
        self._put(self._root / device / "receipts" / name, raw)

    def files(self, device: str, folder: str) -> list[str]:
        """The names of a device's carried batches (`answers`) or `receipts`, in order."""
        here = self._root / device / folder
        if here.is_symlink() or not here.is_dir():
            return []
        return sorted(
            path.name
            for path in here.iterdir()
            if carried.is_name(path.name) and path.is_file() and not path.is_symlink()
        )

    def read(self, device: str, folder: str, name: str) -> bytes:
        """A carried batch or a receipt. Raises OSError."""
        with (self._root / device / folder / name).open("rb") as file:
            return file.read(carried.MAX_FILE_BYTES + 1)

    def _bundles(self, device: str) -> list[Path]:
        found = (self._root / device).glob("*.bundle")
        return sorted(path for path in found if path.stem.isdecimal() and path.is_file())

    def _put(self, path: Path, raw: bytes) -> None:
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StickError(f"{path}: cannot be written: {error.strerror}") from None
        _settle(path.parent)

    def check_writable(self) -> None:
        """Raises StickError while nothing has been promised yet."""
        probe = self._root / f"{secrets.token_hex(4)}.part"
        self._put(probe, b"")
        probe.unlink(missing_ok=True)


def _signer(raw: bytes) -> str:
    """The key a container names, verified or not. Raises BundleError."""
    try:
        found: Any = msgspec.json.decode(raw[:MAX_FILE_BYTES], type=dict[str, Any])
        return str(found["key"])
    except (KeyError, *wire.UNREADABLE) as error:
        raise BundleError(str(error)) from None


def _settle(folder: Path) -> None:
    """Bring a folder's names onto the stick; some file systems cannot be asked to."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
