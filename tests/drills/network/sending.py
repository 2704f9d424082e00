"""A sender in a process of its own whose clock runs faster; the rest of it is the product's.

`python -m tests.drills.network.sending FOLDER SPEED DEADLINE` stays until it is told to end.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

from sync import pacing
from sync.clock import Clock
from sync.datadir import DataDir
from sync.link import Link
from sync.sender import Sender

LEAST_S = 0.1
"""Between two looks: many a second are not what this is about."""


def main(root: Path, speed: float, deadline_s: float) -> None:
    """Send from this folder; waits are `speed` times shorter, an exchange ends at the deadline."""
    stop = threading.Event()
    sender = Sender(
        DataDir(root),
        clock=Clock(),
        monotonic=lambda: time.monotonic() * speed,
        chance=random.Random(1),
        link=partial(Link, deadline_s=deadline_s),
    )

    def end(*_: object) -> None:
        stop.set()
        sender.stop()

    signal.signal(signal.SIGTERM, end)
    # No longer than the longest back-off, which is a moment where time runs very fast.
    least = min(LEAST_S, pacing.MOST_S / speed)
    parent = os.getppid()
    # Nothing is left behind when who began this is killed.
    while not stop.is_set() and os.getppid() == parent:
        pause = sender.step() / speed
        stop.wait(min(max(pause, least), 0.5) if pause else 0)
    sender.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
