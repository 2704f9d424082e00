"""A program of the device's in a process of its own, which tells what it needed, as JSON.

    python -m tests.drills.fleet.measured send|open|ledger DATA [whole]

`peak_kb` is the most memory beyond what the process had before it began, in KiB; `steps_s` are
seconds of processor time. `whole` is a weakened sender that reads all of its backlog at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.datadir import DataDir, read_json
from sync.epoch import EpochReader, Row
from sync.ledger import ledger
from sync.sender import Sender

TENDS = 40
"""How often the terminal tends what the sender has left behind."""


def _kb(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise AssertionError(name)


@contextlib.contextmanager
def measuring(found: dict[str, Any]) -> Iterator[None]:
    """Note the most memory and the processor time that the block takes."""
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _kb("VmRSS"), time.process_time()
    yield
    found |= {"peak_kb": _kb("VmHWM") - before, "cpu_s": time.process_time() - began}


def send(data: DataDir) -> dict[str, Any]:
    """Drain it; `steps_s` has what each step took in which something was sent."""
    found: dict[str, Any] = {}
    steps: list[float] = []
    with measuring(found):
        began = time.process_time()
        sender = Sender(data, clock=Clock(), monotonic=time.monotonic, chance=random.Random(1))
        # What the first look at the backlog needs is part of the start.
        waits = sender.waiting().backlog
        found["start_s"] = time.process_time() - began
        until = time.monotonic() + 240
        while not sender.drained() and time.monotonic() < until:
            began = time.process_time()
            sender.step(eager=True)
            left = sender.waiting().backlog
            if left < waits:
                steps.append(time.process_time() - began)
            waits = left
        found["left"] = sender.waiting().backlog
        found["state"] = sender.state
        sender.close()
    return {**found, "steps_s": steps}


def opened(data: DataDir) -> dict[str, Any]:
    """Start the terminal's half and tend, as between visits; `start_s` is the start."""
    found: dict[str, Any] = {}
    with measuring(found):
        began = time.process_time()
        recorder = Recorder(
            data,
            Storage(ballast_mb=0, keep_days=1),
            clock=Clock(wall_ns=lambda: time.time_ns() + 10**9 * 86_400 * 30, synced=lambda: True),
        )
        found["start_s"] = time.process_time() - began
        steps = []
        for _ in range(TENDS):
            began = time.process_time()
            recorder.tend(read_json(data.sender_json))
            steps.append(time.process_time() - began)
        found["alarms"] = [alarm["what"] for alarm in recorder.alarms]
        recorder.close()
    return {**found, "steps_s": steps}


def told(data: DataDir) -> dict[str, Any]:
    """Read the ledger."""
    found: dict[str, Any] = {}
    with measuring(found):
        lines = ledger(data)
    return {**found, "to_send": sum(line.to_send for line in lines)}


def _whole(self: EpochReader, after: int, _limit: int) -> list[Row]:
    query = "select seq, id, rec, sha256 from records where seq > ? order by seq"
    return [Row(*row) for row in self._db.execute(query, [after]).fetchall()]


def main() -> None:
    """Do what the command line says."""
    logging.disable(logging.CRITICAL)
    verb, root, *more = sys.argv[1:]
    if "whole" in more:
        EpochReader.rows = _whole  # type: ignore[method-assign]
    work = {"send": send, "open": opened, "ledger": told}[verb]
    print(json.dumps(work(DataDir(Path(root)))))


if __name__ == "__main__":
    main()
