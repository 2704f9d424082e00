"""Enrolment labels to print: one per device, with its QR code in vectors. Sizes in millimetres.

A label carries a one-time code and nothing that lasts: once used, it is paper.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import segno
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from kiosk.layout import wrap
from kiosk.layout.measure import fonts, is_arabic
from sync.contract import code as codes

QUIET: Final = 4
"""Modules of white around a QR code."""
QR_LEAST: Final = 25.0
EDGE: Final = 4.0
"""Printers leave this much at a sheet's edges white, and labels lie at its edges."""
TOP: Final = 3.7
LOW: Final = 3.5
"""Less at top and bottom: there the sheet has a little more, and letters do not fill a line."""
PT: Final = 25.4 / 72
INK: Final = 0.0
SOFT: Final = 0.25
"""Grey of what is only looked up."""
SHRINK: Final = 0.96
STRIP: Final = 2.1
"""Height of the lowest line, under the QR code."""
GAP: Final = 2.6
CODE_EMS: Final = tuple(size * PT for size in (15, 14, 13, 12, 11, 10))
SPOT_LEAST: Final = 5.2 * PT

HOW: Final = {
    "fi": "Skannaa tai kirjoita",
    "sv": "Skanna eller skriv",
    "en": "Scan or type",
    "et": "Skanni või kirjuta",
    "ru": "Сканируйте или введите",
    "uk": "Скануйте або введіть",
}
"""What to do with it. Arabic is left out: PDF text here is not shaped."""
UNTIL: Final = {
    "fi": "Voimassa",
    "sv": "Gäller till",
    "en": "Valid until",
    "et": "Kehtib kuni",
    "ru": "Действует до",
    "uk": "Дійсний до",
}


@dataclass(frozen=True)
class Sheet:
    """How labels lie on a page; width and height are one label's."""

    page: tuple[float, float]
    columns: int
    rows: int
    width: float
    height: float

    @property
    def size(self) -> str:
        """For whoever puts paper into the printer."""
        each = f"labels of {self.width:g} x {self.height:g} mm"
        return f"{self.columns * self.rows} {each} on A4" if self.columns > 1 else each

    @property
    def offset(self) -> tuple[float, float]:
        """What the labels leave free at the left and at the top."""
        wide, high = self.columns * self.width, self.rows * self.height
        return (self.page[0] - wide) / 2, (self.page[1] - high) / 2


SHEETS: Final = {
    "a4-24": Sheet((210, 297), 3, 8, 70, 37),
    "a4-21": Sheet((210, 297), 3, 7, 70, 42.3),
    "single": Sheet((70, 37), 1, 1, 70, 37),
}


@dataclass(frozen=True)
class Label:
    """What stands on one label."""

    ticket: codes.Ticket
    place: str
    spot: str
    """Where in the place the device stands."""
    until: dt.datetime
    """Its digits are printed, without a zone."""
    languages: tuple[str, ...] = ("fi", "sv", "en")
    """The organisation's; the first, Swedish and English are used."""


@dataclass(frozen=True)
class Block:
    """Lines of one size, as they fit a width and a height."""

    lines: tuple[str, ...]
    em: float
    leading: float
    width: float

    @property
    def height(self) -> float:
        """From the first line's top to the last one's bottom."""
        return len(self.lines) * self.leading


def pdf(
    labels: Sequence[Label], sheet: Sheet, *, done: Callable[[Label], None] = lambda _: None
) -> bytes:
    """A document of as many pages as the labels need; `done` is called after each label.

    Raises measure.FontError.
    """
    for name, path in (("Label", fonts().regular), ("Label-Bold", fonts().bold)):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    file = io.BytesIO()
    # Nothing of the machine or the time of printing goes into the document.
    canvas = Canvas(file, pagesize=(sheet.page[0] * mm, sheet.page[1] * mm), invariant=1)
    canvas.setTitle("Hymiö: enrolment labels")
    left, top = sheet.offset
    each = sheet.columns * sheet.rows
    for at, label in enumerate(labels):
        if at and at % each == 0:
            canvas.showPage()
        row, column = divmod(at % each, sheet.columns)
        x, y = left + column * sheet.width, top + row * sheet.height
        _Drawing(canvas, sheet, x, y).label(label)
        done(label)
    canvas.save()
    return file.getvalue()


def fit(
    text: str, width: float, height: float, *, em: float, least: float, bold: bool = False
) -> Block:
    """A text at the largest size from `em` down at which it fits.

    From `em` to `least` it breaks where words end; below, also inside words.
    """
    measure = _width_of(bold)
    leading = 1.12 if bold else 1.2
    size = em
    while True:
        broken = wrap.typed if size < least else wrap.balance
        lines = tuple(line.rstrip() for line in broken(text, width, _at(measure, size)))
        block = Block(lines, size, leading * size, max(measure(line) * size for line in lines))
        if block.width <= width and block.height <= height:
            return block
        size *= SHRINK


def _shared(code: str, spot: str, width: float, height: float) -> tuple[Block, Block]:
    """Code and place in one column: the code gives way to a long place, within reason."""
    groups = code.split("-")
    halves = "-".join(groups[:2]) + "-\n" + "-".join(groups[2:])
    for em in CODE_EMS:
        large = fit(halves, width, height, em=em, least=em / 2, bold=True)
        small = fit(spot, width, height - large.height, em=7 * PT, least=SPOT_LEAST)
        # A word that is too long is broken one step below.
        if small.em >= SPOT_LEAST * SHRINK**2:
            break
    return large, small


def _width_of(bold: bool) -> Callable[[str], float]:
    font = "Label-Bold" if bold else "Label"
    return lambda text: pdfmetrics.stringWidth(text, font, 1)


def _at(measure: Callable[[str], float], size: float) -> Callable[[str], float]:
    return lambda text: measure(text) * size


class _Drawing:
    """One label; y runs downwards from its top left corner."""

    def __init__(self, canvas: Canvas, sheet: Sheet, x: float, y: float) -> None:
        self._canvas, self._x, self._y = canvas, x, y
        self._page_height = sheet.page[1]
        self._w, self._h = sheet.width, sheet.height

    def label(self, label: Label) -> None:
        """The code to scan at the left, the words beside it, what to do below both."""
        strip = self._h - LOW - STRIP
        right = self._qr(codes.to_qr(label.ticket), strip)
        self._words(label, max(right, EDGE + QR_LEAST + GAP), strip)
        wide = self._w - 2 * EDGE
        key = fit(label.ticket.fingerprint, 0.3 * wide, STRIP, em=5 * PT, least=3 * PT)
        how = fit(_how(label.languages), 0.7 * wide - GAP, STRIP, em=5 * PT, least=3 * PT)
        self._write(how, EDGE, strip, grey=SOFT)
        self._write(key, self._w - EDGE - key.width, strip, grey=SOFT)

    def _words(self, label: Label, left: float, bottom: float) -> None:
        """Who it is on top, what is only looked up at the bottom, the code between them."""
        ticket, width = label.ticket, self._w - EDGE - left
        top = TOP - 0.7
        name = fit(ticket.device, width, 4.2, em=10.5 * PT, least=4 * PT, bold=True)
        self._write(name, left, top, bold=True)
        until = label.until.strftime("%d.%m.%Y %H:%M")
        lookup = f"{ticket.endpoint}\n{_word(UNTIL, label.languages)} {until}"
        found = fit(lookup, width, 6.0, em=5 * PT, least=4 * PT)
        self._write(found, left, bottom - 0.8 - found.height, grey=SOFT)
        top, bottom = top + name.height, bottom - 0.8 - found.height
        code, spot = _shared(ticket.code, f"{label.place}\n{label.spot}", width, bottom - top - 0.6)
        self._write(spot, left, top)
        top += spot.height
        self._write(code, left, (top + bottom - code.height) / 2, bold=True)

    def _write(
        self, block: Block, left: float, top: float, *, bold: bool = False, grey: float = INK
    ) -> None:
        canvas = self._canvas
        canvas.setFillGray(grey)
        canvas.setFont("Label-Bold" if bold else "Label", block.em * mm)
        for at, line in enumerate(block.lines):
            # Capitals reach 0.714 em above the baseline in Noto Sans: in the middle of the line.
            baseline = top + at * block.leading + (block.leading + 0.714 * block.em) / 2
            canvas.drawString(*self._point(left, baseline), line)

    def _qr(self, text: str, bottom: float) -> float:
        """Draw the code as large as fits above `bottom`; the right end of its quiet zone."""
        matrix = segno.make(text, error="l", boost_error=True, micro=False).matrix
        count = len(matrix)
        # Its quiet zone may reach into the margin, where nothing is printed either.
        side = max(QR_LEAST, (bottom - TOP) * count / (count + QUIET))
        module = side / count
        path = self._canvas.beginPath()
        for row, modules in enumerate(matrix):
            for start, length in _runs(modules):
                x, y = self._point(EDGE + start * module, TOP + (row + 1) * module)
                path.rect(x, y, length * module * mm, module * mm)
        self._canvas.setFillGray(INK)
        self._canvas.drawPath(path, stroke=0, fill=1)
        # A j reaches to the left of where it begins.
        return EDGE + side + QUIET * module + 0.4

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return (self._x + x) * mm, (self._page_height - self._y - y) * mm


def _runs(modules: Sequence[int]) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(modules):
        if dark and found and sum(found[-1]) == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((at, 1))
    return found


def _how(languages: Sequence[str]) -> str:
    first = [language for language in languages if language in HOW][:1]
    return " · ".join(HOW[language] for language in dict.fromkeys([*first, "sv", "en"]))


def _word(words: dict[str, str], languages: Sequence[str]) -> str:
    return next((words[language] for language in languages if language in words), words["en"])


def name_of(names: dict[str, str], languages: Sequence[str]) -> str:
    """A name in the first of the languages whose letters the label's font has."""
    ordered = [names[language] for language in [*languages, "en"] if names.get(language)]
    return next((name for name in ordered if not is_arabic(name)), next(iter(ordered), ""))
