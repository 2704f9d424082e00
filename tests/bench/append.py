"""Durable append: `Recorder.commit` beside bare sqlite3 and beside bare append + fdatasync.

The contenders take turns in short blocks in one directory, so that a slow second of the disk
hits all of them; the ratio is the median over the rounds.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.contract.bundle import Storage
from sync.contract.records import Record, freeze
from tests.bench.figures import Figure, quantiles
from tests.bench.samples import records

TARGET = 0.7
"""Recorder ÷ bare sqlite3 row commits."""
Commit = Callable[[Record, bytes], object]


def measure(folder: Path, *, rounds: int = 120, block: int = 20) -> list[Figure]:
    """Commits per second of each contender, one record a commit, and the ratios."""
    from kiosk.recorder import Recorder
    from sync.datadir import DataDir

    folder.mkdir(parents=True, exist_ok=True)
    data = DataDir(folder / "terminal")
    data.create()
    recorder = Recorder(data, Storage())
    bare = bare_sqlite(folder / "bare.db")
    log = (folder / "bare.log").open("ab", buffering=0)

    def row(raw: bytes) -> None:
        bare.execute("insert into records (rec) values (?)", (raw,))
        bare.commit()

    def plain(raw: bytes) -> None:
        log.write(raw)
        os.fdatasync(log.fileno())

    tended: list[float] = []

    def tend(turn: int) -> None:
        if turn % 5 < 4:
            return
        started = time.perf_counter()
        recorder.tend(None)
        tended.append(time.perf_counter() - started)

    contenders: dict[str, Commit] = {
        "Recorder.commit": lambda record, _: recorder.commit(record),
        "bare sqlite3, WAL FULL, one row a commit": lambda _, raw: row(raw),
        "bare append + fdatasync": lambda _, raw: plain(raw),
    }
    try:
        rates, waits = alternate(
            contenders,
            records(rounds * block),
            rounds=rounds,
            # SQLite checkpoints within some commit, the Recorder between visits: told apart below.
            between=tend,
        )
    finally:
        recorder.close()
        bare.close()
        log.close()
    ours, theirs, floor = (rates[name] for name in contenders)
    found = []
    for name in contenders:
        middle, late = quantiles(waits[name])
        found.append(
            Figure(
                f"append: {name}",
                statistics.median(rates[name]),
                "commits/s",
                f"p50 {middle * 1e3:.2f} ms, p95 {late * 1e3:.2f} ms",
            )
        )
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    spread = f"{rounds} rounds of {block}, from {min(ratios):.2f} to {max(ratios):.2f}"
    found.append(
        Figure("append: Recorder ÷ sqlite3", statistics.median(ratios), "×", spread, TARGET)
    )
    found.append(
        Figure(
            "append: sqlite3 ÷ fdatasync",
            statistics.median(a / b for a, b in zip(theirs, floor, strict=True)),
            "×",
        )
    )
    middle, late = quantiles(tended)
    found.append(
        Figure(
            "append: Recorder.tend between visits",
            middle * 1e3,
            "ms",
            f"p50; p95 {late * 1e3:.1f}; with {5 * block} commits to checkpoint",
        )
    )
    return found


def alternate(
    contenders: dict[str, Commit],
    everything: Sequence[Record],
    *,
    rounds: int,
    between: Callable[[int], object] = lambda _: None,
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Let the contenders commit the same records in turns; the first one changes every round.

    `between` is called after each round and counts towards nobody's rate.

    Returns per contender the rates (commits/s, one a round) and the single waits (s).
    """
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    waits: dict[str, list[float]] = {name: [] for name in contenders}
    block = len(everything) // rounds
    names = list(contenders)
    # One unmeasured round each: files grow, caches fill, branches are learnt.
    for turn in range(-1, rounds):
        first = max(turn, 0) * block
        part = [(record, freeze(record)) for record in everything[first : first + block]]
        order = names[turn % len(names) :] + names[: turn % len(names)]
        for name in order:
            commit = contenders[name]
            started = before = time.perf_counter()
            taken = []
            for record, raw in part:
                commit(record, raw)
                now = time.perf_counter()
                taken.append(now - before)
                before = now
            if turn >= 0:
                rates[name].append(block / (before - started))
                waits[name] += taken
        between(turn)
    return rates, waits


def bare_sqlite(path: Path) -> sqlite3.Connection:
    """A database with nothing but what durability asks: one table, WAL, synchronous=FULL."""
    db = sqlite3.connect(path)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=full")
    db.execute("create table records (seq integer primary key, rec blob not null)")
    db.commit()
    return db
