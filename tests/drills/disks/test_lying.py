"""A disk that lied about `fsync` loses the newest answers at most, and nothing gets mixed up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.disks.lying import lied
from tests.drills.power.cuts import record, shelf
from tests.drills.power.scenarios import SCENARIOS, Scenario

WITH_ANSWERS = [each for each in SCENARIOS if each.name in ("visits", "restart", "mending")]


@pytest.mark.parametrize("scenario", WITH_ANSWERS, ids=lambda scenario: scenario.name)
def test_only_the_newest_are_lost(scenario: Scenario, tmp_path: Path) -> None:
    run = record(scenario, tmp_path)
    step = max(1, len(run.cuts) // 8)
    with shelf() as place:
        report = lied(run, run.cuts[::step], place, span=60)
    assert report.failures == []
