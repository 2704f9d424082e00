"""Records held back, and when they are sent in full again: once a day, and by a new version."""

from __future__ import annotations

from typing import Final

from sync.clock import Clock
from sync.cursor import Memory

RETRY_MS: Final = 86_400_000
AT_ONCE: Final = 100
"""Of them at most so many in one go."""


class HeldAgain:
    """Which held record is to be sent in full now; `program` is this version of the program."""

    def __init__(self, memory: Memory, clock: Clock, program: str) -> None:
        self._memory, self._clock, self._program = memory, clock, program
        self._left: list[tuple[str, int]] | None = None

    def next(self) -> tuple[str, int] | None:
        """(epoch, seq) of the one whose turn it is; the same until it is `done`."""
        if self._left is None:
            if not self._due():
                return None
            self._left = self._memory.some_held(AT_ONCE)
            self._note()
        if not self._left:
            self._left = None
            return None
        return self._left[0]

    def done(self) -> None:
        """The one whose turn it was had it."""
        if self._left:
            self._left.pop(0)

    def held(self) -> None:
        """A record was held back: the first one counts the day from now."""
        if not self._memory.fact("held_tried"):
            self._note()

    def _due(self) -> bool:
        tried = self._memory.fact("held_tried").split()
        by, at = (tried[0], int(tried[1])) if len(tried) == 2 else ("", 0)
        # Either way: a clock may be set back by years.
        return by != self._program or abs(self._clock.wall_ms() - at) >= RETRY_MS

    def _note(self) -> None:
        self._memory.learn(held_tried=f"{self._program} {self._clock.wall_ms()}")
