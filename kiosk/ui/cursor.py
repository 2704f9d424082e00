"""The control that stands out: where the keyboard is, and what was last spoken."""

from __future__ import annotations

from kiosk.layout.order import choices, controls
from kiosk.layout.page import Page, Target


class Cursor:
    """Knows one control of the page shown; moves as keys say. Draws nothing."""

    def __init__(self) -> None:
        self.name = ""
        """Of the control, empty where none stands out."""
        self.shown = False
        """Whether a ring stands around it: a finger needs none."""
        self._page: Page | None = None
        self._order: tuple[Target, ...] = ()

    @property
    def target(self) -> Target | None:
        """The control itself."""
        return next((each for each in self._order if each.name == self.name), None)

    def screen(self, page: Page, chosen: str = "") -> None:
        """Another page; the control stays where the same screen still has it.

        `chosen`: the answer that stands, where the keyboard begins.
        """
        same = self._page is not None and self._page.screen == page.screen
        self._page, self._order = page, controls(page)
        if same and self.target is not None:
            return
        self.name = ""
        if self.shown:
            self.name = self._first(chosen)

    def go(self, name: str) -> None:
        """Stand on a control."""
        self.name = name

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
        index = self._order.index(here)
        rtl = self._page is not None and self._page.rtl
        match key:
            case "next":
                index += 1
            case "previous":
                index -= 1
            case "right":
                index += -1 if rtl else 1
            case "left":
                index += 1 if rtl else -1
            case "first":
                index = 0
            case "last":
                index = -1
            case "up" | "down":
                self.name = self._beside(here, down=key == "down").name
                return self.target
        self.name = self._order[index % len(self._order)].name
        return self.target

    def _first(self, chosen: str) -> str:
        names = [target.name for target in self._order]
        if chosen in names:
            return chosen
        answers = choices(self._page) if self._page is not None else ()
        return answers[0].name if answers else names[0] if names else ""

    def _beside(self, here: Target, *, down: bool) -> Target:
        """The nearest control above or below, round the edge where there is none."""

        def middle(target: Target) -> tuple[float, float]:
            box = target.box
            return box.x + box.w / 2, box.y + box.h / 2

        x, y = middle(here)
        side = 1 if down else -1
        beyond = [each for each in self._order if side * (middle(each)[1] - y) > 1.0]
        if not beyond:
            edge = (min if down else max)(middle(each)[1] for each in self._order)
            beyond = [each for each in self._order if abs(middle(each)[1] - edge) <= 1.0]
        return min(beyond, key=lambda each: abs(middle(each)[1] - y) * 2 + abs(middle(each)[0] - x))
