"""The naive reference sync: an outbox table, requests, uvicorn, one SQLite table.

gzip and 500 records a batch; no signatures, no validation, no derived tables. What a careful
engineer would write in an afternoon, and what ours is measured against.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import requests

BATCH = 500
START_TIMEOUT_S = 20.0
Message = MutableMapping[str, Any]


def outbox(path: Path) -> None:
    """Make an empty outbox."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("pragma journal_mode=wal")
        db.execute(
            "create table records (seq integer primary key autoincrement, id text unique, rec text)"
        )
        db.execute("create table cursor (seq integer not null)")
        db.execute("insert into cursor values (0)")


def add(path: Path, rows: list[tuple[str, str]]) -> None:
    """Put rows of (id, record as JSON text) into an outbox."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executemany("insert into records (id, rec) values (?, ?)", rows)


def send(path: Path, url: str) -> int:
    """Send everything in the outbox; returns the number of records acknowledged."""
    sent = 0
    with contextlib.closing(sqlite3.connect(path)) as db, requests.Session() as session:
        while True:
            (cursor,) = db.execute("select seq from cursor").fetchone()
            rows = db.execute(
                "select seq, id, rec from records where seq > ? order by seq limit ?",
                (cursor, BATCH),
            ).fetchall()
            if not rows:
                return sent
            items = [{"seq": seq, "id": ident, "rec": rec} for seq, ident, rec in rows]
            reply = session.post(
                url,
                data=gzip.compress(json.dumps({"items": items}).encode(), 6),
                headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
                timeout=30,
            )
            reply.raise_for_status()
            with db:
                db.execute("update cursor set seq = ?", (reply.json()["have"],))
            sent += len(rows)


def stored(path: Path) -> int:
    """Records at the centre."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return int(db.execute("select count(*) from records").fetchone()[0])


class Centre:
    """The other end, as an ASGI application over one table."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.execute("create table if not exists records (id text primary key, seq, rec text)")
        self._db.commit()

    def store(self, body: bytes) -> bytes:
        """Store one batch and answer the highest seq in it."""
        items = json.loads(gzip.decompress(body))["items"]
        with self._db:
            self._db.executemany(
                "insert or ignore into records values (?, ?, ?)",
                [(item["id"], item["seq"], item["rec"]) for item in items],
            )
        return json.dumps({"have": items[-1]["seq"]}).encode()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """One POST."""
        if scope["type"] != "http":
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        reply = self.store(bytes(body))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})


@contextlib.contextmanager
def serving(path: Path, log: Path) -> Iterator[tuple[str, int]]:
    """Run the naive centre in a child process; gives its URL and its process id."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.naive", str(path)],
            stdout=subprocess.PIPE,
            stderr=out,
            cwd=Path(__file__).parents[2],
        )
    try:
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        text, deadline = b"", time.monotonic() + START_TIMEOUT_S
        while b"\n" not in text:
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the naive centre does not start: {log.read_text()}")
            text += child.stdout.read() or b""
            time.sleep(0.02)
        yield text.decode().split()[-1], child.pid
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(10)
        if child.stdout:
            child.stdout.close()


def main() -> None:
    """Serve on an ephemeral port and print the address."""
    import socket

    import uvicorn

    # asyncio sets TCP_NODELAY only on sockets whose protocol is named; without it every reply
    # waits 40 ms for a delayed ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Centre(Path(sys.argv[1])), log_level="warning"))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
