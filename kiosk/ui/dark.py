"""The panel switched off while the place is closed, by whatever this display offers."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

log = logging.getLogger("hymio.ui")

AFTER_S: Final = 60.0
"""On the closed page without a touch for so long, the panel goes dark."""
Run = Callable[[Sequence[str]], str | None]
"""Runs a command; what it printed, None when it failed."""


class Dark:
    """Switches the panel off and on; where nothing can, it stays on and shows the dark page."""

    def __init__(self, clock: Callable[[], float], run: Run | None = None) -> None:
        self._clock = clock
        self._run = run or _run
        self._since: float | None = None
        self.off = False
        """Whether the panel is off now."""

    def tick(self, *, closed: bool) -> float | None:
        """Note whether the place is closed; when to be called again, None for no matter."""
        if not closed:
            self._since = None
            self.wake()
            return None
        now = self._clock()
        if self._since is None:
            self._since = now
        if self.off:
            return None
        if now - self._since < AFTER_S:
            return self._since + AFTER_S
        # Tried once: a display that refuses is not asked again until it was touched.
        self.off = True
        self._switch(on=False)
        return None

    def wake(self) -> bool:
        """Somebody touched it, or it opens; whether the panel was off."""
        if self._since is not None:
            self._since = self._clock()
        was, self.off = self.off, False
        if was:
            self._switch(on=True)
        return was

    def _switch(self, *, on: bool) -> None:
        log.info("the panel goes %s", "on" if on else "off")
        output = _output(self._run(("wlr-randr",)) or "")
        if output:
            self._run(("wlr-randr", "--output", output, "--on" if on else "--off"))
        elif on:
            self._run(("xset", "dpms", "force", "on"))
            self._run(("xset", "-dpms"))
        else:
            self._run(("xset", "dpms", "force", "off"))


def _output(said: str) -> str:
    """The name of the first output wlr-randr lists."""
    first = next((line for line in said.splitlines() if line and not line[0].isspace()), "")
    return first.split(" ", 1)[0]


def _run(command: Sequence[str]) -> str | None:
    if shutil.which(command[0]) is None or not os.environ.get("DISPLAY"):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            list(command), check=True, capture_output=True, text=True, timeout=3
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("%s: %s", " ".join(command), error)
        return None
    return done.stdout
