"""What the power drill found, each with the smallest case that shows it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sync import datadir, salvage
from sync.contract.ids import uuid7
from sync.contract.records import digest
from sync.datadir import DataDir
from sync.epoch import PAGE_BYTES, EpochReader, New
from sync.ledger import ledger
from sync.outbox import Outbox


def filled(data: DataDir, number: int = 30) -> tuple[str, list[str]]:
    """An outbox with so many rows; its epoch, their ids."""
    box = Outbox(data)
    rows = [New(uuid7(), raw := b"{}" + b" " * 300, digest(raw)) for _ in range(number)]
    for row in rows:
        box.append([row])
    epoch = box.epoch
    box.close()
    return epoch, [row.id for row in rows]


def damage(path: Path) -> None:
    """Spoil the head of every page, but no row."""
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // PAGE_BYTES):
            file.seek(page * PAGE_BYTES)
            file.write(b"\xff" * 8)


def ids(data: DataDir, epoch: str) -> list[str]:
    with EpochReader(data.epoch_file(epoch)) as reader:
        return [row.id for row in reader.rows(0, 1000)]


def test_the_folders_of_the_data_directory_are_durable_before_anything_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    proper: Callable[[Path], None] = datadir.sync_dir
    monkeypatch.setattr(datadir, "sync_dir", lambda at: (synced.append(at), proper(at)))
    DataDir(tmp_path / "var" / "hymio").create()
    assert {tmp_path, tmp_path / "var", tmp_path / "var" / "hymio"} <= set(synced)


def test_a_salvage_cut_before_the_file_was_moved_loses_no_row(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    epoch, stored = filled(data)
    damage(data.epoch_file(epoch))
    # All that was done by then.
    (data.outbox_dir / salvage.DAMAGED / f"{epoch}.stamp").mkdir(parents=True)
    Outbox(data).close()
    assert ids(data, epoch) == stored


def test_a_wal_left_where_it_was_is_not_taken_for_that_of_the_salvaged_file(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    rows = [New(uuid7(), raw := b"{}" + b" " * 300, digest(raw)) for _ in range(30)]
    for row in rows[:20]:
        box.append([row])
    box.file.checkpoint()
    for row in rows[20:]:
        box.append([row])
    path = data.epoch_file(box.epoch)
    wal = path.with_name(f"{path.name}-wal")
    left = wal.read_bytes()
    box.close()
    damage(path)
    folder = data.outbox_dir / salvage.DAMAGED / f"{path.stem}.stamp"
    folder.mkdir(parents=True)
    # The folder has both; of the two renames the WAL's removal did not reach the disk.
    path.rename(folder / path.name)
    (folder / wal.name).write_bytes(left)
    wal.write_bytes(left)
    Outbox(data).close()
    assert ids(data, path.stem) == [row.id for row in rows]


def test_a_file_begun_when_the_power_went_is_no_epoch_and_goes(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.create()
    begun = data.outbox_dir / f".new-{uuid7()}.db"
    begun.write_bytes(b"")
    box = Outbox(data)
    assert box.alarms == []
    assert box.epochs() == [box.epoch]
    box.close()
    assert not begun.exists()


def test_the_ledger_can_be_read_while_the_senders_file_is_half_made(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    filled(data, 3)
    with contextlib.closing(sqlite3.connect(data.sync_db, isolation_level=None)) as db:
        db.execute("create table facts (key text)")
        db.execute("begin immediate")
        db.execute("create table epochs (epoch text, cursor integer)")
        db.execute("pragma cache_spill=1")
        left = data.sync_db.with_name("sync.db-journal")
        assert left.stat().st_size
        raw = left.read_bytes()
        db.execute("rollback")
    # A hot journal: the change was under way when the power went. It needs its count of pages.
    left.write_bytes(bytes.fromhex("d9d505f920a163d700000001") + raw[12:])
    (line,) = ledger(data)
    assert (line.created, line.to_send) == (3, 3)


def test_rows_of_a_killed_terminal_are_durable_before_anyone_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir(tmp_path)
    epoch, _ = filled(data, 3)
    wal = data.epoch_file(epoch).with_name(f"{epoch}.db-wal")
    wal.write_bytes(b"")
    synced: list[str] = []
    proper = os.fsync

    def fsync(fd: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        proper(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    Outbox(data).close()
    assert str(wal) in synced
