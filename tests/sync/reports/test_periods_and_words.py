"""Periods, and how numbers and days are written."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.collector.reports import periods
from sync.collector.reports.periods import Period, PeriodError, parse, previous, to_compare
from sync.collector.reports.words import LANGUAGES, Words, _catalogue

days = st.dates(date(2000, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2025-Q3", "2025-07-01", "2025-09-30"),
        ("2025q1", "2025-01-01", "2025-03-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-09-01..2025-09-15", "2025-09-01", "2025-09-15"),
        ("2025-09..2025-10", "2025-09-01", "2025-10-31"),
        ("2025-09-03", "2025-09-03", "2025-09-03"),
    ],
)
def test_periods_are_read(text: str, first: str, last: str) -> None:
    assert parse(text) == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["", "2025-13", "2025-Q5", "yesterday", "2025-09-30..2025-09-01"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(PeriodError):
        parse(text)


def test_before_a_month_is_the_month_before_and_before_days_are_days() -> None:
    assert previous(parse("2025-03")) == parse("2025-02")
    assert previous(parse("2025-Q1")) == parse("2024-Q4")
    assert previous(parse("2025")) == parse("2024")
    assert previous(parse("2025-03-02..2025-03-08")) == parse("2025-02-23..2025-03-01")
    assert to_compare("year-before", parse("2024-02")) == parse("2023-02")
    assert to_compare("year-before", parse("2024-02-29")) == parse("2023-02-28")


def test_the_quick_choices_of_a_day() -> None:
    today = date(2025, 1, 20)
    assert periods.this_month(today) == parse("2025-01")
    assert periods.last_month(today) == parse("2024-12")
    assert periods.this_quarter(today) == parse("2025-Q1")
    assert periods.last_quarter(today) == parse("2024-Q4")
    assert periods.twelve_months(today) == parse("2024-01-21..2025-01-20")


@given(days, days)
def test_the_period_before_is_as_long_and_ends_the_day_before(a: date, b: date) -> None:
    period = Period(min(a, b), max(a, b))
    before = previous(period)
    assert period.first is not None
    assert before.last == period.first - periods.ONE_DAY
    whole = (
        period.first.day == 1
        and (period.last or a).month != ((period.last or a) + periods.ONE_DAY).month
    )
    if not whole:
        assert before.days == period.days


def test_numbers_by_language() -> None:
    fi, sv, en = (Words(language) for language in ("fi", "sv", "en"))
    assert fi.number(Fraction(-312, 10), 1) == "−31,2"
    assert en.number(Fraction(-312, 10), 1) == "−31.2"
    assert (fi.percent(59.8), sv.percent(59.8), en.percent(59.8)) == (
        "59,8\u00a0%",
        "59,8\u00a0%",
        "59.8%",
    )
    assert (fi.whole(12345), en.whole(12345)) == ("12\u00a0345", "12,345")
    assert (fi.signed(3), fi.signed(-3), fi.signed(0.4)) == ("+3", "−3", "±0")
    assert fi.interval(61.4, 72.6) == "61–73"
    assert fi.interval(-43.2, -18.2) == "−43 … −18"


def test_days_say_once_what_they_share() -> None:
    fi, sv, en = (Words(language) for language in ("fi", "sv", "en"))
    september = (date(2025, 9, 1), date(2025, 9, 30))
    assert [w.days(*september) for w in (fi, sv, en)] == [
        "1.–30.9.2025",
        "1–30.9.2025",
        "1–30 Sep 2025",
    ]
    autumn = (date(2025, 9, 1), date(2025, 11, 30))
    assert [w.days(*autumn) for w in (fi, sv, en)] == [
        "1.9.–30.11.2025",
        "1.9–30.11.2025",
        "1 Sep–30 Nov 2025",
    ]
    assert fi.days(date(2024, 12, 1), date(2025, 1, 1)) == "1.12.2024–1.1.2025"
    assert fi.days(date(2025, 1, 2), None) == "2.1.2025–"


def test_the_alphabet_ends_in_a_ring_and_dots() -> None:
    names = ["Äänekoski", "Zeta", "Åbo", "Öja", "ahola"]
    assert sorted(names, key=Words("fi").sort_key) == ["ahola", "Zeta", "Åbo", "Äänekoski", "Öja"]


@pytest.mark.parametrize("package", ["sync.collector.reports", "sync.collector.web"])
def test_every_language_says_everything(package: str) -> None:
    keys = {language: set(_catalogue(package, language)) for language in LANGUAGES}
    assert keys["fi"] == keys["sv"] == keys["en"]
    for language in LANGUAGES:
        for key, text in _catalogue(package, language).items():
            fields = {part for part in ("{n}", "{when}", "{target}", "{period}") if part in text}
            assert text.strip(), key
            other = _catalogue(package, "fi")[key]
            if not key.endswith((".0", ".1")):
                assert fields == {p for p in fields if p in other}, key


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="'ru' is not one of"):
        Words("ru")
