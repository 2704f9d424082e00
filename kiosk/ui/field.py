"""What is drawn over a page as it changes: the text being written, the countdown's bar."""

from __future__ import annotations

from PIL import Image

from kiosk.layout.page import Box, Page
from kiosk.ui.entry import tail
from kiosk.ui.lettering import CAP
from kiosk.ui.pages import Modes, Pages
from kiosk.ui.paint import PRESSED_BORDER, Painter, Px
from kiosk.ui.parts import Draw

CARET = 0.6
"""Width, mm."""
RING = 1.2
INSET = 2.0
"""Of the ring's middle from the field's edge, as around every control."""


def text_patch(
    page: Page, text: str, pages: Pages, modes: Modes, *, ring: bool = False
) -> tuple[Px, Draw] | None:
    """The last lines of the text and the caret, where the page's field says; `ring`: it stands
    out, as a control does in focus.
    """
    target = next((target for target in page.targets if target.look == "field"), None)
    if target is None or not target.runs:
        return None
    run = target.runs[0]
    room, em, leading = run.box, run.em, run.leading
    rows = max(1, int((room.h + 0.01) / leading))
    composer = pages.composer(modes)

    def wrap(paragraph: str) -> list[str]:
        return list(composer.wrap(paragraph, room.w - 2 * CARET, em, False, page.language))

    lines = tail(text, rows, wrap)
    top = room.y + max(0.0, (room.h - rows * leading) / 2)
    edge = PRESSED_BORDER
    box = target.box
    inner = Box(box.x + edge, box.y + edge, box.w - 2 * edge, box.h - 2 * edge)
    around = Box(box.x + INSET, box.y + INSET, box.w - 2 * INSET, box.h - 2 * INSET)

    def draw(image: Image.Image, painter: Painter) -> None:
        view, theme = painter.view, painter.theme
        image.paste(theme.surface, (0, 0, *image.size))
        if ring:
            painter.plate(image, around, 1.0, fill=theme.surface, border=theme.ink, width=RING)
        size = em * view.scale
        x = view.left + (room.right if page.rtl else room.x) * view.scale
        for index, line in enumerate(lines):
            middle = top + leading * (index + 0.5)
            painter.lettering.line(
                image,
                line,
                (x, round(view.top + (middle + em * CAP / 2) * view.scale)),
                size,
                colour=theme.ink,
                align="right" if page.rtl else "left",
            )
        # The caret stands still: a blinking one costs as much as everything else together.
        width = painter.lettering.width(lines[-1], size) / view.scale
        at = room.right - width - CARET - 0.3 if page.rtl else room.x + width + 0.3
        middle = top + leading * (len(lines) - 0.5)
        caret = Box(at, middle - 0.47 * em, CARET, 0.94 * em)
        painter.plate(image, caret, 0, fill=theme.accent)

    return pages.view.px(inner), draw


def bar_patch(page: Page, fraction: float, pages: Pages) -> tuple[Px, Draw] | None:
    """The countdown's bar, `fraction` of it left."""
    mark = next((mark for mark in page.marks if mark.kind == "bar"), None)
    if mark is None:
        return None

    def draw(image: Image.Image, painter: Painter) -> None:
        painter.mark(image, mark, page.rtl, fraction=fraction)

    return pages.view.px(mark.box, 0.5), draw
