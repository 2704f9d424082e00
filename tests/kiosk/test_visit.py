"""A visit: what comes next, what is recorded, how it ends."""

import pytest

from kiosk.questions import RESPONDENTS, choices, scale_of, scale_values
from kiosk.visit import InvalidAnswerError, NotNowError, VisitError
from sync.contract.records import MAX_TEXT, OTHER, Text
from tests.kiosk.visiting import MONDAY_NOON, Person, bundle, fold


def kinds(person):
    return [(step.kind, step.question) for step in person.visit.steps]


# -- the way through ---------------------------------------------------------------------


def test_the_default_survey_asks_the_number_three_faces_and_a_comment():
    assert kinds(Person()) == [
        ("nps", "nps"),
        ("face", "s01"),
        ("face", "s02"),
        ("face", "s03"),
        ("offer", "comment"),
        ("text", "comment"),
        ("thanks", ""),
    ]


def test_every_optional_question_has_its_place():
    survey = bundle(ask_service=True, ask_respondent=True, satisfied=True, count=1)
    assert [question for _, question in kinds(Person(survey))] == [
        "nps",
        "service",
        "respondent",
        "satisfied",
        "s01",
        "comment",
        "comment",
        "",
    ]


def test_a_location_with_one_service_does_not_ask_which():
    person = Person(bundle(services=["dental"], ask_service=True, ask_comment=False, count=1))
    assert [question for _, question in kinds(person)] == ["nps", "s01", ""]


def test_progress_counts_questions_and_takes_offer_and_text_as_one():
    person = Person()
    seen = [person.visit.progress]
    person.tap(9)
    seen.append(person.visit.progress)
    for value in (5, 5, 5):
        person.tap(value)
    seen.append(person.visit.progress)
    person.visit.write()
    seen.append(person.visit.progress)
    person.tap("Hyvä")
    seen.append(person.visit.progress)
    assert seen == [(0, 5), (1, 5), (4, 5), (4, 5), (5, 5)]


def test_a_whole_visit_is_recorded_in_order_with_its_circumstances():
    person = Person(bundle(count=1), privacy_version="7", test=True)
    answer = person.visit.answer("nps", 9, layout="nps-2x6", mode={"larger", "dark"})
    assert (answer.question, answer.value, answer.n, answer.position) == ("nps", 9, 1, 0)
    assert (answer.survey, answer.config, answer.location) == ("base@3", 12, "0031")
    assert (answer.layout, answer.mode, answer.language) == ("nps-2x6", ["dark", "larger"], "fi")
    assert (answer.privacy, answer.test, answer.channel) == ("7", True, "terminal")
    assert answer.at.wall == MONDAY_NOON.isoformat()
    person.visit.committed(answer)
    person.visit.advance()
    person.visit.set_language("sv")
    later = person.tap(4)
    assert (later.language, later.position) == ("sv", 1)
    end = person.visit.end("left")
    assert (end.visit, end.how, end.test) == (person.visit.id, "left", True)


def test_the_privacy_version_is_the_organisations_by_default():
    assert Person().tap(9).privacy == "2026-11"


def test_nothing_moves_before_the_record_is_durable():
    person = Person()
    answer = person.visit.answer("nps", 9, layout="x", mode=[])
    assert person.visit.values == {}
    assert person.visit.step.question == "nps"
    assert not person.visit.open
    person.visit.committed(answer)
    assert person.visit.values == {"nps": 9}
    assert person.visit.step.question == "nps"
    assert person.visit.open
    person.visit.advance()
    assert person.visit.step.question == "s01"


def test_an_answer_whose_commit_failed_leaves_no_trace_and_its_number_is_not_given_again():
    person = Person()
    lost = person.visit.answer("nps", 3, layout="x", mode=[])
    again = person.visit.answer("nps", 9, layout="x", mode=[])
    assert again.n > lost.n
    person.visit.committed(again)
    assert person.visit.values == {"nps": 9}


def test_a_late_commit_of_an_older_answer_does_not_replace_a_newer_one():
    person = Person()
    older = person.visit.answer("nps", 3, layout="x", mode=[])
    newer = person.visit.answer("nps", 9, layout="x", mode=[])
    person.visit.committed(newer)
    person.visit.committed(older)
    assert person.visit.values == fold([newer, older]) == {"nps": 9}


def test_a_doubled_tap_never_answers_twice():
    person = Person()
    answer = person.visit.answer("nps", 9, layout="x", mode=[])
    person.visit.committed(answer)
    with pytest.raises(NotNowError):
        person.visit.answer("nps", 9, layout="x", mode=[])


def test_another_question_than_the_one_shown_is_refused():
    person = Person()
    with pytest.raises(NotNowError):
        person.visit.answer("s01", 3, layout="x", mode=[])


# -- Back, Skip, a changed mind ------------------------------------------------------------


def test_a_changed_mind_is_another_answer_and_the_last_one_counts():
    person = Person()
    person.tap(2)
    person.back()
    assert person.visit.values["nps"] == 2
    person.tap(8)
    assert [(a.value, a.n) for a in person.answers] == [(2, 1), (8, 2)]
    assert fold(person.answers) == person.visit.values == {"nps": 8}


def test_back_then_skip_withdraws():
    person = Person()
    person.tap(9)
    person.tap(1)
    person.back()
    person.skip()
    assert person.answers[-1].value is None
    assert person.visit.step.question == "s02"
    assert fold(person.answers) == person.visit.values == {"nps": 9}
    assert person.visit.end("left").skipped == ["s01"]


def test_skipping_what_was_never_answered_records_nothing():
    person = Person()
    person.tap(9)
    person.skip()
    assert len(person.records) == 1
    assert person.visit.step.question == "s02"


def test_an_answer_after_a_skip_is_no_longer_skipped():
    person = Person()
    person.tap(9)
    person.skip()
    person.back()
    person.tap(5)
    assert person.visit.end("left").skipped == []


def test_the_first_question_has_no_skip_and_back_stays_there():
    person = Person()
    with pytest.raises(NotNowError):
        person.visit.skip()
    with pytest.raises(NotNowError):
        person.visit.advance()
    person.back()
    assert person.visit.index == 0


# -- the comment ---------------------------------------------------------------------------


def at_the_offer():
    person = Person(bundle(count=1))
    person.tap(9)
    person.tap(5)
    return person


def test_skipping_the_offer_leads_past_the_text_and_counts_as_shown():
    person = at_the_offer()
    person.skip()
    assert person.visit.step.kind == "thanks"
    end = person.visit.end("completed")
    assert end.shown == ["nps", "s01", "comment"]
    assert end.skipped == ["comment"]


def test_a_text_is_stored_without_the_personal_data_in_it():
    person = at_the_offer()
    person.visit.write()
    answer = person.tap("  Soittakaa 040 123 4567 tai 131052-308T\x00  ")
    assert answer.content() == Text("Soittakaa […] tai […]", {"phone": 1, "identity-code": 1})
    assert person.visit.values["comment"] == "Soittakaa […] tai […]"
    assert person.visit.step.kind == "thanks"


def test_a_text_is_not_taken_on_the_offer():
    person = at_the_offer()
    with pytest.raises(NotNowError):
        person.visit.answer("comment", "Hei", layout="x", mode=[])


def test_back_leads_from_the_text_to_the_offer():
    person = at_the_offer()
    person.visit.write()
    person.back()
    assert person.visit.step.kind == "offer"
    with pytest.raises(NotNowError):
        Person().visit.write()


def test_the_longest_text_fits_even_where_parts_are_taken_out():
    person = at_the_offer()
    person.visit.write()
    text = ("a@b.fi, " * MAX_TEXT)[:MAX_TEXT]
    assert len(person.tap(text).content().text) <= MAX_TEXT


def test_a_timeout_keeps_the_scale_answers_and_no_unsent_text():
    person = at_the_offer()
    person.visit.write()
    for _ in "Odotin":
        person.touch(0.3)
    end = person.visit.end("timed-out")
    assert [a.question for a in person.answers] == ["nps", "s01"]
    assert end.how == "timed-out"
    assert end.shown == ["nps", "s01", "comment"]
    assert end.skipped == []


# -- values --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-1, 11, 9.0, "9", True, None])
def test_what_is_not_on_the_scale_from_0_to_10_is_refused(value):
    with pytest.raises(InvalidAnswerError):
        Person().visit.answer("nps", value, layout="x", mode=[])


@pytest.mark.parametrize("value", [0, 6, True, "5"])
def test_what_is_no_face_is_refused(value):
    person = Person()
    person.tap(9)
    with pytest.raises(InvalidAnswerError):
        person.tap(value)
    person.tap(5)


def test_the_three_faces_have_the_values_1_3_5():
    person = Person(bundle(satisfied=True, scale="satisfied3"))
    person.tap(9)
    for value in (2, 4):
        with pytest.raises(InvalidAnswerError):
            person.visit.answer("satisfied", value, layout="x", mode=[])
    assert [person.tap(value).value for value in (3,)] == [3]
    assert scale_values("satisfied3") == (1, 3, 5)


def test_the_satisfaction_question_never_takes_words_of_agreement():
    survey = bundle(satisfied=True).survey
    assert scale_of(survey, "satisfied") == "satisfied5"
    assert scale_of(survey, "s01") == "agree5"
    assert scale_of(bundle(scale="satisfied3").survey, "satisfied") == "satisfied3"


def test_choices_are_those_given_here_and_other():
    config = bundle(ask_service=True, ask_respondent=True)
    assert choices(config, "service") == ("dental", "clinic", OTHER)
    assert choices(config, "respondent") == RESPONDENTS
    person = Person(config)
    person.tap(9)
    with pytest.raises(InvalidAnswerError):
        person.tap("surgery")
    with pytest.raises(InvalidAnswerError):
        person.tap(1)
    assert person.tap(OTHER).value == {"choice": "other"}
    assert person.tap("child").value == {"choice": "child"}


@pytest.mark.parametrize("text", ["", "  \n", "\x00\u200b", "a" * (MAX_TEXT + 1), 5])
def test_no_text_or_too_long_a_text_is_refused(text):
    person = at_the_offer()
    person.visit.write()
    with pytest.raises(InvalidAnswerError):
        person.visit.answer("comment", text, layout="x", mode=[])


def test_only_the_terminals_languages():
    person = Person()
    with pytest.raises(VisitError):
        person.visit.set_language("ar")


def test_language_asks_who_is_there_once_an_answer_exists():
    person = Person()
    assert not person.visit.needs_confirmation_for_language
    person.tap(9)
    assert person.visit.needs_confirmation_for_language


def test_text_has_a_longer_idle_time_than_scales():
    person = at_the_offer()
    assert person.visit.idle_limit == 25
    person.visit.write()
    assert person.visit.idle_limit == 60


# -- the end -------------------------------------------------------------------------------


def test_a_visit_ends_once_and_takes_nothing_afterwards():
    person = Person()
    person.tap(9)
    person.visit.end("left")
    assert not person.visit.open
    for call in (
        lambda: person.visit.end("left"),
        lambda: person.visit.answer("s01", 5, layout="x", mode=[]),
        lambda: person.visit.committed(person.answers[0]),
        person.visit.skip,
        person.visit.advance,
        person.visit.back,
    ):
        with pytest.raises(NotNowError):
            call()


def test_who_only_touched_the_screen_made_no_visit():
    person = Person()
    person.touch().touch()
    assert not person.visit.open
    with pytest.raises(NotNowError):
        person.visit.end("left")


def test_duration_runs_from_the_first_to_the_last_touch():
    person = Person()
    person.touch(5)
    person.tap(9, after=2)
    person.tap(5, after=1.5)
    person.wait(45)
    assert person.visit.end("timed-out").duration_ms == 3500


def test_a_touch_of_somebody_who_left_does_not_lengthen_the_visit():
    person = Person()
    person.touch()
    person.tap(9, after=300)
    person.tap(5, after=2)
    end = person.visit.end("left")
    assert end.duration_ms == 2000
    assert end.flags == []


def test_selection_is_the_surveys():
    person = Person(bundle(selection="rotated"))
    person.tap(9)
    assert person.visit.end("left").selection == "rotated"


# -- two people, tempo, hours -----------------------------------------------------------------


def flags(person):
    return person.visit.end("left").flags


def test_a_pause_over_20_seconds_between_answers_is_a_handover():
    for pause, expected in ((20.0, []), (20.5, ["handover"])):
        person = Person()
        person.tap(9)
        person.tap(5, after=pause)
        assert flags(person) == expected


def test_typing_is_no_pause():
    person = at_the_offer()
    person.visit.write()
    for _ in range(10):
        person.touch(5)
    person.tap("Hyvä", after=5)
    assert flags(person) == []


def test_a_change_after_20_idle_seconds_may_be_a_second_person():
    for pause, expected in ((19.0, []), (20.0, ["maybe-two"])):
        person = Person()
        person.tap(10)
        person.back(after=pause)
        person.tap(0)
        assert person.answers[-1].flags == expected
        assert [f for f in flags(person) if f == "maybe-two"] == expected


def test_going_on_after_a_pause_and_changing_only_what_came_later_is_no_second_person():
    person = Person()
    person.tap(10)
    person.tap(3, after=30)
    person.back()
    person.tap(4)
    assert person.answers[-1].flags == []
    person.back()
    person.back()
    person.tap(1)
    assert person.answers[-1].flags == ["maybe-two"]


def test_a_withdrawal_after_a_pause_is_a_change_too():
    person = Person()
    person.tap(10)
    person.tap(5)
    person.back(after=25)
    person.skip()
    assert person.answers[-1].flags == ["maybe-two"]


def test_three_screens_answered_faster_than_a_glance_are_a_rush():
    person = Person()
    person.tap(10)
    for value in (5, 4, 5):
        person.tap(value, after=0.4)
    assert flags(person) == ["rush"]


def test_two_quick_screens_are_no_rush():
    person = Person()
    person.tap(10, after=0.1)
    person.tap(5, after=0.4)
    person.tap(5, after=0.4)
    person.tap(5, after=0.45)
    assert flags(person) == []


def test_tapping_again_where_the_disk_failed_is_one_screen():
    person = Person()
    person.tap(10)
    for value in (5, 4, 3, 2):
        person.wait(0.05).visit.answer("s01", value, layout="x", mode=[])
    person.tap(5)
    assert flags(person) == []


def test_quick_and_all_the_same_is_a_straight_rush():
    person = Person()
    person.tap(10)
    for value in (5, 5, 5):
        person.tap(value, after=0.3)
    assert flags(person) == ["rush", "straight-rush"]


def test_mashing_is_marked_and_typing_is_not():
    person = Person()
    for _ in range(9):
        person.touch(0.2)
    person.tap(9)
    assert flags(person) == ["mash"]
    person = at_the_offer()
    person.visit.write()
    for _ in range(40):
        person.touch(0.1)
    person.tap("Nopea")
    assert flags(person) == []


def test_outside_opening_hours_is_marked_only_by_a_clock_that_is_right():
    night = MONDAY_NOON.replace(hour=3)
    for synced, expected in ((True, ["closed"]), (False, [])):
        person = Person(wall=night, synced=synced)
        person.tap(9)
        assert flags(person) == expected
