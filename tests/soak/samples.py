"""What is noted every so many visits, and whether it stays level."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The terminal after so many visits."""

    visits: int
    records: int
    """Made durable so far."""
    seconds: float
    """Since the first visit, by the wall."""
    own_mib: float
    handles: int
    """Open files and sockets."""
    threads: int
    objects: int
    """What Python's collector watches, after a collection."""
    frame_ms: float
    """Median since the sample before: finger lifted, as heard → answer durable, picture changed."""
    late_ms: float
    """The same, 95th percentile."""
    disk_bytes: int
    """The data directory, a record: all are younger than `keep_days`, so none goes."""
    work_ms: float
    """Processor time a visit took, all threads, since the sample before."""
    sender_mib: float = 0.0
    """The sender's own memory, noted by whoever reads the sample."""


LIMITS: dict[str, tuple[float, float, str]] = {
    "own_mib": (1.03, 2.0, "MiB"),
    "sender_mib": (1.03, 2.0, "MiB"),
    "handles": (1.0, 2.0, "files"),
    "threads": (1.0, 1.0, "threads"),
    "objects": (1.01, 500.0, "objects"),
    "disk_bytes": (1.03, 0.0, "bytes a record"),
    "work_ms": (1.10, 0.0, "ms of processor a visit"),
    "frame_ms": (1.25, 0.5, "ms, median"),
}
"""What may be at the end: so many times, or so much above, what it was after warming up.

The slowest pictures are shown and not judged: other programs have a share in them.
"""


def part(samples: Sequence[Sample], name: str, first: float, last: float) -> float:
    """The median of one field over a stretch, given as shares of the whole."""
    chosen = samples[round(len(samples) * first) : round(len(samples) * last)]
    return statistics.median(getattr(sample, name) for sample in chosen)


def rising(samples: Sequence[Sample]) -> list[str]:
    """What is not level: the last fifth beside the second one (the first is warming up).

    Raises ValueError with fewer than ten samples.
    """
    if len(samples) < 10:
        raise ValueError(f"{len(samples)} samples are too few to judge by")
    wrong = []
    for name, (times, above, unit) in LIMITS.items():
        early, late = part(samples, name, 0.2, 0.4), part(samples, name, 0.8, 1.0)
        if late > max(early * times, early + above):
            wrong.append(f"{name}: {early:,.1f} {unit} early, {late:,.1f} at the end")
    return wrong
