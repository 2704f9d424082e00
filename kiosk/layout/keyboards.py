"""Keyboards as plain rows of strings, physical left to right."""

from __future__ import annotations

from typing import Final, Literal

Layer = Literal["lower", "upper", "symbols"]

LETTERS: Final = {
    "fi": ("qwertyuiopå", "asdfghjklöä", "zxcvbnm,."),
    "sv": ("qwertyuiopå", "asdfghjklöä", "zxcvbnm,."),
    "en": ("qwertyuiop", "asdfghjkl'", "zxcvbnm,."),
    "et": ("qwertyuiopüõ", "asdfghjklöäš", "zxcvbnmž,."),
    "ru": ("йцукенгшщзхъ", "фывапролджэё", "ячсмитьбю"),
    "uk": ("йцукенгшщзхї", "фівапролджєґ", "ячсмитьбю'"),
    "ar": ("ضصثقفغعهخحجد", "شسيبلاتنمكطذ", "ئءؤرىةوزظأإ"),
}
SYMBOLS: Final = ("1234567890", "-/:;()€&@+", ".,?!'\"%=")
SYMBOLS_OWN: Final = {"ar": ("1234567890", "-/:;()€&@+", ".،؟؛!'\"%آ")}
NAMES: Final = {"ru": "АБВ", "uk": "АБВ", "ar": "أبج"}
"""What the key back to letters says; "ABC" elsewhere."""
SPARE: Final = "en"
"""The keyboard of a language that has none of its own."""


def rows(language: str, layer: Layer) -> tuple[str, ...]:
    """The three rows of characters of a layer."""
    if layer == "symbols":
        return SYMBOLS_OWN.get(language, SYMBOLS)
    letters = LETTERS.get(language, LETTERS[SPARE])
    return tuple(row.upper() for row in letters) if layer == "upper" else letters


def has_case(language: str) -> bool:
    """Whether a language's keyboard has capitals."""
    lower = rows(language, "lower")
    return lower != rows(language, "upper")
