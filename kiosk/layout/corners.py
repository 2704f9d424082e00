"""The touch test: one target in every corner of the glass, and one in its middle."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.layout import staffbar
from kiosk.layout.bar import centred_square
from kiosk.layout.kit import GAP, QUESTION, Draft, Kit
from kiosk.layout.page import Box, Mark, Page, Target
from kiosk.layout.staffbar import Action
from kiosk.wording import staff, staff_language

NAMES: Final = ("tl", "tr", "bl", "br", "c")
"""Top left, top right, bottom left, bottom right, middle."""
_SIDE: Final = 3.2
"""Side of a target, u."""


def compose(  # noqa: PLR0917
    kit: Kit,
    language: str,
    title: str,
    hit: frozenset[str],
    left: str,
    actions: tuple[Action, ...],
) -> Page:
    """`hit` are those touched already; `left` says how many are not."""
    language = staff_language(language)
    draft = Draft(kit, "corners", language)
    # The outermost millimetres are what is tested: these targets may leave the margins.
    draft.edge = GAP
    side = max(20.0, min(_SIDE * kit.u, (kit.h - 4 * GAP) / 4))
    far_x, far_y = kit.w - GAP - side, kit.h - GAP - side
    middle = Box((kit.w - side) / 2, (kit.h - side) / 2, side, side)
    boxes = {
        "tl": Box(GAP, GAP, side, side),
        "tr": Box(far_x, GAP, side, side),
        "bl": Box(GAP, far_y, side, side),
        "br": Box(far_x, far_y, side, side),
        "c": middle,
    }
    for name in NAMES:
        box = boxes[name]
        done = name in hit
        kind: Mark = Mark("tick" if done else "ring", centred_square(box, 0.5 * side))
        label = staff(language)[f"corner.{name}"]
        draft.targets.append(Target(f"corner.{name}", label, box, "list", 4.0, marks=(kind,)))
    x = 2 * GAP + side + 4
    wide = kit.w - 2 * x
    para = kit.fit(title, language, wide, (*QUESTION, 1.0), most=4, bold=True)
    room = Box(x, kit.margin, wide, middle.y - 4 - kit.margin)
    draft.runs.append(draft.centred("title", para, room, align="center"))
    bottom = kit.h - kit.margin
    if actions:
        bottom = staffbar.place(draft, actions, area=Box(x, 0, wide, bottom), middle=True) - 4
    if left:
        note = kit.fit(left, language, wide, (1.0, 0.9, 0.8), most=2)
        note = replace(note, leading=1.2 * note.em)
        room = Box(x, middle.bottom + 4, wide, bottom - middle.bottom - 4)
        draft.runs.append(draft.centred("left", note, room, align="center"))
    return draft.page()
