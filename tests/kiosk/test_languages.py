"""What every language is owed: its letters drawn and typed, its direction, its digits, its place
in the record."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from kiosk.fleet.resolve import resolve
from kiosk.layout.every import shots
from kiosk.layout.keyboards import rows
from kiosk.layout.measure import fonts, is_arabic
from kiosk.layout.order import choices
from kiosk.layout.page import Box, Page, Run
from kiosk.speech import phrases
from kiosk.ui.lettering import CAP, Lettering
from kiosk.ui.pages import Pages
from kiosk.ui.theme import light
from kiosk.wording import wording
from sync.contract.bundle import LANGUAGES, Bundle
from tests.ui.stage import Stage
from tests.ui.stage import bundle as stage_bundle

CONFIG = Path(__file__).parents[2] / "device-config"
NORMAL, LARGER = frozenset[str](), frozenset({"larger"})


@cache
def bundle(device: str = "esim-0001") -> Bundle:
    return resolve(CONFIG, device)


@cache
def pages(device: str = "esim-0001") -> Pages:
    screen = bundle(device).screen
    return Pages(bundle(device), (screen.width_px, screen.height_px))


def every(language: str, modes: frozenset[str] = NORMAL) -> list[Page]:
    found = []
    for device in ("esim-0001", "esim-0003"):
        for _, screen, args, _ in shots(bundle(device)):
            found.append(pages(device).page(modes, screen, language, *args))
    return found


def runs(page: Page) -> list[Run]:
    return [*page.runs, *(run for target in page.targets for run in target.runs)]


# --- right to left --------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [NORMAL, LARGER])
def test_answers_read_from_the_right_in_arabic_and_from_the_left_elsewhere(
    modes: frozenset[str],
) -> None:
    for language in LANGUAGES:
        for page in every(language, modes):
            answers = choices(page)
            assert page.rtl == (language == "ar")
            for one, other in pairwise(answers):
                if abs(one.box.y - other.box.y) < 1:
                    assert (one.box.x > other.box.x) == page.rtl, (page.screen, one.name)
            if page.screen == "rest":
                assert [each.name for each in answers] == [f"nps.{n}" for n in range(11)]


def test_texts_of_arabic_pages_begin_at_the_right() -> None:
    for page in every("ar"):
        for run in page.runs:
            ends = ("high", "page", "notice")
            assert run.align != "left" or run.name in ends, (page.screen, run.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_digits_are_european_in_every_language(language: str) -> None:
    for modes in (NORMAL, LARGER):
        for page in every(language, modes):
            shown = [line for run in runs(page) for line in run.lines]
            shown += [target.label for target in page.targets]
            odd = {c for text in shown for c in text if c.isdigit() and c not in "0123456789"}
            assert not odd, page.screen
            if page.screen == "rest":
                drawn = [run.lines[0] for t in page.targets for run in t.runs if t.look == "number"]
                assert drawn == [str(n) for n in range(11)]
    for key, text in wording(language).items():
        assert not {c for c in text if c.isdigit() and c not in "0123456789"}, key


def test_the_arabic_font_draws_european_digits_as_they_are() -> None:
    for digit, other in zip("0123456789", "٠١٢٣٤٥٦٧٨٩", strict=True):
        segment = fonts().segments(f"ا{digit}", False)[-1]
        font = ImageFont.truetype(str(segment.font), 60)
        assert bytes(font.getmask(digit)) != bytes(font.getmask(other))
        assert bytes(font.getmask(digit)) != bytes(font.getmask("\U0010fffd"))


# --- shaping and wrapping -------------------------------------------------------------------------


def painted(run: Run, index: int, image: Image.Image) -> Image.Image:
    band = Box(run.box.x - 1, run.box.y + index * run.leading, run.box.w + 2, run.leading)
    return image.crop(pages().view.px(band))


def reference(run: Run, index: int, layout: ImageFont.Layout) -> Image.Image:
    """The same line as the shaping library alone draws it: it finds the direction itself."""
    view, theme = pages().view, light(bundle().organisation.accent)
    image = Image.new("RGB", (view.width, view.height), theme.ground)
    font = fonts().arabic_bold if run.bold else fonts().arabic_regular
    loaded = ImageFont.truetype(str(font), run.em * view.scale, layout_engine=layout)
    line = run.lines[index]
    length = loaded.getlength(line)
    room = {"left": 0.0, "center": 0.5, "right": 1.0}[run.align]
    x = view.left + (run.box.x + room * run.box.w) * view.scale - room * length
    middle = run.box.y + run.leading * (index + 0.5)
    y = round(view.top + (middle + run.em * CAP / 2) * view.scale)
    ImageDraw.Draw(image).text((x, y), line, theme.colour(run.colour), loaded, anchor="ls")
    return painted(run, index, image)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that differ visibly."""
    grey = ImageChops.difference(one, other).convert("L")
    return sum(grey.histogram()[64:]) / (grey.width * grey.height)


def test_arabic_lines_are_painted_joined_and_from_the_right() -> None:
    compared = 0
    for page in every("ar")[: len(list(shots(bundle())))]:
        image = None
        for run in page.runs:
            for index, line in enumerate(run.lines):
                if not line or len(fonts().segments(line, run.bold)) > 1 or not is_arabic(line):
                    continue
                image = image or pages().painter(NORMAL, page.screen).page(page)
                if page.screen == "closed":
                    continue
                seen = painted(run, index, image)
                shaped = reference(run, index, ImageFont.Layout.RAQM)
                assert difference(seen, shaped) < 0.002, (page.screen, run.name, line)
                plain = reference(run, index, ImageFont.Layout.BASIC)
                assert difference(seen, plain) > 0.02, (page.screen, run.name, line)
                compared += 1
    assert compared > 20


@pytest.mark.parametrize("modes", [NORMAL, LARGER])
@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_hold_the_words_of_their_text_in_the_order_they_are_read(
    language: str, modes: frozenset[str]
) -> None:
    for page in every(language, modes):
        for run in runs(page):
            if run.text:
                shown = re.sub(r"[\s-]", "", "".join(run.lines))
                assert shown == re.sub(r"[\s-]", "", run.text), (page.screen, run.name)


@pytest.mark.parametrize("word", ["سلام", "الخدمة", "ملاحظاتك"])
def test_letters_of_an_arabic_word_are_joined(word: str) -> None:
    lettering = Lettering()
    apart = sum(lettering.width(letter, 80) for letter in word)
    assert lettering.width(word, 80) < 0.95 * apart
    joiner = "\u200c"  # keeps the letters on both sides of it apart
    assert lettering.width(joiner.join(word), 80) > lettering.width(word, 80)


# --- letters --------------------------------------------------------------------------------------

SAMI = "áčđŋšžŧâåäöæøõǩǥǧʒǯ"


def drawn(text: str, *, bold: bool) -> bytes:
    image = Image.new("RGB", (120, 120), (255, 255, 255))
    Lettering().line(image, text, (20, 90), 80, colour=(0, 0, 0), bold=bold)
    return image.tobytes()


@pytest.mark.parametrize("bold", [False, True])
def test_every_sami_letter_is_drawn_as_itself(bold: bool) -> None:
    letters = SAMI + SAMI.upper()
    missing = drawn("\U0010fffd", bold=bold)
    assert drawn("\u0e01", bold=bold) == missing
    seen = {letter: drawn(letter, bold=bold) for letter in letters}
    assert missing not in seen.values()
    # None of them has lost its mark.
    plain = {drawn(letter, bold=bold) for letter in "acdnsztaoaekgAEO"}
    assert len(set(seen.values())) == len(letters)
    assert not plain & set(seen.values())


def test_names_with_sami_letters_are_shown_whole_said_and_written_by_a_keyboard() -> None:
    name = "Anár dearvvašvuođaguovddáš, Čáhcesuolu ǥŋŧǩǯ"
    config = stage_bundle()
    texts = {code: {**words, "statement.s05": name} for code, words in config.texts.items()}
    stage = Stage(msgspec.structs.replace(config, texts=texts))
    stage.tap("nps.7")
    page = stage.glass.page
    assert page is not None
    question = next(run for run in page.runs if run.name == "question")
    assert " ".join(question.lines) == name
    assert name in [part.text for part in phrases.orientation(page, stage.bundle)]
    while stage.screen != "offer":
        stage.tap("skip")
    stage.tap("comment.here")
    for letter in name:
        stage.flow.typed(letter)
    assert stage.flow.entry.text == name


# --- keyboards ------------------------------------------------------------------------------------

ALPHABETS = {
    "fi": "abcdefghijklmnopqrstuvwxyzåäö",
    "sv": "abcdefghijklmnopqrstuvwxyzåäö",
    "en": "abcdefghijklmnopqrstuvwxyz",
    "et": "abcdefghijklmnopqrsšzžtuvwõäöüxy",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'",
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئىة",
}


def keys(language: str) -> set[str]:
    return {
        key
        for layer in ("lower", "upper", "symbols")
        for row in rows(language, layer)
        for key in row
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_the_alphabet_has_a_key_small_and_large(language: str) -> None:
    alphabet = set(ALPHABETS[language])
    assert not alphabet - keys(language)
    assert not {letter.upper() for letter in alphabet} - keys(language)
    assert not set("0123456789.!-/") - keys(language)
    assert keys(language) & set(",،")
    assert keys(language) & set("?؟")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_the_languages_own_wording_has_a_key(language: str) -> None:
    # Vowel signs are seldom written, and an apostrophe is an apostrophe.
    own = {"language.name", "found.identity-code"}
    texts = "".join(text for key, text in wording(language).items() if key not in own)
    texts = re.sub(r"henkilötunnus|[\u064b-\u0652]|\{\w+\}|QR", "", texts)
    letters = {letter for letter in texts.replace("ʼ", "'") if letter.isalpha()}
    assert not letters - keys(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keys_of_the_screen_write_the_alphabet(language: str) -> None:
    stage = Stage()
    if language != stage.language:
        stage.tap(f"language.{language}")
    stage.tap("nps.7")
    while stage.screen != "offer":
        stage.tap("skip")
    stage.tap("comment.here")
    symbols = {key for row in rows(language, "symbols") for key in row}
    for letter in ALPHABETS[language]:
        there = letter in symbols - {key for row in rows(language, "lower") for key in row}
        if there:
            stage.tap("key.123")
        stage.tap(f"key.{letter}")
        if there:
            stage.tap("key.123")
    assert stage.flow.entry.text == ALPHABETS[language]


# --- the record -----------------------------------------------------------------------------------


def test_each_answer_keeps_the_language_it_was_given_in() -> None:
    stage = Stage()
    stage.tap("nps.6")
    stage.tap("face.4")
    for language in ("ar", "uk"):
        stage.tap("language")
        stage.tap(f"language.{language}")
        stage.tap("continue")
        stage.tap("face.2")
    given = [(answer.language, answer.value, answer.layout) for answer in stage.answers]
    assert [language for language, _, _ in given] == ["fi", "fi", "ar", "uk"]
    assert [value for _, value, _ in given] == [6, 4, 2, 2]
    assert [layout.endswith("-rtl") for _, _, layout in given] == [False, False, True, False]
