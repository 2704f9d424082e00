"""An installation for drills of the centre: its database, its processes, and couriers."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from sync.collector import local, maintenance
from sync.collector.store import open_reader, open_store
from sync.contract import bundle as bundles
from tests.drills.centre.process import LONG_S, Process, until
from tests.faults.house import House, free_port

MIGRATING = threading.Lock()
"""Alembic's context is one for the whole process, and several rows are tried at once."""


class Site(House):
    """A house whose centre is forked, as often as wanted, also several on one database."""

    def __init__(self, folder: Path, *, weakened: str = "", **options: Any) -> None:
        super().__init__(folder, **options)
        self.weakened = weakened
        self.processes: list[Process] = []
        self.ports = [self.port]
        self.most_mb = 0
        """The most memory a centre had."""

    @property
    def sqlite(self) -> bool:
        """Which of the two databases it is."""
        return self.database.startswith("sqlite")

    @property
    def urls(self) -> list[str]:
        """Where centres listen."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def serve(self, port: int) -> Process:
        """Start a centre; it may not answer yet, or never."""
        words = ("serve", "--database", self.database, "--port", str(port))
        found = Process(words, self.folder / "centre.log", self.weakened)
        self.processes.append(found)
        return found

    def start_centre(self) -> Process:  # type: ignore[override]
        """Start the centre and wait until it can store batches."""
        found = self.serve(self.port)
        self._centre = found  # type: ignore[assignment]
        self.ready(self.port, found)
        return found

    def another(self) -> Process:
        """A further centre on the same database, with a port of its own."""
        self.ports.append(free_port())
        found = self.serve(self.ports[-1])
        self.ready(self.ports[-1], found)
        return found

    def ready(self, port: int, process: Process) -> None:
        """Wait until a centre says it is ready. Raises AssertionError."""
        deadline = time.monotonic() + LONG_S
        while not is_ready(port):
            ended = process.ended
            if ended is not None or time.monotonic() > deadline:
                raise AssertionError(f"the centre is not ready ({ended}): {process.said()[-2000:]}")
            time.sleep(0.02)

    def open(self) -> Site:
        """As House.open, in this process where a command needs none of its own."""
        with MIGRATING, open_store(self.database, fresh=True) as store:
            public = bundles.key_text(self._operator.public_key())
            local.add_operator(store, "drill", public)
        self.start_centre()
        self.publish()
        return self

    def command(self, *words: str, gate: Path | None = None) -> Process:
        """Start a command of `hymio collector` on this database."""
        line = (words[0], "--database", self.database, *words[1:])
        found = Process(line, self.folder / "command.log", self.weakened, gate=gate)
        self.processes.append(found)
        return found

    def connections(self) -> int:
        """Connections of centres and commands to a PostgreSQL database."""
        found = self.rows(
            "select count(*) from pg_stat_activity"
            " where application_name = 'hymio' and datname = current_database()"
        )
        return int(found[0][0])

    def settle(self) -> None:
        """Wait until PostgreSQL has noticed that a centre was killed."""
        if not self.sqlite:
            until(lambda: self.connections() == 0, "the killed centre's connections end")

    def watch(self) -> None:
        """Note how much memory the centres have taken."""
        for process in self.processes:
            with contextlib.suppress(OSError, StopIteration):
                self.most_mb = max(self.most_mb, process.memory_mb())

    def said(self) -> str:
        """What all centres wrote."""
        log = self.folder / "centre.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def differences(self) -> list[str]:
        """What `hymio collector verify` finds."""
        store = open_reader(self.database)
        try:
            found: list[str] = maintenance.verify(store)["differences"]
        finally:
            store.close()
        return found

    def execute(self, statement: str, *values: object) -> None:
        """Do something to the database behind the centre's back."""
        if self.sqlite:
            file = self.database.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(file, timeout=30)) as db, db:
                db.execute(statement, values)
        else:
            import psycopg

            with psycopg.connect(self.database, autocommit=True) as connection:
                connection.execute(statement.replace("?", "%s"), values)

    def close(self) -> None:
        """End every process."""
        self.watch()
        for process in self.processes:
            if process.ended is None:
                process.kill()
        self.processes.clear()
        super().close()


def is_ready(port: int, timeout_s: float = 5) -> bool:
    """What a load balancer sees."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=timeout_s).status_code == 200
    except requests.RequestException:
        return False


@contextlib.contextmanager
def site(folder: Path, **options: Any) -> Iterator[Site]:
    """An opened site, closed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Site(folder, **options)
    try:
        yield found.open()
    finally:
        found.close()
