"""The bar at the bottom of every screen, and the header of the resting one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from kiosk.layout.kit import GAP, SMALL, Draft, Kit, Para
from kiosk.layout.page import Box, Mark, Target

_NAME_SIZES = ((1.0, 8.0), (0.9, 8.0), (0.8, 8.0), (SMALL, 5.0))
"""Sizes tried for language names (u), and the room around a name each needs (mm)."""
_NAME_ROOM = 18.0
"""A name's button grows no wider than its name and this."""


def access(draft: Draft, y: float) -> None:
    """The access button: physically bottom left in every language, y = its top."""
    side = draft.kit.bar_h
    box = Box(draft.kit.margin, y, side, side)
    icon = Mark("icon", centred_square(box, 0.64 * side), "access")
    label = draft.text("access.title")
    draft.targets.append(Target("access", label, box, "surface", marks=(icon,)))


def centred_square(box: Box, side: float) -> Box:
    """A square in the middle of a box."""
    return Box(box.x + (box.w - side) / 2, box.y + (box.h - side) / 2, side, side)


def _rows(widths: list[float], pad: float, room: float) -> list[list[int]]:
    """Indices by row, as many to a row as fit."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for i, width in enumerate(widths):
        need = width + pad + (GAP if rows[-1] else 0.0)
        if rows[-1] and used + need > room + 1e-6:
            rows.append([])
            used, need = 0.0, width + pad
        rows[-1].append(i)
        used += need
    return rows


def resting(draft: Draft) -> float:
    """Access button and the names of all languages; returns the bar's top."""
    kit = draft.kit
    if len(kit.bundle.languages) == 1:
        access(draft, kit.bar_y)
        return kit.bar_y
    if kit.larger:
        return _resting_larger(draft)
    left = kit.margin + kit.bar_h + GAP
    room = kit.right - left
    names = [kit.text(code, "language.name") for code in kit.bundle.languages]
    most = 2 if kit.panel.portrait else 1
    for size, pad in _NAME_SIZES:
        em = size * kit.u
        widths = [
            kit.length(name, em, code)
            for name, code in zip(names, kit.bundle.languages, strict=True)
        ]
        rows = _rows(widths, pad, room)
        if len(rows) <= most:
            break
    top = kit.bar_y - (len(rows) - 1) * (kit.bar_h + GAP)
    # In the corner on every screen: the raised dot beside it cannot move.
    access(draft, kit.bar_y)
    for r, row in enumerate(rows):
        free = room - sum(widths[i] for i in row) - GAP * (len(row) - 1)
        around = min(free / len(row), _NAME_ROOM)
        x = left
        y = top + r * (kit.bar_h + GAP)
        for i in row:
            code = kit.bundle.languages[i]
            current = code == draft.language
            box = Box(x, y, widths[i] + around, kit.bar_h)
            marks = (underline(box),) if current else ()
            para = kit.para(names[i], code, box.w - 2, em, current)
            draft.button(
                f"language.{code}",
                para,
                box,
                look="surface",
                pad=1.0,
                marks=marks,
                current=current,
            )
            x = box.right + GAP
    return top


def underline(box: Box) -> Mark:
    """The accent line under the current language, 12 x 1.2."""
    return Mark("underline", Box(box.x + (box.w - 12) / 2, box.bottom - 2.7, 12, 1.2))


def _resting_larger(draft: Draft) -> float:
    kit = draft.kit
    access(draft, kit.bar_y)
    name = draft.text("language.name")
    em = kit.u
    width = max(60.0, kit.length(name, em, draft.language) + 2 * kit.u + 10)
    _language(draft, Box(kit.margin + kit.bar_h + GAP, kit.bar_y, width, kit.bar_h), em)
    return kit.bar_y


def _language(draft: Draft, box: Box, em: float) -> None:
    """Globe and current name; opens the sheet of all languages."""
    kit = draft.kit
    name = draft.text("language.name")
    globe = Box(box.x + 3, box.y + (box.h - kit.u) / 2, kit.u, kit.u)
    left = globe.right + 1.5
    para = kit.para(name, draft.language, box.right - 2 - left, em)
    run = draft.centred("language", para, Box(left, box.y, box.right - 2 - left, box.h))
    draft.targets.append(
        Target("language", name, box, "surface", runs=(run,), marks=(Mark("icon", globe, "globe"),))
    )


@dataclass(frozen=True, slots=True)
class Way:
    """A way onward or back from a screen: a bar button."""

    name: str
    key: str = ""
    """Its wording, where that is another key than the name."""
    primary: bool = False
    least: float = 0.0
    """Least width in u; 0: as every bar button."""
    around: float = 8.0
    """Room around its words, mm."""
    icon: str = ""
    """Drawn instead of the words on upright panels."""


BACK: Final = Way("back")
SKIP: Final = Way("skip")


def _width(draft: Draft, way: Way, em: float, lines: int, *, roomy: bool) -> float:
    kit = draft.kit
    if way.icon and kit.panel.portrait:
        return kit.bar_h
    least = 32.0 if kit.narrow else 41.0 if kit.small_panel else 52.0
    if roomy and not kit.narrow:
        least = max(least, way.least * kit.u)
    text = draft.text(way.key or way.name)
    words = kit.length(text, em, draft.language)
    if lines > 1:
        # The last resort: words close to the edge, no button wider than its words.
        return max(16.0, halved(kit, text, draft.language, em).width + 4)
    return max(least, words + (8.0 if kit.narrow else way.around))


def _widths(draft: Draft, ways: list[Way], room: float) -> tuple[float, list[float]]:
    """Em and widths of bar buttons: they shrink together, and only where there is no room."""
    kit = draft.kit
    sizes = [1.0, 0.9, 0.8, SMALL]
    if kit.larger:
        sizes = sizes[:1]
    elif kit.narrow:
        sizes = sizes[1:]
    for lines in (1, 2):
        for size, roomy in [(sizes[0], True), *((size, False) for size in sizes)]:
            em = size * kit.u
            if lines * 1.2 * em > kit.bar_h:
                continue
            widths = [_width(draft, way, em, lines, roomy=roomy) for way in ways]
            if sum(widths) + GAP * len(ways) <= room + 0.01:
                return em, widths
    return em, widths


def halved(
    kit: Kit, text: str, language: str, em: float, *, bold: bool = False, high: float = inf
) -> Para:
    """A text on two lines if they are not higher than `high` mm, as narrow as it can be."""
    whole = kit.length(text, em, language, bold) + 0.02
    for part in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9):
        para = kit.para(text, language, part * whole, em, bold)
        if para.fits and len(para.lines) <= 2 and para.height <= high:
            return para
    return kit.para(text, language, whole, em, bold)


def step(
    draft: Draft,
    near: Way | None = BACK,
    far: Way | None = SKIP,
    *,
    dots: tuple[int, int] | None = None,
    language: bool = True,
) -> float:
    """Access, the way back, language, progress, and the way onward; returns the bar's top."""
    kit = draft.kit
    y, h = kit.bar_y, kit.bar_h
    access(draft, y)
    # Arabic swaps the two ways; nothing else moves.
    if draft.rtl:
        near, far = far, near
    left, right = kit.margin + h + GAP, kit.right
    language = language and len(kit.bundle.languages) > 1
    # A globe alone is the least the language button takes.
    room = right - left - (h if language else 0.0)
    em, widths = _widths(draft, [way for way in (near, far) if way], room)
    if near:
        box = Box(left, y, widths[0], h)
        _way(draft, near, em, box)
        left = box.right + GAP
    if far:
        box = Box(right - widths[-1], y, widths[-1], h)
        _way(draft, far, em, box)
        right = box.x - GAP
    if language:
        left = _language_step(draft, left, right, y)
    if dots and not kit.narrow:
        size = (dots[1] - 1) * 6.0 + 3.4
        if size + 4 <= right - left:
            box = Box((left + right - size) / 2, y + h / 2 - 1.7, size, 3.4)
            draft.marks.append(Mark("dots", box, f"{dots[0]}/{dots[1]}"))
    return y


def _way(draft: Draft, way: Way, em: float, box: Box) -> None:
    text = draft.text(way.key or way.name)
    if way.icon and draft.kit.panel.portrait:
        mark = Mark("icon", centred_square(box, 0.6 * box.h), way.icon)
        draft.targets.append(Target(way.name, text, box, "button", marks=(mark,)))
        return
    para = draft.kit.para(text, draft.language, box.w - 4, em)
    draft.button(way.name, para, box, look="primary" if way.primary else "button", pad=2.0)


def _language_step(draft: Draft, left: float, right: float, y: float) -> float:
    """The language button, a globe alone where its name does not fit; the x after it."""
    kit = draft.kit
    h = kit.bar_h
    name = draft.text("language.name")
    em = (1.0 if kit.larger else 0.8) * kit.u
    width = kit.length(name, em, draft.language) + 2 * kit.u
    if kit.narrow or left + width > right:
        box = Box(left, y, h, h)
        icon = Mark("icon", centred_square(box, 0.6 * h), "globe")
        draft.targets.append(Target("language", name, box, "surface", marks=(icon,)))
    else:
        box = Box(left, y, width, h)
        _language(draft, box, em)
    return box.right + GAP


def logo(draft: Draft, *, height: float | None = None) -> None:
    """The organisation's mark and name, top left; held for five seconds it is the service door."""
    kit = draft.kit
    side = 0.95 * kit.u
    height = 1.02 * kit.u if height is None else height
    y = kit.header_y
    mark = Box(kit.margin, y + (height - side) / 2, side, side)
    name = kit.name(draft.language, kit.bundle.organisation.name)
    left = mark.right + 2.7
    taken = kit.info_h if kit.narrow else 0.27 * kit.inner
    para = kit.fit(name, draft.language, kit.right - taken - 8 - left, (0.68, 0.6, 0.5), most=1)
    run = draft.centred(
        "logo",
        para,
        Box(left, y, para.width, height),
        colour="ink-2",
        align="left",
    )
    box = Box(kit.margin, y, run.box.right - kit.margin, height)
    draft.targets.append(
        Target("logo", name, box, "quiet", runs=(run,), marks=(Mark("logo", mark),))
    )


def header(draft: Draft) -> float:
    """Logo left and the privacy button right, in every language; returns the y below them.

    In Low the word alone, where the button would be out of reach: the notice is reached from the
    access sheet.
    """
    kit = draft.kit
    y, h = kit.header_y, kit.info_h
    side = 0.6 * h
    word = draft.text("anonymous")
    if kit.lowered and y < kit.reach:
        para = kit.para(word, draft.language, kit.inner / 3, SMALL * kit.u)
        at = Box(kit.right - para.width, y, para.width, h)
        draft.runs.append(draft.centred("anonymous", para, at, colour="ink-2", align="right"))
    elif kit.narrow:
        box = Box(kit.right - h, y, h, h)
        icon = Mark("icon", centred_square(box, side), "info")
        draft.targets.append(Target("privacy", word, box, "button", marks=(icon,)))
    else:
        para = kit.para(word, draft.language, kit.inner / 3, SMALL * kit.u)
        width = para.width + side + 8
        box = Box(kit.right - width, y, width, h)
        at = Box(box.x + 3, y + (h - side) / 2, side, side)
        run = draft.centred("privacy", para, Box(at.right + 2, y, para.width, h))
        draft.targets.append(
            Target("privacy", word, box, "button", runs=(run,), marks=(Mark("icon", at, "info"),))
        )
    logo(draft, height=h)
    return y + h
