"""A fleet of hundreds comes back at once in virtual time; `make drill` does it with thousands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.clock import Clock
from sync.collector.app import Centre
from sync.collector.problems import Slots
from sync.pace import Pace
from tests.drills.fleet.calm import calm
from tests.drills.fleet.returning import BACK_OFF_S, Scenario, simulate
from tests.drills.fleet.scenarios import (
    NoJitter,
    by_duration,
    no_turns,
    one,
    small_queue,
    together,
    uneven,
)

AT_ONCE = Scenario(
    *("hundreds", 250, uneven),
    back=0,
    begin=together,
    sqlite=False,
    change=small_queue,
)
OUTAGE = Scenario("whole senders", 40, lambda _n, _c: 3, per_s=1, back=400, floor_s=BACK_OFF_S)


def weakened(*changes: object) -> Scenario:
    def change(centre: Centre) -> None:
        small_queue(centre)
        for each in changes:
            each(centre)  # type: ignore[operator]

    return replace(AT_ONCE, change=change)


def test_hundreds_back_at_once_are_drained_in_time_and_in_turn() -> None:
    found = simulate(AT_ONCE)
    assert found.failures == []
    assert found.statuses[429] > 150


@pytest.mark.parametrize(
    ("weak", "words"),
    [
        (replace(weakened(by_duration), batches=one), "drained after"),
        (weakened(no_turns), "for its first turn"),
        (replace(AT_ONCE, batches=one, per_s=5, strip=True), "drained after"),
        (replace(OUTAGE, terminals=400, per_s=50, chance=NoJitter), "requests in one second"),
    ],
    ids=["slots too far apart", "no turns", "Retry-After ignored", "no jitter"],
)
def test_weakened_rules_are_caught(weak: Scenario, words: str) -> None:
    found = simulate(weak)
    assert any(words in failure for failure in found.failures), found.note()


def test_the_paced_terminals_do_what_real_senders_do() -> None:
    # One of them, among thirty-nine others: the same moments, whichever it is.
    paced, real = simulate(OUTAGE), simulate(replace(OUTAGE, whole=1))
    assert real.failures == []
    assert [round(at) for at in real.asked] == [round(at) for at in paced.asked]


def test_an_ordinary_half_hour_turns_nobody_away() -> None:
    assert calm(60, 10, 50).wrong() == []
    assert calm(60, 10, 0.05).wrong() != []


def test_slots_learn_from_a_busy_centre_only() -> None:
    now = [0.0]
    slots = Slots(lambda: now[0])

    def requests(count: int, every_s: float, *, busy: bool, failed: bool = False) -> int:
        for _ in range(count):
            now[0] += every_s
            slots.done(busy=busy, failed=failed)
        slots.done(busy=False, failed=True)
        now[0] += 100_000
        first = slots.take()
        return [slots.take() for _ in range(100)][-1] - first

    assert requests(200, 0.1, busy=True) == pytest.approx(10, abs=1)
    assert requests(200, 5.0, busy=False) == pytest.approx(10, abs=1)
    assert requests(200, 5.0, busy=True, failed=True) == pytest.approx(10, abs=1)


def test_one_request_that_stood_behind_a_lock_sends_nobody_far_away() -> None:
    now = [0.0]
    slots = Slots(lambda: now[0])

    def requests(*every_s: float) -> int:
        for each in every_s:
            now[0] += each
            slots.done(busy=True, failed=False)
        return slots.take(200)

    assert requests(*[0.02] * 200) <= 5
    # It was 207 s: 200 wait, and a request seemed to cost a second.
    assert requests(29.0, *[0.001] * 7) <= 15
    # A centre that has become slow for good is believed soon.
    assert requests(*[0.5] * 100) >= 90


def test_a_reply_that_names_a_time_ends_the_row_of_failures() -> None:
    pace = Pace(Clock(), lambda: 0.0, NoJitter(1))
    for _ in range(8):
        pace.later("unreachable", "nobody answers")
    assert pace.not_before == 128
    pace.later("waiting", "the centre asks for time", 10.0)
    assert pace.not_before == 11
    pace.later("unreachable", "nobody answers")
    assert pace.not_before == 1
