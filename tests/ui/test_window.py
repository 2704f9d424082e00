"""The terminal in a real window under Xvfb, driven by real pointer and key events."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from kiosk.layout.page import Page
from kiosk.ui.pages import Pages
from sync.contract.bundle import Screen, Timing, Touch, pack
from sync.contract.records import Answer, End, Record, thaw
from tests.bench.screen import wait_until
from tests.faults.terminal import ACCENT, Terminal
from tests.ui.stage import bundle

pytestmark = pytest.mark.display

QUICK = {"timing": Timing(hold_ms=60), "touch": Touch(quiet_ms=60)}
LANDSCAPE = Screen(width_px=1280, height_px=800, width_mm=217)
PORTRAIT = Screen(width_px=800, height_px=1280, width_mm=136)

Start = Callable[..., Terminal]


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
    painted = _pages(subject).painter(frozenset()).page(page)
    return picture(subject).tobytes() == painted.tobytes()


def _pages(subject: Terminal) -> Pages:
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


@pytest.mark.parametrize(
    ("language", "screen"),
    [("fi", LANDSCAPE), ("sv", PORTRAIT), ("en", LANDSCAPE)],
    ids=["fi-landscape", "sv-portrait", "en-landscape"],
)
def test_a_whole_visit_by_pointer_ends_up_in_the_outbox(
    window: Start, language: str, screen: Screen
) -> None:
    subject = window(screen=screen, **QUICK)
    pages = subject.pages
    arrives(subject, pages.rest("fi"))
    if language != "fi":
        tap(subject, pages.rest("fi"), f"language.{language}")
        arrives(subject, pages.rest(language))
    tap(subject, pages.rest(language), "nps.9")
    for done, (statement, face) in enumerate([("s05", 5), ("s06", 4), ("s07", 2)], 1):
        page = pages.face(language, statement, done, 5)
        arrives(subject, page)
        tap(subject, page, f"face.{face}")
    offer = pages.offer(language, 4, 5)
    arrives(subject, offer)
    tap(subject, offer, "comment.here")
    text = pages.text(language)
    time.sleep(0.2)
    for key in ("o", "k", "space", "h", "i"):
        tap(subject, text, f"key.{key}")
    tap(subject, text, "send")
    thanks = pages.thanks(language, time.strftime("%Y-%m-%d"))
    arrives(subject, thanks)
    tap(subject, thanks, "done")
    arrives(subject, pages.rest("fi"))

    found = answers(subject.data)
    assert [(answer.question, answer.value) for answer in found] == [
        *(("nps", 9), ("s05", 5), ("s06", 4), ("s07", 2)),
        ("comment", {"text": "ok hi", "redacted": {}}),
    ]
    assert {answer.language for answer in found} == {language}
    assert found[0].layout == ("nps-1x11" if screen is LANDSCAPE else "nps-2x6")
    assert [end.how for end in ends(subject.data)] == ["completed"]


def test_nothing_a_keyboard_or_window_manager_does_ends_it(window: Start) -> None:
    subject = window(**QUICK)
    # Without a window manager nobody gives the window the keyboard.
    xdotool(subject, "windowfocus", "--sync", str(windows(subject.screen.name)[0]))
    for keys in ("Escape", "F1", "alt+F4", "ctrl+q", "ctrl+w", "F11", "ctrl+alt+Delete"):
        xdotool(subject, "key", keys)
    ask_to_close(subject.screen.name)
    time.sleep(0.3)
    tap(subject, subject.pages.rest("fi"), "nps.1")
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer", 5)
    assert subject.child is not None
    assert subject.child.ended is None
    assert subject.resting() is False


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


def test_other_buttons_and_multitouch_leave_no_trace(window: Start) -> None:
    subject = window(**QUICK)
    before = picture(subject).tobytes()
    x, y = subject.middle(subject.pages.rest("fi"), "nps.4")
    for button in ("3", "2", "4", "5"):
        xdotool(subject, "mousemove", str(x), str(y), "click", button)
    time.sleep(0.3)
    assert picture(subject).tobytes() == before
    assert answers(subject.data) == []


def test_a_double_tap_gives_one_answer(window: Start) -> None:
    subject = window(timing=Timing(hold_ms=250), touch=Touch(quiet_ms=300))
    x, y = subject.middle(subject.pages.rest("fi"), "nps.4")
    xdotool(subject, "mousemove", str(x), str(y), "click", "--repeat", "6", "--delay", "40", "1")
    page = subject.pages.face("fi", "s05", 1, 5)
    arrives(subject, page)
    assert [(answer.question, answer.value) for answer in answers(subject.data)] == [("nps", 4)]


def test_pressed_shows_and_sliding_off_cancels(window: Start) -> None:
    subject = window(**QUICK)
    page = subject.pages.rest("fi")
    subject.press(page, "nps.4")
    painted = _pages(subject).painter(frozenset()).page(page, {"nps.4": "pressed"})
    subject.wait_for(lambda: picture(subject).tobytes() == painted.tobytes(), "pressed", 5)
    subject.finger.move(640, 200)
    subject.wait_for(lambda: shows(subject, page), "rest again", 5)
    subject.finger.release()
    time.sleep(0.2)
    assert answers(subject.data) == []


def test_the_chosen_number_stands_only_once_it_is_on_disk(window: Start) -> None:
    subject = window(timing=Timing(hold_ms=400), touch=Touch(quiet_ms=60))
    page = subject.pages.rest("fi")
    tap(subject, page, "nps.6")
    subject.wait_for(lambda: subject.shows(page, "nps.6", ACCENT), "the chosen number", 5)
    assert [answer.value for answer in answers(subject.data)] == [6]


def test_killed_in_a_visit_it_says_interrupted_after_the_restart(window: Start) -> None:
    subject = window(**QUICK)
    tap(subject, subject.pages.rest("fi"), "nps.3")
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer", 5)
    assert subject.child is not None
    subject.child.kill()
    subject.wait_for_nothing()
    subject.start()
    (end,) = ends(subject.data)
    assert (end.how, end.visit) == ("interrupted", answers(subject.data)[0].visit)
    assert end.shown == ["nps"]


def test_sigterm_ends_it_cleanly_and_writes_the_open_visit_off(window: Start) -> None:
    subject = window(**QUICK)
    tap(subject, subject.pages.rest("fi"), "nps.3")
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer", 5)
    assert subject.child is not None
    assert subject.child.stop() == 0
    assert [end.how for end in ends(subject.data)] == ["interrupted"]
    status = json.loads((subject.data / "terminal.json").read_text())
    assert status["state"] == "ok"
    assert status["last_touch"] is not None
    assert "Traceback" not in subject.child.said()


def test_what_one_wrote_is_nowhere_when_the_next_one_comes(window: Start) -> None:
    short = Timing(hold_ms=0, idle_s=5, idle_text_s=10, countdown_s=20)
    subject = window(
        config=bundle(timing=short, touch=Touch(quiet_ms=60), survey={"statements": ()})
    )
    pages = subject.pages
    tap(subject, pages.rest("fi"), "nps.3")
    offer = pages.offer("fi", 1, 2)
    arrives(subject, offer)
    tap(subject, offer, "comment.here")
    time.sleep(0.2)
    text = pages.text("fi")
    for key in "qwertyuiopqwerty":
        tap(subject, text, f"key.{key}")
    # Somebody new says so; there is no undo, no field, no draft to come back to.
    still = pages.still("fi")
    subject.wait_for(lambda: subject.shows(still, "continue", ACCENT), "still there", 15)
    time.sleep(0.1)
    tap(subject, still, "restart")
    arrives(subject, pages.rest("fi"))
    tap(subject, pages.rest("fi"), "nps.3")
    arrives(subject, offer)
    tap(subject, offer, "comment.here")
    empty = picture_of_text(subject)
    subject.wait_for(lambda: picture(subject).tobytes() == empty, "an empty field", 5)
    for keys in ("ctrl+z", "ctrl+y", "ctrl+v", "ctrl+a", "BackSpace"):
        xdotool(subject, "key", keys)
    time.sleep(0.2)
    assert picture(subject).tobytes() == empty
    assert b"qwertyuiopqwerty" not in memory_of_data(subject.data)


def picture_of_text(subject: Terminal) -> bytes:
    """The text screen with nothing written."""
    from kiosk.ui import field

    pages = _pages(subject)
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


def memory_of_data(data: Path) -> bytes:
    """Every byte the terminal left on disk."""
    return b"".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())


def test_windowed_keeps_the_millimetres(window: Start, tmp_path: Path) -> None:
    subject = window(**QUICK)
    assert subject.child is not None
    subject.child.stop()
    small = msgspec.structs.replace(
        subject.bundle, screen=Screen(width_px=640, height_px=400, width_mm=217)
    )
    command = [*subject.command(), "--windowed", "640x400"]
    child = subprocess.Popen(
        command,
        env={**os.environ, "DISPLAY": subject.screen.name},
        stderr=subprocess.DEVNULL,
    )
    try:
        page = subject.pages.rest("fi")
        painted = Pages(small, (640, 400)).painter(frozenset()).page(page)

        def there() -> bool:
            whole = picture(subject)
            # Without a window manager the window stands in the middle or at the top left.
            spots = [(0, 0), ((1280 - 640) // 2, (800 - 400) // 2)]
            return any(
                whole.crop((x, y, x + 640, y + 400)).tobytes() == painted.tobytes()
                for x, y in spots
            )

        wait_until(there, 20, poll_s=0.05, what="a small window")
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


def test_without_a_display_it_says_so_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "x.bundle"
    file.write_bytes(msgspec.json.encode(bundle()))
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kiosk.cli", "kiosk"),
            *("--config", str(file), "--data", str(tmp_path / "data")),
        ],
        env={name: value for name, value in os.environ.items() if name not in gone},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 3
    assert "no display" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_configuration_it_is_calmly_out_of_use(window: Start) -> None:
    subject = window(**QUICK)
    assert subject.child is not None
    subject.child.stop()
    subject.wait_for_nothing()
    config = subject.command()[subject.command().index("--config") + 1]
    Path(config).write_bytes(b"{ torn")
    subject.start(wait=False)
    from kiosk.ui.fallback import fallback_bundle

    page = Pages(fallback_bundle(), (1280, 800)).page(frozenset(), "out_of_use", "fi")
    subject.wait_for(lambda: shows(subject, page), "out of use", 15)

    def status() -> dict[str, str]:
        found: dict[str, str] = json.loads((subject.data / "terminal.json").read_text())
        return found

    subject.wait_for(lambda: status()["state"] == "out-of-use", "the status", 5)
    assert "configuration" in status()["reason"]


def test_a_full_disk_keeps_the_answer_and_says_out_of_use(window: Start) -> None:
    subject = window(**QUICK)
    rest = subject.pages.rest("fi")
    assert subject.child is not None
    _, most = resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE)
    # No file of the process can grow any more, or be written at all.
    resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE, (0, most))
    tap(subject, rest, "nps.5")
    painted = _pages(subject).painter(frozenset()).page(rest, {"nps.5": "pressed"})
    subject.wait_for(lambda: picture(subject).tobytes() == painted.tobytes(), "pressed", 5)
    out = subject.pages.out_of_use("fi")
    subject.wait_for(lambda: shows(subject, out), "out of use", 20)
    assert answers(subject.data) == []
    resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE, (most, most))
    arrives(subject, rest)
    assert [answer.value for answer in answers(subject.data)] == [5]
    assert [end.how for end in ends(subject.data)] == ["interrupted"]


def test_a_new_configuration_is_used_from_the_next_visit_on(window: Start) -> None:
    subject = window(**QUICK)
    rest = subject.pages.rest("fi")
    tap(subject, rest, "nps.5")
    newer = msgspec.structs.replace(subject.bundle, version=7, languages=("sv", "fi"))
    key = Ed25519PrivateKey.generate()
    (subject.data / "config" / "7.bundle").write_bytes(pack(newer, key))
    (subject.data / "config" / "8.bundle").write_bytes(b"torn")
    face = subject.pages.face("fi", "s05", 1, 5)
    arrives(subject, face)
    time.sleep(2.5)
    # The visit goes on as it began.
    assert shows(subject, face)
    tap(subject, face, "back")
    arrives_chosen(subject, rest)
    for _ in range(2):
        subject.settle()
    tap(subject, rest, "nps.5")
    for done, statement in enumerate(("s05", "s06", "s07"), 1):
        page = subject.pages.face("fi", statement, done, 5)
        arrives(subject, page)
        tap(subject, page, "skip")
    offer = subject.pages.offer("fi", 4, 5)
    arrives(subject, offer)
    tap(subject, offer, "skip")
    time.sleep(0.5)
    tap(subject, subject.pages.thanks("fi", time.strftime("%Y-%m-%d")), "done")
    swedish = Pages(newer, (1280, 800)).page(frozenset(), "rest", "sv")
    subject.wait_for(lambda: shows(subject, swedish), "the new configuration", 10)
    assert {answer.config for answer in answers(subject.data)} == {1}
    status = json.loads((subject.data / "terminal.json").read_text())
    assert status["config"] == 7
    assert [entry["version"] for entry in status["refused"]] == [8]


def arrives_chosen(subject: Terminal, page: Page) -> None:
    subject.wait_for(lambda: subject.shows(page, "nps.5", ACCENT), "the number chosen before", 10)
