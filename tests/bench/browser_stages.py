"""Where the time from the finger to the pressed pixel goes, in the terminal as it is.

`python -m tests.bench.browser_stages LOG kiosk …` runs the terminal with marks at the borders of
its stages and writes, for each press, one line of JSON: mark -> perf_counter, which is the same
clock in every process. A `glFinish` before the swap parts drawing from presenting.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, quantiles

STAGES = (
    ("woken", "the X server's event wakes the loop"),
    ("touched", "SDL and Kivy hand the touch over"),
    ("placed", "what is under the finger, its pressed picture placed"),
    ("drawing", "the rest of the turn, until Kivy draws"),
    ("drawn", "GL: canvas walked and rasterised"),
    ("flipped", "swapped: the X server is asked to show it"),
    ("seen", "until the pixels are seen, looked at every 0.2 ms"),
)
"""The mark that ends a stage, and what happened in it."""


def figures(presses: Sequence[tuple[float, dict[str, float], float]]) -> list[Figure]:
    """A figure a stage from presses: touched by the finger, the marks, seen."""
    found = []
    for name, what in STAGES:
        spans = [spans_of(*press)[name] * 1000 for press in presses]
        middle, late = quantiles(spans)
        note = f"p50; p95 {late:.3g}, n = {len(spans)}; {what}"
        found.append(Figure(f"terminal: of a press, {name}", middle, "ms", note))
    return found


def spans_of(pressed: float, marks: dict[str, float], seen: float) -> dict[str, float]:
    """Seconds of each stage; what was seen before the swap returned took no time after it.

    Raises KeyError where a stage was not met.
    """
    spans, before = {}, pressed
    for name, _ in STAGES:
        at = max(before, marks[name] if name != "seen" else seen)
        spans[name], before = at - before, at
    return spans


def read(log: Path) -> list[dict[str, float]]:
    """The presses marked so far."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


class _Marks:
    """The marks of one press; a woken loop without a press leaves none."""

    def __init__(self, log: Path) -> None:
        self._file = log.open("a")
        self._at: dict[str, float] = {}

    def wake(self) -> None:
        self._at = {"woken": time.perf_counter()}

    def set(self, name: str, after: str) -> None:
        if after in self._at and name not in self._at:
            self._at[name] = time.perf_counter()

    def end(self) -> None:
        if "drawn" in self._at:
            self.set("flipped", "drawn")
            self._file.write(json.dumps(self._at) + "\n")
            self._file.flush()
            self._at = {}


def _before(owner: Any, name: str, do: Callable[[], object]) -> None:
    kept = getattr(owner, name)

    @functools.wraps(kept)  # Kivy binds methods by their names
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        do()
        return kept(*args, **kwargs)

    setattr(owner, name, wrapped)


def _after(owner: Any, name: str, do: Callable[[Any], object]) -> None:
    kept = getattr(owner, name)

    @functools.wraps(kept)  # Kivy binds methods by their names
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = kept(*args, **kwargs)
        do(result)
        return result

    setattr(owner, name, wrapped)


def _mark(marks: _Marks) -> None:
    """Put the marks in, once the modules that import Kivy can be imported."""
    from kiosk.ui import app

    def window_opened(window: Any) -> None:
        from kivy.graphics.opengl import glFinish

        from kiosk.ui import loop
        from kiosk.ui.glass import Glass
        from kiosk.ui.partial import Partial

        class Select:
            @staticmethod
            def select(*args: Any) -> Any:
                ready = chosen(*args)
                if ready[0]:
                    marks.wake()
                return ready

        chosen = loop.select.select
        loop.select = Select  # type: ignore[assignment]
        _before(Glass, "on_touch_down", lambda: marks.set("touched", "woken"))
        _after(Glass, "state", lambda _: marks.set("placed", "touched"))
        _before(Partial, "_before", lambda: marks.set("drawing", "placed"))

        def finished() -> None:
            glFinish()
            marks.set("drawn", "drawing")

        _before(type(window), "flip", finished)
        _after(type(window), "flip", lambda _: marks.end())

    _after(app.env, "open_window", window_opened)


if __name__ == "__main__":
    from kiosk.cli import main

    _mark(_Marks(Path(sys.argv.pop(1))))
    main()
