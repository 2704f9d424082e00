"""The ledger: what was created, and where each of it is. Reads only; anyone may run it.

Per epoch: created = acknowledged + quarantined + held + to send, at every moment; pruning changes
nothing, for `created` is the AUTOINCREMENT value and acknowledged is what is left of it.
"""

from __future__ import annotations

import contextlib
import sqlite3

import msgspec

from sync.datadir import DataDir
from sync.epoch import EpochReader, id_ms
from sync.status import iso_of


class Line(msgspec.Struct, frozen=True):
    """One epoch of the ledger; all but the last two are numbers of records."""

    epoch: str
    created: int
    acknowledged: int
    quarantined: int
    held: int
    to_send: int
    oldest_unsent: str | None
    """When (ISO, UTC) the oldest record that still has to go was made."""
    note: str = ""
    """Why a file could not be read; its numbers are then missing from the sums."""


def ledger(data: DataDir) -> list[Line]:
    """One line an epoch, the oldest first. Raises sqlite3.Error when sync.db cannot be read."""
    cursors, exceptions = _memory(data)
    lines = []
    for path in sorted(data.outbox_dir.glob("*.db")):
        if path.name.startswith("."):
            continue
        try:
            lines.append(_line(path.stem, data, cursors, exceptions.get(path.stem, {})))
        except sqlite3.Error as error:
            lines.append(Line(path.stem, 0, 0, 0, 0, 0, None, f"cannot be read: {error}"))
    return lines


def _line(epoch: str, data: DataDir, cursors: dict[str, int], exceptions: dict[int, str]) -> Line:
    cursor = cursors.get(epoch, 0)
    with EpochReader(data.epoch_file(epoch)) as reader:
        # The tail after the rows: a record that comes in between is counted as not yet there.
        beyond, first = reader.after(cursor)
        created = reader.tail()
    ours = {seq: verdict for seq, verdict in exceptions.items() if seq <= created}
    quarantined = sum(verdict == "quarantined" for verdict in ours.values())
    held = sum(verdict == "held" for verdict in ours.values())
    marked = sum(
        seq > cursor and verdict in ("quarantined", "held") for seq, verdict in ours.items()
    )
    to_send = max(0, beyond - marked)
    ms = id_ms(first) if first and to_send else 0
    return Line(
        epoch,
        created,
        created - quarantined - held - to_send,
        quarantined,
        held,
        to_send,
        iso_of(ms) if ms else None,
    )


def _memory(data: DataDir) -> tuple[dict[str, int], dict[str, dict[int, str]]]:
    if not data.sync_db.exists():
        return {}, {}
    uri = f"{data.sync_db.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        cursors = dict(db.execute("select epoch, cursor from epochs").fetchall())
        exceptions: dict[str, dict[int, str]] = {}
        for epoch, seq, verdict in db.execute("select epoch, seq, verdict from exceptions"):
            exceptions.setdefault(epoch, {})[seq] = verdict
    return cursors, exceptions
