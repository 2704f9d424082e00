"""Short form of the drill with a failing disk: some calls of a day; `make drill` fails each."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.recorder import RecorderError
from tests.drills.disks.errors import FAULTS, KINDS, SYNCING, WRITING, Server
from tests.drills.site import Device, House


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


WHENS = ("5", "12", "3+")


@pytest.mark.parametrize(("call", "error"), FAULTS, ids=str)
def test_after_an_error_of_the_disk_everything_goes_on_and_nothing_is_lost(
    call: str, error: str, server: Server
) -> None:
    for number, what in enumerate(KINDS):
        when = WHENS[(number + FAULTS.index((call, error))) % len(WHENS)]
        found = server.try_out(what=what, call=call, error=error, when=when)
        assert found["wrong"] == [], found
        assert found["injected"], found


def test_a_full_disk_turns_commits_away_and_takes_them_when_there_is_room(server: Server) -> None:
    found = server.try_out(what="day", call=WRITING, error="ENOSPC", when="2+")
    assert found["wrong"] == []
    assert found["refused"] > 0


def test_a_sync_that_fails_is_no_acknowledgement(server: Server) -> None:
    found = server.try_out(what="restart", call=SYNCING, error="EIO", when="1+")
    assert found["wrong"] == []
    assert found["refused"] > 0


# --- a file system of its own ---------------------------------------------------------------------


def mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A small file system that can be filled and made read-only."""
    place = tmp_path / "card"
    place.mkdir()
    if os.geteuid() or not mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)):
        pytest.skip("mounting takes root, and a kernel that lets us")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_card_turns_commits_away_and_takes_them_again(
    card: Path, tmp_path: Path
) -> None:
    house = House(tmp_path / "centre.db")
    device = Device(card / "device", house.post).open()
    device.commit(1, 1)
    device.close()
    assert mount("-o", "remount,ro", str(card))
    with pytest.raises(RecorderError):
        device.open_recorder()
    assert mount("-o", "remount,rw", str(card))
    device.open().commit(1, 1)
    assert device.drain()
    assert device.wrong(house, device.acknowledged) == []
    assert len(device.acknowledged) == 4
    device.close()
    house.store.close()


def test_a_card_that_fills_up_takes_answers_again_when_there_is_room(
    card: Path, tmp_path: Path
) -> None:
    house = House(tmp_path / "centre.db")
    device = Device(card / "device", house.post).open()
    device.commit(1)
    with pytest.raises(OSError, match="No space"), (card / "filler").open("wb") as filler:
        while True:
            filler.write(bytes(4096))
            filler.flush()
    turned_away = 0
    for _ in range(400):
        try:
            device.commit_again()
        except RecorderError:
            turned_away += 1
            if turned_away == 3:
                break
    assert turned_away == 3, "the card never was full"
    (card / "filler").unlink()
    device.commit_again()
    assert device.drain()
    assert device.wrong(house, device.acknowledged) == []
    assert device.lost() == 0
    device.close()
    house.store.close()
    shutil.rmtree(card / "device")
