"""Sync end to end beside the naive reference: the same records, in turns, in one run.

Ours goes the whole way: outbox file with hashes, real Sender, signatures, gzip, `hymio collector
serve` on SQLite with validation, every table and the counts, verified receipts, cursor. Both
centres run in child processes, both senders in this one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from sync.datadir import DataDir
from sync.sender import Sender
from tests.bench import naive
from tests.bench.figures import Figure
from tests.bench.process import cpu_s
from tests.bench.samples import records as samples
from tests.faults.house import House, house

TARGET = 0.5
"""Ours ÷ the naive reference."""


def measure(folder: Path, *, rounds: int = 7, records: int = 5000) -> list[Figure]:
    """Records per second of both, and the ratio as the median over the rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "house").mkdir()
    box = folder / "naive-outbox.db"
    naive.outbox(box)
    with (
        house(folder / "house") as home,
        naive.serving(folder / "naive.db", folder / "naive.log") as url,
    ):
        ours = _Ours(home)
        try:
            rates: dict[str, list[float]] = {"ours": [], "naive": []}
            costs = []
            # The first round enrols, fills caches, and is not counted.
            for turn in range(-1, rounds):
                made = samples(records, seed=turn + 2)
                naive.add(box, [(uuid7(), freeze(record).decode()) for record in made])
                ours.add(made)
                for name in ("ours", "naive") if turn % 2 else ("naive", "ours"):
                    before = cpu_s(home.centre.pid)
                    started = time.perf_counter()
                    sent = ours.send() if name == "ours" else naive.send(box, url)
                    taken = time.perf_counter() - started
                    assert sent == records, f"{name}: {sent} of {records} sent"
                    if turn >= 0:
                        rates[name].append(records / taken)
                        if name == "ours":
                            costs.append(cpu_s(home.centre.pid) - before)
            ((stored,),) = home.rows("select count(*) from records")
            assert stored == (rounds + 1) * records, f"{stored} at the centre"
        finally:
            ours.close()
    ratios = [a / b for a, b in zip(rates["ours"], rates["naive"], strict=True)]
    batches = records / naive.BATCH
    return [
        Figure(
            "sync: ours, end to end",
            statistics.median(rates["ours"]),
            "records/s",
            f"the centre used {statistics.median(costs) / batches * 1e3:.1f} ms of processor per"
            f" {naive.BATCH} records",
        ),
        Figure("sync: naive reference", statistics.median(rates["naive"]), "records/s"),
        Figure(
            "sync: ours ÷ naive",
            statistics.median(ratios),
            "×",
            f"{rounds} rounds of {records}, from {min(ratios):.2f} to {max(ratios):.2f}",
            TARGET,
        ),
    ]


class _Ours:
    """An enrolled device whose sender runs in this process."""

    def __init__(self, home: House) -> None:
        data = DataDir(home.device("terminal"))
        self._recorder = Recorder(data, Storage())
        self._sender = Sender(
            data, clock=Clock(), monotonic=time.monotonic, chance=random.Random(1)
        )

    def add(self, made: Sequence[Record]) -> None:
        """Put records into the outbox."""
        for first in range(0, len(made), naive.BATCH):
            self._recorder.commit(*made[first : first + naive.BATCH])

    def send(self) -> int:
        """Send all there is; returns how many records."""
        waiting = self._sender.waiting().backlog
        # Eager once, past the pause of the round before; then at the pace the centre allows.
        pause = self._sender.step(eager=True)
        while not pause:
            pause = self._sender.step()
        assert self._sender.drained(), self._sender.reason
        return waiting

    def close(self) -> None:
        """Close outbox and sender."""
        self._sender.close()
        self._recorder.close()
