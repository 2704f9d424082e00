"""Whatever a person does, the records say what the screen showed."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk.questions import choices
from kiosk.visit import InvalidAnswerError, NotNowError
from sync.contract.records import End
from tests.kiosk.visiting import Person, bundle, fold

TEXTS = st.sampled_from(["Hyvä hoitaja", "Soita 040 123 4567", "131052-308T", "", "\n", "x" * 2001])
VALUES = st.integers(-1, 11) | TEXTS | st.sampled_from(["dental", "other", "self", "nobody"])
PAUSES = st.sampled_from([0.0, 0.1, 0.4, 1.0, 19.9, 20.0, 21.0, 90.0])


class Visiting(RuleBasedStateMachine):
    @initialize(
        survey=st.fixed_dictionaries(
            {
                "ask_service": st.booleans(),
                "ask_respondent": st.booleans(),
                "satisfied": st.booleans(),
                "ask_comment": st.booleans(),
                "count": st.integers(1, 5),
                "scale": st.sampled_from(["agree5", "satisfied5", "satisfied3"]),
            }
        )
    )
    def walk_in(self, survey):
        self.person = Person(bundle(**survey))
        self.visit = self.person.visit
        self.seen = {"nps"}
        self.end = None

    def look(self):
        self.seen |= {self.visit.step.question} - {""}

    @rule(value=VALUES, pause=PAUSES, stored=st.sampled_from([True, True, True, False]))
    def answer(self, value, pause, stored):
        """Any value at any moment: taken, or refused without a trace."""
        before = (self.visit.index, dict(self.visit.values))
        self.person.touch(pause)
        try:
            record = self.visit.answer(self.visit.step.question, value, layout="x", mode=[])
        except (InvalidAnswerError, NotNowError):
            record = None
        if record is None or not stored:
            assert (self.visit.index, self.visit.values) == before
            return
        self.person.store(record)
        self.visit.committed(record)
        self.visit.advance()
        self.look()

    @precondition(lambda self: self.end is None and self.visit.step.question)
    @rule(data=st.data(), pause=PAUSES)
    def answer_well(self, data, pause):
        kind, question = self.visit.step.kind, self.visit.step.question
        if kind == "offer":
            self.visit.write()
            return
        value = data.draw(
            {
                "nps": st.integers(0, 10),
                "face": st.sampled_from([1, 3, 5]),
                "choice": st.sampled_from(choices(self.person.bundle, question)),
                "text": st.sampled_from(["Hyvä", "Soita 040 123 4567"]),
            }[kind]
        )
        self.person.tap(value, after=pause)
        self.look()

    @precondition(lambda self: self.end is None and self.visit.index and self.visit.step.question)
    @rule(pause=PAUSES)
    def skip(self, pause):
        self.person.skip(pause)
        self.look()

    @precondition(lambda self: self.end is None)
    @rule(pause=PAUSES)
    def back(self, pause):
        self.person.back(pause)
        self.look()

    @rule(language=st.sampled_from(["fi", "sv", "en"]))
    def change_language(self, language):
        self.visit.set_language(language)

    @rule(how=st.sampled_from(["completed", "timed-out", "left", "interrupted"]), pause=PAUSES)
    def leave(self, how, pause):
        self.person.wait(pause)
        opened = self.visit.open
        try:
            end = self.visit.end(how)
        except NotNowError:
            assert not opened
            return
        assert opened
        assert self.end is None
        self.person.store(end)
        self.end = end

    @invariant()
    def the_records_say_what_the_screen_shows(self):
        assert fold(self.person.answers) == self.visit.values

    @invariant()
    def n_rises(self):
        numbers = [answer.n for answer in self.person.answers]
        assert numbers == sorted(set(numbers))

    @invariant()
    def no_personal_data_is_on_the_disk(self):
        assert "131052" not in repr(self.person.records)
        assert "123 4567" not in repr(self.person.records)

    @invariant()
    def the_end_comes_once_and_last_and_covers_the_answers(self):
        ends = [record for record in self.person.records if isinstance(record, End)]
        assert ends == ([] if self.end is None else [self.end])
        if self.end is None:
            assert self.visit.open == bool(self.person.answers)
            return
        assert self.person.records[-1] is self.end
        assert set(self.end.shown) == self.seen
        assert len(self.end.shown) == len(self.seen)
        assert {answer.question for answer in self.person.answers} <= set(self.end.shown)
        assert set(self.end.skipped) <= set(self.end.shown) - set(self.visit.values)
        assert self.end.duration_ms >= 0
        assert len(self.end.flags) == len(set(self.end.flags))


Visiting.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestVisiting = Visiting.TestCase
