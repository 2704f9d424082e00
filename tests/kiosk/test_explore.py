"""A finger in speech mode: it explores, and only a double tap acts, on what was last heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.speech.explore import APART_S, REST_S, TAP_S, Explorer, Step

QUIET_S = 0.3


class Room:
    """A glass of controls 20 mm wide, each named by its place; the lowest 30 mm are empty."""

    def __init__(self) -> None:
        self.now = 100.0
        self.steps: list[Step] = []
        self.explorer = Explorer(lambda: self.now, quiet_s=QUIET_S)
        self.explorer.screen(under)
        self.wait(1)

    def wait(self, seconds: float) -> None:
        """Time passes; the explorer is asked when it wanted to be."""
        until = self.now + seconds
        while (due := self.explorer.due) is not None and due <= until:
            self.now = max(self.now, due)
            before = (due, len(self.steps))
            self.note(self.explorer.tick())
            if (self.explorer.due, len(self.steps)) == before:
                raise AssertionError("due, and nothing is done")
        self.now = until

    def note(self, step: Step | None) -> None:
        if step is not None:
            self.steps.append(step)

    def down(self, x: float, y: float = 10, touch: object = 1) -> None:
        self.note(self.explorer.down(touch, x, y))

    def move(self, x: float, y: float = 10, touch: object = 1) -> None:
        self.note(self.explorer.move(touch, x, y))

    def up(self, x: float, y: float = 10, touch: object = 1) -> None:
        self.note(self.explorer.up(touch, x, y))

    def tap(self, x: float, y: float = 10, *, lasts: float = 0.1, then: float = 0.1) -> None:
        self.down(x, y)
        self.wait(lasts)
        self.up(x, y)
        self.wait(then)

    def rest(self, x: float, y: float = 10, seconds: float = 0.5) -> None:
        self.down(x, y)
        self.wait(seconds)
        self.up(x, y)
        self.wait(1)

    @property
    def done(self) -> list[str]:
        return [f"{step.kind} {step.name}" for step in self.steps]


def under(x: float, y: float) -> str:
    return "" if y > 70 else f"c{int(x // 20)}"


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_resting_finger_hears_what_is_under_it_once(room: Room) -> None:
    room.down(30)
    room.wait(REST_S - 0.01)
    assert room.done == []
    room.wait(5)
    room.up(30)
    assert room.done == ["hear c1"]


def test_a_sliding_finger_hears_whatever_comes_under_it(room: Room) -> None:
    room.down(5)
    for x in range(5, 66, 4):
        room.wait(0.02)
        room.move(x)
    room.up(65)
    assert room.done == ["hear c0", "hear c1", "hear c2", "hear c3"]


def test_trembling_over_an_edge_does_not_stammer(room: Room) -> None:
    room.down(19)
    room.wait(0.5)
    for _ in range(40):
        room.move(20.5)
        room.wait(0.05)
        room.move(19)
        room.wait(0.05)
    assert room.done == ["hear c0"]


def test_a_finger_that_comes_to_rest_just_over_an_edge_hears_the_other_side(room: Room) -> None:
    room.down(19)
    room.wait(0.5)
    room.move(20.5)
    room.wait(0.5)
    assert room.done == ["hear c0", "hear c1"]


def test_empty_ground_is_silent_and_the_same_control_is_not_said_twice(room: Room) -> None:
    room.down(30, 60)
    room.wait(0.5)
    room.move(30, 80)
    room.wait(0.5)
    room.move(30, 60)
    room.wait(0.5)
    assert room.done == ["hear c1"]


def test_a_lone_quick_tap_hears_what_is_under_it_once_no_second_can_come(room: Room) -> None:
    room.tap(30, then=APART_S - 0.01)
    assert room.done == []
    room.wait(0.02)
    assert room.done == ["hear c1"]


def test_a_double_tap_anywhere_acts_on_what_was_last_heard(room: Room) -> None:
    room.rest(30)
    room.tap(150)
    room.tap(70, 90)
    room.wait(2)
    assert room.done == ["hear c1", "act c1"]


@pytest.mark.parametrize("apart", [0.05, 0.3, 0.59])
@pytest.mark.parametrize("slide", [0.0, 6.0])
def test_slow_and_trembling_taps_are_taps(room: Room, apart: float, slide: float) -> None:
    room.rest(30)
    for _ in range(2):
        room.down(30)
        room.wait(0.28)
        room.move(30 + slide)
        room.up(30 + slide)
        room.wait(apart)
    assert room.done[:2] == ["hear c1", "act c1"]


def test_the_second_tap_may_rest_longer_and_hears_nothing_else(room: Room) -> None:
    room.rest(30)
    room.tap(90)
    room.tap(90, lasts=TAP_S - 0.01)
    assert room.done == ["hear c1", "act c1"]


def test_a_first_tap_long_enough_to_be_heard_is_what_is_acted_on(room: Room) -> None:
    room.rest(30)
    room.tap(90, lasts=0.35)
    room.tap(90)
    assert room.done == ["hear c1", "hear c4", "act c4"]


def test_taps_too_far_apart_act_on_nothing(room: Room) -> None:
    room.rest(30)
    room.tap(90, then=APART_S + 0.05)
    room.tap(90, then=APART_S + 0.05)
    assert room.done == ["hear c1", "hear c4", "hear c4"]


def test_a_second_tap_that_stays_explores_and_acts_on_nothing(room: Room) -> None:
    room.rest(30)
    room.tap(90)
    room.tap(110, lasts=1.0)
    assert room.done == ["hear c1", "hear c5"]


def test_a_double_tap_where_nothing_was_heard_only_tells_what_is_there(room: Room) -> None:
    room.tap(90)
    room.tap(90)
    assert room.done == ["hear c4"]


@pytest.mark.parametrize("number", [3, 4, 5, 30])
def test_many_quick_taps_act_once(room: Room, number: int) -> None:
    room.rest(30)
    for _ in range(number):
        room.tap(30)
    room.wait(1)
    assert room.done.count("act c1") == 1
    assert len([step for step in room.steps if step.kind == "act"]) == 1


def test_a_bouncing_glass_makes_no_double_tap_of_one_tap(room: Room) -> None:
    room.rest(30)
    room.tap(50, then=0.02)
    room.tap(50, lasts=0.02, then=1)
    assert room.done == ["hear c1", "hear c2"]


def test_a_double_tap_counts_though_its_first_tap_bounced(room: Room) -> None:
    room.rest(30)
    room.tap(50, then=0.02)
    room.tap(50, lasts=0.02)
    room.tap(50, then=1)
    assert room.done == ["hear c1", "act c1"]


def test_another_double_tap_counts_after_a_pause(room: Room) -> None:
    room.rest(30)
    for _ in range(2):
        room.tap(30)
        room.tap(30)
        room.wait(APART_S)
    assert room.done == ["hear c1", "act c1", "act c1"]


def test_a_resting_palm_is_not_read_while_a_finger_is(room: Room) -> None:
    room.down(30, touch="finger")
    room.wait(0.5)
    for _ in range(6):
        room.down(130, touch="palm")
        room.up(130, touch="palm")
        room.wait(0.05)
    assert room.done == ["hear c1"]


def test_a_finger_the_glass_lost_does_not_block_it(room: Room) -> None:
    room.down(30, touch="lost")
    room.wait(4)
    room.tap(30)
    room.tap(30)
    assert room.done == ["hear c1", "act c1"]


def test_another_screen_forgets_what_was_heard_and_is_deaf_for_a_moment(room: Room) -> None:
    room.rest(30)
    room.explorer.screen(under)
    room.tap(30, lasts=0.05, then=0.05)
    room.tap(30, lasts=0.05, then=1)
    assert room.done == ["hear c1"]
    room.tap(30, then=0.05)
    room.tap(30)
    assert room.done == ["hear c1", "hear c1"]


def test_a_first_tap_before_the_screen_changed_is_none_of_it(room: Room) -> None:
    room.rest(30)
    room.tap(30, then=0.05)
    room.explorer.screen(under)
    room.wait(QUIET_S)
    room.tap(30)
    assert room.done == ["hear c1"]


def test_a_finger_down_since_before_the_screen_explores_once_it_slides(room: Room) -> None:
    room.down(30)
    room.wait(0.1)
    room.explorer.screen(under)
    room.wait(5)
    assert room.done == []
    room.move(60)
    assert room.done == ["hear c3"]


def test_a_screen_that_only_changed_a_little_keeps_what_was_heard(room: Room) -> None:
    room.rest(30)
    room.explorer.screen(under, fresh=False)
    room.tap(90)
    room.tap(90)
    assert room.done == ["hear c1", "act c1"]


PLACE = st.tuples(st.floats(0, 200), st.floats(0, 100))
LASTS = st.floats(0.0, 1.2)
Touches = list[tuple[tuple[float, float], float, float, list[tuple[float, float]]]]
TOUCHES = st.lists(
    st.tuples(PLACE, LASTS, LASTS, st.lists(PLACE, max_size=3)), min_size=1, max_size=12
)


def run(room: Room, touches: Touches, least_apart: float = 0.0) -> None:
    for (x, y), lasts, apart, slides in touches:
        room.down(x, y)
        for x, y in slides:  # noqa: PLW2901
            room.wait(lasts / (len(slides) + 1))
            room.move(x, y)
        room.wait(lasts / (len(slides) + 1))
        room.up(x, y)
        room.wait(max(apart, least_apart))


@given(TOUCHES)
def test_no_exploration_without_a_double_tap_ever_acts(touches: Touches) -> None:
    room = Room()
    run(room, touches, least_apart=APART_S + 0.01)
    assert [step for step in room.steps if step.kind == "act"] == []


@given(TOUCHES)
def test_what_is_acted_on_is_always_what_was_heard_last(touches: Touches) -> None:
    room = Room()
    run(room, touches)
    heard = ""
    for step in room.steps:
        if step.kind == "hear":
            heard = step.name
        assert step.name == heard


@given(TOUCHES, TOUCHES)
def test_nothing_heard_on_one_screen_is_acted_on_on_the_next(a: Touches, b: Touches) -> None:
    room = Room()
    run(room, a)
    room.explorer.screen(lambda x, y: "new " + found if (found := under(x, y)) else "")
    before = len(room.steps)
    run(room, b)
    assert all(step.name.startswith("new ") for step in room.steps[before:])


@given(TOUCHES)
def test_every_control_a_finger_rests_on_is_heard(touches: Touches) -> None:
    room = Room()
    run(room, touches)
    room.wait(2)
    for x in (10.0, 110.0):
        before = len(room.steps)
        room.rest(x, seconds=REST_S + 0.01)
        assert room.done[before:] == [f"hear {under(x, 10)}"]
