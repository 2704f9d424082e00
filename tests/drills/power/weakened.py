"""Settings nobody may choose: they exist to see the drill catch them, in its own program only."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from sync import cursor, datadir, epoch, identity, outbox, salvage
from sync.contract.ids import uuid7


def _connect_with(*pragmas: str) -> Callable[[], None]:
    def weaken() -> None:
        proper = epoch._connect

        def connect(path: Path) -> Database:
            db = proper(path)
            for pragma in pragmas:
                db.execute(f"pragma {pragma}").fetchone()
            return db

        epoch._connect = connect

    return weaken


def _nothing(*_: Any) -> None:
    return None


def _no_folder_sync() -> None:
    for module in (datadir, epoch, identity, outbox, salvage):
        module.sync_dir = _nothing  # type: ignore[assignment]


def _no_file_sync() -> None:
    # SQLite's own go past Python.
    os.fsync = _nothing  # type: ignore[assignment]


def _in_place() -> None:
    def write(path: Path, obj: object) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660)
        os.write(fd, datadir.json.dumps(obj).encode())
        os.fsync(fd)
        os.close(fd)
        datadir.sync_dir(path.parent)

    import __main__

    outbox.write_json = __main__.write_json = write


def _memory_not_synced() -> None:
    proper = cursor._open

    def connect(path: Path) -> Database:
        db = proper(path)
        db.execute("pragma synchronous=normal")
        return db

    cursor._open = connect


def _killed_rows_not_synced() -> None:
    """What a process killed before its fsync left is read at the next start, and not synced."""

    def wal_bytes(path: Path) -> bytes:
        wal = path.with_name(f"{path.name}-wal")
        return wal.read_bytes() if wal.exists() else b""

    salvage.wal_bytes = wal_bytes


def _unsynced_rows_sent() -> None:
    epoch.EpochReader.settle = _nothing  # type: ignore[assignment]


def _stored_twice() -> None:
    """A commit tried again under another id, as after an outcome nobody saw."""
    proper = epoch.EpochFile.append

    def append(self: epoch.EpochFile, rows: Sequence[epoch.New]) -> None:
        proper(self, rows)
        proper(self, [row._replace(id=uuid7()) for row in rows])

    epoch.EpochFile.append = append  # type: ignore[method-assign]


def _wal_removed_early() -> None:
    """A checkpoint that is taken for durable before it is."""
    proper = epoch.EpochFile.checkpoint

    def checkpoint(self: epoch.EpochFile) -> bool:
        self._db.execute("pragma synchronous=off")
        try:
            return proper(self)
        finally:
            self._db.execute("pragma synchronous=full")

    epoch.EpochFile.checkpoint = checkpoint  # type: ignore[method-assign]


WEAKENINGS: Mapping[str, Callable[[], None]] = {
    "synchronous=normal": _connect_with("synchronous=normal"),
    "synchronous=off": _connect_with("synchronous=off"),
    "journal=delete": _connect_with("journal_mode=delete", "synchronous=normal"),
    "journal=delete, synchronous=full": _connect_with("journal_mode=delete"),
    "hasty": _nothing,
    "no folder sync": _no_folder_sync,
    "no file sync": _no_file_sync,
    "in place": _in_place,
    "memory not synced": _memory_not_synced,
    "killed rows not synced": _killed_rows_not_synced,
    "unsynced rows sent": _unsynced_rows_sent,
    "stored twice": _stored_twice,
    "checkpoint not synced": _wal_removed_early,
}
"""Name on the command line → what it does. `hasty` acknowledges before the commit."""
