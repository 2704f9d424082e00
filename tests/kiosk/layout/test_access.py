"""The access sheet: switches, what speech can be told while it is on, Start over."""

from __future__ import annotations

import msgspec
import pytest

from kiosk.layout.compose import Composer
from kiosk.layout.every import PAUSED, SPEAKING, SWITCHES
from kiosk.layout.page import Box, Page
from sync.contract.bundle import LANGUAGES
from tests.kiosk.layout.test_rules import check, crossing
from tests.kiosk.layout.world import MEASURE, PANELS, bundle, composer

everywhere = pytest.mark.parametrize("language", LANGUAGES)
on_every_panel = pytest.mark.parametrize("panel", PANELS)
OFFERED = {
    "larger and dark": ("larger", "dark"),
    "all switches": SWITCHES,
    "speaking": (*SWITCHES, *SPEAKING),
    "paused": (*SWITCHES, *PAUSED),
}
LARGER = frozenset({"larger"})
HIGH_MM = 1600


def cells(page: Page) -> list[str]:
    bar = ("access", "back", "privacy", "logo")
    return [target.name for target in page.targets if target.name not in bar]


@on_every_panel
@everywhere
@pytest.mark.parametrize("high", [False, True], ids=["hung low", "hung high"])
def test_whatever_is_offered_fits_with_words_at_full_size(
    panel: str, language: str, high: bool
) -> None:
    screen = msgspec.structs.replace(PANELS[panel], top_mm_above_floor=HIGH_MM if high else 0)
    for modes in (frozenset[str](), LARGER, LARGER | {"speech", "dark"}):
        made = Composer(bundle(screen), MEASURE, modes)
        for offered in OFFERED.values():
            for started in (False, True):
                page = made.access(language, offered, started)
                check(page)
                for target in page.targets:
                    if target.name in cells(page):
                        assert target.runs[0].em >= page.panel.u - 0.001, target


@everywhere
def test_switches_come_first_then_speech_then_start_over(language: str) -> None:
    page = composer().access(language, (*SWITCHES, *SPEAKING), started=True)
    switches = [f"mode.{name}" for name in SWITCHES if name != "low"]
    speech = [f"speech.{name}" for name in SPEAKING]
    assert cells(page) == [*switches, *speech, "restart"]
    looks = {target.name: target.look for target in page.targets}
    assert {looks[name] for name in switches} == {"switch"}
    assert {looks[name] for name in (*speech, "restart")} == {"list"}
    by_place = sorted(
        (t for t in page.targets if t.name in cells(page)),
        key=lambda t: (round(t.box.y), t.box.x * (-1 if page.rtl else 1)),
    )
    assert [target.name for target in by_place] == cells(page)


def test_a_speech_button_says_what_it_does() -> None:
    page = composer().access("fi", (*SWITCHES, *PAUSED))
    words = {t.name: " ".join(t.runs[0].lines) for t in page.targets if t.name in cells(page)}
    texts = bundle().texts["fi"]
    assert words["speech.resume"].replace("-", "") == texts["spoken.resume"].replace("\u00ad", "")
    assert words["speech.louder"] == texts["spoken.louder"].replace("\u00ad", "")


@on_every_panel
@everywhere
def test_a_switch_shows_that_it_is_off_by_an_empty_ring_clear_of_its_words(
    panel: str, language: str
) -> None:
    screen = msgspec.structs.replace(PANELS[panel], top_mm_above_floor=HIGH_MM)
    on = frozenset({"larger", "low"})
    for modes in (on, on - {"low"}):
        made = Composer(bundle(screen), MEASURE, modes)
        for offered in OFFERED.values():
            page = made.access(language, offered, started=True)
            for target in page.targets:
                if target.look != "switch":
                    assert not target.name.startswith("mode.")
                    continue
                rings = [mark.box for mark in target.marks if mark.kind == "ring"]
                assert target.current == (target.name.removeprefix("mode.") in modes)
                assert bool(rings) != target.current
                for run in target.runs:
                    wide = max(MEASURE.width(line, run.em, True, language) for line in run.lines)
                    middle = run.box.x + run.box.w / 2
                    box = Box(middle - wide / 2, run.box.y, wide, run.box.h)
                    assert not any(crossing(box, ring) for ring in rings), target


@pytest.mark.parametrize("panel", PANELS)
def test_cells_of_one_row_are_equally_high(panel: str) -> None:
    for language in LANGUAGES:
        page = composer(panel).access(language, (*SWITCHES, *SPEAKING), started=True)
        heights = [t.box.h for t in page.targets if t.name in cells(page)]
        assert max(heights) - min(heights) < 0.01
