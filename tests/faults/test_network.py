"""The network is cut in the middle of a batch: nothing is lost, nothing doubled."""

from __future__ import annotations

import pytest

from tests.faults.field import field_device
from tests.faults.house import House
from tests.faults.proxy import CuttingProxy, Fault

CUTS = [
    Fault(request_bytes=0),
    Fault(request_bytes=300),
    Fault(request_bytes=5000),
    Fault(reply_bytes=0),
    Fault(reply_bytes=20),
    Fault(reply_bytes=300),
]


def test_batches_cut_in_the_middle_arrive_once(home: House, number: int) -> None:
    with CuttingProxy(home.port) as proxy, field_device(home, number, at=proxy.url) as device:
        device.sync_once()
        for fault in CUTS:
            device.commit(100, together=100)
            proxy.arm(Fault(fault.request_bytes, fault.reply_bytes))
            # A cut exchange may be tried again at once, or left for the next run.
            device.sync_once(expect=(0, 3))
            assert not proxy.armed, f"{fault} did not happen"
            device.check_ledger()
        assert proxy.cuts == len(CUTS)
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()


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
        30,
        poll_s=0.05,
        what=f"{number} records at the centre",
    )


@pytest.mark.parametrize("reply_bytes", [0, 150])
def test_a_lost_enrolment_reply_bricks_nothing(home: House, number: int, reply_bytes: int) -> None:
    with CuttingProxy(home.port) as proxy, field_device(home, number, at=proxy.url) as device:
        device.commit(3)
        proxy.arm(Fault(reply_bytes=reply_bytes))
        device.sync_once(expect=(0, 3))
        device.sync_once()
        device.check_centre()
