"""What happens on the terminal: touches and time in, pages and records out.

Knows nothing of Kivy: the glass, the recorder, clocks and chance are passed in. The order that
matters: a release builds the record, the recorder commits it to disk, and only then the answer
stands as chosen; a commit that fails leaves it pressed and is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk import misuse, privacy, rotation
from kiosk.layout.page import Target
from kiosk.questions import Value, VisitError
from kiosk.recorder import RecorderError
from kiosk.speech.parts import Silence, Voice
from kiosk.ui.durable import RETRY_OUT_S, Durable
from kiosk.ui.guard import Guard
from kiosk.ui.pages import Pages
from kiosk.ui.parts import Glass, Store, World
from kiosk.ui.scene import Scene, target_of
from kiosk.visit import Visit
from sync.contract.records import COMMENT, Answer, How

log = logging.getLogger("hymio.ui")

SLOW_SHEETS = ("privacy", "access", "reply", "warning")
"""Read rather than answered: these get the idle time of text."""


class Flow(Scene):
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
        super().__init__(glass, world)
        self.store = store
        self.voice = voice or Silence()
        self._test = test
        self.last_touch: str | None = None
        self._durable = Durable(store, world.clock)
        self._back_to = ""
        self._hold: float | None = None
        self._thanks: float | None = None
        self._check_at = 0.0
        self._touched_at = self._clock()
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
        self.reset()

    @property
    def pristine(self) -> bool:
        """Whether the terminal stands as the next visitor should find it."""
        if self._durable.waiting or self._hold is not None:
            return False
        return bool(self.down) or (
            not self.visit.values
            and not self.visit.open
            and self.visit.index == 0
            and not self.sheet
            and not self.modes
            and self.visit.language == self.bundle.languages[0]
        )

    def reset(self, language: str = "") -> None:
        """The next visitor: nothing of the last one remains."""
        self.entry.clear()
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
        self._end("interrupted")

    def leave(self) -> None:
        """Somebody else takes the screen: an open visit is written off, the next one is ready.

        An answer that is not stored yet is tried again behind it, and ends its visit by itself.
        """
        if not self._durable.waiting:
            self._end("interrupted")
            self.reset()

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
        before = self.guard.pressed
        if what == "down":
            self._active()
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
                self.reset()
            return
        if self.guard.pressed != before:
            if before:
                self._release(before)
            if self.guard.pressed:
                self.glass.state(self.guard.pressed, "pressed")

    def key(self, name: str) -> None:
        """A key of a keyboard, keypad or switch: `activate`, `back`, or a way of `Cursor.move`."""
        if self.page is None:
            return
        self._active()
        if name == "activate":
            target = self.cursor.target
            if target is not None and self.guard.ready:
                self._try(target)
        elif name == "back":
            target = next((each for each in self.page.targets if each.name == "back"), None)
            if target is not None and self.guard.ready:
                self._try(target)
        else:
            before = self.cursor.name if self.cursor.shown else ""
            self.cursor.move(name, self._chosen(self.page))
            self._draw_focus(before)

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
        before = self.cursor.name if self.cursor.shown else ""
        self.cursor.shown = False
        self._draw_focus(before)
        layers = [self.entry.key(each) for each in pressed]
        self.show(quiet=False) if any(layers) else self._draw_text()

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
            self._release(name)

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
            self.modes = self.modes ^ {value}
            self.show()
        elif group == "key":
            self.show(quiet=False) if self.entry.key(value) else self._draw_text()
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
            self.reset()
        elif self.sheet:
            self._open("")
        else:
            self._skip()

    def _restart(self) -> None:
        language = self._asked_language
        self._end("left")
        self.reset(language)

    def _open(self, sheet: str) -> None:
        self.sheet = sheet
        self.show()

    def _answer(self, question: str, value: Value, target: Target | None) -> None:
        assert self.page is not None  # noqa: S101 - a target of it was tapped
        layout = self.page.arrangement
        record = self.visit.answer(question, value, layout=layout, mode=sorted(self.modes))
        name = target.name if target else ""
        self._commit(record, lambda: self._answered(record, name), name)

    def _skip(self) -> None:
        assert self.page is not None  # noqa: S101 - a target of it was tapped
        record = self.visit.skip(layout=self.page.arrangement, mode=sorted(self.modes))
        if record is None:
            self._next()
            return
        withdrawal = record

        def skipped() -> None:
            self.visit.committed(withdrawal)
            self._next()

        self._commit(record, skipped, "")

    def _send(self) -> None:
        text = self.entry.text
        if not text.strip():
            self._skip()
        elif privacy.find(text):
            self._open("warning")
        else:
            self._answer(COMMENT, text, None)

    def _commit(self, record: Answer, then: Callable[[], None], name: str) -> None:
        """Durable first, acknowledged after; meanwhile the target stays pressed."""
        self.guard.locked = True
        if name:
            self.glass.state(name, "pressed")

        def stored() -> None:
            if not self.down:
                then()
                return
            # Whoever answered has left while the disk was full.
            self.visit.committed(record)
            self._end("interrupted")
            self.reset()

        self._durable.commit(record, stored)

    def _answered(self, record: Answer, name: str) -> None:
        before = self.visit.values.get(record.question)
        self.visit.committed(record)
        assert self.page is not None  # noqa: S101 - a target of it was tapped
        if before is not None and name:
            self.glass.state(target_of(self.page.screen, before), "rest")
        hold = self.bundle.timing.hold_ms / 1000
        if not name or hold <= 0:
            self._next()
            return
        self.glass.state(name, "chosen")
        self._hold = self._clock() + hold

    def _next(self) -> None:
        self._hold = None
        if self.visit.step.kind == "text":
            self.entry.clear()
        self.sheet, self._list_page, self._group = "", 0, ""
        self.visit.advance()
        if self.visit.step.kind == "thanks":
            self._end("completed")
            self._thanks = self._clock() + self.bundle.timing.thanks_s
        self.show()

    def _end(self, how: How) -> None:
        if self.visit.open:
            self._durable.owe(self.visit.end(how))

    def _language(self, language: str) -> None:
        if language == self.visit.language:
            self._open("")
        elif self.visit.needs_confirmation_for_language and self._thanks is None:
            self._asked_language = language
            self._ask()
        else:
            self.visit.set_language(language)
            self._open("")

    def _ask(self) -> None:
        self._back_to = "" if self.sheet == "languages" else self.sheet
        self._count_from, self._second = self._clock(), 0
        self._open("still")

    def _continue(self) -> None:
        if self._asked_language:
            self.visit.set_language(self._asked_language)
            self._asked_language = ""
        self._open(self._back_to)

    @property
    def _idle_s(self) -> float:
        timing = self.bundle.timing
        limit = timing.idle_text_s if self.sheet in SLOW_SHEETS else self.visit.idle_limit
        return limit * (3 if "speech" in self.modes else 1)

    def tick(self) -> float:
        """Do what is due; returns when to be called again at the latest (monotonic seconds)."""
        now = self._clock()
        if self._durable.waiting:
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

    def _wait(self, now: float) -> None:
        if self.sheet == "still":
            passed = now - self._count_from
            if passed >= self._countdown_s:
                self._end("timed-out")
                self.reset()
            elif int(passed) != self._second:
                self._second = int(passed)
                self._draw_countdown()
        elif self._thanks is not None and not self.sheet:
            if now >= self._thanks:
                self.reset()
        elif now - self._touched_at >= self._idle_s:
            # After the end there is no visit to hand over.
            self.reset() if self._thanks is not None else self._ask()

    def _due(self) -> float:
        due = [self._check_at if self.pristine else self._touched_at + self._idle_s]
        if self._durable.due is not None:
            due = [self._durable.due]
        if self._hold is not None:
            due.append(self._hold)
        if self._prepare is not None:
            due.append(self._prepare)
        if self.sheet == "still":
            due.append(self._count_from + self._second + 1)
        elif self._thanks is not None:
            due.append(self._thanks)
        return max(self._clock(), min(due))
