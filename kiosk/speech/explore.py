"""How a finger is read while speech is on: it explores, and only a double tap does anything.

Pure: positions in mm, time passed in, and `under`, which names what is at a point (empty on empty
ground). The rules, made for slow and trembling hands:

1. One finger counts at a time, the first one down. Others, such as the rest of a palm, are not
   read until it has left, or has not been heard of for `LOST_S`.
2. A finger that rests for `REST_S`, or slides further than `SLIDE_MM`, explores: what is under it
   is heard, then whatever comes under it next. Something else is heard once the finger has gone
   `STEP_MM` since it last heard something, or has rested on it: trembling over an edge does not
   make two controls stammer.
3. A finger down for at most `TAP_S` that slid no further than `SLIDE_MM` is a tap. Without another
   within `APART_S` of its end, what is under it is heard, unless it rested long enough to be heard
   already.
4. A tap that begins within `APART_S` of the end of another makes a double tap, wherever the two
   are: it acts on `current`, what was last heard. A first tap shorter than `REST_S` changes nothing
   about that; one that rested long enough acts on what it made heard. Where nothing was heard on
   this screen a double tap only makes heard what is under it. One that begins within `BOUNCE_S` is
   a bounce of the glass: it is the same tap.
5. After a double tap no other tap counts before the glass was left alone for `APART_S`: three or
   thirty quick taps act once. A finger that rests explores all the same.
6. Another screen forgets what was heard, and is deaf for `quiet_s`: a finger that comes down in it
   is no tap, and explores only afterwards. One that was down before explores once it slides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

TAP_S: Final = 0.4
"""A tap is no longer than this."""
APART_S: Final = 0.6
"""From the end of a tap to the beginning of the next."""
BOUNCE_S: Final = 0.04
"""A tap that begins sooner after another is the same one: no finger is so fast, but a glass is."""
REST_S: Final = 0.3
"""A finger that rests so long wants to hear what is under it."""
SLIDE_MM: Final = 8.0
"""A tap may slide so far."""
STEP_MM: Final = 3.0
LOST_S: Final = 3.0
"""After so long without a report another finger counts: a lost one must not block the glass."""

Under = Callable[[float, float], str]


@dataclass(frozen=True, slots=True)
class Step:
    """What a finger asks for: to `hear` what something is, or to `act` on it."""

    kind: Literal["hear", "act"]
    name: str


@dataclass(slots=True)
class _Finger:
    touch: object
    x: float
    y: float
    at: float
    """When it came down."""
    seen: float
    start: tuple[float, float]
    tap: bool
    """Whether it may still become one."""
    second: bool = False
    """Of a double tap."""
    stays: bool = False
    """It was down before the screen was there: only a slide explores."""
    exploring: bool = False
    heard: str = ""
    heard_at: tuple[float, float] = (0.0, 0.0)
    next: str = ""
    """What is under it and was not heard yet."""
    next_at: float = 0.0

    @property
    def slid(self) -> bool:
        return math.dist((self.x, self.y), self.start) > SLIDE_MM


@dataclass(frozen=True, slots=True)
class _Tap:
    at: float
    x: float
    y: float
    heard: bool


class Explorer:
    """Follows a finger over one screen after another."""

    def __init__(self, clock: Callable[[], float], *, quiet_s: float) -> None:
        self._clock, self._quiet = clock, quiet_s
        self._under: Under = lambda _x, _y: ""
        self._finger: _Finger | None = None
        self._tapped: _Tap | None = None
        self._deaf_until = self._calm_at = -math.inf
        self.current = ""
        """What was last heard on this screen: what a double tap acts on."""

    @property
    def busy(self) -> bool:
        """Whether a finger is on the glass, or a tap waits for its second."""
        return self._finger is not None or self._tapped is not None

    @property
    def due(self) -> float | None:
        """When to call `tick` at the latest."""
        if self._tapped is not None:
            return self._tapped.at + APART_S
        finger = self._finger
        if finger is None or finger.stays:
            return None
        if not finger.exploring:
            return max(finger.at + self._patience(finger), self._deaf_until)
        if finger.next:
            return max(finger.next_at + REST_S, self._deaf_until)
        return self._deaf_until if self._clock() < self._deaf_until else None

    def screen(self, under: Under, *, fresh: bool = True) -> None:
        """Another screen; not `fresh`: the same one with something about it changed."""
        self._under = under
        if not fresh:
            return
        self.current, self._tapped = "", None
        self._deaf_until = self._clock() + self._quiet
        finger = self._finger
        if finger is not None:
            finger.tap = finger.exploring = False
            finger.stays, finger.start = True, (finger.x, finger.y)
            finger.heard = finger.next = ""

    def forget(self) -> None:
        """No finger, and nothing heard."""
        self._finger = self._tapped = None
        self.current = ""

    def down(self, touch: object, x: float, y: float) -> Step | None:
        """A finger comes down."""
        now = self._clock()
        finger = self._finger
        if finger is not None and now - finger.seen < LOST_S:
            return None
        first, self._tapped = self._tapped, None
        tap = now >= self._deaf_until and now >= self._calm_at
        second = tap and first is not None and BOUNCE_S <= now - first.at <= APART_S
        self._finger = _Finger(touch, x, y, now, now, (x, y), tap, second)
        return None

    def move(self, touch: object, x: float, y: float) -> Step | None:
        """A finger slides."""
        finger = self._finger
        if finger is None or finger.touch != touch:
            return None
        finger.x, finger.y, finger.seen = x, y, self._clock()
        if finger.slid:
            finger.tap = finger.stays = False
            finger.exploring = True
        return self._feel(finger)

    def up(self, touch: object, x: float, y: float) -> Step | None:
        """A finger leaves."""
        finger = self._finger
        if finger is None or finger.touch != touch:
            return None
        now = self._clock()
        if not finger.tap or now - finger.at > TAP_S or math.dist((x, y), finger.start) > SLIDE_MM:
            step = self.move(touch, x, y)
            self._finger = None
            if now < self._calm_at:
                self._calm_at = now + APART_S
            return step
        self._finger = None
        if not finger.second:
            self._tapped = _Tap(now, x, y, bool(finger.heard))
            return None
        self._calm_at = now + APART_S
        return Step("act", self.current) if self.current else self._hear(self._under(x, y))

    def tick(self) -> Step | None:
        """Time has passed."""
        first = self._tapped
        if first is not None:
            if self._clock() - first.at < APART_S - 1e-6:
                return None
            self._tapped = None
            return None if first.heard else self._hear(self._under(first.x, first.y))
        return self._feel(self._finger) if self._finger is not None else None

    @staticmethod
    def _patience(finger: _Finger) -> float:
        # The second tap of a double tap must not make something else heard while it is one.
        return TAP_S if finger.second else REST_S

    def _feel(self, finger: _Finger) -> Step | None:
        """What the finger makes heard where it is now."""
        now = self._clock()
        if not finger.exploring:
            if finger.stays or now - finger.at <= self._patience(finger) - 1e-6:
                return None
            finger.exploring = True
            finger.tap = finger.tap and not finger.second
        if now < self._deaf_until:
            return None
        name = self._under(finger.x, finger.y)
        if not name or name == finger.heard:
            finger.next = ""
            return None
        if name != finger.next:
            finger.next, finger.next_at = name, now
        here = (finger.x, finger.y)
        near = finger.heard and math.dist(here, finger.heard_at) < STEP_MM
        if near and now - finger.next_at < REST_S - 1e-6:
            return None
        finger.heard, finger.heard_at, finger.next = name, here, ""
        return self._hear(name)

    def _hear(self, name: str) -> Step | None:
        if not name:
            return None
        self.current = name
        return Step("hear", name)
