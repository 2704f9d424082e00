"""An ordinary half-hour in virtual time: what a fleet asks of its centre when nothing is wrong."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from sync import pacing
from sync.collector.store import Store
from tests.drills.fleet.modelled import Site
from tests.drills.fleet.returning import in_virtual_time
from tests.drills.fleet.terminals import Paced
from tests.drills.fleet.virtual import VirtualLoop, busiest

LONG_S = 1800.0
SETTLED_S = 900.0
"""Until all are switched on and have drifted apart."""


@dataclass(frozen=True)
class Calm:
    """Requests a second on average and at most, and how many were turned away."""

    mean: float
    peak_1s: int
    turned_away: int
    bound: float
    """What the rules come to: a batch a visit, and an empty one where five minutes are quiet."""

    def wrong(self) -> list[str]:
        """What does not hold."""
        found = []
        if self.turned_away:
            found.append(f"{self.turned_away} requests were turned away")
        if self.mean > self.bound:
            found.append(f"{self.mean:.1f} requests a second, more than {self.bound:.1f}")
        return found


def calm(terminals: int, visits_per_h: float, per_s: float, *, seed: int = 1) -> Calm:
    """Half an hour of terminals with so many visits each, at a centre that does `per_s` batches."""

    async def happen(loop: VirtualLoop, store: Store, _folder: Path) -> Calm:
        site = Site(loop, store, lambda _: 1 / per_s, sqlite=False)
        chance = random.Random(seed)
        fleet = [
            Paced(site, f"t{n}", 0, chance=random.Random(seed * 1_000_003 + n))
            for n in range(terminals)
        ]
        lives = [
            asyncio.ensure_future(each.run(chance.uniform(0, pacing.IDLE_S))) for each in fleet
        ]
        visits = terminals * visits_per_h / 3600
        until = loop.time() + SETTLED_S + LONG_S
        while loop.time() < until:
            await asyncio.sleep(chance.expovariate(visits))
            chance.choice(fleet).visit()
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        site.centre.gate.close()
        asked = [at for at in site.asked if at >= SETTLED_S]
        away = sum(count for status, count in site.statuses.items() if status != 200)
        bound = 1.05 * (visits + terminals / pacing.IDLE_S)
        return Calm(len(asked) / LONG_S, busiest(asked, 1.0), away, bound)

    return in_virtual_time(happen)
