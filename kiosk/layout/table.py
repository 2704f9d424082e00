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
_GRID_SIZES: Final = (0.9, 0.8, SMALL)
_GRID_FROM: Final = 8
"""So many rows may stand as a grid where they do not fit under each other."""
_CELL_LEAST: Final = 7.5
"""Width of a grid's cell, u."""
_CELL_GAP: Final = 6.0
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

    def height(self, *, grid: bool) -> float:
        """Of the higher side, or of both under each other, mm."""
        value = self.value.height if self.value else 0.0
        return self.label.height + value if grid else max(self.label.height, value)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows broken into lines at one size, `columns` beside each other."""

    cells: tuple[_Cell, ...]
    em: float
    mark: float
    """Width the marks take, mm."""
    label: float
    """Width of the label column, mm."""
    width: float
    """Of one column, mm."""
    columns: int = 1
    air: float = 0.0
    """Between two rows, mm."""

    def _rows(self) -> list[tuple[_Cell, ...]]:
        return [self.cells[i : i + self.columns] for i in range(0, len(self.cells), self.columns)]

    def _heights(self) -> list[float]:
        grid = self.columns > 1
        return [max(cell.height(grid=grid) for cell in row) for row in self._rows()]

    @property
    def height(self) -> float:
        """All rows, mm."""
        heights = self._heights()
        return sum(heights) + self.air * (len(heights) - 1)

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

    def place(self, draft: Draft, x: float, y: float) -> float:
        """Put the rows on the page; the y below them."""
        number = 0
        wide = self.columns * (self.width + _CELL_GAP) - _CELL_GAP
        for row, high in zip(self._rows(), self._heights(), strict=True):
            if number:
                middle = y + self.air / 2
                draft.marks.append(Mark("line", Box(x, middle - 0.2, wide, 0.4)))
                y += self.air
            for i, cell in enumerate(row):
                left = x + i * (self.width + _CELL_GAP)
                if self.columns > 1:
                    self._stacked(draft, cell, number, left, y)
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
            right = left + self.label + _gutter(draft.kit)
            at = Box(right, y, x + self.width - right, cell.value.height)
            draft.runs.append(draft.say(f"row.{i}.value", cell.value, at))

    def _stacked(self, draft: Draft, cell: _Cell, i: int, x: float, y: float) -> None:
        left = x
        if cell.row.state:
            _mark(draft, cell, x, y)
            left += 1.5 * cell.label.em
        at = Box(left, y, x + self.width - left, cell.label.height)
        draft.runs.append(draft.say(f"row.{i}", cell.label, at, colour="ink-2"))
        if cell.value:
            at = Box(x, at.bottom, self.width, cell.value.height)
            draft.runs.append(draft.say(f"row.{i}.value", cell.value, at))


def _mark(draft: Draft, cell: _Cell, x: float, y: float) -> None:
    side = 0.95 * cell.label.em
    at = Box(x, y + (cell.label.leading - side) / 2, side, side)
    draft.marks.append(Mark(_MARKS[cell.row.state], at))


def _gutter(kit: Kit) -> float:
    return 4.0 if kit.narrow else 8.0


def _para(kit: Kit, language: str, text: str, width: float, size: float) -> Para:
    """A text that always fits: what has no place to break is broken anywhere."""
    em = size * kit.u
    para = kit.para(text, language, width, em)
    if para.fits:
        return para
    lines = tuple(typed(text, width, lambda line: kit.length(line, em, language)))
    return replace(kit.paragraph(lines, language, em, para.leading), text=text)


def _lines(kit: Kit, language: str, rows: Sequence[Row], width: float, size: float) -> Table:
    """Rows under each other at one size (u)."""
    em = size * kit.u
    mark = 1.5 * em if any(row.state for row in rows) else 0.0
    inner = width - mark
    labels = [kit.length(row.label, em, language) for row in rows if row.value]
    column = min(max(labels, default=0.0), _LABEL_MOST * inner)
    room = inner - column - _gutter(kit)
    cells = []
    for row in rows:
        label = _para(kit, language, row.label, column if row.value else inner, size)
        value = _para(kit, language, row.value, room, size) if row.value else None
        cells.append(_Cell(row, label, value))
    return Table(tuple(cells), em, mark, column, width, air=_AIR[0] * em)


def _grid(kit: Kit, language: str, rows: Sequence[Row], width: float, size: float) -> Table:
    """Label over value, several columns; labels small, values at `size` (u)."""
    columns = max(2, int((width + _CELL_GAP) / (_CELL_LEAST * kit.u + _CELL_GAP)))
    columns = min(columns, 3)
    wide = (width + _CELL_GAP) / columns - _CELL_GAP
    small = 1.0 if kit.larger else SMALL
    cells = []
    for row in rows:
        indent = 1.5 * small * kit.u if row.state else 0.0
        label = _para(kit, language, row.label, wide - indent, small)
        value = _para(kit, language, row.value, wide, size) if row.value else None
        cells.append(_Cell(row, label, value))
    return Table(tuple(cells), size * kit.u, 0.0, wide, wide, columns, _AIR[0] * size * kit.u)


def fitted(kit: Kit, language: str, rows: Sequence[Row], width: float, height: float) -> Table:
    """All rows at the largest size at which they fit, or at the smallest, too high."""
    made = _lines(kit, language, rows, width, _ROOMY)
    if made.aired(1e3).height <= 0.7 * height:
        return made.aired(height)
    for size in kit.sizes(_SIZES):
        made = _lines(kit, language, rows, width, size)
        if made.height <= height:
            return made.aired(height)
    if len(rows) >= _GRID_FROM and not kit.panel.portrait:
        for size in kit.sizes(_GRID_SIZES) or (1.0,):
            made = _grid(kit, language, rows, width, size)
            if made.height <= height:
                return made.aired(height)
        return made
    return made if kit.larger else _lines(kit, language, rows, width, SMALL)
