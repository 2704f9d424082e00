"""What is said aloud for every page: when it comes up, and for whatever is under a finger.

Each piece is one wording as it stands, so that a recording of it can take its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiosk.layout.order import choices, controls
from kiosk.layout.page import Page, Run, Target
from kiosk.speech.ear import SPOKEN, aloud, spoken, voices
from kiosk.speech.parts import Part, Utterance
from kiosk.speech.signs import letter, sign_of
from sync.contract.bundle import Bundle

__all__ = ["aloud", "at", "control", "joined", "orientation", "text", "typed"]

_ASKED = ("rest", "face", "choice", "offer")
"""Screens that tell how far the visit is."""
_ENDS = {"nps.0": "nps.low", "nps.10": "nps.high"}


def text(bundle: Bundle, language: str, key: str, **values: object) -> Utterance:
    """One wording in its form for the ear, its blanks filled in."""
    own = bundle.texts.get(language, {}).get(key + SPOKEN)
    words = own or bundle.text(language, key)
    return _said(bundle, language, words.format(**values) if values else words)


def orientation(
    page: Page,
    bundle: Bundle,
    *,
    progress: tuple[int, int] | None = None,
    help: bool = False,
    seconds: int | None = None,
) -> Utterance:
    """What is said when a page comes up.

    `progress`: (this question, of how many); `help`: how to go about it is told as well;
    `seconds`: what is left of a countdown.
    """
    language = page.language
    said: list[Part] = []
    if progress is not None and page.screen in _ASKED:
        n, m = progress
        said += text(bundle, language, "spoken.progress", n=n, m=m)
    said += _title(page, bundle)
    for run in page.runs:
        if run.name not in ("low", "high", "question"):
            said += _run(page, bundle, run)
    if page.screen == "rest":
        for name, key in _ENDS.items():
            said += _end(bundle, language, name[4:], spoken(bundle, language, key))
    if seconds is not None:
        said += text(bundle, language, "spoken.countdown", n=seconds)
    if page.screen == "still":
        for target in controls(page):
            said += control(page, bundle, target.name)
    counted = _counted(page)
    if counted:
        said += text(bundle, language, "spoken.options", m=len(counted))
    if help:
        said += text(bundle, language, "spoken.help")
    return tuple(said)


def control(page: Page, bundle: Bundle, name: str, *, chosen: str = "") -> Utterance:
    """A control by what it is called, its state and its position; () where there is none.

    `chosen`: the name of the answer that stands.
    """
    target = next((each for each in page.targets if each.name == name), None)
    if target is None:
        return ()
    language = page.language
    said = list(_called(page, bundle, target))
    group, _, _ = name.partition(".")
    if name == chosen or (group == "language" and target.current):
        said += text(bundle, language, "spoken.selected")
    elif group == "mode":
        said += text(bundle, language, "mode.on" if target.current else "mode.off")
    elif name == "key.⇧" and target.current:
        said += text(bundle, language, "mode.on")
    counted = [each.name for each in _counted(page)]
    if name in counted:
        n = counted.index(name) + 1
        said += text(bundle, language, "spoken.position", n=n, m=len(counted))
    return tuple(said)


def at(page: Page, bundle: Bundle, x: float, y: float) -> tuple[str, Utterance] | None:
    """The name of what is at a point and what is said of it; `run:<name>` for a text."""
    for target in page.targets:
        if target.box.holds(x, y):
            return target.name, control(page, bundle, target.name)
    for run in page.runs:
        if run.box.holds(x, y):
            return f"run:{run.name}", _run(page, bundle, run)
    for mark in page.marks:
        if mark.kind == "qr" and mark.box.holds(x, y):
            return "run:qr", text(bundle, page.language, "spoken.qr")
    return None


def typed(bundle: Bundle, language: str, characters: str) -> Utterance:
    """What was written or taken away: one character by its name, more as they read."""
    if key := {" ": "key.space", "\n": "key.enter"}.get(characters):
        return text(bundle, language, key)
    if sign := sign_of(characters):
        return text(bundle, language, f"sign.{sign}")
    name = letter(characters.lower(), language)
    if len(characters) == 1 and characters != characters.lower():
        return text(bundle, language, "spoken.capital", letter=name)
    return (Part(name if len(characters) == 1 else characters, language),) if characters else ()


def joined(lines: Sequence[str], source: str = "") -> str:
    """Lines as one text; a word broken at a soft hyphen of `source` is whole again."""
    found = ""
    for line in lines:
        if not line:
            found += "\n\n"
            continue
        last = found.rsplit(" ", 1)[-1].removesuffix("-")
        first = line.split(" ", 1)[0]
        if found.endswith("-") and f"{last}\u00ad{first}" in source:
            found = found[:-1] + line
        else:
            found += line if not found or found.endswith("\n") else f" {line}"
    return found


def _said(bundle: Bundle, language: str, words: str) -> Utterance:
    """A text, as it is written or already for the ear, in pieces for one voice each."""
    return tuple(Part(said, voice) for voice, said in voices(bundle, language, words))


def _end(bundle: Bundle, language: str, value: str, words: str) -> Utterance:
    """What an end of the scale means."""
    return _said(bundle, language, f"{value}: {words}")


def _title(page: Page, bundle: Bundle) -> Iterator[Part]:
    """What the page is about, where no text of its own says so first."""
    language = page.language
    if page.screen == "languages":
        yield from text(bundle, language, "choose-language")
    elif page.screen == "access":
        yield from text(bundle, language, "access.title")
    elif page.screen == "loading":
        yield from _name(bundle, language, bundle.organisation.name)
    for run in page.runs:
        if run.name == "question":
            yield from _run(page, bundle, run)


def _run(page: Page, bundle: Bundle, run: Run) -> Utterance:
    """A text of the page, in one piece whatever its lines are."""
    language = run.language or page.language
    written = run.text
    if not written:
        source = bundle.organisation.privacy.get(language) or bundle.text(language, "privacy.body")
        written = joined(run.lines, source)
    value = {"low": "0", "high": "10"}.get(run.name) if page.screen == "rest" else None
    return _end(bundle, language, value, written) if value else _said(bundle, language, written)


def _called(page: Page, bundle: Bundle, target: Target) -> Iterator[Part]:
    """What a control is called: a language by its own voice, a key by the name of its sign."""
    language = page.language
    group, _, value = target.name.partition(".")
    if group == "language":
        if not value:
            yield from text(bundle, language, "choose-language")
        yield Part(spoken(bundle, value or language, "language.name"), value or language)
    elif target.name in _ENDS:
        yield Part(value, language)
        yield from text(bundle, language, _ENDS[target.name])
    elif group == "key":
        yield from _key(bundle, language, target, value)
    elif target.name == "logo":
        yield from _name(bundle, language, bundle.organisation.name)
    elif target.name == "field":
        yield from text(bundle, language, "spoken.field")
    elif names := _names(bundle, group, value):
        yield from _name(bundle, language, names)
    else:
        yield from _said(bundle, language, target.label)
        if target.name == "privacy" and page.screen == "rest":
            yield from text(bundle, language, "privacy.title")


def _key(bundle: Bundle, language: str, target: Target, value: str) -> Utterance:
    if len(value) > 1 or value in "⇧⌫":
        return _said(bundle, language, target.label)
    return typed(bundle, language, value)


def _names(bundle: Bundle, group: str, ident: str) -> dict[str, str]:
    """A service's or a group's name in every language; empty for anything else."""
    if group == "choice":
        return next((each.name for each in bundle.services if each.id == ident), {})
    if group == "group":
        key = f"group.{ident}"
        return {code: texts[key] for code, texts in bundle.texts.items() if key in texts}
    return {}


def _name(bundle: Bundle, language: str, names: dict[str, str]) -> Utterance:
    """A name by the voice of the language it is in: where it has no other, that of another."""
    rest = bundle.languages[0]
    known = (language, *bundle.languages, *names)
    written = next((names[code] for code in known if names.get(code)), "")
    voice = next((code for code in (rest, "en") if names.get(code) == written), language)
    return _said(bundle, language if language == rest else voice, written)


def _counted(page: Page) -> tuple[Target, ...]:
    """What is counted aloud: the answers, and on its sheet the languages."""
    if page.screen == "languages":
        return tuple(each for each in controls(page) if each.name.startswith("language."))
    return choices(page)
