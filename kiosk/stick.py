"""What a USB stick holds for this device: tickets and signed configurations.

The stick's folder is `hymio/<device>/ticket.json` and `hymio/<device>/<version>.bundle`. It may be
pulled out at any moment, and hold anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from sync.contract import code as codes

FOLDER: Final = "hymio"
MOST_DEVICES: Final = 200
MOST_TICKET_BYTES: Final = 64 << 10
MOST_BUNDLE_BYTES: Final = 8 << 20

What = Literal["none", "no-folder", "no-ticket", "damaged", "tickets"]


@dataclass(frozen=True, slots=True)
class Stick:
    """A stick as it was found; `what` says which of the cases it is."""

    what: What
    tickets: tuple[codes.Ticket, ...] = ()
    """Whole ones, each with its device."""
    damaged: tuple[str, ...] = ()
    """Devices whose ticket cannot be read."""

    def of(self, device: str) -> codes.Ticket | None:
        """The ticket of one device."""
        return next((ticket for ticket in self.tickets if ticket.device == device), None)


NONE: Final = Stick("none")


def read(root: Path) -> Stick:
    """Look at what lies in a stick's folder; never raises."""
    try:
        if not root.is_dir() or not any(root.iterdir()):
            return NONE
        if not (root / FOLDER).is_dir():
            return Stick("no-folder")
        folders = sorted(path for path in (root / FOLDER).iterdir() if path.is_dir())
    except OSError:
        return NONE
    tickets, damaged = [], []
    for folder in folders[:MOST_DEVICES]:
        try:
            raw = _bytes(folder / "ticket.json", MOST_TICKET_BYTES)
            ticket = codes.read_ticket(raw)
        except FileNotFoundError:
            continue
        except (OSError, codes.TicketError):
            damaged.append(folder.name)
            continue
        tickets.append(msgspec.structs.replace(ticket, device=ticket.device or folder.name))
    what: What = "tickets" if tickets else "damaged" if damaged else "no-ticket"
    return Stick(what, tuple(tickets), tuple(damaged))


def bundles(root: Path, device: str) -> list[tuple[int, Path]]:
    """Version and file of the configurations for a device on a stick, the newest first."""
    try:
        files = list((root / FOLDER / device).glob("*.bundle"))
    except OSError:
        return []
    found = [(int(path.stem), path) for path in files if path.stem.isdecimal()]
    return sorted(found, reverse=True)


def bundle_bytes(path: Path) -> bytes:
    """A configuration's bytes. Raises OSError, also for one far too large."""
    return _bytes(path, MOST_BUNDLE_BYTES)


def _bytes(path: Path, most: int) -> bytes:
    # A stick may hold links and devices' nodes where it is not FAT: only plain files are read.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise OSError(f"{path.name} is too large")
    return raw
