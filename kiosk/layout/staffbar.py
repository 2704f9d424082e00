"""The bar of a screen for staff: languages and ways from the left, what is meant from the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kiosk.layout.bar import halved, underline
from kiosk.layout.kit import GAP, SMALL, Draft
from kiosk.layout.page import Box, Look
from kiosk.layout.two import Two, two
from kiosk.wording import wording

_TRIES: Final = (
    (1, 1.0, True),
    (1, 1.0, False),
    (1, 0.9, False),
    (1, 0.8, False),
    (2, 1.0, False),
    (2, 0.9, False),
    (2, 0.8, False),
    (3, 1.0, False),
    (3, 0.8, False),
    (3, SMALL, False),
)
"""Rows, size in u, and whether every button is at least as wide as a bar button should be."""
_PAIR: Final = 0.9
"""Two ways on rather stand under each other than be smaller than this, u."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something staff can do on a screen."""

    name: str
    """The target's name: `setup.type`, `confirm.yes`."""
    label: str
    primary: bool = False
    note: str = ""
    """A second line in small text inside the button."""
    icon: str = ""
    """Drawn on a large button: keyboard, stick, scanner."""


@dataclass(frozen=True, slots=True)
class _Button:
    action: Action
    words: Two
    width: float
    look: Look
    language: str = ""
    """Set where the button is a language's name."""


def place(
    draft: Draft,
    actions: Sequence[Action],
    languages: Sequence[str] = (),
    *,
    more: bool = False,
    area: Box | None = None,
    middle: bool = False,
) -> float:
    """Put the bar at the bottom of `area` (the page's width by default); its top.

    `middle`: centred there.

    Where one row is too narrow for all, the ways on end in the last one.
    """
    kit = draft.kit
    area = area or Box(kit.margin, 0, kit.inner, kit.h - kit.margin)
    if more:
        turn = Action("more", wording(draft.language)["more"])
        actions = [*actions, turn]
    if not actions and not languages:
        return area.bottom
    rows: list[list[_Button]] = []
    for most, size, roomy in _TRIES:
        if size < 1 and (kit.larger or (most == 1 and size < _PAIR and len(actions) == 2)):
            continue
        buttons = _buttons(draft, actions, languages, size, roomy=roomy, room=area.w)
        rows = _rows(buttons, area.w)
        if len(rows) <= most:
            break
    else:
        draft.problem("the ways on do not fit the bar")
    heights = [max(kit.bar_h, *(button.words.height + 3 for button in row)) for row in rows]
    y = top = area.bottom - sum(heights) - GAP * (len(rows) - 1)
    for row, height in zip(rows, heights, strict=True):
        used = _width(row)
        at = Box(area.x, y, area.w, height)
        if middle:
            at = Box(area.x + (area.w - used) / 2, y, used, height)
        elif len(rows) > 1 and kit.panel.portrait and not row[0].language:
            # Rows under each other look calm only where they are equally wide.
            wider = (area.w - used) / len(row)
            row = [replace(button, width=button.width + wider) for button in row]  # noqa: PLW2901
        _place(draft, row, at)
        y += height + GAP
    return top


def over(draft: Draft, codes: Sequence[str], y: float) -> float:
    """Put the languages' names top right, where the bar has no room beside the ways; their left."""
    kit = draft.kit
    row = _buttons(draft, (), codes, 1.0, roomy=False, room=kit.inner)
    left = kit.right - _width(row)
    _place(draft, row, Box(left, y, kit.right - left, kit.bar_h))
    return left


def _buttons(
    draft: Draft,
    actions: Sequence[Action],
    languages: Sequence[str],
    size: float,
    *,
    roomy: bool,
    room: float,
) -> list[_Button]:
    """Languages, then what is not primary, then what is."""
    kit = draft.kit
    least = 16.0
    if roomy:
        least = 32.0 if kit.narrow else 41.0 if kit.small_panel else 52.0
    found = []
    for code in languages:
        name = wording(code)["language.name"]
        current = code == draft.language
        em = (1.0 if kit.larger else SMALL) * kit.u
        para = kit.para(name, code, room, em, current)
        # Bold words are wider: the button keeps its width when its language is chosen.
        width = max(16.0, kit.length(name, em, code, bold=True) + 6)
        action = Action(f"language.{code}", name)
        found.append(_Button(action, Two(para), width, "surface", code))
    for primary in (False, True):
        for action in actions:
            if action.primary == primary:
                words = two(kit, draft.language, action.label, action.note, room - 8, size)
                if words.label.width + 8 > room:
                    em = size * kit.u
                    words = replace(words, label=halved(kit, action.label, draft.language, em))
                width = max(least, words.width + 8)
                found.append(_Button(action, words, width, "primary" if primary else "button"))
    return found


def _rows(buttons: list[_Button], room: float) -> list[list[_Button]]:
    """Buttons by row: as many as fit, the last rows filled first; languages stay together."""
    rows = _packed([button for button in buttons if not button.language], room)
    languages = [button for button in buttons if button.language]
    if not languages:
        return rows
    if rows and _width([*languages, *rows[0]]) <= room + 1e-6:
        rows[0] = [*languages, *rows[0]]
        return rows
    return [*_packed(languages, room), *rows]


def _packed(buttons: list[_Button], room: float) -> list[list[_Button]]:
    rows: list[list[_Button]] = []
    for button in reversed(buttons):
        if rows and _width([button, *rows[0]]) <= room + 1e-6:
            rows[0].insert(0, button)
        else:
            rows.insert(0, [button])
    return rows


def _width(row: list[_Button]) -> float:
    return sum(button.width for button in row) + GAP * (len(row) - 1)


def _place(draft: Draft, row: list[_Button], area: Box) -> None:
    left, right = area.x, area.right
    for button in row:
        if button.look != "primary":
            _button(draft, button, Box(left, area.y, button.width, area.h))
            left += button.width + GAP
    for button in reversed(row):
        if button.look == "primary":
            _button(draft, button, Box(right - button.width, area.y, button.width, area.h))
            right -= button.width + GAP


def _button(draft: Draft, button: _Button, box: Box) -> None:
    action, words = button.action, button.words
    if button.language:
        current = button.language == draft.language
        marks = (underline(box),) if current else ()
        draft.button(
            action.name, words.label, box, look="surface", pad=1.0, marks=marks, current=current
        )
        return
    words.button(draft, action.name, box, look=button.look, pad=2.0)
