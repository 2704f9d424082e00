"""Whether an answer is on disk before the next question shows: told by making the disk slow.

With every fsync and fdatasync of a program held up by strace, a program that waits for its disk
shows the next question that much later. One that stores with relaxed durability, or shows first
and stores after, is as quick as before, and what it is quick at is not what is compared.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.browser_visitor import Visitor

DELAY_S = 1.0
ATTACH_S = 20.0
CALLS = "fsync,fdatasync"


class NotDurableError(AssertionError):
    """The next question showed although the answer cannot have been on the disk."""


@contextlib.contextmanager
def slow_disk(pids: Sequence[int], log: Path) -> Iterator[None]:
    """Hold every fsync of these processes up for DELAY_S; `log` gets the calls.

    Raises RuntimeError where strace cannot be attached.
    """
    words = ["strace", "-f", "-o", str(log), "-e", f"trace={CALLS}"]
    words += ["-e", f"inject={CALLS}:delay_exit={DELAY_S * 1e6:.0f}"]
    for pid in pids:
        words += ["-p", str(pid)]
    quiet = subprocess.DEVNULL
    tracer = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + ATTACH_S
        while not all(_traced(pid) for pid in pids):
            if time.monotonic() > deadline or tracer.poll() is not None:
                raise RuntimeError("strace cannot be attached")
            time.sleep(0.01)
        yield
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(ATTACH_S)


def _traced(pid: int) -> bool:
    """Whether a process is traced in all its threads, or gone."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/status"):
        with contextlib.suppress(OSError):
            found.append("TracerPid:\t0\n" not in task.read_text())
    return all(found)


def waits_for_disk(visitor: Visitor, pids: Sequence[int], log: Path, *, pause_s: float) -> int:
    """One visit on a slow disk: how many fsync it made.

    Raises NotDurableError where what follows an answer shows sooner than the disk can have it.
    """
    with slow_disk(pids, log):
        # The last tap is Done: nothing is stored by it.
        waits = visitor.visit(pause_s=pause_s)[:-1]
    calls = log.read_text(errors="replace").count("(DELAYED)")
    for turn, waited in enumerate(waits, 1):
        if waited < DELAY_S:
            raise NotDurableError(
                f"answer {turn}: what follows shows after {waited * 1000:.0f} ms, "
                f"while each of {calls} fsync takes {DELAY_S * 1000:.0f} ms"
            )
    return calls
