"""Visits in a real window under Xvfb, driven by real pointer events."""

from __future__ import annotations

import time

import pytest

from sync.contract.bundle import Screen, Timing, Touch
from tests.faults.terminal import ACCENT
from tests.ui.looking import QUICK, Start, answers, bytes_on_disk, ends, tap, xdotool
from tests.ui.stage import bundle

pytestmark = pytest.mark.display


LANDSCAPE = Screen(width_px=1280, height_px=800, width_mm=217)
PORTRAIT = Screen(width_px=800, height_px=1280, width_mm=136)


@pytest.mark.parametrize(
    ("language", "screen"),
    [("fi", LANDSCAPE), ("sv", PORTRAIT), ("en", LANDSCAPE)],
    ids=["fi-landscape", "sv-portrait", "en-landscape"],
)
def test_a_whole_visit_by_pointer_ends_up_in_the_outbox(
    window: Start, language: str, screen: Screen
) -> None:
    subject = window(screen=screen, **QUICK)
    pages = subject.pages
    subject.arrives(pages.rest("fi"))
    if language != "fi":
        tap(subject, pages.rest("fi"), f"language.{language}")
        subject.arrives(pages.rest(language))
    tap(subject, pages.rest(language), "nps.9")
    for done, (statement, face) in enumerate([("s05", 5), ("s06", 4), ("s07", 2)], 1):
        page = pages.face(language, statement, done, 5)
        subject.arrives(page)
        tap(subject, page, f"face.{face}")
    offer = pages.offer(language, 4, 5)
    subject.arrives(offer)
    tap(subject, offer, "comment.here")
    text = pages.text(language)
    subject.write(text, "ok hi")
    tap(subject, text, "send")
    thanks = subject.thanks(language)
    subject.arrives(thanks)
    tap(subject, thanks, "done")
    subject.arrives(pages.rest("fi"))

    found = answers(subject.data)
    assert [(answer.question, answer.value) for answer in found] == [
        *(("nps", 9), ("s05", 5), ("s06", 4), ("s07", 2)),
        ("comment", {"text": "ok hi", "redacted": {}}),
    ]
    assert {answer.language for answer in found} == {language}
    assert found[0].layout == ("nps-1x11" if screen is LANDSCAPE else "nps-2x6")
    assert [end.how for end in ends(subject.data)] == ["completed"]


def test_other_buttons_and_multitouch_leave_no_trace(window: Start) -> None:
    subject = window(**QUICK)
    rest = subject.pages.rest("fi")
    x, y = subject.middle(rest, "nps.4")
    for button in ("3", "2", "4", "5"):
        xdotool(subject, "mousemove", str(x), str(y), "click", button)
    # Only time can show a mark that comes and stays.
    time.sleep(0.3)
    subject.sees(rest)
    # What comes after them is taken after them.
    subject.tap(rest, "nps.7")
    subject.sees(subject.pages.face("fi", "s05", 1, 5))
    assert [answer.value for answer in answers(subject.data)] == [7]


def test_a_double_tap_gives_one_answer(window: Start) -> None:
    # All taps fall on the chosen state and the pause after it, on a busy machine, too.
    subject = window(timing=Timing(hold_ms=1000), touch=Touch(quiet_ms=1000))
    x, y = subject.middle(subject.pages.rest("fi"), "nps.4")
    xdotool(subject, "mousemove", str(x), str(y), "click", "--repeat", "6", "--delay", "40", "1")
    subject.sees(subject.pages.face("fi", "s05", 1, 5))
    assert [(answer.question, answer.value) for answer in answers(subject.data)] == [("nps", 4)]


def test_pressed_shows_and_sliding_off_cancels(window: Start) -> None:
    subject = window(**QUICK)
    page = subject.pages.rest("fi")
    subject.press(page, "nps.4")
    subject.sees(page, **{"nps.4": "pressed"})
    subject.finger.move(640, 200)
    subject.sees(page)
    subject.finger.release()
    # What comes after it is taken after it.
    subject.tap(page, "nps.7")
    subject.sees(subject.pages.face("fi", "s05", 1, 5))
    assert [answer.value for answer in answers(subject.data)] == [7]


def test_the_chosen_number_stands_only_once_it_is_on_disk(window: Start) -> None:
    subject = window(timing=Timing(hold_ms=2000), touch=Touch(quiet_ms=60))
    page = subject.pages.rest("fi")
    tap(subject, page, "nps.6")
    subject.wait_for(lambda: subject.shows(page, "nps.6", ACCENT), "the chosen number")
    assert [answer.value for answer in answers(subject.data)] == [6]


def test_what_one_wrote_is_nowhere_when_the_next_one_comes(window: Start) -> None:
    short = Timing(hold_ms=0, idle_s=10, idle_text_s=10, countdown_s=20)
    subject = window(
        config=bundle(timing=short, touch=Touch(quiet_ms=60), survey={"statements": ()})
    )
    pages = subject.pages
    tap(subject, pages.rest("fi"), "nps.3")
    offer = pages.offer("fi", 1, 2)
    subject.arrives(offer)
    tap(subject, offer, "comment.here")
    text = pages.text("fi")
    subject.write(text, "qwertyuiopqwerty")
    # Somebody new says so; there is no undo, no field, no draft to come back to.
    still = pages.still("fi")
    subject.wait_for(lambda: subject.shows(still, "continue", ACCENT), "still there")
    subject.quiet()
    tap(subject, still, "restart")
    subject.arrives(pages.rest("fi"))
    tap(subject, pages.rest("fi"), "nps.3")
    subject.arrives(offer)
    tap(subject, offer, "comment.here")
    subject.sees(text)
    for keys in ("ctrl+z", "ctrl+y", "ctrl+v", "ctrl+a", "BackSpace"):
        xdotool(subject, "key", keys)
    # What comes after them is taken after them.
    xdotool(subject, "key", "x")
    subject.sees(text, text="x")
    assert b"qwertyuiopqwerty" not in bytes_on_disk(subject.data)
