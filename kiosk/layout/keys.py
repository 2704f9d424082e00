"""Screens on which staff type: a code, an address, a PIN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kiosk.layout import staffbar
from kiosk.layout.bar import centred_square
from kiosk.layout.kit import GAP, KEY_GAP, QUESTION, REACH, SMALL, Draft, Kit, Para
from kiosk.layout.page import Box, Mark, Page, Run, Target
from kiosk.layout.staffbar import Action
from kiosk.wording import staff_language, wording
from sync.contract import code as codes

BACKSPACE: Final = "⌫"
_DOT: Final = "•"
_HEAD: Final = 6.0
"""What title, field and note take over the keys, u."""
_HEAD_LEAST: Final = 2.45
"""The same without a note, as low as it can be."""
_KEY_LEAST: Final = 6.0
_LOW_PANEL: Final = 120.0
"""Below this height keys are lower than they should be, mm."""
_LOW: Final = 0.65
"""How far down the head stands on upright panels, as a share of the room it leaves."""
_CARET: Final = 0.6
_KEY_MOST: Final = 24.0
_KEY_WIDE: Final = 15.0
_PAD_KEY: Final = (4.4, 3.9)
"""Largest key of the digits' pad, u."""
_CODE_MOST: Final = 1.3
"""Height of a code's keys in their width, at most."""
_ADDRESS: Final = ("1234567890-", "qwertyuiop:", "asdfghjkl_/", f"zxcvbnm.{BACKSPACE}")
_ADDRESS_FOLDED: Final = ("1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm./:", f"_{BACKSPACE}")
"""Where eleven columns would leave the keys under 15 mm."""
_DIGITS: Final = ("123", "456", "789", f" 0{BACKSPACE}")
_SIZES: Final = (1.33, 1.15, 1.0)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a screen on which staff type shows."""

    screen: str
    title: str
    kind: Literal["code", "address", "digits"]
    text: str
    """Of the field; a PIN stands as dots."""
    actions: tuple[Action, ...] = ()
    note: str = ""
    """Under the field: what was wrong."""


@dataclass(frozen=True, slots=True)
class _Board:
    """Rows of keys and the room they take."""

    rows: tuple[str, ...]
    columns: int
    wide: float
    high: float
    gap: float

    @property
    def height(self) -> float:
        """All rows, mm."""
        return len(self.rows) * (self.high + GAP) - GAP

    @property
    def width(self) -> float:
        """The widest row, mm."""
        return self.columns * (self.wide + self.gap) - self.gap


def compose(kit: Kit, language: str, keys: Keys) -> Page:
    """Title, field, note, keys; beside each other where a pad of digits leaves room."""
    language = staff_language(language)
    draft = Draft(kit, keys.screen, language)
    if keys.kind == "digits" and not kit.panel.portrait:
        _beside(draft, keys)
    else:
        _below(draft, keys)
    return draft.page()


def _beside(draft: Draft, keys: Keys) -> None:
    """Words and ways left, the pad over the whole height right."""
    kit = draft.kit
    top = max(kit.margin, kit.h - REACH)
    bottom = kit.h - kit.margin
    board = _digits(kit, bottom - top, 0.45 * kit.inner)
    if board.high < 20 or board.wide < 20:
        draft.problem("the digits are too small")
    x = kit.right - board.width
    _place(draft, board, x, bottom - board.height)
    area = Box(kit.margin, 0, x - 12 - kit.margin, bottom)
    ways = staffbar.place(draft, keys.actions, area=area)
    _head(draft, keys, Box(kit.margin, top, area.w, ways - 4 - top))


def _below(draft: Draft, keys: Keys) -> None:
    """Title, field and note over the keys."""
    kit = draft.kit
    gap = 3.0 if kit.small_panel else 8.0
    bottom = staffbar.place(draft, keys.actions) - gap
    top = max(kit.margin, kit.h - REACH)
    if keys.kind == "digits":
        board = _digits(kit, (bottom - top) * 0.7, kit.inner)
        least = (20.0, 20.0)
    else:
        board = _letters(kit, keys.kind, bottom - top)
        # Ten columns are the fewest an address is typed with.
        ten = (kit.inner + GAP) / 10 - GAP >= _KEY_WIDE
        least = (9.0 if not ten and keys.kind == "address" else _KEY_WIDE, 15.0)
    if board.wide < least[0] - 0.01 or board.high < least[1] - 0.01:
        draft.problem(f"the keys are smaller than {least[0]:g} x {least[1]:g} mm")
    y = bottom - board.height
    _place(draft, board, kit.margin + (kit.inner - board.width) / 2, y)
    _head(draft, keys, Box(kit.margin, top, kit.inner, y - gap - top))


def _digits(kit: Kit, height: float, width: float) -> _Board:
    high = min(_PAD_KEY[1] * kit.u, (height - 3 * GAP) / 4)
    wide = min(_PAD_KEY[0] * kit.u, (width - 2 * GAP) / 3)
    return _Board(_DIGITS, 3, wide, high, GAP)


def _code_rows(kit: Kit) -> tuple[str, ...]:
    """The alphabet of codes: digits apart where eleven columns fit, else in rows of seven."""
    letters = codes.ALPHABET[8:]
    if (kit.inner + GAP) / 11 - GAP >= 15:
        return (codes.ALPHABET[:8] + BACKSPACE, letters[:11], letters[11:])
    columns = int((kit.inner + GAP) / (15 + GAP))
    keys = codes.ALPHABET + BACKSPACE
    return tuple(keys[i : i + columns] for i in range(0, len(keys), columns))


def _letters(kit: Kit, kind: str, room: float) -> _Board:
    eleven = (kit.inner + GAP) / 11 - GAP >= 15
    # A fifth row has no place on a low panel either way.
    folded = not (eleven or kit.narrow or kit.h < _LOW_PANEL)
    address = _ADDRESS_FOLDED if folded else _ADDRESS
    rows = _code_rows(kit) if kind == "code" else address
    columns = max(len(row) for row in rows)
    gap = GAP if (kit.inner - (columns - 1) * GAP) / columns >= 9 else KEY_GAP
    wide = min(_KEY_MOST, (kit.inner - (columns - 1) * gap) / columns)
    best = 17.0 if kit.small_panel and kit.panel.portrait else max(15.0, 1.95 * kit.u)
    if kind == "code":
        best = max(best, _CODE_MOST * wide)
    gaps = (len(rows) - 1) * GAP
    # Title, field and two lines of note stay above.
    high = min(best, max(15.0, (room - _HEAD * kit.u - gaps) / len(rows)))
    # A panel too low for that gets keys that are too low, and says so.
    fits = (room - _HEAD_LEAST * kit.u - 6 - gaps) / len(rows)
    return _Board(rows, columns, wide, max(_KEY_LEAST, min(high, fits)), gap)


def _place(draft: Draft, board: _Board, x: float, y: float) -> None:
    kit = draft.kit
    em = min(1.05 * kit.u, 0.95 * board.wide)
    if board.rows is _DIGITS:
        em = min(1.75 * kit.u, 0.55 * board.high)
    for row in board.rows:
        left = x
        for key in row:
            if key != " ":
                # The last key takes what its row leaves.
                wide = x + board.width - left if key == BACKSPACE else board.wide
                _key(draft, key, Box(left, y, wide, board.high), em)
            left += board.wide + board.gap
        y += board.high + GAP


def _key(draft: Draft, key: str, box: Box, em: float) -> None:
    kit = draft.kit
    if key == BACKSPACE:
        side = min(1.3 * kit.u, box.w - 1.5, box.h - 3)
        mark = Mark("icon", centred_square(box, side), "backspace")
        label = wording(draft.language)["key.backspace"]
        draft.targets.append(Target(f"key.{key}", label, box, "key", 2.0, marks=(mark,)))
        return
    bold = em > 1.1 * kit.u
    para = kit.para(key, draft.language, box.w, em, bold)
    draft.button(f"key.{key}", para, box, look="key", pad=0.0, radius=2.0)


def _head(draft: Draft, keys: Keys, area: Box) -> None:
    """Title, field and note, from the top of `area`; the field grows with what is left."""
    kit = draft.kit
    small = (1.0 if kit.larger else SMALL) * kit.u
    note = kit.para(keys.note, draft.language, area.w, small) if keys.note else None
    under = note.height + 1 if note else 0.0
    least = 1.25 * kit.u
    for size in (*QUESTION, 1.15, 1.0):
        title = kit.para(keys.title, draft.language, area.w, size * kit.u, True)
        height = area.h - title.height - 2 - under
        if title.fits and height >= least:
            break
    else:
        draft.problem("the keys leave no room for the field")
        height = least
    field = min(height, 2.4 * kit.u)
    space = max(0.0, height - field)
    top = area.y
    if keys.kind != "digits" and kit.panel.portrait:
        # What is typed stands near the keys.
        top += _LOW * space
        space -= _LOW * space
    y = draft.write("title", title, area.x, top, area.w) + 2 + min(0.5 * space, 4.0)
    box = Box(area.x, y, area.w, field)
    _field(draft, keys, box)
    space -= y - top - title.height - 2
    if note:
        draft.write(
            "note", note, area.x, box.bottom + min(2.0, 1 + space / 2), area.w, colour="warn"
        )


def _field(draft: Draft, keys: Keys, box: Box) -> None:
    marks: list[Mark] = []
    if keys.kind == "code":
        runs = _slots(draft, codes.plain(keys.text), box, marks)
    else:
        runs = [_typed(draft, keys, box, marks)]
    target = Target("field", keys.title, box, "field", runs=tuple(runs), marks=tuple(marks))
    draft.targets.append(target)


def _slots(draft: Draft, text: str, box: Box, marks: list[Mark]) -> list[Run]:
    """A place for every character in groups of four; the next one is underlined."""
    kit = draft.kit
    count = codes.BODY + codes.CHECK
    groups = count // codes.GROUP
    apart = min(8.0, 0.03 * box.w)
    room = box.w - 5 - (groups - 1) * apart
    pitch = min(1.5 * kit.u, room / count)
    wide = count * pitch + (groups - 1) * apart
    left = box.x + (box.w - wide) / 2
    em = min(1.2 * kit.u, pitch, (box.h - 2) / 1.2)
    runs = []
    for i in range(count):
        x = left + i * pitch + (i // codes.GROUP) * apart
        line = Box(x + 0.1 * pitch, box.bottom - 2.4, 0.8 * pitch, 0.5)
        if i == len(text):
            marks.append(Mark("caret", Box(line.x, line.y - 0.5, line.w, 1.2)))
        else:
            marks.append(Mark("space-line", line))
        if i < len(text):
            para = kit.para(text[i], draft.language, pitch, em, True)
            at = Box(x, box.y, pitch, box.h - 1.5)
            runs.append(draft.centred("field", para, at))
    return runs


def _typed(draft: Draft, keys: Keys, box: Box, marks: list[Mark]) -> Run:
    """One line and its caret; of a text too long the end is seen."""
    kit = draft.kit
    room = box.w - 10
    # A PIN is never shown, whatever was passed.
    text = _DOT * len(keys.text) if keys.kind == "digits" else keys.text
    para = _tail(kit, draft.language, text, room, _SIZES)
    inner = Box(box.x + 4, box.y, room + 2, box.h)
    high = min(1.3 * para.em, box.h - 3)
    caret = Box(inner.x + para.width + 0.4, box.y + (box.h - high) / 2, _CARET, high)
    marks.append(Mark("caret", caret))
    return draft.centred("field", para, inner, align="left")


def _tail(kit: Kit, language: str, text: str, width: float, sizes: Sequence[float]) -> Para:
    """The whole line at a size at which it fits, or as much of its end as does."""
    shown = text
    em = sizes[-1] * kit.u
    for size in sizes:
        em = size * kit.u
        if kit.length(text, em, language) <= width:
            break
    else:
        while shown and kit.length("…" + shown, em, language) > width:
            shown = shown[1:]
        shown = "…" + shown
    lines = (shown,) if shown else ()
    return kit.paragraph(lines, language, em, 1.2 * em)
