"""The composed pages against the sketches' boxes, in millimetres.

Four places deviate on purpose and are left out of the comparison:
* the access button of the resting screen on upright panels: in the corner, as on every other
  screen, since the raised dot beside it cannot move (the sketch has it one row higher);
* the language button in Larger: its name at 1.0 u, since nothing in Larger is below that
  (the sketch has it at 0.8 u);
* `mode.contrast` of the sketch is the mode Dark, which is the high contrast;
* the logo and the way to the privacy notice are targets here that the sketches do not list.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from kiosk.layout.compose import Composer
from kiosk.layout.page import Page
from tests.kiosk.layout.world import MEASURE, PANELS, bundle

SKETCHES = sorted((Path(__file__).parent / "sketches").glob("*.boxes-mm.json"))
TOLERANCE_MM = 0.6
STATEMENTS = {"fi": "s07", "sv": "s07", "ru": "s07", "ar": "s05", "en": "s09"}
NOT_IN_SKETCHES = {"logo", "privacy"}


def page_of(screen: str, panel: str, language: str, state: str) -> Page:
    plain = bundle(panel)
    made = Composer(
        msgspec.structs.replace(
            plain,
            screen=msgspec.structs.replace(
                PANELS[panel], top_mm_above_floor=1400 if screen == "access" else 0
            ),
            survey=msgspec.structs.replace(plain.survey, phone_url="https://palaute.example/t/1"),
        ),
        MEASURE,
        frozenset({"larger"} if state == "large" else ()),
    )
    match screen:
        case "rest":
            return made.rest(language)
        case "smile":
            statement = "s05" if state in ("chosen", "dark") else STATEMENTS[language]
            return made.face(language, statement, 1, 3)
        case "offer":
            return made.offer(language, 4, 5)
        case "text" | "thanks" | "still" | "access":
            page: Page = getattr(made, screen)(language)
            return page
    raise AssertionError(screen)


@pytest.mark.parametrize("path", SKETCHES, ids=lambda path: path.name.split(".")[0])
def test_every_box_is_where_the_sketch_has_it(path: Path) -> None:
    screen, panel, language, *state = path.name.split(".")[0].split("_")
    page = page_of(screen, panel, language, state[0] if state else "")
    boxes = {target.name: target.box for target in page.targets}
    sketched = {
        name.replace("mode.contrast", "mode.dark"): box
        for name, *box in json.loads(path.read_bytes())
    }
    larger_language = "language" in sketched and state == ["large"] and screen == "smile"
    for name, (x, y, w, h) in sketched.items():
        box = boxes[name]
        if larger_language and name == "language":
            w = box.w  # noqa: PLW2901
        if screen == "rest" and name == "access" and "portrait" in panel:
            y = page_of("smile", panel, language, "").targets[0].box.y  # noqa: PLW2901
        off = max(abs(box.x - x), abs(box.y - y), abs(box.w - w), abs(box.h - h))
        assert off <= TOLERANCE_MM, f"{name}: {box}, sketched {x, y, w, h}"
    assert set(boxes) - set(sketched) <= NOT_IN_SKETCHES
    assert page.problems == ()


def test_there_are_sketches_to_compare_with() -> None:
    assert len(SKETCHES) == 26


def test_texts_of_the_sketches_stand_where_the_table_of_positions_has_them() -> None:
    made = Composer(bundle(), MEASURE)

    def middle(page: Page, name: str) -> float:
        run = next(run for run in page.runs if run.name == name)
        return run.box.y + run.box.h / 2

    thanks, still, rest = made.thanks("fi"), made.still("fi"), made.rest("fi")
    assert middle(thanks, "title") == pytest.approx(60, abs=0.6)
    assert middle(thanks, "saved") == pytest.approx(76, abs=0.6)
    assert middle(thanks, "changed") == pytest.approx(96, abs=0.6)
    tick = next(mark for mark in thanks.marks if mark.kind == "tick").box
    assert (tick.x + tick.w / 2, tick.y + tick.h / 2, tick.w / 2) == pytest.approx(
        (108.5, 34, 12), abs=0.6
    )
    assert middle(still, "title") == pytest.approx(38, abs=0.6)
    bar = next(mark for mark in still.marks if mark.kind == "bar").box
    assert (bar.x, bar.y, bar.w, bar.h) == pytest.approx((36, 52, 145, 3), abs=0.6)
    question = next(run for run in rest.runs if run.name == "question")
    assert (question.box.y, question.box.h) == pytest.approx((25.8, 24.6), abs=0.6)
    assert question.lines == (
        "Kuinka todennäköisesti suosittelisit",
        "saamaasi hoitoa/palvelua läheisellesi?",
    )
    low = next(run for run in rest.runs if run.name == "low")
    high = next(run for run in rest.runs if run.name == "high")
    assert (low.box.y, low.box.h, low.box.x) == pytest.approx((97.8, 9.2, 6), abs=0.6)
    assert high.box.right == pytest.approx(211, abs=0.1)
    assert high.align == "right"
