"""Terminals in virtual time: whole ones, and thousands that are only the sender's pacing."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from sync.batching import Course
from sync.clock import Clock
from sync.contract import wire
from sync.contract.ids import uuid7
from sync.datadir import DataDir, write_json
from sync.delivery import LOOK_S
from sync.device_cli import LONGEST_S
from sync.epoch import New
from sync.exchange import verified
from sync.link import Reply, UnreachableError
from sync.outbox import Outbox
from sync.pace import Pace
from sync.refusals import understand
from sync.sender import Sender
from tests.bench.samples import BOOT
from tests.drills.fleet.modelled import WALL_S, Site

Chance = random.Random


def clock_of(site: Site, off_s: float = 0.0) -> Clock:
    """A device's clock, wrong by so many seconds."""
    return Clock(
        wall_ns=lambda: int((WALL_S + off_s + site.loop.time()) * 1e9),
        boottime_ns=lambda: int(site.loop.time() * 1e9),
        boot=BOOT,
        synced=lambda: not off_s,
    )


class Paced:
    """A terminal without files: the sender's Pace, Course, refusals and receipts, and a number of
    batches that wait. `tests/drills/fleet/test_returning.py` holds it against the real Sender.
    """

    def __init__(
        self, site: Site, name: str, batches: int, *, chance: Chance, off_s: float = 0.0
    ) -> None:
        self.name, self.left, self.batches = name, batches, batches
        self._site, self._sent = site, 0
        self._beats = 0
        self.pace = Pace(clock_of(site, off_s), site.loop.time, chance)
        self._course = Course()
        self._epoch = uuid7()
        self.first_at: float | None = None
        """When the centre had its first batch."""
        self.done_at: float | None = None
        """When it had all."""
        self.on_done: Callable[[], None] = lambda: None
        self._wake = asyncio.Event()

    def visit(self) -> None:
        """Somebody answered: a batch waits."""
        if self.left == 0:
            self.batches += 1
            self.left = 1
            self._wake.set()

    async def run(self, begin: float = 0.0) -> None:
        """Live from virtual time `begin` on."""
        await asyncio.sleep(begin)
        while True:
            pause = await self._step()
            if pause:
                self._wake.clear()
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _step(self) -> float:
        pace, now = self.pace, self._site.loop.time
        sent = False
        try:
            if not pace.resting() and self.left and now() >= pace.paced_until:
                sent = True
                await self._batch()
            elif not pace.resting() and now() >= pace.heartbeat_at:
                sent = True
                await self._beat()
        except UnreachableError as error:
            pace.later("unreachable", str(error))
        if pace.resting():
            return pace.not_before - now()
        if sent and self.left:
            return max(0.0, pace.paced_until - now())
        # The sender looks every second; looks at which nothing is due are left out.
        due = min(pace.heartbeat_at, pace.paced_until if self.left else math.inf)
        return LOOK_S * max(1, math.ceil((due - now()) / LOOK_S))

    async def _batch(self) -> None:
        first = self._sent + 1
        reply = await self._post([first])
        if reply is None:
            return
        found = understand(reply, empty=False)
        if found.halve == "server" and self._course.failed(first):
            reply = await self._post([])
            if reply is None:
                self.pace.hurry()
                return
            found = understand(reply, empty=True)
        self.pace.later(found.state, found.reason, found.wait_s)

    async def _beat(self) -> None:
        reply = await self._post([])
        if reply is not None:
            found = understand(reply, empty=True)
            self.pace.later(found.state, found.reason, found.wait_s)

    async def _post(self, seqs: list[int]) -> Reply | None:
        batch = wire.Batch(
            v=1,
            centre=self._site.centre.centre,
            epoch=self._epoch,
            boot=BOOT,
            sent_at="",
            sent_boottime_ms=0,
            clocks={},
            first_seq=self._sent + 1,
            tail_seq=self._sent + self.left,
            status={},
            items=[wire.Item(seq, f"r{seq}", held="-") for seq in seqs],
        )
        reply = await self._site.post(self.name, "/v1/batches", msgspec.json.encode(batch))
        receipt = verified(reply, epoch=self._epoch, centre=batch.centre)
        if receipt is None:
            return reply
        if seqs:
            self._sent, self.left = self._sent + 1, self.left - 1
            self._course.passed()
            if self.first_at is None:
                self.first_at = self._site.loop.time()
            if not self.left:
                self.done_at = self._site.loop.time()
                self.on_done()
        self.pace.received(receipt.next.after_s)
        return None


class _Line:
    """The Link of a real Sender: its thread stands still while the virtual world goes on."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole

    def __call__(self, *_: Any, **__: Any) -> _Line:
        return self

    def post(self, path: str, body: bytes, _key: Any) -> Reply:
        return self._whole.exchange(path, body)

    def get(self, *_: Any) -> Reply:
        return Reply(404, {}, b"", "")

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


class Whole:
    """A real Sender on a real outbox. It has a thread, and only one thread ever runs."""

    def __init__(
        self,
        site: Site,
        root: Path,
        records: list[tuple[bytes, str]],
        *,
        chance: Chance,
        off_s: float = 0.0,
    ) -> None:
        """`records` are frozen records with their digests."""
        self.name, self._site, self._chance, self._off_s = root.name, site, chance, off_s
        self.data = DataDir(root)
        box = Outbox(self.data)
        box.append([New(uuid7(), raw, sha256) for raw, sha256 in records])
        box.close()
        write_json(self.data.enrol_json, {"endpoint": "http://127.0.0.1:1", "code": "K7QM4T2P9XWB"})
        self.batches = -(-len(records) // site.items)
        self.left = self.batches
        self.first_at: float | None = None
        self.done_at: float | None = None
        self.on_done: Callable[[], None] = lambda: None
        self.sender: Sender | None = None
        self._go, self._gone = threading.Semaphore(0), threading.Semaphore(0)
        self._wish: tuple[str, bytes] | None = None
        self._reply: Reply | UnreachableError | None = None
        self._pause, self._ends = 0.0, False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)

    async def run(self, begin: float = 0.0) -> None:
        """Live from virtual time `begin` on."""
        await asyncio.sleep(begin)
        self._thread.start()
        try:
            while True:
                await self._turn()
                self._look()
                await asyncio.sleep(min(self._pause, LONGEST_S))
        finally:
            self._ends = True
            self._reply = UnreachableError("the program ends")
            self._go.release()
            self._thread.join(20)

    async def _turn(self) -> None:
        """One step of the sender, with the exchanges it wants."""
        self._go.release()
        while True:
            self._gone.acquire()
            if self._error is not None:
                raise self._error
            if self._wish is None:
                return
            path, body = self._wish
            try:
                self._reply = await self._site.post(self.name, path, body)
            except UnreachableError as error:
                self._reply = error
            self._wish = None
            self._go.release()

    def _look(self) -> None:
        assert self.sender is not None
        waits = self.sender.waiting().backlog
        self.left = -(-waits // self._site.items)
        if self.first_at is None and self.left < self.batches:
            self.first_at = self._site.loop.time()
        if not self.left and self.done_at is None:
            self.done_at = self._site.loop.time()
            self.on_done()

    def exchange(self, path: str, body: bytes) -> Reply:
        """Ask the virtual world, from the sender's thread. Raises UnreachableError."""
        self._wish = (path, body)
        self._gone.release()
        self._go.acquire()
        if isinstance(self._reply, Reply):
            return self._reply
        raise self._reply or UnreachableError("the program ends")

    def _live(self) -> None:
        self._go.acquire()
        try:
            self.sender = Sender(
                self.data,
                clock=clock_of(self._site, self._off_s),
                monotonic=self._site.loop.time,
                chance=self._chance,
                link=_Line(self),  # type: ignore[arg-type]
            )
            # What it would hear with the first receipt, heard before the first batch.
            self.sender._delivery._allowed = wire.Next(max_items=self._site.items)
            while not self._ends:
                self._pause = self.sender.step()
                self._gone.release()
                self._go.acquire()
            self.sender.close()
        except BaseException as error:  # noqa: BLE001 - told by the loop's side
            self._error = error
            self._gone.release()


Terminal = Paced | Whole
