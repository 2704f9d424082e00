"""What speech costs a finger, read off the framebuffer: the same answers with it and without.

One terminal, visits with and without speech by turns, so that both meet the same machine. With
speech the terminal talks all the while: the engine is the real one, the player takes the samples
as fast as a sound card would and notes when the first one came.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from pathlib import Path

from kiosk.fleet.resolve import load_path
from kiosk.layout.page import Page
from tests.bench.figures import Figure, quantiles
from tests.bench.screen import wait_until
from tests.faults.house import EXAMPLE
from tests.faults.terminal import FINGER_S, Terminal, prepared, terminal

HOLD_S = 2.3
"""The access button held so long begins speech."""
APART_S = 0.8
"""After so long a tap is no second one."""
PLAYER = """
import os, sys, time
first = True
with open(sys.argv[1], "a") as log:
    while sound := os.read(0, 4096):
        if first and len(sound) > 44:
            first = False
            print(time.perf_counter(), file=log, flush=True)
        time.sleep(len(sound) / 44100)
"""


def measure(folder: Path, *, visits: int = 12, slides: int = 3) -> list[Figure]:
    """Release to durable and finger to pixel, without speech and with it; touch to sound."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle = prepared(load_path(EXAMPLE / "devices" / "esim-0001.toml"))
    heard = folder / "heard"
    program = folder / "player.py"
    program.write_text(PLAYER)
    silent: list[float] = []
    spoken: list[float] = []
    pressed: list[float] = []
    ringed: list[float] = []
    sounds: list[float] = []
    with terminal(bundle, folder / "data", folder / "terminal.log") as subject:
        subject.options = ("--player", f"{sys.executable} -S {program} {heard}")
        subject.start()
        time.sleep(2)
        (file,) = (subject.data / "outbox").glob("*.db")
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            for _ in range(visits):
                pressed.append(_press(subject))
                silent.append(_answer(subject, db))
                _leave(subject)
                _begin(subject)
                _slides(subject, heard, slides, ringed, sounds)
                spoken.append(_answer(subject, db, taps=2))
                _leave(subject, speech=True)
        assert subject.child is not None
        assert subject.child.stop() == 0, "the terminal did not end well"
    off, on = quantiles(silent)[0], quantiles(spoken)[0]
    return [
        _times("speech off: tap (release) → durable", silent, ""),
        _times(
            "speech on: second tap (release) → durable",
            spoken,
            "while it talks; polled every 0.2 ms",
        ),
        Figure(
            "speech on ÷ off: release → durable",
            on / off,
            "×",
            "same run, by turns",
            sense="at most",
        ),
        _times("speech off: finger → pressed pixel", pressed, ""),
        _times("speech on: finger slides onto a control → ring", ringed, "while it talks"),
        _times(
            "speech on: finger slides onto a control → first sample", sounds, "espeak-ng's start"
        ),
    ]


def _times(name: str, seconds: list[float], note: str) -> Figure:
    middle, late = quantiles(seconds)
    spread = f"p50; p95 {late * 1000:.3g}, n = {len(seconds)}" + (f"; {note}" if note else "")
    return Figure(name, middle * 1000, "ms", spread)


def _press(subject: Terminal) -> float:
    """Seconds from the finger to the pressed pixel; slides off."""
    page = subject.pages.rest(subject.bundle.languages[0])
    spot, picture = subject.body(page, "nps.7"), subject.screen.framebuffer
    subject.finger.move(*subject.middle(page, "nps.7"))
    time.sleep(0.3)
    before, touched = picture.pixel(*spot), time.perf_counter()
    subject.finger.press()
    seen = wait_until(lambda: picture.pixel(*spot) != before, 5, what="the pressed state")
    subject.finger.move(picture.width // 2, 4)
    time.sleep(0.1)
    subject.finger.release()
    wait_until(lambda: picture.pixel(*spot) == before, 5, what="the state at rest again")
    return seen - touched


def _answer(subject: Terminal, db: sqlite3.Connection, *, taps: int = 1) -> float:
    """Seconds from the release that answers to the record as another process sees it."""

    def top() -> int:
        (found,) = db.execute("select coalesce(max(seq), 0) from records").fetchone()
        return int(found)

    page = subject.pages.rest(subject.bundle.languages[0])
    before = top()
    subject.finger.move(*subject.middle(page, "nps.9"))
    for tap in range(taps):
        subject.finger.press()
        time.sleep(FINGER_S)
        lifted = time.perf_counter()
        subject.finger.release()
        if tap + 1 < taps:
            time.sleep(2 * FINGER_S)
    return wait_until(lambda: top() > before, 5, what="the answer on disk") - lifted


def _begin(subject: Terminal) -> None:
    """Hold the access button until it speaks."""
    subject.press(subject.pages.rest(subject.bundle.languages[0]), "access")
    time.sleep(HOLD_S)
    subject.finger.release()
    time.sleep(APART_S)


def _slides(
    subject: Terminal, heard: Path, number: int, ringed: list[float], sounds: list[float]
) -> None:
    """Slide over the numbers: when the ring is there, and when the first sample."""
    page, picture = subject.pages.rest(subject.bundle.languages[0]), subject.screen.framebuffer
    subject.press(page, "nps.0")
    time.sleep(0.6)
    for n in [*range(1, number), 9]:
        box = subject.target(page, f"nps.{n}").box
        scale = page.panel.px_per_mm
        spot = round((box.x + 2.0) * scale), round((box.y + box.h / 2) * scale)
        before, told = picture.pixel(*spot), _lines(heard)
        touched = time.perf_counter()
        subject.finger.move(*subject.middle(page, f"nps.{n}"))
        ring = wait_until(lambda: picture.pixel(*spot) != before, 5, what="the ring")  # noqa: B023
        ringed.append(ring - touched)
        wait_until(lambda: len(_lines(heard)) > len(told), 5, what="a sound")  # noqa: B023
        sounds.append(_lines(heard)[-1] - touched)
        time.sleep(0.25)
    subject.finger.release()
    time.sleep(APART_S)


def _lines(heard: Path) -> list[float]:
    return [float(line) for line in heard.read_text().split()] if heard.exists() else []


def _leave(subject: Terminal, *, speech: bool = False) -> None:
    """Start over from the access sheet, so that the next visit begins at the number."""
    language = subject.bundle.languages[0]
    time.sleep(APART_S)
    survey = subject.bundle.survey
    for done, statement in enumerate(survey.statements[: survey.count], 1):
        page = subject.pages.face(language, statement.id, done, survey.count + 1)
        _use(subject, page, "skip", speech=speech)
    _use(subject, subject.pages.thanks(language), "done", speech=speech)
    subject.wait_for(subject.resting, "the resting screen", 10)
    time.sleep(0.3)


def _use(subject: Terminal, page: Page, name: str, *, speech: bool) -> None:
    """Tap a control, or rest on it and tap twice."""
    if speech:
        subject.press(page, name)
        time.sleep(0.5)
        subject.finger.release()
        time.sleep(APART_S)
    for _ in range(2 if speech else 1):
        subject.tap(page, name)
        time.sleep(2 * FINGER_S)
    time.sleep(0.3)
