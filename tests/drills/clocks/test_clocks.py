"""Short form of the drill of clocks; `make drill` tells each story often, with other chances."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk import recorder
from sync.collector import ingest
from sync.collector.times import Envelope, Moment, local, wall_ms
from sync.contract.records import Stamp
from sync.sender import Sender
from tests.drills.clocks import stories
from tests.drills.clocks.judge import tried
from tests.drills.clocks.machine import Kiosk
from tests.drills.clocks.pauses import patient, waits
from tests.drills.clocks.stories import STORIES, Story
from tests.drills.clocks.summer import wrong_days, wrong_hours
from tests.drills.power.cuts import shelf


@pytest.fixture
def place() -> Iterator[Path]:
    with shelf() as folder:
        yield folder


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_answers_keep_order_and_day(story: Story, place: Path) -> None:
    assert tried(story, place / "site", 1) == []


@pytest.mark.parametrize("values", [("0",), ("-1",), ("1000000000",), ("5", "10"), ("soon",)])
def test_an_absurd_pause_is_bounded(values: tuple[str, ...], place: Path) -> None:
    with patient(place) as (kiosk, server):
        assert waits(kiosk, server, 503, values) == []


@pytest.mark.parametrize("change", [(2026, 3, 29), (2026, 10, 25)])
def test_the_night_the_clocks_change(change: tuple[int, int, int]) -> None:
    at = datetime(*change, 1, tzinfo=UTC)
    assert wrong_days("Europe/Helsinki", at) + wrong_hours("Europe/Helsinki", at) == []


# --- weakened: each of these must be caught ----------------------------------------------------


def test_a_centre_that_believes_every_wall_clock_is_caught(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believed(stamp: Stamp, _: Envelope, zone: str) -> Moment:
        wall = wall_ms(stamp.wall) or 0
        return Moment(wall, "synced", *local(wall, zone))

    monkeypatch.setattr(ingest, "moment", believed)
    found = tried(stories.mid_visit, place / "site", 1)
    assert any("the centre says" in text for text in found)


@pytest.mark.parametrize("story", [stories.no_clock, stories.mid_visit])
def test_pruning_by_whatever_an_id_says_is_caught(
    story: Story, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_synced", lambda _: True)
    monkeypatch.setattr(recorder, "id_ms", lambda _: 0)
    found = tried(story, place / "site", 1)
    assert any("pruned" in text for text in found)


def test_a_sender_that_waits_by_the_wall_clock_is_caught(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proper = Kiosk.open_sender

    def weakened(kiosk: Kiosk) -> Sender:
        sender = proper(kiosk)
        wall = lambda: kiosk.machine.wall / 1000  # noqa: E731
        sender._now = sender._pace._now = sender._delivery._now = wall
        sender._pace.at_once()
        return sender

    monkeypatch.setattr(Kiosk, "open_sender", weakened)
    with pytest.raises(AssertionError, match="a pause"):
        tried(stories.during_a_pause, place / "site", 1)
