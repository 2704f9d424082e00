"""The ledger: what was created, and where each of it is. Reads only; anyone may run it.

Per epoch: created = acknowledged + quarantined + held + lost + to send, at every moment; pruning
changes nothing, for `created` is the AUTOINCREMENT value and acknowledged is what is left of it.
Lost is what damage to the file took before it was sent; nothing else makes it rise above 0.
"""

from __future__ import annotations

import contextlib
import sqlite3

import msgspec

from sync.datadir import DataDir
from sync.epoch import EpochReader, id_ms
from sync.status import iso_of


class Line(msgspec.Struct, frozen=True):
    """One epoch of the ledger: numbers of records."""

    epoch: str
    created: int
    acknowledged: int
    quarantined: int
    held: int
    lost: int
    to_send: int
    oldest_unsent: str | None
    """When (ISO, UTC) the oldest record that still has to go was made."""
    note: str = ""
    """Why a file could not be read; its numbers are then missing from the sums."""


class _Known(msgspec.Struct):
    """What sync.db says of an epoch."""

    cursor: int = 0
    verdicts: list[tuple[int, str]] = []
    """(seq, verdict) of what is quarantined or held."""
    lost: list[tuple[int, int]] = []
    """Stretches (first, last) that were never sent."""


def ledger(data: DataDir) -> list[Line]:
    """One line an epoch, the oldest first. Raises sqlite3.Error when sync.db cannot be read."""
    known = _memory(data)
    lines = []
    for path in sorted(data.outbox_dir.glob("*.db")):
        if path.name.startswith("."):
            continue
        try:
            lines.append(_line(path.stem, data, known.get(path.stem, _Known())))
        except sqlite3.Error as error:
            lines.append(Line(path.stem, 0, 0, 0, 0, 0, 0, None, f"cannot be read: {error}"))
    return lines


def _line(epoch: str, data: DataDir, known: _Known) -> Line:
    with EpochReader(data.epoch_file(epoch)) as reader, reader.snapshot():
        gone = reader.missing(known.cursor)
        beyond, first = reader.after(known.cursor)
        # A file that was put back to an earlier state knows less than the centre has of it.
        created = max(reader.tail(), known.cursor)
    ours = [(seq, verdict) for seq, verdict in known.verdicts if seq <= created]
    quarantined = sum(verdict == "quarantined" for _, verdict in ours)
    held = len(ours) - quarantined
    to_send = max(0, beyond - sum(seq > known.cursor for seq, _ in ours))
    lost = _length(known.lost, known.cursor) + gone
    ms = id_ms(first) if first and to_send else 0
    return Line(
        epoch,
        created,
        created - quarantined - held - lost - to_send,
        quarantined,
        held,
        lost,
        to_send,
        iso_of(ms) if ms else None,
    )


def _length(stretches: list[tuple[int, int]], up_to: int) -> int:
    """Seqs in stretches that may overlap, counted once, as far as the cursor got."""
    count = reached = 0
    for first, last in sorted(stretches):
        end = min(last, up_to)
        count += max(0, end - max(first - 1, reached))
        reached = max(reached, end)
    return count


def _memory(data: DataDir) -> dict[str, _Known]:
    if not data.sync_db.exists():
        return {}
    try:
        return _told(data)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        # The power went while the sender made the file; it undoes that at its next start.
        return {}


def _told(data: DataDir) -> dict[str, _Known]:
    found: dict[str, _Known] = {}
    uri = f"{data.sync_db.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        if not db.execute("select 1 from sqlite_master where name = 'epochs'").fetchone():
            # The sender is about to make it.
            return {}
        for epoch, cursor in db.execute("select epoch, cursor from epochs"):
            found[epoch] = _Known(cursor)
        for epoch, seq, verdict in db.execute(
            "select epoch, seq, verdict from exceptions where verdict in ('quarantined', 'held')"
        ):
            found.setdefault(epoch, _Known()).verdicts.append((seq, verdict))
        for epoch, first, last in db.execute("select epoch, first, last from lost"):
            found.setdefault(epoch, _Known()).lost.append((first, last))
    return found
