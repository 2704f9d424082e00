"""Short form of the damage drill: some of the harm that can come to a device's files.

`make drill` does every page, every frame and every other state of the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import opening
from tests.drills.disks.damage import Harm, Image, exchanged, in_place, memory, take_image, tried
from tests.drills.power.cuts import shelf


@pytest.fixture
def place() -> Iterator[Path]:
    with shelf() as folder:
        (folder / "case").mkdir()
        yield folder


def image_on(place: Path, **state: bool) -> Image:
    (place / "image").mkdir()
    return take_image(place / "image", **state)


def wrong(image: Image, harms: list[Harm], place: Path) -> list[str]:
    found = []
    for number, harm in enumerate(harms):
        folder = place / str(number)
        folder.mkdir()
        found += [f"{harm.name}: {text}" for text in tried(image, harm, folder)[:3]]
    return found


@pytest.mark.parametrize("sent", [False, True], ids=["waiting", "sent"])
def test_files_exchanged_or_deleted_cost_nothing_that_is_still_there(
    sent: bool, place: Path
) -> None:
    image = image_on(place, sent=sent)
    assert wrong(image, list(exchanged(image)), place) == []


def test_garbage_costs_what_it_covers_and_the_ledger_says_so(place: Path) -> None:
    image = image_on(place)
    harms = [*in_place(image), *memory(image)]
    assert wrong(image, harms[::22], place) == []


def by_name(image: Image, name: str) -> list[Harm]:
    return [harm for harm in exchanged(image) if harm.name == name]


def test_without_a_look_at_the_cursor_answers_after_a_rollback_never_go(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_on(place, sent=True)
    monkeypatch.setattr(opening, "sent_up_to", lambda *_: 0)
    found = wrong(image, by_name(image, "an older file with its WAL"), place)
    assert any("was acknowledged and is not at the centre" in text for text in found)


@pytest.mark.parametrize("name", ["another device's WAL", "an older WAL"])
def test_a_wal_that_is_not_weighed_hides_answers(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_on(place)
    monkeypatch.setattr(opening, "weigh", lambda *_: "fits")
    assert wrong(image, by_name(image, name), place) != []
