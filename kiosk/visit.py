"""One visit: which screen comes next, what is recorded, how it ends.

A visit is one person at one terminal, under one configuration bundle. The window drives it:

    answer = visit.answer("nps", 9, layout="nps-1x11", mode=[])
    recorder.commit(answer)      # durable, or raises and nothing has moved
    visit.committed(answer)      # the value now stands as chosen
    visit.advance()              # after the hold, the next screen

Skip is the same with `record = visit.skip(...)`, where `record` is None when there is nothing to
withdraw. The visit is over when `end` was called; it must be called once when `open`.

Errors: VisitError, with NotNowError for a call that does not fit the moment (another question, or
ended) and InvalidAnswerError for a value the question does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from kiosk import misuse
from kiosk.questions import (
    Content,
    InvalidAnswerError,
    Step,
    Value,
    VisitError,
    content_of,
    progress,
    steps_of,
    value_of,
)
from sync.contract.bundle import Bundle, Statement
from sync.contract.records import NPS, Answer, End, How, Stamp

__all__ = [
    "InvalidAnswerError",
    "NotNowError",
    "Step",
    "Value",
    "Visit",
    "VisitError",
    "steps_of",
]

IDLE_S: Final = 20.0
"""Without a touch for so long, the next answer may be someone else's."""
HANDOVER: Final = "handover"
MAYBE_TWO: Final = "maybe-two"


class NotNowError(VisitError):
    """A call that does not fit the moment."""


class Visit:
    """The state of one visit.

    `clock` gives monotonic seconds, `stamp` the time as records carry it, `new_id` a UUIDv7.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        language: str,
        statements: Sequence[Statement],
        clock: Callable[[], float],
        stamp: Callable[[], Stamp],
        new_id: Callable[[], str],
        privacy_version: str = "",
        test: bool = False,
    ) -> None:
        self.id = new_id()
        self.language = language
        self.steps = steps_of(bundle, statements)
        self.index = 0
        self.patience = 1
        """How many times as long a pause may be; the window raises it while speech is on."""
        self.values: dict[str, Value] = {}
        """What stands as answered, by question."""
        self.shown: list[str] = [NPS]
        """Questions shown, in the order they first were."""
        self._bundle = bundle
        self._zone = ZoneInfo(bundle.location.timezone)
        self._clock = clock
        self._stamp = stamp
        self._privacy = privacy_version or bundle.organisation.privacy_version
        self._test = test
        self._statements = [statement.id for statement in statements]
        self._n = 0
        self._recorded: dict[str, int] = {}
        """The highest `n` on the disk, by question."""
        self._skipped: set[str] = set()
        self._settled = False
        self._ended = False
        self._flags: list[str] = []
        self._in_hours: bool | None = None
        self._watch = misuse.Watch()
        self._first_touch: float | None = None
        self._last_touch: float | None = None
        self._pause = 0.0
        """The longest one so far, once something was recorded."""
        self._idles = 0
        self._idles_when: dict[str, int] = {}
        self._appeared: float | None = None
        """When this screen came, until it was answered; the first has always been there."""

    @property
    def step(self) -> Step:
        """The screen now."""
        return self.steps[self.index]

    @property
    def progress(self) -> tuple[int, int]:
        """Questions behind the person, and questions in all; offer and text are one."""
        return progress(self.steps, self.index)

    @property
    def open(self) -> bool:
        """Whether something was recorded and the end was not: `end` must still be called."""
        return bool(self._recorded) and not self._ended

    @property
    def needs_confirmation_for_language(self) -> bool:
        """Whether a change of language must ask who is there: an answer exists."""
        return bool(self._recorded)

    @property
    def idle_limit(self) -> float:
        """Seconds without a touch before "are you still there?"; the window triples it for speech.

        Typing counts by its touches; finding words takes longer than finding a face.
        """
        timing = self._bundle.timing
        return timing.idle_text_s if self.step.kind == "text" else timing.idle_s

    def touched(self) -> None:
        """Note a touch anywhere: activity, tempo, duration."""
        now = self._seen()
        # Nine keys in two seconds is typing.
        if self.step.kind != "text":
            self._watch.tapped(now)

    def answer(self, question: str, value: Value, *, layout: str, mode: Collection[str]) -> Answer:
        """Build the record of an answer; nothing moves before it is committed.

        `value` is the number on a scale, the id of a choice, or the text as typed: personal data
        is taken out of it here, so that no other text can be recorded.
        Raises InvalidAnswerError, and NotNowError when another question is on the screen.
        """
        self._expect(question)
        if self.step.kind == "offer":
            raise NotNowError("the offer takes no text: call write() first")
        content = content_of(self._bundle, self.step, value)
        now = self._seen()
        if self._appeared is not None:
            self._watch.answered(now - self._appeared)
            self._appeared = None
        return self._record(question, content, layout, mode)

    def skip(self, *, layout: str = "", mode: Collection[str] = ()) -> Answer | None:
        """The record that withdraws an earlier answer to this question, None if there is none.

        Nothing moves: commit the record if there is one, say so by `committed`, then `advance`.
        Raises NotNowError on the first screen and on the thanks, which have no Skip.
        """
        self._expect(self.step.question)
        if self.index == 0:
            raise NotNowError("the first question has no Skip")
        self._seen()
        if self.step.question not in self.values:
            return None
        return self._record(self.step.question, None, layout, mode)

    def committed(self, answer: Answer) -> None:
        """The record is durable: its value now stands as chosen."""
        if answer.visit != self.id or self._ended:
            raise NotNowError("the answer belongs to another visit, or this one has ended")
        if not self._recorded:
            self._in_hours = self._hours_at(answer.at)
        self._flag(*answer.flags)
        if answer.n < self._recorded.get(answer.question, 0):
            return
        self._recorded[answer.question] = answer.n
        self._idles_when[answer.question] = self._idles
        if answer.value is None:
            self.values.pop(answer.question, None)
        else:
            self.values[answer.question] = value_of(answer.value)
            self._skipped.discard(answer.question)
        self._settled = answer.question == self.step.question

    def advance(self) -> None:
        """Leave this question for the next; one left without an answer was skipped."""
        here = self.step.question
        if not here or self._ended:
            raise NotNowError("nothing comes after the thanks")
        if here not in self.values:
            if self.index == 0:
                raise NotNowError("the first question must be answered")
            self._skipped.add(here)
        self._go(
            next(i for i, step in enumerate(self.steps) if i > self.index and step.question != here)
        )

    def write(self) -> None:
        """ "I will write here": from the offer to the text."""
        if self.step.kind != "offer" or self._ended:
            raise NotNowError("only the offer leads to the text")
        self._seen()
        self._go(self.index + 1)

    def back(self) -> None:
        """To the screen before; on the first nothing happens. Raises NotNowError after the end."""
        if self._ended:
            raise NotNowError("the visit has ended")
        self._seen()
        if self.index:
            self._go(self.index - 1)

    def set_language(self, language: str) -> None:
        """Go on in another language; earlier answers keep theirs."""
        if language not in self._bundle.languages:
            raise VisitError(f"{language!r} is not a language of this terminal")
        self.language = language

    def end(self, how: How) -> End:
        """Build the record that ends the visit. Raises NotNowError unless the visit is `open`."""
        if not self.open:
            raise NotNowError("the visit has ended, or nothing was recorded")
        self._ended = True
        statements = [
            value
            for question in self._statements
            if isinstance(value := self.values.get(question), int)
        ]
        first, last = self._first_touch or 0.0, self._last_touch or 0.0
        return End(
            visit=self.id,
            how=how,
            duration_ms=round((last - first) * 1000),
            shown=list(self.shown),
            skipped=[question for question in self.shown if question in self._skipped],
            selection=self._bundle.survey.selection,
            at=self._stamp(),
            flags=[*self._watch.flags(statements, in_hours=self._in_hours), *self._flags],
            test=self._test,
        )

    def _expect(self, question: str) -> None:
        if self._ended or not question or question != self.step.question:
            raise NotNowError(f"{question!r} is not the question on the screen")
        if self._settled:
            # A bounce or a doubled report never answers twice, whatever the window lets through.
            raise NotNowError(f"{question!r} has just been answered")

    def _record(
        self,
        question: str,
        content: Content | None,
        layout: str,
        mode: Collection[str],
    ) -> Answer:
        if self._recorded and self._pause > IDLE_S * self.patience:
            self._flag(HANDOVER)
        changed = question in self._recorded
        idled = self._idles > self._idles_when.get(question, 0)
        # Never given twice: a commit that failed may yet turn out to be on the disk.
        self._n += 1
        return Answer(
            visit=self.id,
            question=question,
            n=self._n,
            value=content,
            language=self.language,
            survey=self._bundle.survey.ref,
            config=self._bundle.version,
            location=self._bundle.location.id,
            layout=layout,
            position=self.index,
            at=self._stamp(),
            mode=sorted(mode),
            flags=[MAYBE_TWO] if changed and idled else [],
            privacy=self._privacy,
            test=self._test,
        )

    def _seen(self) -> float:
        """Note that the person did something now; return the time."""
        now = self._clock()
        pause = 0.0 if self._last_touch is None else now - self._last_touch
        if pause >= IDLE_S * self.patience and not self._recorded:
            # Someone touched the resting screen and left: that was not this visit.
            self._first_touch, self._watch, pause = None, misuse.Watch(), 0.0
        if pause >= IDLE_S * self.patience:
            self._idles += 1
        self._pause = max(self._pause, pause)
        if self._first_touch is None:
            self._first_touch = now
        self._last_touch = now
        return now

    def _go(self, index: int) -> None:
        self.index = index
        self._settled = False
        self._appeared = self._clock()
        if self.step.question and self.step.question not in self.shown:
            self.shown.append(self.step.question)

    def _flag(self, *flags: str) -> None:
        self._flags += [flag for flag in flags if flag not in self._flags]

    def _hours_at(self, at: Stamp) -> bool | None:
        """Whether the place was open; unknown where the clock is."""
        if not at.synced:
            return None
        local = datetime.fromisoformat(at.wall).astimezone(self._zone)
        return misuse.is_open(self._bundle.location.hours, local)
