"""What the sender tells: to the centre with every batch, to the terminal in sender.json."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
from typing import Any

from sync.clock import Clock
from sync.datadir import DataDir, read_json


def version() -> str:
    """The program's version."""
    try:
        return importlib.metadata.version("hymio")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def iso_of(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    at = datetime.datetime.fromtimestamp(ms / 1000, tz=datetime.UTC)
    return at.isoformat(timespec="seconds")


def device_status(
    data: DataDir, clock: Clock, *, have: int, oldest: str | None, backlog: int, refused: str
) -> dict[str, object]:
    """The device's health, as the centre shows it; nothing of any visitor."""
    terminal: dict[str, Any] = read_json(data.terminal_json) or {}
    disk = os.statvfs(data.root)
    return {
        "have": have,
        "version": version(),
        "config": terminal.get("config", 0),
        "refused": terminal.get("refused", []) or ([{"reason": refused}] if refused else []),
        "terminal": terminal.get("state", ""),
        "reason": terminal.get("reason", ""),
        "last_touch": terminal.get("last_touch"),
        "outbox": terminal.get("outbox", {}),
        "free_disk": disk.f_bavail * disk.f_frsize,
        "clock_synced": clock.synced(),
        "oldest_unsent": oldest,
        "backlog": backlog,
    }
