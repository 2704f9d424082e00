"""What is on the screen: the visit's state as a page, and what is drawn over it."""

from __future__ import annotations

import logging
from typing import Any

from kiosk import privacy
from kiosk.layout.page import Page
from kiosk.questions import Value, progress
from kiosk.ui import field
from kiosk.ui.cursor import Cursor
from kiosk.ui.entry import Entry
from kiosk.ui.guard import Guard
from kiosk.ui.pages import MODES, Modes, Pages
from kiosk.ui.paint import State
from kiosk.ui.parts import Glass, World
from kiosk.visit import Visit
from sync.contract.bundle import Bundle

log = logging.getLogger("hymio.ui")

PREPARE_S = 0.05
"""So long after a page is shown the next one is painted."""


class Scene:
    """The part of the flow that shows; what is shown follows from these attributes alone."""

    pages: Pages
    guard: Guard
    visit: Visit
    bundle: Bundle

    def __init__(self, glass: Glass, world: World) -> None:
        self.glass, self.world = glass, world
        self._clock = world.clock
        self.entry = Entry()
        self.cursor = Cursor()
        self.sheet = ""
        """A screen laid over the visit's own: languages, access, privacy, reply, warning, still."""
        self.modes: Modes = frozenset()
        self.down = ""
        """Why nobody can answer: `out-of-use`, `closed`, or nothing."""
        self.page: Page | None = None
        self._list_page, self._group = 0, ""
        self._asked_language = ""
        self._count_from, self._second = 0.0, -1
        self._prepare: float | None = None

    def _screen(self) -> tuple[str, tuple[Any, ...]]:
        language = self.visit.language
        if self.down:
            return self.down.replace("-", "_"), (language,)
        if not self.sheet:
            return self._step_screen(self.visit.index)
        if self.sheet == "warning":
            found = dict.fromkeys(finding.category for finding in privacy.find(self.entry.text))
            return "warning", (language, tuple(found))
        more: dict[str, tuple[Any, ...]] = {
            "privacy": (self._list_page,),
            "access": (MODES, self.visit.open),
            "still": (bool(self._asked_language),),
        }
        return self.sheet, (language, *more.get(self.sheet, ()))

    def _step_screen(self, index: int) -> tuple[str, tuple[Any, ...]]:
        step, language = self.visit.steps[index], self.visit.language
        dots = progress(self.visit.steps, index)
        match step.kind:
            case "nps":
                return "rest", (language,)
            case "face":
                return "face", (language, step.question, *dots)
            case "choice":
                page, group = (
                    (self._list_page, self._group) if index == self.visit.index else (0, "")
                )
                return "choice", (language, step.question, page, group, dots)
            case "offer":
                return "offer", (language, *dots)
            case "text":
                return "text", (language, self.entry.layer)
        return "thanks", (language, self.world.stamp().wall[:10])

    def show(self, *, quiet: bool = True) -> None:
        """Show what the state says."""
        screen, args = self._screen()
        page = self.pages.page(self.modes, screen, *args)
        if page.problems:
            log.warning("%s: %s", screen, "; ".join(page.problems))
        self.page = page
        self.cursor.screen(page, self._chosen(page))
        self.glass.show(page, self.pages.painter(self.modes, screen), self._states(page))
        self.guard.screen(page.targets, quiet=quiet)
        if screen == "text":
            self._draw_text()
        elif screen == "still":
            self._draw_countdown()
        self._prepare = self._clock() + PREPARE_S

    def _chosen(self, page: Page) -> str:
        """The name of the answer that stands on a page, empty where none does."""
        value = self.visit.values.get(self.visit.step.question)
        if value is None or page.screen not in ("rest", "face", "choice"):
            return ""
        return target_of(page.screen, value)

    def _states(self, page: Page) -> dict[str, State]:
        chosen = self._chosen(page)
        states: dict[str, State] = {chosen: "chosen"} if chosen else {}
        at = self.cursor.name if self.cursor.shown else ""
        if at:
            states[at] = "chosen-focus" if at == chosen else "focus"
        return states

    def _draw_text(self) -> None:
        assert self.page is not None  # noqa: S101 - shown just before
        patch = field.text_patch(self.page, self.entry.text, self.pages, self.modes)
        if patch is not None:
            self.glass.patch("field", *patch)

    def _draw_countdown(self) -> None:
        assert self.page is not None  # noqa: S101 - shown just before
        limit = self._countdown_s
        left = max(0.0, limit - int(self._clock() - self._count_from)) / limit
        patch = field.bar_patch(self.page, left, self.pages)
        if patch is not None:
            self.glass.patch("bar", *patch)

    def _prepare_next(self) -> None:
        """Paint the page that comes next, so that a tap finds it ready."""
        index = self.visit.index + 1
        if self.down or self.sheet:
            return
        if index >= len(self.visit.steps):
            page = self.pages.page(frozenset(), "rest", self.bundle.languages[0])
            self.glass.prepare(page, self.pages.painter(frozenset()))
            return
        if self.visit.step.kind == "offer":
            self._paint(index)
        question = self.visit.step.question
        while index < len(self.visit.steps) and self.visit.steps[index].question == question:
            index += 1
        if index < len(self.visit.steps):
            self._paint(index)

    def _paint(self, index: int) -> None:
        screen, args = self._step_screen(index)
        page = self.pages.page(self.modes, screen, *args)
        self.glass.prepare(page, self.pages.painter(self.modes))

    @property
    def _countdown_s(self) -> float:
        return self.bundle.timing.countdown_s * (3 if "speech" in self.modes else 1)


def target_of(screen: str, value: Value) -> str:
    """The name of the target that stands for a value on a screen."""
    return f"{ {'rest': 'nps', 'face': 'face'}.get(screen, 'choice') }.{value}"
