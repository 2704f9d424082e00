"""What a device says of itself with every batch. It can be anything: what does not fit is left out.

The keys are those of `sync/status.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Said:
    """The last status; instants are aware, in UTC."""

    active: int = 0
    """Version of the configuration in use; 0: none."""
    config_since: datetime | None = None
    refused: list[dict[str, Any]] = field(default_factory=list)
    """Configurations it would not take: version, reason."""
    program: str = ""
    last_touch: datetime | None = None
    oldest_unsent: datetime | None = None
    service: dict[str, Any] = field(default_factory=dict)
    setup: str = ""
    alarms: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refuses(self) -> bool:
        """Whether it lacks a configuration it should have: one above the version in use."""
        return any(
            "version" not in one or _number(one["version"]) > self.active for one in self.refused
        )


def read(text: str) -> Said:
    """Read the JSON kept in `devices.status`; an empty or damaged one says nothing."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return Said()
    if not isinstance(found, dict):
        return Said()
    service = found.get("service")
    return Said(
        active=_number(found.get("config")),
        config_since=_moment(found.get("config_since")),
        refused=_objects(found.get("refused")),
        program=_words(found.get("version")),
        last_touch=_moment(found.get("last_touch")),
        oldest_unsent=_moment(found.get("oldest_unsent")),
        service=service if isinstance(service, dict) else {},
        setup=_words(found.get("setup")),
        alarms=_objects(found.get("alarms")),
    )


def instant(ms: int | None) -> datetime | None:
    """Milliseconds since 1970 as an instant; None stays None."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
