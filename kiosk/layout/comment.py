"""Open text in two steps: the offer, then field and keyboard; and the warning between."""

from __future__ import annotations

from itertools import product
from typing import Final

from kiosk.layout import bar, keyboards
from kiosk.layout.bar import Way
from kiosk.layout.choice import sort_key
from kiosk.layout.closing import pair
from kiosk.layout.keyboards import Layer
from kiosk.layout.kit import GAP, KEY_GAP, QUESTION, Draft, Kit
from kiosk.layout.page import Box, Mark, Page, Run, Target

_TITLE: Final = (1.15, 1.08, 1.0)
_KEY_MOST: Final = 24.0
_KEY_LEAST: Final = 15.0
_KEY_NARROW: Final = 9.0
_FIELD_LEAST: Final = 14.5
"""Height of the field where only one line of it has room, mm."""
_PAD: Final = 5.0
_ALPHABET: Final = 7
"""Columns of the alphabet that takes the keyboard's place in Larger on narrow panels."""
_QR: Final = 5.45
"""Side of the QR code in u: 42 mm at 450 mm."""


def offer(kit: Kit, language: str, done: int, total: int) -> Page:
    """Whether to write something: who reads it and when, here or on one's own phone."""
    draft = Draft(kit, "offer", language)
    bottom = bar.step(draft, far=Way("skip", "done"), dots=(done, total)) - 4
    if kit.tall:
        bar.logo(draft)
    qr = kit.bundle.survey.phone_url
    title = kit.fit(draft.text("offer.question"), language, kit.inner, QUESTION, most=2, bold=True)
    notice = kit.para(
        draft.text("comment.privacy") + " " + draft.text("offer.not-urgent"),
        language,
        kit.inner,
        (1.0 if kit.larger else 0.9) * kit.u,
    )
    side = _QR * kit.u + 6 if qr else 0.0
    stacked = kit.panel.portrait
    words_h = title.height + GAP + notice.height + 5
    under = side + 4 if qr and stacked else 0.0
    top = kit.text_y
    room = bottom - top - words_h - under
    height = min(room, 100.0)
    if height < 30:
        draft.problem("the notice leaves no room for the button")
        height = 30.0
    # What is left over on tall panels stands above and below as on the other screens.
    y = top + (0.6 if kit.tall else 0.35) * max(0.0, room - height)
    if kit.lowered:
        height = max(30.0, min(height, kit.room(bottom + 4)))
        beside = side if qr and not stacked else 0.0
        y = bottom - max(height, beside) - under - words_h
    y = draft.write("title", title, kit.margin, y, kit.inner) + GAP
    y = draft.write("privacy", notice, kit.margin, y, kit.inner, colour="ink-2") + 5
    area = Box(kit.margin, y, kit.inner, height)
    if qr and stacked and kit.lowered:
        # What is only looked at gives way to what is touched.
        _qr(draft, qr, Box(kit.margin, y, kit.inner, side))
        area = Box(kit.margin, y + side + 4, kit.inner, height)
    elif qr and stacked:
        _qr(draft, qr, Box(kit.margin, area.bottom + 4, kit.inner, side))
    elif qr:
        wide = side + 7 + 4.17 * kit.u
        high = max(height, side) if kit.lowered else height
        _qr(draft, qr, draft.mirrored(Box(area.right - wide + 5, y, wide - 5, high)))
        area = draft.mirrored(Box(area.x, y + high - height, area.w - wide, height))
    para = kit.fit(
        draft.text("offer.here"), language, area.w - 10, (1.2, 1.1, 1.0), most=2, bold=True
    )
    draft.button("comment.here", para, area, look="list", pad=_PAD, radius=4.0)
    return draft.page()


def _qr(draft: Draft, address: str, area: Box) -> None:
    """The code with 3 mm of white around it, its words on the far side."""
    kit = draft.kit
    side = _QR * kit.u
    y = area.y + (area.h - side) / 2
    words = Box(area.x + side + 8, area.y, area.w - side - 8, area.h)
    code = Box(area.x + 3, y, side, side)
    if draft.rtl:
        code = Box(area.right - 3 - side, y, side, side)
        words = Box(area.x, area.y, area.w - side - 8, area.h)
    draft.marks.append(Mark("qr", code, address))
    para = kit.fit(
        draft.text("offer.phone"), draft.language, words.w, kit.sizes((1.0, 0.9, 0.8)), most=4
    )
    draft.runs.append(draft.centred("phone", para, words, align=draft.start))


def text(kit: Kit, language: str, layer: Layer) -> Page:
    """Question, field and keyboard. The window draws what is typed into the run `field`."""
    draft = Draft(kit, "text", language)
    bar_y = bar.step(draft, far=Way("send", primary=True))
    if kit.tall:
        bar.logo(draft)
    board = _keyboard(draft, layer, bar_y - (8 if kit.tall and not kit.lowered else 4))
    top = kit.margin - (1 if kit.small_panel else 0)
    leading = (1.5 if draft.rtl else 1.2) * kit.u
    # Some panels are so low that one line of what was written is all they have room for.
    tries = ((2 * leading + 1, 3.0), (_FIELD_LEAST, GAP))
    for (least, apart), i in product(tries, range(len(_TITLE))):
        heading = _Heading(draft, _TITLE[i:])
        height = min(board - apart - top - heading.height, 7.8 * kit.u)
        if height >= least:
            break
    else:
        draft.problem("the keyboard leaves no room for the field")
        height = least
    below = board - apart - height
    heading.place(below - heading.height)
    box = Box(kit.margin, below, kit.inner, height)
    air = min(2.0, (height - min(2 * leading, least - 1)) / 2)
    inside = Box(box.x + 4, box.y + air, box.w - 8, box.h - 2 * air)
    run = Run("field", (), inside, kit.u, leading, align=draft.start, language=language)
    draft.targets.append(Target("field", draft.text("comment.question"), box, "field", runs=(run,)))
    return draft.page()


class _Heading:
    """The question with the short notice beside it, or below where there is no room beside."""

    def __init__(self, draft: Draft, sizes: tuple[float, ...]) -> None:
        kit = self.kit = draft.kit
        self.draft = draft
        text = draft.text("comment.question")
        small = (1.0 if kit.larger else 0.8) * kit.u
        self.note = kit.para(draft.text("comment.short"), draft.language, kit.inner, small)
        room = kit.inner - self.note.width - 4
        self.question = kit.fit(text, draft.language, room, sizes, most=1, bold=True)
        self.beside = self.question.fits
        if not self.beside:
            self.question = kit.fit(text, draft.language, kit.inner, sizes, most=2, bold=True)
        # One line of Arabic needs no room for the marks of a line above or below it.
        if self.beside:
            self.question = self.question.tight()
            self.note = self.note.tight()
        both = (self.question.height, self.note.height)
        self.height = (max(both) if self.beside else sum(both)) + 1.2

    def place(self, top: float) -> None:
        """Write both, the first line's band starting at `top`."""
        draft, kit, note = self.draft, self.kit, self.note
        if not self.beside:
            y = draft.write("question", self.question, kit.margin, top, kit.inner)
            draft.write("notice", note, kit.margin, y, kit.inner, colour="ink-2")
            return
        height = self.height - 1.2
        room = kit.inner - note.width - 4
        at = draft.mirrored(Box(kit.margin, top, room, height))
        draft.runs.append(draft.centred("question", self.question, at, align=draft.start))
        at = draft.mirrored(Box(kit.right - note.width, top, note.width, height))
        draft.runs.append(draft.centred("notice", note, at, colour="ink-2", align=draft.end))


def _rows(kit: Kit, language: str, layer: Layer) -> list[list[str]]:
    """The rows of keys above the space bar, folded where keys would be too narrow."""
    letters = [list(row) for row in keyboards.rows(language, layer)]
    shift = ["⇧"] if layer != "symbols" and keyboards.has_case(language) else []
    if kit.narrow and kit.larger:
        keys = [key for row in letters for key in row]
        if layer != "symbols":
            keys.sort(key=lambda key: _order(key, language))
        return _chunks([*shift, *keys, "⌫"], _ALPHABET)
    least, gap = (_KEY_NARROW, KEY_GAP) if kit.narrow else (_KEY_LEAST, GAP)
    most = int((kit.inner + gap) / (least + gap))
    usual = [letters[0], letters[1], [*shift, *letters[2], "⌫"]]
    if max(map(len, usual)) <= most:
        return usual
    # What does not fit moves to a row of its own, between shift and backspace.
    over = [*shift, *(key for row in letters for key in row[most:]), "⌫"]
    if len(over) <= most:
        return [*(row[:most] for row in letters), over]
    return _chunks([*shift, *(key for row in letters for key in row), "⌫"], most)


def _chunks(keys: list[str], most: int) -> list[list[str]]:
    return [keys[i : i + most] for i in range(0, len(keys), most)]


def _order(key: str, language: str) -> tuple[bool, tuple[tuple[int, ...], str]]:
    """Letters in alphabetical order, then signs."""
    return not key.isalpha(), sort_key(key, language)


def _keyboard(draft: Draft, layer: Layer, bottom: float) -> float:
    """Place the keys, their last row ending at `bottom`; returns the top of the first."""
    kit = draft.kit
    rows = _rows(kit, draft.language, layer)
    height = 15.0 if kit.small_panel else max(15.0, 1.75 * kit.u)
    if kit.small_panel and kit.panel.portrait and not kit.larger:
        height = 17.0
    if kit.lowered:
        room = bottom - max(kit.reach, kit.margin) - len(rows) * GAP
        # As high as the letters of any script are.
        least = max(_KEY_LEAST, 1.6 * kit.u)
        height = max(least, min(height, room / (len(rows) + 1)))
    widest = max(len(row) for row in rows)
    gap = GAP if (kit.inner - (widest - 1) * GAP) / widest >= _KEY_NARROW else KEY_GAP
    y = bottom - (len(rows) + 1) * height - len(rows) * GAP
    top = y
    span = min(kit.inner, widest * (_KEY_MOST + gap) - gap)
    left = kit.margin + (kit.inner - span) / 2
    em = min(kit.u * 1.05, 0.95 * (span / widest))
    for row in rows:
        wide = min(_KEY_MOST, (span - (len(row) - 1) * gap) / len(row))
        x = left + (span - len(row) * wide - (len(row) - 1) * gap) / 2
        for key in row:
            _key(draft, key, Box(x, y, wide, height), em, layer)
            x += wide + gap
        y += height + GAP
    _last_row(draft, layer, Box(left, y, span, height))
    return top


_ICONS: Final = {"⇧": ("shift", "key.shift"), "⌫": ("backspace", "key.backspace")}


def _key(draft: Draft, key: str, box: Box, em: float, layer: Layer) -> None:
    """One key: a character, shift or backspace."""
    if key in _ICONS:
        icon, label = _ICONS[key]
        mark = Mark("icon", bar.centred_square(box, min(9.0, box.w - 1.5)), icon)
        spoken = draft.kit.spoken(draft.language, label)
        current = key == "⇧" and layer == "upper"
        draft.targets.append(
            Target(f"key.{key}", spoken, box, "key", 2.0, marks=(mark,), current=current)
        )
        return
    kit = draft.kit
    sizes = tuple(part * em / kit.u for part in (1.0, 0.85, 0.7, 0.6))
    para = kit.fit(key, draft.language, box.w - 0.8, sizes, most=1)
    draft.button(f"key.{key}", para, box, look="key", pad=0.0, radius=2.0)


def _last_row(draft: Draft, layer: Layer, area: Box) -> None:
    """The other layer, the space bar, a new line."""
    kit = draft.kit
    side = max(15.0, 30 / 205 * area.w)
    words = keyboards.NAMES.get(draft.language, "ABC") if layer == "symbols" else "123"
    label = "key.symbols" if layer != "symbols" else "key.letters"
    sizes = kit.sizes((0.9, 0.8, 0.73)) or (1.0,)
    para = kit.fit(words, draft.language, side - 2, sizes, most=1)
    spoken = kit.spoken(draft.language, label)
    draft.button(
        "key.123",
        para,
        Box(area.x, area.y, side, area.h),
        look="key",
        pad=0.0,
        radius=2.0,
        label=spoken,
    )
    space = Box(area.x + side + GAP, area.y, area.w - 2 * side - 2 * GAP, area.h)
    line = min(28.0, 0.4 * space.w)
    mark = Mark("space-line", Box(space.x + (space.w - line) / 2, space.bottom - 3.9, line, 0.8))
    draft.targets.append(
        Target(
            "key.space",
            kit.spoken(draft.language, "key.space"),
            space,
            "key",
            2.0,
            marks=(mark,),
        )
    )
    enter = Box(area.right - side, area.y, side, area.h)
    icon = Mark("icon", bar.centred_square(enter, 10.5), "enter")
    draft.targets.append(
        Target(
            "key.enter",
            kit.spoken(draft.language, "key.enter"),
            enter,
            "key",
            2.0,
            marks=(icon,),
        )
    )


def warning(kit: Kit, language: str, found: tuple[str, ...]) -> Page:
    """The text looks like personal data: send without them, or edit. `found`: categories."""
    draft = Draft(kit, "warning", language)
    bottom = bar.step(draft, far=None) - 4
    if kit.tall:
        bar.logo(draft)
    title = kit.fit(draft.text("comment.warning"), language, kit.inner, QUESTION, most=4, bold=True)
    lines = [draft.text(f"found.{category}") for category in found]
    words = (("، " if draft.rtl else ", ").join(lines) + ". " if lines else "") + draft.text(
        "comment.names"
    )
    words = words[0].upper() + words[1:]
    body = kit.para(words, language, kit.inner, kit.u)
    least = 30.0
    stacked = kit.panel.portrait
    height = bottom - kit.margin - 1 - title.height - body.height - 12
    height = min(44.0, (height - 4) / 2 if stacked else height)
    if kit.lowered:
        room = kit.room(bottom + 4)
        height = max(min(least, height), min(height, (room - 4) / 2 if stacked else room))
    if height < least:
        draft.problem("the warning leaves no room for its buttons")
        height = least
    block = 2 * height + 4 if stacked else height
    y = bottom - block
    if kit.placed:
        y = kit.low(block, bottom + 4, kit.margin + title.height + body.height + 9)
    space = y - title.height - body.height - 4 - kit.margin
    top = kit.margin + (max(0.0, space - 12) if kit.placed else 0.5 * space)
    top = draft.write("title", title, kit.margin, top, kit.inner, colour="warn") + 4
    draft.write("found", body, kit.margin, top, kit.inner)
    pair(draft, "comment.edit", "comment.send-without", y, height)
    return draft.page()
