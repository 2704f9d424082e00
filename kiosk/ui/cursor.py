"""The control that stands out: where the keyboard is, and what was last spoken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from kiosk.layout.order import choices, controls
from kiosk.layout.page import Page, Target

ASKED: Final = "question"
"""The run that tells one question's screen from the next one's."""


class Cursor:
    """Knows one control of the page shown; moves as keys say. Draws nothing."""

    def __init__(self) -> None:
        self.name = ""
        """Of the control, empty where none stands out."""
        self.shown = False
        """Whether a ring stands around it: a finger needs none."""
        self._page: Page | None = None
        self._order: tuple[Target, ...] = ()
        self._column: float | None = None
        """Where a way up or down began, mm from the left."""

    @property
    def target(self) -> Target | None:
        """The control itself."""
        return next((each for each in self._order if each.name == self.name), None)

    def screen(self, page: Page, chosen: str = "", *, field: bool = False) -> None:
        """Another page; the control stays where the same screen still has it.

        `chosen`: the answer that stands, where the keyboard begins; `field`: a text is a control.
        """
        same = self._page is not None and _same(self._page, page)
        self._page, self._order = page, controls(page, field=field)
        if same and self.target is not None:
            return
        self._column = None
        self.name = self._first(chosen) if self.shown else ""

    def go(self, name: str) -> None:
        """Stand on a control."""
        self.name, self._column = name, None

    def leave(self) -> None:
        """No control stands out any more."""
        self.name, self.shown = "", False

    def move(self, key: str, chosen: str = "") -> Target | None:
        """`next`, `previous`, `left`, `right`, `up`, `down`, `first`, `last`; the control now.

        The first key of all stands on the answer chosen, or the first there is.
        """
        began, self.shown = not self.shown, True
        if not self._order:
            return None
        here = self.target
        if here is None or began:
            self.name = self.name if here is not None else self._first(chosen)
            return self.target
        if key in ("up", "down"):
            self.name = self._beside(here, down=key == "down").name
            return self.target
        self._column = None
        rtl = self._page is not None and self._page.rtl
        forward = key in ("next", "left" if rtl else "right")
        index = self._order.index(here) + (1 if forward else -1)
        if key in ("first", "last"):
            index = 0 if key == "first" else -1
        self.name = self._order[index % len(self._order)].name
        return self.target

    def _first(self, chosen: str) -> str:
        names = [target.name for target in self._order]
        if chosen in names:
            return chosen
        answers = choices(self._page) if self._page is not None else ()
        if answers or not names:
            return answers[0].name if answers else ""
        ways = [target.name for target in self._order if target.look == "primary"]
        return ways[0] if ways and self._page is not None and _waits(self._page) else names[0]

    def _beside(self, here: Target, *, down: bool) -> Target:
        """The control in the row above or below, in the same column as far as there is one.

        Round the edge where there is no row. The column is the one where the way up or down began.
        """
        if self._column is None:
            self._column = _middle(here)[0]
        column = self._column
        row = _row(self._order, _middle(here)[1], down=down)
        if not row:
            row = _row(self._order, -math.inf if down else math.inf, down=down)

        def off(each: Target) -> tuple[float, float]:
            box = each.box
            return max(box.x - column, column - box.right, 0.0), abs(_middle(each)[0] - column)

        return min(row, key=off)


def _middle(target: Target) -> tuple[float, float]:
    box = target.box
    return box.x + box.w / 2, box.y + box.h / 2


def _row(targets: Sequence[Target], y: float, *, down: bool) -> list[Target]:
    """The nearest row whose middle lies beyond `y`."""
    if down:
        beyond = [each for each in targets if _middle(each)[1] > y + 1.0]
        edge = min((each.box.bottom for each in beyond), default=0.0)
        return [each for each in beyond if each.box.y < edge - 1.0]
    beyond = [each for each in targets if _middle(each)[1] < y - 1.0]
    edge = max((each.box.y for each in beyond), default=0.0)
    return [each for each in beyond if each.box.bottom > edge + 1.0]


def _waits(page: Page) -> bool:
    """Whether the way on comes first: where staff type, and at "are you still there?".

    Who types has a keyboard, and does not need the keys on the glass. The text of visitors may be
    written without one.
    """
    field = any(target.look == "field" for target in page.targets)
    return page.screen == "still" or (field and page.screen != "text")


def _same(before: Page, after: Page) -> bool:
    """Whether a page is the one before it, perhaps in another language or another size."""
    if before.screen != after.screen:
        return False
    return before.language != after.language or _asked(before) == _asked(after)


def _asked(page: Page) -> str:
    return next((run.text or " ".join(run.lines) for run in page.runs if run.name == ASKED), "")
