"""Which records make the next batch of an epoch: order, size, placeholders, narrowing. Pure state.

The narrowing is what turns a refusal of a batch into a refusal of one record: every refusal halves
the number of items, until one record stands alone.
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


@dataclass
class Course:
    """Where the sending of one epoch stands, beyond what is durable; lost with the process."""

    ahead: int = 0
    """Sent and acknowledged up to here, beyond the cursor: behind a record that goes last."""
    limit: int = wire.MAX_ITEMS
    """Items of the next batch at most; halved by refusals."""
    until: int = 0
    """While narrowing: the last seq of the batch that was refused."""
    fails: int = 0
    """5xx in a row on the batch that begins at `failing`."""
    failing: int = 0
    last: set[int] = field(default_factory=set)
    """Seqs that go last: alone, with a delay of their own."""
    last_tries: int = 0
    last_at: float = 0.0
    """Monotonic time before which those are not tried again."""

    def narrow(self, items: int, last_seq: int) -> None:
        """The batch was refused: half of it next."""
        self.until = max(self.until, last_seq)
        self.limit = max(1, items // 2)

    def passed(self, last_seq: int) -> None:
        """A batch went through: what was refused may lie in the rest of the narrowed stretch."""
        self.fails = 0
        if last_seq >= self.until:
            self.until, self.limit = 0, wire.MAX_ITEMS


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
        size += 80 if code else len(row.rec) + 80
        # A record larger than the bound still goes, alone: only the centre may refuse it.
        if items and size > max_bytes:
            break
        items.append(
            wire.Item(row.seq, row.id, held=code)
            if code
            else wire.Item(row.seq, row.id, msgspec.Raw(bytes(row.rec)))
        )
    return items
