"""How a finger is read: one tap is one answer, whatever the glass and its drivers report.

A target acts on release inside it, or up to `slop` mm outside where no other target is; sliding
off cancels. After a screen change nothing acts until it is drawn, and a moment longer. Pure:
positions in mm, time passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kiosk.layout.page import Target

LOST_S = 3.0
"""After so long without a release another finger counts: a lost report must not block the glass."""


@dataclass(slots=True)
class _Press:
    touch: object
    target: Target | None
    at: float


class Guard:
    """Follows one finger at a time over the targets of the screen shown."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        slop_mm: float,
        quiet_s: float,
        key_repeat_s: float,
    ) -> None:
        self._clock = clock
        self._slop, self._quiet, self._repeat = slop_mm, quiet_s, key_repeat_s
        self._targets: tuple[Target, ...] = ()
        self._press: _Press | None = None
        self._deaf_until = 0.0
        self._last_key = ("", -1e9)
        self._drawn: bool | None = None
        """Whether the screen stands on the glass; None where nobody says when it does."""
        self.locked = False
        """Nothing is taken while an answer is being stored and shown as chosen."""

    @property
    def pressed(self) -> str:
        """Name of the target under the finger, empty when none."""
        return self._press.target.name if self._press and self._press.target else ""

    @property
    def pressed_at(self) -> float:
        """When the finger came down on what is pressed; without sense when nothing is."""
        return self._press.at if self._press else 0.0

    @property
    def ready(self) -> bool:
        """Whether a tap would be taken now."""
        return not self.locked and self._drawn is not False and self._clock() >= self._deaf_until

    def screen(self, targets: Sequence[Target], *, quiet: bool = True) -> None:
        """Another screen is shown: a press begun before it acts on nothing in it."""
        self._targets = tuple(targets)
        self.locked = False
        if quiet:
            self._press = None
            self._deaf_until = self._clock() + self._quiet
            if self._drawn is not None:
                self._drawn = False
            return
        # The keyboard's layers change under a typing hand: keep the finger, find its key anew.
        if self._press and self._press.target:
            name = self._press.target.name
            self._press.target = next((t for t in self._targets if t.name == name), None)

    def drawn(self) -> None:
        """The screen stands on the glass: what was tapped before was meant for another one.

        Taps wait in the display's queue while this process does not run.
        """
        if self._drawn is False:
            self._press = None
            self._deaf_until = self._clock() + self._quiet
        self._drawn = True

    def hit(self, x: float, y: float) -> Target | None:
        """The target at a point, else the nearest within the slop."""
        for target in self._targets:
            if target.box.holds(x, y):
                return target
        near = [target for target in self._targets if target.box.holds(x, y, self._slop)]
        return min(near, key=lambda target: _distance(target, x, y), default=None)

    def down(self, touch: object, x: float, y: float) -> bool:
        """A finger comes down; True when what is pressed changed."""
        if not self.ready:
            return False
        press = self._press
        if press is not None and press.target is not None and self._clock() - press.at < LOST_S:
            # A second report of the same finger, or a second finger: the first one counts.
            return False
        target = self.hit(x, y)
        if target is not None and self._bounces(target):
            target = None
        self._press = _Press(touch, target, self._clock())
        return target is not None

    def move(self, touch: object, x: float, y: float) -> bool:
        """A finger slides; True when what is pressed changed."""
        press = self._press
        if press is None or press.touch != touch or press.target is None:
            return False
        if self._still_on(press.target, x, y):
            return False
        press.target = None
        return True

    def up(self, touch: object, x: float, y: float) -> Target | None:
        """A finger leaves; the target that now acts, if any."""
        press = self._press
        if press is None or press.touch != touch:
            return None
        self._press = None
        target = press.target
        if target is None or self.locked or not self._still_on(target, x, y):
            return None
        if target.look == "key":
            self._last_key = (target.name, self._clock())
        return target

    def cancel(self) -> None:
        """Forget the finger: the driver lost it, or the window did."""
        self._press = None

    def _still_on(self, target: Target, x: float, y: float) -> bool:
        if target.box.holds(x, y):
            return True
        if not target.box.holds(x, y, self._slop):
            return False
        return not any(other.box.holds(x, y) for other in self._targets if other is not target)

    def _bounces(self, target: Target) -> bool:
        name, at = self._last_key
        return target.name == name and self._clock() - at < self._repeat


def _distance(target: Target, x: float, y: float) -> float:
    box = target.box
    return max(box.x - x, 0.0, x - box.right) + max(box.y - y, 0.0, y - box.bottom)
