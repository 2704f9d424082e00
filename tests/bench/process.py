"""What a process costs: proportional memory and processor time, it and its children."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and all its descendants that run now."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def pss_mib(pid: int) -> float:
    """Proportional set size in MiB: shared pages are divided among those who share them."""
    total = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def own_mib(pid: int | str = "self") -> float:
    """Memory of this process alone, in MiB: a share of what it has in common changes with others.

    Raises OSError when there is no such process.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


def cpu_s(pid: int) -> float:
    """Processor time used so far by the threads that run now, in seconds, to the microsecond."""
    spent_ns = 0
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                spent_ns += int(task.read_text().split()[0])
    return spent_ns / 1e9


def busy_share(pid: int, seconds: float, *, sleep: Callable[[float], object] = time.sleep) -> float:
    """Share of one core (percent) used over the coming `seconds`."""
    before, started = cpu_s(pid), time.perf_counter()
    sleep(seconds)
    return 100 * (cpu_s(pid) - before) / (time.perf_counter() - started)
