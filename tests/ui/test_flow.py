"""The way through a visit, from touches and time alone; the window itself is in test_window."""

from __future__ import annotations

import pytest

from sync.contract.bundle import Timing
from tests.ui.stage import PORTRAIT, Stage, bundle, services


@pytest.fixture
def stage() -> Stage:
    return Stage()


def through(stage: Stage, score: int = 9) -> None:
    """To the offer of writing something."""
    stage.tap(f"nps.{score}")
    for face in (5, 4, 3):
        stage.tap(f"face.{face}")
    assert stage.screen == "offer"


def test_a_whole_visit_is_recorded_and_ends_completed(stage: Stage) -> None:
    through(stage)
    stage.tap("skip")
    assert stage.screen == "thanks"
    assert [(answer.question, answer.value) for answer in stage.answers] == [
        *(("nps", 9), ("s05", 5), ("s06", 4), ("s07", 3)),
    ]
    assert [answer.layout for answer in stage.answers] == ["nps-1x11", *["face-5col"] * 3]
    assert [answer.n for answer in stage.answers] == [1, 2, 3, 4]
    (end,) = stage.ends
    assert (end.how, end.shown, end.skipped) == (
        "completed",
        ["nps", "s05", "s06", "s07", "comment"],
        ["comment"],
    )
    stage.tap("done")
    assert stage.screen == "rest"
    assert stage.flow.pristine
    assert len(stage.ends) == 1


def test_the_answer_is_on_disk_before_it_stands_as_chosen(stage: Stage) -> None:
    seen = []
    commit = stage.disk.commit
    stage.disk.commit = lambda *records: (  # type: ignore[method-assign]
        seen.append(dict(stage.glass.states)),
        commit(*records),
    )[1]
    stage.tap("nps.7", pause=0)
    assert seen == [{"nps.7": "pressed"}]
    assert stage.glass.states == {"nps.7": "chosen"}


def test_the_chosen_state_stands_for_the_hold_and_no_longer(stage: Stage) -> None:
    stage.tap("nps.7", pause=0.24)
    assert stage.screen == "rest"
    stage.wait(0.02)
    assert stage.screen == "face"


def test_with_no_hold_the_next_screen_comes_at_once() -> None:
    stage = Stage(timing=Timing(hold_ms=0))
    stage.tap("nps.7", pause=0)
    assert stage.screen == "face"


def test_the_finger_shows_as_pressed_at_once_and_sliding_off_cancels(stage: Stage) -> None:
    stage.down("nps.3")
    assert stage.glass.states == {"nps.3": "pressed"}
    stage.flow.finger("move", 1, 100, 20)
    assert stage.glass.states == {}
    stage.up((100, 20))
    assert stage.answers == []


def test_a_bounce_after_the_answer_does_nothing(stage: Stage) -> None:
    stage.tap("nps.7", pause=0.05)
    stage.tap("nps.7", pause=0.05)
    stage.tap("nps.3")
    assert [answer.value for answer in stage.answers] == [7]


def test_a_tap_within_the_quiet_time_of_the_next_screen_does_nothing(stage: Stage) -> None:
    stage.tap("nps.7", pause=0.3)
    assert stage.screen == "face"
    stage.tap("face.3", pause=0.1)
    assert len(stage.answers) == 1


def test_back_shows_the_answer_as_chosen_and_it_can_be_changed(stage: Stage) -> None:
    stage.tap("nps.7")
    stage.tap("back")
    assert stage.glass.states == {"nps.7": "chosen"}
    stage.tap("nps.4", pause=0.1)
    assert stage.glass.states == {"nps.4": "chosen"}
    stage.wait(1)
    assert [(answer.value, answer.n) for answer in stage.answers] == [(7, 1), (4, 2)]


def test_back_then_skip_withdraws(stage: Stage) -> None:
    stage.tap("nps.7")
    stage.tap("face.2")
    stage.tap("back")
    stage.tap("skip")
    assert stage.answers[-1].question == "s05"
    assert stage.answers[-1].value is None


def test_a_full_disk_keeps_the_answer_pressed_and_retries(stage: Stage) -> None:
    stage.disk.full = True
    stage.tap("nps.7", pause=1)
    assert stage.screen == "rest"
    assert stage.glass.states == {"nps.7": "pressed"}
    stage.tap("nps.2", pause=0)
    stage.disk.full = False
    stage.wait(1)
    assert [answer.value for answer in stage.answers] == [7]
    assert stage.screen == "face"


def test_a_disk_that_stays_full_says_out_of_use_and_loses_nothing(stage: Stage) -> None:
    stage.disk.full = True
    stage.tap("nps.7", pause=10)
    assert stage.screen == "out-of-use"
    stage.disk.full = False
    stage.wait(10)
    assert [answer.value for answer in stage.answers] == [7]
    assert [end.how for end in stage.ends] == ["interrupted"]
    assert stage.screen == "rest"


def test_no_new_visit_when_the_outbox_is_full(stage: Stage) -> None:
    stage.disk.accepting = False
    stage.wait(6)
    assert stage.screen == "out-of-use"
    stage.disk.accepting = True
    stage.wait(6)
    assert stage.screen == "rest"


def test_an_end_that_could_not_be_stored_is_stored_later(stage: Stage) -> None:
    through(stage)
    stage.disk.full = True
    stage.tap("skip")
    assert stage.screen == "thanks"
    stage.wait(10)
    assert stage.screen == "out-of-use"
    stage.disk.full = False
    stage.wait(6)
    assert [end.how for end in stage.ends] == ["completed"]
    assert stage.screen == "rest"


def test_idle_asks_counts_down_and_ends_timed_out(stage: Stage) -> None:
    stage.tap("nps.7")
    stage.wait(24)
    assert stage.screen == "face"
    stage.wait(1.5)
    assert stage.screen == "still"
    bars = [stage.glass.patches["bar"]]
    stage.wait(10)
    bars.append(stage.glass.patches["bar"])
    assert bars[0].tobytes() != bars[1].tobytes()
    stage.wait(8)
    assert stage.screen == "still"
    stage.wait(2)
    assert stage.screen == "rest"
    (end,) = stage.ends
    assert end.how == "timed-out"
    assert end.duration_ms < 1000
    assert [answer.value for answer in stage.answers] == [7]


def test_still_here_goes_on_as_often_as_needed(stage: Stage) -> None:
    stage.tap("nps.7")
    for _ in range(12):
        stage.wait(30)
        assert stage.screen == "still"
        stage.tap("continue")
        assert stage.screen == "face"
    stage.tap("face.4")
    stage.flow.close()
    assert "handover" in stage.ends[0].flags


def test_a_new_respondent_ends_the_visit_as_left(stage: Stage) -> None:
    stage.tap("nps.7")
    stage.wait(30)
    stage.tap("restart")
    assert stage.screen == "rest"
    assert [end.how for end in stage.ends] == ["left"]
    stage.tap("nps.2")
    assert stage.answers[0].visit != stage.answers[1].visit


def test_an_untouched_terminal_never_asks(stage: Stage) -> None:
    stage.wait(600)
    assert stage.screen == "rest"
    assert set(stage.glass.history) == {"rest"}


def test_language_before_an_answer_just_changes(stage: Stage) -> None:
    stage.tap("language.sv")
    assert (stage.screen, stage.language) == ("rest", "sv")
    stage.tap("nps.6")
    assert stage.answers[0].language == "sv"


def test_language_returns_to_the_resting_one(stage: Stage) -> None:
    stage.tap("language.ar")
    stage.wait(60)
    assert (stage.screen, stage.language) == ("rest", "fi")
    assert stage.disk.records == []


@pytest.mark.parametrize(("choice", "screen"), [("continue", "face"), ("restart", "rest")])
def test_language_after_an_answer_asks_who_is_there(stage: Stage, choice: str, screen: str) -> None:
    stage.tap("nps.6")
    stage.tap("language")
    assert stage.screen == "languages"
    stage.tap("language.en")
    assert stage.screen == "still"
    stage.tap(choice)
    assert (stage.screen, stage.language) == (screen, "en")
    assert [end.how for end in stage.ends] == ([] if choice == "continue" else ["left"])


def test_text_is_sent_and_gone(stage: Stage) -> None:
    through(stage)
    stage.tap("comment.here")
    stage.type("hyvä")
    stage.tap("key.⇧")
    stage.type("S")
    assert stage.flow.entry.text == "hyväS"
    stage.tap("key.⌫")
    stage.tap("send")
    assert stage.screen == "thanks"
    assert stage.answers[-1].value == {"text": "hyvä", "redacted": {}}
    assert stage.flow.entry.text == ""


def test_unsent_text_is_discarded_on_timeout(stage: Stage) -> None:
    through(stage)
    stage.tap("comment.here")
    stage.type("salaisuus")
    stage.wait(59)
    assert stage.screen == "text"
    stage.wait(22)
    assert stage.screen == "rest"
    assert stage.flow.entry.text == ""
    assert stage.glass.patches == {}
    assert "salaisuus" not in repr(stage.disk.records)
    assert [end.how for end in stage.ends] == ["timed-out"]


def test_typing_is_activity(stage: Stage) -> None:
    through(stage)
    stage.tap("comment.here")
    for _ in range(10):
        stage.wait(50)
        stage.tap("key.a")
    assert stage.screen == "text"


def test_personal_data_is_warned_about_and_taken_out(stage: Stage) -> None:
    through(stage)
    stage.tap("comment.here")
    stage.tap("key.123")
    stage.type("0401234567")
    stage.tap("send")
    assert stage.screen == "warning"
    stage.tap("comment.edit")
    assert stage.screen == "text"
    assert stage.flow.entry.text == "0401234567"
    stage.tap("send")
    stage.tap("comment.send-without")
    assert stage.screen == "thanks"
    assert "0401234567" not in repr(stage.disk.records)
    assert isinstance(stage.answers[-1].value, dict)
    assert stage.answers[-1].value["redacted"] == {"phone": 1}


def test_nothing_written_and_send_is_a_skip(stage: Stage) -> None:
    through(stage)
    stage.tap("comment.here")
    stage.tap("send")
    assert stage.screen == "thanks"
    assert stage.ends[0].skipped == ["comment"]


def test_thanks_goes_by_itself_after_six_seconds(stage: Stage) -> None:
    through(stage)
    stage.tap("skip")
    stage.wait(5)
    assert stage.screen == "thanks"
    stage.wait(1)
    assert stage.screen == "rest"


def test_any_tap_ends_the_thanks(stage: Stage) -> None:
    through(stage)
    stage.tap("skip")
    stage.flow.finger("down", 1, 108, 20)
    stage.flow.finger("up", 1, 108, 20)
    stage.wait(0.1)
    assert stage.screen == "rest"


def test_a_reply_shows_whom_to_ask(stage: Stage) -> None:
    through(stage)
    stage.tap("skip")
    stage.tap("reply")
    assert stage.screen == "reply"
    stage.wait(20)
    assert stage.screen == "reply"
    stage.tap("done")
    assert stage.screen == "rest"
    assert [end.how for end in stage.ends] == ["completed"]


def test_privacy_and_access_come_back_to_where_one_was(stage: Stage) -> None:
    stage.tap("privacy")
    assert stage.screen == "privacy"
    stage.tap("back")
    assert stage.screen == "rest"
    stage.tap("nps.8")
    stage.tap("access")
    stage.tap("mode.dark")
    assert stage.target("mode.dark").current
    stage.tap("back")
    assert stage.screen == "face"
    stage.tap("face.1")
    assert stage.answers[-1].mode == ["dark"]
    stage.wait(60)
    assert (stage.screen, stage.flow.modes) == ("rest", frozenset())


def test_larger_changes_the_arrangement_that_is_recorded(stage: Stage) -> None:
    stage.tap("access")
    stage.tap("mode.larger")
    stage.tap("back")
    stage.tap("nps.8")
    assert (stage.answers[0].layout, stage.answers[0].mode) == ("nps-2x6", ["larger"])


def test_choice_lists_page_and_answer() -> None:
    stage = Stage(bundle(services=services(12), survey={"ask_service": True}))
    stage.tap("nps.8")
    assert stage.screen == "choice"
    first = {target.name for target in stage.glass.page.targets}  # type: ignore[union-attr]
    stage.tap("more")
    second = {target.name for target in stage.glass.page.targets}  # type: ignore[union-attr]
    assert first != second
    assert stage.answers[-1].question == "nps"
    stage.tap("choice.v11")
    assert stage.answers[-1].value == {"choice": "v11"}
    assert stage.screen == "face"
    stage.tap("back")
    assert stage.screen == "choice"


def test_portrait_records_its_own_arrangement() -> None:
    stage = Stage(screen=PORTRAIT)
    through(stage)
    assert [answer.layout for answer in stage.answers] == ["nps-2x6", *["face-list"] * 3]


def test_arabic_is_mirrored_and_says_so(stage: Stage) -> None:
    zero = stage.middle("nps.0")
    stage.tap("language.ar")
    assert stage.middle("nps.10")[0] == pytest.approx(zero[0])
    stage.tap("nps.10")
    assert (stage.answers[0].value, stage.answers[0].layout) == (10, "nps-1x11-rtl")


def test_closed_by_opening_hours_unless_the_clock_is_not_set() -> None:
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-16:00")
    stage = Stage(location={"hours": hours})  # the stage's day is a Sunday
    assert stage.screen == "closed"
    stage.synced = False
    stage.wait(6)
    assert stage.screen == "rest"


def test_the_next_page_is_painted_ahead(stage: Stage) -> None:
    assert [page.screen for page in stage.glass.prepared] == ["face"]
    stage.tap("nps.8")
    assert stage.glass.prepared[-1].screen == "face"
    assert stage.glass.page == stage.glass.prepared[0]


def test_a_sheet_that_was_shown_is_kept_for_the_next_visitor(stage: Stage) -> None:
    stage.tap("privacy")
    stage.wait(0.1)
    assert stage.screen == "privacy" and "privacy" in stage.glass.kept


def test_a_stopped_terminal_writes_an_open_visit_off(stage: Stage) -> None:
    stage.tap("nps.8")
    stage.flow.close()
    assert [end.how for end in stage.ends] == ["interrupted"]
    stage.flow.close()
    assert len(stage.ends) == 1


def test_start_over_stands_on_the_access_sheet_once_something_was_answered(stage: Stage) -> None:
    stage.tap("access")
    assert stage.glass.page is not None
    assert "restart" not in [target.name for target in stage.glass.page.targets]
    stage.tap("back")
    stage.tap("nps.4")
    stage.tap("access")
    stage.tap("restart")
    assert stage.screen == "rest"
    assert stage.flow.pristine
    (end,) = stage.ends
    assert (end.how, end.shown) == ("left", ["nps", "s05"])
