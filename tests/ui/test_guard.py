"""A finger on the glass: one tap one answer, tremor allowed, sliding off cancels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.layout.page import Box, Target
from kiosk.ui.guard import Guard

A = Target("a", "A", Box(10, 10, 20, 20), "number")
B = Target("b", "B", Box(32, 10, 20, 20), "number")
KEY = Target("key.q", "q", Box(10, 50, 15, 15), "key")
OTHER_KEY = Target("key.w", "w", Box(27, 50, 15, 15), "key")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    found = Guard(clock, slop_mm=4, quiet_s=0.3, key_repeat_s=0.12)
    found.screen([A, B, KEY, OTHER_KEY])
    clock.now += 1
    return found


def tap(guard: Guard, x: float, y: float, to: tuple[float, float] | None = None) -> str:
    guard.down(1, x, y)
    target = guard.up(1, *(to or (x, y)))
    return target.name if target else ""


def test_acts_on_release_inside(guard: Guard) -> None:
    assert guard.down(1, 20, 20)
    assert guard.pressed == "a"
    found = guard.up(1, 25, 25)
    assert found is not None and found.name == "a"
    assert guard.pressed == ""


def test_release_up_to_slop_outside_still_counts(guard: Guard) -> None:
    assert tap(guard, 12, 12, to=(6.5, 12)) == "a"
    assert tap(guard, 12, 12, to=(5.5, 12)) == ""


def test_release_over_the_neighbour_counts_for_neither(guard: Guard) -> None:
    assert tap(guard, 29, 20, to=(33, 20)) == ""


def test_release_in_the_gap_counts_for_the_one_pressed(guard: Guard) -> None:
    assert tap(guard, 29, 20, to=(31.5, 20)) == "a"
    assert tap(guard, 33, 20, to=(30.5, 20)) == "b"


def test_sliding_off_cancels_even_when_the_finger_comes_back(guard: Guard) -> None:
    guard.down(1, 20, 20)
    assert guard.move(1, 20, 40)
    assert guard.pressed == ""
    guard.move(1, 20, 20)
    assert guard.up(1, 20, 20) is None


def test_tremor_within_the_slop_keeps_it_pressed(guard: Guard) -> None:
    guard.down(1, 12, 12)
    for x in (9, 7, 11, 8):
        assert not guard.move(1, x, 12)
    assert guard.pressed == "a"


def test_a_doubled_report_of_one_finger_answers_once(guard: Guard) -> None:
    guard.down(1, 20, 20)
    guard.down(2, 20, 20)
    released = [guard.up(2, 20, 20), guard.up(1, 20, 20)]
    assert [target.name for target in released if target] == ["a"]


def test_a_resting_palm_beside_everything_does_not_block_the_finger(guard: Guard) -> None:
    guard.down("palm", 100, 100)
    assert guard.down("finger", 20, 20)
    found = guard.up("finger", 20, 20)
    assert found is not None and found.name == "a"


def test_nothing_acts_just_after_a_screen_change(guard: Guard, clock: Clock) -> None:
    guard.screen([A, B])
    clock.now += 0.29
    assert tap(guard, 20, 20) == ""
    clock.now += 0.02
    assert tap(guard, 20, 20) == "a"


def test_a_press_begun_before_a_screen_change_acts_on_nothing(guard: Guard, clock: Clock) -> None:
    guard.down(1, 20, 20)
    guard.screen([A, B])
    clock.now += 1
    assert guard.up(1, 20, 20) is None


def test_locked_takes_nothing(guard: Guard) -> None:
    guard.locked = True
    assert tap(guard, 20, 20) == ""


def test_key_repeat_is_rejected_and_other_keys_are_not(guard: Guard, clock: Clock) -> None:
    assert tap(guard, 15, 55) == "key.q"
    clock.now += 0.1
    assert tap(guard, 15, 55) == ""
    assert tap(guard, 30, 55) == "key.w"
    clock.now += 0.13
    assert tap(guard, 15, 55) == "key.q"


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["down", "move", "up"]),
            st.integers(1, 3),
            st.floats(0, 60),
            st.floats(0, 70),
        ),
        max_size=30,
    )
)
def test_no_more_acts_than_fingers_that_came_down(
    events: list[tuple[str, int, float, float]],
) -> None:
    clock = Clock()
    guard = Guard(clock, slop_mm=4, quiet_s=0.3, key_repeat_s=0)
    guard.screen([A, B, KEY, OTHER_KEY])
    clock.now += 1
    downs = acts = 0
    for what, touch, x, y in events:
        if what == "down":
            downs += guard.down(touch, x, y)
        elif what == "move":
            guard.move(touch, x, y)
        else:
            target = guard.up(touch, x, y)
            if target is not None:
                acts += 1
                assert target.box.holds(x, y, 4)
    assert acts <= downs


def test_a_lost_release_blocks_the_glass_for_a_moment_only(guard: Guard, clock: Clock) -> None:
    guard.down("lost", 20, 20)
    clock.now += 1
    assert not guard.down("next", 40, 20)
    clock.now += 2.5
    assert guard.down("next", 40, 20)
    found = guard.up("next", 40, 20)
    assert found is not None and found.name == "b"
    assert guard.up("lost", 20, 20) is None


def test_taps_made_before_a_screen_was_drawn_act_on_nothing_in_it(
    guard: Guard, clock: Clock
) -> None:
    """A process that is stopped finds them in the display's queue, however long it was."""
    guard.drawn()
    guard.screen([A, B])
    clock.now += 60
    assert not guard.ready
    assert tap(guard, 20, 20) == ""
    guard.drawn()
    assert tap(guard, 20, 20) == ""
    clock.now += 0.31
    guard.drawn()
    assert tap(guard, 20, 20) == "a"
