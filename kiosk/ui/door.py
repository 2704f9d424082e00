"""The recorder behind a door that can be shut: an outbox that cannot be opened is tried again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from kiosk.questions import steps_of
from kiosk.recorder import Recorder, RecorderError
from sync import clock
from sync.contract.bundle import Bundle
from sync.contract.records import Answer, End, Record
from sync.datadir import DataDir

log = logging.getLogger("hymio.ui")


class Door:
    """Delegates to a recorder once one can be opened; until then nothing is accepted."""

    def __init__(self, data: DataDir, bundle: Bundle, *, shut: str = "") -> None:
        self._data, self._bundle = data, bundle
        self._recorder: Recorder | None = None
        self.reason = shut
        """Why nothing is accepted; "" when that is not known or not so."""
        self._shut = bool(shut)
        self.open()

    def open(self) -> None:
        """Open the outbox and write off the visits a dead terminal left open."""
        if self._shut or self._recorder is not None:
            return
        try:
            self._recorder = Recorder(self._data, self._bundle.storage)
            for answers in self._recorder.open_visits().values():
                self._recorder.commit(interrupted(self._bundle, answers))
        except (RecorderError, OSError) as error:
            log.error("the outbox cannot be opened: %s", error)
            self.reason = str(error)
        else:
            self.reason = ""

    def use(self, bundle: Bundle) -> None:
        """A configuration has come: where there was none, visits can begin."""
        self._bundle, self._shut = bundle, False
        self.open()

    def shut(self, reason: str) -> None:
        """Close the outbox for good, until another configuration is used; why is kept."""
        self._shut, self.reason = True, reason
        self.close()
        self._recorder = None

    @property
    def last_seq(self) -> int:
        """The newest record's position in its epoch. Raises RecorderError."""
        if self._recorder is None:
            raise RecorderError(self.reason or "the outbox is not open")
        return self._recorder.last_seq

    @property
    def accepting(self) -> bool:
        """Whether there is room for another visit."""
        return self._recorder is not None and self._recorder.accepting

    @property
    def fill(self) -> float:
        """Share of the space that is used."""
        return self._recorder.fill if self._recorder else 0.0

    @property
    def epoch(self) -> str:
        """The outbox file's epoch."""
        return self._recorder.epoch if self._recorder else ""

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """What went wrong in the outbox, oldest first."""
        return self._recorder.alarms if self._recorder else []

    def commit(self, *records: Record) -> None:
        """Make records durable or raise RecorderError."""
        if self._recorder is None:
            raise RecorderError(self.reason or "the outbox is not open")
        self._recorder.commit(*records)

    def counts_by_question(self, days: int) -> dict[str, int]:
        """How often each question was shown lately."""
        return self._recorder.counts_by_question(days) if self._recorder else {}

    def tend(self, sender_status: dict[str, Any] | None) -> None:
        """Between visits: prune, checkpoint, or try to open what could not be."""
        self.open()
        if self._recorder is None:
            return
        try:
            self._recorder.tend(sender_status)
        except RecorderError as error:
            log.error("the outbox could not be tended: %s", error)

    def close(self) -> None:
        """Close the outbox."""
        if self._recorder is not None:
            self._recorder.close()


def interrupted(bundle: Bundle, answers: Sequence[Answer]) -> End:
    """The end of a visit the terminal did not live to see, from its answers on the disk.

    What was shown and skipped without an answer is known only where the survey is still the same
    and asks fixed statements; duration runs to the last answer, where both ends are of one boot.
    """
    first, last = answers[0], answers[-1]
    survey = bundle.survey
    answered = list(dict.fromkeys(answer.question for answer in answers))
    shown = answered
    if last.survey == survey.ref and survey.selection == "fixed":
        steps = steps_of(bundle, survey.statements[: survey.count])
        furthest = max(answer.position for answer in answers)
        seen = [step.question for step in steps[: furthest + 1] if step.question]
        shown = list(dict.fromkeys([*seen, *answered]))
    values = {answer.question: answer.value for answer in answers}
    same_boot = first.at.boot == last.at.boot
    return End(
        visit=last.visit,
        how="interrupted",
        duration_ms=last.at.boottime_ms - first.at.boottime_ms if same_boot else 0,
        shown=shown,
        skipped=[question for question in shown if values.get(question) is None],
        selection=survey.selection,
        at=clock.stamp(),
        flags=list(dict.fromkeys(flag for answer in answers for flag in answer.flags)),
        test=last.test,
    )
