"""The service screen: what everybody may do, what the PIN opens, and how often it is guessed."""

from __future__ import annotations

import random

import pytest

from kiosk.facts import Ledger
from kiosk.gesture import Gesture, corner
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.pin import Guesses, usable, verify, wait_s
from kiosk.views import Cleaning
from sync.contract.records import Stamp
from tests.kiosk.staffing import Desk, bundle, pin_hash

LOCKED = pin_hash("482913")
WIDE, HIGH = 217.0, 135.6


def with_pin(**fields: object) -> Desk:
    return Desk(bundle=bundle(pin_hash=LOCKED, **fields))


def menu(**fields: object) -> Desk:
    desk = with_pin(**fields)
    desk.tap("service.pin")
    assert desk.guess("482913")
    assert desk.screen == "menu"
    return desk


# --- without the PIN ------------------------------------------------------------------------------


def test_everybody_sees_the_status_and_can_clean() -> None:
    desk = Desk()
    view = desk.service.view()
    assert isinstance(view, Sheet)
    shown = {row.label: row.value for row in view.rows}
    assert "esim-0074, Aula, pääovi" in shown.values()
    assert "service.pin" not in {action.name for action in view.actions}
    desk.tap("service.clean")
    assert desk.screen == "cleaning"


def test_cleaning_takes_no_tap_and_ends_by_itself() -> None:
    desk = with_pin()
    desk.tap("service.clean")
    chance = random.Random(7)
    for _ in range(44):
        for name in ("service.close", "service.pin", "key.1", "corner.tl", "more"):
            desk.service.act(name if chance.random() < 0.8 else "service.restart")
        desk.wait(1)
        assert desk.screen == "cleaning" and not desk.service.wants
    view = desk.service.view()
    assert isinstance(view, Cleaning) and 0 < view.fraction < 0.05
    desk.wait(2)
    assert desk.service.wants == "visits"


def test_sixty_seconds_without_a_touch_give_the_screen_back() -> None:
    desk = menu()
    desk.wait(59)
    assert not desk.service.wants
    desk.wait(2)
    assert desk.service.wants == "visits"


@pytest.mark.parametrize("what", ["restart", "enrol", "leave", "check", "test", "touch"])
def test_nothing_but_status_and_cleaning_without_the_pin(what: str) -> None:
    desk = with_pin(leave_allowed=True)
    desk.tap("service.pin")
    for name in (f"service.{what}", "service.yes", f"service.{what}"):
        desk.service.act(name)
    assert not desk.service.wants
    assert not desk.service.unlocked


def test_a_damaged_or_missing_hash_opens_nothing() -> None:
    for damaged in ("", "scrypt$2$8$1$xx", "plain$482913", "scrypt$0$0$0$AA==$AA=="):
        desk = Desk(bundle=bundle(pin_hash=damaged))
        desk.service.act("service.pin")
        assert desk.screen == "status"
        assert not verify(damaged, "482913")


# --- with it --------------------------------------------------------------------------------------


def test_leaving_to_the_system_is_offered_only_where_it_is_allowed() -> None:
    for allowed in (False, True):
        desk = menu(leave_allowed=allowed)
        view = desk.service.view()
        assert isinstance(view, Sheet)
        assert ("service.leave" in {choice.name for choice in view.choices}) == allowed
        desk.service.act("service.leave")
        desk.service.act("service.yes")
        assert (desk.service.wants == "leave") == allowed


def test_enrolling_anew_warns_of_answers_that_were_not_sent() -> None:
    desk = menu()
    desk.service.see(Desk(bundle=bundle(pin_hash=LOCKED), ledger=Ledger(to_send=14)).known)
    desk.tap("service.enrol")
    view = desk.service.view()
    assert isinstance(view, Sheet) and "14" in view.warning
    assert not desk.service.wants
    desk.tap("service.yes")
    assert desk.service.wants == "enrol"


def test_restart_is_asked_about_and_can_be_taken_back() -> None:
    desk = menu()
    desk.tap("service.restart", "service.back")
    assert desk.screen == "menu"
    desk.tap("service.restart", "service.yes")
    assert desk.service.wants == "restart"


def test_the_pin_is_never_shown_and_a_keyboard_types_it_too() -> None:
    desk = with_pin()
    desk.tap("service.pin")
    desk.service.typed("4829\b")
    view = desk.service.view()
    assert isinstance(view, Keys) and view.text == "●●●"
    desk.service.typed("913\n")
    assert desk.service.to_verify == "482913"


# --- guessing -------------------------------------------------------------------------------------


def test_five_wrong_guesses_are_free_and_the_sixth_must_wait() -> None:
    desk = with_pin()
    desk.tap("service.pin")
    for _ in range(5):
        assert desk.guess("000000")
    assert not desk.guess("482913")
    desk.wait(50)
    desk.service.act("key.1")
    desk.wait(9)
    assert not desk.guess("482913")
    desk.wait(3)
    assert desk.guess("482913")
    assert desk.screen == "menu"
    assert desk.guesses.wrong == 0


def test_ten_thousand_guesses_take_more_than_a_year() -> None:
    desk = with_pin()
    began, taken = desk.now, 0
    while taken < 10_000:
        desk.now += desk.guesses.left_s(desk.stamp_at(desk.now))
        assert desk.guesses.count(desk.stamp_at(desk.now))
        desk.guesses.settle(right=False)
        taken += 1
    assert desk.now - began > 365 * 86_400
    assert wait_s(10_000) == 3600


def test_a_restart_shortens_no_wait_and_frees_no_guess() -> None:
    desk = with_pin()
    desk.tap("service.pin")
    for _ in range(7):
        desk.now += desk.guesses.left_s(desk.stamp()) + 0.1
        desk.service.act("service.close")
        desk.open()
        desk.tap("service.pin")
        assert desk.guess("111111")
    left = desk.guesses.left_s(desk.stamp())
    assert left == pytest.approx(240, abs=1)
    desk.open()
    assert desk.guesses.left_s(desk.stamp()) == pytest.approx(left, abs=1)
    # Another boot with a clock that was never set: nobody knows how long it was off.
    desk.boot, desk.synced, desk.now = "boot-2", False, 0.0
    desk.open()
    assert desk.guesses.left_s(desk.stamp()) == 240
    desk.now += 239
    assert desk.guesses.left_s(desk.stamp()) == pytest.approx(1)


def test_pulling_the_plug_while_it_is_checked_costs_the_guess() -> None:
    desk = with_pin()
    desk.tap("service.pin")
    for _ in range(5):
        for digit in "000000":
            desk.service.act(f"key.{digit}")
        desk.service.act("pin.ok")
        assert desk.service.to_verify == "000000"
        desk.open()
        desk.tap("service.pin")
    assert desk.guesses.left_s(desk.stamp()) > 0


@pytest.mark.parametrize(
    "stored",
    [
        {"wrong": -4},
        {"wrong": "many"},
        {"wrong": 9, "boot": "b", "boottime_ms": "x", "wall": "yesterday"},
        {"wrong": 9, "boot": "b", "boottime_ms": 3, "wall": "2026-11-22T10:00:00"},
    ],
)
def test_a_damaged_file_never_ends_the_program(stored: dict[str, object]) -> None:
    guesses = Guesses(stored)
    stamp = Stamp(wall="2026-11-22T10:00:00+02:00", boottime_ms=1, boot="b", synced=True)
    assert 0 <= guesses.left_s(stamp) <= 3600
    assert usable(LOCKED)


# --- the gesture ----------------------------------------------------------------------------------


class Hand:
    """A finger on a screen whose logo lies top left."""

    def __init__(self) -> None:
        self.now = 0.0
        self.gesture = Gesture(lambda: self.now, WIDE, HIGH)

    def hold_logo(self, seconds: float) -> None:
        self.gesture.hold("logo")
        self.now += seconds
        self.gesture.hold("")

    def tap(self, x: float, y: float) -> bool:
        """As the front hands fingers on: the gesture's, or the screen's."""
        if self.gesture.armed and self.gesture.down(x, y):
            self.now += 0.1
            return self.gesture.up(x, y)
        self.gesture.hold("logo" if x < 60 and y < 20 else "other")
        self.now += 0.1
        self.gesture.hold("")
        return False


CORNER = {"tl": (3, 3), "tr": (WIDE - 3, 3), "bl": (3, HIGH - 3), "br": (WIDE - 3, HIGH - 3)}


@pytest.mark.parametrize("corners", [("tl", "tr", "bl"), ("br", "bl", "tl"), ("tr", "br", "bl")])
def test_holding_the_logo_and_any_three_corners_open_it(corners: tuple[str, ...]) -> None:
    hand = Hand()
    hand.hold_logo(5.1)
    assert [hand.tap(*CORNER[name]) for name in corners] == [False, False, True]


@pytest.mark.parametrize(
    ("held", "corners", "pause"),
    [
        (4.5, ("tl", "tr", "bl"), 0.0),
        (6.0, ("tl", "tl", "tr"), 0.0),
        (6.0, ("tl", "tr", "bl"), 4.5),
    ],
    ids=["too short", "two corners", "too slow"],
)
def test_less_than_that_does_not(held: float, corners: tuple[str, ...], pause: float) -> None:
    hand = Hand()
    hand.hold_logo(held)
    for name in corners:
        hand.now += pause
        assert not hand.tap(*CORNER[name])


def test_a_tap_elsewhere_begins_anew() -> None:
    hand = Hand()
    hand.hold_logo(6)
    hand.tap(*CORNER["tl"])
    hand.tap(*CORNER["tr"])
    hand.tap(100, 70)
    assert not hand.tap(*CORNER["bl"])


def test_a_child_that_drums_on_the_screen_does_not_find_it() -> None:
    chance = random.Random(4)
    hand = Hand()
    for _ in range(60_000):
        x, y = chance.uniform(0, WIDE), chance.uniform(0, HIGH)
        if x < 60 and y < 20 and chance.random() < 0.1:
            # Now and then the whole hand stays.
            hand.hold_logo(chance.uniform(0, 9))
        assert not hand.tap(x, y)
        hand.now += chance.expovariate(4)


def test_corners_are_squares_of_twenty_millimetres() -> None:
    assert corner(19.9, 19.9, WIDE, HIGH) == "tl"
    assert corner(20.1, 3, WIDE, HIGH) == ""
    assert corner(WIDE - 19.9, HIGH - 1, WIDE, HIGH) == "br"
