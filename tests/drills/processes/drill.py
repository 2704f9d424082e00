"""The part of `make drill` about processes: killed, stopped, ended, started twice."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from tests.drills.part import Options, Row, spread
from tests.drills.processes import deaths
from tests.drills.processes.yard import NAMES, Yard, grown, usage, yard

WARM = 3
"""Rounds after which a process has what it needs; from there on it must not grow."""
Action = Callable[[Yard, Random], list[str]]


def _killed(name: str) -> Action:
    return lambda found, chance: deaths.killed(found, chance, name)


def _ended(name: str) -> Action:
    return lambda found, chance: deaths.ended(found, chance, name)


PLAN: dict[str, tuple[Sequence[Action], tuple[str, ...]]] = {
    "SIGKILL of the terminal, taps in flight": ([_killed("terminal")] * 14, ("sender", "centre")),
    "SIGKILL of the sender": ([_killed("sender")] * 12, ("terminal", "centre")),
    "SIGKILL of the centre": ([_killed("centre")] * 12, ("terminal", "sender")),
    "SIGKILL of some or all together": ([deaths.any_of] * 10, ()),
    "SIGSTOP of the terminal, taps while it stands": ([deaths.screen_stopped] * 12, ("sender",)),
    "SIGSTOP of sender and centre, past all time limits": (
        [
            lambda found, _: deaths.sender_stopped(found, 8),
            lambda found, _: deaths.centre_stopped(found, 50),
            lambda found, _: deaths.sender_stopped(found, 1),
            lambda found, _: deaths.centre_stopped(found, 1),
        ],
        ("terminal",),
    ),
    "SIGTERM in the middle": ([_ended(name) for name in NAMES] * 2, ()),
    "two on one directory": (
        [
            lambda found, _: deaths.two_at_once(found),
            lambda found, _: deaths.second_terminal(found),
        ],
        ("sender", "centre"),
    ),
}
"""What is done in a yard of its own, round by round, and who must not grow meanwhile."""


def _leave(*_: object) -> None:
    """A pool that is stopped ends its workers by SIGTERM: the yard has to be cleared first."""
    # Not again meanwhile: a second one would cut the clearing short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _rounds(task: tuple[str, int, int]) -> Row:
    signal.signal(signal.SIGTERM, _leave)
    name, seed, step = task
    actions, survivors = PLAN[name]
    row = Row(name, 0)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder,
            yard(Path(folder)) as found,
        ):
            _each(row, found, list(actions)[::step], Random(f"{name} {seed}"), survivors)
    except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
        row.failures.append(f"seed {seed}, round {row.cases}: {error!r}")
    return row


def _each(
    row: Row, found: Yard, actions: list[Action], chance: Random, survivors: tuple[str, ...]
) -> None:
    early: dict[str, tuple[int, int, int]] = {}
    for action in actions:
        row.cases += 1
        row.failures += [f"round {row.cases}: {text}" for text in action(found, chance)]
        if row.cases == min(WARM, len(actions)):
            early = {name: usage(found.children(name)[0].pid) for name in survivors}
    notes = []
    for name in survivors:
        late = usage(found.children(name)[0].pid)
        row.failures += grown(name, early[name], late)
        notes.append(f"{name} {late[0]} files, {late[1] // 1000} MB")
    given = len(found.device.ids)
    row.failures += found.judged()
    row.note = "; ".join([f"{given + len(found.taps)} answers", *notes])


def drill(options: Options) -> Iterator[Row]:
    """Every kind of death, in yards side by side."""
    tasks = [(name, options.seed, options.step) for name in PLAN]
    yield from spread(_rounds, tasks, max(2, options.workers))
