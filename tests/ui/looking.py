"""Looking at a real window, and touching it as a finger does."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from kiosk.layout.page import Page
from sync.contract.bundle import Timing, Touch
from sync.contract.records import Answer, End, Record, thaw
from tests.faults.terminal import LIMIT_S, Terminal

Start = Callable[..., Terminal]
"""The fixture `window`."""
LAST_KEY = 255
"""The last of the codes a keyboard has; nothing is on it."""
QUICK = {"timing": Timing(hold_ms=60), "touch": Touch(quiet_ms=60)}


def records(data: Path) -> list[Record]:
    """Everything in the outbox, as another process sees it."""
    found = []
    for file in sorted((data / "outbox").glob("*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            found += [thaw(raw) for (raw,) in db.execute("select rec from records order by seq")]
    return found


def answers(data: Path) -> list[Answer]:
    return [record for record in records(data) if isinstance(record, Answer)]


def ends(data: Path) -> list[End]:
    return [record for record in records(data) if isinstance(record, End)]


def xdotool(subject: Terminal, *words: str) -> None:
    env = {**os.environ, "DISPLAY": subject.screen.name}
    subprocess.run(["xdotool", *words], env=env, check=True, timeout=LIMIT_S)


def tap(subject: Terminal, page: Page, name: str) -> None:
    """A finger by xdotool, down until it is seen to be.

    Once more where nothing is seen of it, as people do: a busy terminal may notice late that its
    screen stands, and takes no taps before.
    """
    x, y = subject.middle(page, name)
    region = subject.looks.painter(frozenset(), page.screen).region(subject.target(page, name))

    def seen() -> bytes:
        return subject.picture().crop(region).tobytes()

    before = seen()
    xdotool(subject, "mousemove", str(x), str(y))
    for last in (False, False, True):
        xdotool(subject, "mousedown", "1", "sleep", "0.05")
        try:
            subject.wait_for(lambda: seen() != before, f"{name} pressed", LIMIT_S / 4)
        except AssertionError:
            if last:
                raise
        else:
            return
        finally:
            xdotool(subject, "mouseup", "1")


def spare_keys(display: str, *symbols: str) -> None:
    """Give a keyboard keys it lacks, for good.

    xdotool lends them for one press and takes them back at once; a busy window that looks up late
    what was pressed finds nothing.
    """
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XStringToKeysym.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    for at, symbol in enumerate(symbols):
        code = ctypes.c_ulong(x11.XStringToKeysym(symbol.encode()))
        assert code.value, f"no key is called {symbol}"
        x11.XChangeKeyboardMapping(connection, LAST_KEY - at, 1, ctypes.byref(code), 1)
    x11.XSync(connection, 0)
    x11.XCloseDisplay(connection)


def bytes_on_disk(data: Path) -> bytes:
    """Every byte the terminal left on disk."""
    return b"".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())


class _Message(ctypes.Structure):
    """XClientMessageEvent, padded to the size of an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 16),
    )


def windows(display: str) -> list[int]:
    listed = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--class", "."],
        env={**os.environ, "DISPLAY": display},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    found = [int(number) for number in listed.stdout.split()]
    assert found
    return found


def ask_to_close(display: str) -> None:
    """Send every window WM_DELETE_WINDOW, as a window manager does on Alt-F4."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    x11.XInternAtom.restype = ctypes.c_ulong
    protocols = x11.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    delete = x11.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    for window in windows(display):
        message = _Message(33, 0, 1, connection, window, protocols, 32)
        message.data[0] = delete
        x11.XSendEvent(connection, ctypes.c_ulong(window), 0, 0, ctypes.byref(message))
    # In the server before anything that is done next.
    x11.XSync(connection, 0)
    x11.XCloseDisplay(connection)
