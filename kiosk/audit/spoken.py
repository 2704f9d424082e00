"""Whether everything has words for the ear, in the language shown and without written signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from kiosk.audit.finding import Finding, Seen
from kiosk.layout.order import controls
from kiosk.layout.page import Box
from kiosk.speech import phrases
from kiosk.speech.parts import Part, Utterance

_SIGNS = "/()[]{}\u00ad_|\\<>"
"""What a voice spells out or stumbles over."""
_WORDS = "write the wording, and its form for the ear under the same key with .spoken"
_OTHER_LETTERS = frozenset({"ru", "uk", "ar"})
"""Languages whose letters are not Latin: names in Latin letters have another voice there."""
_SILENT = frozenset({"loading"})
_CALLED_OTHERWISE = ("language", "choice", "group", "logo")
"""Names: a language in its own voice, a service in the language its name is in."""


def of_controls(seen: Seen) -> Iterator[Finding]:
    """Every control says what it is."""
    page = seen.page
    called = tuple((target.name, target.label, target.current) for target in page.targets)
    for target in controls(page):
        said = seen.remembered(
            ("control", seen.bundle.device, page.screen, page.language, called, target.name),
            lambda target=target: phrases.control(page, seen.bundle, target.name),  # type: ignore[misc]
        )
        named = target.name.partition(".")[0] in _CALLED_OTHERWISE
        yield from _heard(seen, "words", target.name, said, target.box, named=named)


def of_screen(seen: Seen) -> Iterator[Finding]:
    """Every screen says what it is about when it comes up."""
    said = phrases.orientation(seen.page, seen.bundle, help=True)
    yield from _heard(seen, "orientation", "screen", said, None, named=False)
    if seen.page.screen in _SILENT:
        return
    plain = phrases.orientation(seen.page, seen.bundle)
    if not any(part.text.strip() for part in plain):
        yield seen.finding("orientation", "screen", "nothing but help is said", "words", _WORDS)


def _heard(
    seen: Seen, check: str, name: str, said: Utterance, box: Box | None, *, named: bool
) -> Iterator[Finding]:
    if not any(part.text.strip(" .") for part in said):
        yield seen.finding(check, name, "nothing is said", "words", _WORDS, box=box)
        return
    own = seen.page.language
    others = [part for part in said if part.language != own]
    if not named and (len(others) == len(said) or any(not _name(seen, part) for part in others)):
        shown = ", ".join(sorted({part.language for part in others}))
        yield seen.finding(check, name, f"said in {shown}", own, _WORDS, box=box)
    for part in said:
        signs = sorted({sign for sign in part.text if sign in _SIGNS})
        if signs:
            shown = " ".join("soft hyphen" if sign == "\u00ad" else sign for sign in signs)
            yield seen.finding(
                "speech-signs",
                name,
                f"{shown} in “{part.text}”",
                "words alone",
                "give the text a form for the ear: the same key with .spoken",
                box=box,
            )


def _name(seen: Seen, part: Part) -> bool:
    """Whether a piece in another language may be a name: of a service, or in other letters."""
    if seen.page.screen == "choice":
        return True
    return seen.page.language in _OTHER_LETTERS and all(
        unicodedata.name(each, "").startswith("LATIN") for each in part.text if each.isalpha()
    )
