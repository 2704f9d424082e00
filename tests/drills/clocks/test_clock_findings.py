"""What the drill of clocks found, each in its smallest form."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kiosk.recorder import Recorder
from sync import build
from sync import clock as clocks
from sync.clock import Clock
from sync.collector.times import Envelope, moment
from sync.contract.bundle import Storage
from sync.contract.records import Stamp, digest
from sync.datadir import DataDir
from sync.epoch import EpochReader, New
from tests.drills.clocks.machine import DAY_MS, NOON_MS, YEARS_MS, Hall, Kiosk, Machine


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    machine = Machine()
    found = Kiosk(tmp_path / "device", Hall(tmp_path / "centre.db", machine), machine)
    found.open_recorder()
    return found


def prune(kiosk: Kiosk) -> set[str]:
    """Tend as if the centre had everything; what is left."""
    assert kiosk.recorder is not None
    kiosk.recorder.tend({"have": {kiosk.recorder.epoch: kiosk.recorder.last_seq}})
    return kiosk.kept()


def test_an_answer_given_before_the_clock_was_set_is_kept_as_long_as_any(kiosk: Kiosk) -> None:
    kiosk.machine.says(30_000)
    kiosk.gives(3)
    kiosk.machine.ntp()
    kiosk.machine.passes(11)
    # Its id says 1970: a centre restored from yesterday's copy could not have had it again.
    assert prune(kiosk) == set(kiosk.made)
    kiosk.gives(1)
    kiosk.machine.passes(2 * DAY_MS / 1000)
    assert prune(kiosk) == set()


def test_when_space_runs_out_an_answer_of_an_unset_clock_goes_as_well(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.machine.says(30_000)
    kiosk.gives(3)
    kiosk.machine.ntp()
    kiosk.machine.passes(11)
    kiosk.gives(1)
    # Half full for weeks, the terminal would be out of use before the month was over.
    monkeypatch.setattr(kiosk.recorder, "_fill", 0.6)
    assert prune(kiosk) == {kiosk.made[-1]}


def test_an_answer_from_years_ahead_does_not_stop_the_pruning(kiosk: Kiosk) -> None:
    kiosk.machine.says(NOON_MS + YEARS_MS)
    kiosk.gives(1)
    kiosk.machine.ntp()
    kiosk.machine.passes(11)
    kiosk.gives(3)
    kiosk.machine.passes(2 * DAY_MS / 1000)
    kiosk.gives(1)
    assert prune(kiosk) == {kiosk.made[-1]}


def test_a_clock_set_in_the_middle_of_a_stamp_makes_no_old_time_believed() -> None:
    machine = Machine()
    machine.says(30_000)

    def synced() -> bool:
        machine.ntp()
        return True

    clock = Clock(
        wall_ns=lambda: machine.wall * 1_000_000,
        boottime_ns=lambda: machine.boottime * 1_000_000,
        boot="b",
        synced=synced,
    )
    stamp = clock.stamp()
    assert not (stamp.synced and stamp.wall.startswith("1970"))


def test_a_clock_before_the_program_was_made_is_not_synchronised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "synchronized").touch()
    monkeypatch.setattr(clocks, "_TIMESYNCD", tmp_path / "synchronized")
    assert clocks.synchronised()
    monkeypatch.setattr(build, "built_ms", lambda: time.time_ns() // 1_000_000 + DAY_MS)
    assert not clocks.synchronised()


def test_an_answer_from_ten_years_after_its_arrival_is_dated_by_boot_time() -> None:
    late = Stamp("2036-11-28T12:00:00.000+02:00", 1000, "b", synced=True)
    found = moment(late, Envelope(NOON_MS, "b", 61_000, {}), "Europe/Helsinki")
    assert (found.instant_ms, found.quality) == (NOON_MS - 60_000, "boot")


def test_an_answer_of_an_earlier_boot_with_a_clock_years_ahead_is_dated_by_its_arrival() -> None:
    late = Stamp("2036-11-28T12:00:00.000+02:00", 1000, "before", synced=True)
    # The sender noted that boot's clock while it was wrong.
    clocks_told = {"before": NOON_MS + YEARS_MS}
    found = moment(late, Envelope(NOON_MS, "b", 61_000, clocks_told), "Europe/Helsinki")
    assert (found.instant_ms, found.quality) == (NOON_MS, "received")


def test_a_record_of_another_shape_is_pruned_by_its_id(tmp_path: Path) -> None:
    machine = Machine()
    machine.ntp()
    data = DataDir(tmp_path)
    recorder = Recorder(data, Storage(ballast_mb=0, keep_days=1), clock=machine.clock())
    recorder._outbox.append([_row(b'{"v": 9}', "01000000-0000-7000-8000-000000000000")])
    recorder.tend({"have": {recorder.epoch: 1}})
    with EpochReader(data.epoch_file(recorder.epoch)) as reader:
        assert reader.rows(0, 10) == []
    recorder.close()


def _row(raw: bytes, ident: str) -> New:

    return New(ident, raw, digest(raw))
