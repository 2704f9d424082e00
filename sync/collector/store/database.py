"""One centre's database: SQLite with one writer connection, or PostgreSQL with a pool.

StoreError
├── DatabaseLockedError   another process holds the SQLite file for writing
├── SchemaError           the schema is not this program's
├── UnreachableError      no such file, no server
└── NotAcknowledgedError  the server warned around COMMIT: not to be called durable
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from sync.collector.store.tx import Tx

T = TypeVar("T")

RETRIES: Final = 6
"""Attempts at a transaction that lost a deadlock or a serialisation race."""
_RETRIED: Final = ("40P01", "40001")
READY_TIMEOUT_S: Final = 5


class StoreError(Exception):
    """The database cannot do what was asked."""


class DatabaseLockedError(StoreError):
    """Another process writes this SQLite file; SQLite's writers must be one."""


class SchemaError(StoreError):
    """The database's schema is older or newer than this program."""


class UnreachableError(StoreError):
    """There is no such database, or its server does not answer."""


class NotAcknowledgedError(StoreError):
    """COMMIT returned with a warning: the standby may lack it, so it is not acknowledged."""


def normalise(url: str) -> sa.URL:
    """Read `sqlite:///path.db`, a bare path, or `postgresql://...` as a URL.

    Raises StoreError for anything else.
    """
    if "://" not in url:
        if not url.strip():
            raise StoreError("the database is empty: give a path or postgresql://...")
        return sa.URL.create("sqlite", database=url)
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError(f"not a database URL: {error}") from None
    backend = found.drivername.split("+")[0]
    if backend == "sqlite":
        if not found.database:
            raise StoreError("the SQLite URL names no file")
        return sa.URL.create("sqlite", database=found.database)
    if backend in ("postgresql", "postgres"):
        return found.set(drivername="postgresql+psycopg")
    raise StoreError(f"{backend!r} is no database Hymiö knows: use SQLite or PostgreSQL")


class Store:
    """The database of a centre. `begin` writes, `reader` reads.

    With `write=True` a SQLite file is locked for this process (DatabaseLockedError when another
    has it); reports open it with `write=False` and can never write.
    """

    def __init__(
        self, url: str, *, write: bool = True, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = normalise(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._sleep = sleep
        self._mutex = threading.RLock()
        self._lock: int | None = None
        self._notices = threading.local()
        if self.sqlite:
            self.path = self.path_of(url)
            self.reader = self._sqlite_reader()
            self._writer = self._sqlite_writer() if write else None
        else:
            self.reader = self._postgres(read_only=True)
            self._writer = self._postgres(read_only=False) if write else None

    @staticmethod
    def path_of(url: str) -> Path:
        """The file of a SQLite database."""
        return Path(str(normalise(url).database)).absolute()

    # --- opening ----------------------------------------------------------------------------------

    def _sqlite_writer(self) -> sa.Engine:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise DatabaseLockedError(
                f"{self.path} is being written by another process (a running centre?);"
                " end it first, SQLite takes one writer"
            ) from None
        self._lock = lock

        def connect() -> sqlite3.Connection:
            db = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            db.execute("pragma journal_mode=wal")
            # An acknowledgement promises the disk has it.
            db.execute("pragma synchronous=full")
            db.execute("pragma cache_size=-65536")
            db.execute("pragma wal_autocheckpoint=4000")
            db.execute("pragma temp_store=memory")
            return db

        engine = sa.create_engine("sqlite://", creator=connect, poolclass=StaticPool)
        sa.event.listen(engine, "begin", _begin_immediate)
        return engine

    def _sqlite_reader(self) -> sa.Engine:
        def connect() -> sqlite3.Connection:
            try:
                db = sqlite3.connect(
                    f"{self.path.as_uri()}?mode=ro", uri=True, check_same_thread=False
                )
            except sqlite3.OperationalError as error:
                raise UnreachableError(f"{self.path}: {error}") from None
            db.execute("pragma busy_timeout=5000")
            return db

        return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool)

    def _postgres(self, *, read_only: bool) -> sa.Engine:
        options = "-c default_transaction_read_only=on" if read_only else "-c lock_timeout=30s"
        engine = sa.create_engine(
            self.url,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={
                "options": options,
                "connect_timeout": READY_TIMEOUT_S,
                "application_name": "hymio",
            },
        )
        if not read_only:
            sa.event.listen(engine, "connect", self._listen)
        return engine

    def _listen(self, connection: Any, _record: object) -> None:
        connection.add_notice_handler(self._notice)

    def _notice(self, notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._notices.seen = str(notice.message_primary)

    # --- using ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A writing transaction: committed at the end, rolled back by an exception.

        On SQLite callers take turns. Raises NotAcknowledgedError when COMMIT came with a warning.
        """
        if self._writer is None:
            raise StoreError("this store was opened for reading")
        with self._mutex if self.sqlite else contextlib.nullcontext():
            with self._writer.connect() as connection:
                transaction = connection.begin()
                self._notices.seen = ""
                try:
                    yield connection
                except BaseException:
                    transaction.rollback()
                    raise
                self._notices.seen = ""
                transaction.commit()
            if self._notices.seen:
                raise NotAcknowledgedError(self._notices.seen)

    @contextlib.contextmanager
    def tx(self) -> Iterator[Tx]:
        """`begin`, with the plain SQL of `Tx` on top."""
        with self.begin() as connection:
            yield Tx(connection)

    def transact(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction, again when a deadlock or a race undid it."""
        for attempt in range(1, RETRIES + 1):
            try:
                with self.tx() as tx:
                    return work(tx)
            except Exception as error:
                if attempt == RETRIES or _sqlstate(error) not in _RETRIED:
                    raise
                self._sleep(0.01 * 2**attempt)
        raise AssertionError("unreachable")

    def read(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """A read-only connection."""
        return self.reader.connect()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A read-only connection that sees one moment, however long it reads."""
        with self.reader.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("begin")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def writable(self) -> bool:
        """Whether a transaction can be written now; the mark it makes is its own proof."""
        try:
            with self.tx() as tx:
                tx.run(
                    "insert into meta(key, value) values ('ready', '') "
                    "on conflict (key) do update set value = excluded.value"
                )
        except Exception:  # noqa: BLE001 - whatever the reason, the answer is no
            return False
        return True

    def engine(self) -> sa.Engine:
        """The writing engine, for migrations."""
        if self._writer is None:
            raise StoreError("this store was opened for reading")
        return self._writer

    def close(self) -> None:
        """Close every connection and give the file free."""
        self.reader.dispose()
        if self._writer is not None:
            self._writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _begin_immediate(connection: sa.Connection) -> None:
    # A deferred transaction that upgrades from reading can fail half-way.
    connection.exec_driver_sql("begin immediate")


def _sqlstate(error: BaseException) -> str:
    original = getattr(error, "orig", error)
    return str(getattr(original, "sqlstate", "") or "")


def described(error: BaseException) -> str:
    """What a database error says, without the statement and without a password."""
    text = str(getattr(error, "orig", error)).strip().splitlines()
    return re.sub(r"://[^@\s]+@", "://", text[0]) if text else type(error).__name__
