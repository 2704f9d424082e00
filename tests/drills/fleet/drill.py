"""The part of `make drill` about many devices: together, for weeks, revoked, mixed up."""

from __future__ import annotations

from collections.abc import Iterator

from tests.drills.fleet import scenarios
from tests.drills.fleet.calm import calm
from tests.drills.fleet.returning import simulate
from tests.drills.part import Options, Row, spread


def _simulated(task: tuple[int, int]) -> Row:
    number, seed = task
    scenario = scenarios.SCENARIOS[number]
    found = simulate(scenario, seed=seed)
    name = f"{scenario.terminals:,} terminals: {scenario.name}"
    return Row(name, scenario.terminals, found.failures, found.note())


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    yield from returning(options)


def returning(options: Options) -> Iterator[Row]:
    """Thousands in virtual time."""
    tasks = [(number, options.seed) for number in range(len(scenarios.SCENARIOS))]
    yield from spread(_simulated, tasks, options.workers)
    quiet = calm(5000, 10, 50, seed=options.seed)
    note = f"{quiet.mean:.0f} requests a second, at most {quiet.peak_1s}, none turned away"
    yield Row("5,000 terminals: half an hour, 5 visits each", 1, quiet.wrong(), note)
