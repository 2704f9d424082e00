"""What the installation sheet is drawn with: lines, words and measures on A4, in millimetres.

y runs downwards from the top of the sheet.
"""

from __future__ import annotations

from typing import Final, Literal

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from kiosk.layout import wrap

A4: Final = (210.0, 297.0)
PT: Final = 25.4 / 72
TITLE, HEAD, BODY, NOTE = (size * PT for size in (18, 10, 8, 7))
"""The only sizes of type, mm."""
INK: Final = HexColor(0x14232B)
SOFT: Final = HexColor(0x43525A)
LINE: Final = HexColor(0x6F7E86)
QUIET: Final = HexColor(0xE6E3DB)
PALE: Final = HexColor(0xD5E3E5)
WARN: Final = HexColor(0x7A3E00)
WARN_GROUND: Final = HexColor(0xFFF0D2)
WHITE: Final = HexColor(0xFFFFFF)
REGULAR, BOLD = "Sheet", "Sheet-Bold"
LEADING: Final = 1.28
_CAPITAL: Final = 0.714
"""Height of a capital in Noto Sans, em."""

Align = Literal["left", "center", "right"]
Point = tuple[float, float]


def wide(text: str, size: float, *, bold: bool = False) -> float:
    """Millimetres a line takes."""
    return float(pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size))


class Paper:
    """One sheet in the making."""

    def __init__(self, canvas: Canvas, accent: str) -> None:
        self.canvas = canvas
        self.accent: Color = HexColor(accent)

    def line(
        self,
        *points: Point,
        colour: Color = LINE,
        width: float = 0.2,
        dash: tuple[float, ...] = (),
        round_ends: bool = False,
    ) -> None:
        """A line through points."""
        path = self.canvas.beginPath()
        path.moveTo(*self._at(points[0]))
        for point in points[1:]:
            path.lineTo(*self._at(point))
        self._pen(colour, width, dash)
        self.canvas.setLineCap(1 if round_ends else 0)
        self.canvas.setLineJoin(1)
        self.canvas.drawPath(path, stroke=1, fill=0)

    def box(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        *,
        fill: Color | None = None,
        line: Color | None = None,
        width: float = 0.2,
        radius: float = 0.0,
        dash: tuple[float, ...] = (),
    ) -> None:
        """A rectangle from its upper left corner."""
        left, low = self._at((x, y + h))
        self._pen(line, width, dash)
        if fill is not None:
            self.canvas.setFillColor(fill)
        stroke, full = int(line is not None), int(fill is not None)
        self.canvas.roundRect(left, low, w * mm, h * mm, radius * mm, stroke=stroke, fill=full)

    def disc(
        self,
        x: float,
        y: float,
        r: float,
        *,
        fill: Color | None = None,
        line: Color | None = None,
        width: float = 0.2,
        dash: tuple[float, ...] = (),
    ) -> None:
        """A circle."""
        self._pen(line, width, dash)
        if fill is not None:
            self.canvas.setFillColor(fill)
        stroke, full = int(line is not None), int(fill is not None)
        self.canvas.circle(*self._at((x, y)), r * mm, stroke=stroke, fill=full)

    def word(
        self,
        text: str,
        x: float,
        y: float,
        size: float = BODY,
        *,
        bold: bool = False,
        colour: Color = INK,
        align: Align = "left",
    ) -> None:
        """One line; `y` is the middle of its capitals."""
        self.canvas.setFillColor(colour)
        self.canvas.setFont(BOLD if bold else REGULAR, size * mm)
        left = x - wide(text, size, bold=bold) * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        self.canvas.drawString(*self._at((left, y + _CAPITAL * size / 2)), text)

    def upright(self, text: str, x: float, y: float, size: float = NOTE) -> None:
        """One line read from below, its middle at x, y."""
        self.canvas.saveState()
        self.canvas.translate(*self._at((x, y)))
        self.canvas.rotate(90)
        self.canvas.setFillColor(INK)
        self.canvas.setFont(BOLD, size * mm)
        self.canvas.drawCentredString(0, -_CAPITAL * size / 2 * mm, text)
        self.canvas.restoreState()

    @staticmethod
    def lines(text: str, width: float, size: float = BODY, *, bold: bool = False) -> list[str]:
        """A paragraph as lines that fit a width."""
        return wrap.fill(text, width, lambda line: wide(line, size, bold=bold))

    def text(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        size: float = BODY,
        *,
        bold: bool = False,
        colour: Color = INK,
    ) -> float:
        """A paragraph from its top; the y below it."""
        for line in self.lines(text, width, size, bold=bold):
            self.word(line, x, y + LEADING * size / 2, size, bold=bold, colour=colour)
            y += LEADING * size
        return y

    def measure(self, one: Point, other: Point, text: str, *, away: float = 0.0) -> None:
        """A measure between two points on one line, its figure beside or above the middle."""
        self.line(one, other, colour=INK)
        upright = abs(one[0] - other[0]) < 1e-6
        for x, y in (one, other):
            ends = ((x - 0.9, y), (x + 0.9, y)) if upright else ((x, y - 0.9), (x, y + 0.9))
            self.line(*ends, colour=INK)
        x, y = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
        if upright:
            self.upright(text, x - 1.9 + away, y)
        else:
            self.word(text, x, y - 1.9 + away, NOTE, bold=True, align="center")

    def _pen(self, colour: Color | None, width: float, dash: tuple[float, ...]) -> None:
        if colour is not None:
            self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width * mm)
        self.canvas.setDash([part * mm for part in dash])

    def _at(self, point: Point) -> Point:
        return point[0] * mm, (A4[1] - point[1]) * mm
