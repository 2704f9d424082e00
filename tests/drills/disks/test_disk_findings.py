"""What the disk drill found, each with the smallest case that shows it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk.recorder import OutboxBroken, Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import digest
from sync.cursor import Memory
from sync.datadir import DataDir, write_json
from sync.epoch import EpochReader, New, Row
from sync.ledger import ledger
from sync.outbox import Outbox


def rows(number: int, size: int = 300) -> list[New]:
    made = []
    for _ in range(number):
        raw = b"{}" + b" " * size
        made.append(New(uuid7(), raw, digest(raw)))
    return made


def crashed(box: Outbox) -> tuple[Path, Path]:
    """Leave file and WAL as a power cut would."""
    path = box.file.path
    wal = path.with_name(f"{path.name}-wal")
    kept = [(each, each.read_bytes()) for each in (path, wal)]
    box.close()
    for each, raw in kept:
        each.write_bytes(raw)
    return path, wal


def seqs(path: Path) -> list[int]:
    with EpochReader(path) as reader:
        return [row.seq for row in reader.rows(0, 1000)]


def whats(box: Outbox) -> list[str]:
    return [alarm["what"] for alarm in box.alarms]


def test_a_commit_of_several_cut_short_is_no_alarm(tmp_path: Path) -> None:
    box = Outbox(DataDir(tmp_path))
    box.append(rows(3))
    box.append(rows(4))
    _, wal = crashed(box)
    # The last page of the commit, which makes it one, is not whole.
    wal.write_bytes(wal.read_bytes()[:-512])
    again = Outbox(DataDir(tmp_path))
    assert again.alarms == []
    again.close()


def test_a_first_start_cut_before_its_pointer_is_no_alarm(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    box.close()
    data.current_json.unlink()
    again = Outbox(data)
    assert again.alarms == []
    again.close()


def test_a_row_of_the_wal_that_is_gone_leaves_its_place_empty(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    made = rows(9)
    for row in made:
        box.append([row])
    path, wal = crashed(box)
    raw = wal.read_bytes().replace(made[4].id.encode(), b"x" * 36)
    # All of them are only in the WAL, and SQLite does not take it.
    wal.write_bytes(bytes(32) + raw[32:])
    again = Outbox(data)
    assert whats(again) == ["wal"]
    assert seqs(path) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert [line.lost for line in ledger(data)] == [1]
    again.close()


def test_an_empty_file_in_place_of_the_outbox_does_not_stop_the_terminal(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    box.append(rows(2))
    path = box.file.path
    box.close()
    path.write_bytes(b"")
    again = Outbox(data)
    again.append(rows(1))
    assert whats(again) == ["corrupt"]
    again.close()


def test_a_file_that_is_gone_is_built_again_from_its_wal(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    for row in rows(6):
        box.append([row])
    path, _ = crashed(box)
    path.unlink()
    again = Outbox(data)
    assert seqs(path) == [1, 2, 3, 4, 5, 6]
    assert again.epoch != path.stem
    assert whats(again) == ["corrupt"]
    again.close()


def test_a_file_the_centre_knows_more_of_takes_no_answer(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    box = Outbox(data)
    box.append(rows(3))
    old = box.epoch
    box.close()
    write_json(data.sender_json, {"have": {old: 7}})
    again = Outbox(data)
    # Position 4 would be taken for one the centre has, and never be sent.
    assert again.epoch != old
    assert whats(again) == ["rolled-back"]
    again.close()
    third = Outbox(data)
    assert third.epoch == again.epoch
    third.close()


def test_a_memory_that_can_only_be_read_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sync.db"
    memory = Memory(path)
    proper = sqlite3.connect
    # As SQLite does by itself when a file cannot be opened for writing at that moment.
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **more: proper(f"file:{file}?mode=ro", uri=True, **more)
    )
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        Memory(path)
    memory.close()


def test_a_start_that_fails_lets_go_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "recent", unreadable)
        with pytest.raises(OutboxBroken):
            Recorder(DataDir(tmp_path), Storage(ballast_mb=0))
    Recorder(DataDir(tmp_path), Storage(ballast_mb=0)).close()


def test_a_row_that_is_there_twice_in_the_wal_does_not_stop_the_terminal(tmp_path: Path) -> None:
    box = Outbox(DataDir(tmp_path))
    box.append(rows(2))
    again = Row(5, *rows(1)[0])
    box.file.put_back([again])
    # A disk that lied kept it at another place, too.
    box.file.put_back([Row(7, *again[1:]), Row(8, *rows(1)[0])])
    box.close()
    with EpochReader(box.file.path) as reader:
        assert [row.seq for row in reader.rows(0, 1000)] == [1, 2, 5, 8]
