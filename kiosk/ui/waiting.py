"""Who is there: a visit left alone is asked about and ended; the thanks go by themselves."""

from __future__ import annotations

from kiosk.speech.parts import Voice
from kiosk.ui.aloud import AFTER_S, SLOWER
from kiosk.ui.answers import Answers
from kiosk.ui.parts import Glass, Store, World

SLOW_SHEETS = ("privacy", "access", "reply", "warning")
"""Read rather than answered: these get the idle time of text."""
BUSY_S = 0.25
"""Between two looks at whether the voice has come to its end."""


class Waiting(Answers):
    """The part of the flow that waits."""

    def __init__(self, glass: Glass, store: Store, world: World, voice: Voice) -> None:
        super().__init__(glass, store, world, voice)
        self._back_to = ""
        self._check_at = 0.0

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

    def _restart(self) -> None:
        language, speech = self._asked_language, self.aloud.on
        self._end("left")
        self._begin(language)
        if speech:
            # Whoever chose this by ear is there, and needs it to go on.
            self._speech(on=True)

    def _language(self, language: str) -> None:
        if language == self.visit.language:
            self._open("")
        elif self.visit.needs_confirmation_for_language and self._thanks is None:
            self._asked_language = language
            self._ask()
        else:
            self.visit.set_language(language)
            self.aloud.changed()
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
        return limit * (SLOWER if self.aloud.on else 1)

    def _wait(self, now: float) -> None:
        if self.sheet == "still":
            passed = now - self._count_from
            if passed >= self._countdown_s:
                self._end("timed-out")
                self._time_out()
            elif int(passed) != self._second:
                self._second = int(passed)
                self._draw_countdown()
                self.aloud.countdown(round(self._left))
        elif self._thanks is not None and not self.sheet:
            heard = self.aloud.speaking or (self.aloud.on and self.aloud.explorer.busy)
            if heard and now - self._touched_at < self._idle_s:
                self._thanks = max(self._thanks, now + AFTER_S)
            elif now >= self._thanks:
                self._begin()
        elif now - self._touched_at >= self._idle_s:
            # After the end there is no visit to hand over.
            self._begin() if self._thanks is not None else self._ask()

    def _time_out(self) -> None:
        """Nobody said that they are still there."""
        speech, language = self.aloud.on, self.visit.language
        self._begin()
        if speech:
            self.aloud.end(language)

    def _due(self) -> float:
        due = [self._waits_for()]
        if self._hold is not None:
            due.append(self._hold)
        if self._prepare is not None:
            due.append(self._prepare)
        if self.aloud.on and self.aloud.explorer.due is not None:
            due.append(self.aloud.explorer.due)
        if self._held_until is not None:
            due.append(self._held_until)
        return max(self._clock(), min(due))

    def _waits_for(self) -> float:
        """When `tick` has something to do where nobody does anything."""
        if self._durable.due is not None:
            return self._durable.due
        if self.pristine:
            return self._check_at
        if self.sheet == "still":
            return self._count_from + self._second + 1
        if self._thanks is not None and not self.sheet:
            # The voice comes to its end at any time.
            soon = self._clock() + BUSY_S
            return min(self._thanks, soon) if self.aloud.on else self._thanks
        return self._touched_at + self._idle_s
