"""What happens on the terminal: touches and time in, pages and records out.

Knows nothing of Kivy: the glass, the recorder, clocks and chance are passed in. The order that
matters: a release builds the record, the recorder commits it to disk, and only then the answer
stands as chosen; a commit that fails leaves it pressed and is tried again.
"""

from __future__ import annotations

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk import misuse, rotation
from kiosk.layout.page import Target
from kiosk.questions import VisitError
from kiosk.recorder import RecorderError
from kiosk.speech.explore import Step
from kiosk.speech.parts import Silence, Voice
from kiosk.ui.durable import RETRY_OUT_S
from kiosk.ui.guard import Guard
from kiosk.ui.pages import Pages
from kiosk.ui.parts import Glass, Store, World
from kiosk.ui.switches import KEYS
from kiosk.ui.waiting import Waiting
from kiosk.visit import Visit
from sync.contract.records import COMMENT

log = logging.getLogger("hymio.ui")


class Flow(Waiting):
    """One terminal, visit after visit."""

    def __init__(
        self,
        pages: Pages,
        glass: Glass,
        store: Store,
        world: World,
        voice: Voice | None = None,
        *,
        test: bool = False,
    ) -> None:
        super().__init__(glass, store, world, voice or Silence())
        self._test = test
        self.last_touch: str | None = None
        self.use(pages)

    def use(self, pages: Pages) -> None:
        """Take another configuration into use; only between visits."""
        self.pages, self.bundle = pages, pages.bundle
        touch = self.bundle.touch
        self.guard = Guard(
            self._clock,
            slop_mm=touch.slop_mm,
            quiet_s=touch.quiet_ms / 1000,
            key_repeat_s=touch.key_repeat_ms / 1000,
        )
        self.aloud.use(self.bundle)
        self._begin()

    def reset(self) -> None:
        """The next visitor: nothing of the last one remains. The screen is the visitors' again."""
        self._away = False
        self._interrupt()
        self._begin()

    def _begin(self, language: str = "") -> None:
        self.entry.clear()
        self.aloud.reset()
        self.sheet, self.modes, self._asked_language = "", frozenset(), ""
        self._hold = self._thanks = None
        self._list_page, self._group = 0, ""
        self.cursor.leave()
        survey = self.bundle.survey
        counts = self._counts() if survey.selection == "rotated" else {}
        self.visit = Visit(
            self.bundle,
            language=language or self.bundle.languages[0],
            statements=rotation.statements(survey, counts, self.world.random),
            clock=self._clock,
            stamp=self.world.stamp,
            new_id=self.world.new_id,
            privacy_version=self.bundle.organisation.privacy_version,
            test=self._test,
        )
        self.glass.forget()
        self.guard.cancel()
        self.check()
        self.show()

    def check(self) -> None:
        """Decide whether the terminal can take a visit now."""
        self._check_at = self._clock() + RETRY_OUT_S
        self._durable.settle()
        if self._durable.owing or not self.store.accepting:
            self.down = "out-of-use"
        else:
            self.down = "closed" if self._closed() else ""

    def close(self) -> None:
        """The program ends: an open visit is written off as interrupted."""
        self.aloud.reset()
        self._end("interrupted")

    def leave(self) -> None:
        """Somebody else takes the screen: an open visit is written off, the next one is ready."""
        self._away = True
        self._interrupt()
        self._begin()

    def _closed(self) -> bool:
        hours = self.bundle.location.hours
        stamp = self.world.stamp()
        # A clock that is not set must not close the terminal.
        if not hours or not stamp.synced:
            return False
        zone = ZoneInfo(self.bundle.location.timezone)
        return misuse.is_open(hours, datetime.fromisoformat(stamp.wall).astimezone(zone)) is False

    def _counts(self) -> dict[str, int]:
        try:
            return self.store.counts_by_question(30)
        except RecorderError as error:
            log.warning("rotation without counts: %s", error)
            return {}

    def finger(self, what: str, touch: object, x: float, y: float) -> None:
        """A finger does something at a point in mm."""
        self._finger = (touch, x, y) if what != "up" else (None, 0.0, 0.0)
        if what == "down":
            self._by_key = False
            self._active()
        if self.aloud.on:
            self._follow(self._explore(what, touch, x, y))
            return
        before = self.guard.pressed
        if what == "down":
            self._point("")
            self.guard.down(touch, x, y)
        elif what == "move":
            self.guard.move(touch, x, y)
        else:
            target = self.guard.up(touch, x, y)
            if before:
                self._release(before)
            if target is not None:
                self._try(target)
            elif self._thanks is not None and not before and not self.sheet:
                self._begin()
            return
        if self.guard.pressed != before:
            if before:
                self._release(before)
            if self.guard.pressed:
                self.glass.state(self.guard.pressed, "pressed")

    def _follow(self, step: Step | None) -> None:
        """Do what a finger asks for while speech is on."""
        if step is None or self.page is None:
            return
        self._touched_at = self._clock()
        name = step.name
        target = next((each for each in self.page.targets if each.name == name), None)
        if step.kind == "hear" or target is None or target.look == "quiet":
            self._point(name if target is not None and target.look != "quiet" else "")
            self.aloud.hear(name)
        elif self.guard.ready:
            self._take(target)

    def _take(self, target: Target) -> None:
        """A control is meant: by a finger, by two taps, or by a key."""
        said = self.aloud.said
        self._try(target)
        if self.aloud.on and self.aloud.said == said and not self.guard.locked:
            # What was done is heard: a switch that is on now, a page that stays as it was.
            self.aloud.hear(target.name)

    def key(self, name: str) -> None:
        """A key of a keyboard, keypad or switch: `activate`, `back`, a way of `Cursor.move`, or
        one of `switches.KEYS`.
        """
        if self.page is None:
            return
        self._active()
        self._by_key = True
        if name in KEYS:
            self._speech_key(name)
            return
        telling = self.aloud.telling and self.page.screen != "still"
        self.aloud.hush()
        if name in ("activate", "back"):
            # Without a ring, what was said last is meant.
            meant = self.cursor.name or (self.aloud.explorer.current if self.aloud.on else "")
            wanted = "back" if name == "back" else meant
            target = next((each for each in self.page.targets if each.name == wanted), None)
            if target is None or not self.guard.ready:
                return
            if name == "activate" and telling:
                # It comes last in what is told: nobody has heard yet what the key would take.
                self.aloud.hear(target.name)
            else:
                self._take(target)
        else:
            before = self.cursor.name if self.cursor.shown else ""
            self.cursor.move(name, self._chosen(self.page))
            self._draw_focus(before)
            if self.aloud.on and self.cursor.name:
                self.aloud.hear(self.cursor.name)

    @property
    def writing(self) -> bool:
        """Whether characters of a keyboard go into the text."""
        return self.page is not None and self.page.screen == "text" and not self.guard.locked

    def typed(self, text: str) -> None:
        """A keyboard's characters, `\\n` and `\\b` too; outside the text they do nothing."""
        keys = {" ": "space", "\n": "enter", "\b": "⌫"}
        pressed = [keys.get(each, each) for each in text if each in keys or each.isprintable()]
        if not self.writing or not pressed:
            return
        self._active()
        self.aloud.hush()
        before = self.cursor.name if self.cursor.shown else ""
        self.cursor.shown = False
        self._draw_focus(before)
        text = self.entry.text
        layers = [self.entry.key(each) for each in pressed]
        self.show(quiet=False) if any(layers) else self._draw_text()
        self.aloud.written(text)

    def _active(self) -> None:
        """Somebody is there."""
        self._touched_at = self._clock()
        self.last_touch = self.world.stamp().wall
        if not self.down:
            self.visit.touched()

    def _point(self, name: str) -> None:
        """The ring stands around a control, or around none."""
        before = self.cursor.name if self.cursor.shown else ""
        if name:
            self.cursor.go(name)
            self.cursor.shown = True
        else:
            self.cursor.leave()
        self._draw_focus(before)

    def _draw_focus(self, before: str) -> None:
        now = self.cursor.name if self.cursor.shown else ""
        for name in {before, now} - {""} if before != now else ():
            # The text lies over the field, and has its ring.
            self._draw_text() if name == "field" else self._release(name)

    def _release(self, name: str) -> None:
        """A target looks again as it did before the finger."""
        if self.page is not None:
            self.glass.state(name, self._states(self.page).get(name, "rest"))

    def _try(self, target: Target) -> None:
        try:
            self._act(target)
        except VisitError as error:
            # A tap that does not fit the moment changes nothing.
            log.warning("%s not taken: %s", target.name, error)
            self.show()

    def _act(self, target: Target) -> None:
        group, _, value = target.name.partition(".")
        question = self.visit.step.question
        if group in ("nps", "face"):
            self._answer(question, int(value), target)
        elif group == "choice":
            self._answer(question, value, target)
        elif group == "group":
            self._group, self._list_page = value, 0
            self.show()
        elif group == "language" and value:
            self._language(value)
        elif group == "mode":
            self.switch(value)
        elif group == "speech":
            self._control(value)
        elif group == "key":
            before = self.entry.text
            self.show(quiet=False) if self.entry.key(value) else self._draw_text()
            self.aloud.typed(target.name, before)
        else:
            self._press(target.name)

    def _press(self, name: str) -> None:
        match name:
            case "access" | "privacy" | "language" | "reply":
                sheet = {"language": "languages"}.get(name, name)
                self._list_page = 0
                self._open("" if self.sheet == sheet else sheet)
            case "back" | "comment.edit":
                self._back()
            case "more" | "next":
                self._list_page += 1
                self.show()
            case "skip":
                self._skip()
            case "done":
                self._done()
            case "comment.here":
                self.visit.write()
                self.show()
            case "send":
                self._send()
            case "comment.send-without":
                self._answer(COMMENT, self.entry.text, None)
            case "field":
                self.aloud.read()
            case "continue":
                self._continue()
            case "restart":
                self._restart()

    def _back(self) -> None:
        if self.sheet:
            self._open("")
            return
        if self._group:
            self._group = ""
        else:
            self.visit.back()
        self._list_page = 0
        self.show()

    def _done(self) -> None:
        if self._thanks is not None:
            self._begin()
        elif self.sheet:
            self._open("")
        else:
            self._skip()

    def tick(self) -> float:
        """Do what is due; returns when to be called again at the latest (monotonic seconds)."""
        now = self._clock()
        if self.aloud.on:
            self._follow(self.aloud.explorer.tick())
        self._listen(now)
        if self._durable.waiting:
            self.aloud.saving()
            self._durable.tick(now)
            if self._durable.stuck and not self.down:
                self.down = "out-of-use"
                self.show()
        elif self._hold is not None:
            if now >= self._hold:
                self._next()
        elif self.pristine:
            if now >= self._check_at:
                before = self.down
                self.check()
                if self.down != before:
                    self.show()
        else:
            self._wait(now)
        if self._prepare is not None and now >= self._prepare:
            self._prepare = None
            self._prepare_next()
        return self._due()
