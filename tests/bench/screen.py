"""A virtual display whose pixels are read from memory, and a finger made of X test events.

`Xvfb -fbdir` keeps its framebuffer in a file (XWD format); reading a pixel there costs
microseconds and disturbs nothing, the same way for whatever program draws.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import mmap
import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 15.0
POLL_S = 0.0002
_HEADER = struct.Struct(">25I")
"""XWDFileHeader: 25 CARD32, always most significant byte first."""


class Framebuffer:
    """The picture of an `Xvfb -fbdir` screen."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        fields = _HEADER.unpack_from(self._map)
        header, self.width, self.height = fields[0], fields[4], fields[5]
        self._order = ">I" if fields[7] else "<I"
        self._bits, self._line, colours = fields[11], fields[12], fields[19]
        if self._bits != 32:
            raise ValueError(f"{self._bits} bits a pixel; start Xvfb with depth 24")
        # After the header come the colour map's entries of 12 bytes.
        self._start = header + colours * 12

    def pixel(self, x: int, y: int) -> int:
        """0xRRGGBB at a position in pixels, origin top left."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise IndexError(f"({x}, {y}) is outside {self.width} × {self.height}")
        offset = self._start + y * self._line + x * 4
        (value,) = struct.unpack_from(self._order, self._map, offset)
        return int(value) & 0xFFFFFF

    def rows(self) -> bytes:
        """All pixels as they lie in memory: cheap to compare with an earlier copy."""
        return self._map[self._start : self._start + self.height * self._line]

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


class Pointer:
    """A finger: motion and button events through XTEST, microseconds after the call."""

    def __init__(self, display: str) -> None:
        self._x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self._xtst = ctypes.CDLL(ctypes.util.find_library("Xtst") or "libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XFlush.argtypes = self._x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        self._xtst.XTestFakeMotionEvent.argtypes = [
            *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_ulong)
        ]
        self._xtst.XTestFakeButtonEvent.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong)
        ]
        self._display: Any = self._x11.XOpenDisplay(display.encode())
        if not self._display:
            raise OSError(f"no X server at {display}")

    def move(self, x: int, y: int) -> None:
        """Go to a position in pixels."""
        self._xtst.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        self._x11.XFlush(self._display)

    def press(self) -> None:
        """Touch."""
        self._xtst.XTestFakeButtonEvent(self._display, 1, 1, 0)
        self._x11.XFlush(self._display)

    def release(self) -> None:
        """Let go."""
        self._xtst.XTestFakeButtonEvent(self._display, 1, 0, 0)
        self._x11.XFlush(self._display)

    def close(self) -> None:
        """Leave the X server."""
        self._x11.XCloseDisplay(self._display)


class Screen:
    """A running virtual display."""

    def __init__(self, name: str, framebuffer: Framebuffer, pid: int) -> None:
        self.name = name
        """For DISPLAY, such as `:42`."""
        self.framebuffer = framebuffer
        self.pid = pid


@contextlib.contextmanager
def virtual_screen(width: int = 1280, height: int = 800) -> Iterator[Screen]:
    """Start an Xvfb on a display number it picks itself; ends it afterwards."""
    with tempfile.TemporaryDirectory(prefix="hymio-fb-") as folder:
        reading, writing = os.pipe()
        server = subprocess.Popen(
            [
                *("Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24"),
                *("-fbdir", folder, "-nolisten", "tcp", "-nocursor"),
            ],
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for who started it: without its screen, Xlib would end that at once.
            start_new_session=True,
        )
        os.close(writing)
        try:
            with os.fdopen(reading) as pipe:
                number = pipe.readline().strip()
            if not number:
                raise OSError("Xvfb does not start")
            buffer = Framebuffer(Path(folder) / "Xvfb_screen0")
            try:
                yield Screen(f":{number}", buffer, server.pid)
            finally:
                buffer.close()
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_until(
    condition: Callable[[], bool], timeout_s: float, *, poll_s: float = POLL_S, what: str = ""
) -> float:
    """Poll until the condition holds; returns perf_counter at that moment.

    Raises TimeoutError, naming `what` was waited for.
    """
    deadline = time.perf_counter() + timeout_s
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{what or 'nothing happened'} within {timeout_s:g} s")
        time.sleep(poll_s)
    return time.perf_counter()
