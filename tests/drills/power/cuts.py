"""Cuts the power after every call that writes, and has each state that may be left judged."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import logging
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.drills.power.calls import Call
from tests.drills.power.judge import judge
from tests.drills.power.kernel import Kernel
from tests.drills.power.model import Disk, State, lay_out, read_in
from tests.drills.power.promises import Promises
from tests.drills.power.scenarios import ROOT, Scenario
from tests.drills.power.states import crashes
from tests.drills.power.traced import Traced

ENOUGH = 40
"""Failures of one scenario after which more of them tell nothing new."""
DATA = "data"
"""The data directory, in a folder that was there before."""


@dataclass
class Run:
    """What a scenario did: the disk before, the calls, and after which of them to cut."""

    scenario: Scenario
    before: State
    promised: Promises
    calls: list[Call]
    root: Path
    cuts: list[int]
    """Indexes of calls: the power goes right after."""


@dataclass
class Report:
    """What came of it."""

    cuts: int = 0
    states: int = 0
    """Different ones, each opened once."""
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """One line for a failing state: scenario, cut, kind, what is wrong."""

    def __iadd__(self, other: Report) -> Report:
        self.cuts += other.cuts
        self.states += other.states
        self.kinds += other.kinds
        self.failures += other.failures
        return self


@contextlib.contextmanager
def shelf() -> Iterator[Path]:
    """Where the states are laid out, quietly: in memory, where there is such a place."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    disabled = logging.root.manager.disable
    # Thousands of damaged outboxes have thousands of things to say.
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(prefix="hymio-drill-", dir=place) as folder:
            yield Path(folder)
    finally:
        logging.disable(disabled)


def record(scenario: Scenario, folder: Path, weakened: Sequence[str] = ()) -> Run:
    """Run a scenario under strace, once; the model must then show what the real disk has."""
    root = folder / "disk"
    root.mkdir(parents=True)
    promised = scenario.prepare(root / DATA) if scenario.prepare else Promises()
    before = read_in(root)
    kernel = Kernel(Disk(before), root)
    calls: list[Call] = []
    cuts: list[int] = []
    with Traced(folder, weakened) as program:
        for number, (command, *args) in enumerate(scenario.commands):
            words = [str(root / DATA) if word == ROOT else word for word in args]
            for call in program.do(command, *words):
                if kernel.apply(call) | bool(kernel.said(call)) and number >= scenario.cut_after:
                    cuts.append(len(calls))
                calls.append(call)
        modelled, real = kernel.disk.after(kernel.disk.pending), read_in(root)
    if modelled != real:
        differ = [name for name in modelled.keys() | real.keys()
                  if modelled.get(name, "") != real.get(name, "")]  # fmt: skip
        raise AssertionError(f"{scenario.name}: the model is not what the disk has: {differ}")
    return Run(scenario, before, promised, calls, root, cuts)


def moments(run: Run, cuts: Iterable[int]) -> Iterator[tuple[int, Disk, Promises]]:
    """The disk and the promises right after each of some calls, which are in order."""
    kernel = Kernel(Disk(run.before), run.root)
    promises = copy.deepcopy(run.promised)
    at = 0
    for cut in cuts:
        for call in run.calls[at : cut + 1]:
            kernel.apply(call)
            if line := kernel.said(call):
                promises.hear(line)
        at = cut + 1
        yield cut, kernel.disk, promises


def cut_power(
    run: Run,
    cuts: Sequence[int],
    shelf: Path,
    *,
    seed: int = 0,
    thorough: bool = False,
    until: str = "",
) -> Report:
    """Judge what may be left after each cut, laid out on `shelf`.

    Stops at the first failure that says `until`, and after forty.
    """
    report = Report()
    known: set[bytes] = set()
    for cut, disk, promises in moments(run, cuts):
        report.cuts += 1
        chance = random.Random(f"{seed} {run.scenario.name} {cut}")
        for kind, kept in crashes(disk.pending, chance, thorough=thorough):
            state = disk.after(kept)
            mark = _mark(state, promises)
            if mark in known:
                continue
            known.add(mark)
            report.states += 1
            report.kinds[kind] += 1
            wrong = _judged(state, promises, chance, shelf)
            if wrong:
                where = f"{run.scenario.name}, after call {cut} ({run.calls[cut].name}), {kind}"
                report.failures.append(f"{where}: {'; '.join(wrong)}")
                if (until and until in report.failures[-1]) or (
                    not until and len(report.failures) >= ENOUGH
                ):
                    return report
    return report


def _mark(state: State, promises: Promises) -> bytes:
    found = hashlib.blake2b(repr(promises).encode(), digest_size=16)
    for name, data in sorted(state.items()):
        found.update(f"\0{name}\0{'/' if data is None else len(data)}\0".encode())
        found.update(data or b"")
    return found.digest()


def _judged(state: State, promises: Promises, chance: random.Random, shelf: Path) -> list[str]:
    folder = Path(tempfile.mkdtemp(dir=shelf))
    try:
        lay_out(state, folder)
        if chance.random() < 0.25:
            _stale_index(folder, chance)
        return judge(folder / DATA, copy.deepcopy(promises), sender_first=chance.random() < 0.5)
    except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
        return [f"a program ends with {error!r}"]
    finally:
        shutil.rmtree(folder)


def _stale_index(folder: Path, chance: random.Random) -> None:
    """The -shm of before may still be there; whatever it holds is of no account."""
    for wal in folder.glob("**/*-wal"):
        index = wal.with_name(wal.name.removesuffix("-wal") + "-shm")
        index.write_bytes(chance.choice((bytes(32768), chance.randbytes(32768), b"")))
