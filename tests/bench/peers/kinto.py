"""Kinto fed through its batch endpoint, by a device that keeps an outbox table and a cursor.

Its server is as it comes (waitress, 25 requests a batch), without accounts: anybody may write, so
that no password is hashed on the way.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from tests.bench import naive
from tests.bench.peers import PeerMissing, python
from tests.faults.house import free_port

BATCH = 25
START_S = 60.0
COLLECTION = "/buckets/county/collections/answers"
SETTINGS = """\
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.{backend}
kinto.permission_backend = kinto.core.permission.{backend}
kinto.cache_backend = kinto.core.cache.memory
kinto.storage_url = {database}
kinto.permission_url = {database}
kinto.userid_hmac_secret = measuring
kinto.bucket_create_principals = system.Everyone
kinto.bucket_write_principals = system.Everyone
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = ERROR
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""


class Kinto:
    """Both ends; on PostgreSQL with a database's URL, else in memory. Raises PeerMissing."""

    def __init__(self, folder: Path, database: str = "", pids: Sequence[int] = ()) -> None:
        self.name = f"Kinto, {'on PostgreSQL' if database else 'in memory'}"
        kept = "PostgreSQL's COMMIT, fsync=on" if database else "its default store, nothing on disk"
        self.note = f"{kept}; {BATCH} a batch, as it comes"
        # It takes seconds where others take tenths: part of each round's records.
        self.share = 0.05 if database else 0.2
        program = python().with_name("kinto")
        folder.mkdir(parents=True)
        port = free_port()
        self._base = f"http://127.0.0.1:{port}/v1"
        self._box = folder / "outbox.db"
        naive.outbox(self._box)
        settings = folder / "kinto.ini"
        backend = "postgresql" if database else "memory"
        settings.write_text(SETTINGS.format(backend=backend, database=database, port=port))
        self._log = (folder / "log").open("ab")
        self._session = requests.Session()
        self._session.trust_env = False
        if database:
            words = [str(program), "migrate", "--ini", str(settings)]
            subprocess.run(words, stdout=self._log, stderr=self._log, check=True, timeout=120)
        self._child = subprocess.Popen(
            [str(program), "start", "--ini", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self._begin(folder / "log")
        except BaseException:
            self.close()
            raise
        self.pids = [self._child.pid, *pids]

    def _begin(self, log: Path) -> None:
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(requests.RequestException):
                if self._session.get(f"{self._base}/", timeout=5).ok:
                    break
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise PeerMissing(f"Kinto does not run: {log.read_text().strip()[-200:]}")
            time.sleep(0.05)
        for path in ("/buckets/county", COLLECTION):
            self._session.put(f"{self._base}{path}", timeout=30).raise_for_status()

    def add(self, made: Sequence[Record]) -> None:
        """Put records into the outbox."""
        naive.add(self._box, [(uuid7(), freeze(record).decode()) for record in made])

    def send(self) -> tuple[int, float]:
        """Send all there is; records and seconds."""
        began, sent = time.perf_counter(), 0
        with contextlib.closing(sqlite3.connect(self._box)) as db:
            while True:
                (cursor,) = db.execute("select seq from cursor").fetchone()
                rows = db.execute(
                    "select seq, id, rec from records where seq > ? order by seq limit ?",
                    (cursor, BATCH),
                ).fetchall()
                if not rows:
                    return sent, time.perf_counter() - began
                self._post(rows)
                with db:
                    db.execute("update cursor set seq = ?", (rows[-1][0],))
                sent += len(rows)

    def _post(self, rows: Sequence[tuple[int, str, str]]) -> None:
        asked = [
            {"path": f"{COLLECTION}/records/{ident}", "body": {"data": json.loads(text)}}
            for _, ident, text in rows
        ]
        words = {"defaults": {"method": "PUT"}, "requests": asked}
        reply = self._session.post(f"{self._base}/batch", json=words, timeout=120)
        reply.raise_for_status()
        bad = [one for one in reply.json()["responses"] if one["status"] != 201]
        assert not bad, bad[0]

    def stored(self) -> int:
        """Records at the centre."""
        reply = self._session.head(f"{self._base}{COLLECTION}/records", timeout=30)
        return int(reply.headers.get("Total-Records", -1))

    def close(self) -> None:
        """End its server."""
        self._session.close()
        self._child.kill()
        self._child.wait()
        self._log.close()
