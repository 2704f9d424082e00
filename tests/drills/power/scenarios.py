"""What the program is at when the power goes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.datadir import DataDir
from sync.epoch import PAGE_BYTES
from tests.bench.samples import records
from tests.drills.power.promises import Promises

Do = tuple[Any, ...]
ROOT = "ROOT"
"""Stands for the data directory in a command."""
OLDER_SYNC_DB = """
create table facts (key text primary key, value text not null) without rowid;
create table epochs (epoch text primary key, cursor integer not null) without rowid;
create table exceptions (
  epoch text not null, seq integer not null, verdict text not null, code text not null,
  primary key (epoch, seq)
) without rowid;
insert into epochs values ('old', 1);
"""


@dataclass(frozen=True)
class Scenario:
    """Commands one after the other, on a folder prepared by somebody."""

    name: str
    commands: Sequence[Do]
    prepare: Callable[[Path], Promises] | None = None
    """Makes the folder; returns what was promised by then."""
    cut_after: int = 0
    """The first cut is after so many commands: what is before is in another scenario."""


def _left_in_wal(root: Path) -> Promises:
    """As a killed terminal leaves it: some of it in the file, the rest in the WAL only."""
    ids: list[list[str]] = []

    def new_id() -> str:
        ids.append([uuid7()])
        return ids[-1][0]

    made = records(30)
    recorder = Recorder(DataDir(root), Storage(ballast_mb=0), new_id=new_id)
    for record in made[:10]:
        recorder.commit(record)
    recorder.tend(None)
    for record in made[10:]:
        recorder.commit(record)
    left = {path: path.read_bytes() for path in (root / "outbox").iterdir()
            if not path.name.endswith("-shm")}  # fmt: skip
    recorder.close()
    for path, raw in left.items():
        path.write_bytes(raw)
    return Promises(made=ids, stored=[one for made in ids for one in made])


def _damaged_page(root: Path) -> Promises:
    """The heads of the file's pages have gone bad; the rows on them have not."""
    promises = _left_in_wal(root)
    promises.alarms.append("corrupt")
    (file,) = (root / "outbox").glob("*.db")
    pages = file.stat().st_size // PAGE_BYTES
    with file.open("r+b") as raw:
        for page in range(1, pages):
            raw.seek(page * PAGE_BYTES)
            raw.write(b"\xff" * 8)
    return promises


def _damaged_wal(root: Path) -> Promises:
    """The head of the WAL has gone bad: SQLite would throw all of it away."""
    promises = _left_in_wal(root)
    promises.alarms.append("wal")
    (wal,) = (root / "outbox").glob("*.db-wal")
    with wal.open("r+b") as raw:
        raw.write(b"\xff" * 32)
    return promises


def _older_memory(root: Path) -> Promises:
    """sync.db of a program that knew fewer tables."""
    root.mkdir()
    with contextlib.closing(sqlite3.connect(root / "sync.db", isolation_level=None)) as db:
        db.executescript(OLDER_SYNC_DB)
        db.execute("pragma journal_mode=wal").fetchone()
    return Promises(cursors={"old": (1, 1)})


SMALL = ("enrol.json", "setup.json", "service.json", "sender.json", "terminal.json")
VISIT: Do = ("commit", 1, 1, 1, 2)

SCENARIOS: Sequence[Scenario] = (
    Scenario("first open", [("open", ROOT, 1), ("commit", 1)]),
    Scenario("visits", [("open", ROOT), *[VISIT, ("tend",)] * 3, VISIT]),
    Scenario(
        "prune",
        [("open", ROOT), ("commit", *[5] * 8), ("prune", 30), ("commit", 1, 2), ("prune", 41),
         ("commit", 1)],
        cut_after=2,
    ),
    Scenario(
        "prune an older file",
        [("open", ROOT), ("commit", *[5] * 4), ("new_epoch",), ("commit", 1), ("prune", 19),
         ("commit", 1), ("prune", 20), ("commit", 1)],
        cut_after=2,
    ),
    Scenario("restart", [("open", ROOT), VISIT, ("close",), ("open", ROOT), VISIT], cut_after=2),
    Scenario("recovery", [("open", ROOT), ("commit", 1), ("tend",), ("commit", 2)], _left_in_wal),
    Scenario("salvage", [("open", ROOT), ("commit", 1), ("tend",), ("commit", 2)], _damaged_page),
    Scenario("mending", [("open", ROOT), ("commit", 1), ("tend",), ("commit", 2)], _damaged_wal),
    Scenario("migration", [("remember", ROOT), *[("receipt", "old", n) for n in range(2, 6)]],
             _older_memory),
    Scenario("small files", [
        ("bundle", ROOT, 1), ("key", ROOT),
        *[("small", ROOT, name, turn) for turn in (1, 2) for name in SMALL], ("bundle", ROOT, 2),
    ]),
    Scenario(
        "checkpoint by itself",
        # In the field after 1,000 pages; after 40 it is the same, and the WAL stays short.
        [("small_wal", 40), ("open", ROOT), ("commit", *[1, 2] * 12), ("tend",), ("commit", 1)],
    ),
)  # fmt: skip
