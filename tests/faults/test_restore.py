"""A centre restored from yesterday's copy is filled again by the devices' rewinding."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.faults.field import field_device
from tests.faults.house import house


def test_yesterdays_copy_is_filled_again_by_rewinding(tmp_path: Path) -> None:
    database, copy = tmp_path / "centre.db", tmp_path / "yesterday.db"
    with house(tmp_path) as home, field_device(home, 0) as device:
        device.commit(120, together=20)
        device.sync_once()
        home.centre.stop()
        shutil.copyfile(database, copy)
        home.start_centre()

        device.commit(700, together=50)
        device.sync_once()
        assert device.check_ledger()["acknowledged"] == 820
        device.check_centre()

        home.centre.stop()
        for old in tmp_path.glob("centre.db*"):
            old.unlink()
        shutil.copyfile(copy, database)
        home.hymio("collector", "restored", "--database", home.database)
        home.start_centre()
        assert len(home.rows("select 1 from records")) == 120, "the copy is yesterday's"

        device.commit(10)
        device.check_ledger()
        device.sync_once()
        assert device.check_ledger()["to_send"] == 0
        device.check_centre()
        ((lost,),) = home.rows("select coalesce(sum(lost), 0) from epochs")
        assert lost == 0
        home.centre.stop()
        home.hymio("collector", "verify", "--database", home.database)
