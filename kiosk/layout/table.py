"""Rows of a screen for staff: label left, value right of it, a mark in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from kiosk.layout.kit import SMALL, Draft, Kit, Para
from kiosk.layout.page import Box, Mark
from kiosk.layout.wrap import typed

_SIZES: Final = (1.0, 0.9, 0.8, SMALL)
_LABEL_MOST: Final = 0.45
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
class _Line:
    row: Row
    label: Para
    value: Para | None

    @property
    def height(self) -> float:
        """Of the higher side, mm."""
        return max(self.label.height, self.value.height if self.value else 0.0)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows broken into lines at one size."""

    lines: tuple[_Line, ...]
    em: float
    mark: float
    """Width the marks take, mm."""
    label: float
    """Width of the label column, mm."""
    width: float
    air: float
    """Between two rows, mm."""

    @property
    def height(self) -> float:
        """All rows, mm."""
        return sum(line.height for line in self.lines) + self.air * max(0, len(self.lines) - 1)

    def place(self, draft: Draft, x: float, y: float) -> float:
        """Put the rows on the page; the y below them."""
        for i, line in enumerate(self.lines):
            if i:
                draft.marks.append(Mark("line", Box(x, y + self.air / 2 - 0.2, self.width, 0.4)))
                y += self.air
            self._line(draft, line, i, x, y)
            y += line.height
        return y

    def _line(self, draft: Draft, line: _Line, i: int, x: float, y: float) -> None:
        kit = draft.kit
        if line.row.state:
            side = 0.95 * self.em
            at = Box(x, y + (line.label.leading - side) / 2, side, side)
            draft.marks.append(Mark(_MARKS[line.row.state], at))
        left = x + self.mark
        wide = self.label if line.value else self.width - self.mark
        at = Box(left, y, wide, line.label.height)
        quiet = line.value is not None and not line.row.state
        colour: Literal["ink", "ink-2"] = "ink-2" if quiet else "ink"
        draft.runs.append(draft.say(f"row.{i}", line.label, at, colour=colour))
        if line.value:
            right = left + self.label + _gutter(kit)
            room = x + self.width - right
            at = Box(right, y, room, line.value.height)
            draft.runs.append(draft.say(f"row.{i}.value", line.value, at))


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


def table(kit: Kit, language: str, rows: Sequence[Row], width: float, size: float) -> Table:
    """All rows at one size (u)."""
    em = size * kit.u
    mark = 1.5 * em if any(row.state for row in rows) else 0.0
    inner = width - mark
    labels = [kit.length(row.label, em, language) for row in rows if row.value]
    column = min(max(labels, default=0.0), _LABEL_MOST * inner)
    room = inner - column - _gutter(kit)
    lines = []
    for row in rows:
        label = _para(kit, language, row.label, column if row.value else inner, size)
        value = _para(kit, language, row.value, room, size) if row.value else None
        lines.append(_Line(row, label, value))
    return Table(tuple(lines), em, mark, column, width, max(1.0, 0.3 * em))


def fitted(kit: Kit, language: str, rows: Sequence[Row], width: float, height: float) -> Table:
    """All rows at the largest size at which they fit, or at the smallest, too high."""
    for size in kit.sizes(_SIZES):
        made = table(kit, language, rows, width, size)
        if made.height <= height:
            break
    return made


def paged(made: Table, height: float) -> list[Table]:
    """A table that is too high as several, each at least one row."""
    pages: list[list[_Line]] = [[]]
    used = 0.0
    for line in made.lines:
        need = line.height + (made.air if pages[-1] else 0.0)
        if pages[-1] and used + need > height:
            pages.append([])
            used, need = 0.0, line.height
        pages[-1].append(line)
        used += need
    return [replace(made, lines=tuple(lines)) for lines in pages]
