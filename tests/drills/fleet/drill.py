"""The part of `make drill` about many devices: together, for weeks, revoked, mixed up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.drills.fleet import scenarios
from tests.drills.fleet.calm import calm
from tests.drills.fleet.crowd import crowd
from tests.drills.fleet.mixed import mixed
from tests.drills.fleet.returning import fast, simulate
from tests.drills.fleet.weeks import Weeks
from tests.drills.part import Options, Row, spread
from tests.faults.house import house
from tests.postgres import PostgresMissingError, running


def _simulated(task: tuple[int, int, str]) -> Row:
    number, seed, place = task
    scenario = scenarios.SCENARIOS[number]
    found = simulate(scenario, seed=seed, place=place)
    name = f"{scenario.terminals:,} terminals: {scenario.name}"
    return Row(name, scenario.terminals, found.failures, found.note())


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    yield from returning(options)
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder:
        yield from crowds(Path(folder))
        yield from weeks(Path(folder), 200_000)
        (Path(folder) / "mixed").mkdir()
        yield from mixed(Path(folder) / "mixed")


def crowds(folder: Path) -> Iterator[Row]:
    """`hymio simulate` at a centre on either database."""
    (folder / "sqlite").mkdir()
    yield crowd(folder / "sqlite", terminals=120, rate=30, seconds=12)
    try:
        with running() as cluster:
            (folder / "postgres").mkdir()
            database = cluster.database()
            yield crowd(folder / "postgres", terminals=120, rate=30, seconds=12, database=database)
    except PostgresMissingError as error:
        yield Row("hymio simulate, PostgreSQL", 0, skipped=str(error).splitlines()[0])


def weeks(folder: Path, many: int) -> Iterator[Row]:
    """One device that was away for weeks, its answers in the current file and in an older one."""
    for older, number in ((False, many), (True, many // 5)):
        place = folder / f"weeks-{older}"
        place.mkdir()
        with house(place, devices=2) as home:
            device = Weeks(home, number, older=older)
            yield device.told()
            if not older:
                yield device.opened()
                yield device.salvaged()
            yield device.sent()
            yield device.opened()


def returning(options: Options) -> Iterator[Row]:
    """Thousands in virtual time."""
    # Made here, for a worker that is stopped has no time to clear up.
    with tempfile.TemporaryDirectory(prefix="hymio-drill-", dir=fast()) as place:
        tasks = [(number, options.seed, place) for number in range(len(scenarios.SCENARIOS))]
        yield from spread(_simulated, tasks, options.workers)
    quiet = calm(5000, 10, 50, seed=options.seed)
    note = (
        f"{quiet.mean:.0f} requests a second, at most {quiet.peak_1s},"
        f" {quiet.turned_away} turned away"
    )
    yield Row("5,000 terminals: half an hour, 5 visits each", 1, quiet.wrong(), note)
