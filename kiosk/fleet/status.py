"""The centre's view of the devices, as lines and tables for people."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

HEAD = ("device", "place", "state", "configuration", "since", "seen", "outbox", "remarks")
WORDS = {
    "ok": "enrolled",
    "never-enrolled": "never enrolled",
    "unconfirmed": "not confirmed on site",
    "clone-suspected": "clone suspected",
}
"""How a state is said; the others are said as they are called."""
WORRIES = ("clone-suspected", "silent", "quiet", "stuck", "refused", "mute")
"""States somebody should look into, the worst first."""
STATES = (*WORRIES, "unconfirmed", "never-enrolled", "ok", "wiped", "retired", "revoked")


def state_of(row: Row) -> str:
    """How the centre judges a device; one of STATES."""
    return str(row.get("standing") or row.get("state", ""))


def worries(row: Row) -> bool:
    """Whether somebody should look."""
    return state_of(row) in WORRIES or bool((row.get("ledger") or {}).get("lost"))


def outbox(row: Row) -> int | None:
    """How many records the device had beyond those the centre has, when it last spoke."""
    waiting = (row.get("ledger") or {}).get("to_send")
    return int(waiting) if row.get("epochs") and waiting is not None else None


COLUMNS = {
    "device": "id",
    "location": "location",
    "name": "name",
    "state": "",
    "active": "config",
    "published": "version",
    "since": "config_since",
    "seen": "last_seen",
    "outbox": "",
    "oldest_unsent": "oldest_unsent",
    "last_touch": "last_touch",
    "lost": "",
    "code_open_until": "open_code_until",
    "remarks": "",
}
"""Of the CSV, and the centre's names for them."""
SORTS: Mapping[str, Callable[[Row], Any]] = {
    "device": lambda row: str(row.get("id", "")),
    "place": lambda row: (str(row.get("location", "")), str(row.get("name", ""))),
    "state": lambda row: STATES.index(state_of(row)) if state_of(row) in STATES else -1,
    "seen": lambda row: str(row.get("last_seen") or ""),
    "outbox": lambda row: -(outbox(row) or 0),
    "configuration": lambda row: int(row.get("config") or 0),
}
"""What comes first; equal ones by device."""


def chosen(rows: Sequence[Row], states: Sequence[str], sort: str) -> list[Row]:
    """The rows in these states, or all, in order."""
    kept = [row for row in rows if not states or state_of(row) in states]
    return sorted(kept, key=lambda row: (SORTS[sort](row), str(row.get("id", ""))))


def table(rows: Sequence[Row], now: dt.datetime, languages: Sequence[str] = ()) -> str:
    """One line a device; places are named in the first of the languages that has a name."""
    lines = [HEAD, *(cells(row, now, languages) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_csv(rows: Sequence[Row]) -> str:
    """For spreadsheets: plain values, times in ISO 8601."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = {column: row.get(COLUMNS[column]) for column in COLUMNS}
        plain |= {"state": state_of(row), "outbox": outbox(row)}
        plain |= {"lost": (row.get("ledger") or {}).get("lost", 0)}
        writer.writerow(plain | {"remarks": "; ".join(_remarks(row))})
    return file.getvalue()


def sentences(row: Row, now: dt.datetime, languages: Sequence[str] = ()) -> str:
    """One device in words: `enrolled, configuration 12, seen 20 s ago, outbox 0`."""
    ident, place, state, configuration, since, seen, waiting, _ = cells(row, now, languages)
    parts = [
        state,
        f"configuration {configuration}",
        "never seen" if seen == "never" else f"seen {seen}",
    ]
    parts += [] if waiting == "-" else [f"outbox {waiting}"]
    lines = [f"{ident}, {place}", "  " + ", ".join(parts)]
    lines += [f"  in use for {since.removesuffix(' ago')}"] if since != "-" else []
    if row.get("last_touch"):
        lines.append(f"  last touched {when(row['last_touch'], now)}")
    return "\n".join([*lines, *(f"  {remark}" for remark in _remarks(row))])


def cells(row: Row, now: dt.datetime, languages: Sequence[str] = ()) -> tuple[str, ...]:
    """The texts under HEAD."""
    waiting = outbox(row)
    queue = "-" if waiting is None else str(waiting)
    if waiting and row.get("oldest_unsent"):
        queue += f", oldest {when(row['oldest_unsent'], now)}"
    return (
        str(row.get("id", "")),
        ", ".join(filter(None, (_place(row, languages), str(row.get("name", ""))))),
        WORDS.get(state_of(row), state_of(row)),
        _configuration(row),
        when(row["config_since"], now) if row.get("config_since") else "-",
        when(row["last_seen"], now) if row.get("last_seen") else "never",
        queue,
        "; ".join(_remarks(row)),
    )


def when(text: str, now: dt.datetime) -> str:
    """An ISO time as people say it; what is none as it is."""
    try:
        return ago(dt.datetime.fromisoformat(text), now)
    except (ValueError, TypeError):
        return str(text)


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """`20 s ago`, `3 min ago`, `5 h ago`, `12 days ago`."""
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400 * 2, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // (86400 if unit == 'days' else size)} {unit} ago"
    return f"{seconds} s ago"


def _place(row: Row, languages: Sequence[str]) -> str:
    names = row.get("place") or {}
    named = [names[language] for language in [*languages, *names] if names.get(language)]
    return f"{row.get('location', '')} {next(iter(named), '')}".strip()


def _configuration(row: Row) -> str:
    published, active = row.get("version") or 0, row.get("config") or 0
    if active and active != published:
        return f"{active} (published {published})"
    return str(published or "-")


def _remarks(row: Row) -> list[str]:
    found = [
        f"configuration {entry.get('version', '')} refused: {entry.get('reason', '')}"
        for entry in row.get("refused") or []
    ]
    if row.get("clone_suspected"):
        found.append("two terminals with one key, or a disk set back")
    if lost := (row.get("ledger") or {}).get("lost"):
        found.append(f"{lost} answers lost to damage")
    if failed := (row.get("status") or {}).get("checks_failed"):
        found.append(f"failed on site: {', '.join(map(str, failed))}")
    if row.get("reason"):
        found.append(str(row["reason"]))
    if row.get("open_code_until"):
        found.append(f"code open until {_day(str(row['open_code_until']))}")
    return found


def _day(text: str) -> str:
    try:
        return dt.datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return text
