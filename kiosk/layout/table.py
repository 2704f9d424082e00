"""Rows of a screen for staff: label left and value right of it, or many of them as a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from kiosk.layout.kit import SMALL, Draft, Kit, Para
from kiosk.layout.page import Box, Colour, Mark
from kiosk.layout.wrap import typed

_ROOMY: Final = 1.2
"""Size of few rows, u, where they leave a third of the height free."""
_SIZES: Final = (1.0, 0.9, 0.8)
_STACKED_SIZES: Final = (1.0, 0.9, 0.8, SMALL)
_GRID_FROM: Final = 8
"""So many rows may stand as a grid where they do not fit under each other."""
_CELL_LEAST: Final = 7.5
"""Width of a grid's cell, u."""
_CELL_GAP: Final = 6.0
_CELL_LINES: Final = 2
"""A value that needs more lines in its cell gets the whole width."""
_LABEL_MOST: Final = 0.45
_AIR: Final = (0.3, 0.8)
"""Between rows, in their size: at least, at most."""
_MARKS: Final[dict[str, Literal["tick", "ring", "alert"]]] = {
    "ok": "tick",
    "wait": "ring",
    "bad": "alert",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the state's mark stands in front of it, and its words say the same."""

    label: str
    value: str = ""
    state: Literal["", "ok", "wait", "bad"] = ""


@dataclass(frozen=True, slots=True)
class _Cell:
    row: Row
    label: Para
    value: Para | None
    wide: bool = False
    """In a grid: over all columns."""

    def height(self, *, stacked: bool) -> float:
        """Of the higher side, or of both under each other, mm."""
        value = self.value.height if self.value else 0.0
        return self.label.height + value if stacked else max(self.label.height, value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows broken into lines at one size, `columns` beside each other."""

    cells: tuple[_Cell, ...]
    em: float
    width: float
    """Of one column, mm."""
    mark: float = 0.0
    """Width the marks take in front of the labels, mm."""
    label: float = 0.0
    """Width of the labels left of their values, mm."""
    columns: int = 1
    air: float = 0.0
    """Between two rows, mm."""
    stacked: bool = False
    """Values stand under their labels."""
    neat: bool = True
    """No word is broken, and no label that has its value beside it."""

    def _rows(self) -> list[tuple[_Cell, ...]]:
        rows: list[tuple[_Cell, ...]] = []
        for cell in self.cells:
            last = rows[-1] if rows else ()
            full = not last or len(last) == self.columns or last[0].wide
            if full or cell.wide:
                rows.append((cell,))
            else:
                rows[-1] = (*last, cell)
        return rows

    def _heights(self) -> list[float]:
        return [max(cell.height(stacked=self.stacked) for cell in row) for row in self._rows()]

    @property
    def height(self) -> float:
        """All rows, mm."""
        heights = self._heights()
        return sum(heights) + self.air * (len(heights) - 1)

    @property
    def single(self) -> bool:
        """Every row is one line."""
        return all(cell.height(stacked=False) < 2 * self.em for cell in self.cells)

    def aired(self, height: float) -> Table:
        """With as much air between the rows as `height` mm and good looks allow."""
        heights = self._heights()
        if len(heights) < 2:
            return self
        air = (height - sum(heights)) / (len(heights) - 1)
        return replace(self, air=max(_AIR[0] * self.em, min(_AIR[1] * self.em, air)))

    def paged(self, height: float) -> list[Table]:
        """As several where it is too high, each at least one row."""
        pages: list[list[_Cell]] = [[]]
        used = 0.0
        for row, high in zip(self._rows(), self._heights(), strict=True):
            need = high + (self.air if pages[-1] else 0.0)
            if pages[-1] and used + need > height + 0.01:
                pages.append([])
                used, need = 0.0, high
            pages[-1].extend(row)
            used += need
        return [replace(self, cells=tuple(cells)) for cells in pages]

    @property
    def _full(self) -> float:
        return self.columns * (self.width + _CELL_GAP) - _CELL_GAP

    def place(self, draft: Draft, x: float, y: float) -> float:
        """Put the rows on the page; the y below them."""
        number = 0
        for row, high in zip(self._rows(), self._heights(), strict=True):
            if number:
                middle = y + self.air / 2
                draft.marks.append(Mark("line", Box(x, middle - 0.2, self._full, 0.4)))
                y += self.air
            for i, cell in enumerate(row):
                left = x + i * (self.width + _CELL_GAP)
                if self.stacked:
                    self._over(draft, cell, number, left, y)
                else:
                    self._line(draft, cell, number, left, y)
                number += 1
            y += high
        return y

    def _line(self, draft: Draft, cell: _Cell, i: int, x: float, y: float) -> None:
        if cell.row.state:
            _mark(draft, cell, x, y)
        left = x + self.mark
        wide = self.label if cell.value else self.width - self.mark
        at = Box(left, y, wide, cell.label.height)
        colour: Colour = "ink-2" if cell.value and not cell.row.state else "ink"
        draft.runs.append(draft.say(f"row.{i}", cell.label, at, colour=colour))
        if cell.value:
            right = left + self.label + _gutter(draft.kit, self.em)
            at = Box(right, y, x + self.width - right, cell.value.height)
            draft.runs.append(draft.say(f"row.{i}.value", cell.value, at))

    def _over(self, draft: Draft, cell: _Cell, i: int, x: float, y: float) -> None:
        left = x
        if cell.row.state:
            _mark(draft, cell, x, y)
            left += 1.5 * cell.label.em
        wide = self._full if cell.wide else self.width
        at = Box(left, y, x + wide - left, cell.label.height)
        colour: Colour = "ink" if left > x and self.columns == 1 else "ink-2"
        draft.runs.append(draft.say(f"row.{i}", cell.label, at, colour=colour))
        if cell.value:
            at = Box(left, at.bottom, x + wide - left, cell.value.height)
            draft.runs.append(draft.say(f"row.{i}.value", cell.value, at))


def _mark(draft: Draft, cell: _Cell, x: float, y: float) -> None:
    side = 0.95 * cell.label.em
    at = Box(x, y + (cell.label.leading - side) / 2, side, side)
    draft.marks.append(Mark(_MARKS[cell.row.state], at))


def _gutter(kit: Kit, em: float) -> float:
    return max(4.0, 0.8 * em) if kit.narrow else 8.0


class _Texts:
    """Breaks texts into lines that always fit; `torn` tells of one broken inside a word."""

    def __init__(self, kit: Kit, language: str) -> None:
        self.kit, self.language, self.torn = kit, language, False

    def para(self, text: str, width: float, size: float) -> Para:
        """`text` at `size` u."""
        kit, em = self.kit, size * self.kit.u
        para = kit.para(text, self.language, width, em)
        if para.fits:
            return para
        self.torn = True
        broken = typed(text, width, lambda line: kit.length(line, em, self.language))
        lines = tuple(line.rstrip(" ") for line in broken)
        return replace(kit.paragraph(lines, self.language, em, para.leading), text=text)


def _lines(kit: Kit, language: str, rows: Sequence[Row], width: float, size: float) -> Table:
    """Label left, value right of it, at one size (u)."""
    em = size * kit.u
    texts = _Texts(kit, language)
    mark = 1.5 * em if any(row.state for row in rows) else 0.0
    inner = width - mark
    pairs = [row for row in rows if row.value]
    column = max((kit.length(row.label, em, language) for row in pairs), default=0.0)
    values = max((kit.length(row.value, em, language) for row in pairs), default=0.0)
    room = inner - _gutter(kit, em)
    if column + values > room:
        column = min(column, _LABEL_MOST * inner)
    cells = []
    for row in rows:
        label = texts.para(row.label, column + 0.01 if row.value else inner, size)
        value = texts.para(row.value, room - column, size) if row.value else None
        cells.append(_Cell(row, label, value))
    neat = not texts.torn and all(len(cell.label.lines) == 1 for cell in cells if cell.value)
    return Table(tuple(cells), em, width, mark, column, air=_AIR[0] * em, neat=neat)


def _stacked(  # noqa: PLR0917
    kit: Kit, language: str, rows: Sequence[Row], width: float, size: float, columns: int = 1
) -> Table:
    """Label over value, in `columns`; labels small, values at `size` (u)."""
    wide = (width + _CELL_GAP) / columns - _CELL_GAP
    small = 1.0 if kit.larger else SMALL
    texts = _Texts(kit, language)
    cells = []
    for row in rows:
        # Where something has a state its label is what is read first.
        over = size if row.state and columns == 1 else small
        indent = 1.5 * over * kit.u if row.state else 0.0
        label = texts.para(row.label, wide - indent, over)
        value = texts.para(row.value, wide - indent, size) if row.value else None
        long = columns > 1 and value is not None and len(value.lines) > _CELL_LINES
        if long:
            label = texts.para(row.label, width - indent, over)
            value = texts.para(row.value, width - indent, size)
        cells.append(_Cell(row, label, value, long))
    em = size * kit.u
    air = _AIR[0] * em
    return Table(tuple(cells), em, wide, 0.0, 0.0, columns, air, stacked=True, neat=not texts.torn)


def fitted(kit: Kit, language: str, rows: Sequence[Row], width: float, height: float) -> Table:
    """All rows at the largest size at which they fit well, or at the smallest, too high."""
    made = _lines(kit, language, rows, width, _ROOMY)
    if made.single and made.aired(1e3).height <= 0.7 * height:
        return made.aired(height)
    for size in kit.sizes(_SIZES):
        made = _lines(kit, language, rows, width, size)
        if made.neat and made.height <= height:
            return made.aired(height)
    columns = 1
    if len(rows) >= _GRID_FROM and not kit.panel.portrait:
        columns = min(3, int((width + _CELL_GAP) / (_CELL_LEAST * kit.u + _CELL_GAP)))
    for size in kit.sizes(_STACKED_SIZES):
        made = _stacked(kit, language, rows, width, size, columns)
        if made.neat and made.height <= height:
            return made.aired(height)
    smallest = 1.0 if kit.larger else SMALL
    lines = _lines(kit, language, rows, width, smallest)
    if lines.height <= height:
        return lines.aired(height)
    return lines if lines.neat and columns == 1 else made
