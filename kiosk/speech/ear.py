"""From a text as it is written to the same text as it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kiosk.speech.signs import short
from sync.contract.bundle import Bundle

SPOKEN: Final = ".spoken"
OTHER_SCRIPT: Final = frozenset({"ru", "uk", "ar"})
"""Languages whose voice reads Latin letters as if they were English."""
_LEAST: Final = 8
"""Shorter texts are never looked for inside longer ones."""
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"(?<!\d)(?!\d{4}-\d\d-\d\d)\+?\d(?:[ -]?\d){6,}")
_GENDER: Final = re.compile(r"(?<=\w)\(-?\w{1,5}\)")
"""A second ending, as in "согласен(-на)": aloud the first is enough."""
_LATIN: Final = re.compile(
    r"[A-Za-zÀ-ɏ][\dA-Za-zÀ-ɏ@.+_-]{2,}(?:[ -][A-Za-zÀ-ɏ][\dA-Za-zÀ-ɏ@.+_-]*)*"
)


def spoken(bundle: Bundle, language: str, key: str) -> str:
    """The form for the ear of a wording key. Raises KeyError when there is no such key."""
    own = bundle.texts.get(language, {}).get(key + SPOKEN)
    return tidy(bundle, language, own or bundle.text(language, key))


def aloud(bundle: Bundle, language: str, written: str) -> str:
    """The form for the ear of a written text: as given for it or for what it is made of.

    Signs that an engine would read out by name are put into words.
    """
    return tidy(bundle, language, _given(bundle, language, written))


def voices(bundle: Bundle, language: str, written: str) -> Iterator[tuple[str, str]]:
    """`aloud`, in pieces for one voice each: (language, words), paragraph by paragraph."""
    if _english(bundle, language, written):
        language = "en"
    for paragraph in _given(bundle, language, written).split("\n\n"):
        for voice, piece in _scripts(bundle, language, paragraph):
            words = tidy(bundle, voice, piece)
            if any(character.isalnum() for character in words):
                yield voice, words


def tidy(bundle: Bundle, language: str, written: str) -> str:
    """A text without what an engine reads as a sign."""

    def word(key: str) -> str:
        return f" {bundle.texts.get(language, {}).get(key, '')} "

    text = _GENDER.sub("", _plain(written))
    text = _MAIL.sub(
        lambda found: found[0].replace(".", word("sign.dot")).replace("@", word("sign.at")), text
    )
    text = _PHONE.sub(lambda found: _digits(found[0]), text)
    text = short(text, language)
    text = re.sub(r"(?<=\w) ?– ?(?=\w)", word("spoken.to"), text)
    text = re.sub(r" ?/ ?", word("spoken.or"), text)
    text = re.sub(r" ?[()\[\]] ?", ", ", text)
    # A line ends like a sentence.
    text = re.sub(r"(?<=[^\s.,:;?!…؟،])\s*\n\s*", ". ", text)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"(?:, )+(?=[,.:;?!…؟،])|^[.,:; ]+|, $", "", text).strip()


def _plain(written: str) -> str:
    """Without what is seen and not said; with an apostrophe every voice knows."""
    plain = written.replace("\u00ad", "").replace("\xa0", " ").replace("\u02bc", "\u2019")
    return plain.strip()


def _given(bundle: Bundle, language: str, written: str) -> str:
    """A text with the forms for the ear that its language has for it, or for parts of it."""
    texts = bundle.texts.get(language, {})
    text = _plain(written)
    forms = {
        _plain(texts[key]): texts[key + SPOKEN]
        for key in texts
        if not key.endswith(SPOKEN) and key + SPOKEN in texts
    }
    if text in forms:
        return _plain(forms[text])
    for form in sorted(forms, key=len, reverse=True):
        if "{" in form and (ear := _filled(form, forms[form], text)):
            return ear
        if len(form) >= _LEAST:
            text = text.replace(form, forms[form])
    return text


def _filled(form: str, ear: str, text: str) -> str:
    """`ear` with what stands in `text` at the blanks of `form`; "" where it is another text."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\S+)", re.escape(form))
    found = re.fullmatch(pattern, text)
    return ear.format(**found.groupdict()) if found else ""


def _digits(number: str) -> str:
    """A telephone number digit by digit, its groups apart."""
    return ", ".join(" ".join(group) for group in re.split("[ -]", number))


def _english(bundle: Bundle, language: str, written: str) -> bool:
    """Whether a text is only there in English: an Estonian voice would make nothing of it."""
    text, english = _plain(written), bundle.texts.get("en", {})
    return language != "en" and any(
        _plain(words) == text and bundle.texts.get(language, {}).get(key) == words
        for key, words in english.items()
    )


def _scripts(bundle: Bundle, language: str, text: str) -> Iterator[tuple[str, str]]:
    """Names in Latin letters by the voice of the first language that is written in them."""
    local = next((code for code in bundle.languages if code not in OTHER_SCRIPT), "")
    if language not in OTHER_SCRIPT or not local:
        yield language, text
        return
    done = 0
    for found in _LATIN.finditer(text):
        yield language, text[done : found.start()]
        yield local, found[0].rstrip(".-")
        done = found.start() + len(found[0].rstrip(".-"))
    yield language, text[done:]
