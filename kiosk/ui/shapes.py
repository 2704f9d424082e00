"""Shapes as antialiased masks: drawn four times too large once, scaled down, kept.

A mask is a Pillow image of mode L in px; the painter pours a colour token through it. That gives
the same edges on every driver, with or without multisampling.
"""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image, ImageDraw

OVER = 4
"""Supersampling per axis."""

Mask = Image.Image
Point = tuple[float, float]


class Pen:
    """Strokes with round caps and joins on an oversized mask, in units of its box (0-1)."""

    def __init__(self, width: int, height: int, unit: float | None = None) -> None:
        self._size = (max(1, width), max(1, height))
        self._image = Image.new("L", (self._size[0] * OVER, self._size[1] * OVER), 0)
        self._draw = ImageDraw.Draw(self._image)
        # The drawing space is square and centred; one unit is the shorter side.
        self._unit = (min(self._size) if unit is None else unit) * OVER
        self._x = (self._size[0] * OVER - self._unit) / 2
        self._y = (self._size[1] * OVER - self._unit) / 2

    def at(self, point: Point) -> Point:
        """Unit coordinates to pixels of the oversized mask."""
        return self._x + point[0] * self._unit, self._y + point[1] * self._unit

    def stroke(
        self, points: list[Point], width: float, *, closed: bool = False, ink: int = 255
    ) -> Pen:
        """A line through the points, `width` units wide."""
        pixels = [self.at(point) for point in points]
        if closed:
            pixels.append(pixels[0])
        thick = width * self._unit
        self._draw.line(pixels, fill=ink, width=max(1, round(thick)), joint="curve")
        for x, y in pixels:
            self._dot(x, y, thick / 2, thick / 2, ink)
        return self

    def dot(self, centre: Point, rx: float, ry: float | None = None, ink: int = 255) -> Pen:
        """A filled ellipse."""
        x, y = self.at(centre)
        self._dot(x, y, rx * self._unit, (rx if ry is None else ry) * self._unit, ink)
        return self

    def ring(self, centre: Point, rx: float, ry: float, width: float) -> Pen:
        """An ellipse's outline, the stroke centred on it."""
        x, y = self.at(centre)
        half = width / 2
        outer = ((rx + half) * self._unit, (ry + half) * self._unit)
        box = (x - outer[0], y - outer[1], x + outer[0], y + outer[1])
        self._draw.ellipse(box, outline=255, width=max(1, round(width * self._unit)))
        return self

    def polygon(self, points: list[Point], ink: int = 255) -> Pen:
        """A filled polygon."""
        self._draw.polygon([self.at(point) for point in points], fill=ink)
        return self

    def mask(self) -> Mask:
        """The finished mask."""
        return self._image.reduce(OVER)

    def _dot(self, x: float, y: float, rx: float, ry: float, ink: int) -> None:
        self._draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=ink)


@lru_cache(maxsize=32)
def _corner(radius: float) -> Mask:
    side = max(1, math.ceil(radius))
    image = Image.new("L", (side * 8, side * 8), 0)
    reach = radius * 16
    ImageDraw.Draw(image).ellipse((0, 0, reach, reach), fill=255)
    return image.reduce(8)


@lru_cache(maxsize=96)
def rounded(width: int, height: int, radius: float) -> Mask:
    """A filled rectangle with round corners."""
    mask = Image.new("L", (width, height), 255)
    radius = min(radius, width / 2, height / 2)
    if radius > 0.25:
        corner = _corner(round(radius * 4) / 4)
        side = corner.width
        for x, y, turn in (
            (0, 0, None),
            (width - side, 0, Image.Transpose.FLIP_LEFT_RIGHT),
            (0, height - side, Image.Transpose.FLIP_TOP_BOTTOM),
            (width - side, height - side, Image.Transpose.ROTATE_180),
        ):
            mask.paste(corner if turn is None else corner.transpose(turn), (x, y))
    return mask


@lru_cache(maxsize=64)
def disc(diameter: int) -> Mask:
    """A filled circle."""
    return Pen(diameter, diameter).dot((0.5, 0.5), 0.5).mask()


@lru_cache(maxsize=64)
def circle(diameter: int, width: float) -> Mask:
    """A circle's outline inside `diameter`, `width` px wide."""
    part = width / diameter
    return Pen(diameter, diameter).ring((0.5, 0.5), 0.5 - part / 2, 0.5 - part / 2, part).mask()


# Per face: half width, corner height, how far the middle leaves it; in radii, y down.
MOUTHS = {
    1: (0.46, 0.55, -0.38),
    2: (0.46, 0.46, -0.22),
    3: (0.42, 0.36, 0.0),
    4: (0.48, 0.24, 0.24),
    5: (0.50, 0.12, 0.46),
}


@lru_cache(maxsize=48)
def face_outline(diameter: int) -> Mask:
    """The ring of a face, inside its circle."""
    return circle(diameter, max(1.0, 0.085 * diameter / 2))


@lru_cache(maxsize=48)
def face_features(value: int, diameter: int) -> Mask:
    """Eyes, mouth and brows of face 1-5."""
    pen = Pen(diameter, diameter)

    def at(x: float, y: float) -> Point:
        return 0.5 + x / 2, 0.5 + y / 2

    for side in (-1, 1):
        pen.dot(at(side * 0.34, -0.20), 0.095 / 2, 0.125 / 2)
    half, y, bend = MOUTHS[value]
    steps = 48
    if value == 5:
        # A filled half-ellipse with corners as soft as the stroked mouths' ends.
        arc = [
            at(half * math.cos(math.pi * i / steps), y + bend * math.sin(math.pi * i / steps))
            for i in range(steps + 1)
        ]
        pen.polygon(arc).stroke(arc, 0.04, closed=True)
    else:
        curve = []
        for i in range(steps + 1):
            t = i / steps
            curve.append(at(half * (2 * t - 1), y + 4 * bend * t * (1 - t)))
        pen.stroke(curve, 0.13 / 2)
    if value == 1:
        for side in (-1, 1):
            pen.stroke([at(side * 0.20, -0.55), at(side * 0.50, -0.43)], 0.09 / 2)
    return pen.mask()


@lru_cache(maxsize=32)
def tick(size: int) -> Mask:
    """The tick alone, as it stands in a disc of `size` px."""
    return Pen(size, size).stroke([(0.27, 0.52), (0.44, 0.68), (0.73, 0.34)], 0.105).mask()


@lru_cache(maxsize=32)
def alert(size: int) -> Mask:
    """The exclamation mark alone, as it stands in a disc of `size` px."""
    return Pen(size, size).stroke([(0.5, 0.27), (0.5, 0.54)], 0.12).dot((0.5, 0.74), 0.07).mask()


@lru_cache(maxsize=64)
def icon(name: str, width: int, height: int) -> Mask:
    """One of the drawn icons. Raises KeyError for an unknown name."""
    return _ICONS[name](Pen(width, height))


def _access(pen: Pen) -> Mask:
    line = 0.105
    pen.dot((0.5, 0.105), 0.105)
    pen.stroke([(0.06, 0.31), (0.5, 0.395), (0.94, 0.31)], line)
    pen.stroke([(0.5, 0.395), (0.5, 0.58)], line)
    pen.stroke([(0.285, 0.945), (0.5, 0.575), (0.715, 0.945)], line)
    return pen.mask()


def _globe(pen: Pen) -> Mask:
    line = 0.062
    reach = 0.5 - line / 2
    pen.ring((0.5, 0.5), reach, reach, line).ring((0.5, 0.5), 0.2, reach, line)
    side = math.sqrt(reach**2 - 0.235**2)
    pen.stroke([(line / 2, 0.5), (1 - line / 2, 0.5)], line)
    for y in (0.265, 0.735):
        pen.stroke([(0.5 - side, y), (0.5 + side, y)], line)
    return pen.mask()


def _info(pen: Pen) -> Mask:
    line = 0.08
    pen.ring((0.5, 0.5), 0.5 - line / 2, 0.5 - line / 2, line).dot((0.5, 0.295), 0.063)
    return pen.stroke([(0.5, 0.46), (0.5, 0.755)], 0.1).mask()


def _shift(pen: Pen) -> Mask:
    outline = [(0.5, 0.06), (0.95, 0.53), (0.69, 0.53), (0.69, 0.9), (0.31, 0.9), (0.31, 0.53)]
    return pen.stroke([*outline, (0.05, 0.53)], 0.07, closed=True).mask()


def _shift_on(pen: Pen) -> Mask:
    outline = [(0.5, 0.06), (0.95, 0.53), (0.69, 0.53), (0.69, 0.9), (0.31, 0.9), (0.31, 0.53)]
    pen.polygon([*outline, (0.05, 0.53)])
    return pen.stroke([*outline, (0.05, 0.53)], 0.07, closed=True).mask()


def _backspace(pen: Pen) -> Mask:
    outline = [(0.04, 0.5), (0.36, 0.17), (0.96, 0.17), (0.96, 0.83), (0.36, 0.83)]
    pen.stroke(outline, 0.062, closed=True)
    pen.stroke([(0.5, 0.36), (0.78, 0.64)], 0.062)
    return pen.stroke([(0.78, 0.36), (0.5, 0.64)], 0.062).mask()


def _enter(pen: Pen) -> Mask:
    pen.stroke([(0.97, 0.17), (0.97, 0.56), (0.04, 0.56)], 0.065)
    return pen.stroke([(0.34, 0.27), (0.04, 0.56), (0.34, 0.85)], 0.065).mask()


def _keyboard(pen: Pen) -> Mask:
    line = 0.065
    pen.stroke([(0.06, 0.2), (0.94, 0.2), (0.94, 0.8), (0.06, 0.8)], line, closed=True)
    for y in (0.37, 0.5):
        for x in (0.22, 0.36, 0.5, 0.64, 0.78):
            pen.dot((x, y), 0.035)
    return pen.stroke([(0.32, 0.65), (0.68, 0.65)], line).mask()


def _stick(pen: Pen) -> Mask:
    line = 0.065
    pen.stroke([(0.05, 0.34), (0.64, 0.34), (0.64, 0.66), (0.05, 0.66)], line, closed=True)
    pen.stroke([(0.64, 0.4), (0.94, 0.4), (0.94, 0.6), (0.64, 0.6)], line, closed=True)
    return pen.dot((0.78, 0.5), 0.03).dot((0.86, 0.5), 0.03).dot((0.19, 0.5), 0.05).mask()


def _scanner(pen: Pen) -> Mask:
    line = 0.065
    for x, turn in ((0.06, 1), (0.94, -1)):
        for y, down in ((0.1, 1), (0.9, -1)):
            pen.stroke([(x + turn * 0.18, y), (x, y), (x, y + down * 0.18)], line)
    for x, width in ((0.25, 0.07), (0.38, 0.035), (0.5, 0.07), (0.625, 0.035), (0.75, 0.07)):
        pen.stroke([(x, 0.3), (x, 0.7)], width)
    return pen.mask()


_ICONS = {
    "keyboard": _keyboard,
    "stick": _stick,
    "scanner": _scanner,
    "access": _access,
    "globe": _globe,
    "info": _info,
    "shift": _shift,
    "shift-on": _shift_on,
    "backspace": _backspace,
    "enter": _enter,
}


@lru_cache(maxsize=4)
def qr(address: str, side: int, quiet: int) -> Mask:
    """A QR code in whole pixels per module, centred in `side` px, `quiet` modules around it."""
    # It brings half the standard library's network with it: not at the start of every terminal.
    import segno  # noqa: PLC0415

    rows = [list(row) for row in segno.make(address, error="m").matrix]
    module = max(1, side // (len(rows) + 2 * quiet))
    small = Image.new("L", (len(rows), len(rows)))
    small.putdata([255 if cell else 0 for row in rows for cell in row])
    code = small.resize((len(rows) * module,) * 2, Image.Resampling.NEAREST)
    mask = Image.new("L", (side, side), 0)
    offset = (side - code.width) // 2
    mask.paste(code, (offset, offset))
    return mask
