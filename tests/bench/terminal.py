"""The terminal as the person in front of it meets it, read off the framebuffer.

Start, memory and idle processor time; how long from the finger to the pressed pixel and from the
lifted finger to the record on disk. Software GL on a virtual screen: a real GPU is faster.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from kiosk.fleet.resolve import load_path
from tests.bench.figures import Figure, quantiles
from tests.bench.process import busy_share, pss_mib
from tests.bench.screen import wait_until
from tests.faults.house import EXAMPLE
from tests.faults.terminal import FINGER_S, Terminal, prepared, terminal

REST_S = 6.0
"""Still so long, a terminal has gone to its idle pace: how the first tap of a visit finds it."""


def measure(
    folder: Path, *, starts: int = 5, taps: int = 40, idle_s: float = 20.0, visits: int = 10
) -> list[Figure]:
    """Start, memory, idle load, tap latencies."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle = prepared(load_path(EXAMPLE / "devices" / "esim-0001.toml"))
    with terminal(bundle, folder / "data", folder / "terminal.log") as subject:
        subject.env["PYTHONPATH"] = str(without_numpy(folder / "hidden"))
        first, ready = _starts(subject, starts)
        assert subject.child is not None
        pid = subject.child.pid
        time.sleep(2)
        memory = pss_mib(pid)
        idle = busy_share(pid, idle_s)
        awake = [_press(subject) for _ in range(taps)]
        asleep = [_press(subject, after_s=REST_S) for _ in range(max(2, taps // 8))]
        durable = [wait for _ in range(visits) for wait in _visit(subject)]
        later = pss_mib(pid)
        exit_code = subject.child.stop()
    assert exit_code == 0, f"the terminal ended with {exit_code}"
    return [
        _times("terminal: start → first pixel", first, "s", 1, "process start to anything drawn"),
        _times("terminal: start → resting screen", ready, "s", 1, "all eleven numbers stand"),
        Figure(
            "terminal: PSS", memory, "MiB", "resting, after 2 s; nothing but the device's libraries"
        ),
        Figure(f"terminal: PSS after {visits} visits", later, "MiB"),
        Figure("terminal: idle CPU", idle, "% of a core", f"resting, over {idle_s:g} s"),
        _times("terminal: tap → pressed pixel", awake, "ms", 1000, "between taps"),
        _times(
            "terminal: first tap → pressed pixel", asleep, "ms", 1000, f"after {REST_S:g} s of rest"
        ),
        _times(
            "terminal: tap (release) → durable",
            durable,
            "ms",
            1000,
            f"seen by another process; the finger rested {FINGER_S * 1000:g} ms before",
        ),
    ]


def without_numpy(folder: Path) -> Path:
    """A path that hides numpy, as on a device: only the tests install it, and sqlite-utils
    imports it where it is (15 MiB, 0.15 s).
    """
    (folder / "numpy").mkdir(parents=True)
    (folder / "numpy" / "__init__.py").write_text('raise ImportError("not on a device")\n')
    return folder


def _times(name: str, seconds: list[float], unit: str, scale: float, note: str) -> Figure:
    middle, late = quantiles(seconds)
    spread = f"p50; p95 {late * scale:.3g}, n = {len(seconds)}; {note}"
    return Figure(name, middle * scale, unit, spread)


def _starts(subject: Terminal, number: int) -> tuple[list[float], list[float]]:
    """Seconds from process start to the first pixel and to the whole resting screen.

    The last terminal started stays.
    """
    first, ready = [], []
    # The root window is one colour; whatever differs was drawn by the terminal.
    blank = subject.screen.framebuffer.pixel(0, 0)
    for turn in range(number):
        started = time.perf_counter()
        subject.start(wait=False)
        first.append(subject.wait_for(lambda: _drawn(subject, blank), "a first pixel") - started)
        ready.append(subject.wait_for(subject.resting, "the resting screen") - started)
        if turn < number - 1 and subject.child:
            subject.child.stop()
            wait_until(lambda: not _drawn(subject, blank), 10, what="an empty screen")
    return first, ready


def _drawn(subject: Terminal, blank: int) -> bool:
    """Whether any of a grid of pixels differs from the empty screen."""
    picture = subject.screen.framebuffer
    return any(
        picture.pixel(x, y) != blank
        for x in range(20, picture.width, picture.width // 8)
        for y in range(20, picture.height, picture.height // 8)
    )


def _press(subject: Terminal, *, after_s: float = 0.25) -> float:
    """Seconds from the finger's touch to the pressed pixel; slides off, so nothing is answered."""
    page = subject.pages.rest(subject.bundle.languages[0])
    spot = subject.body(page, "nps.7")
    picture = subject.screen.framebuffer
    subject.finger.move(*subject.middle(page, "nps.7"))
    time.sleep(after_s)
    before = picture.pixel(*spot)
    touched = time.perf_counter()
    subject.finger.press()
    seen = wait_until(lambda: picture.pixel(*spot) != before, 5, what="the pressed state")
    subject.finger.move(picture.width // 2, 4)
    time.sleep(0.1)
    subject.finger.release()
    wait_until(lambda: picture.pixel(*spot) == before, 5, what="the state at rest again")
    return seen - touched


def _visit(subject: Terminal) -> list[float]:
    """One visit; seconds from each answer's release to its record being visible from outside.

    In WAL mode with synchronous=FULL a commit becomes visible only after its fsync, so what
    another connection reads is on disk; polled every 0.2 ms.
    """
    (file,) = (subject.data / "outbox").glob("*.db")
    waits = []
    language = subject.bundle.languages[0]
    survey = subject.bundle.survey
    steps = [(subject.pages.rest(language), "nps.9")] + [
        (subject.pages.face(language, s.id, n, survey.count + 1), "face.4")
        for n, s in enumerate(survey.statements[: survey.count], 1)
    ]
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:

        def top() -> int:
            (found,) = db.execute("select coalesce(max(seq), 0) from records").fetchone()
            return int(found)

        for page, name in steps:
            subject.settle()
            before = top()
            subject.press(page, name)
            time.sleep(FINGER_S)
            lifted = time.perf_counter()
            subject.finger.release()
            waits.append(wait_until(lambda: top() > before, 5, what=f"{name} on disk") - lifted)  # noqa: B023
    subject.settle()
    subject.turn(subject.pages.thanks(language), "done")
    subject.wait_for(subject.resting, "the resting screen after Done", 10)
    return waits
