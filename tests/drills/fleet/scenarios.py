"""The fleets of the drill, and the rules weakened so that it has to notice."""

from __future__ import annotations

import random
from dataclasses import replace

from sync.collector.app import Centre
from tests.drills.fleet.returning import BACK_OFF_S, Scenario
from tests.drills.fleet.terminals import Chance

HOURS_S = 4 * 3600.0


def together(_number: int, chance: Chance) -> float:
    """Switched on within the same second."""
    return chance.uniform(0.0, 1.0)


def one(_number: int, _chance: Chance) -> int:
    """Nearly nothing waits."""
    return 1


def uneven(number: int, _chance: Chance) -> int:
    """Half of them have fifteen times as much as the others."""
    return 15 if number % 2 else 1


def four(_number: int, _chance: Chance) -> int:
    """A few days."""
    return 4


def at_start(_number: int, _chance: Chance) -> float:
    """Running all along."""
    return 0.0


def within_hours(_number: int, chance: Chance) -> float:
    """One after the other."""
    return chance.uniform(0.0, HOURS_S)


def now_and_then(after_s: float) -> bool:
    """Ten seconds of every minute."""
    return after_s % 60 >= 50


AT_ONCE = Scenario("all at once, 8 batches each, SQLite", back=0, begin=together)
AWAY = Scenario("centre away for hours, 8 batches each", back=2400, floor_s=BACK_OFF_S)
SCENARIOS = (
    AT_ONCE,
    replace(AT_ONCE, name="the same, PostgreSQL", sqlite=False),
    replace(AT_ONCE, name="the same with 1 batch each, PostgreSQL", sqlite=False, batches=one),
    replace(AT_ONCE, name="half with 15 batches, half with 1", sqlite=False, batches=uneven),
    replace(AT_ONCE, name="a centre that does 200 a second", sqlite=False, per_s=200),
    AWAY,
    replace(AWAY, name="the same with 1 batch each", batches=one),
    replace(AT_ONCE, name="database away (503), 8 batches", back=400, begin=at_start, broken=True),
    replace(AT_ONCE, name="half as fast after 200 s", slower=lambda after_s: 1 + (after_s > 200)),
    # Every restart forgets the row: some wait for several, and many try again at each.
    replace(
        AT_ONCE,
        name="away 10 s of every minute, 4 each",
        batches=four,
        down=now_and_then,
        floor_s=500,
        herd=12.0,
    ),
    replace(
        AWAY,
        name="1 % with a wrong clock, 10 of all whole senders",
        terminals=1000,
        per_s=10,
        back=600,
        wrong_clocks=0.01,
        whole=10,
    ),
    replace(
        AT_ONCE,
        name="back one by one within four hours, 4 each",
        begin=within_hours,
        batches=four,
        floor_s=HOURS_S + 30,
    ),
)


class NoJitter(random.Random):
    """Weakened: everybody waits equally long."""

    def uniform(self, a: float, b: float) -> float:
        return b


def by_duration(centre: Centre) -> None:
    """Weakened: slots as far apart as one request takes, the waiting for the others included."""
    slots = centre.gate.slots
    slots._cost_s *= centre.gate._workers
    slots.done = lambda **_: None  # type: ignore[method-assign]


def no_turns(centre: Centre) -> None:
    """Weakened: who was served and has more comes again at once."""
    centre.ingest._turn_s = lambda: 0.0


def small_queue(centre: Centre) -> None:
    """For a fleet of hundreds what 200 are for one of thousands."""
    centre.gate._most_waiting = 20
