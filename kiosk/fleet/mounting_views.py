"""The drawings of the installation sheet, to scale: from the side, from above, from the front.

The people are ours: calm outlines that show a posture, not figures to measure by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kiosk.fleet.mounting import (
    CONTROLS_FROM,
    DOT_LEFT,
    FLOOR,
    LOW_FROM,
    REACH,
    TURNING,
    Mounting,
)
from kiosk.fleet.mounting_paper import (
    BODY,
    INK,
    LINE,
    NOTE,
    PALE,
    QUIET,
    SOFT,
    WHITE,
    Paper,
    Point,
)
from kiosk.fleet.mounting_words import number

SIDE: Final = 25.0
"""The side views and the floor are drawn 1:25."""
SCALES: Final = (2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)
CEILING: Final = 1800.0
_FRAME: Final = 9.0
_LEFT, _BELOW = 14.0, 14.0
"""Room for measures beside and below the front view."""
_GLASS_AT: Final = 40.0
"""The glass stands this far before the wall."""


class Side:
    """A wall at the left and a person before it; x from the wall, z above the floor, mm."""

    def __init__(self, paper: Paper, left: float, top: float, hung: Mounting, language: str):
        self._paper, self._left, self._top = paper, left, top
        self._hung, self._language = hung, language

    def _at(self, x: float, z: float) -> Point:
        return self._left + x / SIDE, self._top + (CEILING - z) / SIDE

    def _limb(self, *points: Point, width: float = 110) -> None:
        at = [self._at(x, z) for x, z in points]
        self._paper.line(*at, colour=PALE, width=width / SIDE, round_ends=True)

    def seated(self, words: Mapping[str, str]) -> None:
        """A wheelchair straight before the panel, with the reach and the band of controls."""
        paper = self._paper
        self._band(words, 1220.0)
        hand = self._aim()
        wheel = self._at(760, 305)
        paper.disc(*wheel, 300 / SIDE, line=QUIET, width=1.1)
        paper.disc(*self._at(330, 90), 80 / SIDE, line=QUIET, width=0.9)
        rail = [(930.0, 980.0), (860.0, 480.0), (470.0, 470.0), (330.0, 140.0), (170.0, 110.0)]
        paper.line(*(self._at(x, z) for x, z in rail), colour=QUIET, width=1.1, round_ends=True)
        self._limb((220, 160), (330, 560), (770, 560), width=130)
        self._limb((770, 560), (700, 960), width=190)
        self._limb((690, 980), (430, 850), hand, width=80)
        paper.disc(*self._at(660, 1190), 108 / SIDE, fill=PALE)
        self._panel()
        self._sight((560, 1205))
        self._floor(1320.0)
        self._height()

    def standing(self, words: Mapping[str, str]) -> None:
        """Somebody upright, with the eye as far away as the screen is made for."""
        paper, hung = self._paper, self._hung
        self._band(words, 640.0, named=False)
        distance = hung.panel.distance_mm
        x = _GLASS_AT + distance
        hand = self._aim()
        self._limb((x + 160, 60), (x + 170, 850), width=140)
        self._limb((x + 40, 55), (x + 160, 60), width=80)
        self._limb((x + 170, 850), (x + 150, 1330), width=200)
        self._limb((x + 140, 1340), (x + 20, 1080), hand, width=80)
        paper.disc(*self._at(x + 105, 1560), 112 / SIDE, fill=PALE)
        self._panel()
        self._sight((x, 1580))
        self._floor(920.0)
        ends = self._at(_GLASS_AT, 1715), self._at(x, 1715)
        paper.measure(*ends, number(distance, self._language), away=0)
        for end, z in ((_GLASS_AT, hung.top), (x, 1600.0)):
            paper.line(self._at(end, z + 15), self._at(end, 1700), dash=(0.5, 0.7))
        paper.word(words["distance"], ends[1][0] + 1.6, ends[1][1], NOTE, colour=SOFT)

    def _aim(self) -> Point:
        """Where the hand is: the middle of the controls."""
        return 70.0, (self._hung.highest + self._hung.lowest) / 2

    def _panel(self) -> None:
        hung = self._hung
        x, y = self._at(_GLASS_AT - 22, hung.top + _FRAME)
        high = (hung.panel.height_mm + 2 * _FRAME) / SIDE
        self._paper.box(x, y, 22 / SIDE, high, fill=INK)
        x, y = self._at(_GLASS_AT, hung.top)
        high = hung.panel.height_mm / SIDE
        self._paper.line((x, y), (x, y + high), colour=self._paper.accent, width=0.7)

    def _band(self, words: Mapping[str, str], until: float, *, named: bool = True) -> None:
        paper = self._paper
        x, y = self._at(0, LOW_FROM)
        high = (LOW_FROM - CONTROLS_FROM) / SIDE
        paper.box(x, y, until / SIDE, high, fill=QUIET)
        if not named:
            return
        for z in REACH:
            paper.line(self._at(0, z), self._at(until + 60, z), dash=(1.0, 0.8))
            right, middle = self._at(until + 80, z)
            paper.word(number(z, self._language), right, middle, NOTE, colour=SOFT)
        for z in (LOW_FROM, CONTROLS_FROM):
            right, middle = self._at(until + 80, z)
            paper.word(number(z, self._language), right, middle, NOTE, bold=True)
        for z, key in ((sum((LOW_FROM, CONTROLS_FROM)) / 2, "zone"), (REACH[0] - 75, "reach")):
            right, middle = self._at(until + 80, z)
            paper.word(words[key], right, middle, NOTE, colour=SOFT)

    def _sight(self, eye: Point) -> None:
        hung = self._hung
        paper = self._paper
        for z in (hung.top, hung.bottom):
            paper.line(
                self._at(*eye),
                self._at(_GLASS_AT, z),
                colour=paper.accent,
                width=0.2,
                dash=(0.8, 0.8),
            )
        paper.disc(*self._at(*eye), 0.55, fill=paper.accent)

    def _floor(self, until: float) -> None:
        paper = self._paper
        paper.line(self._at(0, 0), self._at(until, 0), colour=INK, width=0.4)
        paper.line(self._at(0, 0), self._at(0, CEILING), colour=INK, width=0.4)

    def _height(self) -> None:
        """The two heights to measure, left of the wall."""
        hung, paper = self._hung, self._paper
        for away, z in ((5.0, hung.bottom), (11.0, hung.top)):
            x, y = self._at(0, z)
            paper.line((x - away - 1.5, y), (x, y))
            floor = self._at(0, 0)[1]
            paper.measure((x - away, y), (x - away, floor), number(z, self._language))


def floor(
    paper: Paper, corner: Point, hung: Mounting, language: str, words: Mapping[str, str]
) -> None:
    """The free floor and the turning circle, the wall at the top."""
    left, top = corner
    wide = TURNING / SIDE
    middle = left + wide / 2
    paper.line((left - 1, top), (left + wide + 1, top), colour=INK, width=0.4)
    panel = hung.panel.width_mm + 2 * _FRAME
    at = middle - panel / 2 / SIDE, top + (_GLASS_AT - 22) / SIDE
    paper.disc(middle, top + wide / 2, wide / 2, line=LINE, dash=(1.0, 0.8))
    w, h = FLOOR[0] / SIDE, FLOOR[1] / SIDE
    paper.box(middle - w / 2, top, w, h, fill=QUIET)
    paper.box(*at, panel / SIDE, 22 / SIDE, fill=INK)
    paper.line(
        (middle - hung.panel.width_mm / 2 / SIDE, at[1] + 1.1),
        (middle + hung.panel.width_mm / 2 / SIDE, at[1] + 1.1),
        colour=paper.accent,
        width=0.7,
    )
    paper.word(words["free"], middle, top + h / 2, BODY, align="center")
    y = top + h - 3
    paper.measure((middle - w / 2, y), (middle + w / 2, y), number(FLOOR[0], language))
    x = middle - w / 2 + 5
    paper.measure((x, top), (x, top + h), number(FLOOR[1], language))
    paper.word(
        f"{words['turning']} Ø\xa0{number(TURNING, language)}",
        middle,
        top + wide - 4.5,
        NOTE,
        colour=SOFT,
        align="center",
    )


def front_scale(hung: Mounting, room: tuple[float, float, float, float]) -> float:
    """The largest scale at which the panel, its frame and the measures fit."""
    _, _, width, height = room
    wide, high = hung.panel.width_mm + 2 * _FRAME, hung.panel.height_mm + 2 * _FRAME
    fits = (s for s in SCALES if wide / s <= width - _LEFT and high / s <= height - _BELOW)
    return next(fits, SCALES[-1])


def front(
    paper: Paper,
    room: tuple[float, float, float, float],
    hung: Mounting,
    language: str,
    words: Mapping[str, str],
) -> None:
    """The panel in a room (x, y, w, h), with the dot, its button and the socket."""
    left, top = room[:2]
    panel, scale = hung.panel, front_scale(hung, room)
    w, h, frame = panel.width_mm / scale, panel.height_mm / scale, _FRAME / scale
    x, y = left + _LEFT + frame, top + frame
    paper.box(x - frame, y - frame, w + 2 * frame, h + 2 * frame, fill=INK, radius=1.2)
    paper.box(x, y, w, h, fill=WHITE)
    for target in hung.page.targets:
        box = target.box
        at = (x + box.x / scale, y + box.y / scale, box.w / scale, box.h / scale)
        chosen = target.name == "access"
        colour = paper.accent if chosen else LINE
        paper.box(*at, fill=colour if chosen else None, line=colour, radius=3 / scale)
    _, up = hung.dot
    dot = (x - DOT_LEFT / scale, y + h - up / scale)
    paper.disc(*dot, max(1.6 / scale, 0.6), fill=WHITE)
    # Measures stand outside the frame, with thin lines to what they measure.
    edge, below = x - frame - 4.5, y + h + frame + 4.5
    for level in (dot[1], y + h):
        paper.line((edge - 1.5, level), (x - frame, level))
    paper.line((edge, dot[1]), (edge, y + h), colour=INK)
    paper.word(
        number(up, language), edge - 1.2, (dot[1] + y + h) / 2, NOTE, bold=True, align="right"
    )
    middle = x + (hung.access.x + hung.access.w / 2) / scale
    for level in (dot[0], middle):
        paper.line((level, y + h + frame), (level, below + 1.2))
    paper.line((dot[0], below), (middle, below), colour=INK)
    across = number(DOT_LEFT + hung.access.x + hung.access.w / 2, language)
    paper.word(across, middle + 1.2, below, NOTE, bold=True)
    paper.word(words["dot"], dot[0], below + 4.2, NOTE, colour=SOFT)
    jack = (x + w + frame, y + h - 12 / scale)
    paper.line(jack, (jack[0] + 2.4, jack[1]), (jack[0] + 2.4, below + 1.8))
    paper.disc(*jack, 1.1, fill=WHITE, line=INK, width=0.4)
    paper.disc(*jack, 0.4, fill=INK)
    paper.word(words["jack"], jack[0] + 2.4, below + 4.2, NOTE, colour=SOFT, align="right")
