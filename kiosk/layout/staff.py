"""Screens for staff: a title, what is to be known, what can be chosen, and the ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.layout import options, staffbar, table
from kiosk.layout.keys import Keys
from kiosk.layout.kit import GAP, QUESTION, REACH, SMALL, Draft, Kit
from kiosk.layout.page import Box, Colour, Mark, Page
from kiosk.layout.staffbar import Action
from kiosk.layout.table import Row
from kiosk.wording import staff_language, wording

__all__ = ["Action", "Keys", "Row", "Sheet", "compose"]

_BODY: Final = (1.0, 0.9, 0.8, SMALL)
_WARNING_MOST: Final = 0.5
"""What a warning in large words may take of the height below the title."""
_ALONE: Final = 1.2
"""Size of a body with nothing but a warning beside it, u."""
_CHOICES_LEAST: Final = 40.0
"""Height kept for what can be chosen, mm."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a screen for staff shows."""

    screen: str
    title: str
    body: str = ""
    """Paragraphs, a line break between them."""
    rows: tuple[Row, ...] = ()
    """A table; small at the bottom where there are choices."""
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
    page, fits = _composed(kit, language, sheet, several=False)
    return page if fits else _composed(kit, language, sheet, several=True)[0]


def _composed(kit: Kit, language: str, sheet: Sheet, *, several: bool) -> tuple[Page, bool]:
    """The page, and whether everything stands on it or on one of its pages."""
    draft = Draft(kit, sheet.screen, language)
    gap = 4.0 if kit.small_panel else 8.0
    top = max(kit.margin, kit.h - REACH)
    right = kit.right
    bottom = staffbar.place(draft, sheet.actions, sheet.languages, more=several) - gap
    if sheet.languages and not kit.panel.portrait and bottom < kit.bar_y - gap - GAP:
        # A second row of the bar costs more height than names beside the title.
        draft = Draft(kit, sheet.screen, language)
        bottom = staffbar.place(draft, sheet.actions, more=several) - gap
        right = staffbar.over(draft, sheet.languages, top) - 4
    if sheet.choices and sheet.rows:
        bottom = _facts(draft, sheet.rows, bottom, gap)
    y = _title(draft, sheet.title, top, right, numbered=several) + gap
    if right < kit.right:
        y = max(y, top + kit.bar_h + gap)
    if sheet.warning:
        y = _warning(draft, sheet.warning, y, bottom) + gap
    elif sheet.body:
        # A body belongs to its title.
        y -= gap / 2
    if sheet.body:
        y = _body(draft, sheet, y, bottom) + gap
    pages, fits = 1, y <= bottom + gap
    if sheet.choices:
        found = options.fitted(kit, language, sheet.choices, bottom - y)
        if found is None and several:
            found, pages = options.paged(kit, language, sheet.choices, bottom - y, sheet.page)
        fits = found is not None
        if found:
            found.place(draft, y)
    elif sheet.rows:
        room = bottom - y
        made = table.fitted(kit, language, sheet.rows, kit.inner, room)
        tables = made.paged(room)
        pages = len(tables)
        fits = pages == 1 or several
        tables[sheet.page % pages].aired(room - gap).place(draft, kit.margin, y)
    if several:
        _number(draft, sheet.page % pages + 1, pages, top, right)
        if not fits:
            draft.problem("no room for what can be chosen")
    return draft.page(), fits


def _small(kit: Kit) -> float:
    return (1.0 if kit.larger else SMALL) * kit.u


def _title(draft: Draft, text: str, y: float, right: float, *, numbered: bool) -> float:
    """The title, with room beside it for the page's number; the y below it."""
    kit = draft.kit
    width = right - kit.margin
    if numbered:
        sample = wording(draft.language)["page"].format(n=99, m=99)
        width -= kit.length(sample, _small(kit), draft.language) + 4
    for most in (1, 2, 3):
        para = kit.fit(text, draft.language, width, QUESTION, most=most, bold=True)
        if para.fits:
            break
    return draft.write("title", para, kit.margin, y, width)


def _number(draft: Draft, n: int, m: int, y: float, right: float) -> None:
    kit = draft.kit
    text = wording(draft.language)["page"].format(n=n, m=m)
    para = kit.para(text, draft.language, kit.inner, _small(kit))
    at = Box(right - para.width, y, para.width, 1.2 * QUESTION[0] * kit.u)
    draft.runs.append(draft.centred("page", para, at, colour="ink-2", align="right"))


def _warning(draft: Draft, text: str, y: float, bottom: float) -> float:
    """A text on warn ground with the mark of something wrong; the y below it."""
    kit = draft.kit
    for size in kit.sizes(_BODY):
        em = size * kit.u
        side = 0.95 * em
        left = kit.margin + 4 + 1.5 * em
        para = kit.para(text, draft.language, kit.right - 4 - left, em)
        if para.height <= _WARNING_MOST * (bottom - y):
            break
    box = Box(kit.margin, y, kit.inner, para.height + 6)
    draft.marks.append(Mark("ground", box))
    at = Box(kit.margin + 4, y + 3 + (para.leading - side) / 2, side, side)
    draft.marks.append(Mark("alert", at))
    draft.write("warning", para, left, y + 3, kit.right - 4 - left, colour="warn")
    return box.bottom


def _body(draft: Draft, sheet: Sheet, y: float, bottom: float) -> float:
    """The body as large as it leaves room for what is below it; the y below it."""
    kit = draft.kit
    alone = not (sheet.rows or sheet.choices)
    sizes = kit.sizes((_ALONE, *_BODY) if alone else _BODY)
    room = bottom - y - (_CHOICES_LEAST if sheet.choices else 12.0 if sheet.rows else 0.0)
    for size in sizes:
        para = kit.para(sheet.body, draft.language, kit.inner, size * kit.u)
        if para.fits and para.height <= room:
            break
    colour: Colour = "ink" if alone else "ink-2"
    return draft.write("body", para, kit.margin, y, kit.inner, colour=colour)


def _facts(draft: Draft, rows: tuple[Row, ...], bottom: float, gap: float) -> float:
    """Rows as a small line, beside the bar's buttons or over them; the bottom for the rest."""
    kit = draft.kit
    words = " · ".join(f"{row.label} {row.value}".replace(" ", "\xa0") for row in rows)
    words = words.replace("\xa0·\xa0", " · ")
    para = kit.para(words, draft.language, kit.inner, _small(kit))
    left = max((t.box.right for t in draft.targets if t.look != "primary"), default=kit.margin)
    right = min((t.box.x - 4 for t in draft.targets if t.look == "primary"), default=kit.right)
    line = [t.box for t in draft.targets]
    one_row = len({box.y for box in line}) == 1
    if one_row and left + 4 + para.width <= right:
        at = Box(right - para.width, line[0].y, para.width, line[0].h)
        draft.runs.append(draft.centred("facts", para, at, colour="ink-2", align="right"))
        return bottom
    y = bottom - para.height
    draft.write("facts", para, kit.margin, y, kit.inner, colour="ink-2")
    return y - gap
