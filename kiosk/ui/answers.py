"""How an answer is given: the record is durable first, and only then stands as chosen."""

from __future__ import annotations

from collections.abc import Callable

from kiosk import privacy
from kiosk.layout.page import Target
from kiosk.questions import Value
from kiosk.speech.parts import Voice
from kiosk.ui.durable import Durable
from kiosk.ui.parts import Glass, Store, World
from kiosk.ui.scene import target_of
from kiosk.ui.switches import Switches
from sync.contract.records import COMMENT, Answer, How


class Answers(Switches):
    """The part of the flow that takes answers and goes from one question to the next."""

    def __init__(self, glass: Glass, store: Store, world: World, voice: Voice) -> None:
        super().__init__(glass, world, voice)
        self.store = store
        self._durable = Durable(store, world.clock)
        self._hold: float | None = None
        self._thanks: float | None = None

    def _begin(self, language: str = "") -> None:
        """The next visitor: the flow knows how."""
        raise NotImplementedError

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
            self._begin()

        self._durable.commit(record, stored)

    def _answered(self, record: Answer, name: str) -> None:
        before = self.visit.values.get(record.question)
        self.visit.committed(record)
        assert self.page is not None  # noqa: S101 - a target of it was tapped
        if before is not None and name:
            self.glass.state(target_of(self.page.screen, before), "rest")
        if self.aloud.on:
            self.aloud.chosen(name)
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

    def _interrupt(self) -> None:
        """Whoever answered is gone; an answer on its way is stored all the same, then the end."""
        record = self._durable.give_up()
        if isinstance(record, Answer):
            self.visit.committed(record)
        self._end("interrupted")

    def _end(self, how: How) -> None:
        if self.visit.open:
            self._durable.owe(self.visit.end(how))
