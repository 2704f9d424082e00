"""What is said aloud: every page, every control, every language of the example devices."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kiosk.fleet.resolve import resolve
from kiosk.layout.compose import Composer
from kiosk.layout.every import shots
from kiosk.layout.page import Page
from kiosk.speech import phrases
from kiosk.speech.parts import Part
from sync.contract.bundle import LANGUAGES, Bundle
from tests.kiosk.layout.world import MEASURE

CONFIG = Path(__file__).parents[2] / "device-config"


@cache
def bundle(device: str = "esim-0001") -> Bundle:
    return resolve(CONFIG, device)


def pages(device: str, language: str, modes: frozenset[str] = frozenset()) -> list[Page]:
    made = Composer(bundle(device), MEASURE, modes)
    return [getattr(made, screen)(language, *args) for _, screen, args, _ in shots(bundle(device))]


@pytest.mark.parametrize("larger", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_and_everything_on_it_says_something(language: str, larger: bool) -> None:
    modes = frozenset({"larger"} if larger else ())
    for device in ("esim-0001", "esim-0003"):
        for page in pages(device, language, modes):
            assert phrases.orientation(page, bundle(device)), page.screen
            for target in page.targets:
                said = phrases.control(page, bundle(device), target.name)
                assert said and all(part.text.strip() for part in said), target.name


def test_a_number_is_said_with_its_end_and_its_position() -> None:
    page = Composer(bundle(), MEASURE).rest("fi")
    assert phrases.control(page, bundle(), "nps.10", chosen="nps.10") == (
        Part("10. Erittäin todennäköisesti.", "fi"),
        Part("valittu.", "fi"),
        Part("vaihtoehto 11, yhteensä 11.", "fi"),
    )
