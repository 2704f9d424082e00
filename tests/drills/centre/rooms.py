"""Storage that is full, fails or is taken, under a centre that goes on running."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import postgres
from tests.drills.centre.couriers import fleet
from tests.drills.centre.kills import BATCH, CALLS
from tests.drills.centre.process import Meddled
from tests.drills.centre.servers import PER_ROUND, refuses, settled
from tests.drills.centre.site import Site

SMALL = "48m"
LARGER = "200m"
"""Room for a SQLite file, and for a PostgreSQL server."""


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path | None]:
    """A file system of its own; None where none can be mounted (it takes root)."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is; delete the file to give it back."""
    ballast = disk / "ballast"
    with ballast.open("ab") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    return ballast


def full(place: Site, disk: Path, cluster: postgres.Cluster | None = None) -> list[str]:
    """The disk fills up under devices that send, and gets room again."""
    with fleet(place, 2, size=BATCH) as senders:
        senders.make(PER_ROUND)
        senders.onwards(BATCH)
        ballast = fill(disk)
        senders.make(4 * PER_ROUND)
        wrong = refuses(place, senders)
        ballast.unlink()
        if cluster is not None and not cluster.pids():
            # It ends itself where it cannot write its log; whoever runs it starts it again.
            cluster.start()
        return wrong + settled(place, senders)


def failing(place: Site, errors: Sequence[str], calls: Sequence[int]) -> tuple[int, list[str]]:
    """A write or sync of the centre fails, and five after it: cases, what is wrong."""
    wrong: list[str] = []
    cases = 0
    names = (*CALLS[True].split(","), "ftruncate")
    with fleet(place, 1, size=BATCH) as senders:
        for error in errors:
            for call in names:
                for number in calls:
                    senders.make(BATCH)
                    with Meddled(place.centre, call, f"error={error}", f"{number}..{number + 5}"):
                        senders.make(2 * BATCH)
                        senders.drain()
                    cases += 1
        wrong += settled(place, senders)
    return cases, wrong


def taken(place: Site) -> list[str]:
    """Another process holds the SQLite file's write lock for longer than the centre waits."""
    with fleet(place, 2, size=BATCH) as senders:
        senders.make(PER_ROUND)
        senders.onwards(BATCH)
        other = sqlite3.connect(place.database.removeprefix("sqlite:///"), isolation_level=None)
        with contextlib.closing(other):
            other.execute("begin immediate")
            wrong = refuses(place, senders)
            other.execute("rollback")
        return wrong + settled(place, senders)
