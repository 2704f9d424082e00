"""One way to commit records durably, alone in a process: so it can be timed and its syncs counted.

`python -m tests.bench.contender NAME FOLDER` reads lines from standard input: a file of frozen
records, one a line, to commit one by one. It answers each with a line of JSON, the seconds of
every commit; the first answer, before any line, says in a few words how durable it runs. `tend`
does what is due between visits. Only what NAME needs is imported: peers run under their own Python.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

LEVELS = ("OFF", "NORMAL", "FULL", "EXTRA")


def durability(db: sqlite3.Connection) -> str:
    """What a connection really runs with, read back from it."""
    (mode,) = db.execute("pragma journal_mode").fetchone()
    (level,) = db.execute("pragma synchronous").fetchone()
    return f"journal_mode={mode.upper()}, synchronous={LEVELS[level]}"


class Contender:
    """Commits one record a call."""

    says = ""
    """How durable it runs."""

    def prepare(self, raw: bytes) -> object:
        """What `commit` takes; not timed."""
        return raw

    def commit(self, record: object) -> object:
        """Make one record durable, as far as this contender does."""
        raise NotImplementedError

    def tend(self) -> None:
        """What is due between visits."""


class Ours(Contender):
    """The terminal's Recorder on its outbox, as in a kiosk."""

    def __init__(self, folder: Path) -> None:
        from kiosk.recorder import Recorder
        from sync.contract.bundle import Storage
        from sync.contract.records import thaw
        from sync.datadir import DataDir

        data = DataDir(folder)
        data.create()
        self.recorder = Recorder(data, Storage())
        self.prepare = thaw  # type: ignore[method-assign]
        self.commit = self.recorder.commit  # type: ignore[method-assign, assignment]
        self.says = durability(self.recorder._outbox.file._db.conn)

    def tend(self) -> None:
        self.recorder.tend(None)


class Sqlite(Contender):
    """Nothing but what durability asks: one table, WAL, synchronous=FULL."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "bare.db")
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=full")
        self.db.execute("create table records (seq integer primary key, rec blob not null)")
        self.db.commit()
        self.says = durability(self.db)

    def commit(self, record: object) -> None:
        self.db.execute("insert into records (rec) values (?)", (record,))
        self.db.commit()


class Append(Contender):
    """The physical limit: bytes at the end of a file, and fdatasync."""

    says = "append + fdatasync"

    def __init__(self, folder: Path) -> None:
        self.log = (folder / "bare.log").open("ab", buffering=0)

    def commit(self, record: object) -> None:
        assert isinstance(record, bytes)
        self.log.write(record)
        os.fdatasync(self.log.fileno())


class PersistQueue(Contender):
    """persist-queue's SQLiteAckQueue as it comes."""

    def __init__(self, folder: Path) -> None:
        from persistqueue import SQLiteAckQueue

        queue = SQLiteAckQueue(str(folder / "queue"))
        self.commit = queue.put  # type: ignore[method-assign]
        self.says = durability(queue._putter)


class LiteQueue(Contender):
    """litequeue as it comes, its text column filled with the record's JSON."""

    def __init__(self, folder: Path) -> None:
        from litequeue import LiteQueue as Queue

        self.queue = Queue(str(folder / "queue.db"))
        self.commit = self.queue.put  # type: ignore[method-assign]
        self.says = durability(self.queue.conn)

    def prepare(self, raw: bytes) -> str:
        return raw.decode()


class LiteQueueFull(LiteQueue):
    """litequeue with its connection set to synchronous=FULL, which it has no option for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.queue.conn.execute("pragma synchronous=full")
        self.says = durability(self.queue.conn)


KINDS: dict[str, Callable[[Path], Contender]] = {
    "recorder": Ours,
    "sqlite3": Sqlite,
    "fdatasync": Append,
    "persist-queue": PersistQueue,
    "litequeue": LiteQueue,
    "litequeue-full": LiteQueueFull,
}


def main() -> None:
    """Serve until standard input ends."""
    folder = Path(sys.argv[2])
    contender = KINDS[sys.argv[1]](folder)
    print(json.dumps(contender.says), flush=True)
    for line in sys.stdin:
        if line == "tend\n":
            before = time.perf_counter()
            contender.tend()
            print(json.dumps([time.perf_counter() - before]), flush=True)
            continue
        records = [contender.prepare(raw) for raw in Path(line[:-1]).read_bytes().splitlines()]
        commit, taken = contender.commit, []
        before = time.perf_counter()
        for record in records:
            commit(record)
            now = time.perf_counter()
            taken.append(now - before)
            before = now
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
