"""Line breaking: where lines may break, and that they are even."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.layout.compose import Composer
from kiosk.layout.measure import PAIRS, PillowMeasure
from kiosk.layout.wrap import balance, fill, typed
from tests.kiosk.layout.world import MEASURE, bundle


def letters(line: str) -> float:
    return float(len(line))


def test_lines_are_even() -> None:
    assert balance("one two three four", 14, letters) == ("one two", "three four")
    assert balance("one two three four", 18, letters) == ("one two three four",)


def test_lines_break_after_a_slash_and_before_a_bracket() -> None:
    assert balance("hoitoa/palvelua", 10, letters) == ("hoitoa/", "palvelua")
    assert balance("согласен(-на)", 9, letters) == ("согласен", "(-на)")
    assert balance("нашёл (нашла) это", 8, letters) == ("нашёл", "(нашла)", "это")


def test_a_space_is_the_better_place() -> None:
    # Without the price of the slash the lines would be 8 and 8.
    assert balance("aaa bbb/ccc dddd", 11, letters) == ("aaa bbb/ccc", "dddd")


def test_a_soft_hyphen_shows_only_where_its_line_breaks() -> None:
    word = "yhdenvertaisuus\u00adsuunnitelma"
    assert balance(word, 40, letters) == ("yhdenvertaisuussuunnitelma",)
    assert balance(word, 16, letters) == ("yhdenvertaisuus-", "suunnitelma")


def test_a_word_is_never_broken_elsewhere() -> None:
    assert balance("epäjärjestelmällisyys ja", 5, letters) == ("epäjärjestelmällisyys", "ja")


def test_a_line_break_of_the_text_is_kept() -> None:
    assert balance("a b\nc", 10, letters) == ("a b", "c")
    assert fill("a b\n\nc", 10, letters) == ["a b", "", "c"]


words = st.text(alphabet="ab/(\u00ad)ä", min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=12).map(" ".join)


@given(text=texts, limit=st.integers(3, 30))
def test_nothing_is_lost_and_no_line_is_wider_than_it_must_be(text: str, limit: int) -> None:
    def bare(lines: str) -> str:
        return lines.replace(" ", "").replace("\u00ad", "")

    for lines in (balance(text, limit, letters), tuple(fill(text, limit, letters))):
        joined = "".join(lines)
        if "\u00ad" not in text:
            assert bare(joined) == bare(text)
        assert len([c for c in joined if c in "abä/()"]) == len([c for c in text if c in "abä/()"])
        for line in lines:
            if len(line) > limit:
                # Only a piece without a place to break is wider.
                assert " " not in line
                assert "/" not in line.rstrip("/")
    assert len(balance(text, limit, letters)) <= len(fill(text, limit, letters))


@given(text=st.text(alphabet="ab c\n", max_size=80), limit=st.integers(2, 20))
def test_typed_text_loses_nothing_and_fits(text: str, limit: int) -> None:
    lines = typed(text, limit, letters)
    assert "".join(lines) == text.replace("\n", "")
    assert all(len(line.rstrip(" ")) <= limit for line in lines)


@pytest.mark.parametrize("language", ["fi", "ru", "ar"])
def test_typed_text_is_measured_and_then_forgotten(language: str) -> None:
    made = Composer(bundle(), MEASURE)
    text = {"fi": "Odotin lähes tunnin ", "ru": "Врач был внимателен ", "ar": "انتظرت ساعة "}[
        language
    ] * 20
    lines = made.wrap(text, 197, 7.7, False, language)
    assert "".join(lines) == text
    assert all(
        MEASURE.width(line.rstrip(), 7.7, False, language, keep=False) <= 198 for line in lines
    )
    assert not any(text[:8].strip() in kept for kept, _ in MEASURE._ems)
    assert all(len(pair) <= 2 for pair, _ in MEASURE._pairs)


def test_whatever_is_typed_over_the_years_takes_no_more_room() -> None:
    measure = PillowMeasure()
    letters = "abcdefghijklmnopqrstuvwxyzåäöABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖ0123456789.,!?"
    for first, second in product(letters, repeat=2):
        measure.width(first + second, 7.7, False, "fi", keep=False)
    assert len(letters) ** 2 > PAIRS >= len(measure._pairs) > 0
