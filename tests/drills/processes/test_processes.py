"""Short form of the drill of processes: all of them killed, with a tap in flight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.drills.processes.deaths import killed, turned_away
from tests.drills.processes.yard import Yard, yard

pytestmark = pytest.mark.display


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Yard]:
    with yard(tmp_path) as found:
        yield found


def test_what_dies_costs_no_answer(place: Yard) -> None:
    chance = Random(1)
    wrong = killed(place, chance, "terminal", "sender", "centre")
    wrong += turned_away(place, "sync", "--data", str(place.data))
    assert wrong + place.judged() == []
