"""The figures against the published vectors, and what must hold for every distribution."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.collector.reports.statistics import (
    Split,
    compare,
    mean,
    rounded,
    share,
    verdict,
    wilson,
)

counts = st.integers(min_value=0, max_value=5000)
splits = st.builds(Split, counts, counts, counts)
filled = splits.filter(lambda s: s.n > 0)
distributions = st.dictionaries(st.integers(0, 10), counts)


@pytest.mark.parametrize(
    ("split", "nps", "low", "high"),
    [
        (Split(54, 22, 113), -31.2, -43.2, -18.2),
        (Split(2, 0, 0), 100, -24.4, 100),
        (Split(21, 6, 3), 60, 31.0, 78.1),
        (Split(80, 15, 5), 75, 62.1, 83.6),
    ],
)
def test_nps_and_interval_fit_the_vectors(
    split: Split, nps: float, low: float, high: float
) -> None:
    interval = split.interval()
    assert split.nps is not None
    assert interval is not None
    assert float(rounded(split.nps, 1)) == nps
    assert (float(rounded(interval.low, 1)), float(rounded(interval.high, 1))) == (low, high)


def test_two_units_fit_the_vectors() -> None:
    found = compare(Split(80, 15, 5), Split(60, 25, 15))
    assert found is not None
    assert (round(found.z, 3), round(found.p, 4)) == (3.185, 0.0014)
    small = compare(Split(21, 6, 3), Split(18, 6, 6))
    assert small is not None
    assert round(small.p, 3) == 0.323


@pytest.mark.parametrize(("k", "n", "low", "high"), [(24, 30, 0.627, 0.905), (5, 5, 0.566, 1.0)])
def test_wilson_fits_the_vectors(k: int, n: int, low: float, high: float) -> None:
    found = wilson(k, n)
    assert found is not None
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_what_a_change_may_be_called() -> None:
    assert verdict(Split(80, 15, 5), Split(60, 25, 15)) == "more-than-chance"
    assert verdict(Split(80, 15, 5), Split(79, 15, 6)) == "within-chance"
    assert verdict(Split(80, 15, 4), Split(60, 25, 15)) == "too-few"
    assert verdict(Split(80, 15, 5), Split()) is None


def test_no_answers_give_no_figures() -> None:
    assert Split().nps is None
    assert Split().interval() is None
    assert mean({}) is None
    assert share(0, 0) is None
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (Fraction(133, 2), 0, "67"),
        (Fraction(-133, 2), 0, "-67"),
        (Fraction(-1, 2), 0, "-1"),
        (Fraction(1, 8), 2, "0.13"),
        (Fraction(-2, 5), 0, "0"),
        (Fraction(9, 2), 2, "4.50"),
    ],
)
def test_rounding_goes_half_away_from_zero(value: Fraction, digits: int, printed: str) -> None:
    assert str(rounded(value, digits)) == printed


@pytest.mark.parametrize("counts_", [{11: 1}, {-1: 1}, {3: -1}])
def test_what_is_no_distribution_is_refused(counts_: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="distribution"):
        Split.of(counts_)


@given(filled)
def test_the_interval_stays_on_the_scale_and_mirrors(split: Split) -> None:
    found = split.interval()
    mirrored = Split(split.detractors, split.passives, split.promoters).interval()
    assert found is not None
    assert mirrored is not None
    assert -100 <= found.low < found.high <= 100
    assert found.low == pytest.approx(-mirrored.high)


@given(filled)
def test_more_answers_of_the_same_kind_narrow_the_interval(split: Split) -> None:
    ten = Split(split.promoters * 10, split.passives * 10, split.detractors * 10)
    wide, narrow = split.interval(), ten.interval()
    assert wide is not None
    assert narrow is not None
    assert ten.nps == split.nps
    assert narrow.high - narrow.low < wide.high - wide.low + 1e-9


@given(filled, filled)
def test_pooling_stays_between_the_two_and_never_averages(a: Split, b: Split) -> None:
    pooled = (a + b).nps
    assert pooled is not None
    assert a.nps is not None
    assert b.nps is not None
    assert min(a.nps, b.nps) <= pooled <= max(a.nps, b.nps)
    assert pooled == (a.nps * a.n + b.nps * b.n) / (a.n + b.n)


@given(filled, filled)
def test_comparing_the_other_way_round_changes_only_the_sign(a: Split, b: Split) -> None:
    one, other = compare(a, b), compare(b, a)
    assert one is not None
    assert other is not None
    assert one.z == pytest.approx(-other.z)
    assert 0 <= one.p <= 1
    assert one.p == pytest.approx(other.p)


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_wilson_holds_the_share(k: int, n: int) -> None:
    k = min(k, n)
    found = wilson(k, n)
    assert found is not None
    assert 0 <= found.low <= k / n <= found.high <= 1


@given(distributions)
def test_shares_of_a_split_make_a_whole(values: dict[int, int]) -> None:
    split = Split.of(values)
    assert split.n == sum(values.values())
    if split.n:
        parts = [share(k, split.n) for k in (split.promoters, split.passives, split.detractors)]
        assert sum(p for p in parts if p is not None) == 100
        average = mean(values)
        assert average is not None
        assert 0 <= average <= 10


@given(st.fractions(-(10**9), 10**9), st.integers(0, 3))
def test_rounding_is_near_symmetric_and_never_minus_zero(value: Fraction, digits: int) -> None:
    found = rounded(value, digits)
    assert abs(Fraction(found) - value) <= Fraction(1, 2 * 10**digits)
    assert rounded(-value, digits) == -found
    assert not (found == 0 and Decimal(found).is_signed())
