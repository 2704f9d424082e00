"""Which records make the next batch of an epoch: order, size, placeholders, narrowing. Pure state.

A refused batch is halved, one that goes through doubles the next: so a refusal of five hundred
records becomes the refusal of one, and the others are through in a few batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sync.contract import wire
from sync.epoch import Row

FIVE: Final = 5
"""5xx in a row on one batch after which, if an empty batch succeeds, the batch is to blame."""
LEAST_BYTES: Final = 4096
"""No bound on a batch goes below: one record always goes, whatever its size."""
ITEM_BYTES: Final = 80
"""What an item takes besides its record."""


@dataclass
class Course:
    """Where the sending of one epoch stands, beyond what is durable; lost with the process."""

    limit: int = wire.MAX_ITEMS
    """Items of the next batch at most; halved by refusals, doubled by batches that pass."""
    size: int = wire.MAX_BODY_BYTES
    """Bytes of records in a batch at most; halved by a 413 and kept, for its cause stays."""
    ahead: int = 0
    """Acknowledged up to here, beyond the cursor: behind a record that goes last."""
    rest_until: float = 0.0
    """Monotonic time before which there is nothing to be had from this epoch."""
    damaged: int = 0
    """Inode of the file a row of which does not fit its hash: it waits for the terminal."""
    fails: int = 0
    """5xx in a row on the batch that begins at `failing`."""
    failing: int = 0
    suspect: bool = False
    """The centre fails at something in here: one more 5xx is enough to go on halving."""
    holds: int = 0
    """Records held back since one went through in full."""
    last: set[int] = field(default_factory=set)
    """Seqs that go last: alone, with a delay of their own."""
    last_tries: int = 0
    last_at: float = 0.0
    """Monotonic time before which those are not tried again."""

    def halve(self, items: int) -> None:
        """A batch of so many items was refused."""
        self.limit = max(1, items // 2)

    def shrink(self, items: int, size: int) -> None:
        """A batch of so many items and bytes of records was too large."""
        self.halve(items)
        self.size = max(LEAST_BYTES, min(self.size, size) // 2)

    def passed(self) -> None:
        """A batch went through."""
        self.fails = 0
        self.limit = min(wire.MAX_ITEMS, self.limit * 2)
        self.suspect = self.suspect and self.limit < wire.MAX_ITEMS

    def failed(self, first: int) -> bool:
        """A 5xx on the batch that begins at `first`; whether to ask if an empty one succeeds."""
        self.fails = self.fails + 1 if self.failing == first else 1
        self.failing = first
        return self.suspect or self.fails >= FIVE

    def ready(self, cursor: int, tail: int, inode: int, now: float) -> bool:
        """Whether a batch can go now, of a file that ends at `tail`."""
        if now < self.rest_until or self.damaged == inode:
            return False
        return tail > max(cursor, self.ahead) or (bool(self.last) and now >= self.last_at)


def size_of(items: Iterable[wire.Item]) -> int:
    """Bytes of a batch, as they are bounded."""
    return sum(len(bytes(item.rec)) + ITEM_BYTES for item in items)


def full(row: Row) -> wire.Item:
    """A record as it is sent."""
    return wire.Item(row.seq, row.id, msgspec.Raw(row.rec))


def items_of(
    rows: Iterable[Row], held: Mapping[int, str], *, max_items: int, max_bytes: int
) -> list[wire.Item]:
    """The items of a batch from rows in order, at most so many and so many bytes of records.

    A row whose hash does not fit ends the batch: the terminal salvages the file it lies in.
    """
    items: list[wire.Item] = []
    size = 0
    for row in rows:
        if not row.whole or len(items) == max_items:
            break
        code = held.get(row.seq, "")
        size += ITEM_BYTES + (0 if code else len(row.rec))
        # A record larger than the bound still goes, alone: only the centre may refuse it.
        if items and size > max_bytes:
            break
        items.append(wire.Item(row.seq, row.id, held=code) if code else full(row))
    return items
