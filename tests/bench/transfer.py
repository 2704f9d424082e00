"""Sync end to end beside the naive reference, PouchDB and Kinto: the same records, by turns.

Ours goes the whole way: outbox file with hashes, real Sender, signatures, gzip, `hymio collector
serve` on SQLite with validation, every table and the counts, verified receipts, cursor. Every
centre runs in processes of its own; a rate is of the sending alone, the records lie in the outbox
before. How durable each centre is, is counted: its sync calls while 1,000 records come in.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.contract import wire
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from sync.datadir import DataDir
from sync.sender import Sender
from tests.bench import naive, syncs
from tests.bench.figures import Figure, middle_half
from tests.bench.peers import PeerMissing
from tests.bench.peers.kinto import Kinto
from tests.bench.peers.pouch import Pouch
from tests.bench.process import cpu_s, family
from tests.bench.samples import records as samples
from tests.faults.house import house
from tests.postgres import running

TARGETS = {"naive": 0.5, "pouch": 5.0, "kinto": None, "kinto-pg": None}
"""Ours ÷ theirs, records per second."""
OURS = ("ours", "naive")
"""Without these there is nothing to compare with."""
COUNTED = 1000
NAMES = {
    "ours": "ours, end to end",
    "naive": "naive reference",
    "pouch": "PouchDB → express-pouchdb",
    "kinto": "Kinto, in memory",
    "kinto-pg": "Kinto, on PostgreSQL",
}


class Contender(Protocol):
    """A device with its centre."""

    note: str
    share: float
    """The part of a round's records it gets."""
    pids: list[int]
    """The centre's processes."""

    def add(self, made: Sequence[Record], /) -> None:
        """Put records into the outbox."""

    def send(self) -> tuple[int, float]:
        """Send all there is; records and seconds."""

    def stored(self) -> int:
        """Records at the centre."""

    def close(self) -> None:
        """End both."""


def measure(folder: Path, *, rounds: int = 7, records: int = 5000) -> list[Figure]:
    """Records per second of each, and ours over theirs as the median over the rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        there, missing = _start(folder, stack)
        ours = there["ours"]
        assert isinstance(ours, Ours)
        rates: dict[str, list[float]] = {name: [] for name in there}
        given = dict.fromkeys(there, 0)
        costs = []
        # The first round enrols, fills caches, and is not counted.
        for turn in range(-1, rounds):
            made = samples(records, seed=turn + 2)
            names = list(there)
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                before = cpu_s(ours.pids[0])
                with _excused(name, there, missing):
                    rate, count = _once(there[name], made)
                    given[name] += count
                    if turn >= 0:
                        rates[name].append(rate)
                        if name == "ours":
                            costs.append((cpu_s(ours.pids[0]) - before) / count * naive.BATCH)
        called = {}
        for name, one in list(there.items()):
            with _excused(name, there, missing):
                called[name], count = _syncs(one, folder / f"{name}.strace")
                given[name] += count
                stored = one.stored()
                assert stored == given[name], f"{stored} of {given[name]} stored"
        notes = {name: one.note for name, one in there.items()}
    notes["ours"] += (
        f"; the centre used {statistics.median(costs) * 1e3:.1f} ms of processor per"
        f" {naive.BATCH} records"
    )
    return _figures(rates, missing, notes, called)


def _figures(
    rates: dict[str, list[float]],
    missing: dict[str, str],
    notes: dict[str, str],
    called: dict[str, float | None],
) -> list[Figure]:
    found, over = [], []
    for name, words in NAMES.items():
        ratio, target = f"sync: ours ÷ {words}", TARGETS.get(name)
        if name in missing:
            found.append(Figure(f"sync: {words}", None, "records/s", missing[name]))
            over.append(Figure(ratio, None, "×", missing[name], target))
            continue
        n = called[name]
        asked = "sync calls not counted" if n is None else f"{n:.1f} sync calls per 500 records"
        rate = statistics.median(rates[name])
        found.append(Figure(f"sync: {words}", rate, "records/s", f"{notes[name]}; centre: {asked}"))
        if name != "ours":
            each = [a / b for a, b in zip(rates["ours"], rates[name], strict=True)]
            note = f"{len(each)} rounds, {middle_half(each)}"
            over.append(Figure(ratio, statistics.median(each), "×", note, target))
    return found + over


def _start(
    folder: Path, stack: contextlib.ExitStack
) -> tuple[dict[str, Contender], dict[str, str]]:
    """All that can be started, and why the others cannot."""

    def on_postgres() -> Contender:
        cluster = stack.enter_context(running(fsync="on"))
        database = cluster.database()
        return Kinto(folder / "kinto-pg", database, cluster.pids())

    kinds: dict[str, Callable[[], Contender]] = {
        "ours": lambda: Ours(folder / "ours"),
        "naive": lambda: Naive(folder / "naive"),
        "pouch": lambda: Pouch(folder / "pouch"),
        "kinto": lambda: Kinto(folder / "kinto"),
        "kinto-pg": on_postgres,
    }
    there: dict[str, Contender] = {}
    missing: dict[str, str] = {}
    for name, start in kinds.items():
        with _excused(name, there, missing):
            there[name] = start()
            stack.callback(there[name].close)
    return there, missing


@contextlib.contextmanager
def _excused(name: str, there: dict[str, Contender], missing: dict[str, str]) -> Iterator[None]:
    """A peer that fails is out, with its reason in the table; it never fails the rest."""
    try:
        yield
    except Exception as error:
        if name in OURS:
            raise
        there.pop(name, None)
        said = str(error) if isinstance(error, PeerMissing) else f"{type(error).__name__}: {error}"
        missing[name] = " ".join(said.split())[:160]


def _once(one: Contender, made: Sequence[Record]) -> tuple[float, int]:
    """Records per second of one round, and how many."""
    part = made[: max(1, int(len(made) * one.share))]
    one.add(part)
    sent, seconds = one.send()
    assert sent == len(part), f"{sent} of {len(part)} sent"
    return sent / seconds, sent


def _syncs(one: Contender, log: Path) -> tuple[float | None, int]:
    """Sync calls of the centre per 500 records, and how many records were sent for it."""
    made = samples(max(naive.BATCH, int(COUNTED * min(1.0, 2 * one.share))), seed=1000)
    one.add(made)
    pids = [each for pid in one.pids for each in family(pid)]
    done: list[int] = []
    called = syncs.during(list(dict.fromkeys(pids)), lambda: done.append(one.send()[0]), log)
    if not done:
        done.append(one.send()[0])
    return (None if called is None else called * naive.BATCH / done[0]), done[0]


class Ours:
    """An enrolled device whose sender runs in this process."""

    share = 1.0
    note = f"WAL, synchronous=FULL at both ends; up to {wire.MAX_ITEMS:,} a batch"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._stack = contextlib.ExitStack()
        self._home = self._stack.enter_context(house(folder))
        self.pids = [self._home.centre.pid]
        data = DataDir(self._home.device("terminal"))
        self._recorder = Recorder(data, Storage())
        self._sender = Sender(
            data, clock=Clock(), monotonic=time.monotonic, chance=random.Random(1)
        )

    def add(self, made: Sequence[Record]) -> None:
        """Put records into the outbox."""
        for first in range(0, len(made), naive.BATCH):
            self._recorder.commit(*made[first : first + naive.BATCH])

    def send(self) -> tuple[int, float]:
        """Send all there is; records and seconds."""
        began = time.perf_counter()
        waiting = self._sender.waiting().backlog
        # Eager once, past the pause of the round before; then at the pace the centre allows.
        pause = self._sender.step(eager=True)
        while not pause:
            pause = self._sender.step()
        taken = time.perf_counter() - began
        assert self._sender.drained(), self._sender.reason
        return waiting, taken

    def stored(self) -> int:
        """Records at the centre."""
        ((found,),) = self._home.rows("select count(*) from records")
        return int(found)

    def close(self) -> None:
        """Close outbox and sender, end the centre."""
        self._sender.close()
        self._recorder.close()
        self._stack.close()


class Naive:
    """An outbox table, requests, uvicorn, one SQLite table."""

    share = 1.0
    note = (
        "WAL, synchronous=FULL at both ends; no signatures, no validation, one table; 500 a batch"
    )

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._box, self._file = folder / "outbox.db", folder / "centre.db"
        naive.outbox(self._box)
        self._stack = contextlib.ExitStack()
        self._url, pid = self._stack.enter_context(naive.serving(self._file, folder / "log"))
        self.pids = [pid]

    def add(self, made: Sequence[Record]) -> None:
        """Put records into the outbox."""
        naive.add(self._box, [(uuid7(), freeze(record).decode()) for record in made])

    def send(self) -> tuple[int, float]:
        """Send all there is; records and seconds."""
        began = time.perf_counter()
        return naive.send(self._box, self._url), time.perf_counter() - began

    def stored(self) -> int:
        """Records at the centre."""
        return naive.stored(self._file)

    def close(self) -> None:
        """End the centre."""
        self._stack.close()
