"""What a key means, and that no trembling and no held key acts twice; the window is elsewhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kiosk.ui.dark import AFTER_S, Dark
from kiosk.ui.keyboard import BACKSPACE, ENTER, ESCAPE, KEYS, PAD, SPACE, TAB, Key, Keyboard
from sync.contract.bundle import Touch
from tests.kiosk.staffing import pin_hash
from tests.ui.test_front import House

DOWN, UP, RIGHT, F1 = 81, 82, 79, 58
MOVES = {"next", "previous", "left", "right", "up", "down", "first", "last"}
SPEECH = {"speech", "repeat", "pause", "louder", "quieter"}


class Hands:
    """A keyboard and the one who uses it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.keyboard = Keyboard(lambda: house.now)

    def down(self, code: int, *held: str) -> None:
        self.house.front.pressed(self.keyboard.down(code, held))

    def press(self, *codes: int, pause: float = 0.5) -> None:
        for code in codes:
            self.down(code)
            self.house.pass_by(0.05)
            self.keyboard.up(code)
            self.house.pass_by(pause)

    def hold(self, code: int, seconds: float) -> None:
        """As systems do: once, half a second of nothing, then 25 times a second."""
        self.down(code)
        self.house.pass_by(0.5)
        for _ in range(round((seconds - 0.5) * 25)):
            self.down(code)
            self.house.pass_by(0.04)
        self.keyboard.up(code)
        self.house.pass_by(0.5)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, pin_hash=pin_hash("4829"))


@pytest.fixture
def hands(house: House) -> Hands:
    return Hands(house)


def test_every_key_of_the_table_does_something_the_terminal_knows() -> None:
    names = {key.name for key in (*KEYS.values(), *PAD.values())}
    # Shift-Tab is no key of its own.
    assert names == (MOVES | SPEECH | {"activate", "back"}) - {"previous"}
    assert {key.writes for key in KEYS.values()} == {"", " ", "\n", "\b"}


def test_the_document_names_every_key_that_has_a_name_of_its_own() -> None:
    said = (Path(__file__).parents[2] / "kiosk/docs/terminal.md").read_text("utf-8")
    section = said.split("## Keyboard, keypad and switches")[1].split("\n## ")[0]
    for name in ("Tab", "Shift-Tab", "Home", "End", "Enter", "Space", "Escape", "Backspace"):
        assert name in section
    codes = {"F1": 58, "F2": 59, "F3": 60, "F4": 61, "F5": 62, "F13": 104, "F17": 108}
    does = {
        "speech": "speech on or off",
        "repeat": "say it again",
        "pause": "pause",
        "quieter": "quieter",
        "louder": "louder",
    }
    rows = [line for line in section.splitlines() if line.startswith("|")]
    for key, code in codes.items():
        row = next(line for line in rows if f" {key}," in line)
        assert does[KEYS[code].name] in row.lower()


def test_speech_keys_reach_the_visit_switches_once_and_volume_as_long_as_held(
    house: House, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(house.flow, "key", heard.append)
    hands.press(F1, 59, 60, 61, 62, 104, 127)
    assert heard == ["speech", "repeat", "pause", "quieter", "louder", "speech", "speech"]
    heard.clear()
    hands.hold(F1, 2)
    assert heard == ["speech"]
    hands.hold(128, 0.6)
    assert heard[1:] == ["louder"] * len(heard[1:]) and len(heard) > 2


def test_shift_turns_tab_round_and_system_keys_mean_nothing() -> None:
    keyboard = Keyboard(lambda: 0.0)
    assert keyboard.down(TAB, ["shift"]).name == "previous"
    for held in ("alt", "ctrl", "meta"):
        assert keyboard.down(61, [held]) == Key(again=held != "alt")
        assert keyboard.down(TAB, [held]).name == ""
    # Num Lock says whether the pad moves or writes.
    assert keyboard.down(92, []).name == "left"
    assert keyboard.down(92, ["numlock"]).name == ""
    assert keyboard.down(88, ["numlock"]).name == "activate"


def test_a_key_whose_release_was_lost_works_again() -> None:
    now = 0.0
    keyboard = Keyboard(lambda: now)
    assert not keyboard.down(ENTER, ()).again
    now = 0.6
    assert keyboard.down(ENTER, ()).again
    now = 3.0
    assert not keyboard.down(ENTER, ()).again
    keyboard.up(ENTER)
    assert not keyboard.down(ENTER, ()).again


def test_a_held_enter_gives_one_answer_and_held_arrows_move_on(house: House, hands: Hands) -> None:
    hands.press(TAB)
    assert house.glass.states == {"nps.0": "focus"}
    hands.hold(RIGHT, 0.7)
    assert house.flow.cursor.name == "nps.6"
    hands.hold(ENTER, 5)
    assert [(answer.question, answer.value) for answer in house.answers] == [("nps", 6)]
    assert house.screen == "face"
    hands.press(ENTER)
    assert [answer.value for answer in house.answers] == [6, 1]


def test_a_trembling_finger_presses_once(tmp_path: Path) -> None:
    house = House(tmp_path, touch=Touch(quiet_ms=0, key_repeat_ms=500))
    hands = Hands(house)
    hands.press(TAB)
    hands.press(ENTER, pause=0.01)
    house.pass_by(0.26)
    # The next question stands, and takes touches at once here; the same finger is still trembling.
    assert house.screen == "face"
    hands.press(ENTER, pause=0.01)
    assert [answer.value for answer in house.answers] == [0]
    house.pass_by(0.6)
    hands.press(ENTER)
    assert [answer.value for answer in house.answers] == [0, 1]


def test_no_key_acts_in_the_moment_after_a_screen_changed(house: House, hands: Hands) -> None:
    hands.press(TAB)
    hands.press(ENTER, pause=0.25)
    assert house.screen == "face"
    hands.press(ENTER, pause=0.01)
    assert len(house.answers) == 1


def test_a_finger_takes_the_ring_away_and_a_key_brings_it_back(house: House, hands: Hands) -> None:
    hands.press(TAB, RIGHT)
    assert house.glass.states == {"nps.1": "focus"}
    house.touch((3, 50))
    assert house.glass.states == {}
    hands.press(DOWN)
    assert house.glass.states == {"nps.0": "focus"}


def test_letters_and_enter_do_nothing_where_nobody_writes(house: House, hands: Hands) -> None:
    house.front.typed("6414893400012")
    hands.press(ENTER, SPACE, ESCAPE, BACKSPACE)
    assert (house.screen, house.answers, house.glass.states) == ("rest", [], {})
    assert house.flow.entry.text == ""


def to_the_text(house: House, hands: Hands) -> None:
    hands.press(TAB)
    for _ in range(5):
        hands.press(ENTER, pause=0.9)
    assert house.screen == "text"


def test_a_text_is_written_with_both_keyboards(house: House, hands: Hands) -> None:
    to_the_text(house, hands)
    # The ring stands on the first letter of the screen's own keyboard.
    hands.press(ENTER, RIGHT, ENTER)
    assert house.flow.entry.text == "qw"
    # Whoever types needs no ring; then Enter and Space belong to the text.
    house.front.typed("Ä")
    assert house.glass.states == {}
    hands.press(SPACE, ENTER)
    house.front.typed("ok\x00\t")
    hands.press(BACKSPACE)
    assert house.flow.entry.text == "qwÄ \no"
    # Held, letters are written once; Backspace goes on taking away.
    hands.down(4)
    for _ in range(9):
        house.front.typed("a")
        hands.down(4)
    assert house.flow.entry.text == "qwÄ \noa"
    hands.hold(BACKSPACE, 0.6)
    assert house.flow.entry.text == "qwÄ "
    # The ring comes back where it was; Backspace takes a letter away even then.
    hands.press(TAB)
    assert house.glass.states == {"key.w": "focus"}
    hands.press(BACKSPACE)
    assert house.flow.entry.text == "qwÄ"
    # Escape is the way back.
    hands.press(ESCAPE)
    assert house.screen == "offer"


def test_the_key_that_wakes_a_dark_panel_does_nothing_else(house: House, hands: Hands) -> None:
    done: list[tuple[str, ...]] = []
    dark = Dark(lambda: house.now, lambda words: done.append(tuple(words)))
    dark.tick(closed=True)
    house.pass_by(AFTER_S + 1)
    dark.tick(closed=True)
    assert dark.off
    from kiosk.ui.app import Terminal

    terminal = Terminal.__new__(Terminal)
    terminal._dark, terminal.front = dark, house.front
    terminal.loop = type("Loop", (), {"heard": lambda self: None})()  # type: ignore[assignment]
    terminal._pressed(hands.keyboard.down(TAB, ()))
    assert not dark.off
    assert house.glass.states == {}
    hands.keyboard.up(TAB)
    terminal._pressed(hands.keyboard.down(TAB, ()))
    assert house.glass.states == {"nps.0": "focus"}


# --- staff ----------------------------------------------------------------------------------------


def test_the_service_screen_is_walked_by_keys(house: House, hands: Hands) -> None:
    house.gesture()
    hands.press(TAB)
    assert list(house.glass.states.values()) == ["focus"]
    names = set()
    for _ in range(20):
        names |= set(house.glass.states)
        hands.press(TAB, pause=0.2)
    assert {"service.clean", "service.pin", "service.close", "language.sv"} <= names
    while "service.pin" not in house.glass.states:
        hands.press(TAB, pause=0.2)
    hands.hold(ENTER, 2)
    assert house.screen == "pin"
    # By typing, the ring out of the way; a wrong digit is taken back.
    house.front.typed("48")
    house.front.typed("3")
    hands.press(BACKSPACE)
    assert house.glass.states == {}
    hands.press(ESCAPE)
    assert house.screen == "service"
    hands.press(ESCAPE)
    assert house.screen == "rest"


def test_enter_held_on_a_screen_for_staff_goes_one_screen_on(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.front._set_up("enrol")
    hands = Hands(house)
    house.pass_by(0.5)
    hands.press(TAB)
    assert house.glass.states == {"setup.type": "focus"}
    hands.hold(ENTER, 2)
    # Pressed again it would have said that the address is not complete.
    setup = house.front._setup
    assert setup is not None
    assert (house.screen, setup.problem) == ("setup-endpoint", "")
    hands.press(ENTER)
    assert setup.problem == "setup.endpoint.incomplete"


def test_whoever_moves_the_ring_is_there(house: House, hands: Hands) -> None:
    house.gesture()
    for _ in range(4):
        house.pass_by(30)
        hands.press(TAB)
    assert house.screen == "service"
    house.pass_by(61)
    assert house.screen == "rest"


def test_a_tab_right_after_characters_is_a_scanners_end(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.data.enrol_json.unlink(missing_ok=True)
    house.front._set_up("enrol")
    hands = Hands(house)
    house.pass_by(0.5)
    for character in "6414893400012":
        house.front.typed(character)
        house.pass_by(0.01)
    hands.press(TAB)
    # Read as a barcode that is none of ours, not as a step to the next control.
    assert house.glass.states == {}
    said = tomllib.loads(
        (Path(__file__).parents[2] / "assets/wording/staff-fi.toml").read_text("utf-8")
    )
    assert house.glass.page is not None
    runs = " ".join(" ".join(run.lines) for run in house.glass.page.runs)
    assert said["setup.error.scan_other"].split()[0] in runs
    hands.press(TAB)
    assert list(house.glass.states.values()) == ["focus"]
