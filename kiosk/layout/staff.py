"""Screens for staff: a title, what is to be known, what can be chosen, and the ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.layout import staffbar
from kiosk.layout.keys import Keys
from kiosk.layout.kit import GAP, QUESTION, REACH, SMALL, Draft, Kit
from kiosk.layout.page import Box, Colour, Look, Mark, Page
from kiosk.layout.staffbar import Action
from kiosk.layout.table import Row, fitted, paged
from kiosk.layout.two import Two, two
from kiosk.wording import staff_language, wording

__all__ = ["Action", "Keys", "Row", "Sheet", "compose"]

_COLUMN_GAP: Final = 3.0
_PAD: Final = 5.0
_LEAST: Final = 16.0
_BODY: Final = (1.0, 0.9, 0.8, SMALL)
_LABELS: Final = (1.0, 0.9, 0.8)
_MOST_PLAIN: Final = 24.0
_MOST_NOTED: Final = 34.0
_MOST_CARD: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a screen for staff shows."""

    screen: str
    title: str
    body: str = ""
    """Paragraphs, a line break between them."""
    rows: tuple[Row, ...] = ()
    choices: tuple[Action, ...] = ()
    """Large buttons in the middle."""
    actions: tuple[Action, ...] = ()
    """The bar at the bottom, left to right; primary ones right."""
    warning: str = ""
    """A line on warn ground."""
    languages: tuple[str, ...] = ()
    """Offered as targets `language.<code>`."""
    page: int = 0
    """What does not fit goes to following pages; counts up without end and goes round."""


def compose(kit: Kit, language: str, sheet: Sheet) -> Page:
    """The sheet; a target `more` where it takes several pages."""
    language = staff_language(language)
    page = _composed(kit, language, sheet, several=False)
    return page or _composed(kit, language, sheet, several=True) or _empty(kit, language, sheet)


def _empty(kit: Kit, language: str, sheet: Sheet) -> Page:
    draft = Draft(kit, sheet.screen, language)
    draft.problem("nothing fits")
    return draft.page()


def _composed(kit: Kit, language: str, sheet: Sheet, *, several: bool) -> Page | None:
    """The page, or None where it needs several and may not."""
    draft = Draft(kit, sheet.screen, language)
    gap = 4.0 if kit.small_panel else 8.0
    bottom = staffbar.place(draft, sheet.actions, sheet.languages, more=several) - gap
    number_w = 0.0
    if several:
        sample = wording(language)["page"].format(n=9, m=9)
        number_w = kit.length(sample, _small(kit), language) + 4
    y = top = kit.h - REACH if kit.tall else kit.margin
    title = kit.fit(sheet.title, language, kit.inner - number_w, QUESTION, most=2, bold=True)
    y = draft.write("title", title, kit.margin, y, kit.inner - number_w) + gap / 2
    if sheet.warning:
        y = _warning(draft, sheet.warning, y) + gap
    y = _body(draft, sheet, y, bottom) + (gap if sheet.rows or sheet.choices else 0.0)
    tables, y = _tables(draft, sheet, y, bottom, several=several)
    if tables is None:
        return None
    shown, grid_pages = sheet.choices, 1
    if sheet.choices:
        grid = _grid(kit, language, sheet.choices, bottom - y)
        if grid is None and not several:
            return None
        if grid is None:
            shown, grid_pages, grid = _chunk(kit, language, sheet, bottom - y)
        if grid is None:
            draft.problem("no room for what can be chosen")
        else:
            _place(draft, shown, grid, y)
    pages = max(tables, grid_pages)
    if several:
        _number(
            draft, sheet.page % pages + 1, pages, Box(kit.margin, top, kit.inner, title.leading)
        )
    return draft.page()


def _small(kit: Kit) -> float:
    return (1.0 if kit.larger else SMALL) * kit.u


def _number(draft: Draft, n: int, m: int, line: Box) -> None:
    kit = draft.kit
    text = wording(draft.language)["page"].format(n=n, m=m)
    para = kit.para(text, draft.language, kit.inner, _small(kit))
    at = Box(line.right - para.width, line.y, para.width, line.h)
    draft.runs.append(draft.centred("page", para, at, colour="ink-2", align="right"))


def _warning(draft: Draft, text: str, y: float) -> float:
    kit = draft.kit
    em = (1.0 if kit.larger else 0.9) * kit.u
    side = 0.95 * em
    left = kit.margin + 4 + 1.5 * em
    para = kit.para(text, draft.language, kit.right - 4 - left, em)
    box = Box(kit.margin, y, kit.inner, para.height + 4)
    draft.marks.append(Mark("ground", box))
    at = Box(kit.margin + 4, y + 2 + (para.leading - side) / 2, side, side)
    draft.marks.append(Mark("alert", at))
    draft.write("warning", para, left, y + 2, kit.right - 4 - left, colour="warn")
    return box.bottom


def _body(draft: Draft, sheet: Sheet, y: float, bottom: float) -> float:
    """The body as large as it leaves room for what is below it."""
    if not sheet.body:
        return y
    kit = draft.kit
    reserve = (40.0 if sheet.choices else 0.0) + (12.0 if sheet.rows else 0.0)
    for size in kit.sizes(_BODY):
        para = kit.para(sheet.body, draft.language, kit.inner, size * kit.u)
        if para.fits and y + para.height <= bottom - reserve:
            break
    colour: Colour = "ink-2" if sheet.rows or sheet.choices else "ink"
    return draft.write("body", para, kit.margin, y, kit.inner, colour=colour)


def _tables(
    draft: Draft, sheet: Sheet, y: float, bottom: float, *, several: bool
) -> tuple[int | None, float]:
    """Place the rows; how many pages they take (None: more than one, and may not), the y below."""
    if not sheet.rows:
        return 1, y
    kit = draft.kit
    room = bottom - y - (40.0 if sheet.choices else 0.0)
    made = fitted(kit, draft.language, sheet.rows, kit.inner, room)
    pages = paged(made, room)
    if len(pages) > 1 and not several:
        return None, y
    shown = pages[sheet.page % len(pages)]
    y = shown.place(draft, kit.margin, y)
    return len(pages), y + (6.0 if sheet.choices else 0.0)


@dataclass(frozen=True, slots=True)
class _Grid:
    columns: int
    words: tuple[Two, ...]
    height: float
    card: bool


def _columns(kit: Kit, choices: tuple[Action, ...]) -> tuple[int, ...]:
    count = len(choices)
    if kit.panel.portrait:
        return (1, 2) if count > 2 else (1,)
    if count <= 3:
        return (count, 1) if any(choice.note for choice in choices) else (1, count)
    return (2, 3)


def _grid(
    kit: Kit, language: str, choices: tuple[Action, ...], room: float, columns: int = 0
) -> _Grid | None:
    """The arrangement with the largest words that fits `room` mm of height."""
    for size in kit.sizes(_LABELS):
        for n in (columns,) if columns else _columns(kit, choices):
            rows = -(-len(choices) // n)
            width = (kit.inner - (n - 1) * _COLUMN_GAP) / n
            words = tuple(
                two(kit, language, choice.label, choice.note, width - 2 * _PAD, size, most=2)
                for choice in choices
            )
            noted = any(choice.note for choice in choices)
            card = noted and rows == 1 and n > 1
            most = _MOST_CARD if card else _MOST_NOTED if noted else _MOST_PLAIN
            height = min(most, (room - (rows - 1) * GAP) / rows)
            need = max(_LEAST, max(each.height for each in words) + 4)
            if height >= need - 0.01 and all(each.fits for each in words):
                return _Grid(n, words, height, card)
    return None


def _chunk(
    kit: Kit, language: str, sheet: Sheet, room: float
) -> tuple[tuple[Action, ...], int, _Grid | None]:
    """This page's choices, the number of pages, and their grid."""
    columns = max(_columns(kit, sheet.choices))
    for most in range(len(sheet.choices) - 1, 0, -1):
        pages = -(-len(sheet.choices) // most)
        grids = [
            _grid(kit, language, sheet.choices[i * most : (i + 1) * most], room, columns)
            for i in range(pages)
        ]
        if all(grids):
            at = sheet.page % pages
            return sheet.choices[at * most : (at + 1) * most], pages, grids[at]
    return (), 1, None


def _place(draft: Draft, shown: tuple[Action, ...], grid: _Grid, y: float) -> None:
    kit = draft.kit
    width = (kit.inner - (grid.columns - 1) * _COLUMN_GAP) / grid.columns
    for i, (choice, words) in enumerate(zip(shown, grid.words, strict=True)):
        row, column = divmod(i, grid.columns)
        box = Box(
            kit.margin + column * (width + _COLUMN_GAP),
            y + row * (grid.height + GAP),
            width,
            grid.height,
        )
        look: Look = "primary" if choice.primary else "list"
        words.button(draft, choice.name, box, look=look, pad=_PAD, align="left", radius=4.0)
