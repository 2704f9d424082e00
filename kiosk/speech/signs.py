"""What no engine reads well by itself: signs, single letters, abbreviations."""

from __future__ import annotations

import re
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
"""Their names are the wording `sign.<name>`."""
LETTERS: Final = {
    "uk": {"г": "ге", "ґ": "ґе", "і": "крапкове і"},
    "ar": {"و": "واو", "آ": "ألف عليها مدة"},
}
"""Names of letters that are said as they are written everywhere else."""
_DAYS: Final = {
    "fi": "ma=maanantai ti=tiistai ke=keskiviikko to=torstai pe=perjantai la=lauantai su=sunnuntai",
    "sv": "må=måndag ti=tisdag on=onsdag to=torsdag fr=fredag lö=lördag sö=söndag",
    "en": "Mon=Monday Tue=Tuesday Wed=Wednesday Thu=Thursday Fri=Friday Sat=Saturday Sun=Sunday",
    "et": "E=esmaspäev T=teisipäev K=kolmapäev N=neljapäev R=reede L=laupäev P=pühapäev",
    "ru": "пн=понедельник вт=вторник ср=среда чт=четверг пт=пятница сб=суббота вс=воскресенье",
    "uk": "пн=понеділок вт=вівторок ср=середа чт=четвер пт=пʼятниця сб=субота нд=неділя",
}
"""In opening hours, beside a dash: elsewhere the same letters are other words."""
_SOLE: Final = {"uk": {"з": "із", "й": "і"}}
"""Words of one letter that the voice reads as letters, and another form of the same word."""
_SHORT: Final = {
    "fi": {"puh.": "puhelin", "klo": "kello"},
    "sv": {"tfn": "telefon", "kl.": "klockan"},
    "en": {"tel.": "telephone"},
    "et": {"tel": "telefon", "tel.": "telefon"},
    "ru": {"тел.": "телефон"},
    "uk": {"тел.": "телефон"},
}


def sign_of(character: str) -> str:
    """The name of a sign, empty for a letter or a digit."""
    return SIGNS.get(character, "")


def letter(character: str, language: str) -> str:
    """A letter as its voice says it right."""
    return LETTERS.get(language, {}).get(character, character)


def short(text: str, language: str) -> str:
    """With the abbreviations of addresses and opening hours in full, and no letters for words."""
    for word, other in _SOLE.get(language, {}).items():
        text = re.sub(rf"(?<= ){word}(?= )", other, text)
    for brief, full in _SHORT.get(language, {}).items():
        text = re.sub(rf"(?<!\w){re.escape(brief)}(?![\w.])", full, text, flags=re.IGNORECASE)
    days = dict(day.split("=") for day in _DAYS.get(language, "").split())
    names = "|".join(days)
    if not names:
        return text
    beside_a_dash = rf"\b(?:{names})\b(?=–)|(?<=–)(?:{names})\b"
    return re.sub(beside_a_dash, lambda found: days[found[0]].replace("ʼ", "’"), text)
