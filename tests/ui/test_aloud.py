"""What is said when, and what a finger or a key does while speech is on."""

from __future__ import annotations

from random import Random

import pytest

from kiosk.speech.parts import Part
from sync.contract.bundle import Screen, Speech, Timing
from sync.contract.records import Answer
from tests.ui.listener import NOWHERE, Listener
from tests.ui.stage import PORTRAIT, services


@pytest.fixture
def stage() -> Listener:
    return Listener()


# --- starting ---------------------------------------------------------------------------------


def test_speech_begins_with_how_to_go_about_it_and_the_screen(stage: Listener) -> None:
    (said,) = stage.voice.heard
    assert said.startswith(stage.word("spoken.on"))
    assert stage.word("nps.question") in said
    assert said.endswith(stage.word("spoken.help"))


def test_without_speech_nothing_is_said() -> None:
    stage = Listener(on=False)
    for name in ("access", "mode.dark", "back", "nps.3", "face.2"):
        stage.tap(name)
    for key in ("next", "repeat", "louder", "pause"):
        stage.flow.key(key)
    stage.wait(200)
    assert stage.voice.said == []
    assert stage.voice.volume == 60


def test_holding_the_access_button_for_two_seconds_begins_speech_and_opens_nothing() -> None:
    stage = Listener(on=False)
    at = stage.middle("access")
    stage.down("access")
    stage.wait(1.9)
    assert not stage.on
    stage.wait(0.2)
    assert stage.on
    stage.wait(3)
    stage.up(at)
    stage.wait(1)
    assert stage.screen == "rest"
    assert len(stage.voice.said) == 1, "the held finger must not be read to"
    assert stage.glass.states == {}


def test_the_finger_that_held_the_access_button_can_go_on_to_explore() -> None:
    stage = Listener(on=False)
    stage.down("access")
    stage.wait(2.5)
    stage.flow.finger("move", 1, *stage.middle("nps.4"))
    assert stage.voice.last.startswith("4")


def test_a_shorter_hold_opens_the_sheet_as_always() -> None:
    stage = Listener(on=False)
    at = stage.middle("access")
    stage.down("access")
    stage.wait(1.5)
    stage.up(at)
    assert stage.screen == "access"
    assert not stage.on


def test_the_switch_begins_and_ends_speech() -> None:
    stage = Listener(on=False)
    stage.tap("access")
    stage.tap("mode.speech")
    assert stage.on
    assert stage.voice.last.startswith(stage.word("spoken.on"))
    assert stage.target("mode.speech").current
    stage.choose("mode.speech")
    assert not stage.on
    assert stage.voice.last == stage.word("spoken.off")
    stage.tap("mode.dark")
    assert stage.flow.modes == {"dark"}


def test_the_key_begins_and_ends_speech(stage: Listener) -> None:
    stage.flow.key("speech")
    assert not stage.on
    assert stage.voice.last == stage.word("spoken.off")
    stage.flow.key("speech")
    assert stage.on


def test_plugging_headphones_in_begins_and_pulling_them_out_ends_speech() -> None:
    stage = Listener(on=False)
    stage.voice.headphones = True
    stage.wait(6)
    assert stage.on
    stage.voice.headphones = False
    stage.wait(6)
    assert not stage.on


def test_headphones_that_were_in_before_are_no_event() -> None:
    stage = Listener(on=False, plugged=True)
    stage.wait(10)
    assert not stage.on
    stage.flow.key("speech")
    stage.choose("nps.9")
    stage.flow.key("speech")
    stage.wait(300)
    assert stage.screen == "rest"
    assert not stage.on


def test_headphones_noticed_before_the_voice_is_ready_are_no_event() -> None:
    stage = Listener(on=False)
    stage.voice.available = False
    stage.voice.headphones = True
    stage.wait(6)
    stage.voice.available = True
    stage.wait(6)
    assert not stage.on


def test_a_voice_that_fails_leaves_a_screen_that_works_without_it(stage: Listener) -> None:
    stage.choose("nps.7")
    stage.voice.available = False
    stage.wait(0.3)
    assert not stage.on
    stage.tap("face.4")
    assert [answer.mode for answer in stage.answers] == [["speech"], []]


def test_a_language_without_a_voice_leaves_a_screen_that_works_without_it(
    stage: Listener,
) -> None:
    stage.voice.languages = ("en",)
    stage.choose("language.ar")
    assert not stage.on
    stage.tap("nps.4")
    assert [(answer.value, answer.mode) for answer in stage.answers] == [(4, [])]


def test_nothing_is_pulled_out_of_a_speech_begun_without_headphones(stage: Listener) -> None:
    stage.voice.headphones = True
    stage.wait(1)
    assert stage.on
    assert len(stage.voice.said) == 1


@pytest.mark.parametrize(
    ("speech", "available", "plugged", "languages", "offered"),
    [
        (Speech(), True, False, ("en",), True),
        (Speech(), False, False, ("en",), False),
        (Speech(enabled=False), True, True, ("en",), False),
        (Speech(loudspeaker=False), True, False, ("en",), False),
        (Speech(loudspeaker=False), True, True, ("en",), True),
        (Speech(), True, False, ("fi",), False),
    ],
)
def test_speech_is_offered_where_somebody_could_be_spoken_to(
    speech: Speech, available: bool, plugged: bool, languages: tuple[str, ...], offered: bool
) -> None:
    stage = Listener(on=False, speech=speech, plugged=plugged)
    stage.voice.available = available
    stage.voice.languages = languages
    at = stage.middle("access")
    stage.down("access")
    stage.wait(3)
    assert stage.on is offered
    stage.up(at)
    stage.flow.reset()
    stage.wait(1)
    stage.flow.key("speech")
    assert stage.on is offered
    stage.flow.reset()
    stage.wait(1)
    stage.tap("access")
    assert stage.glass.page is not None
    names = [target.name for target in stage.glass.page.targets]
    assert ("mode.speech" in names) is offered
    assert "speech.repeat" not in names


def test_nobody_is_spoken_to_while_staff_have_the_screen() -> None:
    stage = Listener(on=False)
    stage.flow.leave()
    stage.voice.headphones = True
    stage.wait(5)
    assert stage.voice.said == []
    stage.flow.reset()
    stage.voice.headphones = False
    stage.wait(1)
    stage.voice.headphones = True
    stage.wait(1)
    assert stage.on


def test_staff_can_hold_the_logo_while_somebody_is_spoken_to(stage: Listener) -> None:
    stage.down("logo")
    stage.wait(5)
    assert stage.flow.guard.pressed == "logo"
    stage.up(stage.middle("logo"))
    assert stage.flow.guard.pressed == ""


def test_a_terminal_out_of_use_does_not_begin_to_speak() -> None:
    stage = Listener(on=False)
    stage.disk.accepting = False
    stage.wait(6)
    stage.flow.key("speech")
    stage.voice.headphones = True
    stage.wait(1)
    assert stage.voice.said == []


# --- exploring and choosing -------------------------------------------------------------------


def test_exploring_says_what_is_there_rings_it_and_answers_nothing(stage: Listener) -> None:
    said = stage.explore("nps.7")
    assert said == f"7 {stage.word('spoken.position', n=8, m=11)}"
    assert stage.glass.states == {"nps.7": "focus"}
    assert stage.answers == []


def test_a_text_is_read_again_and_has_no_ring(stage: Listener) -> None:
    page = stage.glass.page
    assert page is not None
    box = next(run.box for run in page.runs if run.name == "question")
    stage.rest(box.x + 5, box.y + 5)
    assert stage.voice.last == stage.word("nps.question")
    assert stage.glass.states == {}
    stage.twice()
    assert stage.answers == []
    assert stage.voice.last == stage.word("nps.question")


def test_a_double_tap_anywhere_answers_and_the_next_question_follows(stage: Listener) -> None:
    stage.explore("nps.7")
    number = len(stage.voice.said)
    stage.twice()
    assert [answer.value for answer in stage.answers] == [7]
    assert stage.answers[0].mode == ["speech"]
    confirmed, question = stage.since(number)
    assert confirmed == stage.word("spoken.chosen")
    assert question.startswith(stage.word("spoken.progress", n=2, m=5))
    assert stage.word("statement.s05") in question
    # Both are heard, one after the other.
    assert len(stage.voice.now) == 2
    assert stage.glass.states == {}


def test_through_headphones_the_confirmation_says_what_was_chosen() -> None:
    stage = Listener(plugged=True)
    stage.explore("nps.7")
    number = len(stage.voice.said)
    stage.twice()
    assert stage.since(number)[0] == f"7 {stage.word('spoken.chosen')}"
    stage.explore("face.4")
    number = len(stage.voice.said)
    stage.twice()
    assert stage.since(number)[0] == f"{stage.word('agree.4')} {stage.word('spoken.chosen')}"


def test_a_touch_stops_speech_and_so_does_a_key(stage: Listener) -> None:
    assert stage.voice.busy
    stage.flow.finger("down", 1, *NOWHERE)
    assert not stage.voice.busy
    stage.flow.finger("up", 1, *NOWHERE)
    stage.explore("nps.3")
    assert stage.voice.busy
    stage.flow.key("back")
    assert not stage.voice.busy


def test_an_answer_that_stands_is_called_selected(stage: Listener) -> None:
    stage.choose("nps.7")
    stage.choose("back")
    assert stage.word("spoken.selected") in stage.explore("nps.7")
    assert stage.word("spoken.selected") not in stage.explore("nps.8")


def test_every_double_tap_is_heard_to_have_done_something(stage: Listener) -> None:
    for name in ("access", "mode.dark", "back", "privacy", "back", "language.en"):
        stage.explore(name)
        number = len(stage.voice.said)
        stage.twice()
        assert stage.since(number), name


def test_switches_say_how_they_stand(stage: Listener) -> None:
    stage.choose("access")
    assert stage.word("mode.off") in stage.explore("mode.larger")
    stage.twice()
    assert stage.flow.modes == {"speech", "larger"}
    assert stage.word("mode.on") in stage.voice.last
    assert stage.word("access.title") not in stage.voice.last
    stage.twice()
    assert stage.flow.modes == {"speech"}


def test_another_language_speaks_at_once_with_its_own_voice(stage: Listener) -> None:
    stage.explore("language.sv")
    assert stage.voice.said[-1][0].language == "sv"
    stage.twice()
    assert stage.language == "sv"
    assert {part.language for part in stage.voice.said[-1]} == {"sv"}
    assert stage.word("nps.question") in stage.voice.last


def test_a_list_that_goes_on_tells_its_next_page() -> None:
    stage = Listener(services=services(12), survey={"ask_service": True})
    stage.choose("nps.8")
    number = len(stage.voice.said)
    stage.choose("more")
    assert stage.since(number)[-1] != stage.since(number)[0]
    assert stage.word("which-service.question") in stage.voice.last


def test_a_keyboard_hears_the_control_it_moves_to(stage: Listener) -> None:
    stage.flow.key("next")
    assert stage.voice.last.startswith("0")
    stage.flow.key("next")
    assert stage.voice.last.startswith("1 ")
    stage.flow.key("activate")
    stage.wait(1)
    assert [answer.value for answer in stage.answers] == [1]
    # The keyboard already stands on the first of the next ones.
    assert stage.word("statement.s05") in stage.voice.last
    assert stage.word("agree.1") in stage.voice.last
    stage.voice.finish()
    stage.flow.key("activate")
    stage.wait(1)
    assert [answer.value for answer in stage.answers] == [1, 1]


def test_what_a_keyboard_made_heard_is_what_two_taps_choose(stage: Listener) -> None:
    stage.flow.key("next")
    stage.flow.key("next")
    stage.twice()
    assert [answer.value for answer in stage.answers] == [1]


# --- repeat, pause, volume --------------------------------------------------------------------


def test_the_key_repeats_what_was_said_last(stage: Listener) -> None:
    said = stage.explore("nps.2")
    stage.flow.key("repeat")
    assert stage.voice.heard[-2:] == [said, said]


def test_repeat_on_the_sheet_is_about_what_was_heard_before_it(stage: Listener) -> None:
    said = stage.explore("nps.2")
    stage.choose("access")
    stage.choose("speech.repeat")
    assert stage.voice.last == said
    assert stage.screen == "access"


def test_pause_stands_still_and_goes_on_where_it_stood(stage: Listener) -> None:
    said = list(stage.voice.said)
    stage.flow.key("pause")
    assert stage.voice.paused
    assert stage.voice.busy
    stage.flow.key("pause")
    assert not stage.voice.paused
    assert stage.voice.busy
    assert stage.voice.said == said


def test_the_sheet_offers_pause_and_then_resume(stage: Listener) -> None:
    said = stage.voice.heard[0]
    stage.choose("access")
    stage.choose("speech.pause")
    assert not stage.voice.busy
    stage.choose("speech.resume")
    assert stage.voice.last == said
    assert "speech.pause" in [target.name for target in stage.glass.page.targets]  # type: ignore[union-attr]


def test_volume_goes_in_steps_of_ten_and_is_said(stage: Listener) -> None:
    stage.flow.key("louder")
    assert stage.voice.volume == 70
    assert stage.voice.last == stage.word("spoken.volume", n=70)
    stage.choose("access")
    for _ in range(8):
        stage.choose("speech.quieter")
    assert stage.voice.volume == 10
    assert stage.voice.last == stage.word("spoken.volume", n=10)
    for _ in range(12):
        stage.flow.key("louder")
    assert stage.voice.volume == 100


def test_all_modes_and_the_volume_return_after_the_visit_and_nothing_is_known_of_it() -> None:
    stage = Listener(speech=Speech(volume=40))
    assert stage.voice.volume == 40
    stage.flow.key("louder")
    stage.choose("access")
    stage.choose("mode.larger")
    stage.choose("mode.dark")
    stage.choose("back")
    stage.choose("nps.8")
    assert stage.answers[0].mode == ["dark", "larger", "speech"]
    stage.voice.forgotten = 0
    stage.flow.leave()
    assert stage.flow.modes == frozenset()
    assert stage.voice.volume == 40
    assert not stage.voice.busy
    assert stage.voice.forgotten == len(stage.voice.said)
    stage.flow.reset()
    stage.flow.key("speech")
    stage.flow.key("speech")
    stage.flow.key("speech")
    assert "nps.8" not in stage.glass.states


def test_low_is_a_mode_like_the_others() -> None:
    high = Screen(top_mm_above_floor=1500, width_px=1080, height_px=1920, width_mm=268)
    stage = Listener(on=False, screen=high)
    before = stage.target("nps.5").box.y
    stage.tap("access")
    stage.tap("mode.low")
    stage.tap("back")
    assert stage.flow.modes == {"low"}
    assert stage.target("nps.5").box.y >= before
    stage.tap("nps.8")
    assert stage.answers[0].mode == ["low"]


# --- writing ----------------------------------------------------------------------------------


def test_keys_are_named_as_they_are_explored_and_not_when_the_room_listens(
    stage: Listener,
) -> None:
    stage.to_text()
    assert stage.explore("key.k") == "k"
    number = len(stage.voice.said)
    stage.twice()
    assert stage.flow.entry.text == "k"
    assert stage.since(number) == [stage.word("spoken.chosen")]


def test_through_headphones_a_letter_is_said_as_it_is_written() -> None:
    stage = Listener(plugged=True)
    stage.to_text()
    stage.explore("key.k")
    number = len(stage.voice.said)
    stage.twice()
    assert stage.since(number) == ["k"]
    stage.choose("key.⌫")
    assert stage.voice.last == f"{stage.word('spoken.deleted')} k"


def test_the_field_tells_its_length_and_is_read_to_the_room_by_choice_alone(
    stage: Listener,
) -> None:
    stage.to_text()
    assert stage.explore("field") == stage.word("spoken.empty")
    stage.choose("key.o")
    stage.choose("key.k")
    said = stage.explore("field")
    assert stage.word("spoken.written", n=2) in said
    assert stage.word("spoken.hear") in said
    assert "ok" not in " ".join(stage.voice.heard).split()
    stage.twice()
    assert stage.voice.said[-1] == (Part("ok", "en"),)


def test_through_headphones_the_field_reads_the_text() -> None:
    stage = Listener(plugged=True)
    stage.to_text()
    stage.choose("key.o")
    stage.choose("key.k")
    stage.rest(*stage.middle("field"))
    assert Part("ok", "en") in stage.voice.said[-1]
    assert stage.word("spoken.hear") not in stage.voice.last


def test_what_a_keyboard_writes_is_chosen_for_the_room_and_said_to_headphones(
    stage: Listener,
) -> None:
    stage.to_text()
    stage.flow.typed("x")
    assert stage.voice.last == stage.word("spoken.chosen")
    stage.voice.headphones = True
    stage.flow.typed("y")
    assert stage.voice.last == "y"
    stage.flow.typed("\b")
    assert stage.voice.last == f"{stage.word('spoken.deleted')} y"


def test_the_field_has_its_ring_and_keeps_its_text(stage: Listener) -> None:
    stage.to_text()
    stage.choose("key.k")
    before = stage.glass.patches["field"].tobytes()
    stage.explore("field")
    ringed = stage.glass.patches["field"].tobytes()
    assert ringed != before
    stage.explore("key.k")
    assert stage.glass.patches["field"].tobytes() == before


def test_a_keyboard_reaches_the_field(stage: Listener) -> None:
    stage.to_text()
    stage.flow.typed("hello")
    stage.flow.key("first")
    stage.flow.key("first")
    assert stage.word("spoken.written", n=5) in stage.voice.last
    stage.flow.key("activate")
    assert stage.voice.said[-1] == (Part("hello", "en"),)


def test_layers_are_told(stage: Listener) -> None:
    stage.to_text()
    stage.choose("key.123")
    assert stage.voice.last == stage.word("key.symbols")
    stage.choose("key.123")
    assert stage.voice.last == stage.word("key.letters")
    stage.choose("key.⇧")
    assert stage.word("mode.on") in stage.voice.last


def test_the_next_visitor_cannot_have_the_text_repeated(stage: Listener) -> None:
    stage.to_text()
    stage.choose("key.o")
    stage.choose("field")
    stage.flow.leave()
    stage.flow.reset()
    stage.flow.key("speech")
    number = len(stage.voice.said)
    stage.flow.key("repeat")
    stage.flow.key("repeat")
    assert all(stage.word("nps.question") in said for said in stage.since(number))


# --- when something is slow or wrong ----------------------------------------------------------


def test_a_disk_that_is_slow_is_told_once_and_the_answer_confirmed_when_it_is_stored(
    stage: Listener,
) -> None:
    stage.explore("nps.7")
    stage.disk.full = True
    number = len(stage.voice.said)
    stage.twice(pause=1.2)
    assert stage.since(number) == [stage.word("saving")]
    stage.disk.full = False
    stage.wait(2)
    assert stage.since(number)[1] == stage.word("spoken.chosen")
    assert [answer.value for answer in stage.answers] == [7]


def test_out_of_use_is_told(stage: Listener) -> None:
    stage.explore("nps.7")
    stage.disk.full = True
    stage.twice(pause=10)
    assert stage.screen == "out-of-use"
    assert stage.word("out-of-use.title") in stage.voice.last


# --- time -------------------------------------------------------------------------------------


def test_everything_waits_three_times_as_long(stage: Listener) -> None:
    stage.choose("nps.7")
    stage.wait(73)
    assert stage.screen == "face"
    stage.wait(2)
    assert stage.screen == "still"
    stage.wait(58)
    assert stage.screen == "still"
    stage.wait(3)
    assert stage.screen == "rest"
    assert [end.how for end in stage.ends] == ["timed-out"]
    assert not stage.on
    assert stage.voice.last == stage.word("spoken.off")


def test_text_and_sheets_wait_three_times_their_own_time(stage: Listener) -> None:
    stage.choose("access")
    stage.wait(170)
    assert stage.screen == "access"
    stage.wait(11)
    assert stage.screen == "still"
    stage.choose("continue")
    stage.choose("back")
    stage.to_text()
    stage.wait(170)
    assert stage.screen == "text"
    stage.wait(11)
    assert stage.screen == "still"


def test_a_listening_visitor_is_no_other_visitor(stage: Listener) -> None:
    stage.choose("nps.7")
    stage.wait(40)
    stage.choose("face.4")
    stage.flow.close()
    assert stage.ends[0].flags == []


def test_the_countdown_is_told_when_it_begins_and_at_30_20_and_10_seconds(
    stage: Listener,
) -> None:
    stage.choose("nps.7")
    stage.wait(74.6)
    assert stage.screen == "still"
    assert stage.word("still-there") in stage.voice.last
    assert stage.word("spoken.countdown", n=60) in stage.voice.last
    stage.voice.finish()
    told = []
    for _ in range(59):
        number = len(stage.voice.said)
        stage.wait(1)
        told += stage.since(number)
        stage.voice.finish()
    assert told == [stage.word("spoken.countdown", n=left) for left in (30, 20, 10)]


def test_the_countdown_never_talks_over_an_exploration(stage: Listener) -> None:
    stage.choose("nps.7")
    stage.wait(74.6)
    stage.voice.finish()
    stage.wait(26)
    said = stage.explore("restart")
    stage.wait(6)
    assert stage.voice.last == said
    stage.voice.finish()
    stage.wait(1)
    assert stage.voice.last != said
    left = stage.voice.last
    assert any(left == stage.word("spoken.countdown", n=n) for n in range(21, 30))


@pytest.mark.parametrize("how", ["explored", "at once", "key", "key at once"])
def test_the_visit_goes_on_as_often_as_asked_for(stage: Listener, how: str) -> None:
    stage.choose("nps.7")
    for _ in range(12):
        stage.wait(80)
        assert stage.screen == "still"
        if how == "explored":
            stage.choose("continue")
        elif how == "at once":
            # The way on was said last.
            stage.twice()
        elif how == "key at once":
            stage.flow.key("activate")
        else:
            stage.flow.key("next")
            while stage.flow.cursor.name != "continue":
                stage.flow.key("next")
            stage.flow.key("activate")
        stage.wait(0.5)
        assert stage.screen == "face"
    assert stage.on


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("screen", [Screen(), PORTRAIT])
def test_the_way_on_is_said_last_whatever_lies_where(language: str, screen: Screen) -> None:
    stage = Listener(languages=(language, "fi"), screen=screen)
    stage.choose("nps.7")
    stage.wait(80)
    assert stage.voice.last.endswith(stage.word("continue"))
    stage.twice()
    assert stage.screen == "face"


def test_whoever_uses_keys_goes_on_with_the_one_key_as_well(stage: Listener) -> None:
    stage.flow.key("next")
    stage.flow.key("activate")
    for _ in range(12):
        stage.wait(80)
        assert stage.screen == "still"
        assert stage.glass.states == {"continue": "focus"}
        stage.flow.key("activate")
        stage.wait(0.5)
        assert stage.screen == "face"


def test_whoever_begins_anew_by_ear_is_spoken_to_again(stage: Listener) -> None:
    stage.flow.key("louder")
    stage.choose("nps.7")
    stage.wait(80)
    stage.choose("restart")
    assert stage.screen == "rest"
    assert [end.how for end in stage.ends] == ["left"]
    assert stage.flow.modes == {"speech"}
    assert stage.voice.volume == 60
    assert stage.word("nps.question") in stage.voice.last


def test_the_thanks_stand_until_they_were_heard_and_three_seconds_more(stage: Listener) -> None:
    for name in ("nps.9", "face.5", "face.4", "face.3", "skip"):
        stage.choose(name)
    assert stage.screen == "thanks"
    assert stage.word("thanks") in stage.voice.last
    stage.wait(20)
    assert stage.screen == "thanks"
    stage.voice.finish()
    stage.wait(2.6)
    assert stage.screen == "thanks"
    stage.wait(0.8)
    assert stage.screen == "rest"
    assert not stage.on


def test_the_thanks_stand_as_long_as_without_speech_at_least() -> None:
    stage = Listener(timing=Timing(thanks_s=9))
    for name in ("nps.9", "face.5", "face.4", "face.3", "skip"):
        stage.choose(name)
    stage.voice.finish()
    stage.wait(8)
    assert stage.screen == "thanks"
    stage.wait(1)
    assert stage.screen == "rest"


def test_a_voice_that_never_ends_does_not_keep_the_thanks_for_ever(stage: Listener) -> None:
    for name in ("nps.9", "face.5", "face.4", "face.3", "skip"):
        stage.choose(name)
    stage.wait(80)
    assert stage.screen == "rest"


def test_touching_the_thanks_explores_them(stage: Listener) -> None:
    for name in ("nps.9", "face.5", "face.4", "face.3", "skip"):
        stage.choose(name)
    stage.voice.finish()
    stage.explore("done")
    assert stage.screen == "thanks"
    stage.twice()
    assert stage.screen == "rest"


# --- a child ----------------------------------------------------------------------------------


def test_a_four_year_old_answers_nothing_that_was_not_said_before(stage: Listener) -> None:
    chance = Random(4)
    panel = stage.pages.composer(frozenset()).panel
    commit, hear = stage.disk.commit, stage.flow.aloud.hear
    spoken: set[tuple[str, str, str]] = set()
    """What was said of which question of which visit."""
    given = 0

    def stored(*records: object) -> None:
        nonlocal given
        for record in records:
            if isinstance(record, Answer) and record.value is not None:
                given += 1
                name = stage.flow.aloud.explorer.current
                assert (name, record.visit, record.question) in spoken
        commit(*records)  # type: ignore[arg-type]

    def heard(name: str) -> None:
        visit = stage.flow.visit
        spoken.add((name, visit.id, visit.step.question))
        hear(name)

    stage.disk.commit = stored  # type: ignore[assignment, method-assign]
    stage.flow.aloud.hear = heard  # type: ignore[method-assign]
    for _ in range(20_000):
        if not stage.on:
            stage.flow.key("speech")
        x, y = chance.uniform(0, panel.width_mm), chance.uniform(0, panel.height_mm)
        touch = chance.randrange(3)
        stage.flow.finger("down", touch, x, y)
        stage.now += chance.expovariate(5)
        stage.flow.tick()
        if chance.random() < 0.3:
            x += chance.gauss(0, 20)
            stage.flow.finger("move", touch, x, y)
        stage.flow.finger("up", touch, x, y)
        stage.now += chance.expovariate(4)
        stage.flow.tick()
    assert given > 60, given
