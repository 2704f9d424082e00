"""What is known about this device at a moment, gathered elsewhere; nothing here reads anything."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sync.contract.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Ledger:
    """Numbers of records, over all outbox files."""

    created: int = 0
    acknowledged: int = 0
    to_send: int = 0
    held: int = 0
    lost: int = 0
    oldest_unsent: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the device."""

    bundle: Bundle | None = None
    """The configuration in use, None where there is none."""
    config_since: str = ""
    refused: str = ""
    """Why another configuration is not used."""
    sender: Mapping[str, Any] = field(default_factory=dict)
    """sender.json."""
    running: bool = True
    """Whether a sender works in the data directory."""
    networks: tuple[str, ...] = ()
    """Interfaces that are up, this machine's own aside."""
    synced: bool = False
    clock_wrong: bool = False
    """Whether it is far from the centre's, or before this program was made."""
    wall: str = ""
    """Now, ISO 8601."""
    free: int = -1
    """Bytes left on the data directory's disk; -1 unknown."""
    writable: bool = True
    window: tuple[int, int] = (0, 0)
    """Of the window, px."""
    ledger: Ledger | None = None
    """None while it cannot be read."""
    failed: tuple[str, ...] = ()
    """What the self-check found and nobody mended; its names."""
    version: str = ""
    """Of the program."""
    speech: str = ""
    """Why the device does not speak as it should (`kiosk.speech.state`); empty while it does."""
    on_stick: int = 0
    """The newest configuration a stick has for this device; 0 none."""

    @property
    def enrolment(self) -> Mapping[str, Any]:
        """`enrolment` of sender.json: state, code, reason, tries, first_use."""
        found = self.sender.get("enrolment")
        return found if isinstance(found, dict) else {}

    @property
    def clock(self) -> Literal["wrong", "synced", "unset"]:
        """What is known of the clock; `unset` where nobody has set it since the start."""
        return "wrong" if self.clock_wrong else "synced" if self.synced else "unset"

    @property
    def enrolled(self) -> bool:
        """Whether the sender says that the centre knows this device."""
        return bool(self.sender.get("device"))

    @property
    def endpoint(self) -> str:
        """Where the sender sends."""
        return str(self.sender.get("endpoint", ""))

    @property
    def timezone(self) -> str:
        """Of the place."""
        return self.bundle.location.timezone if self.bundle else "Europe/Helsinki"


def encrypted(endpoint: str) -> bool:
    """Whether an address keeps what is sent private: TLS, or this very machine."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def clock_time(iso: str, timezone: str) -> str:
    """`12:04:31` at the place; empty for what is no time."""
    found = _at(iso, timezone)
    return found.strftime("%H:%M:%S") if found else ""


def moment(iso: str, timezone: str) -> str:
    """`22.11.2026 12:04` at the place; empty for what is no time."""
    found = _at(iso, timezone)
    return f"{found.day}.{found.month}.{found.year} {found:%H:%M}" if found else ""


def _at(iso: str, timezone: str) -> datetime | None:
    try:
        return datetime.fromisoformat(iso).astimezone(ZoneInfo(timezone))
    except (ValueError, OverflowError, OSError):
        return None
