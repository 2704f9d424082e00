"""One batch and its receipt: what is sent, and when a reply is a receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.backlog import Waiting
from sync.batching import Course, items_of
from sync.clock import Clock
from sync.contract import wire
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.epoch import EpochReader, Row
from sync.link import Link, Reply
from sync.status import device_status


@dataclass(frozen=True)
class Draft:
    """What goes into a batch, read from an epoch's file."""

    epoch: str
    cursor: int
    first: int
    """The lowest seq beyond the cursor; what lies between was pruned or lost."""
    tail: int
    items: list[wire.Item] = field(default_factory=list)
    damaged: bool = False
    """A row does not fit its hash, and it is the next one."""

    def empty(self) -> Draft:
        """The same without records: a heartbeat, or a question whether an empty batch passes."""
        return Draft(self.epoch, self.cursor, self.first, self.tail)


def draft(
    data: DataDir,
    memory: Memory,
    epoch: str,
    course: Course,
    *,
    bounds: wire.Next,
    now: float,
    lone: int = 0,
) -> Draft:
    """The next batch of an epoch, or the one record `lone` in full. Raises sqlite3.Error."""
    cursor = memory.cursor(epoch)
    items = min(course.limit, max(1, bounds.max_items))
    size = min(course.size, max(1, bounds.max_bytes))
    with EpochReader(data.epoch_file(epoch)) as reader:
        lowest = reader.rows(cursor, 1)
        if lone:
            rows = [row for row in [reader.row(lone)] if row]
        else:
            rows = _rows(reader, course, cursor, items, now)
        # Read after the rows, so that it is never below one of them.
        tail = reader.tail()
        if rows:
            reader.settle()
    held = {} if lone or not rows else memory.held(epoch, rows[0].seq, len(rows))
    found = items_of(rows, held, max_items=items, max_bytes=size)
    first = lowest[0].seq if lowest else tail + 1
    return Draft(epoch, cursor, first, tail, found, damaged=bool(rows) and not found)


def _rows(reader: EpochReader, course: Course, cursor: int, items: int, now: float) -> list[Row]:
    """The rows of the next batch; those that go last are left out until they are alone."""
    start = max(cursor, course.ahead)
    rows = reader.rows(start, items + len(course.last))
    rows = [row for row in rows if row.seq not in course.last][:items]
    if not rows and course.last and now >= course.last_at:
        alone = reader.row(min(course.last))
        if alone is None:
            course.last.discard(min(course.last))
            return []
        return [alone]
    return rows


class Exchange:
    """Posts batches for one device."""

    def __init__(self, data: DataDir, clock: Clock, memory: Memory) -> None:
        self._data, self._clock, self._memory = data, clock, memory
        self.refused: dict[str, object] | None = None
        """The configuration that was refused and why, told with every batch."""

    def post(
        self,
        link: Link,
        key: Ed25519PrivateKey,
        draft: Draft,
        waiting: Waiting,
        *,
        centre: str = "",
        wiped: bool = False,
    ) -> tuple[Reply, wire.Receipt | None]:
        """Send a batch; the receipt is None unless the reply is one. Raises UnreachableError.

        `centre` is another than the one this device is enrolled at; `wiped` is the last word of a
        device that erases itself.
        """
        status = device_status(
            self._data,
            self._clock,
            # Of what went under an earlier name the centre has nothing under this one.
            have=0 if draft.cursor == self._memory.floor(draft.epoch) else draft.cursor,
            oldest=waiting.oldest,
            backlog=waiting.backlog,
            refused=self.refused,
            key_generation=int(self._memory.fact("key_generation") or "0"),
        )
        batch = wire.Batch(
            v=wire.VERSION,
            centre=centre or self._memory.fact("centre"),
            epoch=draft.epoch,
            boot=self._clock.boot,
            sent_at=self._clock.iso(),
            sent_boottime_ms=self._clock.boottime_ms(),
            clocks=self._memory.clocks(),
            first_seq=draft.first,
            tail_seq=draft.tail,
            status={**status, "wiped": True} if wiped else status,
            items=draft.items,
        )
        reply = link.post("/v1/batches", msgspec.json.encode(batch), key)
        return reply, verified(reply, epoch=batch.epoch, centre=batch.centre)


def verified(reply: Reply, *, epoch: str, centre: str) -> wire.Receipt | None:
    """The receipt, if it is one and for this very request: a captive portal answers 200 too."""
    if reply.status != 200:
        return None
    try:
        receipt = msgspec.json.decode(reply.body, type=wire.Receipt)
    except wire.UNREADABLE:
        return None
    ours = (wire.VERSION, reply.digest, epoch, centre)
    theirs = (receipt.v, receipt.digest, receipt.epoch, receipt.centre)
    return receipt if ours == theirs and receipt.have >= 0 else None


NewLink = Callable[..., Link]


class Way:
    """The link to the endpoint of the enrolment; a new one when that changes."""

    def __init__(self, memory: Memory, new: NewLink) -> None:
        self._memory, self._new = memory, new
        self._for: tuple[str, ...] = ()
        self.link: Link | None = None

    def open(self) -> Link:
        """The link to use now."""
        names = ("endpoint", "proxy", "ca_file")
        wanted = tuple(self._memory.fact(name) for name in names)
        if self.link is None or wanted != self._for:
            self.close()
            options: dict[str, Any] = dict(zip(names[1:], wanted[1:], strict=True))
            self.link, self._for = self._new(wanted[0], **options), wanted
        return self.link

    def close(self) -> None:
        """Close the connections."""
        if self.link is not None:
            self.link.close()
            self.link = None
