"""One visitor for two programs: the same taps at the same places, judged by the same pixels.

What a state looks like is learnt in one slow visit: a grid of points where the picture differs
from the one before. A state stands once all of them have the colours learnt, so a page half drawn
does not count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.bench.screen import POLL_S, wait_until

GRID = 8
"""Pixels between two points looked at."""
MOST = 96
"""Points a state is known by."""
STILL_S = 0.6
"""A picture that has stood so long while learning is the whole of it."""
APPEARS_S = 10.0
"""A state that has not come by then never does."""
AGAIN_S = 2.5
"""Where the screen stands as before so long after a tap, people tap again."""
FINGER_S = 0.03

Point = tuple[int, int]


class Picture(Protocol):
    """A framebuffer."""

    width: int
    height: int

    def pixel(self, x: int, y: int) -> int: ...

    def rows(self) -> bytes: ...


class Finger(Protocol):
    """A pointer."""

    def move(self, x: int, y: int) -> None: ...

    def press(self) -> None: ...

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """Points and the colours they have in one state; in no point as in the state before."""

    colours: tuple[tuple[Point, int], ...]

    def stands(self, picture: Picture) -> bool:
        """Whether every point has its colour."""
        return all(picture.pixel(*point) == colour for point, colour in self.colours)


Shot = dict[Point, int]


def shot(picture: Picture) -> Shot:
    """The colours at all points of the grid."""
    return {
        (x, y): picture.pixel(x, y)
        for y in range(GRID // 2, picture.height, GRID)
        for x in range(GRID // 2, picture.width, GRID)
    }


def look(before: Sequence[Shot], after: Shot) -> Look:
    """What tells `after` from all of `before`: points evenly over the rows, first to last.

    Raises ValueError where nothing differs.
    """
    found = [
        (point, colour)
        for point, colour in after.items()
        if all(other[point] != colour for other in before)
    ]
    if not found:
        raise ValueError("the picture does not change")
    step = max(1, len(found) // MOST)
    return Look((*found[::step], found[-1]))


def settled(picture: Picture, other_than: bytes = b"", still_s: float = STILL_S) -> Shot:
    """Wait until one picture, another than the one given, has stood for a while."""
    rows, since = b"", time.monotonic()
    deadline = since + 2 * APPEARS_S
    while rows in (b"", other_than) or time.monotonic() - since < still_s:
        now = picture.rows()
        if now != rows:
            rows, since = now, time.monotonic()
        if time.monotonic() > deadline:
            raise TimeoutError("the picture does not come to rest, or never changed")
        time.sleep(0.02)
    return shot(picture)


@dataclass
class Visitor:
    """Answers at four places, leaves at the fifth, and knows what must be seen after each."""

    picture: Picture
    finger: Finger
    places: Sequence[Point]
    """Where the number, the faces and Done are tapped."""
    away: Point
    """Where nothing is."""
    rest: Look | None = None
    pressed: Look | None = None
    released: Look | None = None
    next: list[Look] = field(default_factory=list)
    """What stands after each place was tapped."""
    touched: float = 0.0
    """When `press` last put the finger down, by perf_counter."""
    still_s: float = STILL_S
    again: int = 0
    """Taps nothing came of, made once more."""

    def learn(self) -> None:
        """One slow visit, from the resting screen back to it."""
        blank: Shot = dict.fromkeys(shot(self.picture), 0)
        resting = before = settled(self.picture, still_s=self.still_s)
        self.rest = look([blank], before)
        looks = []
        for turn, place in enumerate(self.places):
            time.sleep(self.still_s)
            rows = self.picture.rows()
            self.finger.move(*place)
            self.finger.press()
            down = settled(self.picture, rows, self.still_s)
            if turn == 0:
                self.pressed, self.released = look([before], down), look([down], before)
            rows = self.picture.rows()
            self.finger.release()
            after = settled(self.picture, rows, self.still_s)
            looks.append(look([before, down], after))
            before = after
        if any(before[point] != colour for point, colour in resting.items()):
            raise ValueError("after Done another screen stands than before the visit")
        self.next = looks

    def resting(self) -> bool:
        """Whether the resting screen stands."""
        return self.rest is not None and self.rest.stands(self.picture)

    def press(self, after_s: float = 0.25) -> float:
        """Seconds from the touch to the pressed state; slides off, so nothing is answered."""
        assert self.pressed is not None and self.released is not None, "learn first"
        pressed, released = self.pressed, self.released
        self.finger.move(*self.places[0])
        time.sleep(after_s)
        self.touched = time.perf_counter()
        self.finger.press()
        seen = self._wait(pressed, "the pressed state")
        self.finger.move(*self.away)
        time.sleep(0.1)
        self.finger.release()
        self._wait(released, "the state at rest again")
        return seen - self.touched

    def visit(self, *, pause_s: float, finger_s: float = FINGER_S) -> list[float]:
        """One visit; seconds from each lifted finger to the whole of what comes next.

        `pause_s` is what the visitor takes to read.
        """
        waits = []
        before = self.rest
        for turn, (place, after) in enumerate(zip(self.places, self.next, strict=True), 1):
            time.sleep(pause_s)
            lifted = self._tap(place, finger_s)
            deadline = lifted + APPEARS_S
            while True:
                try:
                    waits.append(self._wait(after, f"what follows tap {turn}", AGAIN_S) - lifted)
                    break
                except TimeoutError:
                    if time.perf_counter() > deadline:
                        raise
                if before is not None and before.stands(self.picture):
                    self.again += 1
                    lifted = self._tap(place, finger_s)
            before = after
        return waits

    def _tap(self, place: tuple[int, int], finger_s: float) -> float:
        """Touch and lift; perf_counter when lifted."""
        self.finger.move(*place)
        self.finger.press()
        time.sleep(finger_s)
        lifted = time.perf_counter()
        self.finger.release()
        return lifted

    def _wait(self, state: Look, what: str, limit_s: float = APPEARS_S) -> float:
        return wait_until(lambda: state.stands(self.picture), limit_s, poll_s=POLL_S, what=what)
