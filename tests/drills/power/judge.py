"""What a power cut left, opened by the real programs: an empty list of complaints is a pass."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from kiosk.recorder import Recorder, RecorderError
from sync import identity
from sync.backlog import Backlog
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.epoch import EpochReader, Row
from sync.ledger import ledger
from tests.bench.samples import records
from tests.drills.power.promises import Promises
from tests.faults.checkers import unbalanced

STORAGE = Storage(ballast_mb=0)
_MADE = itertools.cycle(records(50))
_CLOCK = Clock(synced=lambda: True)


def judge(root: Path, promises: Promises, *, sender_first: bool = False) -> list[str]:
    """What is wrong with a data directory after the power came back; it is opened, and used."""
    data = DataDir(root)
    wrong: list[str] = []
    if sender_first and data.outbox_dir.exists():
        # The sender may be up before the terminal, and its look recovers the WAL.
        wrong += _looked_at(data, early=True, damaged="corrupt" in promises.alarms)
    if promises.made or data.outbox_dir.exists():
        wrong += _outbox(data, promises)
    wrong += _files(root, promises)
    wrong += _memory(data, promises)
    return wrong


# --- the outbox -----------------------------------------------------------------------------------


def _outbox(data: DataDir, promises: Promises) -> list[str]:
    try:
        recorder = Recorder(data, STORAGE, clock=_CLOCK)
    except RecorderError as error:
        return [f"the recorder does not start: {error}"]
    try:
        wrong = _alarms(recorder, promises)
        rows = stored(data)
        wrong += explained(rows, promises)
        wrong += _next_append(recorder, data)
        wrong += _looked_at(data, cut=promises.cut_short)
    except (RecorderError, sqlite3.Error) as error:
        return [f"after the start: {error!r}"]
    finally:
        recorder.close()
    return wrong + _sound(data)


def stored(data: DataDir) -> list[tuple[str, Row]]:
    """Epoch and row of everything stored, in the order it would be sent."""
    found = []
    for path in sorted(data.outbox_dir.glob("[!.]*.db")):
        with EpochReader(path) as reader:
            found += [(path.stem, row) for row in reader.rows(0, 1_000_000)]
    return found


def explained(rows: Sequence[tuple[str, Row]], promises: Promises) -> list[str]:
    """Whether what is stored is what was acknowledged: all of it, once, whole, in order."""
    wrong = [f"{row.id} is not whole" for _, row in rows if not row.whole]
    order = {ident: n for n, ident in enumerate(itertools.chain(*promises.made))}
    ids = [row.id for _, row in rows]
    there = set(ids)
    if doubled := len(rows) - len({row.rec for _, row in rows}):
        wrong.append(f"{doubled} records are there twice")
    wrong += [f"{ident} was never made" for ident in there - order.keys()]
    places = [order[ident] for ident in ids if ident in order]
    if places != sorted(places):
        wrong.append("the order is not the one in which they were made")
    lost = set(promises.stored) - there - promises.may_go
    if lost:
        wrong.append(f"{len(lost)} acknowledged answers are lost")
    under_way = set(promises.made[-1]) if promises.made else set()
    extra = there - set(promises.stored) - promises.may_go - under_way
    if extra:
        wrong.append(f"{len(extra)} records are there that no commit under way explains")
    return wrong


def _alarms(recorder: Recorder, promises: Promises) -> list[str]:
    expected = {*promises.alarms, *(["wal"] if promises.cut_short else [])}
    found = [alarm for alarm in recorder.alarms if alarm.get("what") not in expected]
    return [f"alarm {alarm.get('what')}: {alarm}" for alarm in found]


def _next_append(recorder: Recorder, data: DataDir) -> list[str]:
    before = recorder.last_seq
    record = next(_MADE)
    recorder.commit(record)
    with EpochReader(data.epoch_file(recorder.epoch)) as reader:
        added = reader.rows(before, 10)
    if [row.seq for row in added] != [before + 1] or not added[0].whole:
        return [f"the next append gives {[row.seq for row in added]} after {before}"]
    return []


def _looked_at(
    data: DataDir, *, early: bool = False, damaged: bool = False, cut: int = 0
) -> list[str]:
    """What the ledger and the sender see."""
    if damaged:
        # They look, and say so; what they say then is for the tests of the outbox.
        ledger(data)
        return []
    lines = ledger(data)
    wrong = unbalanced([msgspec.to_builtins(line) for line in lines if not line.note])
    if not early:
        wrong += [f"{line.epoch}: {line.note}" for line in lines if line.note]
    wrong += [
        f"{line.epoch}: {line.lost} records lost by the ledger" for line in lines if line.lost > cut
    ]
    with _memory_of(data) as memory:
        waiting = Backlog(data, memory).look()
    wrong += [f"the sender finds {lot.epoch} damaged" for lot in waiting.lots if lot.broken]
    return wrong


def _sound(data: DataDir) -> list[str]:
    wrong = []
    for path in data.outbox_dir.glob("[!.]*.db"):
        with contextlib.closing(sqlite3.connect(path)) as db:
            try:
                found = [text for (text,) in db.execute("pragma integrity_check")]
            except sqlite3.Error as error:
                found = [str(error)]
        if found != ["ok"]:
            wrong.append(f"{path.name}: {found[:3]}")
    return wrong


# --- small files ----------------------------------------------------------------------------------


def _files(root: Path, promises: Promises) -> list[str]:
    wrong = []
    for name, (promised, under_way) in promises.files.items():
        path = root / name
        found = (read_json(path) or {}).get("turn", "no object") if path.exists() else None
        if found not in (promised, under_way):
            wrong.append(f"{name} holds {found}, promised was {promised}")
    if promises.key:
        try:
            key = identity.load(root / "key")
        except identity.KeyFileError as error:
            return [*wrong, str(error)]
        if key is None or key.public_key().public_bytes_raw().hex() != promises.key:
            wrong.append("the key is another one")
    return wrong


# --- the sender's memory --------------------------------------------------------------------------


@contextlib.contextmanager
def _memory_of(data: DataDir) -> Collection[Memory]:  # type: ignore[misc]
    memory = Memory(data.sync_db)
    try:
        yield memory
    finally:
        memory.close()


def _memory(data: DataDir, promises: Promises) -> list[str]:
    if not promises.cursors:
        return []
    wrong = []
    with _memory_of(data) as memory:
        for epoch, (promised, under_way) in promises.cursors.items():
            found = memory.cursor(epoch) or None
            if found not in (promised, under_way):
                wrong.append(f"cursor {found}, promised was {promised}")
            exception = (
                memory.raw()
                .execute(
                    "select count(*) from exceptions where epoch = ? and seq = ?",
                    [epoch, found or 0],
                )
                .fetchone()[0]
            )
            # Cursor and exceptions go together, or a quarantined record counts as acknowledged.
            if found and found > 1 and exception != 1:
                wrong.append(f"cursor {found} without its exception")
        memory.receipt(uuid7(), 1)
        if memory.raw().execute("pragma integrity_check").fetchone() != ("ok",):
            wrong.append("sync.db is not sound")
    if list(data.root.glob("*.damaged*")):
        wrong.append("sync.db was set aside")
    return wrong
