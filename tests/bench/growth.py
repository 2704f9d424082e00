"""Append, send and ingest on an outbox or centre that already holds 10³ … 10⁷ answers.

Outboxes are filled through the same table by plain inserts with rising UUIDv7 and right hashes
(a thousand sample records over and over), only without a sync; centres as in `report`: every table
by SQL. The levels take turns, so that a slow second hits all of them; growth is the median over
the rounds of a level's time ÷ that of 10⁵ in the same round.

* append: a commit of one record by the Recorder.
* send: a batch (up to 2,000) from an outbox with that many unsent, to a real centre over HTTP.
* ingest: a batch of 500 from signature to commit, at a centre on SQLite.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.collector.store import migrate
from sync.collector.store.database import Store
from sync.contract import wire
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import digest, freeze
from sync.datadir import DataDir
from sync.sender import Sender
from tests.bench import report
from tests.bench.figures import Figure, middle_half
from tests.bench.posting import Desk
from tests.bench.samples import records
from tests.faults.house import house

TARGET = 1.25
"""Most the highest level may cost, as a multiple of 10⁵."""
BASE = 5
COMMITS = 20
"""Commits of one turn."""
TEND_EVERY = 5
BATCH = 500
SAMPLES = 1000
Times = dict[int, list[float]]
"""Level → seconds of an operation, one entry a round."""


def measure(
    folder: Path, *, levels: Sequence[int] = (3, 4, 5, 6), rounds: int = 30
) -> list[Figure]:
    """Milliseconds of each operation at each level, and its growth."""
    folder.mkdir(parents=True, exist_ok=True)
    sends = rounds // 2
    place = folder / "outboxes"
    place.mkdir()
    found: list[Figure] = []
    with house(place, devices=len(levels)) as home:
        datas = {
            level: DataDir(home.device(f"terminal-{level}", number=n))
            for n, level in enumerate(levels)
        }
        sizes = {
            # What is sent meanwhile comes on top: once to enrol, twice uncounted.
            level: fill(data, 10**level + (sends + 3) * wire.MAX_ITEMS)
            for level, data in datas.items()
        }
        committed, opened = _append(datas, rounds)
        found += _figures("append", "a commit", committed, "ms")
        top = max(levels)
        found.append(
            Figure(
                f"growth: opening an outbox with 10^{top}",
                opened[top],
                "s",
                f"once a start: SQLite reads it all ({sizes[top] / 2**20:,.0f} MiB); "
                f"10^{min(levels)}: {opened[min(levels)]:.2f} s",
            )
        )
        found += _figures("send", f"a batch of {wire.MAX_ITEMS:,}", _send(datas, sends), "ms")
    shutil.rmtree(place)
    taken = _ingest(folder, levels, rounds)
    return found + _figures("ingest", f"a batch of {BATCH}", taken, "ms")


def _figures(name: str, what: str, times: Times, unit: str) -> list[Figure]:
    found = [
        Figure(
            f"growth: {name}, 10^{level} held",
            statistics.median(each) * 1e3,
            unit,
            f"{what}; median of {len(each)} rounds, {middle_half([s * 1e3 for s in each])}",
        )
        for level, each in times.items()
    ]
    low, high = span(times)
    if low < high:
        note = f"10^{high} ÷ 10^{low} held, by turns"
        value = growth(times, low, high)
        found.append(Figure(f"growth: {name}", value, "×", note, TARGET, "at most"))
    return found


def span(times: Mapping[int, object]) -> tuple[int, int]:
    """The level to compare with, 10⁵ or the lowest if that is not passed, and the highest."""
    high = max(times)
    return (BASE if BASE in times and high > BASE else min(times)), high


def growth(times: Times, low: int, high: int) -> float:
    """How many times as long the higher level takes: the median over the rounds."""
    return statistics.median(b / a for a, b in zip(times[low], times[high], strict=True))


def in_turns(kinds: Mapping[int, Callable[[], float]], rounds: int) -> Times:
    """Run one operation of each level in every round, another one first each time.

    The first two rounds are not counted.
    """
    times: Times = {level: [] for level in kinds}
    order = list(kinds)
    for turn in range(-2, rounds):
        first = turn % len(order)
        for level in order[first:] + order[:first]:
            taken = kinds[level]()
            if turn >= 0:
                times[level].append(taken)
    return times


# --- outboxes ------------------------------------------------------------------------------------


def fill(data: DataDir, number: int) -> int:
    """Give a terminal an outbox of so many unsent records; its bytes."""
    with contextlib.closing(Recorder(data, Storage(ballast_mb=0))):
        pass
    (path,) = data.outbox_dir.glob("[!.]*.db")
    made = [freeze(record) for record in records(SAMPLES)]
    whole = [(raw, digest(raw)) for raw in made]

    def rows() -> Iterator[tuple[str, bytes, str]]:
        for n in range(number):
            yield (uuid7(), *whole[n % SAMPLES])

    with contextlib.closing(sqlite3.connect(path)) as db:
        # Only the filling may be lost.
        db.execute("pragma synchronous=off")
        with db:
            db.executemany("insert into records (id, rec, sha256) values (?, ?, ?)", rows())
        db.execute("pragma wal_checkpoint(truncate)")
    return path.stat().st_size


def _append(datas: Mapping[int, DataDir], rounds: int) -> tuple[Times, dict[int, float]]:
    """Seconds of a commit on each outbox, and of opening it."""
    recorders: dict[int, Recorder] = {}
    opened = {}
    with contextlib.ExitStack() as stack:
        for level, data in datas.items():
            began = time.perf_counter()
            # No bound, or there would be no room for the higher levels.
            recorders[level] = Recorder(data, Storage(ballast_mb=0, max_mb=1 << 20))
            opened[level] = time.perf_counter() - began
            stack.callback(recorders[level].close)
        made = records(COMMITS)
        turns = dict.fromkeys(datas, 0)

        def commits(level: int) -> float:
            recorder = recorders[level]
            began = time.perf_counter()
            for record in made:
                recorder.commit(record)
            taken = (time.perf_counter() - began) / COMMITS
            turns[level] += 1
            if turns[level] % TEND_EVERY == 0:
                # What the terminal does between visits; it has a figure of its own.
                recorder.tend(None)
            return taken

        work = {level: lambda level=level: commits(level) for level in datas}
        return in_turns(work, rounds), opened


def _send(datas: Mapping[int, DataDir], rounds: int) -> Times:
    """Seconds of sending one batch from each outbox."""
    with contextlib.ExitStack() as stack:
        senders = {
            level: Sender(data, clock=Clock(), monotonic=time.monotonic, chance=random.Random(1))
            for level, data in datas.items()
        }
        for sender in senders.values():
            stack.callback(sender.close)
            # Enrols, and fetches the configuration.
            sender.step(eager=True)

        def send(level: int) -> float:
            sender = senders[level]
            before = sender.waiting().backlog
            began = time.perf_counter()
            sender.step(eager=True)
            taken = time.perf_counter() - began
            sent = before - sender.waiting().backlog
            assert sent == wire.MAX_ITEMS, f"{sent} sent: {sender.reason}"
            return taken

        work = {level: lambda level=level: send(level) for level in datas}
        return in_turns(work, rounds)


# --- centres -------------------------------------------------------------------------------------


def _ingest(folder: Path, levels: Sequence[int], rounds: int) -> Times:
    """Seconds of taking in one batch at each centre."""
    with contextlib.ExitStack() as stack:
        desks = {}
        for level in levels:
            file = folder / f"centre-{level}.db"
            url = f"sqlite:///{file}"
            with Store(url) as store:
                migrate(store)
            report.fill(file, 0, 10**level)
            desks[level] = Desk(url)
            stack.callback(desks[level].close)
        seed = 0

        def post(level: int) -> float:
            nonlocal seed
            seed += 1
            desk = desks[level]
            return desk.post(desk.rows(records(BATCH, seed=seed)))

        return in_turns({level: lambda level=level: post(level) for level in levels}, rounds)
