"""One centre for the tests that leave it standing; each takes a device nobody else uses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.faults.field import SEEDS
from tests.faults.house import House, house

DEVICES = 12 * len(SEEDS)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), devices=DEVICES) as found:
        yield found


@pytest.fixture
def home(shared_house: House) -> Iterator[House]:
    """A running centre with enough published devices; what a test started there is ended."""
    before = list(shared_house.children)
    yield shared_house
    for child in shared_house.children:
        if child not in before and child is not shared_house.centre and child.ended is None:
            child.kill()
    if shared_house.centre.ended is not None:
        shared_house.start_centre()


@pytest.fixture
def number() -> int:
    """The index of a device no other test uses."""
    found = next(_numbers)
    assert found < DEVICES, "publish more devices"
    return found
