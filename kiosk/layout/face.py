"""A statement with its faces: five columns where they fit, a list on upright panels.

Where neither fits, as within a low reach, they stand in rows of two or three.
"""

from __future__ import annotations

from math import inf

from kiosk.layout import bar
from kiosk.layout.kit import COMPACT, GAP, QUESTION, Draft, Kit, Para
from kiosk.layout.page import Box, Mark, Page, Target
from kiosk.layout.rest import spread
from kiosk.questions import scale_of, scale_values
from sync.contract.records import SATISFIED

_GAPS = (0.0, 5.0, 4.0)
_TOP = 3.5
_UNDER_FACE = 2.0
_UNDER_WORDS = 2.5
_FACE_LEAST = 22.0
_ROW_LEAST = 20.0
_ROW_BESIDE = 18.9
"""Height of a list's rows, alone and beside the statement."""
_AROUND = _TOP + _UNDER_FACE + _UNDER_WORDS
_TICK = 10.0
_BELOW = 12.0
"""Under a statement whose answers have a place of their own."""


def question_key(question: str) -> str:
    """The wording key of a face question."""
    return f"{SATISFIED}.question" if question == SATISFIED else f"statement.{question}"


def compose(kit: Kit, language: str, question: str, done: int, total: int) -> Page:
    """One statement; `done` of `total` steps lie behind."""
    draft = Draft(kit, "face", language)
    bottom = bar.step(draft, dots=(done, total))
    if kit.tall:
        bar.logo(draft)
    scale = scale_of(kit.bundle.survey, question)
    shown = scale_values(scale)
    words = [draft.text(f"{scale[:-1]}.{value}") for value in shown]
    statement = draft.text(question_key(question))
    upright, n = kit.panel.portrait, len(shown)
    row = (kit.room(bottom) - (n - 1) * GAP) / n
    listed = row >= (_ROW_LEAST if upright else _ROW_BESIDE)
    stacked = (listed and kit.larger) or (upright and (listed or not kit.lowered))
    if stacked or not (
        _columns(draft, statement, words, shown, bottom)
        or (
            not listed
            and any(
                _grid(draft, statement, words, shown, bottom, columns)
                for columns in ((2,) if upright else (3, 2))
            )
        )
    ):
        arrange = _list if upright else _split
        arrange(draft, statement, words, shown, bottom)
    return draft.page()


def _asked(draft: Draft, para: Para, height: float, top: float, bottom: float) -> float:
    """Write the statement over a block `height` mm high; the block's top."""
    kit = draft.kit
    above, below, _ = spread(bottom - top - para.height - height, _GAPS)
    if kit.placed:
        y = kit.low(height, bottom, top + para.height + _GAPS[1])
        below = max(0.0, min(_BELOW, y - top - para.height))
        above = y - below - para.height - top
    return draft.write("question", para, kit.margin, top + above, kit.inner) + below


def _same_size(  # noqa: PLR0917
    kit: Kit, language: str, words: list[str], width: float, most: int, high: float = inf
) -> list[Para]:
    """All words at the first size at which each fits on `most` lines and `high` mm."""
    for size in kit.sizes(COMPACT):
        paras = [kit.fit(text, language, width, (size,), most=most) for text in words]
        if all(para.fits and para.height <= high for para in paras):
            break
    return paras


def _columns(
    draft: Draft, statement: str, words: list[str], shown: tuple[int, ...], bottom: float
) -> bool:
    """Faces side by side; False, and nothing placed, where the words do not fit so."""
    kit = draft.kit
    n = len(shown)
    cell = (kit.inner - (n - 1) * GAP) / n
    top = kit.margin + 1
    high = kit.room(bottom) - _AROUND - _FACE_LEAST if kit.lowered else inf
    paras = _same_size(kit, draft.language, words, cell - 5, 4, high)
    if not all(para.fits for para in paras):
        return False
    words_h = max(para.height for para in paras)
    best = min(cell - 9.4, 3.9 * kit.u, kit.room(bottom) - words_h - _AROUND)
    least = _FACE_LEAST if kit.lowered else min(best, 25.0)
    for size in QUESTION:
        para = kit.para(statement, draft.language, kit.inner, size * kit.u, True)
        room = bottom - top - para.height - sum(_GAPS)
        face = min(best, room - words_h - _AROUND)
        if face >= least:
            break
    else:
        if face < _FACE_LEAST:
            return False
    height = face + words_h + _AROUND
    y = _asked(draft, para, height, top, bottom)
    for i, (value, word) in enumerate(zip(shown, paras, strict=True)):
        box = draft.mirrored(Box(kit.margin + i * (cell + GAP), y, cell, height))
        drawn = Box(box.x + (cell - face) / 2, box.y + _TOP, face, face)
        under = Box(box.x + 2.5, drawn.bottom + _UNDER_FACE, cell - 5, word.height)
        run = draft.say(f"face.{value}", word, under, align="center")
        draft.targets.append(
            Target(
                f"face.{value}",
                words[i].replace("\u00ad", ""),
                box,
                "card",
                4.0,
                (run,),
                (Mark("face", drawn, str(value)),),
            )
        )
    draft.arrangement = f"face-{n}col"
    return True


def _split(
    draft: Draft, statement: str, words: list[str], shown: tuple[int, ...], bottom: float
) -> None:
    """The statement beside a list: larger words need wider cells than columns have."""
    kit = draft.kit
    n = len(shown)
    wide = max(100.0, 0.5307 * kit.inner)
    for top in (kit.margin + 1, kit.margin):
        # Where millimetres are missing, those above the list are the first to go.
        area = Box(kit.right - wide, top, wide, bottom - 4 - top)
        row = min(26.0, (area.h - (n - 1) * GAP) / n)
        if row >= _ROW_BESIDE:
            break
    else:
        draft.problem("the list of faces is too low")
    if kit.lowered:
        least = _least(draft, words, wide, _ROW_BESIDE)
        row = min(row, max(least, (kit.room(bottom) - (n - 1) * GAP) / n))
    height = n * row + (n - 1) * GAP
    if kit.placed:
        area = Box(area.x, kit.low(height, bottom), area.w, height)
    para = kit.fit(
        statement, draft.language, kit.inner - wide - 6, (1.2, 1.1, 1.0), most=9, bold=True
    )
    free = area.h - para.height
    left = draft.mirrored(Box(kit.margin, 0, kit.inner - wide - 6, 0))
    draft.write("question", para, left.x, area.y + max(0.0, 0.35 * free), left.w)
    area = Box(area.x, area.y + (area.h - height) / 2, area.w, height)
    _cells(draft, words, shown, area, row)
    draft.arrangement = "face-list"


def _list(
    draft: Draft, statement: str, words: list[str], shown: tuple[int, ...], bottom: float
) -> None:
    kit = draft.kit
    n = len(shown)
    top = kit.margin + 1
    gaps = (n - 1) * GAP
    for size in QUESTION:
        para = kit.para(statement, draft.language, kit.inner, size * kit.u, True)
        row = min(26.0, (bottom - top - para.height - sum(_GAPS) - gaps) / n)
        if row >= 24 or (size == QUESTION[-1] and row >= _ROW_LEAST):
            break
    else:
        draft.problem("the statement leaves no room for the faces")
        row = _ROW_LEAST
    if kit.lowered:
        least = _least(draft, words, kit.inner, _ROW_LEAST)
        row = min(row, max(least, (kit.room(bottom) - gaps) / n))
    height = n * row + gaps
    if kit.tall and not kit.lowered:
        # The statement keeps its place from screen to screen: room for four lines.
        y = kit.low(height, bottom)
        reserve = max(4, len(para.lines)) * para.leading
        draft.write("question", para, kit.margin, y - 12.3 - reserve, kit.inner)
    else:
        y = _asked(draft, para, height, top, bottom)
    _cells(draft, words, shown, Box(kit.margin, y, kit.inner, height), row)
    draft.arrangement = "face-list"


def _grid(  # noqa: PLR0917
    draft: Draft,
    statement: str,
    words: list[str],
    shown: tuple[int, ...],
    bottom: float,
    columns: int,
) -> bool:
    """The faces in rows of `columns`; False, and nothing placed, where the words do not fit so.

    As the language reads: along the rows.
    """
    kit = draft.kit
    top = kit.margin + 1
    lines = -(-len(shown) // columns)
    gaps = (lines - 1) * GAP
    wide = (kit.inner - (columns - 1) * GAP) / columns
    for size in QUESTION:
        para = kit.para(statement, draft.language, kit.inner, size * kit.u, True)
        room = bottom - top - para.height - sum(_GAPS)
        row = max(_ROW_LEAST, min(40.0, (min(room, kit.room(bottom)) - gaps) / lines))
        face = _face(kit, row)
        paras = _same_size(kit, draft.language, words, _beside(wide, face, columns), 3)
        row = max(row, max(each.height for each in paras) + 1)
        height = lines * row + gaps
        if height <= room and all(each.fits for each in paras):
            break
    else:
        return False
    y = _asked(draft, para, height, top, bottom)
    area = Box(kit.margin, y, kit.inner, height)
    _cells(draft, words, shown, area, row, columns, face=face)
    draft.arrangement = f"face-{lines}x{columns}"
    return True


def _face(kit: Kit, row: float) -> float:
    """Diameter of a face beside its words."""
    return max(15.0, min(row - 4, 2.1 * kit.u))


def _beside(width: float, face: float, columns: int = 1) -> float:
    """What a cell leaves for words beside its face, mm."""
    return width - 4 - face - 4 - _end(columns)


def _end(columns: int) -> float:
    """Room after words: in a list as much as the tick of a chosen face takes."""
    return _TICK if columns == 1 else 4.0


def _least(draft: Draft, words: list[str], width: float, least: float) -> float:
    """How low a row of a list may be: at least `least`, and higher than its words."""
    kit = draft.kit
    paras = _same_size(kit, draft.language, words, _beside(width, _face(kit, least)), 2)
    return max(least, max(para.height for para in paras) + 1)


def _cells(  # noqa: PLR0917
    draft: Draft,
    words: list[str],
    shown: tuple[int, ...],
    area: Box,
    row: float,
    columns: int = 1,
    *,
    face: float = 0.0,
) -> None:
    """Faces under each other, or in `columns`, each with its words beside it."""
    kit = draft.kit
    face = face or _face(kit, row)
    beside = 4 + face + 4
    width = (area.w - (columns - 1) * GAP) / columns
    most = 2 if columns == 1 else 3
    paras = _same_size(kit, draft.language, words, _beside(width, face, columns), most)
    for i, (value, word) in enumerate(zip(shown, paras, strict=True)):
        line, column = divmod(i, columns)
        plain = Box(area.x + column * (width + GAP), area.y + line * (row + GAP), width, row)
        drawn = Box(plain.x + 4, plain.y + (row - face) / 2, face, face)
        right = Box(plain.x + beside, plain.y, plain.w - beside - _end(columns), row)
        run = draft.centred(f"face.{value}", word, draft.mirrored(right), align=draft.start)
        draft.targets.append(
            Target(
                f"face.{value}",
                words[i].replace("\u00ad", ""),
                draft.mirrored(plain),
                "card",
                3.0,
                (run,),
                (Mark("face", draft.mirrored(drawn), str(value)),),
            )
        )
