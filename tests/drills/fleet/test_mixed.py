"""A device that is revoked and enrolled again, in one process; `make drill` has it and more."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.collector import keyring
from sync.contract import code as codes
from sync.datadir import write_json
from tests.drills.site import Device, House

OTHER = "T2P9XWBK7QM4"


def run(folder: Path) -> list[str]:
    """Revoked after its first batch, with the second one waiting; then enrolled again."""
    house = House(folder / "centre.db")
    device = Device(folder / "device", house.post).open()
    device.commit(300, 200)
    assert device.drain()
    had = len(house.ids())
    with house.store.tx() as tx:
        keyring.revoke(tx, "d1", "lost", 1)
    device.commit(400)
    wrong = [] if not device.drain(20) else ["a revoked device finds nothing left to send"]
    assert device.sender is not None
    if device.sender.state != "revoked" or "kept" not in device.sender.reason:
        wrong.append(f"it says {device.sender.state}: {device.sender.reason}")
    if len(house.ids()) != had:
        wrong.append("a revoked device got records in")
    with house.store.tx() as tx:
        tx.run(
            "insert into codes(code_sha256, device, expires_ms, created_ms) values (?, 'd1', ?, 0)",
            (codes.sha256(OTHER), 2**52),
        )
    write_json(device.data.enrol_json, {"endpoint": "http://127.0.0.1:1", "code": OTHER})
    if not device.drain():
        wrong.append(f"enrolled again it does not drain: {device.sender.reason}")
    wrong += device.wrong(house, device.acknowledged)
    device.close()
    house.store.close()
    return wrong


def test_a_revoked_device_keeps_all_and_sends_it_once_when_enrolled_again(tmp_path: Path) -> None:
    assert run(tmp_path) == []


def test_a_centre_that_takes_revoked_keys_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "may_post", lambda *_: None)
    assert "a revoked device got records in" in run(tmp_path)
