"""Poison on the real way: outbox, the real sender over HTTP, a centre in a process of its own."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sync.clock import Clock
from sync.contract import records
from sync.contract.ids import uuid7
from sync.datadir import DataDir
from sync.epoch import New
from sync.ledger import ledger
from sync.link import Link, Reply
from sync.outbox import Outbox
from sync.sender import Sender
from tests.bench.samples import records as samples
from tests.drills.content.poison import Fate
from tests.faults.checkers import missing_or_doubled, unbalanced
from tests.faults.house import House

Poison = tuple[bytes, Fate]


class Sending:
    """A device whose outbox holds any bytes, and its sender; time passes when it is asked to."""

    def __init__(self, house: House, number: int = 0) -> None:
        self.house = house
        self.device = house.bundles[number].device
        self.data = DataDir(house.device(f"poisoned-{number}-{uuid7()[-6:]}", number=number))
        self.outbox = Outbox(self.data, machine=lambda: "m")
        self.statuses: list[int] = []
        """Of every reply, in order."""
        self.now = 1000.0
        self._seeds = itertools.count(1)
        self.healthy: list[str] = []
        self.fates: dict[str, tuple[str, Fate]] = {}
        """Poison's id -> what kind it is, and its fate."""
        seen = self.statuses

        class Watched(Link):
            def _exchange(self, *args: Any) -> Reply:
                reply = super()._exchange(*args)
                seen.append(reply.status)
                return reply

        clock = Clock(
            wall_ns=lambda: 1_772_450_000_000 * 1_000_000,
            boottime_ns=lambda: int(self.now * 1e9),
            boot="b",
            synced=lambda: True,
        )
        self.sender = Sender(
            self.data,
            clock=clock,
            monotonic=lambda: self.now,
            chance=random.Random(1),
            link=Watched,
        )

    def append(self, number: int, poison: dict[int, tuple[str, Poison]]) -> None:
        """So many records, those at the places named poisoned."""
        rows = []
        for place, record in enumerate(samples(number, seed=next(self._seeds))):
            ident, raw = uuid7(), records.freeze(record)
            if place in poison:
                name, (raw, fate) = poison[place]
                self.fates[ident] = (name, fate)
            else:
                self.healthy.append(ident)
            rows.append(New(ident, raw, hashlib.sha256(raw).hexdigest()))
        self.outbox.append(rows)

    def drain(self, turns: int) -> bool:
        """Send until nothing waits; nobody touches anything."""
        for _ in range(turns):
            self.sender.step(eager=True)
            if self.sender.drained():
                return True
            self.now += 30.0
        return False

    def wrong(self) -> list[str]:
        """What does not hold, now that all is sent."""
        rows = self.house.rows("select id, seq, code from records where device = ?", self.device)
        found = {ident: (seq, code) for ident, seq, code in rows}
        wrong = missing_or_doubled(self.healthy, [row[0] for row in rows])
        wrong += [f"healthy, and quarantined as {found[i][1]}" for i in self.healthy
                  if i in found and found[i][1]]  # fmt: skip
        fates = {ident: self._fate(ident, found) for ident in self.fates}
        wrong += [
            f"{name}: {fates[ident]}, not {fate}"
            for ident, (name, fate) in self.fates.items()
            if fates[ident] != fate
        ]
        counts = {fate: list(fates.values()).count(fate) for fate in ("quarantined", "held")}
        lines = [msgspec.to_builtins(line) for line in ledger(self.data)]
        wrong += unbalanced(lines)
        wrong += [f"the ledger has {sum(line[name] for line in lines)} {name}, not {number}"
                  for name, number in (*counts.items(), ("to_send", 0), ("lost", 0))
                  if sum(line[name] for line in lines) != number]  # fmt: skip
        wrong += self._at_centre(counts)
        wrong += [f"the centre answered {status}" for status in set(self.statuses) if status >= 500]
        return wrong

    def _fate(self, ident: str, found: dict[str, tuple[int, str]]) -> str:
        if ident in found:
            return "quarantined" if found[ident][1] else "counted"
        known = self.house.rows(
            "select kind from exceptions where device = ? and id = ?", self.device, ident
        )
        return str(known[0][0]) if known else "nowhere"

    def _at_centre(self, counts: dict[str, int]) -> list[str]:
        """The centre's own ledger, as IT sees it."""
        states = self.house.admin("GET", "/v1/admin/devices")
        (mine,) = (state for state in states if state["id"] == self.device)
        return [
            f"the centre tells of {mine['ledger'][name]} {name}, not {number}"
            for name, number in counts.items()
            if mine["ledger"][name] != number
        ]

    def close(self) -> None:
        """End both halves."""
        self.sender.close()
        self.outbox.close()


def memory_mb(pid: int) -> int:
    """Resident memory of a process, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def poisoned(
    device: Sending,
    given: Sequence[tuple[str, Poison]],
    *,
    of: int,
    at: Callable[[int], Sequence[int]] = lambda of: [of // 2],
    turns: int = 4000,
) -> list[str]:
    """Each of these among so many healthy ones, sent to the end; what went wrong."""
    wrong = []
    for name, poison in given:
        device.append(of, dict.fromkeys(at(of), (name, poison)))
        if not device.drain(turns):
            wrong.append(f"{name}: not drained: {device.sender.state} {device.sender.reason}")
    said = device.house.centre.said()
    if "a request failed" in said or "Traceback" in said:
        wrong.append(f"the centre's log: {said[-800:]}")
    return wrong + device.wrong()
