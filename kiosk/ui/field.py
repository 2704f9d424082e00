"""What is drawn over a page as it changes: the text being written, the countdown's bar."""

from __future__ import annotations

from PIL import Image

from kiosk.layout.page import Box, Page
from kiosk.ui.entry import tail
from kiosk.ui.pages import Modes, Pages
from kiosk.ui.paint import PRESSED_BORDER, Painter, Px
from kiosk.ui.parts import Draw

PAD = 4.2
"""Text to the field's edge, mm."""


def text_patch(page: Page, text: str, pages: Pages, modes: Modes) -> tuple[Px, Draw] | None:
    """The last lines of the text and the caret, inside the page's field."""
    target = next((target for target in page.targets if target.look == "field"), None)
    if target is None:
        return None
    em = page.panel.u
    leading = em * (1.5 if page.rtl else 1.2)
    box = target.box
    room = Box(box.x + PAD, box.y + 1, box.w - 2 * PAD, box.h - 2)
    rows = max(1, int(room.h / leading))
    composer = pages.composer(modes)

    def wrap(paragraph: str) -> list[str]:
        return composer.wrap(paragraph, room.w - 1, em, False, page.language)

    lines = tail(text, rows, wrap)
    inner = Box(
        box.x + PRESSED_BORDER, box.y + PRESSED_BORDER, box.w - 1.8, box.h - 2 * PRESSED_BORDER
    )
    top = box.y + (box.h - rows * leading) / 2
    joined = "".join(lines)

    def draw(image: Image.Image, painter: Painter) -> None:
        view, theme = painter.view, painter.theme
        size = em * view.scale
        for index, line in enumerate(lines):
            middle = top + leading * (index + 0.5)
            x = view.left + (room.right if page.rtl else room.x) * view.scale
            painter.lettering.line(
                image,
                line.rstrip(),
                (x, round(view.top + (middle + 0.357 * em) * view.scale)),
                size,
                colour=theme.ink,
                align="right" if page.rtl else "left",
                font_for=joined,
            )
            if index == len(lines) - 1:
                # The caret stands still: a blinking one costs as much as everything else.
                width = painter.lettering.width(line, size) / view.scale
                at = room.right - width - 0.9 if page.rtl else room.x + width + 0.3
                caret = Box(at, middle - 0.47 * em, 0.6, 0.94 * em)
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
