"""Personal data is taken out of free text; everyday sentences are left alone."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.privacy import REMOVED, find, redact

# Fictional codes from the authority's own examples of the separators of 2023.
CODES = [
    "010594Y9032",
    "020594X903P",
    "030594W903B",
    "040594V9030",
    "050594U903M",
    "010516B903X",
    "020516C903K",
    "030516D9037",
    "010501E9032",
    "020503F9037",
    "131052-308T",
]

WRITTEN = [  # the ways people write 131052-308T
    "131052-308T",
    "131052-308t",
    "131052–308T",
    "131052—308T",
    "131052−308T",
    "131052 - 308T",
    "131052 -308 T",
    "131052 308T",
    "131052308T",
    "13 10 52 308T",
    "13.10.52-308T",
    "13.10.1952-308T",
    "13101952-308T",
    "131052_308T",
    "131052/308t",
    "131052-30 8T",
    "1 3 1 0 5 2 - 3 0 8 T",
    "131052-308Т",  # the last letter typed on a Cyrillic keyboard
    "131052\u00a0-\u00a0308T",
    "١٣١٠٥٢-٣٠٨T",
]

MAILS = [
    "matti.meikalainen@example.fi",
    "matti.meikäläinen@esimerkki.fi",
    "matti_m+hva@mail.example.co.uk",
    "matti@example",
    "matti @ example.fi",
    "matti(at)example.fi",
    "matti (at) example.fi",
    "matti [at] example.fi",
    "matti(ät)example.fi",
    "matti ät example.fi",
    "matti.meikalainen ät example piste fi",
    "matti piste meikäläinen ät example piste fi",
    "matti piste meikäläinen(at)example(piste)fi",
    "matti.meikalainen at example.fi",
    "matti at example piste fi",
    "maja at example punkt fi",
    "mary at example dot com",
    "matti(a)example.fi",
    "matti at hotmail.com",
    "matti ät gmail",
]

PHONES = [
    "040 123 4567",
    "0401234567",
    "040-1234567",
    "040 1234567",
    "+358 40 123 4567",
    "+358401234567",
    "00358 40 123 4567",
    "(09) 310 1691",
    "09 310 1691",
    "050 555 1234",
    "+46 70 123 45 67",
    "+358 40 12.34.567",
    "045.12.34.567",
    "040 123.45.30",
    "0 4 5 1 2 3 4 5 6 7",
    "+372 5123 4567",
    "٠٤٠ ١٢٣ ٤٥٦٧",
]

CLEAN = Path(__file__).with_name("everyday_sentences.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("code", CODES)
def test_every_separator_is_taken_out_in_a_sentence(code):
    for written in (code, code.lower(), code[:6] + " " + code[6:], f"{code[:7]} {code[7:]}"):
        text = f"Olen {written}, soittakaa."
        assert redact(text) == (f"Olen {REMOVED}, soittakaa.", {"identity-code": 1}), written


@pytest.mark.parametrize("code", CODES)
def test_a_code_without_its_separator_is_taken_out_when_the_check_character_fits(code):
    assert redact(code[:6] + code[7:]) == (REMOVED, {"identity-code": 1})


@pytest.mark.parametrize("written", WRITTEN)
def test_the_ways_people_write_a_code(written):
    assert redact(f"hetu {written}.") == (f"hetu {REMOVED}.", {"identity-code": 1})


@pytest.mark.parametrize("code", CODES)
def test_a_wrong_check_character_still_tells_who_it_is(code):
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert redact(f"({wrong})") == (f"({REMOVED})", {"identity-code": 1})


def test_a_code_of_a_leap_day_needs_the_right_century_only():
    code = "290200123" + "0123456789ABCDEFHJKLMNPRSTUVWXY"[290200123 % 31]
    assert redact(code) == (REMOVED, {"identity-code": 1})


def test_codes_written_without_a_space_between_them_both_go():
    assert redact("020516C903K030516D9037") == (REMOVED * 2, {"identity-code": 2})


@pytest.mark.parametrize("number", ["9131052308T", "131052308TX", "131052308T7"])
def test_a_part_of_a_longer_number_is_no_code(number):
    assert find(f"tilaus {number}") == []


def test_without_separator_and_with_a_wrong_check_character_it_is_just_a_number():
    assert find("viite 131052308X") == []


@pytest.mark.parametrize("mail", MAILS)
def test_email_addresses_in_the_ways_people_write_them(mail):
    text, counts = redact(f"Osoite on: {mail}, kiitos")
    assert counts == {"email": 1}
    assert text.endswith(f"{REMOVED}, kiitos")
    assert not {"example", "gmail", "hotmail"} & set(text.replace(".", " ").split())
    assert "matti" not in text


@pytest.mark.parametrize("number", PHONES)
def test_phone_numbers(number):
    assert redact(f"Soita {number}!") == (f"Soita {REMOVED}!", {"phone": 1})


def test_a_date_before_a_phone_number_does_not_hide_it():
    text = "Kävin 12.11.2026 klo 12.30, soittakaa 040 123 4567 ennen 1.12."
    assert redact(text)[0] == "Kävin 12.11.2026 klo 12.30, soittakaa […] ennen 1.12."


@pytest.mark.parametrize(
    "date", ["12.11.2026", "12.11.", "12.30", "2026-11-12", "8.00-16.00", "1/12/26"]
)
@pytest.mark.parametrize("glue", [" ", " / ", ", "])
def test_a_number_beside_a_date_is_found_and_the_date_stays(date, glue):
    assert redact(f"{date}{glue}040 123 4567") == (f"{date}{glue}{REMOVED}", {"phone": 1})
    assert redact(f"040 123 4567{glue}{date}") == (f"{REMOVED}{glue}{date}", {"phone": 1})


def test_each_category_is_counted():
    text = "131052-308T ja 010594Y9032, matti@example.fi, 040 123 4567 tai 050 555 1234"
    assert redact(text)[1] == {"identity-code": 2, "email": 1, "phone": 2}


@pytest.mark.parametrize("sentence", CLEAN)
def test_everyday_sentences_are_left_alone(sentence):
    assert redact(sentence) == (sentence, {})


CODE_AND_NUMBER = st.sampled_from(
    [*CODES, *MAILS, *PHONES, " ", ", ", "\n", "12.11.2026", "ja", "."]
)


@settings(deadline=None)
@given(st.lists(CODE_AND_NUMBER, max_size=12).map("".join))
def test_what_is_left_holds_nothing_more_to_find(text):
    assert find(redact(text)[0]) == []


ALPHABET = st.sampled_from("0123456789 .-–@aATtYäÄ:,/()\n") | st.characters(
    exclude_categories=["Cs"]
)
TEXT = st.text(ALPHABET, max_size=200)


@settings(deadline=None)
@given(TEXT)
def test_findings_are_ordered_and_apart_and_redaction_never_grows(text):
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    clean, counts = redact(text)
    assert len(clean) <= len(text)
    assert sum(counts.values()) >= len(found)
    assert bool(counts) == bool(found)
    assert (clean == text) == (not found)


@settings(deadline=None)
@given(TEXT, st.sampled_from(CODES), TEXT)
def test_a_code_on_its_own_never_gets_through(before, code, after):
    assert code not in redact(f"{before}\n{code}\n{after}")[0]


@pytest.mark.parametrize(
    "text",
    [
        "a." * 1000,
        "a@" * 1000,
        "1 " * 1000,
        "piste " * 333,
        "a at " * 400,
        "12.10." * 333,
        "(at)" * 500,
    ],
)
def test_the_longest_text_is_searched_in_a_moment(text):
    # Of this thread's own work: a busy machine takes longer.
    began = time.thread_time()
    find(text)
    assert time.thread_time() - began < 1.0
