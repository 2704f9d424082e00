"""Rotation asks the whole bank equally often, whatever the answers were."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.rotation import choose, statements
from sync.contract.bundle import Statement, Survey

BANK = tuple(Statement(id=f"s{i:02}") for i in range(1, 19))
IDS = [statement.id for statement in BANK]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*IDS, "gone"]), st.integers(0, 50)), st.integers(1, 5))
def test_none_left_out_was_asked_less_than_one_chosen(counts, count):
    chosen = [statement.id for statement in choose(BANK, counts, count, Random(1))]
    assert len(set(chosen)) == count
    assert chosen == sorted(chosen), "in the bank's order"
    rest = [counts.get(each, 0) for each in IDS if each not in chosen]
    assert max(counts.get(each, 0) for each in chosen) <= min(rest)


def test_over_many_visits_every_statement_is_asked_equally_often():
    counts: Counter[str] = Counter()
    random = Random(2)
    for _ in range(600):
        counts.update(statement.id for statement in choose(BANK, counts, 3, random))
    assert set(counts.values()) == {100}


def test_ties_are_broken_by_lot_not_by_place_in_the_bank():
    random = Random(3)
    first = Counter(statement.id for _ in range(1800) for statement in choose(BANK, {}, 1, random))
    assert set(first) == set(IDS)
    assert max(first.values()) < 150


def test_a_bank_smaller_than_the_count_is_asked_whole():
    assert choose(BANK[:2], {}, 5, Random(4)) == BANK[:2]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_fixed_survey_asks_its_first_statements_whatever_the_counts(count):
    survey = Survey(id="base", version=1, statements=BANK, count=count)
    assert statements(survey, {"s01": 99}, Random(5)) == BANK[:count]


def test_a_rotated_survey_asks_the_least_asked():
    survey = Survey(id="base", version=1, statements=BANK, selection="rotated")
    counts = dict.fromkeys(IDS[:-3], 1)
    assert statements(survey, counts, Random(6)) == BANK[-3:]
