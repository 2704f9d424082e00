"""The outbox on real files: what is damaged, cloned, locked, pruned or full loses nothing."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import salvage
from sync.contract.ids import uuid7
from sync.contract.records import digest
from sync.datadir import DataDir, read_json, write_json
from sync.epoch import EpochFile, EpochReader, New, id_floor
from sync.outbox import Outbox, OutboxBroken, OutboxLocked, is_corruption

Open = Callable[..., Outbox]


def new(number: int, *, size: int = 0) -> New:
    raw = f'{{"n":{number},"pad":"{"x" * size}"}}'.encode()
    return New(uuid7(), raw, digest(raw))


def fill(box: Outbox, number: int, *, size: int = 200) -> list[New]:
    rows = [new(n, size=size) for n in range(number)]
    for row in rows:
        box.append([row])
    return rows


def stored(data: DataDir, epoch: str) -> list[tuple[int, str, bytes]]:
    with EpochReader(data.epoch_file(epoch)) as reader:
        rows = reader.rows(0, 100_000)
    assert all(row.whole for row in rows)
    return [(row.seq, row.id, row.rec) for row in rows]


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "terminal")


@pytest.fixture
def opened(data: DataDir) -> Iterator[Open]:
    made: list[Outbox] = []

    def start(**kwargs: object) -> Outbox:
        box = Outbox(data, **{"machine": lambda: "here", "wait_s": 0.0, **kwargs})  # type: ignore[arg-type]
        made.append(box)
        return box

    yield start
    for box in made:
        box.close()


# --- appending ------------------------------------------------------------------------------------


def test_rows_get_consecutive_positions_and_survive_reopening(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 3)
    box.append([new(3), new(4)])
    epoch = box.epoch
    box.close()
    again = opened()
    assert again.epoch == epoch
    again.append([new(5)])
    assert [row[0] for row in stored(data, epoch)] == [1, 2, 3, 4, 5, 6]
    assert [row[1] for row in stored(data, epoch)][:3] == [row.id for row in rows]


def test_every_connection_is_wal_and_full_read_back(data: DataDir, opened: Open) -> None:
    box = opened()
    db = box.file._db
    assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    assert db.execute("pragma synchronous").fetchone() == (2,)


def test_several_rows_are_all_or_none(data: DataDir, opened: Open) -> None:
    box = opened()
    first = new(1)
    box.append([first])
    with pytest.raises(sqlite3.IntegrityError):
        box.append([new(2), New(first.id, b"{}", digest(b"{}"))])
    box.append([new(3)])
    # The failed transaction burnt no position: a gap would be taken for a loss.
    assert [row[0] for row in stored(data, box.epoch)] == [1, 2]


def test_an_attempt_of_unknown_outcome_is_stored_once(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = [new(1), new(2)]
    box.append(rows)
    box.file.append_again([*rows, new(3)])
    assert [row[0] for row in stored(data, box.epoch)] == [1, 2, 3]
    with pytest.raises(sqlite3.IntegrityError):
        box.file.append_again([New(rows[0].id, b"{}", digest(b"{}"))])


def test_a_reader_sees_rows_beside_the_writer_and_leaves_the_wal_alone(
    data: DataDir, opened: Open
) -> None:
    box = opened()
    fill(box, 20)
    wal = data.epoch_file(box.epoch).with_name(f"{box.epoch}.db-wal")
    before = wal.stat().st_size
    assert len(stored(data, box.epoch)) == 20
    assert wal.stat().st_size == before > 0
    with EpochReader(data.epoch_file(box.epoch)) as reader, pytest.raises(sqlite3.Error):
        reader._db.execute("delete from records")


# --- one writer -----------------------------------------------------------------------------------


def test_a_second_terminal_is_turned_away_until_the_first_has_gone(opened: Open) -> None:
    box = opened()
    with pytest.raises(OutboxLocked):
        opened()
    box.close()
    opened()


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxBroken, match="cannot be used"):
        Outbox(DataDir(tmp_path / "file"))


# --- epochs ---------------------------------------------------------------------------------------


def test_another_machine_begins_another_epoch_and_says_so(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 2)
    old = box.epoch
    box.close()
    clone = opened(machine=lambda: "elsewhere")
    assert clone.epoch != old
    assert [alarm["what"] for alarm in clone.alarms] == ["cloned"]
    assert len(stored(data, old)) == 2
    clone.close()
    assert opened(machine=lambda: "elsewhere").epoch == clone.epoch


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"epoch": "../../etc/passwd"}'])
def test_a_lost_pointer_begins_another_epoch(
    data: DataDir, opened: Open, content: bytes | None
) -> None:
    box = opened()
    fill(box, 2)
    old = box.epoch
    box.close()
    if content is None:
        data.current_json.unlink()
    else:
        data.current_json.write_bytes(content)
    again = opened()
    assert again.epoch != old
    assert again.epochs() == [old, again.epoch]
    assert [alarm["what"] for alarm in again.alarms] == ["new-epoch"]


def test_a_first_start_is_no_alarm(opened: Open) -> None:
    assert opened().alarms == []


# --- damage ---------------------------------------------------------------------------------------


def spoil(box: Outbox, where: str) -> None:
    """Change rows behind their hashes, with no older copy left in the WAL."""
    box.file._db.execute(f"update records set rec = '{{}}' where {where}")
    box.file._db.execute("pragma wal_checkpoint(truncate)").fetchone()


def damage_pages(path: Path, first: int, last: int) -> None:
    with path.open("r+b") as file:
        for page in range(first, last):
            file.seek(page * 4096)
            file.write(os.urandom(4096))


def test_a_damaged_page_costs_its_rows_and_nothing_else(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 400)
    old = box.epoch
    box.close()
    path = data.epoch_file(old)
    damage_pages(path, 12, 13)
    again = opened()
    assert again.epoch != old
    saved = stored(data, old)
    positions = {row.id: seq for seq, row in enumerate(rows, start=1)}
    assert 360 < len(saved) < 400
    assert all(positions[ident] == seq for seq, ident, _ in saved)
    with EpochReader(path) as reader:
        assert reader.tail() == 400
    (alarm,) = again.alarms
    assert (alarm["what"], alarm["epoch"], alarm["saved"]) == ("corrupt", old, len(saved))
    assert (data.outbox_dir / "damaged" / alarm["folder"] / f"{old}.db").exists()


def test_a_destroyed_header_is_no_reason_to_lose_rows(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 50)
    old = box.epoch
    box.close()
    damage_pages(data.epoch_file(old), 0, 1)
    opened()
    assert [(seq, ident) for seq, ident, _ in stored(data, old)] == [
        (seq, row.id) for seq, row in enumerate(rows, start=1)
    ]


def test_rows_that_are_only_in_the_wal_are_salvaged_too(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 30)
    old = box.epoch
    # As power leaves it: the file as created, everything since in the WAL.
    crashed = data.root / "crashed"
    crashed.mkdir()
    for name in (f"{old}.db", f"{old}.db-wal"):
        shutil.copy(data.outbox_dir / name, crashed / name)
    box.close()
    for name in (f"{old}.db", f"{old}.db-wal"):
        shutil.copy(crashed / name, data.outbox_dir / name)
    # Both headers gone: SQLite reads neither, and a whole WAL would have mended the file by itself.
    damage_pages(data.epoch_file(old), 0, 1)
    with (data.outbox_dir / f"{old}.db-wal").open("r+b") as wal:
        wal.write(os.urandom(32))
    opened()
    assert {ident for _, ident, _ in stored(data, old)} == {row.id for row in rows}
    # A WAL left behind would be replayed over the salvaged file.
    (folder,) = (data.outbox_dir / "damaged").iterdir()
    assert (folder / f"{old}.db-wal").exists()


def crash(data: DataDir, box: Outbox) -> tuple[Path, Path]:
    """Leave the files as a power cut would: nothing copied from the WAL."""
    path = data.epoch_file(box.epoch)
    wal = path.with_name(f"{path.name}-wal")
    kept = [(name, name.read_bytes()) for name in (path, wal)]
    box.close()
    for name, raw in kept:
        name.write_bytes(raw)
    return path, wal


@pytest.mark.parametrize("at", [0, 40], ids=["header", "frame"])
def test_a_damaged_wal_loses_no_row_and_is_not_silent(data: DataDir, opened: Open, at: int) -> None:
    box = opened()
    fill(box, 5)
    box.file.checkpoint()
    rows = fill(box, 5)
    _, wal = crash(data, box)
    with wal.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(8))
    again = opened()
    saved = stored(data, again.epoch)
    assert [row[0] for row in saved] == list(range(1, 11))
    assert [row[1] for row in saved][5:] == [row.id for row in rows]
    assert [(alarm["what"], alarm["saved"]) for alarm in again.alarms] == [("wal", 5)]


def test_a_crash_alone_is_no_alarm(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 5)
    crash(data, box)
    again = opened()
    assert again.epoch == box.epoch
    assert len(stored(data, again.epoch)) == 5
    assert again.alarms == []


def test_a_commit_cut_short_by_the_power_is_no_alarm(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 5)
    _, wal = crash(data, box)
    os.truncate(wal, wal.stat().st_size - 4120)
    again = opened()
    assert len(stored(data, again.epoch)) in (4, 5)
    assert again.alarms == []


def test_a_row_whose_hash_does_not_fit_is_not_salvaged(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 5)
    old = box.epoch
    spoil(box, "seq = 3")
    box.set_aside(old, "the sender says so")
    assert box.epoch != old
    assert [row[0] for row in stored(data, old)] == [1, 2, 4, 5]
    box.append([new(9)])


def test_a_spoilt_row_comes_back_from_an_older_copy_in_the_wal(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 5)
    old = box.epoch
    box.file._db.execute("update records set rec = '{}' where seq = 3")
    box.set_aside(old, "the sender says so")
    assert [row[1] for row in stored(data, old)] == [row.id for row in rows]


def test_the_tail_is_known_though_the_last_rows_are_lost(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 5)
    old = box.epoch
    spoil(box, "seq > 3")
    box.set_aside(old, "the sender says so")
    assert [row[0] for row in stored(data, old)] == [1, 2, 3]
    with EpochReader(data.epoch_file(old)) as reader:
        assert reader.tail() == 5


def test_power_lost_between_setting_aside_and_salvage(data: DataDir, opened: Open) -> None:
    box = opened()
    rows = fill(box, 10)
    old = box.epoch
    box.close()
    salvage.set_aside(data.epoch_file(old), "x")
    again = opened()
    assert again.epoch != old
    assert [row[1] for row in stored(data, old)] == [row.id for row in rows]
    again.close()
    # Done once: the next start neither salvages nor alarms again.
    third = opened()
    assert third.epoch == again.epoch
    assert len(third.alarms) == len(again.alarms)


def test_no_room_to_salvage_is_not_taken_for_the_end_of_the_file(
    data: DataDir, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = opened()
    # Each on overflow pages: only SQLite finds them, not their shape.
    rows = fill(box, 40, size=6000)
    old = box.epoch
    box.close()
    folder = salvage.set_aside(data.epoch_file(old), "x")

    class Tight(salvage._Found):
        def __init__(self) -> None:
            super().__init__()
            self._db.execute("pragma max_page_count = 20").fetchone()

    with monkeypatch.context() as now:
        now.setattr(salvage, "_Found", Tight)
        with pytest.raises(OSError, match="full"):
            salvage.take_out(folder)
    assert salvage.unfinished(data.outbox_dir) == [folder]
    opened()
    assert [row[1] for row in stored(data, old)] == [row.id for row in rows]


def test_a_salvaged_epoch_takes_no_new_rows(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 3)
    old = box.epoch
    box.close()
    folder = salvage.set_aside(data.epoch_file(old), "x")
    salvage.take_out(folder)
    again = opened()
    assert again.epoch != old
    assert read_json(data.current_json)["epoch"] == again.epoch  # type: ignore[index]


def test_nothing_but_damage_is_taken_for_damage(data: DataDir, opened: Open) -> None:
    box = opened()
    assert not is_corruption(sqlite3.IntegrityError("x"))
    assert not is_corruption(sqlite3.OperationalError("database is locked"))
    path = data.outbox_dir / "junk.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        EpochFile(path)
    assert is_corruption(caught.value)
    assert box.epoch


@settings(max_examples=60, deadline=None)
@given(
    seq=st.integers(1, 2**40),
    size=st.integers(0, 3000),
    before=st.binary(max_size=40),
    cut=st.integers(0, 60),
)
def test_carving_finds_a_row_at_any_position_and_never_half_of_one(
    tmp_path_factory: pytest.TempPathFactory, seq: int, size: int, before: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("carve") / "one.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "create table records (seq integer primary key autoincrement,"
            " id text not null unique, rec blob not null, sha256 text not null)"
        )
        row = new(1, size=size)
        db.execute("insert into records values (?, ?, ?, ?)", (seq, *row))
    db.close()
    raw = path.read_bytes()
    assert [tuple(found) for found in salvage.carve(before + raw)] == [(seq, *row)]
    end = raw.index(row.sha256.encode()) + 64
    if cut:
        assert list(salvage.carve(raw[: end - cut])) == []


# --- pruning --------------------------------------------------------------------------------------


def test_only_what_the_centre_has_and_what_is_old_is_pruned(data: DataDir, opened: Open) -> None:
    box = opened()
    clock = itertools.count(1_000_000, 1000)
    rows = [new(n)._replace(id=uuid7(now_ms=lambda: next(clock))) for n in range(10)]
    box.append(rows)
    have = {box.epoch: 6}
    assert box.prune(have, id_floor(1_000_000), {}) == 0
    assert box.prune(have, id_floor(1_004_000), {}) == 4
    assert [row[0] for row in stored(data, box.epoch)] == [5, 6, 7, 8, 9, 10]
    assert box.prune(have, id_floor(9_000_000), {box.epoch: [5]}) == 1
    assert [row[0] for row in stored(data, box.epoch)] == [5, 7, 8, 9, 10]
    box.append([new(11)])
    assert stored(data, box.epoch)[-1][0] == 11


def test_positions_run_on_after_everything_was_pruned(data: DataDir, opened: Open) -> None:
    box = opened()
    fill(box, 5)
    box.prune({box.epoch: 5}, "ffffffff", {})
    assert stored(data, box.epoch) == []
    box.close()
    again = opened()
    again.append([new(6)])
    assert [row[0] for row in stored(data, again.epoch)] == [6]


# --- space ----------------------------------------------------------------------------------------


def test_fill_counts_every_file_and_the_ballast_comes_and_goes(data: DataDir, opened: Open) -> None:
    box = opened()
    empty = box.fill(1 << 20)
    rows = fill(box, 200, size=1000)
    full = box.fill(1 << 20)
    assert 0 < empty < 0.1
    assert 0.2 < full < 0.5
    box.begin("for the test")
    # The old epoch's file still takes its room.
    assert box.fill(1 << 20) >= full
    old = box.epochs()[0]
    assert box.prune({old: len(rows)}, "ffffffff", {}) == len(rows)
    assert box.keep_ballast(1 << 16)
    assert (data.outbox_dir / "ballast").stat().st_size == 1 << 16
    assert box.drop_ballast()
    assert not box.drop_ballast()
    assert not box.keep_ballast(1 << 60)


def test_room_comes_back_when_rows_are_pruned(opened: Open) -> None:
    box = opened()
    fill(box, 500, size=1000)
    full = box.fill(1 << 20)
    box.prune({box.epoch: 500}, "ffffffff", {})
    assert box.fill(1 << 20) < full / 4


def test_a_wal_a_stuck_reader_makes_grow_counts(opened: Open, data: DataDir) -> None:
    box = opened()
    before = box.fill(64 << 20)
    with EpochReader(data.epoch_file(box.epoch)) as reader:
        reader._db.execute("begin")
        reader.tail()
        wal = data.epoch_file(box.epoch).with_name(f"{box.epoch}.db-wal")
        fill(box, 1, size=100)
        os.truncate(wal, 32 << 20)
        assert box.fill(64 << 20) > before + 0.3
        reader._db.rollback()


def test_small_files_are_whole_or_absent(data: DataDir) -> None:
    data.create()
    write_json(data.terminal_json, {"state": "ok"})
    write_json(data.terminal_json, {"state": "closed"})
    assert read_json(data.terminal_json) == {"state": "closed"}
    assert read_json(data.sender_json) is None
    data.sender_json.write_text("[1]")
    assert read_json(data.sender_json) is None
    assert sorted(path.name for path in data.root.iterdir()) == [
        *("config", "outbox", "sender.json", "terminal.json"),
    ]
    assert data.terminal_json.stat().st_mode & 0o777 == 0o660
    assert data.root.stat().st_mode & 0o7777 == 0o2770
