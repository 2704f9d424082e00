"""A screen for staff on the glass: the machine says what is seen, fingers say what is done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PIL import Image

from kiosk.layout.page import Page
from kiosk.ui import field
from kiosk.ui.cursor import Cursor
from kiosk.ui.guard import Guard
from kiosk.ui.keyboard import Key
from kiosk.ui.pages import Pages
from kiosk.ui.paint import Painter, State
from kiosk.ui.parts import Glass
from kiosk.views import Cleaning, Corners, Keys, Machine, Sheet, Trial, View

log = logging.getLogger("hymio.ui")

SCANNER_S: Final = 0.1
"""A Tab so soon after characters is the end of what a scanner typed."""
MOVES: Final = ("next", "previous", "left", "right", "up", "down", "first", "last")
BACK: Final = (
    *("service.back", "setup.back", "setup.cancel", "setup.change", "sure.no", "warn.no"),
    *("touch.skip", "test.skip", "service.close"),
)
"""What Escape presses: the way back that the screen offers."""
Answered = Callable[[Page, int], None]
"""Called with the page and the number of a test answer."""


class Staff:
    """One machine in front of one person."""

    def __init__(
        self,
        machine: Machine,
        pages: Pages,
        glass: Glass,
        clock: Callable[[], float],
        answered: Answered,
    ) -> None:
        self.machine = machine
        self._glass, self._clock, self._answered = glass, clock, answered
        self.page: Page | None = None
        self._shown: tuple[str, View] | None = None
        self.cursor = Cursor()
        self._typed_at = -SCANNER_S
        self.use(pages)

    def use(self, pages: Pages) -> None:
        """Another configuration, and with it perhaps another panel."""
        self._pages = pages
        touch = pages.bundle.touch
        self.guard = Guard(
            self._clock,
            slop_mm=touch.slop_mm,
            quiet_s=touch.quiet_ms / 1000,
            key_repeat_s=touch.key_repeat_ms / 1000,
        )
        self._shown = None

    def finger(self, what: str, touch: object, x: float, y: float) -> None:
        """A finger does something at a point in mm."""
        before = self.guard.pressed
        if what == "down":
            self._unpoint()
            self.guard.down(touch, x, y)
        elif what == "move":
            self.guard.move(touch, x, y)
        else:
            target = self.guard.up(touch, x, y)
            if before:
                self._glass.state(before, "rest")
            if target is not None:
                self._act(target.name)
            return
        if self.guard.pressed != before:
            if before:
                self._glass.state(before, "rest")
            if self.guard.pressed:
                self._glass.state(self.guard.pressed, "pressed")

    def _act(self, name: str) -> None:
        if not isinstance(self.machine.view(), Trial):
            self.machine.act(name)
        elif name.startswith("nps.") and self.page is not None:
            self._answered(self.page, int(name.removeprefix("nps.")))
        self.show()

    def typed(self, text: str) -> None:
        """A keyboard or a scanner wrote; it is drawn once all of it is read."""
        self._typed_at = self._clock()
        self._unpoint()
        self.machine.typed(text)

    def pressed(self, key: Key) -> None:
        """A key is down: it writes where something is written, else it moves the ring or acts."""
        ends = key.name == "next" and self._clock() - self._typed_at < SCANNER_S
        if ends and not self.cursor.shown:
            self.machine.typed("\n")
        elif key.name == "activate":
            if not key.again:
                self._activate(key)
        elif key.writes and isinstance(self.machine.view(), Keys):
            self.typed(key.writes)
        elif key.name == "back":
            if not key.again:
                self._try(next((name for name in BACK if name in self._names), ""))
        elif key.name in MOVES:
            # Whoever only looks round is there, too.
            self.machine.typed("")
            before = self._ring
            self.cursor.move(key.name)
            self._draw_ring(before)

    def _activate(self, key: Key) -> None:
        if self.cursor.shown:
            self._try(self.cursor.name)
        else:
            self.typed(key.writes)

    def _try(self, name: str) -> None:
        if name and self.guard.ready:
            self._act(name)

    @property
    def _names(self) -> set[str]:
        return {target.name for target in self.page.targets} if self.page else set()

    @property
    def _ring(self) -> str:
        """The control with the ring, empty where none has it."""
        return self.cursor.name if self.cursor.shown else ""

    def _unpoint(self) -> None:
        """Fingers and typing hands need no ring."""
        before = self._ring
        self.cursor.leave()
        self._draw_ring(before)

    def _draw_ring(self, before: str) -> None:
        for name in {before, self._ring} - {""} if before != self._ring else ():
            self._glass.state(name, "focus" if name == self._ring else "rest")

    def tick(self) -> float:
        """Do what is due; when to be called again at the latest (monotonic seconds)."""
        due = self.machine.tick()
        self.show()
        return due

    def show(self, *, anew: bool = False) -> None:
        """Show what the machine says, if it is something else than before."""
        shown = (self.machine.language, self.machine.view())
        before = None if anew else self._shown
        if shown == before:
            return
        self._shown = shown
        language, view = shown
        was = before[1] if before and before[0] == language else None
        if isinstance(view, Keys) and isinstance(was, Keys) and _typed_on(was, view):
            self._draw_field(view)
        elif isinstance(view, Cleaning) and isinstance(was, Cleaning):
            self._draw_bar(view)
        else:
            self._turn(view, same=was is not None and _name(was) == _name(view))

    def _turn(self, view: View, *, same: bool) -> None:
        page = self._compose(view)
        if page.problems:
            log.warning("%s: %s", page.screen, "; ".join(page.problems))
        self.page = page
        painter = self._pages.painter(frozenset(), page.screen)
        self.guard.screen(page.targets, quiet=not same)
        self.cursor.screen(page)
        states: dict[str, State] = {self._ring: "focus"} if self._ring else {}
        if self.guard.pressed:
            states[self.guard.pressed] = "pressed"
        self._glass.show(page, painter, states)
        if isinstance(view, Cleaning):
            self._draw_bar(view)

    def _compose(self, view: View) -> Page:
        composer, language = self._pages.composer(frozenset()), self.machine.language
        match view:
            case Sheet():
                return composer.staff(language, view)
            case Keys():
                return composer.keys(language, view)
            case Corners():
                return composer.corners(language, view.title, view.hit, view.left, view.actions)
            case Cleaning():
                return composer.cleaning(self._visitors_language)
        return self._pages.page(frozenset(), "rest", self._visitors_language)

    @property
    def _visitors_language(self) -> str:
        languages = self._pages.bundle.languages
        return self.machine.language if self.machine.language in languages else languages[0]

    def _draw_field(self, view: Keys) -> None:
        """Only the field changes while somebody types."""
        page = self._compose(view)
        target = next((target for target in page.targets if target.name == "field"), None)
        if target is None:
            return
        painted = target

        def draw(image: Image.Image, painter: Painter) -> None:
            painter.target(image, painted, "rest", page.rtl)

        painter = self._pages.painter(frozenset(), page.screen)
        self._glass.patch("field", painter.region(target), draw)

    def _draw_bar(self, view: Cleaning) -> None:
        if self.page is not None:
            patch = field.bar_patch(self.page, view.fraction, self._pages)
            if patch is not None:
                self._glass.patch("bar", *patch)


def _typed_on(was: Keys, now: Keys) -> bool:
    """Whether two views differ in the field's text at most."""
    return replace(was, text="") == replace(now, text="")


def _name(view: View) -> str:
    if isinstance(view, Sheet | Keys):
        return view.screen
    return type(view).__name__
