"""Every check finds nothing on a good screen, and the one thing that is wrong on a bad one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.audit import keyboard, run, spoken
from kiosk.audit.checks import CHECKS, SETTINGS
from kiosk.audit.figures import EXCEPTIONS
from kiosk.audit.finding import Finding, Seen
from kiosk.layout.order import controls
from kiosk.layout.page import Box, Page, Target
from kiosk.speech.parts import Part
from kiosk.ui.cursor import Cursor
from kiosk.ui.pages import Pages
from kiosk.ui.paint import Painter
from sync.contract.bundle import Bundle, Screen, Service, Timing
from tests.kiosk.layout.world import MEASURE, PANELS, bundle

Change = Callable[[Seen, pytest.MonkeyPatch], Seen]
LOOKS = {check.name: check.look for check in CHECKS}


def seen(
    name: str, made: Bundle | None = None, language: str = "fi", modes: tuple[str, ...] = ()
) -> Seen:
    shown = run.screens(made or bundle(), language, [frozenset(modes)])
    found = next(each for each in shown if each.name == name)
    # What another test has painted is not what this one paints.
    return replace(found, memory={})


def with_target(screen: Seen, name: str, **changes: Any) -> Seen:
    targets = tuple(
        replace(each, **changes) if each.name == name else each for each in screen.page.targets
    )
    assert targets != screen.page.targets
    return replace(screen, page=replace(screen.page, targets=targets))


def with_run(screen: Seen, name: str, **changes: Any) -> Seen:
    runs = tuple(
        replace(each, **changes) if each.name == name else each for each in screen.page.runs
    )
    assert runs != screen.page.runs
    return replace(screen, page=replace(screen.page, runs=runs))


def box(screen: Seen, name: str) -> Box:
    return next(each.box for each in screen.page.targets if each.name == name)


def tinted(screen: Seen, **tokens: tuple[int, int, int]) -> Seen:
    """The same screen with other colours, as a mistake in the theme would paint it."""
    size = (screen.pages.view.width, screen.pages.view.height)
    pages = Pages(screen.bundle, size, MEASURE)
    for name in ("_light", "_dark"):
        painter = getattr(pages, name)
        theme = replace(painter.theme, **tokens)
        setattr(pages, name, Painter(painter.lettering, theme, painter.view))
    return replace(screen, pages=pages)


PALE = (225, 225, 220)
GREY = (190, 190, 190)


def small(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    at = box(screen, "nps.5")
    return with_target(screen, "nps.5", box=Box(at.x + 3, at.y, at.w - 6, at.h))


def coarse(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    """The millimetres hold, but the glass has more pixels down than the files' mm say."""
    odd = Screen(width_px=1280, height_px=880, width_mm=217, height_mm=136)
    return seen(screen.name, bundle(odd))


def close(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    at = box(screen, "nps.5")
    return with_target(screen, "nps.5", box=Box(at.x, at.y, at.w + 1.5, at.h))


def covered(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return with_run(screen, "question", box=box(screen, "nps.5"))


def at_the_rim(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    at = box(screen, "access")
    return with_target(screen, "access", box=Box(3, at.y, at.w, at.h))


def not_lowered(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    """What stands as everywhere is called Low."""
    high = msgspec.structs.replace(PANELS["10in-landscape"], top_mm_above_floor=1300)
    return replace(seen("rest", bundle(high)), modes=frozenset({"low"}))


def tiny(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return with_run(screen, "question", em=5.0)


def shrunk(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    """Painted for a window of half the panel's pixels."""
    return replace(screen, pages=Pages(screen.bundle, (640, 401), MEASURE))


def too_wide(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    line = screen.page.runs[0].lines[0]
    return with_run(screen, screen.page.runs[0].name, lines=(line + line,))


def out_of_its_control(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    target = next(each for each in screen.page.targets if each.name == "nps.10")
    return with_target(screen, "nps.10", runs=(replace(target.runs[0], lines=("1000",)),))


def beyond(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    at = box(screen, "nps.0")
    return with_target(screen, "nps.0", box=Box(-1, at.y, at.w, at.h))


def chinese(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    """The name of a service in letters the fonts do not have."""
    plain = bundle()
    services = (
        Service(id="a", name=dict.fromkeys(plain.languages, "翻訳")),
        Service(id="b", name=dict.fromkeys(plain.languages, "Neuvola")),
    )
    survey = msgspec.structs.replace(plain.survey, ask_service=True)
    return seen("choice-service", bundle(services=services, survey=survey))


def long_words(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    plain = bundle()
    long = {**plain.texts["fi"], "nps.question": "Kuinka todennäköisesti suosittelisit? " * 20}
    return seen("rest", bundle(texts={**plain.texts, "fi": long}))


def forgotten(screen: Seen, patch: pytest.MonkeyPatch) -> Seen:
    def without(page: Page) -> tuple[Target, ...]:
        return tuple(each for each in controls(page) if each.name != "skip")

    patch.setattr(keyboard, "controls", without)
    return screen


def twice(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    page = screen.page
    return replace(screen, page=replace(page, targets=(*page.targets, page.targets[0])))


def unreached(screen: Seen, patch: pytest.MonkeyPatch) -> Seen:
    class Short(Cursor):
        def screen(self, page: Page, chosen: str = "") -> None:
            super().screen(replace(page, targets=page.targets[:-1]), chosen)

    patch.setattr(keyboard, "Cursor", Short)
    return screen


def no_arrows(screen: Seen, patch: pytest.MonkeyPatch) -> Seen:
    class Stuck(Cursor):
        def move(self, key: str, chosen: str = "") -> Target | None:
            return super().move(key, chosen) if key == "next" else self.target

    patch.setattr(keyboard, "Cursor", Stuck)
    return screen


def backwards(screen: Seen, patch: pytest.MonkeyPatch) -> Seen:
    patch.setattr(keyboard, "controls", lambda page: tuple(reversed(controls(page))))
    return screen


def nameless(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return with_target(screen, "skip", label="")


def said(name: str, text: str, language: str) -> Change:
    def change(screen: Seen, patch: pytest.MonkeyPatch) -> Seen:
        patch.setattr(spoken.phrases, name, lambda *_, **__: (Part(text, language),))
        return replace(screen, memory={})

    return change


def wordless(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return replace(screen, page=replace(screen.page, runs=()))


def not_mirrored(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return replace(screen, page=replace(screen.page, language="ar"))


def half_mirrored(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    arabic = seen("rest", language="ar")
    one, other = box(arabic, "nps.3"), box(arabic, "nps.4")
    return with_target(with_target(arabic, "nps.3", box=other), "nps.4", box=one)


def eastern(screen: Seen, _: pytest.MonkeyPatch) -> Seen:
    return with_run(screen, "question", lines=("من ٠ إلى ١٠",))


def painted(**tokens: tuple[int, int, int]) -> Change:
    return lambda screen, _: tinted(screen, **tokens)


@dataclass(frozen=True)
class Case:
    look: str
    """The check asked."""
    finds: str
    """The name its finding carries."""
    screen: str
    change: Change
    what: str
    """Words of the finding."""
    language: str = "fi"
    modes: tuple[str, ...] = ()


CASES = (
    Case("fit", "fit", "rest", long_words, "question"),
    Case("target-size", "target-size", "rest", small, "10.82"),
    Case("target-pixels", "target-pixels", "rest", coarse, "14."),
    Case("gap", "gap", "rest", close, "0.50 mm"),
    Case("overlap", "overlap", "rest", covered, "on each other"),
    Case("margin", "margin", "rest", at_the_rim, "3.00 mm"),
    Case("reach", "reach", "rest", not_lowered, "above the floor"),
    Case("capital", "capital", "rest", tiny, "3.57 mm"),
    Case("capital-pixels", "capital-pixels", "face-s01", shrunk, "capitals"),
    Case("contrast-target", "contrast-text", "rest", painted(ink=PALE), "text"),
    Case("contrast-target", "contrast-text", "text-lower", painted(accent=PALE), "Lähetä"),
    Case("contrast-target", "contrast-part", "rest", painted(line=PALE), "border"),
    Case("contrast-target", "contrast-part", "face-s01", painted(face_line=PALE), "features"),
    Case("contrast-target", "contrast-part", "rest", painted(accent=GREY), "choice"),
    Case("contrast-target", "contrast-part", "still", painted(ink=(200, 200, 200)), "focus"),
    Case(
        "contrast-target",
        "contrast-part",
        "rest",
        painted(line=(40, 40, 40)),
        "border",
        modes=("dark",),
    ),
    Case("contrast-text", "contrast-text", "rest", painted(ink_2=(150, 150, 150)), "text"),
    Case("contrast-part", "contrast-part", "face-s01", painted(accent=PALE, line=PALE), "dots"),
    Case("ink", "ink", "rest", too_wide, "past the right"),
    Case("ink", "ink", "rest", out_of_its_control, "leave the control"),
    Case("edge", "edge", "rest", beyond, "edge"),
    Case("glyph", "glyph", "rest", chinese, "翻"),
    Case("order", "order", "face-s01", forgotten, "0 times"),
    Case("order", "order", "face-s01", twice, "2 times"),
    Case("keys", "keys", "face-s01", unreached, "not reached with next"),
    Case("keys", "keys", "face-s01", no_arrows, "arrow keys"),
    Case("reading-order", "reading-order", "rest", backwards, "against"),
    Case("words", "words", "face-s01", nameless, "nothing is said"),
    Case("words", "words", "face-s01", said("control", "Skip.", "en"), "said in en"),
    Case("words", "speech-signs", "face-s01", said("control", "hoito/palvelu", "fi"), "/"),
    Case("orientation", "orientation", "thanks", wordless, "nothing but help"),
    Case("orientation", "orientation", "rest", said("orientation", "Hello.", "en"), "said in en"),
    Case("orientation", "speech-signs", "rest", said("orientation", "a (b)", "fi"), "( )"),
    Case("direction", "direction", "rest", not_mirrored, "other way"),
    Case("direction", "direction", "rest", half_mirrored, "other order", language="ar"),
    Case("digits", "digits", "rest", eastern, "١٠"),
)


def found(case: Case, screen: Seen) -> list[Finding]:
    return [each for each in LOOKS[case.look](screen) if each.severity == "failure"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.look}-{case.what}")
def test_a_check_finds_what_is_wrong_and_nothing_on_a_good_screen(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = seen(case.screen, language=case.language, modes=case.modes)
    assert found(case, good) == []
    bad = found(case, case.change(good, monkeypatch))
    told = [each for each in bad if each.check == case.finds]
    assert any(case.what in f"{each.control} {each.found}" for each in told), bad
    assert all(each.required and each.remedy for each in told)


SETTING_CASES: dict[str, tuple[Bundle, str]] = {
    "timing": (bundle(timing=Timing(countdown_s=10)), "10 s"),
    "accent": (
        bundle(organisation=msgspec.structs.replace(bundle().organisation, accent="#F0C040")),
        "under white words",
    ),
    "height": (bundle(), "height unknown"),
}


@pytest.mark.parametrize("name", sorted(SETTING_CASES))
def test_a_setting_that_does_not_hold_is_found(name: str) -> None:
    made, what = SETTING_CASES[name]
    told = [each for each in run.configuration(made) if each.check == name]
    assert any(what in each.found for each in told)
    high = msgspec.structs.replace(PANELS["10in-landscape"], top_mm_above_floor=1000)
    assert run.configuration(bundle(high)) == []


def test_every_check_is_seen_to_fail() -> None:
    named = {(check.name, finds) for check in CHECKS for finds in check.finds or (check.name,)}
    assert {(case.look, case.finds) for case in CASES} == named
    assert set(SETTING_CASES) == {setting.name for setting in SETTINGS}


def test_slow_readers_are_told_of_as_a_note() -> None:
    (note,) = [
        each
        for each in run.configuration(bundle(timing=Timing(idle_s=10)))
        if each.check == "timing"
    ]
    assert (note.severity, note.control) == ("note", "timing.idle_s")


def test_out_of_reach_where_one_stands_is_a_note() -> None:
    high = msgspec.structs.replace(PANELS["10in-landscape"], top_mm_above_floor=1300)
    (note,) = LOOKS["reach"](seen("rest", bundle(high)))
    assert (note.severity, note.required) == ("note", "at most 1220 mm; Low brings it down")


def test_a_pixel_or_two_of_another_colour_do_not_hide_pale_letters() -> None:
    from PIL import Image

    from kiosk.audit.pixels import changed

    before = Image.new("RGB", (40, 40), (255, 255, 255))
    after = before.copy()
    after.paste((200, 200, 200), (5, 5, 35, 35))
    after.putpixel((20, 20), (0, 0, 0))
    assert changed(before, after) == pytest.approx(1.67, abs=0.01)
    after.paste((0, 0, 0), (5, 5, 10, 35))
    assert changed(before, after) == pytest.approx(21)


def modes(made: Bundle) -> Iterator[str]:
    return ("+".join(sorted(mode)) for mode in run.modes_of(made))


def test_low_is_looked_at_where_it_is_offered() -> None:
    assert set(modes(bundle())) == {"", "larger", "dark", "dark+larger"}
    high = msgspec.structs.replace(PANELS["10in-landscape"], top_mm_above_floor=1300)
    assert {"low", "larger+low"} <= set(modes(bundle(high)))


def test_a_speaking_terminal_s_access_sheet_is_looked_at_in_speech_alone() -> None:
    shown = list(run.screens(bundle(), "fi", [frozenset()]))
    spoken_ones = [each for each in shown if "speech" in each.modes]
    assert {each.name for each in spoken_ones} == {"access-speech", "access-speech-paused"}
    assert all(
        any(t.name == "mode.speech" and t.current for t in each.page.targets)
        for each in spoken_ones
    )


def test_the_document_names_every_check_and_every_exception() -> None:
    text = (Path(__file__).parents[3] / "kiosk/docs/audit.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    kinds = {finds for check in CHECKS for finds in check.finds or (check.name,)}
    assert listed == kinds | {setting.name for setting in SETTINGS}
    rows = [f"| {each.what} | {each.figure} | {each.reason} |" for each in EXCEPTIONS]
    assert [row for row in rows if row not in text] == []
