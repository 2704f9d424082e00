"""A terminal, its sender and a real centre in one process: what a device's disk is tried with."""

from __future__ import annotations

import contextlib
import gzip
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.recorder import Recorder, RecorderError
from sync.clock import Clock
from sync.collector.app import Centre
from sync.collector.reading import RefusedError, prepare
from sync.collector.store import open_store
from sync.contract import code as codes
from sync.contract import wire
from sync.contract.bundle import Storage, key_text
from sync.contract.ids import uuid7
from sync.contract.records import Record
from sync.contract.signing import content_digest
from sync.datadir import DataDir, read_json, write_json
from sync.ledger import Line, ledger
from sync.link import Reply
from sync.outbox import Outbox
from sync.sender import Sender
from tests.bench.samples import records
from tests.faults.checkers import missing_or_doubled, unbalanced

CODE = "K7QM4T2P9XWB"
WALL_MS = 4_000_000_000_000
"""So far ahead of the ids that whatever the centre has is old enough to be pruned."""
Post = Callable[[str, bytes, str], tuple[int, bytes, str]]
"""Path, body and public key → status, body, digest."""


class House:
    """A centre on SQLite with one device's code."""

    def __init__(self, file: Path, *, fresh: bool = True) -> None:
        self.store = open_store(str(file), fresh=fresh)
        self.centre = Centre(self.store, now=lambda: 1.8e9, clock=lambda: 1000.0)
        if fresh:
            with self.store.tx() as tx:
                tx.run("insert into devices(id, name, location) values ('d1', 'd1', '')")
                tx.run(
                    "insert into codes(code_sha256, device, expires_ms, created_ms)"
                    " values (?, 'd1', ?, 0)",
                    (codes.sha256(CODE), 2**52),
                )

    def post(self, path: str, body: bytes, public: str) -> tuple[int, bytes, str]:
        """Answer a request as the centre's server does."""
        digest = content_digest(gzip.compress(body, mtime=0))
        try:
            if path == "/v1/enrol":
                request = msgspec.json.decode(body, type=wire.EnrolRequest)
                answer: Any = self.centre.devices.enrol(request, public)
            else:
                answer, _ = self.centre.ingest.take(public, prepare(body, digest))
        except RefusedError as error:
            status = wire.PROBLEM_CODES[error.code]
            return status, msgspec.json.encode(wire.Problem("urn:x", "x", status, error.code)), ""
        return 200, msgspec.json.encode(answer), digest

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Id, epoch, seq and fork of everything stored; of an epoch in the order it was made."""
        with self.store.tx() as tx:
            found = tx.rows("select id, epoch, seq, fork from records order by epoch, fork, seq")
            return [tuple(row) for row in found]  # type: ignore[misc]

    def ids(self) -> list[str]:
        """The ids of everything stored."""
        return [row[0] for row in self.rows()]


class Wire:
    """A Link that asks a function."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(self, *_: Any, **__: Any) -> Wire:
        return self

    def post(self, path: str, body: bytes, key: Ed25519PrivateKey) -> Reply:
        status, answer, digest = self._post(path, body, key_text(key.public_key()))
        return Reply(status, {}, answer, digest)

    def get(self, *_: Any) -> Reply:
        return Reply(404, {}, b"", "")

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


class Device:
    """A data directory with its terminal and sender."""

    def __init__(
        self,
        root: Path,
        post: Post,
        *,
        machine: str = "m1",
        made: list[str] | None = None,
        ballast_mb: int = 0,
        small_mb: int = 256,
    ) -> None:
        self.data = DataDir(root)
        self._post, self._machine, self.now = post, machine, 1000.0
        self.made: list[str] = [] if made is None else made
        """Every id there ever was, in order."""
        self.acknowledged: list[str] = []
        self._storage = Storage(ballast_mb=ballast_mb, keep_days=1, max_mb=small_mb)
        self._seed = len(self.made) + 1
        self._trying: list[Record] = []
        self.recorder: Recorder | None = None
        self.sender: Sender | None = None

    def _clock(self) -> Clock:
        return Clock(
            wall_ns=lambda: WALL_MS * 1_000_000,
            boottime_ns=lambda: int(self.now * 1e9),
            boot="b",
            synced=lambda: True,
        )

    def _new_id(self) -> str:
        self.made.append(uuid7())
        return self.made[-1]

    def open_recorder(self) -> Recorder:
        """Start the terminal's half. Raises RecorderError."""
        self.recorder = Recorder(
            self.data,
            self._storage,
            new_id=self._new_id,
            clock=self._clock(),
            open_outbox=partial(Outbox, machine=lambda: self._machine),
        )
        return self.recorder

    def open_sender(self) -> Sender:
        """Start the sender's half."""
        if not self.data.enrol_json.exists():
            write_json(self.data.enrol_json, {"endpoint": "http://127.0.0.1:1", "code": CODE})
        self.sender = Sender(
            self.data,
            clock=self._clock(),
            monotonic=lambda: self.now,
            chance=random.Random(1),
            link=Wire(self._post),
        )
        return self.sender

    def open(self) -> Device:
        """Both halves."""
        self.open_recorder()
        self.open_sender()
        return self

    def commit(self, *sizes: int) -> None:
        """Commit so many records in each of some transactions."""
        assert self.recorder is not None
        for size in sizes:
            self._seed += 1
            before = len(self.made)
            self.recorder.commit(*records(size, seed=self._seed))
            self.acknowledged += self.made[before:]

    def commit_again(self) -> None:
        """Commit one record; after an error the same one again, as the screen does."""
        assert self.recorder is not None
        if not self._trying:
            self._seed += 1
            self._trying = records(1, seed=self._seed)
        self.recorder.commit(*self._trying)
        self._trying = []
        # The Recorder keeps the id of an attempt that failed.
        self.acknowledged.append(self.made[-1])

    def tend(self) -> None:
        """What the terminal does between visits."""
        assert self.recorder is not None
        self.recorder.tend(read_json(self.data.sender_json))

    def drain(self, turns: int = 120, *, quiet: int = 12) -> bool:
        """Send and tend, untouched by anybody, until nothing is left; whether that came to be."""
        assert self.sender is not None
        still = 0
        for _ in range(turns):
            self.sender.step(eager=True)
            with contextlib.suppress(RecorderError):
                self.tend()
            # Other epochs take their turn at telling the centre what they have.
            self.now += 500
            still = still + 1 if self.sender.drained() else 0
            if still >= quiet:
                return True
        return False

    def close(self) -> None:
        """End both halves in good order."""
        for half in (self.recorder, self.sender):
            if half is not None:
                half.close()
        self.recorder = self.sender = None

    def lines(self) -> list[Line]:
        """The ledger."""
        return ledger(self.data)

    def lost(self) -> int:
        """Records lost by the ledger."""
        return sum(line.lost for line in self.lines())

    def wrong(self, house: House, must: list[str], *, ordered: bool = True) -> list[str]:
        """What is wrong once all is sent: `must` are the ids that have to be at the centre."""
        rows = house.rows()
        ids = [row[0] for row in rows]
        known = set(self.made)
        wrong = missing_or_doubled(must, ids)
        wrong += [f"{ident} was never made" for ident in ids if ident not in known]
        wrong += unbalanced([msgspec.to_builtins(line) for line in self.lines()])
        wrong += [f"{line.epoch}: {line.note}" for line in self.lines() if line.note]
        wrong += [f"{line.to_send} left to send" for line in self.lines() if line.to_send]
        return wrong + (list(_disorder(rows, self.made)) if ordered else [])


def _disorder(rows: list[tuple[str, str, int, int]], made: list[str]) -> Iterator[str]:
    place = {ident: n for n, ident in enumerate(made)}
    # Where positions were given twice, the ids alone tell the order: they hold the time.
    forked = {row[1] for row in rows if row[3]}
    for epoch in {row[1] for row in rows} - forked:
        places = [place[row[0]] for row in rows if row[1] == epoch and row[0] in place]
        if places != sorted(places):
            yield f"the order of {epoch} is not the one in which its records were made"
