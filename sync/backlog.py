"""What lies in the outbox for the centre: looked at every second, so for next to nothing."""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.epoch import EpochReader, id_ms
from sync.outbox import is_corruption
from sync.status import iso_of

log = logging.getLogger("hymio.sync")

_Mark = tuple[int, ...]


@dataclass(frozen=True)
class Lot:
    """One epoch's file."""

    epoch: str
    inode: int
    tail: int = 0
    """The highest seq ever assigned."""
    count: int = 0
    """Rows beyond the cursor; at most so many in the current file."""
    oldest_ms: int = 0
    broken: bool = False
    """SQLite says the file is damaged."""
    exact: bool = False
    """Whether `count` was counted."""


@dataclass(frozen=True)
class Waiting:
    """What there is to send now."""

    lots: tuple[Lot, ...]
    """Every epoch, the oldest first, also those with nothing to send."""
    current: str
    """The epoch the terminal writes to; empty without one."""

    @property
    def backlog(self) -> int:
        """Records beyond the cursors."""
        return sum(lot.count for lot in self.lots)

    @property
    def oldest(self) -> str | None:
        """When (ISO, UTC) the oldest of them was made."""
        times = [lot.oldest_ms for lot in self.lots if lot.count and lot.oldest_ms]
        return iso_of(min(times)) if times else None


_Known = tuple[_Mark, int, bool, Lot]
"""A file's mark and cursor when it was read, whether twice the same, and what was found."""


class Backlog:
    """Looks at the outbox; a file that has not changed is not opened."""

    def __init__(self, data: DataDir, memory: Memory) -> None:
        self._data, self._memory = data, memory
        self._seen: dict[str, _Known] = {}
        self._pointer: tuple[_Mark, str] = ((), "")

    def look(self) -> Waiting:
        """What there is to send now."""
        current = self._current()
        try:
            names = [entry.name for entry in os.scandir(self._data.outbox_dir)]
        except OSError as error:
            log.warning("the outbox cannot be listed now: %s", error)
            return Waiting((), current)
        epochs = sorted(n[:-3] for n in names if n.endswith(".db") and not n.startswith("."))
        lots = [self._lot(epoch, current) for epoch in epochs]
        for gone in self._seen.keys() - set(epochs):
            del self._seen[gone]
        return Waiting(tuple(lot for lot in lots if lot is not None), current)

    def _current(self) -> str:
        mark = _mark(self._data.current_json)
        if mark != self._pointer[0]:
            pointer = read_json(self._data.current_json) or {}
            self._pointer = (mark, str(pointer.get("epoch", "")))
        return self._pointer[1]

    def _lot(self, epoch: str, current: str) -> Lot | None:
        path = self._data.epoch_file(epoch)
        cursor = self._memory.cursor(epoch)
        mark = _mark(path) + _mark(path.with_name(path.name + "-wal"))
        known = self._seen.get(epoch)
        same = known is not None and known[:2] == (mark, cursor)
        # Twice the same before it counts: a file's time is no finer than some milliseconds.
        if known is not None and same and known[2]:
            return known[3]
        try:
            unchanged = known if known is not None and known[0] == mark else None
            lot = self._read(path, cursor, unchanged, exact=epoch != current)
        except (sqlite3.Error, OSError) as error:
            if is_corruption(error):
                lot = Lot(epoch, _inode(path), broken=True)
            else:
                log.warning("outbox %s cannot be read now: %s", epoch, error)
                return None
        self._seen[epoch] = (mark, cursor, same, lot)
        return lot

    def _read(self, path: Path, cursor: int, known: _Known | None, *, exact: bool) -> Lot:
        """Read a file; `known` is what was found at an earlier cursor, if no byte changed since."""
        inode = _inode(path)
        with EpochReader(path) as reader:
            tail = reader.tail()
            rows = reader.rows(cursor, 1)
            if not rows:
                return Lot(path.stem, inode, tail)
            if not exact:
                # Nothing is missing between two rows of the current file: it need not be counted.
                count = max(tail, rows[0].seq) - rows[0].seq + 1
            elif known and known[3].exact and known[1] <= cursor:
                # To count an older file is to read it whole: not again for every batch.
                count = known[3].count - reader.between(known[1], cursor)
            else:
                count = reader.after(cursor)[0]
        return Lot(path.stem, inode, tail, count, id_ms(rows[0].id), exact=exact)


def _mark(path: Path) -> _Mark:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0, 0)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _inode(path: Path) -> int:
    return _mark(path)[0]
