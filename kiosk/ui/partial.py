"""Redraw only what changed, where the driver keeps the picture between two frames.

Software GL fills the whole window in 6 ms and a single key in well under one. It draws into memory
that stays as it is after a swap; a GPU promises nothing of the kind, and needs no help either.
"""

from __future__ import annotations

import logging
from typing import Any

from kivy.graphics.opengl import (
    GL_COLOR_BUFFER_BIT,
    GL_RGB,
    GL_SCISSOR_TEST,
    GL_UNSIGNED_BYTE,
    glClear,
    glClearColor,
    glDisable,
    glEnable,
    glReadPixels,
    glScissor,
)

from kiosk.ui.paint import Px

log = logging.getLogger("hymio.ui")


class Partial:
    """Limits a frame to the rectangle that changed since the last one."""

    def __init__(self, window: Any, *, software: bool) -> None:
        self._height = int(window.height)
        self._region: Px | None = None
        self._whole = True
        self._on = software and _keeps_picture(window)
        log.info("partial redraw %s", "on" if self._on else "off")
        window.bind(on_draw=self._before, on_flip=self._after)

    def changed(self, region: Px | None) -> None:
        """A rectangle changed, in px from the top left; None: everything."""
        if region is None:
            self._whole = True
        elif self._region is None:
            self._region = region
        else:
            a, b = self._region, region
            self._region = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))

    def _before(self, *_: object) -> None:
        # A frame asked for by somebody else, an uncovered window, is drawn whole.
        if self._on and not self._whole and self._region is not None:
            left, top, right, bottom = self._region
            glEnable(GL_SCISSOR_TEST)
            glScissor(left, self._height - bottom, right - left, bottom - top)

    def _after(self, *_: object) -> None:
        if self._on:
            glDisable(GL_SCISSOR_TEST)
        self._region, self._whole = None, False


def _keeps_picture(window: Any) -> bool:
    """Whether what was drawn is still there after a swap: tried with a colour of our own."""
    colour = (51, 102, 153)
    glClearColor(*(part / 255 for part in colour), 1)
    glClear(GL_COLOR_BUFFER_BIT)
    window.flip()
    found = glReadPixels(1, 1, 1, 1, GL_RGB, GL_UNSIGNED_BYTE)
    return tuple(found[:3]) == colour
