"""Everything fails in any order: sender, centre, network, while answers keep coming."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.field import SEEDS, FieldDevice, field_device
from tests.faults.house import Child, House
from tests.faults.proxy import CuttingProxy, Fault

STEPS = 14
ACTIONS = {
    "answers": 5,
    "sender starts": 4,
    "sender dies": 2,
    "centre dies": 1,
    "reply is cut": 2,
    "request is cut": 2,
    "reply is late": 1,
    "cable": 2,
}
"""What can happen next, and how often compared with the others."""


@pytest.mark.parametrize("seed", SEEDS)
def test_acknowledged_is_at_the_centre_once_whatever_failed_in_between(
    home: House, number: int, seed: int
) -> None:
    chance = random.Random(seed)
    with CuttingProxy(home.port) as proxy, field_device(home, number, at=proxy.url) as device:
        device.commit(300, together=50)
        device.sync_once()
        storm = _Storm(home, device, proxy, chance)
        for action in chance.choices(list(ACTIONS), list(ACTIONS.values()), k=STEPS):
            storm.happens(action)
        storm.calm()
        device.check_ledger()
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()


class _Storm:
    """One device's bad days."""

    def __init__(
        self, home: House, device: FieldDevice, proxy: CuttingProxy, chance: random.Random
    ) -> None:
        self.home, self.device, self.proxy, self.chance = home, device, proxy, chance
        self.sender: Child | None = None
        self.plugged = True

    def happens(self, action: str) -> None:
        """Do one thing."""
        match action:
            case "answers":
                self.device.commit(self.chance.randrange(1, 30))
            case "sender starts" if self.sender is None:
                self.sender = self.device.sender()
                time.sleep(self.chance.uniform(0.3, 0.7))
            case "sender dies" if self.sender is not None:
                self.sender.kill()
                self.sender = None
            case "centre dies":
                self.home.centre.kill()
                self.device.commit(5)
                self.home.start_centre()
            case "reply is cut":
                self.proxy.arm(Fault(reply_bytes=self.chance.randrange(400)))
            case "request is cut":
                self.proxy.arm(Fault(request_bytes=self.chance.randrange(3000)))
            case "reply is late":
                self.proxy.arm(Fault(delay_s=0.3))
            case "cable":
                self.plugged = not self.plugged
                self.proxy.up() if self.plugged else self.proxy.down()

    def calm(self) -> None:
        """The weather clears; what still runs may finish its work or not."""
        if self.sender is not None:
            self.sender.kill()
        self.proxy.disarm()
        self.proxy.up()
