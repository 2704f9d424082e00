"""The seven wording files: complete, consistent, and free of what would look wrong on a screen."""

import re
import string
import tomllib
import unicodedata
from pathlib import Path

import pytest

from kiosk.questions import RESPONDENTS, scale_values
from sync.contract.bundle import LANGUAGES

FOLDER = Path(__file__).parents[2] / "assets" / "wording"
WORDING = {
    language: tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    for language in LANGUAGES
}
BANK = tomllib.loads((FOLDER / "statements.toml").read_text("utf-8"))
FINISHED = ("fi", "sv", "en")


def may_be_missing(key, language):
    """Declared gaps: spoken forms where the written one can be read out, and residential care."""
    return key.endswith(".spoken") or (key.endswith(".present") and language != "fi")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language):
    every = set().union(*WORDING.values())
    missing = {key for key in every - set(WORDING[language]) if not may_be_missing(key, language)}
    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_spoken_or_present_form_has_its_written_one(language):
    for key in WORDING[language]:
        for ending in (".spoken", ".present"):
            assert key.removesuffix(ending) in WORDING[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bank_the_scales_and_the_choices_have_words(language):
    words = WORDING[language]
    assert {f"statement.{each}" for each in BANK} <= set(words)
    assert {f"{scale}.{i}" for scale in ("agree", "satisfied") for i in range(1, 6)} <= set(words)
    assert {f"satisfied.{value}" for value in scale_values("satisfied3")} <= set(words)
    assert {f"respondent.{each}" for each in RESPONDENTS} <= set(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_blanks_are_filled_in_every_language(language):
    for key, text in WORDING[language].items():
        blanks = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        finnish = WORDING["fi"].get(key, text)
        assert blanks == {name for _, name, _, _ in string.Formatter().parse(finnish) if name}, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_padded_or_holds_what_cannot_be_seen(language):
    for key, text in WORDING[language].items():
        assert text == text.strip() != "", key
        assert text == unicodedata.normalize("NFC", text), key
        assert "  " not in text, key
        odd = {c for c in text if unicodedata.category(c)[0] in "CZ"} - set(" \n\u00ad")
        assert not odd, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_soft_hyphen_stands_only_inside_a_word(language):
    for key, text in WORDING[language].items():
        for match in re.finditer("\u00ad", text):
            before, after = text[: match.start()][-2:], text[match.end() :][:2]
            assert len(before) == len(after) == 2, key
            assert (before + after).isalpha(), key


@pytest.mark.parametrize("language", FINISHED)
def test_finished_languages_share_no_text_but_what_is_the_same_word(language):
    """A text copied from another language and forgotten is not a translation."""
    for other in set(FINISHED) - {language}:
        same = {key for key, text in WORDING[language].items() if WORDING[other].get(key) == text}
        assert same == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_and_the_languages_names_are_told_apart(language):
    names = {words["language.name"] for words in WORDING.values()}
    assert len(names) == len(LANGUAGES)
    texts = [WORDING[language][f"agree.{i}"] for i in range(1, 6)]
    assert len(set(texts)) == 5


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - set(FINISHED)))
def test_what_no_native_reader_has_seen_says_so(language):
    assert "NEEDS REVIEW" in (FOLDER / f"{language}.toml").read_text("utf-8")


SIGNS = set("/()[]{}<>|_*#@+=&%€–—") | {"\u00ad", "\u02bc"}
"""What an engine reads out by name or stumbles over."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_with_a_sign_in_it_has_a_form_for_the_ear(language):
    words = WORDING[language]
    for key, text in words.items():
        # A soft hyphen and an apostrophe of the alphabet are dealt with in every text.
        signs = set(re.sub(r"\{\w+\}", "", text)) & (SIGNS - {"\u00ad", "\u02bc"})
        assert key.endswith(".spoken") or not signs or f"{key}.spoken" in words, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_for_the_ear_is_words_alone(language):
    for key, text in WORDING[language].items():
        if key.endswith(".spoken") or key.startswith(("spoken.", "sign.")):
            assert not set(re.sub(r"\{\w+\}", "", text)) & SIGNS, key


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fi", "yksi yksi kaksi"),
        ("sv", "ett ett två"),
        ("en", "one one two"),
        ("et", "üks üks kaks"),
    ],
)
def test_the_emergency_number_is_said_as_people_say_it(language, said):
    assert "112" in WORDING[language]["offer.not-urgent"]
    assert said in WORDING[language]["offer.not-urgent.spoken"]


BUTTONS = ("repeat", "pause", "resume", "louder", "quieter")
"""Words that stand on buttons of the access sheet."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_buttons_of_speech_are_short_and_told_apart(language):
    labels = [WORDING[language][f"spoken.{name}"] for name in BUTTONS]
    assert all(len(label) <= 14 for label in labels), labels
    assert len(set(labels)) == len(labels)
