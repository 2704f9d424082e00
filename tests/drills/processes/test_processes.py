"""Short form of the drill of processes: kills and an end, with taps in flight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.drills.processes.deaths import ended, killed, turned_away
from tests.drills.processes.yard import Yard, yard

pytestmark = pytest.mark.display


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Yard]:
    with yard(tmp_path) as found:
        yield found


def test_what_dies_costs_no_answer(place: Yard) -> None:
    chance = Random(1)
    wrong = killed(place, chance, "sender", "centre")
    wrong += killed(place, chance, "terminal", "sender", "centre")
    wrong += turned_away(place, "sync", "--data", str(place.data))
    wrong += ended(place, chance, "sender")
    assert wrong + place.judged() == []
