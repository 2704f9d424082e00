"""A device in the field for fault tests: its recorder, its sender as a process, its ledger."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Answer, Record
from sync.datadir import DataDir
from sync.ledger import ledger
from tests.bench.samples import records
from tests.faults.checkers import differing, expected_counts, missing_or_doubled, unbalanced
from tests.faults.house import Child, House

SEEDS = range(1, 1 + int(os.environ.get("HYMIO_FAULT_SEEDS", "1")))
"""One seed in `make test`; set the variable for a long night."""


class FieldDevice:
    """Commits through the Recorder and remembers what it acknowledged."""

    def __init__(self, house: House, number: int, *, at: str = "") -> None:
        self.house = house
        self.id = house.bundles[number].device
        self.root: Path = house.device(f"device-{self.id}", at=at, number=number)
        self.made: list[Record] = []
        """Everything `commit` returned for."""
        self.ids: list[str] = []
        self._pending: list[str] = []
        self._recorder = Recorder(DataDir(self.root), Storage(), new_id=self._new_id)
        self._seed = number * 1000

    def _new_id(self) -> str:
        self._pending.append(uuid7())
        return self._pending[-1]

    def commit(self, number: int, *, together: int = 1) -> None:
        """Commit some records, `together` in a transaction; acknowledged when it returns."""
        self._seed += 1
        made = records(number, seed=self._seed)
        for first in range(0, number, together):
            part = made[first : first + together]
            self._pending.clear()
            self._recorder.commit(*part)
            self.ids += self._pending[-len(part) :]
            self.made += part

    def close(self) -> None:
        """Close the outbox."""
        self._recorder.close()

    def sender(self) -> Child:
        """Start the sender as it runs in the field."""
        return self.house.child(f"sender-{self.id}", "sync", "--data", str(self.root))

    def sync_once(self, expect: Sequence[int] = (0,)) -> int:
        """`hymio sync --once`; returns its exit code, one of those expected."""
        child = self.house.child(f"once-{self.id}", "sync", "--data", str(self.root), "--once")
        code = child.wait(60)
        assert code in expect, f"sync --once: {code}\n{child.said()[-3000:]}"
        return code

    def check_ledger(self) -> dict[str, int]:
        """Created is the sum of the rest, in every epoch; returns the sums over the epochs."""
        # In this process: after every step, where the command would cost half a second each.
        epochs = [msgspec.to_builtins(line) for line in ledger(DataDir(self.root))]
        assert unbalanced(epochs) == []
        names = ("created", "acknowledged", "quarantined", "held", "to_send")
        return {name: sum(int(str(epoch[name])) for epoch in epochs) for name in names}

    def check_centre(self) -> None:
        """Everything acknowledged is at the centre, exactly once, and counted so."""
        rows = self.house.rows("select id from records where device = ?", self.id)
        assert missing_or_doubled(self.ids, [str(ident) for (ident,) in rows]) == []
        assert len(rows) == len(self.ids), "records nobody committed"
        counted = {
            (str(question), int(value)): int(n)
            for question, value, n in self.house.rows(
                "select question, value, sum(n) from daily_counts where device = ?"
                " group by question, value",
                self.id,
            )
        }
        assert differing(expected_counts(self.made), counted) == []
        (visits,) = self.house.rows("select count(*) from visits where device = ?", self.id)[0]
        assert visits == len({r.visit for r in self.made if isinstance(r, Answer)})


def unbalanced_epochs(house: House, data: Path) -> list[str]:
    """What does not add up in a device's ledger, as `hymio ledger` prints it."""
    return unbalanced(house.ledger(data)["epochs"])


@contextlib.contextmanager
def field_device(house: House, number: int, *, at: str = "") -> Iterator[FieldDevice]:
    """A device with an open recorder."""
    found = FieldDevice(house, number, at=at)
    try:
        yield found
    finally:
        found.close()
