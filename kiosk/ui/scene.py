"""What is on the screen: the visit's state as a page, and what is drawn over it."""

from __future__ import annotations

import logging
from typing import Any

from kiosk import privacy
from kiosk.layout.page import Page
from kiosk.questions import Value, progress
from kiosk.speech.parts import Voice
from kiosk.ui import field
from kiosk.ui.aloud import SLOWER, Aloud
from kiosk.ui.cursor import Cursor
from kiosk.ui.entry import Entry
from kiosk.ui.guard import Guard
from kiosk.ui.pages import Modes, Pages
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

    def __init__(self, glass: Glass, world: World, voice: Voice) -> None:
        self.glass, self.world, self.voice = glass, world, voice
        self._clock = world.clock
        self.entry = Entry()
        self.cursor = Cursor()
        self.aloud = Aloud(voice, world.clock, self.entry)
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
        self._by_key = False
        """Whether a key was the last thing used, not a finger."""

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
            "access": (self.aloud.offered(language), self.visit.open),
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
        # A switch or another layer of keys leaves the screen as it is.
        key = (screen, page.language) if screen in ("access", "text") else (screen, args)
        if self.aloud.on and not self._by_key and self.aloud.fresh(key):
            # Nothing of it was heard yet.
            self.cursor.leave()
        self.cursor.screen(page, self._chosen(page), field=self.aloud.on)
        if self.aloud.on and screen == "still" and self.cursor.shown:
            # What is said last is what a key takes.
            self.cursor.go("continue")
        self.glass.show(page, self.pages.painter(self.modes, screen), self._states(page))
        self.guard.screen(page.targets, quiet=quiet)
        if screen == "text":
            self._draw_text()
        elif screen == "still":
            self._draw_countdown()
        self._prepare = self._clock() + PREPARE_S
        if self.aloud.on:
            self._tell(page, key)

    def _tell(self, page: Page, key: object) -> None:
        """Say the page that is shown, if it is another than before."""
        dots = None if self.sheet or self.down else progress(self.visit.steps, self.visit.index)
        self.aloud.screen(
            page,
            key,
            chosen=self._chosen(page),
            focus=self.cursor.name if self.cursor.shown else "",
            progress=(dots[0] + 1, dots[1]) if dots else None,
            seconds=round(self._left) if page.screen == "still" else None,
        )

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
        ring = self.cursor.shown and self.cursor.name == "field"
        patch = field.text_patch(self.page, self.entry.text, self.pages, self.modes, ring=ring)
        if patch is not None:
            self.glass.patch("field", *patch)

    def _draw_countdown(self) -> None:
        assert self.page is not None  # noqa: S101 - shown just before
        patch = field.bar_patch(self.page, self._left / self._countdown_s, self.pages)
        if patch is not None:
            self.glass.patch("bar", *patch)

    def _prepare_next(self) -> None:
        """Paint the page that comes next, so that a tap finds it ready."""
        self.glass.keep()
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
        return self.bundle.timing.countdown_s * (SLOWER if self.aloud.on else 1)

    @property
    def _left(self) -> float:
        """Of the countdown, in whole seconds passed."""
        return max(0.0, self._countdown_s - int(self._clock() - self._count_from))


def target_of(screen: str, value: Value) -> str:
    """The name of the target that stands for a value on a screen."""
    return f"{ {'rest': 'nps', 'face': 'face'}.get(screen, 'choice') }.{value}"
