"""Characters of the keyboards that no engine reads well by themselves; wording `sign.<name>`."""

from __future__ import annotations

from typing import Final

SIGNS: Final = {
    ".": "dot",
    ",": "comma",
    "،": "comma",
    "?": "question",
    "؟": "question",
    "!": "exclamation",
    "-": "hyphen",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "؛": "semicolon",
    "(": "bracket-open",
    ")": "bracket-close",
    "€": "euro",
    "&": "ampersand",
    "@": "at",
    "+": "plus",
    "'": "apostrophe",
    '"': "quote",
    "%": "percent",
    "=": "equals",
}


def sign_of(character: str) -> str:
    """The name of a sign, empty for a letter or a digit."""
    return SIGNS.get(character, "")
