"""The real centre's gate, slots, pace and receipts, without its database; and the way there."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.collector.app import WORKERS, Centre
from sync.collector.gate import Gate, Signed
from sync.collector.ingest import EpochRow, Ingest, Outcome
from sync.collector.problems import Pace
from sync.collector.reading import Prepared
from sync.collector.store import Store, StoreError, Tx
from sync.contract import wire
from sync.link import Reply, UnreachableError
from tests.drills.fleet.virtual import Cost, Machine, VirtualLoop

WALL_S = 1_800_000_000.0
Holds = Callable[[float], bool]


def never(_: float) -> bool:
    """At no time."""
    return False


@dataclass(frozen=True)
class Asked:
    """A request: whose key signed it, and its digest."""

    key: str
    digest: str


class _Shelf:
    """The store as far as it is asked: how many devices were seen in the last hour."""

    def __init__(self, store: Store, *, sqlite: bool) -> None:
        self._store, self.sqlite = store, sqlite
        self.seen: dict[str, int] = {}

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self._store.tx() as tx:
            tx.many(
                "insert into devices(id, name, location, last_seen_ms) values (?, '', '', ?)"
                " on conflict (id) do update set last_seen_ms = excluded.last_seen_ms",
                list(self.seen.items()),
            )
        self.seen.clear()
        with self._store.read() as connection:
            yield connection

    def transact(self, work: Callable[[Any], Any]) -> Any:
        return work(None)


class _Ingest(Ingest):
    """Receipts as they are; the transaction only costs time."""

    machine: Machine
    broken: Holds
    items: int
    shelf: _Shelf
    have: dict[tuple[str, str], int]

    def _transaction(self, tx: Tx, key: str, prepared: Prepared, received: int) -> Outcome:
        self.machine.spend()
        if self.broken(self.machine.clock()):
            raise StoreError("the database is away")
        self.shelf.seen[key] = received
        batch = prepared.batch
        where = (key, batch.epoch)
        last = batch.items[-1].seq if batch.items else 0
        self.have[where] = max(self.have.get(where, 0), last)
        return Outcome(EpochRow(key, batch.epoch, have=self.have[where]), 0, "UTC")

    def take(self, key: str, prepared: Prepared) -> tuple[wire.Receipt, Outcome]:
        receipt, outcome = super().take(key, prepared)
        # So few that a batch of real senders is cheap to make; the rest of the receipt is real.
        receipt.next.max_items = self.items
        return receipt, outcome


def _verify(_gate: Gate, request: Any, body: bytes, _known: object) -> Signed:
    """Whoever says who they are is believed: signatures cost nothing here."""
    headers = {"content-type": "application/json", "content-digest": request.digest}
    return Signed(request.key, body, headers)


@dataclass
class Site:
    """A centre that can be away, slow or without its database, and what was asked of it."""

    loop: VirtualLoop
    store: Store
    cost: Cost
    sqlite: bool = True
    down: Holds = never
    """Whether connections are refused."""
    broken: Holds = never
    """Whether the database is away: 503."""
    items: int = 4
    change: Callable[[Centre], None] = lambda _: None
    """A weakened variant's change."""
    strip: bool = False
    """Weakened: no Retry-After reaches a device."""
    asked: list[float] = field(default_factory=list)
    """When requests came to the centre."""
    futile: list[float] = field(default_factory=list)
    """When connections were refused."""
    statuses: dict[int, int] = field(default_factory=dict)
    have: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(7)
        self._number = 0
        self._was_down = False
        self.start()

    def start(self) -> None:
        """Begin a process: it knows nothing of the one before but what the database has."""
        shelf = _Shelf(self.store, sqlite=self.sqlite)
        machine = Machine(
            self.loop, workers=WORKERS[self.sqlite], serial=self.sqlite, cost=self.cost
        )
        centre = Centre(
            shelf,  # type: ignore[arg-type]
            now=lambda: WALL_S + self.loop.time(),
            clock=machine.clock,
        )
        self.loop.machine = machine
        ingest = _Ingest(
            shelf,  # type: ignore[arg-type]
            now_ms=centre.now_ms,
            after_s=centre.after_s,
            turn_s=centre.gate.turn_s,
        )
        ingest.machine, ingest.broken, ingest.shelf = machine, self.broken, shelf
        ingest.items, ingest.have = self.items, self.have
        centre.ingest = ingest
        centre.gate.verify = _verify.__get__(centre.gate)  # type: ignore[method-assign]
        centre.pace = Pace(machine.clock)
        self.change(centre)
        self.centre = centre

    async def post(self, device: str, path: str, body: bytes) -> Reply:
        """One exchange. Raises UnreachableError."""
        self._number += 1
        digest = f"sha-256=:{self._number}:"
        if path == "/v1/enrol":
            reply = wire.EnrolReply(1, self.centre.centre, device, device, "", "", 0)
            return Reply(200, {}, msgspec.json.encode(reply), digest)
        await asyncio.sleep(self._chance.uniform(0.01, 0.05))
        now = self.loop.time()
        down = self.down(now)
        if self._was_down and not down:
            self.start()
        self._was_down = down
        if down:
            self.futile.append(now)
            raise UnreachableError("the centre refuses the connection")
        self.asked.append(now)
        centre = self.centre
        response = await centre.gate.run(
            "batches",
            lambda: centre.batch(Asked(device, digest), body),  # type: ignore[arg-type]
            bounded=True,
        )
        status = response.status_code or 0
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self.down(self.loop.time()):
            # The process that worked on it is gone; whether it was stored, nobody heard.
            raise UnreachableError("the connection broke off")
        await asyncio.sleep(self._chance.uniform(0.01, 0.05))
        headers = {name.lower(): str(value) for name, value in response.headers.items()}
        if self.strip:
            headers.pop("retry-after", None)
        return Reply(status, headers, bytes(response.content), digest)
