"""The program whose power is cut: the real recorder, sender's memory and small files, on command.

Commands come as JSON lines on standard input. What was promised goes to standard output, one JSON
line a promise, so that the trace has it between the system calls.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kiosk.recorder import Recorder
from sync import epoch, identity
from sync.batching import Course
from sync.clock import Clock
from sync.contract import wire
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Record
from sync.cursor import Memory
from sync.datadir import DataDir, read_json, write_bytes, write_json
from sync.exchange import Draft, draft
from sync.remembering import Remembered
from tests.bench.samples import records
from tests.drills.power.weakened import WEAKENINGS

LATER_MS = 40 * 86_400_000
"""The clock of the program is so far ahead that whatever the centre has may go."""


def say(*words: object) -> None:
    """One line, one system call."""
    os.write(1, json.dumps(words).encode() + b"\n")


class Program:
    """What the commands do; each method is one of them."""

    def __init__(self, *, hasty: bool = False) -> None:
        self._hasty = hasty
        self._made = itertools.cycle(records(500))
        self._ids: Iterator[str] = iter(())
        self._recorder: Any = None
        self._memory: Memory
        self._data: DataDir

    # --- the terminal -----------------------------------------------------------------------------

    def open(self, root: str, ballast_mb: int = 0) -> None:
        """Start the terminal's recorder; one left open belongs to a process that is dead."""
        if self._recorder is not None:
            self._recorder.close()
        self._data = DataDir(Path(root))
        clock = Clock(wall_ns=lambda: time.time_ns() + LATER_MS * 1_000_000, synced=lambda: True)
        storage = Storage(keep_days=1, ballast_mb=ballast_mb)
        self._recorder = Recorder(self._data, storage, new_id=lambda: next(self._ids), clock=clock)

    def commit(self, *sizes: int) -> None:
        """Commit so many records in each of some transactions."""
        for size in sizes:
            made: list[Record] = list(itertools.islice(self._made, size))
            ids = [uuid7() for _ in made]
            self._ids = iter(ids)
            say("made", ids)
            if self._hasty:
                say("stored", ids)
            self._recorder.commit(*made)
            if not self._hasty:
                say("stored", ids)

    def tend(self, status: Mapping[str, Any] | None = None) -> None:
        """What the terminal does between visits."""
        self._recorder.tend(status)

    def prune(self, up_to: int) -> None:
        """Tend while the centre has every epoch up to a seq, the current one included."""
        memory = Memory(self._data.sync_db)
        have = {}
        for name in self._recorder._outbox.epochs():
            with epoch.EpochReader(self._data.epoch_file(name)) as reader:
                # A centre that went back would rightly ask for what was pruned.
                have[name] = max(memory.cursor(name), min(up_to, reader.tail()))
                ids = [row.id for row in reader.rows(0, have[name]) if row.seq <= have[name]]
            memory.receipt(name, have[name])
            say("may go", ids)
        memory.close()
        self._recorder.tend({"have": have})

    def new_epoch(self) -> None:
        """The sender asks for a new file."""
        say("cloned")
        self._recorder.tend({"new_epoch": [self._recorder.epoch]})

    def small_wal(self, pages: int) -> None:
        """Have SQLite checkpoint by itself after so few pages."""
        epoch.CHECKPOINT_PAGES = pages  # type: ignore[misc]

    def close(self) -> None:
        """End the recorder in good order."""
        self._recorder.close()

    # --- the sender -------------------------------------------------------------------------------

    def remember(self, root: str) -> None:
        """Open the sender's memory, whatever program made it."""
        self._memory = Memory(DataDir(Path(root)).sync_db)
        self._carried = Remembered(self._memory)

    def receipt(self, name: str, cursor: int) -> None:
        """Note a receipt, with one record of it quarantined; a batch on a stick, and a clock."""
        say("noting", name, cursor)
        self._memory.receipt(name, cursor, [(cursor, "quarantined", "schema")])
        say("noted", name, cursor)
        self._carried.add(f"{name}{cursor}", Draft(name, cursor, cursor + 1, cursor + 9, []))
        self._memory.note_clock(name, cursor * 5000)

    def send(self, root: str) -> None:
        """Read the next batch, as the sender does before it posts it."""
        data = DataDir(Path(root))
        name = str((read_json(data.current_json) or {})["epoch"])
        memory = Memory(data.sync_db)
        found = draft(data, memory, name, Course(), bounds=wire.Next(), now=0.0)
        memory.close()
        say("sent", [item.id for item in found.items])

    # --- small files ------------------------------------------------------------------------------

    def small(self, root: str, name: str, turn: int) -> None:
        """Replace a small JSON file."""
        content = {"v": 1, "turn": turn, "text": "x" * (700 * turn)}
        say("writing", name, turn)
        write_json(Path(root) / name, content)
        say("written", name, turn)

    def bundle(self, root: str, version: int) -> None:
        """Keep a bundle, as the sender does."""
        data = DataDir(Path(root))
        data.create()
        say("writing", f"config/{version}.bundle", version)
        write_bytes(data.bundle_file(version), json.dumps({"turn": version}).encode())
        say("written", f"config/{version}.bundle", version)

    def key(self, root: str) -> None:
        """Make the device's key; it is told to a centre after that."""
        made = identity.load_or_make(DataDir(Path(root)).key)
        say("key", made.public_key().public_bytes_raw().hex())


def main() -> None:
    """Do what standard input says, weakened as the arguments say."""
    os.umask(0o007)
    for name in sys.argv[1:]:
        WEAKENINGS[name]()
    program = Program(hasty="hasty" in sys.argv[1:])
    say("done")
    for line in sys.stdin:
        command, *args = json.loads(line)
        getattr(program, command)(*args)
        say("done")


if __name__ == "__main__":
    main()
