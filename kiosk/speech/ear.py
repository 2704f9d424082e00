"""From a text as it is written to the same text as it is said."""

from __future__ import annotations

import re
from typing import Final

from sync.contract.bundle import Bundle

SPOKEN: Final = ".spoken"
_LEAST: Final = 8
"""Shorter texts are never looked for inside longer ones."""
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"\+?\d(?: ?\d){6,}")
_GENDER: Final = re.compile(r"(?<=\w)\(-?\w{1,5}\)")
"""A second ending, as in "согласен(-на)": aloud the first is enough."""


def spoken(bundle: Bundle, language: str, key: str) -> str:
    """The form for the ear of a wording key. Raises KeyError when there is no such key."""
    own = bundle.texts.get(language, {}).get(key + SPOKEN)
    return own if own else tidy(bundle, language, bundle.text(language, key))


def aloud(bundle: Bundle, language: str, written: str) -> str:
    """The form for the ear of a written text: as given for it or for what it is made of.

    Signs that an engine would read out by name are put into words.
    """
    text = _plain(written)
    forms = {_plain(text): ear for text, ear in _given(bundle, language)}
    if text in forms:
        return forms[text]
    for form in sorted(forms, key=len, reverse=True):
        if "{" in form and (ear := _filled(form, forms[form], text)):
            return ear
        if len(form) >= _LEAST:
            text = text.replace(form, forms[form])
    return tidy(bundle, language, text)


def tidy(bundle: Bundle, language: str, written: str) -> str:
    """A text without what an engine reads as a sign."""

    def word(key: str) -> str:
        return f" {bundle.texts.get(language, {}).get(key, '')} "

    text = _plain(written)
    text = _GENDER.sub("", text)
    text = _MAIL.sub(
        lambda found: found[0].replace(".", word("sign.dot")).replace("@", word("sign.at")), text
    )
    text = _PHONE.sub(lambda found: _digits(found[0]), text)
    text = re.sub(r"(?<=\d)[–-](?=\d)", word("spoken.to"), text)
    text = re.sub(r" ?/ ?", word("spoken.or"), text)
    text = re.sub(r" ?[()\[\]] ?", ", ", text)
    text = re.sub(r"(?<=\w)–(?=\w)", word("spoken.to"), text)
    text = re.sub(r"\s*\n\s*", _end_line, _ended(text))
    text = re.sub(r"(?:, )+(?=[,.:;?!،؟])|^, |, $", "", text)
    return re.sub(r" +", " ", text).strip()


def sentence(text: str) -> str:
    """With an end, so that the voice falls and pauses."""
    if not text or text[-1] in ".:;?!…؟؛،,":
        return text
    # "7." would be an ordinal number before the next piece.
    return text + ("," if text.isdigit() else ".")


def _plain(written: str) -> str:
    return written.replace("\u00ad", "").replace("\xa0", " ").strip()


def _given(bundle: Bundle, language: str) -> list[tuple[str, str]]:
    texts = bundle.texts.get(language, {})
    return [
        (texts[key.removesuffix(SPOKEN)], ear)
        for key, ear in texts.items()
        if key.endswith(SPOKEN) and key.removesuffix(SPOKEN) in texts
    ]


def _filled(form: str, ear: str, text: str) -> str:
    """`ear` with what stands in `text` at the blanks of `form`; "" where it is another text."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\S+)", re.escape(form))
    found = re.fullmatch(pattern, text)
    return ear.format(**found.groupdict()) if found else ""


def _digits(number: str) -> str:
    """A telephone number digit by digit, its groups apart."""
    return ", ".join(" ".join(group) for group in number.split(" "))


def _ended(text: str) -> str:
    return re.sub(r"(?<=[^\s.:;?!…؟])\s*\n", ".\n", text)


def _end_line(found: re.Match[str]) -> str:
    return "\n" if found[0].count("\n") > 1 else " "
