"""Thousands of terminals come back at once: what is simulated, and what must hold of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sync import pacing
from sync.collector.app import Centre
from sync.collector.store import Store, open_store
from sync.contract.records import digest, freeze
from tests.bench.samples import records
from tests.drills.fleet.modelled import Holds, Site, never
from tests.drills.fleet.terminals import Chance, Paced, Terminal, Whole
from tests.drills.fleet.virtual import Cost, VirtualLoop, busiest, ideal

T = TypeVar("T")
HERD = 4.0
"""Requests a second at most, as a multiple of what the centre can do, once the first two
seconds after the return are over."""
TARGET = 1.2
"""Of the ideal drain time."""
ROUNDS, LEAST_S = 2.0, 20.0
"""Until every terminal had a first turn: as many times as the centre needs for one batch of each,
and seconds besides."""
BACK_OFF_S = pacing.MOST_S + 10
"""After a long outage the last terminal tries again by then."""


@dataclass(frozen=True)
class Scenario:
    """A fleet and what happens to it. Times in virtual seconds; the centre returns at `back`."""

    name: str
    terminals: int = 5000
    batches: Callable[[int, Chance], int] = lambda _n, _c: 8
    """How many wait at the n-th terminal."""
    per_s: float = 50.0
    """Batches the centre can do a second."""
    slower: Callable[[float], float] = lambda _: 1.0
    """By how much it is slower at a moment after the return."""
    back: float = 3600.0
    down: Holds = never
    """Whether connections are refused at a moment after the return, too."""
    broken: bool = False
    """Through the outage the centre answers 503, for its database is away."""
    begin: Callable[[int, Chance], float] = lambda _n, _c: 0.0
    """When the n-th terminal is switched on."""
    wrong_clocks: float = 0.0
    """Share of terminals whose clock is years off."""
    sqlite: bool = True
    whole: int = 0
    """So many of the terminals are real senders on real outboxes."""
    target: float = TARGET
    floor_s: float = 0.0
    """Seconds it may take at least: until the last of them tries again, or is switched on."""
    herd: float = HERD
    chance: Callable[[int], Chance] = random.Random
    change: Callable[[Centre], None] = lambda _: None
    strip: bool = False
    """Weakened: Retry-After is not read."""


@dataclass
class Outcome:
    """What came of it. Times in seconds after the return."""

    scenario: Scenario
    ideal_s: float
    took_s: float
    waits: list[tuple[int, float, float]]
    """Per terminal its batches, when the centre had the first and when the last."""
    peak_1s: int
    peak_10s: int
    futile_peak_1s: int
    statuses: dict[int, int]
    undone: int
    failures: list[str] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Of the ideal."""
        return self.took_s / self.ideal_s

    def curve(self, lines: int = 10) -> list[str]:
        """A histogram: per stretch of time the share of all batches that were stored in it."""
        ends = sorted(last for _, _, last in self.waits)
        width = self.took_s / lines
        found = []
        for line in range(lines):
            low, high = line * width, (line + 1) * width
            ready = sum(low < end <= high for end in ends)
            asked = sum(low < at <= high for at in self.asked)
            found.append(
                f"{low:6.0f} s {'#' * round(60 * ready / len(ends)):60} {asked / width:5.0f}/s"
            )
        return found

    def note(self) -> str:
        """The figures in one line."""
        slowest = max(self.waits, key=lambda wait: wait[2])
        little = [last for batches, _, last in self.waits if batches == 1]
        floor = self.scenario.floor_s
        of_it = f"{self.ratio:.2f} ×"
        if floor > self.scenario.target * self.ideal_s:
            of_it = f"the last one is only back after up to {floor:.0f} s"
        words = [
            f"{self.took_s:.0f} s, ideal {self.ideal_s:.0f} s: {of_it}",
            f"at most {self.peak_1s} requests in a second ({self.peak_10s} in ten)",
            f"{self.statuses.get(429, 0) + self.statuses.get(503, 0):,} told to wait",
            f"first batch of the slowest after {max(first for _, first, _ in self.waits):.0f} s",
        ]
        if little and len(little) < len(self.waits):
            words.append(f"those with one batch done after {max(little):.0f} s at most")
        else:
            words.append(f"the slowest had {slowest[0]} batches")
        return "; ".join(words)


def simulate(scenario: Scenario, *, seed: int = 1, place: str = "") -> Outcome:
    """Let it happen, until everything is drained or far more than the ideal has passed."""
    return in_virtual_time(lambda *site: _happen(*site, scenario, seed), place)


def in_virtual_time(
    happen: Callable[[VirtualLoop, Store, Path], Coroutine[Any, Any, T]], place: str = ""
) -> T:
    """Run something with a loop, a store and a folder of its own, the product's log silenced."""
    log = logging.getLogger("hymio")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    with tempfile.TemporaryDirectory(prefix="hymio-drill-", dir=place or fast()) as folder:
        store = open_store(str(Path(folder) / "centre.db"), fresh=True)
        try:
            with contextlib.closing(VirtualLoop()) as loop:
                asyncio.set_event_loop(loop)
                try:
                    return loop.run_until_complete(happen(loop, store, Path(folder)))
                finally:
                    _cancel_all(loop)
        finally:
            log.setLevel(level)
            asyncio.set_event_loop(None)
            store.close()


def _cancel_all(loop: VirtualLoop) -> None:
    """End what Ctrl-C left."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def fast() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


async def _happen(
    loop: VirtualLoop, store: Store, folder: Path, scenario: Scenario, seed: int
) -> Outcome:
    back = scenario.back
    cost: Cost = lambda now: scenario.slower(now - back) / scenario.per_s  # noqa: E731
    away: Holds = lambda now: now < back  # noqa: E731

    def down(now: float) -> bool:
        return (now < back and not scenario.broken) or (now >= back and scenario.down(now - back))

    site = Site(
        loop,
        store,
        cost,
        sqlite=scenario.sqlite,
        down=down,
        broken=away if scenario.broken else never,
        change=scenario.change,
        strip=scenario.strip,
    )
    chance = random.Random(seed)
    terminals: list[Terminal] = []
    off_s = 10 * 365.25 * 86400.0
    every = max(1, scenario.terminals // max(1, scenario.whole))
    lives = []
    for number in range(scenario.terminals):
        batches = scenario.batches(number, chance)
        wrong = chance.choice((-off_s, off_s)) if chance.random() < scenario.wrong_clocks else 0.0
        mine = scenario.chance(seed * 1_000_003 + number)
        name = f"t{number:04d}"
        if scenario.whole and number % every == 0:
            made = [freeze(r) for r in records(batches * site.items, seed=number + 1)]
            rows = [(raw, digest(raw)) for raw in made]
            terminals.append(Whole(site, folder / name, rows, chance=mine, off_s=wrong))
        else:
            terminals.append(Paced(site, name, batches, chance=mine, off_s=wrong))
        lives.append(asyncio.ensure_future(terminals[-1].run(scenario.begin(number, chance))))
    left = len(terminals)
    done = asyncio.Event()

    def one_done() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    for terminal in terminals:
        terminal.on_done = one_done
    work = sum(terminal.batches for terminal in terminals)
    best = ideal(work, cost, back, down=down)
    watch = asyncio.ensure_future(done.wait())
    await asyncio.wait(
        [watch, *lives],
        timeout=back + 4 * max(best, scenario.floor_s) + 3600,
        return_when=asyncio.FIRST_COMPLETED,
    )
    for life in (watch, *lives):
        life.cancel()
    ended = await asyncio.gather(*lives, return_exceptions=True)
    site.centre.gate.close()
    crashed = [repr(e) for e in ended if isinstance(e, Exception)]
    return _judge(scenario, site, terminals, best, crashed)


def _judge(
    scenario: Scenario, site: Site, terminals: list[Terminal], best: float, crashed: list[str]
) -> Outcome:
    back = scenario.back
    now = site.loop.time()
    waits = [(t.batches, (t.first_at or now) - back, (t.done_at or now) - back) for t in terminals]
    took = max(last for _, _, last in waits)
    after = [at for at in site.asked if at >= back]
    found = Outcome(
        scenario,
        best,
        took,
        waits,
        busiest(after, 1.0),
        busiest(after, 10.0),
        busiest(site.futile, 1.0),
        site.statuses,
        sum(t.done_at is None for t in terminals),
        asked=[at - back for at in after],
    )
    calm = [at for at in after if at >= back + 2]
    herd = busiest(calm, 1.0)
    say = found.failures.append
    for words in crashed[:5]:
        say(f"a terminal ended: {words}")
    if found.undone:
        say(f"{found.undone} terminals were never drained")
    if took > max(scenario.target * best, scenario.floor_s):
        say(f"drained after {took:.0f} s, the ideal is {best:.0f} s: {found.ratio:.2f} ×")
    slowest = max(first for _, first, _ in waits)
    patience = scenario.floor_s + ROUNDS * scenario.terminals / scenario.per_s + LEAST_S
    if slowest > patience:
        say(f"one waited {slowest:.0f} s for its first turn, more than {patience:.0f}")
    if herd > scenario.herd * scenario.per_s:
        say(f"{herd} requests in one second, of which the centre can do {scenario.per_s:.0f}")
    return found
