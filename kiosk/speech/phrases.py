"""What is said aloud for every page: when it comes up, and for whatever is under a finger.

Each piece is one wording, so that a recording of it can take its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiosk.layout.order import choices, controls
from kiosk.layout.page import Page, Run, Target
from kiosk.speech.ear import SPOKEN, aloud, sentence, spoken
from kiosk.speech.parts import Part, Utterance
from kiosk.speech.signs import sign_of
from sync.contract.bundle import Bundle

__all__ = ["aloud", "at", "control", "orientation", "text"]

_COUNTED = ("rest", "face", "choice")
"""Screens that tell how many answers there are."""
_ENDS = {"nps.0": "nps.low", "nps.10": "nps.high"}
_LATIN = ("fi", "sv", "en", "et")


def text(bundle: Bundle, language: str, key: str, **values: object) -> Utterance:
    """One wording in its form for the ear, its blanks filled in."""
    words = bundle.texts.get(language, {}).get(key + SPOKEN) or bundle.text(language, key)
    words = words.format(**values) if values else spoken(bundle, language, key)
    return _say(language, words)


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
    if progress is not None and page.screen in _COUNTED:
        n, m = progress
        said += text(bundle, language, "spoken.progress", n=n, m=m)
    said += _title(page, bundle)
    for run in page.runs:
        if run.name not in ("low", "high", "question"):
            said += _run(page, bundle, run)
    if page.screen == "rest":
        for name, key in _ENDS.items():
            said += _say(language, f"{name[4:]}: {spoken(bundle, language, key)}")
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


def _say(language: str, words: str) -> Utterance:
    """Words as a piece that ends like a sentence; nothing where there are none."""
    return (Part(sentence(words), language),) if words else ()


def _title(page: Page, bundle: Bundle) -> Iterator[Part]:
    """What the page is about, where no text of its own says so first."""
    language = page.language
    if page.screen == "languages":
        yield from text(bundle, language, "choose-language")
    elif page.screen == "access":
        yield from text(bundle, language, "access.title")
    elif page.screen == "loading":
        yield from _name(page, bundle, bundle.organisation.name)
    for run in page.runs:
        if run.name == "question":
            yield from _run(page, bundle, run)


def _run(page: Page, bundle: Bundle, run: Run) -> Utterance:
    """A text of the page, in one piece whatever its lines are."""
    language = run.language or page.language
    written = run.text or joined(run.lines, bundle.organisation.privacy.get(language, ""))
    said = _say(language, aloud(bundle, language, written))
    end = {"low": 0, "high": 10}.get(run.name) if page.screen == "rest" else None
    if end is not None and said:
        return (Part(f"{end}: {said[0].text}", language),)
    return said


def joined(lines: Sequence[str], source: str = "") -> str:
    """Lines as one text; a word broken at a soft hyphen of `source` is whole again."""
    found = ""
    for line in lines:
        first = line.split(" ", 1)[0]
        if found.endswith("-"):
            last = found.rsplit(" ", 1)[-1][:-1]
            if f"{last}\u00ad{first}" in source:
                found = found[:-1] + line
                continue
        if not line:
            found += "\n\n"
        else:
            found += line if not found or found.endswith("\n") else f" {line}"
    return found


def _called(page: Page, bundle: Bundle, target: Target) -> Iterator[Part]:
    """What a control is called: a language by its own voice, a key by the name of its sign."""
    language = page.language
    group, _, value = target.name.partition(".")
    if group == "language":
        if value:
            yield from _say(value, spoken(bundle, value, "language.name"))
        else:
            yield from text(bundle, language, "choose-language")
            yield from text(bundle, language, "language.name")
    elif target.name in _ENDS:
        yield from _say(language, f"{value}. {spoken(bundle, language, _ENDS[target.name])}")
    elif group == "key":
        yield from _key(bundle, language, target, value)
    elif target.name == "logo":
        yield from _name(page, bundle, bundle.organisation.name)
    elif target.name == "field":
        yield from text(bundle, language, "spoken.field")
    elif group == "choice" and (names := _service(bundle, value)):
        yield from _name(page, bundle, names)
    else:
        yield from _say(language, aloud(bundle, language, target.label))
        if target.name == "privacy" and page.screen == "rest":
            yield from text(bundle, language, "privacy.title")


def _key(bundle: Bundle, language: str, target: Target, value: str) -> Iterator[Part]:
    if len(value) > 1 or value in "⇧⌫":
        yield from _say(language, aloud(bundle, language, target.label))
    elif sign := sign_of(value):
        yield from text(bundle, language, f"sign.{sign}")
    elif value != value.lower():
        yield from text(bundle, language, "spoken.capital", letter=value)
    else:
        yield Part(value, language)


def _service(bundle: Bundle, ident: str) -> dict[str, str]:
    return next((each.name for each in bundle.services if each.id == ident), {})


def _name(page: Page, bundle: Bundle, names: dict[str, str]) -> Utterance:
    """A name by the voice of the language it is in."""
    language = page.language
    written = names.get(language) or next(iter(names.values()), "")
    if names.get(language) and language in _LATIN:
        voice = language
    else:
        voice = _voice(written, language, names)
    return _say(voice, aloud(bundle, voice, written))


def _voice(written: str, language: str, names: dict[str, str]) -> str:
    """Whose words a name is where a language has none of its own."""
    return next(
        (code for code in ("en", "fi", "sv") if names.get(code) == written and language != code),
        language,
    )


def _counted(page: Page) -> tuple[Target, ...]:
    """What is counted aloud: the answers, and on its sheet the languages."""
    if page.screen == "languages":
        return tuple(each for each in controls(page) if each.name.startswith("language."))
    return choices(page)
