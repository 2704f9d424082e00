"""sync.db, the sender's memory: how far each epoch is acknowledged, what was not, clocks, identity.

Losing it loses no answer: every epoch is sent again from its start, and the centre knows each
record by its id.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from sync.datadir import DataDir
from sync.epoch import writing

log = logging.getLogger("hymio.sync")

BOOTS_KEPT: Final = 100
SCHEMA: Final = """
create table if not exists epochs (
  epoch text primary key,
  owner text not null default '',
  cursor integer not null default 0,
  cursor_id text not null default '',
  tail integer not null default 0,
  new_epoch integer not null default 0
);
create table if not exists exceptions (
  epoch text not null, seq integer not null, verdict text not null, code text not null,
  at_ms integer not null, primary key (epoch, seq)
);
create table if not exists lost (
  epoch text not null, first integer not null, last integer not null, primary key (epoch, first)
);
create table if not exists clocks (
  boot text primary key, offset_ms integer not null, at_ms integer not null
);
create table if not exists state (key text primary key, value text not null);
"""


class SenderBusy(Exception):  # noqa: N818 - says what is the case
    """Another sender works on this data directory."""


@dataclass
class Cursor:
    """How far one epoch is acknowledged."""

    epoch: str
    owner: str = ""
    """`centre/device` it is sent as, from the first contact on."""
    cursor: int = 0
    cursor_id: str = ""
    """Id of the record at `cursor`: another one there means a disk rolled back."""
    tail: int = 0
    new_epoch: bool = False
    """The terminal should begin another file."""


@dataclass(frozen=True)
class Marked:
    """A record the centre does not count, or that is kept back here."""

    verdict: str
    code: str
    at_ms: int


class SyncDb:
    """The writing end, one sender at a time. Raises SenderBusy, OSError, sqlite3.Error."""

    def __init__(self, data: DataDir) -> None:
        data.create()
        self._lock = os.open(data.sync_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        try:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SenderBusy(f"another sender works on {data.root}") from None
            self.set_aside = ""
            try:
                self._db = _open(data.sync_db)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                log.error("sync.db is damaged, everything is sent anew: %s", error)
                self.set_aside = str(error)
                for name in ("-wal", "-shm", ""):
                    path = data.sync_db.with_name(data.sync_db.name + name)
                    if path.exists():
                        path.replace(path.with_name(f"damaged-{path.name}"))
                self._db = _open(data.sync_db)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Close and let go of the lock."""
        self._db.close()
        os.close(self._lock)

    # --- facts ------------------------------------------------------------------------------------

    def get(self, key: str) -> Any:
        """A fact kept under a name; None when there is none."""
        found = self._db.execute("select value from state where key = ?", [key]).fetchone()
        return json.loads(found[0]) if found else None

    def put(self, **facts: object) -> None:
        """Keep facts, all or none."""
        with writing(self._db):
            for key, value in facts.items():
                self._db.execute(
                    "insert into state (key, value) values (?, ?) "
                    "on conflict (key) do update set value = excluded.value",
                    [key, json.dumps(value)],
                )

    # --- cursors ----------------------------------------------------------------------------------

    def cursor(self, epoch: str) -> Cursor:
        """Where an epoch stands; at its start when it is new."""
        return _cursor(self._db, epoch)

    def save(
        self,
        cursor: Cursor,
        marked: Mapping[int, Marked] | None = None,
        cleared: Collection[int] = (),
        lost: tuple[int, int] | None = None,
    ) -> None:
        """Write a cursor with what came with it: exceptions set and cleared, seqs lost."""
        with writing(self._db):
            self._db.execute(
                "insert into epochs (epoch, owner, cursor, cursor_id, tail, new_epoch) "
                "values (?, ?, ?, ?, ?, ?) on conflict (epoch) do update set "
                "owner = excluded.owner, cursor = excluded.cursor, "
                "cursor_id = excluded.cursor_id, tail = excluded.tail, "
                "new_epoch = excluded.new_epoch",
                [
                    *(cursor.epoch, cursor.owner, cursor.cursor, cursor.cursor_id),
                    *(cursor.tail, int(cursor.new_epoch)),
                ],
            )
            for seq in cleared:
                self._db.execute(
                    "delete from exceptions where epoch = ? and seq = ?", [cursor.epoch, seq]
                )
            for seq, mark in (marked or {}).items():
                self._db.execute(
                    "insert into exceptions (epoch, seq, verdict, code, at_ms) "
                    "values (?, ?, ?, ?, ?) on conflict (epoch, seq) do update set "
                    "verdict = excluded.verdict, code = excluded.code, at_ms = excluded.at_ms",
                    [cursor.epoch, seq, mark.verdict, mark.code, mark.at_ms],
                )
            # A rewound cursor takes back what was given up beyond it.
            self._db.execute(
                "delete from lost where epoch = ? and first > ?", [cursor.epoch, cursor.cursor]
            )
            self._db.execute(
                "update lost set last = ? where epoch = ? and last > ?",
                [cursor.cursor, cursor.epoch, cursor.cursor],
            )
            if lost:
                self._db.execute(
                    "insert into lost (epoch, first, last) values (?, ?, ?) "
                    "on conflict (epoch, first) do update set last = excluded.last",
                    [cursor.epoch, *lost],
                )

    def exceptions(self, epoch: str) -> dict[int, Marked]:
        """By seq, what is not counted or kept back."""
        return _exceptions(self._db, epoch)

    def known(self) -> list[Cursor]:
        """Every epoch ever met."""
        rows = self._db.execute("select epoch from epochs order by epoch").fetchall()
        return [self.cursor(row[0]) for row in rows]

    # --- clocks -----------------------------------------------------------------------------------

    def learn_clock(self, boot: str, offset_ms: int, at_ms: int) -> None:
        """Note what a boot's boottime has to be added to: synchronised wall ms minus boottime."""
        known = self._db.execute("select offset_ms from clocks where boot = ?", [boot]).fetchone()
        # A second's drift is not worth a write to flash.
        if known and abs(known[0] - offset_ms) < 1000:
            return
        with writing(self._db):
            self._db.execute(
                "insert into clocks (boot, offset_ms, at_ms) values (?, ?, ?) on conflict (boot) "
                "do update set offset_ms = excluded.offset_ms, at_ms = excluded.at_ms",
                [boot, offset_ms, at_ms],
            )
            self._db.execute(
                "delete from clocks where boot not in "
                "(select boot from clocks order by at_ms desc limit ?)",
                [BOOTS_KEPT],
            )

    def clocks(self) -> dict[str, int]:
        """Per boot id, what to add to its boottime, ms."""
        return dict(self._db.execute("select boot, offset_ms from clocks").fetchall())


@dataclass(frozen=True)
class Book:
    """What sync.db says about one epoch, read in one transaction."""

    cursor: Cursor
    exceptions: dict[int, Marked]
    lost: int


class SyncReader:
    """The reading end, for the ledger; an absent sync.db reads as empty."""

    def __init__(self, path: Path) -> None:
        self._db: Database | None = None
        if path.exists():
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5, isolation_level=None
            )
            self._db = Database(connection, execute_plugins=False)

    def book(self, epoch: str) -> Book:
        """Cursor, exceptions and losses of an epoch, of one moment."""
        db = self._db
        if db is None:
            return Book(Cursor(epoch), {}, 0)
        db.execute("begin")
        try:
            (lost,) = db.execute(
                "select coalesce(sum(last - first + 1), 0) from lost where epoch = ?", [epoch]
            ).fetchone()
            return Book(_cursor(db, epoch), _exceptions(db, epoch), int(lost))
        finally:
            db.rollback()

    def epochs(self) -> list[str]:
        """Every epoch ever met."""
        if self._db is None:
            return []
        return [row[0] for row in self._db.execute("select epoch from epochs").fetchall()]

    def close(self) -> None:
        """Close."""
        if self._db is not None:
            self._db.close()


def _open(path: Path) -> Database:
    if not path.exists():
        path.touch(mode=0o660)
        path.chmod(0o660)
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    try:
        db = Database(connection, execute_plugins=False)
        db.execute("pragma journal_mode=wal").fetchone()
        db.execute("pragma synchronous=full")
        found = db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"sync.db: {found}")
        db.executescript(SCHEMA)
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        raise
    return db


def _cursor(db: Database, epoch: str) -> Cursor:
    found = db.execute(
        "select owner, cursor, cursor_id, tail, new_epoch from epochs where epoch = ?", [epoch]
    ).fetchone()
    return Cursor(epoch, *found[:4], bool(found[4])) if found else Cursor(epoch)


def _exceptions(db: Database, epoch: str) -> dict[int, Marked]:
    rows = db.execute(
        "select seq, verdict, code, at_ms from exceptions where epoch = ?", [epoch]
    ).fetchall()
    return {row[0]: Marked(*row[1:]) for row in rows}
