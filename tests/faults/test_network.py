"""No network for a while, with the sender as a process; the rest is in tests/drills/network."""

from __future__ import annotations

from tests.faults.field import field_device
from tests.faults.house import House
from tests.faults.proxy import CuttingProxy

BACK_S = 180.0
"""For a sender that backs off the longer, the longer the network was away."""


def test_without_a_network_everything_waits_and_says_so(home: House, number: int) -> None:
    with CuttingProxy(home.port) as proxy, field_device(home, number, at=proxy.url) as device:
        device.commit(5)
        device.sync_once()
        proxy.down()
        device.commit(30)
        assert device.sync_once(expect=(3,)) == 3
        assert device.check_ledger()["to_send"] == 30
        proxy.up()
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()


def test_a_sender_that_runs_on_comes_back_by_itself(home: House, number: int) -> None:
    with CuttingProxy(home.port) as proxy, field_device(home, number, at=proxy.url) as device:
        sender = device.sender()
        device.commit(10)
        _until_stored(device.house, device.id, 10)
        proxy.down()
        device.commit(10)
        proxy.up()
        _until_stored(device.house, device.id, 20)
        assert sender.stop() == 0
        device.check_ledger()
        device.check_centre()


def _until_stored(home: House, device: str, number: int) -> None:
    from tests.bench.screen import wait_until

    query = "select count(*) from records where device = ?"
    wait_until(
        lambda: home.rows(query, device)[0][0] >= number,
        BACK_S,
        poll_s=0.05,
        what=f"{number} records at the centre",
    )
