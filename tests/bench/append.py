"""Durable append: the Recorder beside the physical limit, bare SQLite and two queues people use.

The contenders take turns in short blocks in one directory, each alone in a process that times its
own commits, so that a slow second of the disk hits all of them; a ratio is the median over the
rounds. How durable each runs is read back from its own connection, and shown: in a run apart,
strace counts the sync calls of its commits.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sync.contract.records import Record, freeze
from tests.bench import syncs
from tests.bench.figures import Figure, middle_half, quantiles
from tests.bench.peers import ROOT, PeerMissing, python
from tests.bench.samples import records

TARGET = 0.7
"""Recorder ÷ bare sqlite3 row commits."""
COUNTED = 50
"""Commits whose sync calls are counted."""
TEND_EVERY = 5
NAMES = {
    "recorder": "Recorder.commit",
    "sqlite3": "bare sqlite3, one row a commit",
    "fdatasync": "bare append + fdatasync",
    "persist-queue": "persist-queue, as it comes",
    "litequeue": "litequeue, as it comes (no sync)",
    "litequeue-full": "litequeue, made FULL",
}
PEERS = ("persist-queue", "litequeue", "litequeue-full")


class Running:
    """A contender in its process."""

    def __init__(self, kind: str, folder: Path, before: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True)
        program = python() if kind in PEERS else Path(sys.executable)
        self._child = subprocess.Popen(
            [*before, str(program), "-m", "tests.bench.contender", kind, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        self.says = str(self._answer())

    def _answer(self) -> object:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"it ended with {self._child.wait()}")
        return json.loads(line)

    def ask(self, line: str) -> list[float]:
        """Have it commit the records of a file, or `tend`; the seconds of each."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()
        found = self._answer()
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        """End it."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


@contextlib.contextmanager
def running(
    kinds: Sequence[str], folder: Path
) -> Iterator[tuple[dict[str, Running], dict[str, str]]]:
    """Those that can be started, and why the others cannot."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Running] = {}
        missing: dict[str, str] = {}
        for kind in kinds:
            try:
                found[kind] = Running(kind, folder / kind)
            except (PeerMissing, RuntimeError, OSError) as error:
                if kind not in PEERS:
                    raise
                missing[kind] = str(error)
                continue
            stack.callback(found[kind].close)
        yield found, missing


def measure(folder: Path, *, rounds: int = 120, block: int = 20) -> list[Figure]:
    """Commits per second of each contender, one record a commit, their syncs, and the ratios."""
    folder.mkdir(parents=True, exist_ok=True)
    made = records((rounds + 1) * block)
    blocks = [
        write(made[turn * block :][:block], folder / f"block-{turn}") for turn in range(rounds + 1)
    ]
    with running(list(NAMES), folder) as (contenders, missing):
        waits, tended = alternate(contenders, blocks)
        says = {kind: one.says for kind, one in contenders.items()}
    called = {kind: sync_calls(kind, folder / "traced") for kind in says}
    found = []
    for kind, name in NAMES.items():
        if kind in missing:
            found.append(Figure(f"append: {name}", None, "commits/s", missing[kind]))
            continue
        middle, late = quantiles([wait for turn in waits[kind] for wait in turn])
        asked = (
            "sync calls not counted"
            if (n := called[kind]) is None
            else f"{n:g} sync call{'' if n == 1 else 's'} a commit"
        )
        note = f"{says[kind]}; {asked}; p50 {middle * 1e3:.2f} ms, p95 {late * 1e3:.2f} ms"
        found.append(
            Figure(f"append: {name}", statistics.median(rates(waits[kind])), "commits/s", note)
        )
    found += ratios(waits, missing, block)
    middle, late = quantiles(tended)
    note = f"p50; p95 {late * 1e3:.1f}; with {TEND_EVERY * block} commits to checkpoint"
    return [*found, Figure("append: Recorder.tend between visits", middle * 1e3, "ms", note)]


def rates(waits: Sequence[Sequence[float]]) -> list[float]:
    """Commits per second of each round."""
    return [len(turn) / sum(turn) for turn in waits]


def ratios(
    waits: Mapping[str, Sequence[Sequence[float]]], missing: Mapping[str, str], block: int
) -> list[Figure]:
    """The Recorder's rate over each other's, and bare SQLite's over the physical limit."""
    ours = rates(waits["recorder"])
    found = []
    for kind, name in NAMES.items():
        if kind == "recorder":
            continue
        target = TARGET if kind == "sqlite3" else None
        if kind in missing:
            found.append(Figure(f"append: Recorder ÷ {name}", None, "×", missing[kind], target))
            continue
        each = [a / b for a, b in zip(ours, rates(waits[kind]), strict=True)]
        note = f"{len(each)} rounds of {block}, {middle_half(each)}"
        found.append(
            Figure(f"append: Recorder ÷ {name}", statistics.median(each), "×", note, target)
        )
    return found


def alternate(
    contenders: Mapping[str, Running], blocks: Sequence[Path]
) -> tuple[dict[str, list[list[float]]], list[float]]:
    """Let the contenders commit the same blocks in turns; the first one changes every round.

    The first block is not counted: files grow, caches fill, branches are learnt. SQLite
    checkpoints within some commit, the Recorder between visits: told apart. Returns per contender
    the waits (s) of each round, and the seconds of each tending.
    """
    waits: dict[str, list[list[float]]] = {kind: [] for kind in contenders}
    tended: list[float] = []
    kinds = list(contenders)
    for turn, block in enumerate(blocks):
        first = turn % len(kinds)
        for kind in kinds[first:] + kinds[:first]:
            taken = contenders[kind].ask(str(block))
            if turn:
                waits[kind].append(taken)
        if turn % TEND_EVERY == 0:
            taken = contenders["recorder"].ask("tend")
            tended += taken if turn else []
    return waits, tended


def sync_calls(kind: str, folder: Path) -> float | None:
    """Sync calls a commit, counted by strace; None where it cannot trace."""
    folder.mkdir(parents=True, exist_ok=True)
    block, log = write(records(COUNTED), folder / "block"), folder / f"{kind}.strace"
    try:
        one = Running(kind, folder / kind, syncs.traced(log))
    except (OSError, RuntimeError):
        return None
    try:
        # The first commits create what later ones find.
        one.ask(str(block))
        before = syncs.count(log)
        one.ask(str(block))
        return (syncs.count(log) - before) / COUNTED
    finally:
        one.close()


def write(made: Sequence[Record], path: Path) -> Path:
    """Put records into a file, one a line."""
    path.write_bytes(b"".join(freeze(record) + b"\n" for record in made))
    return path
