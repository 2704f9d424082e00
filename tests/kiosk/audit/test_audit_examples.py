"""The example devices pass: composition of all of them, pixels of a sample that covers."""

from __future__ import annotations

import pytest

from kiosk.audit import run
from kiosk.audit.checks import CHECKS, Check
from kiosk.audit.figures import for_staff
from kiosk.audit.finding import Finding
from kiosk.every_staff import staff_shots
from kiosk.fleet import audit_devices
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from kiosk.wording import STAFF_LANGUAGES
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


PANELS = ("esim-0001", "esim-0002", "esim-0003", "esim-0004", "esim-0006")


@pytest.mark.parametrize("device", PANELS)
def test_the_screens_for_staff_are_composed_as_required_too(device: str) -> None:
    bundle = build(TREE, device)
    for language in STAFF_LANGUAGES:
        shown = run.screens(bundle, language, [frozenset()], staff=True)
        theirs = [seen for seen in shown if for_staff(seen.page)]
        assert len(theirs) == len(list(staff_shots(bundle, language)))
        asked = [check for check in COMPOSED if run.asked(check, theirs[0])]
        found = [finding for seen in theirs for check in asked for finding in check.look(seen)]
        assert [each for each in found if each.severity == "failure"] == []


def test_a_sample_of_screens_for_staff_is_painted_as_required() -> None:
    bundle = build(TREE, "esim-0002")
    result = run.checked(bundle, "sv", [frozenset()], staff=True)
    visitors = run.checked(bundle, "sv", [frozenset()])
    assert result.screens - visitors.screens == len(list(staff_shots(bundle, "sv")))
    assert [each for each in result.findings if each.severity == "failure"] == []


# Every panel, every mode, both directions and all three alphabets.
SAMPLE = [
    ("esim-0001", "fi", ()),
    ("esim-0001", "sv", ("dark",)),
    ("esim-0001", "ar", ("larger",)),
    ("esim-0002", "ru", ()),
    ("esim-0002", "et", ("larger", "dark")),
    ("esim-0003", "ar", ("low",)),
    ("esim-0003", "en", ("larger",)),
    # Words of two lines leave the ring its least room here.
    ("esim-0003", "en", ("larger", "low")),
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
