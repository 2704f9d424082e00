"""Choice lists: 2 x 4 cells side by side, 1 x 7 on upright panels, paged, groups above fourteen."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kiosk.layout import bar
from kiosk.layout.kit import GAP, QUESTION, Draft, Kit, Para
from kiosk.layout.page import Box, Page
from kiosk.layout.rest import spread
from kiosk.questions import choices
from sync.contract.bundle import Service
from sync.contract.records import OTHER, RESPONDENT

MOST_UNGROUPED: Final = 14
"""With more services than this the groups are shown first."""
_LETTERS: Final = {
    "fi": "åäö",
    "sv": "åäö",
    "et": "õäöü",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
}
"""Letters in an order of their own; after all others, except where a whole alphabet is given."""
_SIZES: Final = (1.0, 0.9, 0.85, 0.8)
_COLUMN_GAP: Final = 3.0
_PAD: Final = 5.0
_LEAST: Final = 20.0
_LARGER: Final = 24.0
"""Height of a cell, and in Larger, at least, mm."""
_WIDE: Final = 100.0
"""Width of a cell of which two stand beside each other, at least, mm."""
_GAPS: Final = (0.0, 5.0, 4.0)


@dataclass(frozen=True, slots=True)
class _Item:
    """One cell."""

    target: str
    name: str
    short: str = ""


def sort_key(text: str, language: str) -> tuple[tuple[int, ...], str]:
    """How `text` sorts in a language: its own letters in their order, other accents last."""
    own = _LETTERS.get(language, "")
    letters: list[int] = []
    accents = ""
    for letter in unicodedata.normalize("NFC", text.casefold()):
        if letter in own:
            letters.append(0x10000 + own.index(letter))
        else:
            plain = unicodedata.normalize("NFD", letter)
            letters.append(ord(plain[0]))
            accents += plain[1:]
    return tuple(letters), accents


def _service(kit: Kit, language: str, service: Service) -> _Item:
    name = kit.name(language, service.name)
    return _Item(f"choice.{service.id}", name, service.short_name.get(language, ""))


def groups(services: Sequence[Service]) -> tuple[str, ...]:
    """The groups a list of services is shown by first; none where it is short enough without."""
    found = tuple(dict.fromkeys(service.group for service in services if service.group))
    return found if len(services) > MOST_UNGROUPED and len(found) > 1 else ()


def items(kit: Kit, language: str, question: str, group: str) -> list[_Item]:
    """What is listed: alphabetical in the language shown, "other" last."""
    if question == RESPONDENT:
        return [
            _Item(f"choice.{ident}", kit.text(language, f"{RESPONDENT}.{ident}"))
            for ident in choices(kit.bundle, question)
        ]
    offered = set(choices(kit.bundle, question))
    services = [service for service in kit.bundle.services if service.id in offered]
    found = [_service(kit, language, s) for s in services if not group or s.group == group]
    if not group and (first := groups(services)):
        found = [_Item(f"group.{g}", kit.text(language, f"group.{g}")) for g in first]
        found += [_service(kit, language, s) for s in services if not s.group]
    found.sort(key=lambda item: sort_key(item.name, language))
    return [*found, _Item(f"choice.{OTHER}", kit.text(language, "other-or-unknown"))]


def compose(  # noqa: PLR0917
    kit: Kit,
    language: str,
    question: str,
    page: int,
    group: str,
    dots: tuple[int, int] | None,
) -> Page:
    """One page of a choice list; pages beyond the last start anew, so More goes round."""
    draft = Draft(kit, "choice", language)
    key = "respondent.question" if question == RESPONDENT else "which-service.question"
    bottom = bar.step(draft, dots=dots)
    if kit.tall:
        bar.logo(draft)
    found = items(kit, language, question, group)
    columns, most = (1, 7) if kit.panel.portrait else (2, 4)
    if kit.lowered and _beside(kit, language, found):
        columns = 2
    least = _LARGER if kit.larger and not kit.lowered else _LEAST
    if kit.larger or kit.lowered:
        # Two lines of a name, where they cannot be smaller or there is no room to grow into.
        least = max(least, 2 * (1.5 if draft.rtl else 1.2) * kit.sizes(_SIZES)[-1] * kit.u)
    if kit.lowered:
        within = int((kit.room(bottom) + GAP + 0.01) / (least + GAP))
        most = max(4 - columns, min(most, within))
    title = draft.text((group and f"group.{group}") or key)
    top = kit.margin
    para, rows = _title(kit, language, title, most, least, bottom - top)
    cells = columns * rows
    if len(found) > cells:
        step = cells - 1
        pages = -(-len(found) // step)
        start = page % pages * step
        shown: list[_Item | None] = [*found[start : start + step]]
        # More stays in its place on a last page that is not full.
        shown += [None] * (step - len(shown)) + [_Item("more", draft.text("more"))]
    else:
        shown = [*found]
        rows = max(1, -(-len(found) // columns))
    free = bottom - top - para.height - sum(_GAPS)
    height = min(max(26.0, least), (free - (rows - 1) * GAP) / rows)
    if height < least - 0.01:
        draft.problem("the question leaves no room for the list")
        height = least
    if kit.lowered:
        height = max(least, min(height, (kit.room(bottom) - (rows - 1) * GAP) / rows))
    block = rows * height + (rows - 1) * GAP
    above, below, _ = spread(bottom - top - para.height - block, _GAPS)
    y = top + above + para.height + below
    if kit.placed:
        y = kit.low(block, bottom, top + para.height + _GAPS[1])
        below = min(12.0, y - top - para.height)
        above = y - below - para.height - top
    draft.write("question", para, kit.margin, top + above, kit.inner)
    _cells(draft, shown, columns, y, height)
    return draft.page()


def _beside(kit: Kit, language: str, found: list[_Item]) -> bool:
    """Whether cells may stand beside each other: wide enough for a finger and for every name."""
    inner = (kit.inner - _COLUMN_GAP) / 2 - 2 * _PAD
    size = kit.sizes(_SIZES)[-1]
    return inner + 2 * _PAD >= _WIDE and all(
        _words(kit, language, item, inner, size).fits for item in found
    )


def _title(  # noqa: PLR0917
    kit: Kit, language: str, title: str, most: int, least: float, room: float
) -> tuple[Para, int]:
    """The question and how many rows of at least `least` mm it leaves; rows before size."""
    best: tuple[int, Para] | None = None
    for size in QUESTION:
        para = kit.para(title, language, kit.inner, size * kit.u, True).tight()
        rows = min(most, int((room - para.height - sum(_GAPS) + GAP) / (least + GAP)))
        if best is None or rows > best[0]:
            best = (rows, para)
    assert best is not None  # noqa: S101 - QUESTION has sizes
    return best[1], max(1, best[0])


def _cells(draft: Draft, shown: list[_Item | None], columns: int, y: float, height: float) -> None:
    kit = draft.kit
    width = (kit.inner - (columns - 1) * _COLUMN_GAP) / columns
    inner = width - 2 * _PAD
    for size in kit.sizes(_SIZES):
        paras = [_words(kit, draft.language, item, inner, size) if item else None for item in shown]
        if all(para is None or (para.fits and para.height <= height) for para in paras):
            break
    for i, (item, para) in enumerate(zip(shown, paras, strict=True)):
        if item is None or para is None:
            continue
        row, column = divmod(i, columns)
        box = draft.mirrored(
            Box(
                kit.margin + column * (width + _COLUMN_GAP), y + row * (height + GAP), width, height
            )
        )
        draft.button(item.target, para, box, look="list", pad=_PAD, align=draft.start)


def _words(kit: Kit, language: str, item: _Item, width: float, size: float) -> Para:
    """The name on at most two lines, or the short name where there is one."""
    para = kit.fit(item.name, language, width, (size,), most=2)
    if not para.fits and item.short:
        return kit.fit(item.short, language, width, (size,), most=2)
    return para
