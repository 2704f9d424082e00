"""How a visit ends: thanks, the wish for a reply, and "are you still there"."""

from __future__ import annotations

from typing import Final

from kiosk.layout import bar
from kiosk.layout.bar import Way
from kiosk.layout.kit import DISPLAY, GAP, QUESTION, Draft, Kit, Para
from kiosk.layout.page import Box, Colour, Mark, Page

_DISPLAY: Final = (DISPLAY, 1.5, 1.33, 1.2)
_DONE: Final = Way("done", primary=True, least=8.05)


def pair(draft: Draft, first: str, second: str, y: float, height: float) -> None:
    """Two large buttons, the second filled: beside each other, or stacked on upright panels."""
    kit = draft.kit
    gap = 4.0
    stacked = kit.panel.portrait
    width = kit.inner if stacked else (kit.inner - gap) / 2
    for size in (1.2, 1.1, 1.0):
        paras = [
            kit.fit(draft.text(key), draft.language, width - 10, (size,), most=2, bold=True)
            for key in (first, second)
        ]
        if all(para.fits for para in paras):
            break
    for i, (name, para) in enumerate(zip((first, second), paras, strict=True)):
        box = (
            Box(kit.margin, y + i * (height + gap), width, height)
            if stacked
            else draft.mirrored(Box(kit.margin + i * (width + gap), y, width, height))
        )
        draft.button(name, para, box, look="primary" if i else "list", pad=5.0, radius=4.0)


def still(kit: Kit, language: str, confirm: bool) -> Page:
    """A countdown: a new respondent, or still the same? No bar: these two are the question."""
    draft = Draft(kit, "still", language)
    title = kit.fit(
        draft.text("language.confirm" if confirm else "still-there"),
        language,
        kit.inner,
        _DISPLAY,
        most=3,
        bold=True,
    )
    height = 44.0 if kit.small_panel else 58.0
    # No bar here: they may stand as low as it does elsewhere.
    bottom = kit.h - kit.margin + 4
    if kit.lowered:
        room = kit.room(bottom)
        height = max(30.0, min(height, (room - 4) / 2 if kit.panel.portrait else room))
    buttons = 2 * height + 4 if kit.panel.portrait else height
    block = title.height + 6 + 3 + 15 + buttons
    y = max(kit.margin, (kit.h - block) / 2 + 4)
    if kit.placed:
        y = max(kit.margin, kit.low(buttons, bottom) - (block - buttons))
    y = draft.write("title", title, kit.margin, y, kit.inner, align="center") + 6
    wide = 0.707 * kit.inner
    draft.marks.append(Mark("bar", Box((kit.w - wide) / 2, y, wide, 3)))
    pair(draft, "restart", "continue", y + 18, height)
    return draft.page()


def _stack(draft: Draft, bottom: float, parts: list[tuple[str, Para, float, Colour]]) -> None:
    """A tick and paragraphs under it, centred as one block above `bottom`.

    Each part: name, paragraph, the gap above it, colour. A part named "changed" has a line above.
    """
    kit = draft.kit
    side = 24 / 7.7 * kit.u
    block = side + sum(gap + para.height for _, para, gap, _ in parts)
    top, end = kit.text_y + (0 if kit.tall else 1), bottom
    y = max(kit.margin, top + (end - top - block) / 2)
    draft.marks.append(Mark("tick", Box((kit.w - side) / 2, y, side, side)))
    y += side
    for name, para, gap, colour in parts:
        if name == "changed":
            wide = 0.805 * kit.inner
            draft.marks.append(Mark("line", Box((kit.w - wide) / 2, y + 0.55 * gap, wide, 0.4)))
        y = draft.write(name, para, kit.margin, y + gap, kit.inner, colour=colour, align="center")
    if y > bottom - GAP:
        draft.problem("the thanks do not fit above the bar")


def thanks(kit: Kit, language: str, today: str, reply: bool) -> Page:
    """Thanks, saved, what feedback changed here (until its last day), a reply, Done."""
    draft = Draft(kit, "thanks", language)
    near = Way("reply", "thanks.reply", around=11.5) if reply else None
    bottom = bar.step(draft, near, _DONE, language=False)
    if kit.tall:
        bar.logo(draft)
    parts: list[tuple[str, Para, float, Colour]] = [
        (
            "title",
            kit.fit(draft.text("thanks"), language, kit.inner, _DISPLAY, most=2, bold=True),
            0.77 * kit.u,
            "ink",
        ),
        (
            "saved",
            kit.para(draft.text("thanks.saved"), language, kit.inner, kit.u),
            0.43 * kit.u,
            "ink",
        ),
    ]
    organisation = kit.bundle.organisation
    changed = organisation.changed.get(language, "")
    until = organisation.changed_until
    if changed and (not until or not today or today <= until):
        words = draft.text("thanks.changed") + " " + changed
        em = (1.0 if kit.larger else 0.8) * kit.u
        # The line is the organisation's own: on narrow panels it may take several lines.
        parts.append(("changed", kit.para(words, language, kit.inner, em), 1.52 * kit.u, "ink-2"))
    _stack(draft, bottom, parts)
    return draft.page()


def reply(kit: Kit, language: str) -> Page:
    """An anonymous answer cannot be answered: whom to ask instead."""
    draft = Draft(kit, "reply", language)
    bottom = bar.step(draft, bar.BACK, _DONE, language=False)
    if kit.tall:
        bar.logo(draft)
    contact = kit.name(language, kit.bundle.organisation.contact) or draft.text("ask-staff")
    notice(draft, "reply.body", contact, kit.margin + 1, bottom - 4)
    return draft.page()


def notice(draft: Draft, key: str, body: str, top: float, bottom: float) -> None:
    """A sentence in bold and what it leads to in large type below, together in the middle."""
    kit = draft.kit
    title = kit.fit(draft.text(key), draft.language, kit.inner, QUESTION, most=6, bold=True)
    room = bottom - top - title.height - 8
    for size in (1.2, 1.1, 1.0):
        para = kit.para(body, draft.language, kit.inner, size * kit.u)
        if para.fits and para.height <= room:
            break
    else:
        draft.problem(f"{key} and its text do not fit")
    space = bottom - top - title.height - para.height - 8
    y = top + max(0.0, 0.4 * space)
    y = draft.write("title", title, kit.margin, y, kit.inner) + 8
    draft.write("body", para, kit.margin, y, kit.inner)
