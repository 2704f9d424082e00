"""What is looked at when the current epoch's file is opened, before anything is written to it.

SQLite takes any WAL beside a file that has sound checksums, and leaves out one that has not.
Whether it is this file's, and whether something acknowledged is missing, is for us to find out.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sync import salvage
from sync.datadir import DataDir, read_json, sync_dir
from sync.epoch import PAGE_BYTES, EpochFile, New

_WAL_HEADER, _FRAME_HEADER = 32, 24


def mend(file: EpochFile, wal: bytes) -> tuple[int, bool]:
    """Store again, at their own positions, the rows of a WAL beyond those SQLite found.

    Returns how many, and whether that means damage: what all comes from one transaction may be the
    commit the power cut short. Raises sqlite3.Error.
    """
    tail = file.tail()
    beyond = {row.seq: row for row in salvage.carve(wal) if row.seq > tail}
    if not beyond:
        return 0, False
    rows = [beyond[seq] for seq in sorted(beyond)]
    whole = rows[-1].seq == tail + len(rows)
    if whole:
        file.append_again([New(row.id, row.rec, row.sha256) for row in rows])
    else:
        # What lies between was acknowledged and is gone: its place stays empty, and is counted.
        file.put_back(rows)
    return len(rows), not whole or _several(wal, tail)


def _several(wal: bytes, tail: int) -> bool:
    """Whether the rows beyond a seq come from more than one transaction."""
    known: set[int] = set()
    found = 0
    for part in _transactions(wal):
        new = {row.seq for row in salvage.carve(part) if row.seq > tail} - known
        known |= new
        found += bool(new)
    return found > 1


def _transactions(wal: bytes) -> Iterator[bytes]:
    """The frames of a WAL, one transaction after the other: its last frame tells a file size."""
    begun = _WAL_HEADER
    frame = _FRAME_HEADER + PAGE_BYTES
    for at in range(_WAL_HEADER, len(wal), frame):
        if wal[at + 4 : at + 8] != bytes(4):
            yield wal[begun : at + frame]
            begun = at + frame
    yield wal[begun:]


def weigh(path: Path, wal: bytes) -> Literal["fits", "strange", "damaged"]:
    """Whether a WAL is the one of this file as it is now, or an older one, or another file's.

    With its own a file never knows less than without it, and no row becomes another. `damaged`
    are file and WAL together: whoever opened them for writing would copy one over the other.
    """
    if not wal or not path.exists():
        return "fits"
    with (
        # A checkpoint cut short cannot be read without its WAL: then there is nothing to compare.
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(_read_only(path, "&immutable=1")) as alone,
    ):
        before = _tail(alone)
        for row in salvage.carve(wal):
            found = alone.execute("select id from records where seq = ?", [row.seq]).fetchone()
            if found and found[0] != row.id:
                return "strange"
        with contextlib.closing(_read_only(path)) as both:
            try:
                if _tail(both) < before:
                    return "strange"
                sound = both.execute("pragma quick_check(1)").fetchone()[0] == "ok"
            except sqlite3.OperationalError:
                return "fits"
            except sqlite3.DatabaseError:
                sound = False
        return "fits" if sound else "damaged"
    return "fits"


def _read_only(path: Path, more: str = "") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{more}", uri=True, timeout=5)


def _tail(db: sqlite3.Connection) -> int:
    found = db.execute("select seq from sqlite_sequence where name = 'records'").fetchone()
    return int(found[0]) if found else 0


def put_away(path: Path, stamp: str) -> str:
    """Move a WAL that is not this file's to where people can look at it. Raises OSError."""
    folder = path.parent / salvage.DAMAGED
    folder.mkdir(exist_ok=True)
    folder.chmod(0o2770)
    sync_dir(path.parent)
    name = f"{path.name}-wal.{stamp}"
    path.with_name(f"{path.name}-wal").replace(folder / name)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    sync_dir(folder)
    sync_dir(path.parent)
    return name


def sent_up_to(data: DataDir, epoch: str) -> int:
    """The seq up to which the sender knows an epoch at the centre; 0 when it knows nothing."""
    have = (read_json(data.sender_json) or {}).get("have")
    known = have.get(epoch) if isinstance(have, dict) else 0
    cursor = known if isinstance(known, int) else 0
    if data.sync_db.exists():
        # The status may be some seconds behind.
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(_read_only(data.sync_db)) as db,
        ):
            found = db.execute("select cursor from epochs where epoch = ?", [epoch]).fetchone()
            cursor = max(cursor, int(found[0]) if found else 0)
    return cursor


def holds_rows(path: Path) -> bool:
    """Whether an epoch's file may ever have held a record."""
    wal = path.with_name(f"{path.name}-wal")
    try:
        with contextlib.closing(_read_only(path)) as db:
            rows = db.execute("select count(*) from sqlite_sequence").fetchone()[0]
            return bool(rows) or (wal.exists() and wal.stat().st_size > 0)
    except (sqlite3.Error, OSError):
        return True
