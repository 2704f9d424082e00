"""The wording of the screens for staff: complete, consistent, and fit to be acted on."""

import string
import tomllib
import unicodedata
from itertools import combinations
from pathlib import Path

import pytest

from kiosk.wording import STAFF_LANGUAGES, staff
from tests.kiosk.layout.staff_pages import ERRORS

FOLDER = Path(__file__).parents[2] / "assets" / "wording"
WORDING = {
    language: tomllib.loads((FOLDER / f"staff-{language}.toml").read_text("utf-8"))
    for language in STAFF_LANGUAGES
}
SAME_WORD = {"service.title", "service.menu.title", "check.disk"}
"""Words two of the languages share."""
CHECKS = ("network", "clock", "tls", "endpoint", "touch", "rotation", "disk", "config")


def blanks(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_every_language_has_the_same_keys_in_the_same_order_with_the_same_blanks(language):
    assert list(WORDING[language]) == list(WORDING["fi"])
    for key, text in WORDING[language].items():
        assert blanks(text) == blanks(WORDING["fi"][key]), key


@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_no_text_is_empty_or_padded_or_holds_what_cannot_be_seen(language):
    for key, text in WORDING[language].items():
        assert text == text.strip() != "", key
        assert text == unicodedata.normalize("NFC", text), key
        assert "  " not in text, key
        assert not {c for c in text if unicodedata.category(c)[0] in "CZ"} - {" "}, key


@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_every_error_has_a_sentence_that_says_what_to_do_in_two_lines(language):
    for word in ERRORS:
        text = WORDING[language][f"setup.error.{word}"]
        assert text.endswith("."), word
        # What is wrong, then what to do: two sentences or two halves of one.
        assert len([part for part in text.replace(":", ".").split(". ") if part]) >= 2, word
        assert len(text) <= 120, word
    for name in CHECKS:
        words = WORDING[language]
        assert {f"check.{name}", f"check.{name}.ok", f"check.{name}.bad"} <= set(words)
        assert words[f"check.{name}.bad"].count(".") == 2, name


def test_a_text_copied_from_another_language_is_not_a_translation():
    for one, other in combinations(STAFF_LANGUAGES, 2):
        same = {key for key, text in WORDING[one].items() if WORDING[other][key] == text}
        assert same <= SAME_WORD, (one, other)


def test_a_language_without_screens_for_staff_has_them_in_english():
    assert staff("ar") == staff("en") == WORDING["en"]
    assert staff("sv") == WORDING["sv"]
