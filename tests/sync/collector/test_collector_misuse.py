"""burst, clone, ten-run: what they mark, what they only just do not, and nobody honest."""

from __future__ import annotations

import dataclasses
import random
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.collector.misuse import ALPHA, Scales, Seen, centre_flags, chance

DAY = "2026-03-02"
ANGRY = {"a": 1, "b": 1, "c": 1, "nps": 0}
HAPPY = {"a": 5, "b": 5, "c": 5, "nps": 10}
MIXED = {"a": 4, "b": 5, "c": 3, "nps": 8}


@dataclasses.dataclass(frozen=True)
class Usual:
    """A terminal with such a history, the visits under test included."""

    ten: tuple[int, int] = (0, 0)
    same: tuple[int, int] = (0, 0)

    def tens(self, _day: str) -> tuple[int, int]:
        return self.ten

    def alike(self, _day: str, _scales: Scales) -> tuple[int, int]:
        return self.same


def seen(
    start: float,
    scales: dict[str, int],
    *,
    lasts: float = 10,
    text: bool = False,
    ended: bool = True,
) -> Seen:
    """A visit that begins at a second of the day."""
    return Seen(
        f"v{start:08.1f}",
        DAY,
        round(start * 1000),
        round((start + lasts) * 1000) if ended else None,
        scales.get("nps"),
        tuple(sorted(scales.items())),
        text,
    )


def marked(flag: str, visits: list[Seen], usual: Usual = Usual()) -> list[int]:
    """Which of the visits, by position, have the flag."""
    found = centre_flags(visits, usual)
    return [i for i, one in enumerate(visits) if flag in found.get(one.visit, ())]


# --- burst --------------------------------------------------------------------------------------


def one_after_the_other(
    count: int, *, lasts: float = 10, gap: float = 2.9, **options: bool
) -> list[Seen]:
    return [seen(i * (lasts + gap), {"nps": i % 10}, lasts=lasts, **options) for i in range(count)]


def test_four_visits_without_a_pause_are_a_burst() -> None:
    assert marked("burst", one_after_the_other(4)) == [0, 1, 2, 3]
    assert marked("burst", one_after_the_other(9)) == list(range(9))


@pytest.mark.parametrize(
    "visits",
    [
        one_after_the_other(3),
        one_after_the_other(8, gap=3.0),
        one_after_the_other(8, lasts=14),  # the fourth ends 64.7 s after the first began
        one_after_the_other(8, ended=False),
        [*one_after_the_other(2), seen(25.8, {}, ended=False), *one_after_the_other(6)[3:5]],
    ],
    ids=["three", "3 s apart", "longer than a minute", "left", "one of five was left"],
)
def test_what_is_only_nearly_a_burst_is_not(visits: list[Seen]) -> None:
    assert marked("burst", visits) == []


def test_four_in_exactly_a_minute_are_a_burst() -> None:
    assert marked("burst", one_after_the_other(4, lasts=13.5, gap=2)) == [0, 1, 2, 3]


def test_a_queue_before_and_after_is_not_drawn_into_a_burst() -> None:
    visits = [seen(0, MIXED), *(seen(100 + 12 * i, MIXED) for i in range(4)), seen(200, MIXED)]
    assert marked("burst", visits) == [1, 2, 3, 4]


# --- clone --------------------------------------------------------------------------------------

RARE = (5, 204)
"""Three under test and two of 201 others."""


def test_three_rare_answers_alike_in_two_minutes_are_clones() -> None:
    visits = [seen(0, ANGRY), seen(60, ANGRY), seen(120, ANGRY)]
    assert marked("clone", visits, Usual(same=RARE)) == [0, 1, 2]


@pytest.mark.parametrize(
    "visits",
    [
        [seen(0, ANGRY), seen(60, ANGRY)],
        [seen(0, ANGRY), seen(60, ANGRY), seen(120.1, ANGRY)],
        [seen(0, ANGRY), seen(60, ANGRY), seen(120, {**ANGRY, "c": 2})],
        [seen(0, ANGRY), seen(60, ANGRY), seen(120, {**ANGRY, "d": 1})],
        [seen(i * 40, {"a": 1, "b": 1, "nps": 0}) for i in range(3)],
    ],
    ids=["two", "121 s", "one differs", "one was asked more", "three answers each"],
)
def test_what_is_only_nearly_a_clone_is_not(visits: list[Seen]) -> None:
    assert marked("clone", visits, Usual(same=RARE)) == []


def test_three_quick_tens_agree_by_chance() -> None:
    visits = [seen(i * 30, HAPPY) for i in range(3)]
    assert marked("clone", visits, Usual(same=(80, 200))) == []
    # Where hardly anyone is happy they stand out all the same.
    assert marked("clone", visits, Usual(same=RARE)) == [0, 1, 2]
    many = [seen(i * 6, HAPPY) for i in range(20)]
    assert marked("clone", many, Usual(same=(90, 200))) == list(range(20))


def test_a_terminal_without_a_history_accuses_nobody() -> None:
    assert marked("clone", [seen(i * 30, ANGRY) for i in range(3)], Usual(same=(3, 3))) == []
    assert marked("ten-run", [seen(i * 30, HAPPY) for i in range(15)], Usual(ten=(15, 15))) == []


# --- ten-run ------------------------------------------------------------------------------------

SELDOM = (70, 210)
"""Ten under test and sixty of 200 others."""


def tens(count: int, apart: float = 66.6) -> list[Seen]:
    return [seen(i * apart, {"nps": 10}) for i in range(count)]


def test_ten_tens_in_ten_minutes_are_a_run_where_tens_are_seldom() -> None:
    assert marked("ten-run", tens(10), Usual(ten=SELDOM)) == list(range(10))
    just = [*tens(9), seen(599.999, {"nps": 10})]
    assert marked("ten-run", just, Usual(ten=SELDOM)) == list(range(10))


@pytest.mark.parametrize(
    "visits",
    [
        tens(9),
        [*tens(9), seen(600, {"nps": 10})],
        tens(30, apart=70),
        [*tens(9), seen(9 * 66.6, {"nps": 9})],
        [dataclasses.replace(v, text=i == 4) for i, v in enumerate(tens(12))],
        [dataclasses.replace(v, nps=9 if i == 6 else 10) for i, v in enumerate(tens(12, apart=40))],
    ],
    ids=["nine", "ten minutes", "unhurried", "the last is a nine", "one wrote", "a nine between"],
)
def test_what_is_only_nearly_a_run_is_not(visits: list[Seen]) -> None:
    assert marked("ten-run", visits, Usual(ten=SELDOM)) == []


def test_a_visit_that_left_the_number_out_does_not_break_a_run() -> None:
    visits = tens(10, apart=60)
    visits.insert(5, seen(290, {"a": 3}))
    assert marked("ten-run", visits, Usual(ten=SELDOM)) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]


def test_where_most_give_tens_ten_of_them_are_no_run() -> None:
    assert marked("ten-run", tens(10, apart=20), Usual(ten=(160, 210))) == []
    assert marked("ten-run", tens(40, apart=10), Usual(ten=(190, 240))) == list(range(40))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_busy_honest_terminal_is_left_alone(share: float) -> None:
    """A visitor every 40 s all day, none of them knowing of the others: false marks stay rare."""
    chances = random.Random(7)
    false = 0
    for _ in range(40):
        visits = [
            seen(i * 40, {**HAPPY, "nps": 10 if chances.random() < share else 8})
            for i in range(300)
        ]
        ten = sum(v.nps == 10 for v in visits)
        usual = Usual(ten=(ten + round(1000 * share), 1300), same=(300, 1300))
        false += bool(marked("ten-run", visits, usual))
    assert false == 0


def test_more_visits_than_anyone_can_make_are_a_wrong_clock_not_misuse() -> None:
    stuck = [seen(i * 0.1, ANGRY, lasts=0.1) for i in range(3000)]
    usual = Usual(ten=SELDOM, same=(3002, 3200))
    assert centre_flags(stuck, usual) == {}
    later = [seen(1000 + i * 12, MIXED) for i in range(4)]
    assert marked("burst", [*stuck, *later], usual) == [3000, 3001, 3002, 3003]
    # A hundred in a minute are still looked at.
    quick = [seen(i * 0.6, ANGRY, lasts=0.6) for i in range(100)]
    assert len(marked("burst", quick, usual)) == 100


def test_chance_of_many_is_a_number() -> None:
    assert chance(900, 1100, 500, 1000) < 1e-9
    assert chance(0, 5000, 3, 7) == pytest.approx(1)


# --- in general ---------------------------------------------------------------------------------


@given(k=st.integers(0, 300), rest=st.integers(0, 300), among=st.integers(1, 40), data=st.data())
def test_chance_is_the_beta_binomial_tail(
    k: int, rest: int, among: int, data: st.DataObject
) -> None:
    n = k + rest
    half = Fraction(1, 2)
    exact = prod((k + half + i) / (n + 1 + i) for i in range(among))
    assert chance(among, among, k, n) == pytest.approx(float(exact), rel=1e-8)
    assert chance(0, among, k, n) == pytest.approx(1)
    least = data.draw(st.integers(1, among))
    assert chance(least, among, k, n) <= chance(least - 1, among, k, n) + 1e-12


def test_with_a_long_history_chance_is_the_binomial_one() -> None:
    assert chance(10, 10, 500_000, 1_000_000) == pytest.approx(0.5**10, rel=1e-3)
    assert 0.5**10 < ALPHA < 0.5**9


visits_strategy = st.lists(
    st.tuples(
        st.floats(0, 300).map(lambda s: round(s, 1)),
        st.sampled_from([ANGRY, HAPPY, MIXED, {"nps": 10}]),
        st.floats(0, 20).map(lambda s: round(s, 1)),
        st.booleans(),
        st.integers(0, 4).map(bool),
    ),
    max_size=30,
    unique_by=lambda t: t[0],
)


@given(drawn=visits_strategy, data=st.data())
def test_order_does_not_matter_and_bursts_are_every_four_that_qualify(
    drawn: list[tuple[float, dict[str, int], float, bool, bool]], data: st.DataObject
) -> None:
    visits = [seen(s, v, lasts=n, text=t, ended=e) for s, v, n, t, e in drawn]
    usual = Usual(ten=(60, 300), same=(9, 300))
    found = centre_flags(visits, usual)
    assert centre_flags(data.draw(st.permutations(visits)), usual) == found

    row = sorted(visits, key=lambda v: v.start_ms)
    expected = set()
    for i in range(len(row) - 3):
        four = row[i : i + 4]
        ends = [v.end_ms for v in four if v.end_ms is not None]
        if len(ends) < 4 or max(ends[1:]) - four[0].start_ms > 60_000:
            continue
        if all(abs(v.start_ms - e) < 3000 for v, e in zip(four[1:], ends, strict=False)):
            expected |= {v.visit for v in four}
    assert {v for v, flags in found.items() if "burst" in flags} == expected
