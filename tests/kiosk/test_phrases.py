"""What is said aloud: every page, every control, every language of the example devices."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.fleet.resolve import resolve
from kiosk.layout.compose import Composer
from kiosk.layout.every import shots
from kiosk.layout.keyboards import rows
from kiosk.layout.page import Page
from kiosk.speech import ear, phrases
from kiosk.speech.parts import Part, Utterance
from sync.contract.bundle import LANGUAGES, Bundle
from tests.kiosk.layout.world import MEASURE

CONFIG = Path(__file__).parents[2] / "device-config"
DEVICES = ("esim-0001", "esim-0002", "esim-0003")
"""The whole bank of statements; a short survey; services in groups."""
READ_AS_SIGNS = set('/()[]{}<>|–—_*#@+=&%€"') | {"\u00ad", "\u02bc", "\xa0", "\n"}


@cache
def bundle(device: str = "esim-0001") -> Bundle:
    found = resolve(CONFIG, device)
    survey = msgspec.structs.replace(found.survey, phone_url="https://palaute.example/t/1")
    return msgspec.structs.replace(found, survey=survey)


@cache
def composer(device: str = "esim-0001", *modes: str) -> Composer:
    return Composer(bundle(device), MEASURE, frozenset(modes))


def pages(device: str, language: str, *modes: str) -> Iterator[Page]:
    made = composer(device, *modes)
    offered = ("speech", "larger", "dark", "repeat", "pause", "quieter", "louder")
    for _, screen, args, _ in shots(bundle(device), offered):
        yield getattr(made, screen)(language, *args)


def everything(language: str, *modes: str) -> Iterator[tuple[str, Utterance]]:
    """Where it is, and what is said there."""
    for device in DEVICES:
        for page in pages(device, language, *modes):
            yield page.screen, phrases.orientation(page, bundle(device), progress=(2, 5), help=True)
            for target in page.targets:
                said = phrases.control(page, bundle(device), target.name)
                yield f"{page.screen} {target.name}", said
            for run in page.runs:
                middle = run.box.x + run.box.w / 2, run.box.y + run.box.h / 2
                found = phrases.at(page, bundle(device), *middle)
                yield f"{page.screen} {run.name}", found[1] if found else ()


@pytest.mark.parametrize("modes", [(), ("larger",)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_and_everything_on_it_says_something(
    language: str, modes: tuple[str, ...]
) -> None:
    silent = {
        where
        for where, said in everything(language, *modes)
        if not said or not all(re.search(r"\w", part.text) for part in said)
    }
    assert not silent


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_is_said_holds_a_character_the_engine_reads_as_a_sign(language: str) -> None:
    odd = {
        (where, part.text)
        for where, said in everything(language)
        for part in said
        if set(part.text) & READ_AS_SIGNS or re.search(r"[\u0660-\u0669\u06f0-\u06f9]", part.text)
    }
    assert not odd


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_voice_says_names_and_addresses_and_nothing_else(language: str) -> None:
    foreign = {
        (where.partition(" ")[2] or where, part.language)
        for where, said in everything(language)
        for part in said
        if part.language != language
    }
    names = {(f"language.{code}", code) for code in LANGUAGES if code != language}
    assert names <= foreign
    # Services have names in fi, sv and en alone; the contact is a Finnish address.
    translated = language in ("fi", "sv", "en")
    for where, voice in foreign - names:
        assert not translated, (where, voice)
        if voice == "en":
            assert where.startswith(("logo", "choice", "group.", "question")), where
        else:
            assert (where, voice) in {
                (place, "fi") for place in ("reply", "out-of-use", "privacy", "body")
            }


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_engine_says_no_punctuation_that_is_left_in_a_text(language: str) -> None:
    left = {
        character
        for _, said in everything(language)
        for part in said
        for character in part.text
        if not character.isalnum() and character != " " and part.language == language
    } - {"ً", "ّ", "ُ", "َ", "ِ", "ْ", "ٍ"}
    word = {"ru": "да", "uk": "так", "ar": "نعم"}.get(language, "ja")
    plain = phonemes(language, f"{word}, {word}.")
    assert plain
    for character in left:
        assert phonemes(language, f"{word}{character} {word}.") == plain, character
    assert phonemes(language, f"{word} @ {word}.") != plain


def phonemes(language: str, text: str) -> list[str]:
    words = ["espeak-ng", "-q", "-x", "-v", language, "--", text]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return out.replace("_:", "").replace("'", "").replace(",", "").split()


def test_a_number_is_said_with_its_end_whether_it_stands_and_its_position() -> None:
    page = composer().rest("fi")
    assert phrases.control(page, bundle(), "nps.10", chosen="nps.10") == (
        Part("10", "fi"),
        Part("Erittäin todennäköisesti", "fi"),
        Part("valittu", "fi"),
        Part("vaihtoehto 11, yhteensä 11", "fi"),
    )
    assert words(phrases.control(page, bundle(), "nps.7")) == "7 | vaihtoehto 8, yhteensä 11"
    assert phrases.control(page, bundle(), "nps.12") == ()


def words(said: Utterance | None) -> str:
    return " | ".join(part.text for part in said or ())


def test_positions_count_from_the_first_answer_in_a_mirrored_language_too() -> None:
    page = composer().rest("ar")
    assert words(phrases.control(page, bundle(), "nps.0")).endswith("الخيار 1 من 11")
    assert words(phrases.control(page, bundle(), "nps.10")).endswith("الخيار 11 من 11")
    face = composer().face("ar", "s05", 1, 4)
    assert words(phrases.control(face, bundle(), "face.5")) == "أوافق تمامًا | الخيار 5 من 5"


def test_the_question_comes_with_its_ends_and_what_to_do() -> None:
    said = phrases.orientation(composer().rest("sv"), bundle(), progress=(1, 5), help=True)
    assert words(said) == (
        "fråga 1 av 5 | Hur sannolikt är det att du skulle rekommendera den vård eller service "
        "du fick till en närstående? | 0: Inte alls sannolikt | 10: Mycket sannolikt | "
        "11 alternativ | Dra fingret över skärmen för att höra alternativen. "
        "Välj genom att trycka två gånger."
    )


def test_a_question_is_said_again_where_it_is_touched_and_empty_ground_is_silent() -> None:
    page = composer().face("fi", "s01", 1, 4)
    run = next(run for run in page.runs if run.name == "question")
    name, said = phrases.at(page, bundle(), run.box.x + 1, run.box.y + 1) or ("", ())
    assert name == "run:question"
    assert words(said) == "Sain hoidon tai palvelun, kun sitä tarvitsin"
    assert phrases.at(page, bundle(), 0.5, 0.5) is None


def test_the_code_for_a_phone_says_what_it_is() -> None:
    page = composer().offer("en", 4, 5)
    mark = next(mark for mark in page.marks if mark.kind == "qr")
    name, said = phrases.at(page, bundle(), mark.box.x + 5, mark.box.y + 5) or ("", ())
    assert name == "run:qr"
    assert words(said).startswith("QR code. ")


def test_a_language_names_itself_in_its_own_voice() -> None:
    page = composer().languages("fi")
    assert phrases.control(page, bundle(), "language.ru") == (
        Part("Русский", "ru"),
        Part("vaihtoehto 5, yhteensä 7", "fi"),
    )
    assert words(phrases.control(page, bundle(), "language.fi")).startswith("Suomi | valittu | ")
    bar = composer().face("uk", "s05", 1, 4)
    assert words(phrases.control(bar, bundle(), "language")) == "Виберіть мову | Українська"


def test_keys_are_called_by_their_names_and_capitals_are_told() -> None:
    lower, upper = composer().text("fi"), composer().text("fi", "upper")
    called = {
        name: words(phrases.control(page, bundle(), f"key.{name}"))
        for page, names in ((lower, "åa,⌫"), (upper, "Å⇧"))
        for name in names
    }
    assert called == {
        "å": "å",
        "a": "a",
        ",": "pilkku",
        "⌫": "poista merkki",
        "Å": "iso å",
        "⇧": "isot kirjaimet | päällä",
    }
    assert words(phrases.control(lower, bundle(), "key.⇧")) == "isot kirjaimet"
    assert words(phrases.control(lower, bundle(), "key.space")) == "välilyönti"


def test_what_is_written_is_told_character_by_character() -> None:
    told = [
        words(phrases.typed(bundle(), "sv", each))
        for each in ("a", "Ö", ".", " ", "\n", "Hej!", "")
    ]
    assert told == ["a", "stort ö", "punkt", "mellanslag", "ny rad", "Hej!", ""]


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_engine_has_a_name_for_every_key_and_no_two_sound_alike(language: str) -> None:
    heard: dict[str, str] = {}
    for layer in ("lower", "symbols"):
        page = composer().text(language, layer)  # type: ignore[arg-type]
        for key in "".join(rows(language, layer)):  # type: ignore[arg-type]
            said = words(phrases.control(page, bundle(), f"key.{key}"))
            sound = " ".join(phonemes(language, said))
            assert sound, key
            # The Arabic comma and the Latin one are the same sign to the ear.
            assert heard.get(sound, said) == said, (key, heard.get(sound))
            heard[sound] = said


def test_a_switch_says_whether_it_is_on() -> None:
    page = composer("esim-0001", "larger").access("en", ("speech", "larger"))
    assert words(phrases.control(page, bundle(), "mode.larger")) == "Larger | on"
    assert words(phrases.control(page, bundle(), "mode.speech")) == "Speech | off"


def test_the_end_of_the_time_is_counted_down_with_both_ways_on() -> None:
    said = words(phrases.orientation(composer().still("fi"), bundle(), seconds=60))
    assert said == (
        "Oletko vielä paikalla? | Aikaa on jäljellä 60 sekuntia | "
        "Olen uusi vastaaja | Jatkan vastaamista"
    )


def test_a_name_is_said_by_the_voice_of_the_language_it_is_in() -> None:
    page = composer("esim-0003").choice("ru", "service", 0, "health", (1, 5))
    said = phrases.control(page, bundle("esim-0003"), "choice.dental")
    assert said[0] == Part("Oral health care", "en")
    assert said[1].language == "ru"
    rest = composer().rest("fi")
    assert phrases.control(rest, bundle(), "logo")[0] == Part("Esimerkin hyvinvointialue", "fi")


def test_a_text_there_is_only_in_english_is_said_by_an_english_voice() -> None:
    texts = {code: dict(words) for code, words in bundle().texts.items()}
    for own in texts.values():
        own["statement.s05"] = "The staff were kind"
    made = msgspec.structs.replace(bundle(), texts=texts)
    page = Composer(made, MEASURE).face("et", "s05", 1, 4)
    assert Part("The staff were kind", "en") in phrases.orientation(page, made)


def test_an_address_is_said_so_that_it_can_be_written_down() -> None:
    page = composer().reply("ru")
    said = phrases.orientation(page, bundle())
    assert Part("palaute ät-merkki esimerkki piste example", "fi") in said
    assert "0 2, 0 0 0, 0 0 0 0" in words(said)


def test_the_privacy_notice_is_said_paragraph_by_paragraph_and_its_pages_are_numbered() -> None:
    said = words(phrases.orientation(composer().privacy("fi"), bundle()))
    assert said.startswith("Tietosuoja | Sivu 1, yhteensä 2 | Vastaaminen on vapaaehtoista ja")
    assert " | Käytämme vastauksia palvelujen parantamiseen. Älä" in said


def test_lines_of_a_long_text_are_one_text_again() -> None:
    lines = ("Henkilö-", "tunnus ja tieto-", "ja asiakirjat", "", "Toinen")
    source = "Henkilö\u00adtunnus ja tieto- ja asiakirjat\n\nToinen"
    assert phrases.joined(lines, source) == "Henkilötunnus ja tieto- ja asiakirjat\n\nToinen"


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("fi", "Sain apua lääkäriltä/hoitajalta", "Sain apua lääkäriltä tai hoitajalta"),
        ("sv", "Läkare / skötare", "Läkare eller skötare"),
        ("ru", "Я остался(-ась) доволен(-льна)", "Я остался доволен"),
        ("uk", "Я задово\u00adлений(-а)", "Я задоволений"),
        ("en", "Waiting (in minutes)", "Waiting, in minutes"),
        ("et", "Avatud E–R 9–15", "Avatud esmaspäev kuni reede 9 kuni 15"),
        ("fi", "Puh. 050-123 4567", "puhelin 0 5 0, 1 2 3, 4 5 6 7"),
        ("fi", "Versio 2026-11-22", "Versio 2026-11-22"),
        ("uk", "необовʼязково", "необов’язково"),
        ("uk", "ні з вами, ні з ними й так", "ні із вами, ні із ними і так"),
    ],
)
def test_a_surveys_own_text_without_a_form_for_the_ear_is_put_into_words(
    language: str, written: str, said: str
) -> None:
    assert ear.aloud(bundle(), language, written) == said


@settings(max_examples=150, deadline=None)
@given(
    language=st.sampled_from(LANGUAGES),
    written=st.text(alphabet="аbع5 /()[]–-.,@:\n\u00ad\xa0ʼ", max_size=30),
)
def test_whatever_is_written_no_sign_is_said_and_no_letter_is_lost(
    language: str, written: str
) -> None:
    pieces = list(ear.voices(bundle(), language, written))
    said = "".join(words for _, words in pieces)
    assert not set(said) & set("/()[]\u00ad\xa0ʼ\n")
    assert all(words == words.strip() != "" for _, words in pieces)
    # A bracket right behind a word is the ending of another gender.
    if "(" not in written:
        for letter in "bع5":
            assert said.count(letter) >= written.count(letter)


def test_a_form_for_the_ear_that_a_survey_gives_is_said_as_it_stands() -> None:
    texts = {code: dict(words) for code, words in bundle().texts.items()}
    texts["fi"]["statement.s05"] = "Pääsin lääkärille/hoitajalle"
    texts["fi"]["statement.s05.spoken"] = "Pääsin lääkärille taikka hoitajalle"
    made = msgspec.structs.replace(bundle(), texts=texts)
    page = Composer(made, MEASURE).face("fi", "s05", 1, 4)
    assert "Pääsin lääkärille taikka hoitajalle" in words(phrases.orientation(page, made))
