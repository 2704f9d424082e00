"""Power cuts, kills and write-backs in any order, on the model of a disk and the real recorder.

`make test` does a few of these, `make drill` many.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, assume, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from sync.datadir import DataDir
from tests.drills.power.cuts import DATA, shelf
from tests.drills.power.judge import judge, stored
from tests.drills.power.kernel import Kernel
from tests.drills.power.model import Disk, State, lay_out
from tests.drills.power.promises import Promises
from tests.drills.power.states import crashes
from tests.drills.power.traced import Traced

LOST = "acknowledged answers are lost"
LONG = bool(os.environ.get("HYMIO_DRILL"))
COMMANDS = st.one_of(
    st.tuples(st.just("commit"), st.integers(1, 3)),
    st.tuples(st.just("prune"), st.integers(1, 20)),
    st.just(("tend",)),
    st.just(("new_epoch",)),
)
_SETTINGS = settings(
    max_examples=80 if LONG else 8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # To shorten an example takes hundreds of runs, each of them under strace.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
)


class Terminal(RuleBasedStateMachine):
    """A terminal whose power goes at any moment, again and again."""

    program: Traced
    place: Path
    complaint = ""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(dir=self.place))
        self.kernel = Kernel(Disk(), self.root)
        self.promises = Promises()

    @initialize()
    def first_start(self) -> None:
        self.do(("open", str(self.root / DATA)))

    # --- a day ------------------------------------------------------------------------------------

    @rule(command=COMMANDS)
    def work(self, command: tuple[object, ...]) -> None:
        """Something is committed, tended or pruned, and nothing happens."""
        self.do(command)

    @rule()
    def restart(self) -> None:
        """The terminal is stopped in good order and starts again."""
        self.do(("close",))
        self.do(("open", str(self.root / DATA)))

    @rule(seed=st.integers(0, 2**32))
    def write_back(self, seed: int) -> None:
        """The kernel writes some of what waits, in an order of its own."""
        chance = random.Random(seed)
        # How much waits varies with ids and hashes, so it cannot be drawn from.
        waiting = range(len(self.kernel.disk.pending))
        self.kernel.disk.write_back([at for at in waiting if chance.random() < 0.4])

    @rule(command=COMMANDS, part=st.floats(0, 1), seed=st.integers(0, 2**32))
    def power_cut(self, command: tuple[object, ...], part: float, seed: int) -> None:
        """The power goes in the middle of something."""
        self.do(command, part)
        chance = random.Random(seed)
        disk = self.kernel.disk
        kind, kept = chance.choice(list(crashes(disk.pending, chance, thorough=True)))
        note(f"cut, {kind}")
        state = disk.after(kept)
        self.start_on(state, Disk(state))

    @rule(command=COMMANDS, part=st.floats(0, 1))
    def kill(self, command: tuple[object, ...], part: float) -> None:
        """The process is killed in the middle of something; what it wrote is not lost by that."""
        self.do(command, part)
        disk = self.kernel.disk
        self.start_on(disk.after(disk.pending), disk)

    # --- how --------------------------------------------------------------------------------------

    def do(self, command: tuple[object, ...], part: float = 1.0) -> None:
        """Have a command done; the disk and we learn of the first part of its calls only."""
        calls = self.program.do(*command)  # type: ignore[arg-type]
        for call in calls[: round(part * len(calls))]:
            self.kernel.apply(call)
            if line := self.kernel.said(call):
                self.promises.hear(line)

    def start_on(self, state: State, disk: Disk) -> None:
        """Judge a copy of what there is, then start the terminal on it."""
        trial = Path(tempfile.mkdtemp(dir=self.place))
        lay_out(state, trial)
        wrong = judge(trial / DATA, copy.deepcopy(self.promises))
        shutil.rmtree(trial)
        if self.complaint:
            # Of a weakened program this one is asked for; after another it cannot go on.
            assert not [line for line in wrong if self.complaint in line], wrong
            assume(not wrong)
        assert wrong == [], wrong
        old, self.root = self.root, Path(tempfile.mkdtemp(dir=self.place))
        lay_out(state, self.root)
        self.kernel = Kernel(disk, self.root)
        self.do(("open", str(self.root / DATA)))
        shutil.rmtree(old)
        self.settle()

    def settle(self) -> None:
        """What is there after a start may be at the centre a moment later: it has to stay."""
        there = [row.id for _, row in stored(DataDir(self.root / DATA))]
        known = set(there)
        self.promises.made = [
            [ident] for ids in self.promises.made for ident in ids if ident in known
        ] + [[]]
        self.promises.stored = there

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Path]:
    with shelf() as folder:
        yield folder


def test_nothing_acknowledged_is_lost_or_doubled_by_any_sequence(
    tmp_path: Path, place: Path
) -> None:
    with Traced(tmp_path) as program:
        Terminal.program, Terminal.place = program, place
        run_state_machine_as_test(Terminal, settings=_SETTINGS)


@pytest.mark.parametrize("weakened", ["synchronous=normal", "hasty"])
def test_a_weakened_setting_is_found(tmp_path: Path, place: Path, weakened: str) -> None:
    # The same examples every time, or one run in three finds nothing among two hundred.
    once = settings(_SETTINGS, max_examples=1000, derandomize=True, database=None)
    with Traced(tmp_path, [weakened]) as program:
        weak = type("Weak", (Terminal,), {"program": program, "place": place, "complaint": LOST})
        with pytest.raises(AssertionError, match=LOST):
            run_state_machine_as_test(weak, settings=once)


@pytest.mark.parametrize("weakened", [[], ["killed rows not synced"]], ids=["as it is", "weakened"])
def test_rows_there_after_a_kill_are_there_after_a_power_cut(
    tmp_path: Path, place: Path, weakened: list[str]
) -> None:
    with Traced(tmp_path, weakened) as program:
        Terminal.program, Terminal.place = program, place
        terminal = Terminal()
        terminal.first_start()

        def killed_and_cut() -> None:
            for part in range(1, 20):
                terminal.kill(("commit", 1), part / 20)
                state = terminal.kernel.disk.after([])
                terminal.start_on(state, Disk(state))

        if weakened:
            with pytest.raises(AssertionError, match=LOST):
                killed_and_cut()
        else:
            killed_and_cut()
        terminal.teardown()


@pytest.mark.parametrize("weakened", [[], ["unsynced rows sent"]], ids=["as it is", "weakened"])
def test_rows_sent_after_a_kill_are_there_after_a_power_cut(
    tmp_path: Path, place: Path, weakened: list[str]
) -> None:
    with Traced(tmp_path, weakened) as program:
        Terminal.program, Terminal.place = program, place
        terminal = Terminal()
        terminal.first_start()

        def killed_sent_and_cut() -> None:
            for part in range(1, 20):
                terminal.do(("commit", 1), part / 20)
                disk = terminal.kernel.disk
                # The sender is quicker than the terminal's next start.
                root = Path(tempfile.mkdtemp(dir=place))
                lay_out(disk.after(disk.pending), root)
                terminal.kernel = Kernel(disk, root)
                terminal.do(("send", str(root / DATA)))
                state = disk.after([])
                terminal.start_on(state, Disk(state))

        if weakened:
            with pytest.raises(AssertionError, match=LOST):
                killed_sent_and_cut()
        else:
            killed_sent_and_cut()
        terminal.teardown()
