"""Weeks of backlog need no more memory than a day's; `make drill` does it with processes."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from sync import salvage
from sync.backlog import Backlog
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.epoch import EpochReader
from sync.outbox import Outbox
from tests.drills.fleet.measured import _whole
from tests.drills.fleet.weeks import damage, fill
from tests.drills.site import Device

FEW, MANY = 2_000, 5_000
MORE = 1 << 20
"""Bytes; the rows alone that are more take more than twice as much."""


def peak(work: Callable[[], object]) -> int:
    """The most memory, in bytes, that Python's objects took."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def next_batch(folder: Path, number: int) -> int:
    """What the sender needs to find out what waits, and for the next batch."""
    fill(folder, number)

    def nobody(*_: object) -> tuple[int, bytes, str]:
        raise AssertionError("nothing is sent here")

    device = Device(folder, nobody)
    device.open_sender()
    assert device.sender is not None
    sender = device.sender

    def drafted() -> None:
        waiting = sender.waiting()
        assert waiting.backlog == number
        draft = sender._delivery.draft(waiting.current)
        assert draft is not None
        assert len(draft.items) <= FEW

    found = peak(drafted)
    sender.close()
    return found


def test_a_batch_takes_the_same_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = next_batch(tmp_path / "few", FEW)
    assert next_batch(tmp_path / "many", MANY) < few + MORE
    # Weakened: all that waits is read at once.
    monkeypatch.setattr(EpochReader, "rows", _whole)
    assert next_batch(tmp_path / "weakened", MANY) > few + MORE


def test_salvage_takes_the_same_memory(tmp_path: Path) -> None:
    found = {}
    for number in (FEW, MANY):
        root = tmp_path / str(number)
        ids = fill(root, number)
        damage(root)
        epoch = next((root / "outbox").glob("*.db"))
        folder = salvage.set_aside(epoch, "x")
        found[number] = peak(lambda folder=folder: salvage.take_out(folder))  # type: ignore[misc]
        with EpochReader(epoch) as reader:
            rows = reader.rows(0, number)
            assert reader.tail() == number
        assert [row.seq for row in rows] == sorted(row.seq for row in rows)
        assert {row.id for row in rows} <= set(ids)
        assert len(rows) >= number - 20
    assert found[MANY] < found[FEW] + MORE


def test_an_older_file_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 300, older=True)
    data = DataDir(tmp_path)
    memory = Memory(data.sync_db)
    backlog = Backlog(data, memory)
    older = min(path.stem for path in data.outbox_dir.glob("*.db"))
    counted: list[int] = []
    after = EpochReader.after

    def noted(self: EpochReader, seq: int) -> tuple[int, str | None]:
        counted.append(seq)
        return after(self, seq)

    monkeypatch.setattr(EpochReader, "after", noted)
    for cursor in (0, 50, 100, 150, 250):
        memory.receipt(older, cursor, [], set())
        assert backlog.look().backlog == 300 - cursor
    # Opening it the first time leaves an empty WAL beside it: that once is one more.
    assert counted in ([0], [0, 50])
    # What was pruned in between is not taken for something that waits.
    box = Outbox(data)
    box.prune({older: 250}, "ffff", {})
    memory.receipt(older, 260, [], set())
    assert backlog.look().backlog == 40
    memory.receipt(older, 100, [], set())
    assert backlog.look().backlog == 50
    box.close()
    memory.close()


def test_a_row_at_two_positions_is_kept_at_the_first() -> None:
    found = salvage._Found()
    with pytest.raises(sqlite3.ProgrammingError):
        for seq, ident in ((5, "a"), (3, "a"), (9, "a"), (4, "b"), (4, "c")):
            found.add(salvage.Row(seq, ident, b"", ""))
        assert [row[:2] for row in found.rows()] == [(3, "a"), (4, "b")]
        assert (found.count(), found.top) == (2, 9)
        found.close()
        found.count()
