"""Speech where something is in its way: an answer being stored, a voice that is silent."""

from __future__ import annotations

import pytest

from kiosk.layout.every import shots
from kiosk.speech import phrases
from kiosk.ui.pages import Pages
from sync.contract.bundle import Speech
from tests.ui.listener import NOWHERE, Listener
from tests.ui.stage import LANGUAGES, bundle, services

# --- an answer on its way -------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["key", "plug", "voice ends"])
def test_speech_that_begins_or_ends_while_an_answer_is_stored_lets_no_other_one_in(
    way: str,
) -> None:
    stage = Listener(on=way == "voice ends")
    stage.disk.full = True
    stage.choose("nps.9") if way == "voice ends" else stage.tap("nps.9", pause=0.2)
    if way == "key":
        stage.flow.key("speech")
    elif way == "plug":
        stage.voice.headphones = True
    else:
        stage.voice.available = False
    stage.wait(0.4)
    if way == "voice ends":
        stage.tap("nps.2", pause=0.1)
    else:
        stage.explore("nps.2")
        stage.twice(pause=0.0)
    stage.disk.full = False
    stage.wait(3)
    assert [answer.value for answer in stage.answers] == [9]
    assert stage.screen == "face"
    assert stage.flow.visit.index == 1


@pytest.mark.parametrize("way", ["key", "voice ends"])
def test_speech_that_ends_at_are_you_still_there_leaves_a_whole_countdown(way: str) -> None:
    stage = Listener()
    stage.choose("nps.9")
    stage.wait(80)
    assert stage.screen == "still"
    stage.wait(30)
    if way == "key":
        stage.flow.key("speech")
    else:
        stage.voice.available = False
    stage.wait(18)
    assert stage.screen == "still"
    stage.wait(4)
    assert stage.screen == "rest"


def test_a_sheet_over_the_thanks_lets_the_terminal_sleep() -> None:
    stage = Listener(on=False)
    for name in ("nps.9", "face.5", "face.4", "face.3", "skip", "reply"):
        stage.tap(name)
    stage.now += 20
    assert stage.flow.tick() > stage.now + 1


# --- pause ----------------------------------------------------------------------------------------


def test_pause_and_resume_on_the_sheet_by_two_taps_each() -> None:
    stage = Listener()
    five = stage.explore("nps.5")
    stage.choose("access")
    stage.choose("speech.pause")
    assert not stage.voice.busy
    assert "speech.resume" in [target.name for target in stage.glass.page.targets]  # type: ignore[union-attr]
    # What took the button's place is what another double tap means.
    stage.twice()
    assert stage.voice.last == five
    assert "speech.pause" in [target.name for target in stage.glass.page.targets]  # type: ignore[union-attr]


def test_a_pause_key_with_nothing_to_pause_says_again_when_it_is_pressed_again() -> None:
    stage = Listener()
    stage.voice.finish()
    before = len(stage.voice.said)
    stage.flow.key("pause")
    assert len(stage.voice.said) == before
    stage.flow.key("pause")
    assert stage.voice.said[-1] == stage.voice.said[before - 1]
    assert len(stage.voice.said) == before + 1


@pytest.mark.parametrize("screen", ["rest", "text", "thanks", "still"])
def test_a_paused_voice_keeps_no_visit_open(screen: str) -> None:
    stage = Listener()
    if screen == "text":
        stage.to_text()
    elif screen == "thanks":
        for name in ("nps.9", "face.5", "face.4", "face.3", "skip"):
            stage.choose(name)
    elif screen == "still":
        stage.wait(80)
    assert stage.screen == screen
    stage.flow.key("repeat")
    stage.flow.key("pause")
    stage.wait(3 * 60 + 3 * 20 + 5)
    assert stage.flow.pristine
    assert not stage.on


# --- writing --------------------------------------------------------------------------------------


def test_every_sign_that_is_written_has_a_name_in_headphones() -> None:
    stage = Listener(plugged=True)
    stage.to_text()
    stage.voice.languages = LANGUAGES
    for sign in "a.,?!-/:;()€&@+'\"%= \n7Ä":
        stage.flow.typed(sign)
        for word in (stage.voice.last, _deleted(stage)):
            assert any(each.isalnum() for each in word), sign
    stage.flow.typed("Äb")
    assert stage.voice.last == "Äb"
    stage.flow.typed("Ä")
    assert stage.voice.last == stage.word("spoken.capital", letter="ä")


def _deleted(stage: Listener) -> str:
    said = len(stage.voice.said)
    stage.flow.typed("\b")
    (word,) = stage.since(said)
    deleted = stage.word("spoken.deleted")
    assert word.startswith(deleted)
    return word.removeprefix(deleted)


def test_a_capital_on_the_glass_is_said_though_its_key_is_gone() -> None:
    stage = Listener(plugged=True)
    stage.to_text()
    stage.choose("key.⇧")
    stage.choose("key.A")
    assert stage.flow.entry.text == "A"
    capital = stage.word("spoken.capital", letter="a")
    assert stage.voice.heard[-2:] == [capital, capital], "once when it is found, once when written"


@pytest.mark.parametrize("plugged", [True, False])
def test_a_double_tap_after_a_capital_is_heard(*, plugged: bool) -> None:
    stage = Listener(plugged=plugged)
    stage.to_text()
    stage.choose("key.⇧")
    stage.choose("key.A")
    before = len(stage.voice.said)
    stage.twice(stage.middle("key.a"))
    assert len(stage.voice.said) > before


def test_a_keyboard_that_deletes_nothing_is_told_that_the_field_is_empty() -> None:
    stage = Listener()
    stage.to_text()
    stage.flow.typed("\b")
    assert stage.voice.last == stage.word("spoken.empty")


# --- heard before it is acted on ------------------------------------------------------------------


def test_fast_double_taps_answer_one_question() -> None:
    stage = Listener()
    stage.explore("nps.9")
    at = stage.middle("nps.3")
    for _ in range(3):
        stage.twice(at, pause=0.2)
    assert [answer.value for answer in stage.answers] == [9]


def test_a_key_that_interrupts_a_new_screen_makes_heard_what_it_would_take() -> None:
    stage = Listener()
    stage.flow.key("next")
    stage.flow.key("activate")
    stage.wait(1)
    assert stage.screen == "face"
    first = stage.flow.cursor.name
    stage.flow.key("activate")
    assert len(stage.answers) == 1
    assert stage.voice.last == " ".join(
        part.text.rstrip(" .,")
        for part in phrases.control(stage.glass.page, stage.bundle, first)  # type: ignore[arg-type]
    )
    stage.flow.key("activate")
    assert len(stage.answers) == 2


def test_a_key_after_a_screen_was_told_takes_what_was_said_last() -> None:
    stage = Listener()
    stage.flow.key("next")
    stage.flow.key("activate")
    stage.wait(1)
    stage.voice.finish()
    stage.flow.key("activate")
    assert len(stage.answers) == 2


# --- language -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_a_page_has_a_name_of_its_own_and_is_heard_by_its_voice(
    language: str,
) -> None:
    config = bundle(LANGUAGES, services=services(30))
    pages = Pages(config, (config.screen.width_px, config.screen.height_px))
    for _, screen, args, _ in shots(config):
        page = pages.page(frozenset(), screen, language, *args)
        names = [run.name for run in page.runs]
        assert len(names) == len(set(names)), (screen, names)
        assert page.language == language


def test_nothing_is_said_to_the_next_visitor_of_the_one_before() -> None:
    stage = Listener(plugged=True, speech=Speech(volume=60))
    stage.to_text()
    stage.flow.typed("salaisuus")
    stage.explore("field")
    assert "salaisuus" in stage.voice.last
    stage.wait(3 * 60 + 3 * 20 + 5)
    before = len(stage.voice.said)
    stage.flow.key("speech")
    for key in ("repeat", "pause", "pause", "repeat"):
        stage.flow.key(key)
    stage.twice(NOWHERE)
    assert not [words for words in stage.since(before) if "salaisuus" in words]


@pytest.mark.parametrize("way", ["timed out", "thanks", "service", "configuration", "an error"])
def test_the_next_visitor_finds_no_speech_no_volume_and_nothing_to_repeat(way: str) -> None:
    stage = Listener(plugged=True, speech=Speech(volume=50))
    stage.flow.key("louder")
    stage.to_text()
    stage.flow.typed("salaisuus")
    stage.explore("field")
    if way == "timed out":
        stage.wait(3 * 60 + 3 * 20 + 5)
    elif way == "thanks":
        stage.choose("send")
        stage.voice.finish()
        stage.wait(30)
    elif way == "service":
        stage.flow.leave()
        stage.flow.reset()
    elif way == "configuration":
        stage.flow.use(stage.pages)
    else:
        stage.flow.reset()
    assert stage.screen == "rest"
    assert stage.flow.modes == frozenset()
    assert stage.flow.entry.text == ""
    assert stage.voice.volume == 50
    assert stage.voice.forgotten >= len(stage.voice.said) - 1, "what came after says it is off"
    before = len(stage.voice.said)
    for key in ("repeat", "pause", "pause"):
        stage.flow.key(key)
    assert len(stage.voice.said) == before
    stage.wait(0.5)
    stage.tap("nps.4")
    assert stage.answers[-1].value == 4
    assert stage.answers[-1].mode == []


# --- holding the access button --------------------------------------------------------------------


def test_holding_where_nobody_can_be_spoken_to_opens_the_sheet_and_costs_nothing() -> None:
    stage = Listener(on=False)
    stage.voice.available = False
    at = stage.middle("access")
    stage.down("access")
    stage.wait(3)
    assert stage.flow.tick() > stage.now + 0.1
    stage.up(at)
    stage.wait(0.5)
    assert stage.screen == "access"
    assert stage.voice.said == []


def test_a_palm_on_the_access_button_in_the_middle_of_a_visit_loses_no_answer() -> None:
    stage = Listener(on=False)
    stage.tap("nps.9")
    stage.down("access", touch="palm")
    stage.wait(2.5)
    assert stage.on
    palm = stage.middle("access")
    for _ in range(20):
        # A finger beside it is not read while the palm moves.
        stage.flow.finger("move", "palm", palm[0] + 0.2, palm[1])
        stage.wait(0.3)
    stage.up(palm, touch="palm")
    stage.wait(1)
    assert stage.screen == "face"
    assert [answer.value for answer in stage.answers] == [9]
    stage.choose("face.2")
    assert [answer.value for answer in stage.answers] == [9, 2]


def test_a_hold_begun_while_an_answer_is_stored_begins_nothing() -> None:
    stage = Listener(on=False)
    stage.disk.full = True
    stage.tap("nps.9", pause=0.2)
    stage.down("access")
    stage.wait(2.2)
    assert not stage.on
    stage.disk.full = False
    stage.wait(2)
    assert [answer.value for answer in stage.answers] == [9]
    assert stage.screen == "face"


@pytest.mark.parametrize("screen", ["thanks", "face"])
def test_a_finger_the_glass_lost_keeps_no_visit_open(screen: str) -> None:
    stage = Listener()
    names = ("nps.9", "face.5", "face.4", "face.3", "skip")
    for name in names if screen == "thanks" else names[:1]:
        stage.choose(name)
    assert stage.screen == screen
    stage.voice.finish()
    stage.flow.finger("down", 1, *NOWHERE)
    stage.wait(3 * 25 + 3 * 20 + 10)
    assert stage.flow.pristine


# --- whatever happens to a visit ------------------------------------------------------------------


@pytest.mark.parametrize("on", [True, False])
def test_are_you_still_there_lets_the_terminal_sleep(*, on: bool) -> None:
    stage = Listener(on=on)
    stage.choose("nps.9") if on else stage.tap("nps.9")
    stage.wait(80 if on else 30)
    assert stage.screen == "still"
    stage.now += 0.01
    assert stage.flow.tick() > stage.now + 0.1


@pytest.mark.parametrize("again", ["at once", "later"])
def test_staff_who_come_while_an_answer_is_stored_lose_neither_it_nor_its_end(again: str) -> None:
    stage = Listener()
    stage.disk.full = True
    stage.choose("nps.9")
    stage.flow.leave()
    stage.wait(1)
    if again == "at once":
        stage.flow.reset()
        stage.wait(1)
        assert stage.screen == "out-of-use", "no other answer before that one"
    stage.disk.full = False
    stage.wait(20)
    if again == "later":
        stage.flow.reset()
        stage.wait(1)
    assert [answer.value for answer in stage.answers] == [9]
    assert [(end.visit, end.how) for end in stage.ends] == [(stage.answers[0].visit, "interrupted")]
    assert stage.screen == "rest"
    assert stage.flow.modes == frozenset()


def test_a_turn_that_fails_writes_the_open_visit_off() -> None:
    stage = Listener(on=False)
    stage.tap("nps.9")
    stage.flow.reset()
    assert [end.how for end in stage.ends] == ["interrupted"]


def test_the_field_touched_without_speech_keeps_its_text() -> None:
    stage = Listener(on=False)
    for name in ("nps.9", "face.5", "face.4", "face.3", "comment.here"):
        stage.tap(name)
    stage.type("ok")
    stage.tap("field")
    assert stage.screen == "text"
    assert stage.flow.entry.text == "ok"
    assert stage.voice.said == []
