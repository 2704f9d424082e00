"""The ledger says what is true, also of what damage took."""

from __future__ import annotations

import contextlib
import sqlite3

from tests.sync.device.conftest import Field
from tests.sync.device.fake import FakeCentre


def damage(device: Field, *seqs: int) -> None:
    """Take rows out of the file, as a salvage does that cannot read them."""
    (file,) = device.data.outbox_dir.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.executemany("delete from records where seq = ?", [(seq,) for seq in seqs])


def test_what_damage_took_is_lost_before_and_after_the_rest_is_sent(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(10)
    damage(device, 1, 4, 5, 10)
    assert device.ledger() == {
        **{"created": 10, "acknowledged": 0, "quarantined": 0, "held": 0},
        **{"lost": 4, "to_send": 6},
    }

    device.wait()

    assert device.ledger()["acknowledged"] == 6
    assert device.ledger()["lost"] == 4


def test_what_was_sent_and_pruned_is_not_lost(device: Field, centre: FakeCentre) -> None:
    device.commit(10)
    device.wait()
    damage(device, *range(1, 8))
    assert device.ledger()["lost"] == 0
    device.commit(2)
    device.wait()
    assert (device.ledger()["lost"], device.ledger()["acknowledged"]) == (0, 12)


def test_a_centre_that_lost_what_was_pruned_here_makes_it_lost(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(10)
    device.wait()
    damage(device, *range(1, 8))
    (epoch,) = centre.stored
    centre.stored[epoch] = {seq: r for seq, r in centre.stored[epoch].items() if seq <= 3}
    centre.pruned.clear()
    device.commit(1)
    device.now += 400
    device.wait()
    device.now += 400
    device.wait()
    assert (device.ledger()["lost"], device.ledger()["acknowledged"]) == (4, 7)
    # sender.json tells both when sync.db is lost, before the centre is heard.
    device.restart()
    for path in device.data.root.glob("sync.db*"):
        path.unlink()
    assert device.sender.state == "starting"
    assert (device.ledger()["lost"], device.ledger()["acknowledged"]) == (4, 7)


def test_a_sync_db_that_is_just_being_made_is_no_error(device: Field) -> None:
    device.commit(2)
    device.data.sync_db.write_bytes(b"")
    assert device.ledger()["to_send"] == 2
