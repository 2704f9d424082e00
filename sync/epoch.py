"""One epoch: one SQLite file of records, how it is made, opened, written and read.

`records(seq, id, rec, sha256)`: `rec` is the frozen JSON, `sha256` is over it and is checked again
before sending. `seq` never runs backwards and never skips (AUTOINCREMENT, plain INSERT only), so a
gap is a loss and nothing else. There is no state per row.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlite_utils import Database

from sync.datadir import sync_dir

BUSY_S: Final = 5.0
"""How long to wait for a reader that recovers the WAL."""
CHECKPOINT_PAGES: Final = 1000
"""WAL pages after which a commit copies them by itself; normally tending has done so before."""
SCHEMA: Final = """
create table records (
  seq integer primary key autoincrement,
  id text not null unique,
  rec blob not null,
  sha256 text not null
);
create table meta (key text primary key, value text not null) without rowid;
"""
# The flash page and SQLite's own default; one commit writes three or four of them.
PAGE_BYTES: Final = 4096
LOOK_AT: Final = 500
"""Rows that are read at once when pruning."""
Dated = Callable[[str, bytes], bool]
"""Whether the time in an id is when its record was made."""


class Row(NamedTuple):
    """One stored record."""

    seq: int
    id: str
    rec: bytes
    sha256: str

    @property
    def whole(self) -> bool:
        """Whether the bytes are still those that were hashed."""
        return hashlib.sha256(self.rec).hexdigest() == self.sha256


class New(NamedTuple):
    """One record to store; its seq comes from SQLite."""

    id: str
    rec: bytes
    sha256: str


class DurabilityError(sqlite3.DatabaseError):
    """SQLite did not take WAL with synchronous=FULL, without which nothing here is durable."""


def _connect(path: Path) -> Database:
    # isolation_level None: a statement commits by itself, transactions are always explicit.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None
    )
    try:
        db = Database(connection, execute_plugins=False)
        mode = db.execute("pragma journal_mode=wal").fetchone()[0]
        db.execute("pragma synchronous=full")
        level = db.execute("pragma synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise DurabilityError(f"journal_mode {mode}, synchronous {level} in {path.name}")
        db.execute(f"pragma wal_autocheckpoint={CHECKPOINT_PAGES}").fetchone()
    except BaseException:
        connection.close()
        raise
    return db


def build(path: Path, meta: dict[str, str], rows: Iterable[Row] = (), tail: int = 0) -> None:
    """Make a whole epoch file and put it in its place by rename, durable before it returns.

    `rows` are salvaged ones in order, at their own seq; `tail` the highest seq that was ever
    assigned. Raises sqlite3.Error, OSError.
    """
    raw = path.with_name(f".new-{path.name}")
    for name in ("", "-wal", "-shm", "-journal"):
        raw.with_name(raw.name + name).unlink(missing_ok=True)
    raw.touch(mode=0o660)
    raw.chmod(0o660)
    db = _connect(raw)
    try:
        db.executescript(SCHEMA)
        with writing(db):
            for item in meta.items():
                db.execute("insert into meta (key, value) values (?, ?)", item)
            last = 0
            for row in rows:
                db.execute("insert into records (seq, id, rec, sha256) values (?, ?, ?, ?)", row)
                last = row.seq
            if tail > last:
                db.execute("delete from sqlite_sequence where name = 'records'")
                db.execute("insert into sqlite_sequence (name, seq) values ('records', ?)", [tail])
        db.execute("pragma wal_checkpoint(truncate)").fetchone()
    finally:
        db.close()
    raw.replace(path)
    sync_dir(path.parent)


@contextlib.contextmanager
def writing(db: Database) -> Iterator[None]:
    """A transaction that takes its lock at once; `Database.atomic` would begin deferred."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.rollback()
        raise


class EpochFile:
    """The writing end of one epoch's file. The caller holds the outbox's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = _connect(path)

    @property
    def epoch(self) -> str:
        """The epoch's id, which is the file's name."""
        return self.path.stem

    def meta(self) -> dict[str, str]:
        """What is noted about the epoch."""
        return dict(self._db.execute("select key, value from meta").fetchall())

    def check(self) -> None:
        """Raise sqlite3.DatabaseError when the file is not sound or not an outbox."""
        found = self._db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"{self.path.name}: {found}")
        # A name mistyped or a table dropped must not pass for an empty outbox.
        self._db.execute("select seq, id, rec, sha256 from records limit 1").fetchall()
        self._db.execute("select key, value from meta limit 1").fetchall()

    def append(self, rows: Sequence[New]) -> None:
        """Store records, all or none, durable before it returns. Raises sqlite3.Error."""
        if len(rows) == 1:
            self._insert(rows[0])
            return
        with writing(self._db):
            for row in rows:
                self._insert(row)

    def append_again(self, rows: Sequence[New]) -> None:
        """Store what an attempt of unknown outcome may have stored already.

        An id that is there with the same hash was stored. Raises sqlite3.IntegrityError when it
        is there with another one, sqlite3.Error.
        """
        with writing(self._db):
            for row in rows:
                try:
                    self._insert(row)
                except sqlite3.IntegrityError:
                    if not self._has(row):
                        raise
        # After a failed fsync the kernel may hold the WAL for clean: write it out another way.
        self.checkpoint()

    def put_back(self, rows: Sequence[Row]) -> None:
        """Store rows found elsewhere at the positions they had; one that is there stays.

        Raises sqlite3.Error.
        """
        with writing(self._db):
            for row in rows:
                try:
                    self._db.execute(
                        "insert into records (seq, id, rec, sha256) values (?, ?, ?, ?)", row
                    )
                except sqlite3.IntegrityError:
                    if not self._has(row):
                        raise
        self.checkpoint()

    def _has(self, row: New | Row) -> bool:
        found = self._db.execute("select sha256 from records where id = ?", [row.id]).fetchone()
        return bool(found == (row.sha256,))

    def _insert(self, row: New) -> None:
        # Never "or ignore", upsert or replace: they burn or move a seq and fake a gap.
        self._db.execute("insert into records (id, rec, sha256) values (?, ?, ?)", row)

    def checkpoint(self) -> bool:
        """Copy the WAL into the file; False when a reader kept part of it. Raises sqlite3.Error.

        The WAL keeps its length and is written over from its start: a commit that need not
        lengthen a file is a third faster.
        """
        _, pages, copied = self._db.execute("pragma wal_checkpoint(passive)").fetchone()
        return bool(pages == copied)

    def prune(
        self,
        up_to: int,
        before_id: str,
        keep: Collection[int],
        limit: int,
        dated: Dated = lambda *_: True,
    ) -> int:
        """Delete at most `limit` of the oldest rows that lie at or below seq `up_to` and are older
        than `before_id`, except the seqs in `keep`; how many went.

        A row is that old whose id (a UUIDv7, so a time) is below `before_id`, and every row before
        such a one. `dated` says of an id and its record whether that time can be believed.
        """
        with writing(self._db):
            seqs: list[int] = []
            for seq in self._older(up_to, before_id, limit + len(keep), dated):
                if len(seqs) == limit:
                    break
                if seq not in keep:
                    seqs.append(seq)
            for seq in seqs:
                self._db.execute("delete from records where seq = ?", [seq])
        return len(seqs)

    def _older(self, up_to: int, before_id: str, enough: int, dated: Dated) -> Iterator[int]:
        """The seqs of the oldest rows that are older than an id, `enough` of them or more."""
        given = after = 0
        undated: list[int] = []
        while given < enough:
            rows = self._db.execute(
                "select seq, id, rec from records where seq > ? and seq <= ? order by seq limit ?",
                [after, up_to, LOOK_AT],
            ).fetchall()
            for seq, ident, rec in rows:
                undated.append(seq)
                if not dated(ident, rec):
                    continue
                if ident >= before_id:
                    return
                # Whatever lies before it was made before it.
                yield from undated
                given += len(undated)
                undated.clear()
            if len(rows) < LOOK_AT:
                return
            after = rows[-1][0]

    def tail(self) -> int:
        """The highest seq ever assigned: the AUTOINCREMENT value."""
        return _tail(self._db)

    def last(self, limit: int) -> list[Row]:
        """The newest rows, oldest first."""
        rows = self._db.execute(
            "select seq, id, rec, sha256 from records order by seq desc limit ?", [limit]
        ).fetchall()
        return [Row(*row) for row in reversed(rows)]

    def used_bytes(self) -> int:
        """Bytes in use: free pages inside the file count as free.

        The WAL keeps its length when its pages have been copied, so up to its normal length it
        counts as nothing; what a stuck reader makes it grow beyond that counts.
        """
        pages, free, size = (
            self._db.execute(f"pragma {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        wal = self.path.with_name(self.path.name + "-wal")
        try:
            waiting = max(0, wal.stat().st_size - 2 * CHECKPOINT_PAGES * size)
        except OSError:
            waiting = 0
        return int((pages - free) * size + waiting)

    def close(self) -> None:
        """Close; the last one out also empties the WAL."""
        self._db.close()


class EpochReader:
    """The reading end, for the sender and the ledger: opens `mode=ro`, never checkpoints.

    Every method reads its rows to the end: a half-read query would pin the WAL.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None
        )
        self._db = Database(connection, execute_plugins=False)

    def __enter__(self) -> EpochReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def epoch(self) -> str:
        """The epoch's id, which is the file's name."""
        return self.path.stem

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment, whatever is written meanwhile."""
        self._db.execute("begin")
        try:
            yield
        finally:
            self._db.execute("rollback")

    def settle(self) -> None:
        """Make durable what was read: a terminal killed in a commit may not have.

        Raises sqlite3.OperationalError.
        """
        try:
            with self.path.with_name(f"{self.path.name}-wal").open("rb") as wal:
                os.fsync(wal.fileno())
            sync_dir(self.path.parent)
        except FileNotFoundError:
            # All of it is in the file.
            return
        except OSError as error:
            raise sqlite3.OperationalError(f"{self.path.name}-wal: {error}") from error

    def tail(self) -> int:
        """The highest seq ever assigned: the AUTOINCREMENT value."""
        return _tail(self._db)

    def rows(self, after: int, limit: int) -> list[Row]:
        """Up to `limit` rows beyond a seq, in order, hashes not yet checked."""
        return [
            Row(*row)
            for row in self._db.execute(
                "select seq, id, rec, sha256 from records where seq > ? order by seq limit ?",
                [after, limit],
            ).fetchall()
        ]

    def row(self, seq: int) -> Row | None:
        """The row at a position."""
        found = self._db.execute(
            "select seq, id, rec, sha256 from records where seq = ?", [seq]
        ).fetchone()
        return Row(*found) if found else None

    def id_at(self, seq: int) -> str | None:
        """The id of the record at a position."""
        found = self._db.execute("select id from records where seq = ?", [seq]).fetchone()
        return str(found[0]) if found else None

    def after(self, seq: int) -> tuple[int, str | None]:
        """How many rows lie beyond a seq, and the id of the first of them."""
        (count, first) = self._db.execute(
            "select count(*), min(seq) from records where seq > ?", [seq]
        ).fetchone()
        return int(count), None if first is None else self.id_at(first)

    def between(self, after: int, up_to: int) -> int:
        """How many rows lie beyond one seq and not beyond another."""
        (count,) = self._db.execute(
            "select count(*) from records where seq > ? and seq <= ?", [after, up_to]
        ).fetchone()
        return int(count)

    def missing(self, seq: int) -> int:
        """How many of the seqs assigned beyond one hold no row: damage took them."""
        (found,) = self._db.execute(
            "select (select coalesce(max(seq), 0) from sqlite_sequence where name = 'records')"
            " - ? - (select count(*) from records where seq > ?)",
            [seq, seq],
        ).fetchone()
        return max(0, int(found))

    def close(self) -> None:
        """Close."""
        self._db.close()


def _tail(db: Database) -> int:
    found = db.execute("select seq from sqlite_sequence where name = 'records'").fetchone()
    return int(found[0]) if found else 0


def id_ms(ident: str) -> int:
    """The time in a UUIDv7, ms since 1970; 0 for another id."""
    try:
        return int(ident[:8] + ident[9:13], 16) if ident[14:15] == "7" else 0
    except ValueError:
        return 0


def id_floor(ms: int) -> str:
    """What every UUIDv7 made at `ms` or later sorts at or after."""
    text = f"{max(0, ms) & (2**48 - 1):012x}"
    return f"{text[:8]}-{text[8:]}"
