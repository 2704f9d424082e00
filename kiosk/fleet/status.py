"""The centre's view of the devices, as a table for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("device", "place", "state", "configuration", "seen", "outbox")


def table(rows: Sequence[Mapping[str, Any]], now: dt.datetime) -> str:
    """One line a device: `enrolled, configuration 12, seen 20 s ago, outbox 0`."""
    lines = [HEAD, *(_line(row, now) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """`20 s ago`, `3 min ago`, `5 h ago`, `12 days ago`."""
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400 * 2, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // (86400 if unit == 'days' else size)} {unit} ago"
    return f"{seconds} s ago"


def _line(row: Mapping[str, Any], now: dt.datetime) -> tuple[str, ...]:
    status = row.get("status") or {}
    published, active = row.get("version", 0), status.get("config")
    configuration = str(published or "-")
    if published and active not in (None, published):
        configuration = f"{active} (published {published})"
    return (
        str(row.get("id", "")),
        f"{row.get('location', '')} {row.get('name', '')}".strip(),
        str(row.get("state", "")),
        configuration,
        _seen(row.get("last_seen"), now),
        _waiting(row),
    )


def _seen(text: str | None, now: dt.datetime) -> str:
    if not text:
        return "never"
    try:
        return ago(dt.datetime.fromisoformat(text), now)
    except (ValueError, TypeError):
        return text


def _waiting(row: Mapping[str, Any]) -> str:
    """How many records the device had beyond those the centre has, when it last spoke."""
    epochs = row.get("epochs")
    if not isinstance(epochs, list) or not epochs:
        return "-"
    return str(sum(max(0, epoch.get("tail", 0) - epoch.get("have", 0)) for epoch in epochs))
