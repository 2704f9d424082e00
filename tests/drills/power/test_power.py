"""Short form of the power drill: some of the cut points of every scenario; `make drill` does all.

Each scenario is recorded from the real programs, so these are the system calls of today.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.power.cuts import Report, cut_power, record, shelf
from tests.drills.power.scenarios import SCENARIOS, Scenario

CUTS = 14
"""Cut points of a scenario in `make test`."""
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.fixture
def place() -> Iterator[Path]:
    with shelf() as folder:
        yield folder


def some(scenario: Scenario, folder: Path, place: Path) -> Report:
    """Cut the power at some points, spread over the scenario, the last one included."""
    run = record(scenario, folder)
    step = max(1, len(run.cuts) // CUTS)
    return cut_power(run, sorted(run.cuts[::-step]), place)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_power_cut_loses_and_doubles_nothing_acknowledged(
    scenario: Scenario, tmp_path: Path, place: Path
) -> None:
    report = some(scenario, tmp_path, place)
    assert report.failures == []
    assert report.states > CUTS, "hardly anything was judged"


@pytest.mark.parametrize(
    ("weakened", "name", "complaint"),
    [
        ("synchronous=normal", "visits", "acknowledged answers are lost"),
        ("synchronous=off", "visits", "acknowledged answers are lost"),
        ("journal=delete", "visits", "acknowledged answers are lost"),
        ("journal=delete, synchronous=full", "visits", "acknowledged answers are lost"),
        ("hasty", "visits", "acknowledged answers are lost"),
        ("no folder sync", "first open", "acknowledged answers are lost"),
        ("no folder sync", "small files", "promised was"),
        ("no file sync", "first open", "acknowledged answers are lost"),
        ("no file sync", "small files", "promised was"),
        ("in place", "small files", "holds no object"),
        ("checkpoint not synced", "visits", "acknowledged answers are lost"),
        ("memory not synced", "migration", "promised was"),
        ("stored twice", "visits", "are there twice"),
    ],
)
def test_a_weakened_program_is_caught(
    weakened: str, name: str, complaint: str, tmp_path: Path, place: Path
) -> None:
    run = record(BY_NAME[name], tmp_path, [weakened])
    report = cut_power(run, run.cuts, place, until=complaint)
    assert complaint in "\n".join(report.failures)
