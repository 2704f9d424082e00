"""A card of its own, filled to the last byte or made read-only, and usable again (as root)."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kiosk.recorder import RecorderError
from tests.drills.site import Device, House

NOT_HERE = "mounting takes root, and a kernel that lets us"


def mount(*words: str) -> bool:
    """Whether it could be mounted so."""
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def small_card(place: Path) -> Iterator[Path | None]:
    """A file system of 3 MB; None where none can be mounted."""
    place.mkdir()
    if os.geteuid() or not mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)):
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def read_only(card: Path, folder: Path) -> list[str]:
    """Read-only at a start, then not: commits are turned away, and taken again."""
    house = House(folder / "centre.db")
    device = Device(card / "device", house.post).open()
    wrong = []
    device.commit(1, 1)
    device.close()
    assert mount("-o", "remount,ro", str(card))
    with contextlib.suppress(RecorderError):
        device.open_recorder()
        wrong.append("a terminal starts on a card it cannot write")
    assert mount("-o", "remount,rw", str(card))
    device.open().commit(1, 1)
    return wrong + _ended(device, house)


def full(card: Path, folder: Path) -> list[str]:
    """No room, and room again: commits are turned away, and taken again."""
    house = House(folder / "centre.db")
    device = Device(card / "device", house.post).open()
    wrong = []
    device.commit(1)
    with contextlib.suppress(OSError), (card / "filler").open("wb") as filler:
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
    if turned_away < 3:
        wrong.append("the card never was full")
    (card / "filler").unlink()
    device.commit_again()
    return wrong + _ended(device, house)


def _ended(device: Device, house: House) -> list[str]:
    wrong = [] if device.drain() else ["it does not drain"]
    wrong += device.wrong(house, device.acknowledged)
    if device.lost():
        wrong.append(f"{device.lost()} booked as lost")
    device.close()
    house.store.close()
    return wrong


CARDS = {"made read-only, and writable again": read_only, "full, and with room again": full}
