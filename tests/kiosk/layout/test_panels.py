"""Every supported size of panel in every language: nothing is cut off, in no mode."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kiosk.layout.compose import Composer
from kiosk.layout.every import PAUSED, SPEAKING, SWITCHES
from kiosk.layout.kit import panel_of
from kiosk.wording import STAFF_LANGUAGES
from sync.contract.bundle import LANGUAGES, Screen
from tests.kiosk.layout.staff_pages import Screens
from tests.kiosk.layout.test_rules import check
from tests.kiosk.layout.world import MEASURE, PANELS, SUPPORTED, bundle, every_page

DOCUMENT = Path(__file__).parents[3] / "kiosk" / "docs" / "panels.md"
STATEMENTS = ("s07", "s09", "s11", "s13", "satisfied")
MODES = {
    "normal": frozenset[str](),
    "larger": frozenset({"larger"}),
    "low": frozenset({"low"}),
    "low+larger": frozenset({"low", "larger"}),
}


@pytest.mark.parametrize("modes", MODES.values(), ids=MODES)
@pytest.mark.parametrize("name", SUPPORTED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_supported_panel_shows_everything(
    name: str, language: str, modes: frozenset[str]
) -> None:
    # Hung so that Low is offered, and has to do something.
    height = panel_of(SUPPORTED[name]).height_mm
    screen = msgspec.structs.replace(SUPPORTED[name], top_mm_above_floor=1100 + height / 3)
    for page in every_page(screen, language, modes):
        check(page)
    made = Composer(bundle(screen), MEASURE, modes)
    for question in STATEMENTS:
        check(made.face(language, question, 1, 3))
    for more in (SPEAKING, PAUSED):
        check(made.access(language, (*SWITCHES, *more), started=True))


@pytest.mark.parametrize("name", SUPPORTED)
@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_a_supported_panel_can_be_set_up_and_serviced(name: str, language: str) -> None:
    for screen, page in Screens(SUPPORTED[name], language).every():
        if (name, screen) == ("10.1 16:9", "setup-address-wrong"):
            # So low that the keys shrink while an error stands over them, and the page says so.
            assert page.problems
            continue
        assert page.problems == (), screen


def test_letters_grow_with_the_distance_a_panel_is_read_from() -> None:
    def distance(name: str) -> float:
        return panel_of({**PANELS, **SUPPORTED}[name]).distance_mm

    assert distance("10in-landscape") == distance("10in-portrait") == 450
    assert distance("15in-landscape") == distance("21in-portrait") == 600
    assert 450 < distance("12.3 3:2") < distance("13.3 16:9") < 600
    assert 400 < distance("10.1 16:9") < 450
    assert panel_of(Screen(distance_mm=500)).distance_mm == 500


def test_the_document_names_every_supported_panel() -> None:
    text = DOCUMENT.read_text("utf-8")
    for name in SUPPORTED:
        inches, shape = name.removesuffix(" upright").split(" ")
        assert f"| {inches} | {shape} |" in text, name
