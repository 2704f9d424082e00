"""The part of `make drill` about clocks: unset, wrong, stepped, asleep, and absurd pauses."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.drills.clocks import spaces
from tests.drills.clocks.judge import tried
from tests.drills.clocks.pauses import ABSURD, STATUSES, patient, waits
from tests.drills.clocks.stories import STORIES
from tests.drills.clocks.summer import ZONES, changes, wrong_days, wrong_hours
from tests.drills.part import Options, Row, spread
from tests.drills.power.cuts import shelf

TOLD = 20
"""How often each story is told; `any order` five times as often."""

_place: list[Path] = []


def _tell(task: tuple[str, int]) -> list[str]:
    name, seed = task
    logging.disable(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(dir=_place[0]))
    try:
        return [f"{name}, seed {seed}: {text}" for text in tried(STORIES[name], folder, seed)[:3]]
    except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
        return [f"{name}, seed {seed}: {error!r}"]


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    yield from stories(options)
    yield pauses()
    yield from summer()
    yield from spaces.rows()


def stories(options: Options) -> Iterator[Row]:
    """Every story, with other chances each time."""
    with shelf() as place:
        _place[:] = [place]
        tasks = [
            (name, options.seed * 1000 + n)
            for name in STORIES
            for n in range(0, TOLD * (5 if name == "any order" else 1), options.step)
        ]
        bad: dict[str, list[str]] = {name: [] for name in STORIES}
        for (name, seed), wrong in zip(tasks, spread(_tell, tasks, options.workers), strict=True):
            bad[name] += wrong
            told = [task for task in tasks if task[0] == name]
            if (name, seed) == told[-1]:
                yield Row(name, len(told), bad[name])


def pauses() -> Row:
    """Every absurd Retry-After."""
    bad = []
    logging.disable(logging.CRITICAL)
    try:
        with shelf() as place, patient(place) as (kiosk, server):
            for status in STATUSES:
                for values in ABSURD:
                    bad += waits(kiosk, server, status, values)
            bad += kiosk.wrong(kiosk.house, kiosk.acknowledged)
    finally:
        logging.disable(logging.NOTSET)
    return Row("absurd Retry-After", len(ABSURD) * len(STATUSES), bad)


def summer() -> Iterator[Row]:
    """Every change of the clocks in some years."""
    nights = [
        (zone, change)
        for zone in ZONES
        for year in (2026, 2027, 2028)
        for change in changes(ZoneInfo(zone), year)
    ]
    days = [text for zone, change in nights for text in wrong_days(zone, change)]
    yield Row("summer time: days and hours", len(nights), days, "220 quarters each")
    hours = [text for zone, change in nights for text in wrong_hours(zone, change)]
    yield Row("summer time: opening hours", len(nights), hours, "four weeks of hours each")
