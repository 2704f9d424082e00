"""What staff can choose on a screen: large buttons in a grid, over several pages if need be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kiosk.layout.kit import GAP, Draft, Kit
from kiosk.layout.page import Box, Look, Mark
from kiosk.layout.staffbar import Action
from kiosk.layout.two import Two, two

_COLUMN_GAP: Final = 3.0
_PAD: Final = 5.0
_LEAST: Final = 16.0
_SIZES: Final = (1.0, 0.9, 0.8)
_MOST: Final = {"plain": 3.2, "noted": 4.4, "card": 7.4}
"""Height of a button, u: words alone, with a note, a card beside others."""
_ICON: Final = 1.8
"""Side of an icon, u."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices broken into lines, in `columns`."""

    choices: tuple[Action, ...]
    words: tuple[Two, ...]
    columns: int
    height: float
    """Of one button, mm."""
    card: bool
    icons: bool

    def place(self, draft: Draft, y: float) -> None:
        """Put the buttons on the page from `y` on."""
        kit = draft.kit
        width = _width(kit, self.columns)
        for i, (choice, words) in enumerate(zip(self.choices, self.words, strict=True)):
            row, column = divmod(i, self.columns)
            x = kit.margin + column * (width + _COLUMN_GAP)
            self._button(
                draft, choice, words, Box(x, y + row * (self.height + GAP), width, self.height)
            )

    def _button(self, draft: Draft, choice: Action, words: Two, box: Box) -> None:
        side = _ICON * draft.kit.u
        inner = Box(box.x + _PAD, box.y, box.w - 2 * _PAD, box.h)
        marks: tuple[Mark, ...] = ()
        if self.icons and choice.icon:
            if self.card:
                # All cards' labels stand at one height, whatever their notes take.
                highest = max(each.height for each in self.words)
                top = box.y + (box.h - side - 3 - highest) / 2
                at = Box(inner.x, top, side, side)
                inner = Box(inner.x, at.bottom + 3, inner.w, words.height)
            else:
                at = Box(inner.x, box.y + (box.h - side) / 2, side, side)
                inner = Box(at.right + _PAD, box.y, inner.right - at.right - _PAD, box.h)
            marks = (Mark("icon", at, choice.icon),)
        look: Look = "primary" if choice.primary else "list"
        words.button(
            draft,
            choice.name,
            box,
            look=look,
            pad=_PAD,
            align="left",
            inner=inner,
            marks=marks,
            radius=4.0,
        )


def _width(kit: Kit, columns: int) -> float:
    return (kit.inner - (columns - 1) * _COLUMN_GAP) / columns


def _columns(kit: Kit, choices: Sequence[Action]) -> tuple[int, ...]:
    """The numbers of columns that may be used, best first."""
    count = len(choices)
    if kit.panel.portrait:
        return (1, 2) if count > 4 else (1,)
    if count <= 3:
        return (count, 1) if any(choice.note for choice in choices) else (1, count)
    return (2, 3)


def _made(  # noqa: PLR0917
    kit: Kit,
    language: str,
    choices: Sequence[Action],
    columns: int,
    size: float,
    room: float,
    *,
    rows: int = 0,
    icons: bool = True,
) -> Options | None:
    """One arrangement if it fits `room` mm; `rows`: as high as with so many."""
    rows = rows or -(-len(choices) // columns)
    noted = any(choice.note for choice in choices)
    icons = icons and any(choice.icon for choice in choices)
    card = noted and rows == 1 and columns > 1
    side = _ICON * kit.u
    width = _width(kit, columns) - 2 * _PAD - (side + _PAD if icons and not card else 0.0)
    words = tuple(
        two(kit, language, choice.label, choice.note, width, size, most=2) for choice in choices
    )
    most = _MOST["card" if card else "noted" if noted else "plain"] * kit.u
    height = min(most, (room - (rows - 1) * GAP) / rows)
    need = max(each.height for each in words) + 3 + (side + 5 if icons and card else 0.0)
    if height < max(_LEAST, need) - 0.01 or not all(each.fits for each in words):
        return None
    return Options(tuple(choices), words, columns, height, card, icons)


def fitted(kit: Kit, language: str, choices: Sequence[Action], room: float) -> Options | None:
    """All choices with the largest words that fit `room` mm of height."""
    for icons in (True, False):
        for size in kit.sizes(_SIZES):
            for columns in _columns(kit, choices):
                found = _made(kit, language, choices, columns, size, room, icons=icons)
                if found:
                    return found
    return None


def paged(
    kit: Kit, language: str, choices: Sequence[Action], room: float, page: int
) -> tuple[Options | None, int]:
    """This page's choices and the number of pages: as many to a page as fit, all pages alike."""
    for size in kit.sizes(_SIZES):
        best: list[Options] = []
        most = 0
        for columns in _columns(kit, choices):
            for rows in range(int((room + GAP) / (_LEAST + GAP)), most // columns, -1):
                found = _pages(kit, language, choices, columns, rows, size, room)
                if found:
                    best, most = found, columns * rows
                    break
        if best:
            return best[page % len(best)], len(best)
    return None, 1


def _pages(  # noqa: PLR0917
    kit: Kit,
    language: str,
    choices: Sequence[Action],
    columns: int,
    rows: int,
    size: float,
    room: float,
) -> list[Options]:
    """Every page with so many columns and rows; none where one does not fit."""
    step = columns * rows
    made = [
        _made(kit, language, choices[i : i + step], columns, size, room, rows=rows, icons=False)
        for i in range(0, len(choices), step)
    ]
    found = [each for each in made if each]
    return found if len(found) == len(made) else []
