"""The ring around the control the keyboard is on; it keeps clear of what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from kiosk.layout.page import Box, Target
from kiosk.ui import shapes
from kiosk.ui.lettering import CAP, Lettering
from kiosk.ui.theme import Rgb

if TYPE_CHECKING:
    from kiosk.ui.paint import View

WIDTH = 1.2
LEAST = 0.8
"""Its width where even at the edge of a small key a letter needs the room."""
INSET = 1.4
GAP = 0.3
"""At least so far it stays from letters."""
EDGE = -0.4
"""As far over the edge as it may go where a target is small."""
GROUND = 0.4
"""Of the plate seen outside it, where it must be told from a border or is light on a dark plate."""


def inset(target: Target, lettering: Lettering, scale: float) -> float:
    """How far inside the target's edge the ring begins, mm."""
    return max(EDGE, min(INSET, _free(target, lettering, scale) - WIDTH - GAP))


def draw(
    image: Image.Image,
    target: Target,
    lettering: Lettering,
    view: View,
    colour: Rgb,
    *,
    at: float,
    filled: bool,
) -> None:
    """Paint it `at` mm inside; on a `filled` plate it is light, the plate on both its sides."""
    scale = view.scale
    free = _free(target, lettering, scale)
    at = max(GROUND, at) if filled else at
    box = target.box
    left, top, right, bottom = view.px(box, -at)
    line = max(2, round(max(LEAST, min(WIDTH, free - GAP - at)) * scale))
    wide, high = right - left, bottom - top
    if wide <= 2 * line or high <= 2 * line:
        return
    radius = max(0.0, target.radius - at) * scale
    ring = shapes.rounded(wide, high, radius).copy()
    hole = shapes.rounded(wide - 2 * line, high - 2 * line, max(0.0, radius - line))
    ring.paste(0, (line, line), hole)
    image.paste(colour, (left, top), ring)


def _free(target: Target, lettering: Lettering, scale: float) -> float:
    """The room in mm between a target's edge and what stands on it."""
    plate = target.box
    boxes = [mark.box for mark in target.marks]
    for run in target.runs:
        for index, line in enumerate(run.lines):
            size = run.em * scale
            wide = lettering.width(line, size, bold=run.bold) / scale
            above, below = lettering.extent(line, size, bold=run.bold)
            gap = run.box.w - wide
            x = run.box.x + {"left": 0.0, "center": gap / 2, "right": gap}[run.align]
            y = run.box.y + run.leading * (index + 0.5) + run.em * CAP / 2 - above / scale
            boxes.append(Box(x, y, wide, (above + below) / scale))
    return min(
        (
            room
            for each in boxes
            for room in (
                *(each.x - plate.x, plate.right - each.right),
                *(each.y - plate.y, plate.bottom - each.bottom),
            )
        ),
        default=plate.h,
    )
