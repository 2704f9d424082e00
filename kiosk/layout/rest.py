"""The resting screen: the 0-10 question itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from kiosk.layout import bar
from kiosk.layout.kit import DISPLAY, GAP, QUESTION, Draft, Kit, Para
from kiosk.layout.page import Box, Page, Target

_SHARES = (0.35, 0.40, 0.25)
"""How what room is left is shared: above the question, below it, above the bar."""


def spread(left: float, least: tuple[float, float, float]) -> tuple[float, float, float]:
    """The three block gaps of a screen: what each needs at least, plus its share of `left` mm."""
    extra = max(0.0, left - sum(least))
    a, b, c = (need + share * extra for need, share in zip(least, _SHARES, strict=True))
    return a, b, c


@dataclass(frozen=True, slots=True)
class _Grid:
    """An arrangement of the eleven numbers."""

    name: str
    columns: int
    rows: int
    cell: float
    least: float
    most: float
    """Height of a cell, mm."""
    gaps: tuple[float, float, float]


def _grids(kit: Kit) -> list[_Grid]:
    """The arrangements that may be used here, best first."""

    def arranged(columns: int, rows: int, least: float, most: float) -> _Grid:
        cell = (kit.inner - (columns - 1) * GAP) / columns
        gaps = (2.0, 5.0, 4.0) if rows == 1 else (2.0, 4.0, 4.0)
        return _Grid(f"nps-{rows}x{columns}", columns, rows, cell, least, most, gaps)

    one = arranged(11, 1, 30.0, 0.0)
    one = arranged(11, 1, 30.0, max(36.0, float(int(1.6 * one.cell))))
    two, three = arranged(6, 2, 20.0, 34.0), arranged(4, 3, 20.0, 34.0)
    found = [three, two] if kit.larger and kit.panel.portrait else [two, three]
    if one.cell + GAP >= 18:
        # In Larger only where two rows do not fit.
        found.insert(2 if kit.larger else 0, one)
    return [grid for grid in found if grid.cell >= 18.9 or grid is one] or [three]


@dataclass(frozen=True, slots=True)
class _Plan:
    question: Para
    low: Para
    high: Para
    cell_h: float
    room: float
    """Height left for the three gaps."""
    over: float
    """Height of the label between question and numbers, with its gap."""
    under: float
    """Height of what stands under the numbers."""


def _labels(kit: Kit, language: str, grid: _Grid) -> tuple[Para, Para]:
    low, high = (kit.text(language, f"nps.{end}") for end in ("low", "high"))
    if grid.rows == 1:
        # Side by side; each keeps to its half where both on one line would meet.
        together = sum(kit.length(text, kit.u, language) for text in (low, high))
        half = (kit.inner - 8) / 2
        limits = [kit.inner if together + 8 <= kit.inner else half] * 2
    else:
        limits = [kit.inner, kit.inner]
    a, b = (
        kit.fit(text, language, limit, (1.0,), most=2)
        for text, limit in zip((low, high), limits, strict=True)
    )
    return a, b


def _plan(  # noqa: PLR0917
    kit: Kit, language: str, grid: _Grid, size: float, room: float, touched: float
) -> _Plan | None:
    """The numbers as high as `room` for all and `touched` for them and what is under them allow."""
    question = kit.para(kit.text(language, "nps.question"), language, kit.inner, size * kit.u, True)
    low, high = _labels(kit, language, grid)
    over, under = (
        (0.0, max(low.height, high.height)) if grid.rows == 1 else (low.height + GAP, high.height)
    )
    gaps = (grid.rows - 1) * GAP
    fixed = question.height + over + GAP + under + gaps
    cell_h = min(
        grid.most,
        (room - fixed - sum(grid.gaps)) / grid.rows,
        (touched - under - GAP - gaps) / grid.rows,
    )
    if cell_h < grid.least or not (question.fits and low.fits and high.fits):
        return None
    left = room - fixed - cell_h * grid.rows
    return _Plan(question, low, high, cell_h, left, over, under)


def compose(kit: Kit, language: str) -> Page:
    """The 0-10 question with its numbers, end labels, languages, access and privacy."""
    draft = Draft(kit, "rest", language)
    top = kit.margin - 2 if kit.larger else bar.header(draft)
    bottom = bar.resting(draft)
    room = bottom - top
    grids = _grids(kit)
    sizes = QUESTION[-1:] if kit.larger else QUESTION
    for grid in grids:
        for size in sizes:
            plan = _plan(kit, language, grid, size, room, kit.room(bottom))
            if plan is not None:
                _place(draft, grid, plan, top, bottom)
                return draft.page()
    # Hung too high for a reach so low: as low as they go.
    for grid in sorted(grids, key=lambda each: each.rows):
        lowest = replace(grid, most=grid.least)
        for size in sizes:
            plan = _plan(kit, language, lowest, size, room, room)
            if kit.lowered and plan is not None:
                _place(draft, lowest, plan, top, bottom)
                return draft.page()
    draft.problem("the question leaves no room for the numbers")
    question = kit.text(language, "nps.question")
    plan = _Plan(
        kit.para(question, language, kit.inner, QUESTION[-1] * kit.u, True),
        *_labels(kit, language, grid),
        grid.least,
        0.0,
        0.0,
        0.0,
    )
    _place(draft, grid, plan, top, bottom)
    return draft.page()


_BELOW: Final = 13.0
"""Under a question whose answers have a place of their own."""


def _place(draft: Draft, grid: _Grid, plan: _Plan, top: float, bottom: float) -> None:
    kit = draft.kit
    above, below, _ = spread(plan.room, grid.gaps)
    block = grid.rows * (plan.cell_h + GAP)
    if kit.placed:
        asked = plan.question.height + plan.over
        numbers = kit.low(block + plan.under, bottom, top + sum(grid.gaps[:2]) + asked)
        below = max(0.0, min(_BELOW, numbers - top - asked - grid.gaps[0]))
        above = numbers - below - asked - top
    y = draft.write("question", plan.question, kit.margin, top + above, kit.inner) + below
    if grid.rows == 1:
        _cells(draft, grid, y, plan.cell_h)
        y += plan.cell_h + GAP
        low = draft.mirrored(Box(kit.margin, y, plan.low.width, 0))
        high = draft.mirrored(Box(kit.right - plan.high.width, y, plan.high.width, 0))
        draft.write("low", plan.low, low.x, y, low.w, colour="ink-2")
        draft.write("high", plan.high, high.x, y, high.w, colour="ink-2", align=draft.end)
    else:
        y = draft.write("low", plan.low, kit.margin, y, kit.inner, colour="ink-2") + GAP
        last = _cells(draft, grid, y, plan.cell_h)
        wide = Box(kit.margin, 0, kit.inner, 0)
        # Under the 10 where that leaves room for it, so that the label stands by its number.
        near = Box(kit.margin, 0, last - kit.margin, 0)
        at = draft.mirrored(near if plan.high.width <= near.w else wide)
        y += block
        draft.write("high", plan.high, at.x, y, at.w, colour="ink-2", align=draft.end)


def _cells(draft: Draft, grid: _Grid, y: float, height: float) -> float:
    """The eleven numbers; returns the right edge of the 10 before mirroring."""
    kit = draft.kit
    em = min(DISPLAY * kit.u, (grid.cell - 4) / 1.15, (height - 2) / 1.2)
    right = 0.0
    for value in range(11):
        row, column = divmod(value, grid.columns)
        plain = Box(
            kit.margin + column * (grid.cell + GAP),
            y + row * (height + GAP),
            grid.cell,
            height,
        )
        box = draft.mirrored(plain)
        right = plain.right
        digits = kit.para(str(value), draft.language, box.w - 2, em, True)
        run = draft.centred(f"nps.{value}", digits, Box(box.x + 1, box.y, box.w - 2, box.h))
        draft.targets.append(Target(f"nps.{value}", str(value), box, "number", 3.5, (run,)))
    draft.arrangement = grid.name
    return right
