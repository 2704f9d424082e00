"""What must hold after a story about clocks."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sync.collector import maintenance
from tests.drills.clocks.machine import DAY_MS, ZONES, Given, Hall, Kiosk, Machine
from tests.drills.clocks.stories import Story

OFF_MS = 2000
"""How far a corrected time may be from the true one."""
CALM_S = 2400
"""All is well for so long: what waits must have gone by then."""
MOST_A_MINUTE = 130
"""Exchanges in a minute; more is a sender that spins."""


def tried(story: Story, folder: Path, seed: int) -> list[str]:
    """Tell a story with the seed's chances; what is wrong in the end."""
    folder.mkdir(exist_ok=True)
    machine = Machine()
    house = Hall(folder / "centre.db", machine)
    kiosk = Kiosk(folder / "device", house, machine)
    try:
        kiosk.open()
        story(kiosk, random.Random(f"{story.__name__} {seed}"))
        kiosk.broken = False
        if not machine.synced:
            machine.ntp()
        machine.passes(11)
        kiosk.runs(CALM_S)
        return [
            *kiosk.wrong(house, kiosk.acknowledged),
            *_dates(kiosk),
            *_spun(kiosk),
            *_aged(kiosk),
        ]
    finally:
        kiosk.close()
        house.store.close()
        shutil.rmtree(folder, ignore_errors=True)


def _dates(kiosk: Kiosk) -> Iterator[str]:
    """Instants and days at the centre, against the truth."""
    with kiosk.house.store.tx() as tx:
        found = {
            row[0]: row[1:]
            for row in tx.rows("select id, instant_ms, quality, day, hour from records")
        }
        counted = Counter(
            {
                (str(day), str(location)): int(n)
                for day, location, n in tx.rows(
                    "select day, location, sum(n) from daily_counts group by day, location"
                )
            }
        )
    assert kiosk.sender is not None
    noted = kiosk.sender._memory.clocks()
    days: Counter[tuple[str, str]] = Counter()
    for given in kiosk.given:
        if given.id not in found:
            continue
        instant, quality, day, hour = found[given.id]
        days[str(day), given.location] += 1
        if quality == "received":
            if given.boot == kiosk.machine.boot or given.boot in noted:
                yield f"{_said(given)}: the centre knows only when it came"
            if hour != -1:
                yield f"{_said(given)}: an hour nobody knows"
            continue
        if abs(instant - given.true_ms) > OFF_MS:
            yield f"{_said(given)}: the centre says {instant - given.true_ms:+} ms ({quality})"
        there = datetime.fromtimestamp(given.true_ms / 1000, UTC).astimezone(
            ZoneInfo(ZONES[given.location])
        )
        if (day, hour) != (there.date().isoformat(), there.hour) and not _edge(there):
            yield f"{_said(given)}: counted on {day} at {hour}, it was {there}"
    if counted != days:
        yield f"counts by day {dict(counted)} are not those of the records {dict(days)}"
    differences = maintenance.verify(kiosk.house.store)["differences"]
    if differences:
        yield f"hymio collector verify: {differences}"


def _edge(there: datetime) -> bool:
    seconds = there.minute * 60 + there.second
    return not OFF_MS / 1000 < seconds < 3600 - OFF_MS / 1000


def _spun(kiosk: Kiosk) -> Iterator[str]:
    """Exchanges in any minute of the monotonic clock; each boot has its own."""
    for (boot, at), (later, then) in zip(kiosk.posts, kiosk.posts[MOST_A_MINUTE:], strict=False):
        if boot == later and then - at < 60:
            yield f"{MOST_A_MINUTE} exchanges within a minute"
            return


def _aged(kiosk: Kiosk) -> Iterator[str]:
    """Nothing goes before its time (a day, here), and all of it some days later."""
    machine = kiosk.machine
    young = {g.id for g in kiosk.given if machine.true - g.true_ms < DAY_MS}
    if missing := young - kiosk.kept():
        yield f"{len(missing)} of {len(young)} answers were pruned before their time"
    for _ in range(3):
        machine.passes(1.5 * 86_400)
        kiosk.gives(1)
        kiosk.runs(400)
    old = {g.id for g in kiosk.given if machine.true - g.true_ms > 2 * DAY_MS}
    if left := old & kiosk.kept():
        yield f"{len(left)} old answers are never pruned: the outbox grows"


def _said(given: Given) -> str:
    at = datetime.fromtimestamp(given.true_ms / 1000, UTC).isoformat(timespec="seconds")
    return f"{given.id} of {at}"
