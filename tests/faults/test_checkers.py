"""Each invariant's checker passes what holds and names what does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.contract.records import Answer
from tests.bench.samples import records
from tests.faults.checkers import (
    Tap,
    differing,
    disordered,
    expected_counts,
    missing_or_doubled,
    unbalanced,
    unexplained,
)


def test_everything_there_once_is_fine() -> None:
    assert missing_or_doubled(["a", "b"], ["b", "a", "committed-but-not-shown"]) == []


def test_a_lost_record_is_named() -> None:
    assert missing_or_doubled(["a", "b"], ["a"]) == ["b was acknowledged and is not at the centre"]


def test_a_doubled_record_is_named() -> None:
    assert missing_or_doubled(["a"], ["a", "a"]) == ["a is at the centre 2 times"]


def test_records_whose_positions_were_swapped_are_named() -> None:
    assert disordered(["a", "b", "c"]) == []
    assert disordered(["a", "c", "b"]) == ["b was given before c, and has the later position"]


A, B = ("nps", 7), ("nps", 3)


def test_a_tap_the_power_cut_short_may_or_may_not_be_there() -> None:
    taps = [Tap(*A, acknowledged=True), Tap(*B, acknowledged=False), Tap(*A, acknowledged=True)]
    assert unexplained(taps, [A, B, A]) == []
    assert unexplained(taps, [A, A]) == []


def test_an_acknowledged_tap_must_be_there() -> None:
    taps = [Tap(*A, acknowledged=True), Tap(*B, acknowledged=True)]
    assert unexplained(taps, [A]) != []
    assert unexplained(taps, [B]) != []


def test_nothing_may_be_there_that_nobody_tapped() -> None:
    assert unexplained([Tap(*A, acknowledged=True)], [A, A]) != []
    assert unexplained([Tap(*A, acknowledged=True)], [A, B]) != []
    assert unexplained([], [A]) != []


def test_order_counts() -> None:
    taps = [Tap(*A, acknowledged=True), Tap(*B, acknowledged=True)]
    assert unexplained(taps, [B, A]) != []


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.booleans(), st.booleans()), max_size=12))
def test_any_honest_centre_passes(story: list[tuple[tuple[str, int], bool, bool]]) -> None:
    """Acknowledged taps arrive; of the others, those that happened to be committed do too."""
    taps = [Tap(*what, acknowledged=shown) for what, shown, _ in story]
    centre = [what for what, shown, committed in story if shown or committed]
    assert unexplained(taps, centre) == []


def test_counts_that_differ_are_named() -> None:
    made = records(50)
    expected = expected_counts(made)
    assert differing(expected, expected) == []
    fewer = expected.copy()
    (question, value), n = fewer.most_common(1)[0]
    fewer[question, value] -= 1
    assert differing(expected, fewer) == [f"{question} = {value}: {n} expected, {n - 1} counted"]


def test_only_the_last_word_on_a_question_is_expected() -> None:
    first = records(1)[0]
    assert isinstance(first, Answer)
    changed = Answer(
        **{f: getattr(first, f) for f in first.__struct_fields__} | {"n": 2, "value": 0}
    )
    gone = Answer(
        **{f: getattr(first, f) for f in first.__struct_fields__} | {"n": 3, "value": None}
    )
    assert expected_counts([changed, first]) == {("nps", 0): 1}
    assert expected_counts([first, changed, gone]) == {}


def test_a_ledger_that_does_not_add_up_is_named() -> None:
    good = {
        "epoch": "e", "created": 9, "acknowledged": 4, "quarantined": 1, "held": 1, "lost": 0,
        "to_send": 3,
    }  # fmt: skip
    assert unbalanced([good]) == []
    assert len(unbalanced([good, good | {"to_send": 2}])) == 1
    assert len(unbalanced([good | {"acknowledged": 8, "to_send": -1}])) == 1
