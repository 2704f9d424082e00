"""Sticks, the network, restored centres and dying programs in any order: exactly once all the same.

Sticks are lost, copied, found again, imported twice or in part. Centre and wire are those of the
sender's own model; the stick's files are the real ones.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from sync.carrying import Carrying
from sync.collector.reading import RefusedError, prepare
from sync.contract import carried, signing, wire
from sync.contract.bundle import key_text
from sync.epoch import EpochReader
from sync.ledger import ledger
from sync.stick import Stick
from tests.sync.device.test_sync_model import House

MOST_STICKS = 4


class Roads(House):
    """The sender's model, and sticks."""

    def __init__(self) -> None:
        super().__init__()
        self.organisation = Ed25519PrivateKey.generate()
        key = key_text(self.organisation.public_key())
        self.sender._memory.learn(trusted=json.dumps([key]))
        self.sticks: list[Path] = []
        self.made = 0

    # --- the device -------------------------------------------------------------------------------

    def _plugged(self, what: str, stick: Path) -> Any:
        """The sender stops for a moment, and the stick is read or written."""
        self.sender.close()
        with Carrying(
            self.data, clock=self._clock(), monotonic=lambda: self.now, chance=random.Random(1)
        ) as carrying:
            found = getattr(carrying, what)(Stick(stick, carrying.device))
        self._open_sender()
        return found

    @rule()
    def a_new_stick_goes_out(self) -> None:
        self.made += 1
        folder = self.root / f"stick-{self.made}"
        folder.mkdir()
        self.sticks = [*self.sticks, folder][-MOST_STICKS:]
        self._written(folder)

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9))
    def goes_out(self, which: int) -> None:
        self._written(self._stick(which))

    def _written(self, stick: Path) -> None:
        before = self.sender._memory.cursors()
        found = self._plugged("to_stick", stick)
        assert (found.problems, found.records) == ([], found.waiting)
        assert self.sender._memory.cursors() == before

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9))
    def comes_back(self, which: int) -> None:
        self._plugged("from_stick", self._stick(which))

    def _stick(self, which: int) -> Path:
        return self.sticks[which % len(self.sticks)]

    # --- on the way -------------------------------------------------------------------------------

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9))
    def copied(self, which: int) -> None:
        self.made += 1
        copy = self.root / f"stick-{self.made}"
        shutil.copytree(self._stick(which), copy)
        self.sticks = [*self.sticks, copy][-MOST_STICKS:]

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9), what=st.sampled_from(["answers", "receipts"]))
    def loses_a_file(self, which: int, what: str) -> None:
        files = sorted(self._stick(which).glob(f"hymio/*/{what}/*"))
        if files:
            files[which % len(files)].unlink()

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9))
    def lost(self, which: int) -> None:
        self.sticks.remove(self._stick(which))

    @rule()
    def back_up(self) -> None:
        super().back_up()
        # Not what the device believes: the centre may have been restored since.
        self.safe = dict(self._rows("select epoch, have from epochs where device = 'd1'"))

    # --- the desk ---------------------------------------------------------------------------------

    @precondition(lambda self: self.sticks)
    @rule(which=st.integers(0, 9), seed=st.integers(0, 99), part=st.booleans())
    def is_imported(self, which: int, seed: int, part: bool) -> None:
        """In any order, and perhaps cut short."""
        files = sorted(self._stick(which).glob("hymio/*/answers/*"))
        random.Random(seed).shuffle(files)
        for path in files[: len(files) // 2 + 1] if part else files:
            self.now += 1
            self._import(path)

    def _import(self, path: Path) -> None:
        batch = carried.read_batch(path.read_bytes())
        public = signing.verify(
            "POST", "/v1/batches", batch.headers, batch.body, known=lambda _: True
        )
        try:
            taken = prepare(gzip.decompress(batch.body), batch.digest)
            answer: Any = self.centre.ingest.take(public, taken)[0]
            status = 200
        except RefusedError as error:
            status = wire.PROBLEM_CODES[error.code]
            answer = wire.Problem("urn:x", "x", status, error.code)
        raw = carried.write_receipt(status, {}, msgspec.json.encode(answer), self.organisation)
        to = path.parents[1] / "receipts" / path.name
        to.parent.mkdir(exist_ok=True)
        to.write_bytes(raw)

    @rule(count=st.integers(1, 12))
    def a_round_by_stick_alone(self, count: int) -> None:
        """Without any mishap one round trip is enough, whatever happened before it."""
        self.commit(count)
        self.a_new_stick_goes_out()
        for again in (False, True):
            # The second one fills a centre that turned out to have less.
            if again:
                self._written(self.sticks[-1])
            for path in sorted(self.sticks[-1].glob("hymio/*/answers/*")):
                self.now += 1
                self._import(path)
            self._plugged("from_stick", self.sticks[-1])
        assert self.acknowledged <= {row[0] for row in self._rows("select id from records")}
        assert all(line.to_send == 0 for line in ledger(self.data))

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def the_order_is_that_of_the_device(self) -> None:
        there = {
            (row[0], row[1]): row[2] for row in self._rows("select epoch, seq, id from records")
        }
        for path in self.data.outbox_dir.glob("*.db"):
            with EpochReader(path) as reader:
                for row in reader.rows(0, 100_000):
                    assert there.get((path.stem, row.seq), row.id) == row.id


Roads.TestCase.settings = settings(
    max_examples=7,
    stateful_step_count=18,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
test_exactly_once_by_whatever_road = Roads.TestCase
