"""What the sender tells: to the centre with every batch, to the terminal in sender.json."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import os
from typing import Any

from sync.clock import Clock
from sync.datadir import DataDir, read_json


@functools.cache
def version() -> str:
    """The installed version of the program; "0" where it is not installed."""
    try:
        return importlib.metadata.version("hymio")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def iso_of(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    try:
        at = datetime.datetime.fromtimestamp(ms / 1000, tz=datetime.UTC)
    except (ValueError, OverflowError, OSError):
        # A clock can say anything; beyond the year 9999 there is nothing to say.
        at = datetime.datetime.max.replace(tzinfo=datetime.UTC)
    return at.isoformat(timespec="seconds")


def device_status(
    data: DataDir,
    clock: Clock,
    *,
    have: int,
    oldest: str | None,
    backlog: int,
    refused: dict[str, object] | None,
    key_generation: int,
) -> dict[str, object]:
    """The device's health, as the centre shows it; nothing of any visitor.

    `have` is the cursor the batch was written with: only with it does `first_seq` tell the centre
    what was pruned.
    """
    terminal: dict[str, Any] = read_json(data.terminal_json) or {}
    try:
        disk = os.statvfs(data.root)
        free = disk.f_bavail * disk.f_frsize
    except OSError:
        free = -1
    return {
        "have": have,
        "version": version(),
        "kiosk_version": terminal.get("version", ""),
        "config": terminal.get("config", 0),
        "config_since": terminal.get("config_since", ""),
        "refused": [*_some(terminal.get("refused")), *([refused] if refused else [])],
        "alarms": _some(terminal.get("alarms")),
        "terminal": terminal.get("state", ""),
        "reason": terminal.get("reason", ""),
        "setup": terminal.get("setup", ""),
        "checks_failed": terminal.get("checks_failed", []),
        "service": terminal.get("service", {}),
        "last_touch": terminal.get("last_touch"),
        "outbox": terminal.get("outbox", {}),
        "free_disk": free,
        "key_generation": key_generation,
        "clock_synced": clock.synced(),
        "oldest_unsent": oldest,
        "backlog": backlog,
    }


def _some(value: object) -> list[object]:
    return value[-5:] if isinstance(value, list) else []
