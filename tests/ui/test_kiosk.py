"""The terminal as a program: what ends it and what does not, disk, display, configuration."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.ui.pages import Pages
from sync.contract.bundle import Screen, pack
from tests.bench.screen import wait_until
from tests.faults.terminal import LIMIT_S
from tests.ui.looking import QUICK, Start, answers, ask_to_close, ends, tap, windows, xdotool
from tests.ui.stage import bundle

pytestmark = pytest.mark.display


def test_nothing_a_keyboard_or_window_manager_does_ends_it(window: Start) -> None:
    subject = window(**QUICK)
    # Without a window manager nobody gives the window the keyboard.
    xdotool(subject, "windowfocus", "--sync", str(windows(subject.screen.name)[0]))
    for keys in ("Escape", "F1", "alt+F4", "ctrl+q", "ctrl+w", "F11", "ctrl+alt+Delete"):
        xdotool(subject, "key", keys)
    ask_to_close(subject.screen.name)
    # What comes after all that is taken after it.
    tap(subject, subject.pages.rest("fi"), "nps.1")
    subject.sees(subject.pages.face("fi", "s05", 1, 5))
    assert [answer.value for answer in answers(subject.data)] == [1]
    assert subject.child is not None
    assert subject.child.ended is None


def test_killed_in_a_visit_it_says_interrupted_after_the_restart(window: Start) -> None:
    subject = window(**QUICK)
    tap(subject, subject.pages.rest("fi"), "nps.3")
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer")
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
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer")
    assert subject.child is not None
    assert subject.child.stop() == 0
    assert [end.how for end in ends(subject.data)] == ["interrupted"]
    status = json.loads((subject.data / "terminal.json").read_text())
    assert status["state"] == "ok"
    assert status["last_touch"] is not None
    assert "Traceback" not in subject.child.said()


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
            whole = subject.picture()
            # Without a window manager the window stands in the middle or at the top left.
            spots = [(0, 0), ((1280 - 640) // 2, (800 - 400) // 2)]
            return any(
                whole.crop((x, y, x + 640, y + 400)).tobytes() == painted.tobytes()
                for x, y in spots
            )

        wait_until(there, LIMIT_S, poll_s=0.05, what="a small window")
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(LIMIT_S) == 0


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
        timeout=LIMIT_S,
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

    subject.sees(Pages(fallback_bundle(), (1280, 800)).page(frozenset(), "out_of_use", "fi"))

    def status() -> dict[str, str]:
        found: dict[str, str] = json.loads((subject.data / "terminal.json").read_text())
        return found

    subject.wait_for(lambda: status()["state"] == "out-of-use", "the status")
    assert "configuration" in status()["reason"]


def test_a_full_disk_keeps_the_answer_and_says_out_of_use(window: Start) -> None:
    subject = window(**QUICK)
    rest = subject.pages.rest("fi")
    assert subject.child is not None
    _, most = resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE)
    # No file of the process can grow any more, or be written at all.
    resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE, (0, most))
    tap(subject, rest, "nps.5")
    subject.sees(rest, **{"nps.5": "pressed"})
    subject.sees(subject.pages.out_of_use("fi"))
    assert answers(subject.data) == []
    resource.prlimit(subject.child.pid, resource.RLIMIT_FSIZE, (most, most))
    subject.arrives(rest)
    assert [answer.value for answer in answers(subject.data)] == [5]
    assert [end.how for end in ends(subject.data)] == ["interrupted"]


def test_a_new_configuration_is_used_from_the_next_visit_on(window: Start) -> None:
    subject = window(**QUICK)
    rest = subject.pages.rest("fi")
    tap(subject, rest, "nps.5")
    # Before that a busy terminal stands between visits, and takes what is newer.
    subject.wait_for(lambda: len(answers(subject.data)) == 1, "an answer")
    newer = msgspec.structs.replace(subject.bundle, version=7, languages=("sv", "fi"))
    key = Ed25519PrivateKey.generate()
    (subject.data / "config" / "7.bundle").write_bytes(pack(newer, key))
    (subject.data / "config" / "8.bundle").write_bytes(b"torn")
    face = subject.pages.face("fi", "s05", 1, 5)
    subject.arrives(face)
    # The visit goes on as it began; only time can show it: between visits it looks every 2 s.
    time.sleep(2.5)
    subject.sees(face)
    tap(subject, face, "back")
    subject.arrives(rest, **{"nps.5": "chosen"})
    tap(subject, rest, "nps.5")
    for done, statement in enumerate(("s05", "s06", "s07"), 1):
        page = subject.pages.face("fi", statement, done, 5)
        subject.arrives(page)
        tap(subject, page, "skip")
    offer = subject.pages.offer("fi", 4, 5)
    subject.arrives(offer)
    tap(subject, offer, "skip")
    thanks = subject.thanks("fi")
    subject.arrives(thanks)
    tap(subject, thanks, "done")
    subject.sees(Pages(newer, (1280, 800)).page(frozenset(), "rest", "sv"))
    assert {answer.config for answer in answers(subject.data)} == {1}
    status = json.loads((subject.data / "terminal.json").read_text())
    assert status["config"] == 7
    assert [entry["version"] for entry in status["refused"]] == [8]
