"""Mode Low: what is touched is at most 1,100 mm above the floor, the rules of sizes kept.

On the panels of the example county that hang high; alone and together with Larger.
"""

from __future__ import annotations

import msgspec
import pytest

from kiosk.layout.compose import Composer
from kiosk.layout.every import PAUSED, SWITCHES, modes_of
from kiosk.layout.order import controls
from kiosk.layout.page import Page
from kiosk.ui.lettering import CAP, Lettering
from sync.contract.bundle import LANGUAGES, Screen
from tests.kiosk.layout.test_rules import check, gap, runs_of
from tests.kiosk.layout.world import (
    MEASURE,
    PANELS,
    STATEMENTS,
    bundle,
    every_page,
    services,
    texts,
)

REACH_MM = 1100
HUNG = {"21in-portrait": 1450, "15in-landscape": 1180, "21in-landscape": 1250}
"""Panel -> top edge above the floor, as in the example county."""
LOW = frozenset({"low"})
MODES = {"low": LOW, "low+larger": LOW | {"larger"}}
everywhere = pytest.mark.parametrize("language", LANGUAGES)
hung_high = pytest.mark.parametrize("panel", HUNG)
alone_and_larger = pytest.mark.parametrize("modes", MODES.values(), ids=MODES)


def hung(panel: str, top: float) -> Screen:
    return msgspec.structs.replace(PANELS[panel], top_mm_above_floor=top)


def highest(page: Page) -> tuple[float, str]:
    """Millimetres above the floor of the highest edge that may be touched, and whose it is."""
    top = page.panel.top_mm_above_floor
    return max((top - target.box.y, target.name) for target in controls(page))


def within_reach(page: Page) -> None:
    check(page)
    height, name = highest(page) if controls(page) else (0.0, "")
    assert height <= REACH_MM + 0.01, f"{page.screen} {page.language}: {name} at {height:.0f} mm"


@alone_and_larger
@hung_high
@everywhere
def test_everything_touched_is_within_reach(
    panel: str, modes: frozenset[str], language: str
) -> None:
    screen = hung(panel, HUNG[panel])
    for page in every_page(screen, language, modes):
        within_reach(page)
        if "larger" in modes:
            for run in runs_of(page):
                if run.name != "logo" and not run.name.startswith("key."):
                    assert run.em >= page.panel.u - 0.001, f"{page.screen}: {run}"


@alone_and_larger
@hung_high
@everywhere
def test_question_and_all_statements_are_answered_within_reach(
    panel: str, modes: frozenset[str], language: str
) -> None:
    made = Composer(bundle(hung(panel, HUNG[panel])), MEASURE, modes)
    for question in (*STATEMENTS, "satisfied"):
        page = made.face(language, question, 1, 3)
        within_reach(page)
        cards = [target for target in page.targets if target.look == "card"]
        asked = next(run for run in page.runs if run.name == "question")
        assert len(cards) == 5
        assert min(gap(asked.box, card.box) for card in cards) <= 13, "far from its answers"


@hung_high
@everywhere
def test_long_lists_are_chosen_from_within_reach(panel: str, language: str) -> None:
    words = {
        code: {**texts()[code], **{f"group.group-{n}": f"Ryhmä {n}" for n in range(3)}}
        for code in LANGUAGES
    }
    config = bundle(hung(panel, HUNG[panel]), services=services(20, groups=3), texts=words)
    for modes in MODES.values():
        made = Composer(config, MEASURE, modes)
        within_reach(made.choice(language, "service"))
        seen: list[str] = []
        for number in range(9):
            page = made.choice(language, "service", number, "group-1", (1, 5))
            within_reach(page)
            names = [t.name for t in page.targets if t.name.startswith("choice.")]
            if names[0] in seen:
                break
            seen += names
        assert len(seen) == 8, "seven services and the other one"


def test_every_face_reads_along_the_rows_where_five_do_not_fit_beside_each_other() -> None:
    made = Composer(bundle(hung("21in-portrait", 1450)), MEASURE, MODES["low+larger"])
    for language in ("fi", "ar"):
        page = made.face(language, "s05", 1, 3)
        boxes = {t.name: t.box for t in page.targets if t.look == "card"}
        if language == "fi":
            assert page.arrangement == "face-3x2"
            assert boxes["face.1"].y == boxes["face.2"].y < boxes["face.3"].y
            assert boxes["face.1"].x < boxes["face.2"].x
        else:
            assert page.arrangement.endswith("-rtl")
            assert boxes["face.1"].x > boxes["face.2"].x


def test_low_changes_nothing_where_the_whole_panel_is_within_reach() -> None:
    for top in (0, 900, 1100):
        config = bundle(hung("10in-landscape", top))
        for language in ("fi", "ar"):
            plain, low = Composer(config, MEASURE), Composer(config, MEASURE, LOW)
            assert low.rest(language) == plain.rest(language)
            assert low.face(language, "s05", 1, 3) == plain.face(language, "s05", 1, 3)
            assert low.text(language) == plain.text(language)


@alone_and_larger
@pytest.mark.parametrize("panel", PANELS)
@everywhere
def test_a_panel_hung_too_high_is_used_as_low_as_it_goes(
    panel: str, modes: frozenset[str], language: str
) -> None:
    screen = hung(panel, 1700)
    plain = {
        page.screen: page
        for page in every_page(screen, language, modes - LOW)
        if page.screen in ("rest", "face", "warning", "still")
    }
    for page in every_page(screen, language, modes):
        check(page)
        if page.screen in plain:
            assert highest(page)[0] <= highest(plain[page.screen])[0] + 0.01


def test_the_way_to_the_notice_is_on_the_access_sheet_where_the_header_is_out_of_reach() -> None:
    made = Composer(bundle(hung("15in-landscape", 1180)), MEASURE, LOW)
    names = {target.name for target in made.rest("fi").targets}
    assert "privacy" not in names
    assert "anonymous" in {run.name for run in made.rest("fi").runs}
    assert "privacy" in {target.name for target in made.access("fi").targets}


def test_previews_and_checks_go_through_low_where_it_is_offered() -> None:
    larger = frozenset({"larger"})
    plain = (frozenset[str](), larger)
    assert modes_of(bundle(hung("15in-landscape", 1100))) == plain
    assert modes_of(bundle(hung("15in-landscape", 1101))) == (*plain, LOW, larger | LOW)


@alone_and_larger
@hung_high
def test_in_low_rows_the_line_under_the_current_language_is_clear_of_its_name(
    panel: str, modes: frozenset[str]
) -> None:
    made = Composer(bundle(hung(panel, HUNG[panel])), MEASURE, modes)
    lettering = Lettering(MEASURE.fonts)
    for language in LANGUAGES:
        page = made.languages(language)
        target = next(target for target in page.targets if target.current)
        (run,), (line,) = target.runs, target.marks
        below = lettering.extent(run.lines[0], 10 * run.em, bold=True)[1] / 10
        letters = run.box.y + run.leading / 2 + run.em * CAP / 2 + below
        assert letters <= line.box.y - 1, f"{language}: {line.box.y - letters:.2f} mm"


@pytest.mark.parametrize("language", ["fi", "sv", "en", "et", "ar"])
def test_switches_and_what_speech_can_be_told_stand_in_rows_of_their_own(language: str) -> None:
    for panel, top in HUNG.items():
        page = Composer(bundle(hung(panel, top)), MEASURE, LOW).access(
            language, (*SWITCHES, *PAUSED), started=True
        )
        rows: dict[float, set[str]] = {}
        for target in page.targets:
            if target.look in ("switch", "list"):
                kind = target.name.partition(".")[0]
                rows.setdefault(round(target.box.y, 1), set()).add(kind)
        assert all(len(kinds) == 1 for kinds in rows.values()), f"{panel}: {rows}"
