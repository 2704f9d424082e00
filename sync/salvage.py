"""A damaged epoch: set aside with its WAL, and what can be proved whole taken out of it.

A row counts as whole when its hash fits its bytes, wherever it was found: through SQLite as far as
the pages can be read, and otherwise by looking for the shape of a row in the raw bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.datadir import sync_dir, write_bytes
from sync.epoch import Row, build

DAMAGED: Final = "damaged"
"""Folder below the outbox where damaged files are kept for people to look at."""
_DONE: Final = "salvaged"
_MOST: Final = 1 << 40
_AT_ONCE: Final = 1000
"""Rows that are in memory at a time."""
_STRETCH, _OVERLAP = 1 << 20, 8192
"""Bytes of a file that are, and how many are seen twice: more than a row has on one page."""
# id as text of 36 characters, a blob, sha256 as text of 64: the record header SQLite writes.
_ID: Final = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEADER: Final = re.compile(rb"\x00\x55([\x80-\xff]{0,3}[\x00-\x7f])\x81\x0d(?=" + _ID + rb"\{)")


def wal_bytes(path: Path) -> bytes:
    """What the WAL of an epoch's file holds, durable from now on; empty without one.

    Raises OSError.
    """
    try:
        with path.with_name(f"{path.name}-wal").open("rb") as file:
            raw = file.read()
            # A process killed before its fsync may leave rows here that the sender already sends.
            os.fsync(file.fileno())
    except FileNotFoundError:
        return b""
    sync_dir(path.parent)
    return raw


def set_aside(path: Path, stamp: str, wal: bytes = b"") -> Path:
    """Move an epoch's file and WAL into a folder of their own; returns the folder.

    `wal` stands in for a WAL that SQLite has removed or cut in the meantime. The -shm file is only
    an index of the WAL and may be part of the damage. Raises OSError.
    """
    folder = path.parent / DAMAGED / f"{path.stem}.{stamp}"
    folder.mkdir(parents=True)
    for folder_made in (path.parent / DAMAGED, folder):
        folder_made.chmod(0o2770)
        # Nothing may move into a folder that could be gone after a power cut.
        sync_dir(folder_made.parent)
    if wal:
        # First of all, for there may be no other copy.
        write_bytes(folder / f"{path.name}-wal", wal)
    _move_in(path, folder)
    return folder


def _move_in(path: Path, folder: Path) -> None:
    """Move file and WAL into the folder, as far as that is not done already."""
    for name in (f"{path.name}-wal", path.name):
        old, new = path.with_name(name), folder / name
        if not new.exists():
            with contextlib.suppress(FileNotFoundError):
                old.rename(new)
        elif name != path.name:
            # It would be taken for the WAL of the file that comes in the place of this one.
            old.unlink(missing_ok=True)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    sync_dir(folder)
    sync_dir(folder.parent)
    sync_dir(path.parent)


def unfinished(outbox: Path) -> list[Path]:
    """Folders set aside whose rows were not taken out yet: the power went in between."""
    folders = sorted((outbox / DAMAGED).glob("*/"))
    return [folder for folder in folders if not (folder / _DONE).exists()]


def take_out(folder: Path) -> tuple[str, int, int]:
    """Put the whole rows of a folder set aside back in place under their epoch.

    Returns the epoch, how many rows were saved and the highest seq known to have been assigned.
    Raises OSError, sqlite3.Error.
    """
    epoch = folder.name.rpartition(".")[0]
    path = folder / f"{epoch}.db"
    place = folder.parent.parent / path.name
    # The power may have gone before all of it was moved.
    _move_in(place, folder)
    with contextlib.closing(_Found()) as found:
        tail = 0
        with contextlib.suppress(sqlite3.Error):
            tail = _through_sqlite(path, found)
        for name in (path, path.with_name(path.name + "-wal")):
            if name.exists():
                for row in _carve_file(name):
                    found.add(row)
        tail = max(tail, found.top)
        build(place, {"epoch": epoch, "salvaged": "yes"}, found.rows(), tail)
        saved = found.count()
    (folder / _DONE).write_text(f"{saved} rows, tail {tail}\n")
    sync_dir(folder)
    return epoch, saved, tail


class _Found:
    """The whole rows found so far, in a temporary file of SQLite's once they are many: weeks of
    answers do not fit into the memory of a small machine. Raises sqlite3.Error.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("pragma journal_mode = off")
        self._db.execute(
            "create table found (seq integer primary key, id text unique, rec, sha256)"
        )
        self._db.execute("begin")
        self.top = 0
        """The highest seq among all of them."""

    def add(self, row: Row) -> None:
        """Keep a row, unless its position is taken. Raises OSError without room for it."""
        self.top = max(self.top, row.seq)
        try:
            self._add(row)
        except sqlite3.Error as error:
            # Not to be taken for damage of the file that is read: its other rows would be missed.
            raise OSError(f"salvaged rows cannot be kept: {error}") from error

    def _add(self, row: Row) -> None:
        if self._db.execute("select 1 from found where seq = ?", [row.seq]).fetchone():
            return
        twin = self._db.execute("select seq from found where id = ?", [row.id]).fetchone()
        # A page copied astray can show one row at two positions; the first is kept.
        if twin and twin[0] < row.seq:
            return
        if twin:
            self._db.execute("delete from found where seq = ?", twin)
        self._db.execute("insert into found values (?, ?, ?, ?)", row)

    def rows(self) -> Iterator[Row]:
        """All of them, in order."""
        return (Row(*row) for row in self._db.execute("select * from found order by seq"))

    def count(self) -> int:
        """How many."""
        return int(self._db.execute("select count(*) from found").fetchone()[0])

    def close(self) -> None:
        """Forget them."""
        self._db.close()


def _through_sqlite(path: Path, found: _Found) -> int:
    if not path.exists():
        return 0
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    ) as db:
        tail = 0
        with contextlib.suppress(sqlite3.Error):
            last = db.execute("select seq from sqlite_sequence where name = 'records'").fetchone()
            tail = min(_MOST, int(last[0])) if last else 0
        high = tail
        with contextlib.suppress(sqlite3.Error):
            high = max(high, db.execute("select max(seq) from records").fetchone()[0] or 0)
        for row in _readable(db, 1, min(_MOST, high)):
            with contextlib.suppress(TypeError, AttributeError):
                if row.whole:
                    found.add(row)
    return tail


def _readable(db: sqlite3.Connection, first: int, last: int) -> Iterator[Row]:
    """Rows of a range, halved around whatever cannot be read."""
    todo = [(first, last)]
    while todo:
        low, high = todo.pop()
        if low > high:
            continue
        try:
            found = db.execute(
                "select seq, id, rec, sha256 from records where seq between ? and ?"
                " order by seq limit ?",
                (low, high, _AT_ONCE),
            ).fetchall()
        except sqlite3.Error:
            if low < high:
                middle = (low + high) // 2
                todo += [(middle + 1, high), (low, middle)]
            continue
        yield from (Row(*row) for row in found)
        if len(found) == _AT_ONCE:
            # Of a damaged tree rows may come in any order: always on, never back.
            todo.append((max(low, *(row[0] for row in found)) + 1, high))


def _carve_file(path: Path) -> Iterator[Row]:
    """The same as `carve`, a stretch of the file at a time. Raises OSError."""
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_STRETCH):
            yield from carve(before + piece)
            before = piece[-_OVERLAP:]


def carve(raw: bytes) -> Iterator[Row]:
    """Whole rows found by their shape in the bytes of a database or WAL file.

    Rows that spill onto overflow pages (above about 4 KB) are not found this way.
    """
    for match in _HEADER.finditer(raw):
        kind, _ = _varint(raw, match.start(1))
        size = (kind - 12) // 2
        start = match.end()
        rec = raw[start + 36 : start + 36 + size]
        sha256 = raw[start + 36 + size : start + 100 + size]
        if len(rec) != size or hashlib.sha256(rec).hexdigest().encode() != sha256:
            continue
        seq = _rowid(raw, match.start(), header=start - match.start() + 1, body=100 + size)
        if seq:
            yield Row(seq, raw[start : start + 36].decode(), rec, sha256.decode())


def _rowid(raw: bytes, at: int, *, header: int, body: int) -> int:
    """The rowid of the cell whose record header's second byte is at `at`; 0 when none fits."""
    if at < 1 or raw[at - 1] != header:
        return 0
    for length in range(2, 13):
        start = at - 1 - length
        if start < 0:
            break
        payload, behind = _varint(raw, start)
        seq, end = _varint(raw, behind)
        if payload == header + body and end == at - 1 and seq > 0:
            return seq
    return 0


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer at an offset, and the offset behind it."""
    value = 0
    for i in range(9):
        if at + i >= len(raw):
            return 0, at + i
        byte = raw[at + i]
        if i == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at + i + 1
    return 0, at
