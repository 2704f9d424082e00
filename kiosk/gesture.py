"""The way to the service screen that no visitor stumbles on: hold the logo, then three corners.

Pure: positions in mm, time passed in. Nothing on the screen says that it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

HOLD_S: Final = 5.0
WINDOW_S: Final = 10.0
"""From the end of the hold; three corners must be tapped within it."""
CORNERS: Final = 3
"""Different ones; any three will do."""
SIDE: Final = 20.0
"""Of a corner's square, mm."""


def corner(x: float, y: float, width: float, height: float) -> str:
    """`tl`, `tr`, `bl` or `br` when a point lies in a corner's square, else empty."""
    vertical = "t" if y < SIDE else "b" if y > height - SIDE else ""
    horizontal = "l" if x < SIDE else "r" if x > width - SIDE else ""
    return vertical + horizontal if vertical and horizontal else ""


class Gesture:
    """Follows one finger; `width` and `height` are the panel's, in mm."""

    def __init__(self, clock: Callable[[], float], width: float, height: float) -> None:
        self._clock, self._width, self._height = clock, width, height
        self._held_since: float | None = None
        self._until = 0.0
        self._tapped: set[str] = set()
        self._down = ""

    @property
    def armed(self) -> bool:
        """Whether the logo was held long enough, and corners count now."""
        self._arm()
        return self._clock() < self._until

    def hold(self, pressed: str) -> None:
        """What is under the finger now, by its target's name; empty for nothing."""
        if pressed != "logo":
            self._arm()
            self._held_since = None
        elif self._held_since is None and not self.armed:
            self._held_since = self._clock()

    def _arm(self) -> None:
        held = self._held_since
        if held is not None and self._clock() - held >= HOLD_S:
            self._held_since = None
            self._tapped.clear()
            self._until = held + HOLD_S + WINDOW_S

    def down(self, x: float, y: float) -> bool:
        """A finger comes down while armed; True when it is the gesture's and nobody else's."""
        self._down = corner(x, y, self._width, self._height) if self.armed else ""
        if not self._down:
            self.forget()
        return bool(self._down)

    def up(self, x: float, y: float) -> bool:
        """The finger the gesture has leaves; True when the service screen opens."""
        if self._down and self._down == corner(x, y, self._width, self._height):
            self._tapped.add(self._down)
        self._down = ""
        if len(self._tapped) < CORNERS or not self.armed:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Anything else was touched: begin again."""
        self._until = 0.0
        self._held_since = None
        self._tapped.clear()
        self._down = ""
