"""The measuring tools measure what they say; no time is asserted anywhere."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.figures import Figure, as_json, as_table, machine, middle_half, quantiles
from tests.bench.process import cpu_s, family, pss_mib
from tests.bench.screen import Pointer, Screen, virtual_screen, wait_until


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with virtual_screen(640, 400) as found:
        yield found


@pytest.mark.display
def test_a_pixel_is_where_it_was_painted(screen: Screen) -> None:
    """A window of one colour in one place, drawn by Xlib itself."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XCreateSimpleWindow.restype = ctypes.c_ulong
    x11.XCreateSimpleWindow.argtypes = [
        *(ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_int),
        *(ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_ulong, ctypes.c_ulong),
    ]
    x11.XMapWindow.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(screen.name.encode())
    root = x11.XDefaultRootWindow(display)
    window = x11.XCreateSimpleWindow(display, root, 100, 50, 200, 60, 0, 0, 0x0B5563)
    x11.XMapWindow(display, window)
    x11.XSync(display, 0)
    picture = screen.framebuffer
    wait_until(lambda: picture.pixel(100, 50) == 0x0B5563, 60, what="the window")
    assert picture.pixel(299, 109) == 0x0B5563
    for outside in ((99, 50), (100, 49), (300, 109), (299, 110)):
        assert picture.pixel(*outside) == 0
    x11.XCloseDisplay(display)


@pytest.mark.display
def test_the_pointer_goes_where_it_is_sent(screen: Screen) -> None:
    pointer = Pointer(screen.name)
    pointer.move(123, 45)
    place = subprocess.run(
        ["xdotool", "getmouselocation"],
        env={**os.environ, "DISPLAY": screen.name},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pointer.close()
    assert place.startswith("x:123 y:45 ")


@pytest.mark.display
def test_outside_the_screen_there_is_no_pixel(screen: Screen) -> None:
    with pytest.raises(IndexError, match="640"):
        screen.framebuffer.pixel(640, 0)


def test_waiting_for_what_never_comes_says_what() -> None:
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, 0.01, what="the moon")


def test_a_process_costs_memory_and_its_children_count() -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 300 & wait"])
    try:
        wait_until(lambda: len(family(child.pid)) == 2, 60, what="the child's child")
        assert 0 < pss_mib(child.pid) < 100
        assert cpu_s(child.pid) >= 0
    finally:
        for pid in reversed(family(child.pid)):
            os.kill(pid, 9)
        child.wait()


def test_a_missed_target_is_shown_as_missed(tmp_path: Path) -> None:
    good = Figure("ratio", 0.8, "×", target=0.7)
    bad = Figure("growth", 1.4, "×", target=1.25, sense="at most")
    plain = Figure("rate", 12345.6, "1/s")
    assert (good.met, bad.met, plain.met) == (True, False, None)
    table = as_table([good, bad, plain], machine(tmp_path))
    assert "≥ 0.7 met" in table
    assert "≤ 1.25 MISSED" in table
    assert "12,346" in table
    found = json.loads(as_json([good, bad], "here"))
    assert [f["met"] for f in found["figures"]] == [True, False]


def test_quantiles_are_of_the_values_given() -> None:
    assert quantiles([3.0, 1.0, 2.0]) == (2.0, 3.0)


def test_the_middle_half_leaves_a_quarter_out_at_each_end() -> None:
    assert middle_half([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 100.0]) == "half of them from 3 to 6"
    assert middle_half([2.0]) == "half of them from 2 to 2"
