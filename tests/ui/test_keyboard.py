"""A real window used by keys alone, from the first question to the thanks, and set up by them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kiosk.layout.order import controls
from kiosk.layout.page import Page
from kiosk.ui.paint import State
from sync.contract.bundle import Speech, Timing, Touch
from tests.bench.screen import virtual_screen
from tests.faults.terminal import Terminal
from tests.ui.looking import Start, answers, ends, spare_keys, xdotool
from tests.ui.staffed import SIZE, Field

pytestmark = pytest.mark.display
QUIET_MS = 60
PACE_S = 0.05
LARGER = frozenset({"larger"})
SWITCHES = ("larger", "dark", "low")
NOBODY = frozenset[str]()


class Hands:
    """Keys of a keyboard, and eyes that compare every pixel."""

    def __init__(self, subject: Terminal, language: str) -> None:
        self.subject, self.language = subject, language
        self.modes = NOBODY

    def keys(self, *names: str) -> None:
        for name in names:
            xdotool(self.subject, "key", name)
            time.sleep(PACE_S)

    def page(self, screen: str, *args: object) -> Page:
        return self.subject.looks.page(self.modes, screen, self.language, *args)

    def sees(self, page: Page, ring: str = "", *, text: str = "", **states: State) -> None:
        """Wait until exactly this stands on the screen, then until keys act."""
        shown: dict[str, State] = {**states, ring: "focus"} if ring else states
        self.subject.sees(page, text=text, modes=self.modes, **shown)
        self.subject.quiet()

    def tab_to(self, page: Page, start: str, name: str) -> None:
        """From one control to another by Tab alone."""
        names = [target.name for target in controls(page)]
        self.keys(*["Tab"] * ((names.index(name) - names.index(start)) % len(names)))
        self.sees(page, name)


def quick(**fields: object) -> dict[str, object]:
    fast = {"timing": Timing(hold_ms=60), "touch": Touch(quiet_ms=QUIET_MS)}
    return {**fast, "speech": Speech(enabled=False), **fields}


def test_a_whole_visit_in_finnish_by_keys_alone(window: Start) -> None:
    subject = window(**quick())
    spare_keys(subject.screen.name, "adiaeresis")
    hands = Hands(subject, "fi")
    rest = hands.page("rest")
    hands.keys("Escape", "Return", "BackSpace", "space", "alt+F4", "ctrl+q", "x")
    hands.sees(rest)
    hands.keys("Tab")
    hands.sees(rest, "nps.0")
    hands.keys("Right", "Right", "Left", "Down", "Up", "End", "Home", "shift+Tab", "Tab")
    hands.sees(rest, "nps.0")
    hands.tab_to(rest, "nps.0", "language.sv")
    hands.keys("Return")
    hands.language = "sv"
    hands.sees(hands.page("rest"), "language.sv")
    hands.keys("Left", "Return")
    hands.language = "fi"
    hands.sees(rest, "language.fi")
    hands.keys("Home", *["Right"] * 9, "Return")
    first = hands.page("face", "s05", 1, 5)
    hands.sees(first, "face.1")
    # The access sheet: a switch on and off again, and back.
    hands.keys("Down", "Left")
    hands.sees(first, "access")
    hands.keys("Return")
    hands.sees(hands.page("access", SWITCHES, True), "mode.larger")
    hands.keys("Return")
    hands.modes = LARGER
    hands.sees(hands.page("access", SWITCHES, True), "mode.larger")
    hands.keys("space")
    hands.modes = NOBODY
    hands.sees(hands.page("access", SWITCHES, True), "mode.larger")
    hands.keys("Escape")
    hands.sees(first, "face.1")
    hands.keys("Right", "Right", "Right", "KP_Enter")
    hands.sees(hands.page("face", "s06", 2, 5), "face.1")
    hands.keys("Right", "space")
    third = hands.page("face", "s07", 3, 5)
    hands.sees(third, "face.1")
    hands.tab_to(third, "face.1", "skip")
    hands.keys("Return")
    hands.sees(hands.page("offer", 4, 5), "comment.here")
    hands.keys("Return")
    text = hands.page("text", "lower")
    hands.sees(text, "key.q")
    # Arrows and Enter on the screen's keys, then letters of a real keyboard.
    hands.keys("Right", "Down", "Return")
    hands.sees(text, "key.s", text="s")
    hands.keys("i", "space", "adiaeresis", "x", "BackSpace", "Return", "1")
    hands.sees(text, text="si ä\n1")
    hands.keys("Tab")
    hands.sees(text, "key.s", text="si ä\n1")
    hands.keys("Home", "shift+Tab")
    hands.sees(text, "send", text="si ä\n1")
    hands.keys("Return")
    thanks = hands.page("thanks", time.strftime("%Y-%m-%d"))
    hands.sees(thanks, "access")
    hands.tab_to(thanks, "access", "done")
    hands.keys("Return")
    # The next visitor finds no ring.
    hands.sees(rest)
    assert [(answer.question, answer.value) for answer in answers(subject.data)] == [
        *(("nps", 9), ("s05", 4), ("s06", 2)),
        ("comment", {"text": "si ä\n1", "redacted": {}}),
    ]
    (end,) = ends(subject.data)
    assert (end.how, end.skipped) == ("completed", ["s07"])


def test_a_whole_visit_in_arabic_with_large_letters_by_keys_alone(window: Start) -> None:
    subject = window(**quick())
    spare_keys(subject.screen.name, "Arabic_seen")
    hands = Hands(subject, "fi")
    rest = hands.page("rest")
    hands.keys("Tab")
    hands.sees(rest, "nps.0")
    hands.tab_to(rest, "nps.0", "language.ar")
    hands.keys("Return")
    hands.language = "ar"
    rest = hands.page("rest")
    hands.sees(rest, "language.ar")
    # The scale runs from right to left; arrows go where they point.
    hands.keys("Home")
    hands.sees(rest, "nps.0")
    hands.keys("Left", "Left", "Right")
    hands.sees(rest, "nps.1")
    hands.tab_to(rest, "nps.1", "access")
    hands.keys("Return")
    hands.sees(hands.page("access", SWITCHES, False), "mode.larger")
    hands.keys("Return")
    hands.modes = LARGER
    hands.sees(hands.page("access", SWITCHES, False), "mode.larger")
    hands.keys("Escape")
    rest = hands.page("rest")
    hands.sees(rest, "nps.0")
    # Two rows now, 0 to 5 and 6 to 10.
    hands.keys("Left", "Left", "Down")
    hands.sees(rest, "nps.8")
    hands.keys("Return")
    for done, (question, downs) in enumerate([("s05", 4), ("s06", 2), ("s07", 0)], 1):
        page = hands.page("face", question, done, 5)
        hands.sees(page, "face.1")
        hands.keys(*["Down"] * downs, "Return")
    hands.sees(hands.page("offer", 4, 5), "comment.here")
    hands.keys("Return")
    text = hands.page("text", "lower")
    key, beside = (target for target in controls(text)[:2])
    assert key.box.x > beside.box.x
    hands.sees(text, key.name)
    first = key.name.removeprefix("key.")
    hands.keys("Return")
    hands.sees(text, key.name, text=first)
    # Enter again within this time is a bounce.
    time.sleep(subject.bundle.touch.key_repeat_ms / 1000)
    hands.keys("Left", "Return", "Arabic_seen")
    written = first + beside.name.removeprefix("key.") + "س"
    hands.sees(text, text=written)
    names = [target.name for target in controls(text)]
    hands.keys("Tab", *["Tab"] * (names.index("send") - 1))
    hands.sees(text, "send", text=written)
    hands.keys("Return")
    thanks = hands.page("thanks", time.strftime("%Y-%m-%d"))
    start = controls(thanks)[0].name
    hands.sees(thanks, start)
    hands.tab_to(thanks, start, "done")
    hands.keys("Return")
    hands.language, hands.modes = "fi", NOBODY
    hands.sees(hands.page("rest"))
    found = answers(subject.data)
    assert [(answer.question, answer.value) for answer in found] == [
        *(("nps", 8), ("s05", 5), ("s06", 3), ("s07", 1)),
        ("comment", {"text": written, "redacted": {}}),
    ]
    assert {(answer.language, *answer.mode) for answer in found} == {("ar", "larger")}
    assert [end.how for end in ends(subject.data)] == ["completed"]


def test_enter_held_for_two_seconds_gives_one_answer(window: Start) -> None:
    subject = window(**quick())
    hands = Hands(subject, "fi")
    hands.keys("Tab")
    hands.sees(hands.page("rest"), "nps.0")
    xdotool(subject, "keydown", "Return", "sleep", "2", "keyup", "Return")
    hands.sees(hands.page("face", "s05", 1, 5), "face.1")
    assert [(answer.question, answer.value) for answer in answers(subject.data)] == [("nps", 0)]
    hands.keys("Return")
    hands.sees(hands.page("face", "s06", 2, 5), "face.1")


# --- staff ----------------------------------------------------------------------------------------


@pytest.fixture
def field_device(tmp_path: Path) -> Iterator[Field]:
    """A terminal nobody has set up, without a sender."""
    with ExitStack() as stack:
        screen = stack.enter_context(virtual_screen(*SIZE))
        found = Field(None, screen, tmp_path)
        stack.callback(found.close)
        found.start()
        yield found


def test_setting_up_is_walked_and_typed_by_keys(field_device: Field) -> None:
    subject = field_device

    def keys(*names: str) -> None:
        for name in names:
            xdotool(subject, "key", name)  # type: ignore[arg-type]
            time.sleep(PACE_S)

    def sees(ring: str = "") -> Page:
        """Wait for what set-up shows now, with the ring on a control."""
        pages = subject._pages

        def there() -> bool:
            page = subject.page(subject.shadow.setup.view())
            painter = pages.painter(NOBODY, page.screen)
            painted = painter.page(page, {ring: "focus"} if ring else {})
            return subject.picture().tobytes() == painted.tobytes()

        subject.wait(there, f"the set-up with the ring on {ring or 'nothing'}")
        # Longer than the screen is quiet, and than a Tab still ends what a scanner typed.
        time.sleep(0.35)
        return subject.page(subject.shadow.setup.view())

    start = sees()
    order = [target.name for target in controls(start)]
    keys("Tab")
    sees(order[0])
    keys(*["Tab"] * order.index("setup.type"))
    sees("setup.type")
    keys("Return")
    subject.shadow.setup.act("setup.type")
    sees("setup.next")
    # Typing takes the ring away; Tab brings it to the way on.
    xdotool(subject, "type", "--delay", "60", "hymio.example.fi")  # type: ignore[arg-type]
    subject.shadow.setup.typed("hymio.example.fi")
    sees()
    keys("Tab")
    sees("setup.next")
    keys("Return")
    subject.shadow.setup.act("setup.next")
    assert subject.shadow.setup.screen == "code"
    sees("setup.next")
    # Escape is the way back; keys on the glass are reached by arrows.
    keys("Up", "Up")
    page = subject.page(subject.shadow.setup.view())
    assert any(target.look == "key" for target in controls(page))
    keys("Escape")
    subject.shadow.setup.act("setup.back")
    sees(order[0])
