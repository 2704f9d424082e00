"""The access sheet: switches, what speech can be told while it is on, and Start over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Final

from kiosk.layout import bar
from kiosk.layout.bar import BACK, Way, halved
from kiosk.layout.kit import QUESTION, Draft, Kit, Para
from kiosk.layout.page import Box, Mark, Page, Target

SWITCHES: Final = ("speech", "larger", "dark", "low")
"""What is switched on and off there; everything else offered is a button for speech."""
_SIZES: Final = (*QUESTION, 1.1, 1.0)
_SMALL: Final = (0.9, 0.85, 0.8)
"""Where words of full size fit nowhere."""
_LEAST: Final = 20.0
_MOST: Final = 60.0
_LOWEST: Final = (20.0, 24.0, 28.0, 34.0)
"""Heights tried where a row should be as low as its words allow."""
_GAP: Final = 3.0
_GROUP_GAP: Final = 6.0
_TIGHT: Final = 2.0
"""Between cells where every millimetre counts."""
_SIGN: Final = 4.2
"""Radius of the sign that a switch is on or off."""
_SIGN_AT: Final = 9.0
"""Its middle, from the right and from the top edge."""
_BESIDE_SIGN: Final = _SIGN_AT + _SIGN + 2.0
_UNDER_SIGN: Final = _SIGN_AT + _SIGN

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    name: str
    para: Para
    box: Box
    words: Box


def compose(kit: Kit, language: str, offered: Sequence[str], started: bool) -> Page:
    """Large switches, buttons while speech is on, Start over, and the way to the privacy notice."""
    draft = Draft(kit, "access", language)
    bottom = bar.step(draft, BACK, Way("privacy", "privacy.title", icon="info"), language=False)
    if kit.tall:
        bar.logo(draft)
    switches = [
        f"mode.{mode}"
        for mode in offered
        if mode in SWITCHES and (mode != "low" or kit.panel.offers_low)
    ]
    buttons = [f"speech.{name}" for name in offered if name not in SWITCHES]
    again = ["restart"] if started else []
    together = (_even(switches + buttons + again, 3),)
    arranged = list(_arranged(kit, switches, buttons, again))
    for cell in _cells(draft, [arranged, [together]], bottom):
        _place(draft, cell)
    return draft.page()


def _arranged(
    kit: Kit, switches: list[str], buttons: list[str], again: list[str]
) -> Iterator[tuple[Rows, ...]]:
    """Groups of rows, the arrangement that looks best first."""
    upright = kit.panel.portrait
    if not buttons:
        cells = switches + again
        counts = (1, 2, 3) if upright else (3 if len(cells) == 3 else 2, 3, 4, 5)
        yield from ((_even(cells, columns),) for columns in counts)
        return
    beside = ((1, 2), (2, 2), (4, 2), (4, 4)) if upright else ((4, 4), (4, 2), (2, 4))
    for across, along in beside:
        groups = (_even(switches, across), _even(buttons, along), _even(again, 1))
        yield tuple(group for group in groups if group)


def _even(cells: list[str], columns: int) -> Rows:
    """Rows of at most `columns`, the first ones longer where they cannot be alike."""
    rows = -(-len(cells) // columns)
    made: list[tuple[str, ...]] = []
    start = 0
    for left in range(rows, 0, -1):
        size = -(-(len(cells) - start) // left)
        made.append(tuple(cells[start : start + size]))
        start += size
    return tuple(made)


def _cells(draft: Draft, arranged: list[list[tuple[Rows, ...]]], bar_y: float) -> list[_Cell]:
    """The first arrangement whose words fit within reach, cells as wide as each other if any."""
    kit = draft.kit
    ways = product((_SIZES, kit.sizes(_SMALL)), arranged, (False, True))
    for sizes, alike, natural in ways:
        for groups in alike:
            found = _fitted(draft, groups, bar_y, kit.room(bar_y), sizes, natural=natural)
            if found:
                return found
    if kit.lowered:
        # Hung too high for a reach so low: as low as it goes.
        fewest = sorted(chain(*arranged), key=lambda groups: sum(map(len, groups)))
        room = bar_y - 4 - kit.margin
        for height in _LOWEST:
            for groups in fewest:
                found = _fitted(draft, groups, bar_y, room, _SIZES, natural=True, most=height)
                if found:
                    return found
    draft.problem("the switches are too low or too narrow")
    return []


def _fitted(
    draft: Draft,
    groups: tuple[Rows, ...],
    bar_y: float,
    room: float,
    sizes: Sequence[float],
    *,
    natural: bool,
    most: float = _MOST,
) -> list[_Cell] | None:
    """The cells of one arrangement in the lowest `room` mm above the bar, all words at one size.

    `natural`: rows too narrow for cells of one width get them as wide as their words are.
    """
    kit = draft.kit
    rows = [row for group in groups for row in group]
    gap, apart = (_TIGHT, _TIGHT) if kit.lowered else (_GAP, _GROUP_GAP)
    gaps = (len(rows) - len(groups)) * gap + (len(groups) - 1) * apart
    height = min(most, (room - gaps) / len(rows))
    if height < _LEAST - 0.01:
        return None
    y = bar_y - 4 - len(rows) * height - gaps
    if not kit.placed:
        top = bar_y - 4 - kit.room(bar_y)
        y = top + (y - top) / 2
    bands = []
    for group in groups:
        bands += [
            Box(kit.margin, y + i * (height + gap), kit.inner, height) for i in range(len(group))
        ]
        y += len(group) * (height + gap) - gap + apart
    for size in sizes:
        made: list[_Cell] = []
        for row, band in zip(rows, bands, strict=True):
            cells = _row(draft, row, band, gap, size, natural=False)
            if cells is None and natural:
                cells = _row(draft, row, band, gap, size, natural=True)
            if cells is None:
                break
            made += cells
        else:
            return made
    return None


def _row(
    draft: Draft, row: tuple[str, ...], band: Box, gap: float, size: float, *, natural: bool
) -> list[_Cell] | None:
    kit, em = draft.kit, size * draft.kit.u
    pad = 3.0 if kit.lowered or natural else 5.0
    room = band.w - (len(row) - 1) * gap
    texts = [_text(draft, name) for name in row]
    widths = [room / len(row)] * len(row)
    if natural:
        needs = []
        for name, text in zip(row, texts, strict=True):
            para = halved(kit, text, draft.language, em, bold=True, high=band.h - 2)
            high = _under(band, pad).h
            beside = name.startswith("mode.") and high < para.height
            wide = para.width + pad + (_BESIDE_SIGN if beside else pad) + 0.02
            needs.append(max(_LEAST, wide))
        free = (room - sum(needs)) / len(row)
        if free < 0:
            return None
        widths = [need + free for need in needs]
    boxes = []
    x = band.x
    for width in widths:
        boxes.append(draft.mirrored(Box(x, band.y, width, band.h)))
        x += width + gap
    for clear in _CLEAR:
        made = [
            _worded(kit, draft.language, name, text, box, em, clear(box, pad))
            for name, text, box in zip(row, texts, boxes, strict=True)
        ]
        found = [cell for cell in made if cell]
        if len(found) == len(made):
            return found
    return None


def _middle(box: Box, pad: float) -> Box:
    return Box(box.x + pad, box.y + 1, box.w - 2 * pad, box.h - 2)


def _under(box: Box, pad: float) -> Box:
    # As much air under them as the sign has above it, but for a line's own.
    return Box(box.x + pad, box.y + _UNDER_SIGN, box.w - 2 * pad, box.h - _UNDER_SIGN - 2.5)


def _left(box: Box, pad: float) -> Box:
    return Box(box.x + pad, box.y + 1, box.w - pad - _BESIDE_SIGN, box.h - 2)


_CLEAR: Final = (_middle, _left, _under)
"""Where a switch's words stand clear of its sign; all of a row's in the same place."""


def _worded(  # noqa: PLR0917
    kit: Kit, language: str, name: str, text: str, box: Box, em: float, words: Box
) -> _Cell | None:
    """A cell if its words fit at `words`, in its middle if it is no switch."""
    switch = name.startswith("mode.")
    if not switch:
        words = _middle(box, words.x - box.x)
    para = kit.para(text, language, words.w, em, True)
    if not para.fits or len(para.lines) > 2 or para.height > words.h:
        return None
    if switch:
        right = words.x + (words.w + para.width) / 2
        top = words.y + (words.h - para.height) / 2
        sign = Box(box.right - _BESIDE_SIGN, box.y, _BESIDE_SIGN, _UNDER_SIGN)
        if right > sign.x + 0.01 and top < sign.bottom - 0.01:
            return None
    return _Cell(name, para, box, words)


def _text(draft: Draft, name: str) -> str:
    if name == "restart":
        return draft.text("start-over")
    return draft.text(name.replace("speech.", "spoken."))


def _place(draft: Draft, cell: _Cell) -> None:
    box = cell.box
    run = draft.centred(cell.name, cell.para, cell.words, align="center")
    mode = cell.name.removeprefix("mode.")
    switch = mode != cell.name
    on = switch and mode in draft.kit.modes
    marks: tuple[Mark, ...] = ()
    if switch and not on:
        # Empty where the tick of one that is on stands: else it would look like a button.
        at = Box(box.right - _SIGN_AT - _SIGN, box.y + _SIGN_AT - _SIGN, 2 * _SIGN, 2 * _SIGN)
        marks = (Mark("ring", at),)
    draft.targets.append(
        Target(
            cell.name,
            cell.para.text,
            box,
            "switch" if switch else "list",
            radius=4.0,
            runs=(run,),
            marks=marks,
            current=on,
        )
    )
