"""The example devices pass: composition of all of them, pixels of a sample that covers."""

from __future__ import annotations

import pytest

from kiosk.audit import run
from kiosk.audit.checks import CHECKS, Check
from kiosk.audit.finding import Finding
from kiosk.fleet import audit_devices
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from tests.kiosk.fleet.county import EXAMPLE

TREE = Tree.load(EXAMPLE)
ALIKE = {one.devices[0]: one for one in audit_devices.alike(TREE, sorted(TREE.in_use))}
COMPOSED = [check for check in CHECKS if not check.pixels]


def failures(
    device: str, language: str, modes: list[frozenset[str]], checks: list[Check]
) -> list[Finding]:
    result = run.checked(build(TREE, device), language, modes, checks=checks)
    assert result.screens
    return [each for each in result.findings if each.severity == "failure"]


@pytest.mark.parametrize("device", ALIKE)
def test_every_screen_of_an_example_device_is_composed_as_required(device: str) -> None:
    bundle = ALIKE[device].bundle
    assert [each for each in run.configuration(bundle) if each.severity == "failure"] == []
    placing = [mode for mode in run.modes_of(bundle) if "dark" not in mode]
    for language in bundle.languages:
        assert failures(device, language, placing, COMPOSED) == []


# Every panel, every mode, both directions and all three alphabets.
SAMPLE = [
    ("esim-0001", "fi", ()),
    ("esim-0001", "sv", ("dark",)),
    ("esim-0001", "ar", ("larger",)),
    ("esim-0002", "ru", ()),
    ("esim-0002", "et", ("larger", "dark")),
    ("esim-0003", "ar", ("low",)),
    ("esim-0003", "en", ("larger",)),
    ("esim-0004", "uk", ("larger", "low")),
    ("esim-0006", "ar", ("dark",)),
]


@pytest.mark.parametrize(("device", "language", "modes"), SAMPLE)
def test_a_sample_of_screens_is_painted_as_required(
    device: str, language: str, modes: tuple[str, ...]
) -> None:
    assert failures(device, language, [frozenset(modes)], list(CHECKS)) == []


def test_the_sample_covers_every_language_mode_and_size_of_panel() -> None:
    assert {language for _, language, _ in SAMPLE} == set(TREE_LANGUAGES)
    assert {mode for *_, modes in SAMPLE for mode in modes} == {"larger", "dark", "low"}
    panels = {_panel(device) for device in ALIKE}
    assert {_panel(device) for device, *_ in SAMPLE} == panels


def _panel(device: str) -> tuple[int, float]:
    screen = build(TREE, device).screen
    return screen.width_px, screen.width_mm


TREE_LANGUAGES = build(TREE, "esim-0001").languages


def test_devices_that_show_the_same_are_looked_at_once() -> None:
    named = [device for one in ALIKE.values() for device in one.devices]
    assert sorted(named) == sorted(TREE.in_use)
    twins = audit_devices.alike(TREE, ["esim-0002", "esim-0002"])
    assert [one.devices for one in twins] == [["esim-0002", "esim-0002"]]
