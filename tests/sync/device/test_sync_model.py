"""Recorder, sender and the real ingest under any order of mishaps: exactly once, and provably so.

The wire is a function here; everything on either side of it is what runs in the field.
"""

from __future__ import annotations

import gzip
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.collector.app import Centre
from sync.collector.reading import RefusedError, prepare
from sync.collector.store import open_store
from sync.contract import code as codes
from sync.contract import wire
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.signing import content_digest
from sync.datadir import DataDir, read_json, write_json
from sync.ledger import ledger
from sync.link import Reply, UnreachableError
from sync.sender import Sender
from tests.bench.samples import records

CODE = "K7QM4T2P9XWB"


class Wire:
    """A Link straight into the centre, which may lose what is asked or answered."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __call__(self, *_: Any, **__: Any) -> Wire:
        return self

    def post(self, path: str, body: bytes, key: Ed25519PrivateKey) -> Reply:
        from sync.contract.bundle import key_text

        house = self._house
        if house.lose == "request":
            raise UnreachableError("lost on the way")
        digest = content_digest(gzip.compress(body, mtime=0))
        public = key_text(key.public_key())
        try:
            if path == "/v1/enrol":
                request = msgspec.json.decode(body, type=wire.EnrolRequest)
                answer: Any = house.centre.devices.enrol(request, public)
            else:
                answer, _ = house.centre.ingest.take(public, prepare(body, digest))
                if house.twice:
                    answer, _ = house.centre.ingest.take(public, prepare(body, digest))
        except RefusedError as error:
            status = wire.PROBLEM_CODES[error.code]
            problem = wire.Problem("urn:x", "x", status, error.code)
            return Reply(status, {}, msgspec.json.encode(problem), digest)
        if house.lose == "reply":
            raise UnreachableError("lost on the way back")
        return Reply(200, {}, msgspec.json.encode(answer), digest)

    def get(self, *_: Any) -> Reply:
        return Reply(404, {}, b"", "")

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


class House(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="model-"))
        self.now, self.lose, self.twice = 1000.0, "", False
        self.seed = 0
        self.acknowledged: set[str] = set()
        """Ids of what `commit` returned for, on disks that still exist."""
        self._pending: list[str] = []
        self.data = DataDir(self.root / "device")
        self._open_centre()
        with self.store.tx() as tx:
            tx.run("insert into devices(id, name, location) values ('d1', 'd1', '')")
            tx.run(
                "insert into codes(code_sha256, device, expires_ms, created_ms)"
                " values (?, 'd1', ?, 0)",
                (codes.sha256(CODE), 2**52),
            )
        self.machine_name = "m1"
        self._open_recorder()
        write_json(self.data.enrol_json, {"endpoint": "http://127.0.0.1:1", "code": CODE})
        self._open_sender()
        self.sender.step(eager=True)
        self.backup: Path | None = None
        self.safe: dict[str, int] = {}
        """What the backup has, by epoch."""

    # --- the parts --------------------------------------------------------------------------------

    def _open_centre(self) -> None:
        self.store = open_store(str(self.root / "centre.db"), fresh=True)
        self.centre = Centre(self.store, now=lambda: 1.8e9 + self.now, clock=lambda: self.now)

    def _open_recorder(self) -> None:
        from functools import partial

        from sync.outbox import Outbox

        self.recorder = Recorder(
            self.data,
            Storage(ballast_mb=0, keep_days=1),
            new_id=self._new_id,
            clock=self._clock(),
            open_outbox=partial(Outbox, machine=lambda: self.machine_name),
        )

    def _clock(self) -> Clock:
        # A month ahead of the ids, so that everything the centre has is old enough to be pruned.
        wall = 4_000_000_000_000
        return Clock(
            wall_ns=lambda: wall * 1_000_000,
            boottime_ns=lambda: int(self.now * 1e9),
            boot="b",
            synced=lambda: True,
        )

    def _new_id(self) -> str:
        self._pending.append(uuid7())
        return self._pending[-1]

    def _open_sender(self) -> None:
        self.sender = Sender(
            self.data,
            clock=self._clock(),
            monotonic=lambda: self.now,
            chance=random.Random(1),
            link=Wire(self),
        )

    def _status(self) -> dict[str, Any]:
        return read_json(self.data.sender_json) or {}

    # --- what happens -----------------------------------------------------------------------------

    @rule(count=st.integers(1, 12))
    def commit(self, count: int) -> None:
        self.seed += 1
        self._pending.clear()
        self.recorder.commit(*records(count, seed=self.seed))
        self.acknowledged.update(self._pending)

    @rule(lose=st.sampled_from(["", "", "request", "reply"]), twice=st.booleans())
    def send(self, lose: str, twice: bool) -> None:
        self.lose, self.twice = lose, twice
        self.sender.step(eager=True)
        self.lose, self.twice = "", False

    @rule()
    def idle(self) -> None:
        for _ in range(3):
            self.now += 4000
            self.sender.step()

    @rule()
    def terminal_dies(self) -> None:
        self.recorder.close()
        self._open_recorder()

    @rule()
    def sender_dies(self) -> None:
        # Without its last words: what is not in sync.db is gone.
        self.sender._memory.close()
        self._open_sender()

    @rule()
    def memory_lost(self) -> None:
        self.sender.close()
        for path in self.data.root.glob("sync.db*"):
            path.unlink()
        self._open_sender()

    @rule()
    def tend(self) -> None:
        status = self._status()
        if self.backup is not None:
            # keep_days is at least twice the backup's interval: nothing younger is pruned.
            status["have"] = {
                epoch: min(have, self.safe.get(epoch, 0))
                for epoch, have in status.get("have", {}).items()
            }
        self.recorder.tend(status)

    @rule()
    def back_up(self) -> None:
        self.safe = dict(self._rows("select epoch, have from epochs where device = 'd1'"))
        self.store.close()
        self.backup = self.root / "backup.db"
        shutil.copy(self.root / "centre.db", self.backup)
        self._open_centre()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        assert self.backup is not None
        self.store.close()
        for path in self.root.glob("centre.db*"):
            path.unlink()
        shutil.copy(self.backup, self.root / "centre.db")
        self._open_centre()
        # What was pruned since the backup no protocol can bring back: keep_days is there for that.
        there = {row[0] for row in self._rows("select id from records")}
        self.acknowledged &= there | self._on_disk()

    @rule(count=st.integers(1, 6))
    def centre_loses_its_last_hours(self, count: int) -> None:
        self.back_up()
        self.commit(count)
        self.sender.step(eager=True)
        self.restore()

    @rule()
    def moved_to_another_machine(self) -> None:
        self.recorder.close()
        self.machine_name += "x"
        self._open_recorder()

    @rule(count=st.integers(1, 4))
    def cloned(self, count: int) -> None:
        """A copy of the disk runs on another machine, sends, and goes away."""
        self.recorder.close()
        self.sender.close()
        here, name = self.data, self.machine_name
        copy = self.root / f"clone-{self.seed}-{uuid7()}"
        shutil.copytree(here.root, copy)
        self.data, self.machine_name = DataDir(copy), name + "-clone"
        self._open_recorder()
        self._open_sender()
        self.commit(count)
        self._drain()
        self.recorder.close()
        self.sender.close()
        self.data, self.machine_name = here, name
        self._open_recorder()
        self._open_sender()

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def the_ledger_adds_up(self) -> None:
        for line in ledger(self.data):
            assert line.note == ""
            parts = (line.acknowledged, line.quarantined, line.held, line.lost, line.to_send)
            assert line.created == sum(parts)
            # Nothing here damages a file, and no backup is older than what may be pruned.
            assert line.lost == 0
            assert min(parts) >= 0

    @invariant()
    def nothing_is_there_twice(self) -> None:
        assert self._rows("select id from records group by id having count(*) > 1") == []

    @invariant()
    def acknowledged_is_on_disk_or_at_the_centre(self) -> None:
        there = {row[0] for row in self._rows("select id from records")}
        assert self.acknowledged <= there | self._on_disk()

    def _rows(self, query: str) -> list[Any]:
        with self.store.tx() as tx:
            return list(tx.rows(query, ()))

    def _on_disk(self) -> set[str]:
        from sync.epoch import EpochReader

        found: set[str] = set()
        for path in self.data.outbox_dir.glob("*.db"):
            with EpochReader(path) as reader:
                found |= {row.id for row in reader.rows(0, 100_000)}
        return found

    def _drain(self) -> None:
        for _ in range(60):
            self.sender.step(eager=True)
            # Other epochs take their turn at telling the centre what they have.
            self.now += 500
        assert self.sender.drained(), (self.sender.state, self.sender.reason)

    def teardown(self) -> None:
        try:
            self._drain()
            there = {row[0] for row in self._rows("select id from records")}
            assert self.acknowledged <= there
            assert all(line.to_send == 0 for line in ledger(self.data))
        finally:
            self.sender.close()
            self.recorder.close()
            self.store.close()
            shutil.rmtree(self.root)


House.TestCase.settings = settings(
    max_examples=16,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
test_exactly_once_whatever_happens = House.TestCase
