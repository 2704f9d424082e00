"""Which batches went onto sticks: only a receipt for one of them is believed.

A stick may come back without its batches, late, twice, or never; what a receipt is about is
therefore remembered here and not read from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from sync.contract import wire
from sync.cursor import Memory
from sync.epoch import writing
from sync.exchange import Draft

KEPT: Final = 2000
"""Batches remembered, the newest ones: some million records."""
_SCHEMA: Final = """
create table if not exists carried (
  no integer primary key autoincrement,
  digest text not null unique, device text not null, epoch text not null,
  cursor integer not null, lowest integer not null, tail integer not null,
  first integer not null, last integer not null, held text not null,
  noted text not null default ''
)
"""
_COLUMNS: Final = "device, epoch, cursor, lowest, tail, first, last, held, noted"


@dataclass(frozen=True)
class Carried:
    """One batch as it was written; seqs are of its epoch."""

    device: str
    epoch: str
    cursor: int
    lowest: int
    """The lowest seq that was here beyond the cursor."""
    tail: int
    first: int
    last: int
    """Both 0 for a batch without records."""
    held: str
    """JSON list of the seqs that went as placeholders."""
    noted: str
    """`received_at` of the receipt that was noted; empty before."""

    def draft(self, cursor: int) -> Draft:
        """What the batch said, for a receipt that comes while the cursor is this.

        After a rewind nothing below the batch was lost: it is here, and goes again.
        """
        held = set(msgspec.json.decode(self.held, type=list[int]))
        seqs = range(self.first, self.last + 1) if self.last else ()
        items = [wire.Item(seq, "-", held="held" if seq in held else "") for seq in seqs]
        lowest = self.lowest if cursor >= self.cursor else cursor + 1
        return Draft(self.epoch, cursor, lowest, self.tail, items)


class Remembered:
    """The batches on sticks, in sync.db. Every method raises sqlite3.Error."""

    def __init__(self, memory: Memory) -> None:
        self._memory, self._db = memory, memory.raw()
        self._db.execute(_SCHEMA)

    def add(self, digest: str, sent: Draft) -> None:
        """Remember a batch before it is on any stick."""
        seqs = [item.seq for item in sent.items]
        held = [item.seq for item in sent.items if item.held]
        values = [
            *(digest, self._memory.fact("device"), sent.epoch),
            *(sent.cursor, sent.first, sent.tail, seqs[0] if seqs else 0, seqs[-1] if seqs else 0),
            msgspec.json.encode(held).decode(),
        ]
        with writing(self._db):
            self._db.execute(
                "insert or ignore into carried"
                " (digest, device, epoch, cursor, lowest, tail, first, last, held)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            self._db.execute(
                "delete from carried where no <= (select max(no) from carried) - ?", [KEPT]
            )

    def find(self, digest: str) -> Carried | None:
        """The batch with this digest, if this device wrote it."""
        row = self._db.execute(
            f"select {_COLUMNS} from carried where digest = ?",  # noqa: S608 - our own columns
            [digest],
        ).fetchone()
        return None if row is None else Carried(*row)

    def note(self, digest: str, received_at: str) -> None:
        """Its receipt was noted."""
        with writing(self._db):
            self._db.execute("update carried set noted = ? where digest = ?", [received_at, digest])
