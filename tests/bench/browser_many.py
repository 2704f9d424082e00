"""Memory after many visits: the terminal beside the page of `browser`.

Both at once, each on a screen of its own: nothing but memory is read, and that takes half the time.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tests.bench import browser
from tests.bench.browser_page import installed
from tests.bench.figures import Figure
from tests.bench.process import pss_mib

HURRIES_S = 0.02
"""Between two taps of a visitor; the terminal is deaf for half of it."""
SAID_EVERY = 500


@dataclass(frozen=True)
class Visited:
    """What is left of one side's visits."""

    name: str
    mib: float
    """PSS of all processes."""
    seconds: float
    again: int
    """Taps nothing came of, made once more."""


def measure(folder: Path, *, many: int = 2000) -> list[Figure]:
    """PSS of both after `many` visits, ours ÷ theirs."""
    # Here, so that not both of them do it.
    installed()
    stopped = Event()
    with ThreadPoolExecutor(2) as pool:
        try:
            waiting = [pool.submit(_visited, folder, n, many, stopped) for n in range(2)]
            ours, theirs = (each.result() for each in waiting)
        finally:
            # Ctrl-C, or one of them failed: nobody waits for the visits of the other.
            stopped.set()
    what = f"PSS after {many} visits"
    found = [
        Figure(
            f"{side.name}: {what}",
            side.mib,
            "MiB",
            f"they took {side.seconds:.0f} s, both at once; taps made again: {side.again}",
        )
        for side in (ours, theirs)
    ]
    ratio = Figure(f"terminal ÷ Chromium: {what}", ours.mib / theirs.mib, "×", "", 1, "at most")
    return [*found, ratio]


def _visited(folder: Path, number: int, many: int, stopped: Event) -> Visited:
    place = folder / str(number)
    place.mkdir(parents=True)
    with ExitStack() as stack:
        screen, sides = browser.both(stack, place, (number,))
        (side,) = sides
        browser.start(side)
        time.sleep(browser.SETTLES_S)
        began = time.monotonic()
        for done in range(1, many + 1):
            if stopped.is_set():
                raise InterruptedError("the visits were stopped")
            side.visitor.visit(pause_s=HURRIES_S, finger_s=0.01)
            if done % SAID_EVERY == 0:
                print(f"  {side.name}: {done} visits", file=sys.stderr, flush=True)
        lasted = time.monotonic() - began
        time.sleep(browser.SETTLES_S)
        mib = pss_mib(side.pid)
        side.end(screen)
    return Visited(side.name, mib, lasted, side.visitor.again)
