"""Headphones: pipes stand for the kernel's devices, and a dictionary for its switches."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.speech.jack import EVIOCGSW, Jack
from kiosk.speech.parts import Part
from kiosk.speech.speaker import Speaker
from tests.bench import screen
from tests.kiosk.descriptors import open_files

EVENT = struct.pack("@llHHi", 0, 0, 5, 2, 1)
"""A switch turned, as the kernel writes it."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    screen.wait_until(condition, 60, poll_s=0.01, what=what)


class Machine:
    """Input devices that are pipes."""

    def __init__(self, root: Path) -> None:
        self.devices, self.listed = root / "dev", root / "sys"
        self.devices.mkdir()
        self.listed.mkdir()
        self.switches: dict[str, int] = {}
        self.asked: list[int] = []
        self._writers: dict[str, int] = {}

    def add(self, name: str, mask: str, switches: int = 0) -> None:
        os.mkfifo(self.devices / name)
        self._writers[name] = os.open(self.devices / name, os.O_RDWR | os.O_NONBLOCK)
        self.switches[name] = switches
        folder = self.listed / name / "device" / "capabilities"
        folder.mkdir(parents=True)
        (folder / "sw").write_text(f"{mask}\n")

    def turn(self, name: str, switches: int) -> None:
        self.switches[name] = switches
        os.write(self._writers[name], EVENT)

    def remove(self, name: str) -> None:
        (self.listed / name / "device" / "capabilities" / "sw").unlink()
        self.switches.pop(name)
        os.write(self._writers[name], EVENT)

    def ioctl(self, fd: int, request: int, state: bytearray) -> int:
        assert request == EVIOCGSW
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        if name not in self.switches:
            raise OSError(19, "No such device")
        self.asked.append(fd)
        state[:] = self.switches[name].to_bytes(8, "little")
        return 8

    def close(self) -> None:
        for fd in self._writers.values():
            os.close(fd)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    yield found
    found.close()


def test_headphones_that_are_in_at_the_start_are_known(machine: Machine) -> None:
    machine.add("event3", "4", switches=4)
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl)
    wait_until(lambda: jack.plugged, "the state is asked for")
    assert jack.reason == ""
    jack.close()


def test_the_plug_is_noticed_going_in_and_out_without_asking_again_and_again(
    machine: Machine,
) -> None:
    machine.add("event3", "14")
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl)
    wait_until(lambda: jack.reason == "", "the jack is found")
    assert not jack.plugged
    for switches in (4, 0, 0x14, 0x10):
        machine.turn("event3", switches)
        wait_until(lambda n=switches: jack.plugged is bool(n & 4), f"switches {switches}")  # type: ignore[misc]
    assert len(machine.asked) == 5
    jack.close()


def test_only_devices_with_the_switch_are_opened(machine: Machine) -> None:
    # A lid, a keyboard, and the headphones' bit in a word that is not the lowest.
    for name, mask in (("event0", "1"), ("event1", "0"), ("event2", "4 0"), ("event3", "4")):
        machine.add(name, mask, switches=4)
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl)
    wait_until(lambda: jack.plugged, "the jack is found")
    opened = open_files()
    count = {name: sum(p.endswith(f"dev/{name}") for p in opened) for name in machine.switches}
    # One is this test's own end of the pipe.
    assert count == {"event0": 1, "event1": 1, "event2": 1, "event3": 2}
    jack.close()


def test_a_jack_that_appears_later_is_found_and_one_that_goes_is_let_go(machine: Machine) -> None:
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl, look_s=0.05)
    wait_until(lambda: jack.reason != "", "nothing is known")
    machine.add("event9", "4", switches=4)
    wait_until(lambda: jack.plugged, "the headphones of a new card")
    machine.remove("event9")
    wait_until(lambda: not jack.plugged, "the card is gone")
    wait_until(lambda: jack.reason == "no jack tells of headphones", "nothing is known")
    jack.close()


def test_a_device_that_cannot_be_opened_is_named_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.add("event3", "4", switches=4)
    (machine.devices / "event3").unlink()
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl, look_s=0.01)
    wait_until(lambda: jack.reason.startswith("event3: "), "the reason")
    count = [0]

    def again() -> bool:
        count[0] += 1
        return count[0] > 20

    wait_until(again, "more looks")
    jack.close()
    assert not jack.plugged
    assert len(caplog.records) == 1


def test_a_closed_watch_leaves_no_open_file(machine: Machine) -> None:
    machine.add("event3", "4")
    before = open_files()
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl)
    wait_until(lambda: jack.reason == "", "the jack is found")
    jack.close()
    jack.close()
    assert open_files() == before


def test_headphones_pulled_out_silence_the_voice(machine: Machine, tmp_path: Path) -> None:
    machine.add("event3", "4", switches=4)
    jack = Jack(machine.devices, machine.listed, ioctl=machine.ioctl)
    loudspeaker = Path(__file__).with_name("loudspeaker.py")
    player = [sys.executable, "-S", "-I", str(loudspeaker), str(tmp_path), "slow"]
    voice = Speaker(tmp_path, player, jack=jack)
    wait_until(lambda: voice.available and voice.headphones, "voice and headphones")
    voice.say((Part("vain minulle " * 100, "fi"),))
    machine.turn("event3", 0x14)
    machine.turn("event3", 0x04)
    wait_until(lambda: any(tmp_path.glob("*.wav")), "it is heard")
    assert voice.busy
    machine.turn("event3", 0)
    wait_until(lambda: not voice.busy, "silence")
    assert not voice.headphones
    voice.close()
