"""The rules of the visual design on every panel, in every language, with every statement.

The checks here are written from the table of sizes and know nothing of how pages are composed.
"""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.layout.compose import Composer
from kiosk.layout.page import Box, Page, Run, Target
from sync.contract.bundle import LANGUAGES, Screen
from tests.kiosk.layout.world import (
    MEASURE,
    PANELS,
    STATEMENTS,
    bundle,
    composer,
    every_page,
    services,
)

LARGER = frozenset({"larger"})
everywhere = pytest.mark.parametrize("language", LANGUAGES)
on_every_panel = pytest.mark.parametrize("panel", PANELS)


def margin(page: Page) -> float:
    panel = page.panel
    return 6.0 if (panel.width_mm**2 + panel.height_mm**2) ** 0.5 < 12 * 25.4 else 10.0


def runs_of(page: Page) -> list[Run]:
    return [*page.runs, *(run for target in page.targets for run in target.runs)]


def gap(a: Box, b: Box) -> float:
    return max(b.x - a.right, a.x - b.right, b.y - a.bottom, a.y - b.bottom)


def crossing(a: Box, b: Box) -> bool:
    return gap(a, b) < -0.01


def least_size(page: Page, target: Target) -> tuple[float, float]:
    """From the table of sizes."""
    narrow = page.panel.width_mm < 150
    beside = page.arrangement.startswith("face-list") and not page.panel.portrait
    one_row = page.arrangement.startswith("nps-1x11")
    sizes = {
        "number": (16.0, 30.0) if one_row else (18.9, 20.0),
        "card": (100.0, 18.9) if beside else (20.0, 20.0),
        "list": (20.0, 20.0),
        "switch": (20.0, 20.0),
        "key": (9.0, 15.0) if narrow else (15.0, 15.0),
        "quiet": (0.0, 0.0),  # the logo: not for visitors
        "field": (100.0, 14.5),
    }
    return sizes.get(target.look, (14.0, 14.0) if target.name == "privacy" else (16.0, 16.0))


def check(page: Page) -> None:
    where = f"{page.screen} {page.language} {page.panel.width_mm:g} mm"
    assert page.problems == (), where
    edge = margin(page) - 0.01
    for target in page.targets:
        box = target.box
        wide, high = least_size(page, target)
        assert box.w >= wide - 0.01, f"{where}: {target.name} {box}"
        assert box.h >= high - 0.01, f"{where}: {target.name} {box}"
        assert target.label, f"{where}: {target.name} has nothing to be called aloud"
    for box in (target.box for target in page.targets):
        assert box.x >= edge
        assert box.y >= edge
        assert box.right <= page.panel.width_mm - edge
        assert box.bottom <= page.panel.height_mm - edge
    for one, other in combinations(page.targets, 2):
        least = 1.2 if one.look == other.look == "key" else 2.0
        assert gap(one.box, other.box) >= least - 0.01, f"{where}: {one.name} {other.name}"
    for target in page.targets:
        for run in target.runs:
            assert run.box.x >= target.box.x - 0.01
            assert run.box.right <= target.box.right + 0.01
            assert run.box.y >= target.box.y - 0.01, f"{where}: {run}"
            assert run.box.bottom <= target.box.bottom + 0.01, f"{where}: {run}"
        for mark in target.marks:
            assert mark.box.x >= target.box.x
            assert mark.box.right <= target.box.right
        for run in page.runs:
            assert not crossing(run.box, target.box), f"{where}: {run.name} {target.name}"
    for one_run, other_run in combinations(page.runs, 2):
        assert not crossing(one_run.box, other_run.box), f"{where}: {one_run} {other_run}"
    for run in runs_of(page):
        assert len(run.lines) * run.leading <= run.box.h + 0.01, f"{where}: {run}"
        for line in run.lines:
            wide = MEASURE.width(line, run.em, run.bold, run.language)
            assert wide <= run.box.w + 0.02, f"{where}: {line!r} {wide:.2f} {run.box}"
            assert "\u00ad" not in line
    if page.panel.height_mm > 320:
        for target in page.targets:
            low = target.box.y >= page.panel.height_mm - 320.01
            assert low or target.name in ("logo", "privacy"), f"{where}: {target.name}"


@on_every_panel
@everywhere
def test_question_and_all_statements_keep_the_rules(panel: str, language: str) -> None:
    made = composer(panel)
    check(made.rest(language))
    for question in (*STATEMENTS, "satisfied"):
        page = made.face(language, question, 1, 3)
        check(page)
        words = [target.runs[0] for target in page.targets if target.look == "card"]
        assert len(words) == 5
        assert len({run.em for run in words}) == 1
        assert all(len(run.lines) <= 4 for run in words)
        u = page.panel.u
        assert 0.73 - 0.001 <= words[0].em / u <= 1.0
        asked = next(run for run in page.runs if run.name == "question")
        assert asked.em >= 1.2 * u - 0.01
        face = min(mark.box.w for t in page.targets for mark in t.marks if mark.kind == "face")
        assert face >= (22 if "col" in page.arrangement else 15)


@on_every_panel
@everywhere
def test_every_other_screen_keeps_the_rules(panel: str, language: str) -> None:
    seen = set()
    for page in every_page(panel, language):
        check(page)
        seen.add(page.screen)
    assert len(seen) == 16


@on_every_panel
@everywhere
def test_larger_keeps_the_rules_and_has_nothing_below_one_u(panel: str, language: str) -> None:
    for page in every_page(panel, language, LARGER):
        check(page)
        for run in runs_of(page):
            # The logo is no text to be read for answering; keys are as large as their columns.
            if run.name != "logo" and not run.name.startswith("key."):
                assert run.em >= page.panel.u - 0.001, f"{page.screen}: {run}"


def test_the_ten_inch_panel_of_a_configuration_without_a_height_fits_too() -> None:
    for shape in ((1280, 800), (800, 1280)):
        screen = Screen(width_px=shape[0], height_px=shape[1], width_mm=217.0 * shape[0] / 1280)
        made = Composer(bundle(screen=screen), MEASURE)
        for language in LANGUAGES:
            for question in STATEMENTS:
                check(made.face(language, question, 1, 3))
            for page in (made.rest(language), made.text(language), made.offer(language, 1, 2)):
                check(page)


@pytest.mark.parametrize(
    ("panel", "modes", "expected"),
    [
        ("10in-landscape", (), "nps-1x11"),
        ("10in-portrait", (), "nps-2x6"),
        ("15in-landscape", (), "nps-1x11"),
        ("21in-portrait", (), "nps-1x11"),
        ("21in-landscape", (), "nps-1x11"),
        ("10in-landscape", LARGER, "nps-2x6"),
        ("10in-portrait", LARGER, "nps-3x4"),
    ],
)
def test_the_arrangement_is_recorded_and_mirrored_ones_say_so(
    panel: str, modes: frozenset[str], expected: str
) -> None:
    made = composer(panel, frozenset(modes))
    assert made.rest("fi").arrangement == expected
    assert made.rest("ar").arrangement == f"{expected}-rtl"


@on_every_panel
def test_arabic_mirrors_answers_and_ways_but_never_the_access_button(panel: str) -> None:
    made = composer(panel)
    rest, face, other = made.rest("ar"), made.face("ar", "s05", 1, 3), made.face("fi", "s05", 1, 3)
    for page in every_page(panel, "ar"):
        found = [target.box for target in page.targets if target.name == "access"]
        assert all(box.x == margin(page) for box in found)
    xs = {target.name: target.box.x for target in rest.targets}
    assert xs["nps.0"] > xs["nps.1"]
    boxes = {target.name: target.box for target in face.targets}
    assert boxes["back"].x > boxes["skip"].x
    if "col" in face.arrangement:
        assert boxes["face.1"].x > boxes["face.5"].x
    else:
        faces = [next(m.box for m in t.marks) for t in face.targets if t.name.startswith("face.")]
        assert all(box.x > page.panel.width_mm / 2 for box in faces)
    plain = {target.name: target.box for target in other.targets}
    assert plain["back"].x < plain["skip"].x
    assert all(run.align == "right" for run in face.runs if run.name == "question")


def test_a_text_far_too_long_is_reported_and_still_composed() -> None:
    texts = {
        language: {
            **bundle().texts[language],
            "nps.question": "Kuinka todennäköisesti suosittelisit palvelua läheisellesi? " * 9,
            "statement.s05": "Henkilökunta kohteli minua hyvin ja ystävällisesti aina. " * 9,
            "comment.question": "Mitä haluaisit kertoa meille palvelusta? " * 9,
            "back": "Takaisin edelliseen kysymykseen ja siitä vielä eteenpäin",
            "nps.low": "Epätodennäköisyydestäkinkohtalaisenpaljonpoikkeavaa" * 4,
        }
        for language in LANGUAGES
    }
    made = Composer(bundle(texts=texts), MEASURE)
    for page in (made.rest("fi"), made.face("fi", "s05", 1, 3), made.text("fi")):
        assert page.problems
        assert page.targets
        with pytest.raises(AssertionError):
            check(page)


@settings(max_examples=40, deadline=None)
@given(
    width=st.floats(120, 700),
    shape=st.sampled_from(((16, 9), (9, 16), (16, 10), (10, 16), (4, 3), (3, 4), (5, 4))),
    language=st.sampled_from(LANGUAGES),
    larger=st.booleans(),
)
def test_on_any_panel_a_page_keeps_the_rules_or_says_what_does_not_fit(
    width: float, shape: tuple[int, int], language: str, larger: bool
) -> None:
    screen = Screen(width_px=120 * shape[0], height_px=120 * shape[1], width_mm=width)
    for page in every_page(screen, language, LARGER if larger else frozenset()):
        if not page.problems:
            check(page)


def test_one_language_needs_neither_names_nor_a_language_button() -> None:
    made = Composer(bundle(languages=("fi",)), MEASURE)
    for page in (made.rest("fi"), made.face("fi", "s05", 1, 3), made.text("fi")):
        assert not [t.name for t in page.targets if t.name.startswith("language")]


def test_three_steps_of_satisfaction_have_their_own_values() -> None:
    plain = bundle()
    made = Composer(
        bundle(survey=msgspec.structs.replace(plain.survey, scale="satisfied3")), MEASURE
    )
    page = made.face("fi", "satisfied", 1, 3)
    check(page)
    assert [t.name for t in page.targets if t.look == "card"] == ["face.1", "face.3", "face.5"]
    assert page.arrangement == "face-3col"


def test_low_is_offered_only_above_1100_mm() -> None:
    def modes(top: float) -> set[str]:
        screen = msgspec.structs.replace(PANELS["21in-portrait"], top_mm_above_floor=top)
        page = Composer(bundle(screen=screen), MEASURE, LARGER).access("fi")
        assert {t.name for t in page.targets if t.current} == {"mode.larger"}
        return {t.name for t in page.targets if t.name.startswith("mode.")}

    assert modes(1100) == {"mode.speech", "mode.larger", "mode.dark"}
    assert modes(1101) == {"mode.speech", "mode.larger", "mode.dark", "mode.low"}


def test_what_feedback_changed_is_thanked_for_until_its_last_day_only_where_it_is_worded() -> None:
    plain = bundle()
    organisation = msgspec.structs.replace(plain.organisation, changed_until="2026-12-31")
    made = Composer(bundle(organisation=organisation), MEASURE)

    def changed(language: str, today: str) -> bool:
        return any(run.name == "changed" for run in made.thanks(language, today).runs)

    assert changed("fi", "2026-12-31")
    assert not changed("fi", "2027-01-01")
    assert not changed("sv", "2026-12-31")


def test_pages_are_composed_fast_enough_to_be_composed_anew_each_time() -> None:
    import time

    made = Composer(bundle(services=services(9)), MEASURE)
    for _ in range(2):
        start = time.process_time()
        for language in LANGUAGES:
            for page in (made.rest, made.text, made.languages, made.thanks):
                page(language)
            for question in STATEMENTS:
                made.face(language, question, 1, 3)
        spent = time.process_time() - start
    assert spent / (len(LANGUAGES) * (4 + len(STATEMENTS))) < 0.005
