"""One simulated terminal: a real outbox, a real sender in a thread, and visits nobody made."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.clock import Clock
from sync.contract.ids import uuid7
from sync.contract.records import NPS, Answer, End, Record, digest, freeze
from sync.datadir import DataDir, write_json
from sync.epoch import New
from sync.ledger import ledger
from sync.outbox import Outbox
from sync.sender import Sender

STATEMENTS: Final = ("s01", "s02", "s03")
LOCATION: Final = "simulated"


@dataclass
class Count:
    """What was made, by all terminals."""

    visits: int = 0
    answers: int = 0
    records: int = 0

    def add(self, made: list[Record]) -> None:
        """One visit's records are durable."""
        self.visits += 1
        self.answers += len(made) - 1
        self.records += len(made)


class Terminal:
    """One outbox and its sender; the sender has a thread of its own, as it has a process."""

    def __init__(self, root: Path, device: str, url: str, code: str, *, test: bool) -> None:
        self.data = DataDir(root)
        self._outbox = Outbox(self.data)
        self._test = test
        self._stop = threading.Event()
        self._made: deque[tuple[int, float]] = deque()
        self._stored = 0
        self.waits: list[float] = []
        """Seconds from a visit's commit to its acknowledgement by the centre, a visit each."""
        self._chance = random.Random(device)  # noqa: S311 - visitors, and jitter
        write_json(self.data.enrol_json, {"endpoint": url, "code": code})
        self.sender: Sender | None = None
        self._thread = threading.Thread(target=self._send, name=device, daemon=True)
        self._thread.start()

    def visit(self, clock: Clock) -> list[Record]:
        """Store one visit, all its records in one transaction. Raises sqlite3.Error."""
        visit = uuid7()
        shown = [NPS, *STATEMENTS]
        made: list[Record] = [
            Answer(
                visit=visit,
                question=question,
                n=1,
                value=self._chance.randint(0, 10)
                if question == NPS
                else self._chance.randint(1, 5),
                language="en",
                survey="simulated@1",
                config=0,
                location=LOCATION,
                layout="simulated",
                position=position,
                at=clock.stamp(),
                test=self._test,
            )
            for position, question in enumerate(shown)
        ]
        made.append(
            End(
                visit=visit,
                how="completed",
                duration_ms=self._chance.randint(4000, 30000),
                shown=shown,
                skipped=[],
                selection="fixed",
                at=clock.stamp(),
                test=self._test,
            )
        )
        raws = [freeze(record) for record in made]
        self._outbox.append([New(uuid7(), raw, digest(raw)) for raw in raws])
        self._stored += len(made)
        self._made.append((self._stored, time.monotonic()))
        return made

    def _send(self) -> None:
        # SQLite connections belong to the thread that opened them.
        sender = Sender(self.data, clock=Clock(), monotonic=time.monotonic, chance=self._chance)
        self.sender = sender
        try:
            while not self._stop.is_set():
                pause = sender.step()
                self._note(sum(lot.tail - lot.count for lot in sender.waiting().lots))
                self._stop.wait(min(pause, 1.0))
        finally:
            sender.close()

    def _note(self, acknowledged: int) -> None:
        """Note how long those visits took that the centre has by now."""
        now = time.monotonic()
        while self._made and self._made[0][0] <= acknowledged:
            self.waits.append(now - self._made.popleft()[1])

    def close(self) -> None:
        """End the sender and close the outbox."""
        self._stop.set()
        if self.sender is not None:
            self.sender.stop()
        self._thread.join(10)
        self._outbox.close()

    def acknowledged(self) -> int:
        """Records the centre has, by the device's own ledger."""
        with contextlib.suppress(sqlite3.Error):
            return sum(line.acknowledged + line.quarantined for line in ledger(self.data))
        return 0
