"""Looking at a real window, and touching it as a finger does."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from kiosk.layout.page import Page
from kiosk.ui import field
from kiosk.ui.pages import Pages
from sync.contract.bundle import Timing, Touch
from sync.contract.records import Answer, End, Record, thaw
from tests.faults.terminal import ACCENT, Terminal

Start = Callable[..., Terminal]
"""The fixture `window`."""
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


def picture(subject: Terminal) -> Image.Image:
    buffer = subject.screen.framebuffer
    size = (buffer.width, buffer.height)
    return Image.frombuffer("RGB", size, buffer.rows(), "raw", "BGRX", 0, 1)


def shows(subject: Terminal, page: Page) -> bool:
    """Whether the window shows a page exactly as `preview` would paint it."""
    painted = pages_of(subject).painter(frozenset()).page(page)
    return picture(subject).tobytes() == painted.tobytes()


def pages_of(subject: Terminal) -> Pages:
    screen = subject.bundle.screen
    return Pages(subject.bundle, (screen.width_px, screen.height_px))


def xdotool(subject: Terminal, *words: str) -> None:
    env = {**os.environ, "DISPLAY": subject.screen.name}
    subprocess.run(["xdotool", *words], env=env, check=True, timeout=10)


def tap(subject: Terminal, page: Page, name: str) -> None:
    """A finger by xdotool, pressed for as long as fingers are."""
    x, y = subject.middle(page, name)
    xdotool(subject, "mousemove", str(x), str(y), "mousedown", "1", "sleep", "0.05", "mouseup", "1")


def arrives(subject: Terminal, page: Page) -> None:
    """Wait for a page, then until it takes taps."""
    subject.wait_for(lambda: shows(subject, page), f"the screen {page.screen}", 10)
    time.sleep(subject.bundle.touch.quiet_ms / 1000 + 0.03)


def arrives_chosen(subject: Terminal, page: Page) -> None:
    subject.wait_for(lambda: subject.shows(page, "nps.5", ACCENT), "the number chosen before", 10)


def picture_of_text(subject: Terminal) -> bytes:
    """The text screen with nothing written."""
    pages = pages_of(subject)
    page = subject.pages.text("fi")
    painter = pages.painter(frozenset())
    image = painter.page(page)
    patch = field.text_patch(page, "", pages, frozenset())
    assert patch is not None
    region, draw = patch
    part = image.crop(region)
    draw(part, painter.moved(region))
    image.paste(part, region[:2])
    return image.tobytes()


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
        timeout=10,
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
    x11.XFlush(connection)
    x11.XCloseDisplay(connection)
