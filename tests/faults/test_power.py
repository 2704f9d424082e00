"""`kill -9` at random points: whatever was acknowledged is at the centre, exactly once.

Moments are random and seeded; a failure names its seed by the test's id.
"""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.field import SEEDS, field_device
from tests.faults.house import House


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sender_killed_again_and_again_loses_and_doubles_nothing(
    home: House, number: int, seed: int
) -> None:
    chance = random.Random(seed)
    with field_device(home, number) as device:
        device.commit(1500, together=100)
        for _ in range(5):
            sender = device.sender()
            time.sleep(chance.uniform(0.3, 0.9))
            device.commit(20)
            sender.kill()
            device.check_ledger()
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_centre_killed_again_and_again_loses_and_doubles_nothing(
    home: House, number: int, seed: int
) -> None:
    chance = random.Random(seed)
    with field_device(home, number) as device:
        device.commit(1000, together=100)
        sender = device.sender()
        for _ in range(3):
            time.sleep(chance.uniform(0.2, 0.8))
            device.commit(20)
            home.centre.kill()
            device.commit(200, together=50)
            device.check_ledger()
            home.start_centre()
        sender.stop()
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()


def test_what_the_centre_acknowledged_survives_its_death(home: House, number: int) -> None:
    """No record may be counted as acknowledged on the device and be gone after the crash."""
    with field_device(home, number) as device:
        device.commit(300, together=100)
        device.sync_once()
        home.centre.kill()
        assert device.check_ledger()["acknowledged"] == 300
        home.start_centre()
        device.check_centre()
