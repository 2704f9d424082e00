"""The model of a disk on logs written by hand, and that the judge finds what is wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.datadir import DataDir
from tests.bench.samples import records
from tests.drills.power.calls import CannotRead, parse
from tests.drills.power.judge import judge, stored
from tests.drills.power.kernel import Kernel, Unmodelled
from tests.drills.power.model import Disk, Write
from tests.drills.power.promises import Promises
from tests.drills.power.states import boundaries, crashes

ROOT = Path("/disk")
Found = dict[str, bytes | None]


def text(value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return '"' + "".join(f"\\x{byte:02x}" for byte in raw) + '"'


def play(*lines: str, before: Found | None = None) -> Disk:
    kernel = Kernel(Disk(before), ROOT)
    for line in lines:
        call = parse(f"17 {line}\n")
        if call is not None:
            kernel.apply(call)
    return kernel.disk


def after(disk: Disk, *, kept: bool) -> Found:
    return disk.after(disk.pending if kept else [])


CREATE = f"openat(AT_FDCWD, {text('/disk/a')}, O_RDWR|O_CREAT|O_CLOEXEC, 0660) = 3"
WRITE = f"pwrite64(3, {text('hello')}, 5, 2) = 5"
TOP = f"openat(AT_FDCWD, {text('/disk')}, O_RDONLY|O_DIRECTORY) = 4"


# --- calls ----------------------------------------------------------------------------------------


def test_a_line_of_strace_becomes_a_call() -> None:
    call = parse(f"17 openat(AT_FDCWD, {text('/disk/a')}, O_RDWR|O_CREAT, 0660) = 3\n")
    assert call is not None
    assert (call.name, call.result) == ("openat", 3)
    assert call.args == ("AT_FDCWD", b"/disk/a", "O_RDWR|O_CREAT", 0o660)


def test_signals_exits_and_calls_that_failed_say_nothing() -> None:
    assert parse("17 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---\n") is None
    assert parse("17 +++ exited with 0 +++\n") is None
    assert parse(f"17 unlink({text('/x')}) = -1 ENOENT (No such file or directory)\n") is None


@pytest.mark.parametrize(
    "line",
    [
        f"17 write(3, {text('a')}..., 200) = 200\n",
        "17 fsync(3 <unfinished ...>\n",
        "17 <... fsync resumed>) = 0\n",
        "17 something else\n",
    ],
)
def test_a_line_not_understood_is_not_skipped(line: str) -> None:
    with pytest.raises(CannotRead):
        parse(line)


# --- disk -----------------------------------------------------------------------------------------


def test_nothing_is_durable_before_it_is_synced() -> None:
    disk = play(CREATE, WRITE)
    assert after(disk, kept=False) == {}
    assert after(disk, kept=True) == {"a": b"\0\0hello"}


def test_a_synced_file_without_its_synced_folder_has_no_name() -> None:
    assert after(play(CREATE, WRITE, "fsync(3) = 0"), kept=False) == {}


def test_a_synced_folder_holds_a_name_for_an_empty_file() -> None:
    assert after(play(CREATE, WRITE, TOP, "fsync(4) = 0"), kept=False) == {"a": b""}


def test_file_and_folder_synced_are_there() -> None:
    disk = play(CREATE, WRITE, "fdatasync(3) = 0", TOP, "fsync(4) = 0")
    assert after(disk, kept=False) == {"a": b"\0\0hello"}
    assert disk.pending == []


def test_a_folder_made_and_not_synced_takes_its_files_along() -> None:
    disk = play(
        f"mkdir({text('/disk/d')}, 0777) = 0",
        f"openat(AT_FDCWD, {text('/disk/d/a')}, O_WRONLY|O_CREAT, 0660) = 3",
        f"write(3, {text('x')}, 1) = 1",
        "fsync(3) = 0",
        f"openat(AT_FDCWD, {text('/disk/d')}, O_RDONLY|O_DIRECTORY) = 4",
        "fsync(4) = 0",
    )
    assert after(disk, kept=False) == {}
    assert after(disk, kept=True) == {"d": None, "d/a": b"x"}


def test_a_rename_shows_the_old_file_or_the_new_one() -> None:
    rename = f"rename({text('/disk/b')}, {text('/disk/a')}) = 0"
    disk = play(rename, before={"a": b"old", "b": b"new"})
    assert after(disk, kept=False) == {"a": b"old", "b": b"new"}
    assert after(disk, kept=True) == {"a": b"new"}


def test_a_file_moved_to_another_folder_is_never_nowhere() -> None:
    begin: Found = {"d": None, "a": b"x"}
    move = f"rename({text('/disk/a')}, {text('/disk/d/a')}) = 0"
    target = f"openat(AT_FDCWD, {text('/disk/d')}, O_RDONLY|O_DIRECTORY) = 4"
    both = play(move, target, "fsync(4) = 0", before=begin)
    assert after(both, kept=False) == {"d": None, "d/a": b"x", "a": b"x"}
    gone = play(move, TOP, "fsync(4) = 0", before=begin)
    assert after(gone, kept=False) == {"d": None, "d/a": b"x"}


def test_a_removed_name_may_come_back() -> None:
    disk = play(f"unlink({text('/disk/a')}) = 0", before={"a": b"x"})
    assert after(disk, kept=False) == {"a": b"x"}
    assert after(disk, kept=True) == {}


def test_lengths_follow_truncation_and_allocation() -> None:
    disk = play(CREATE, WRITE, "ftruncate(3, 4) = 0", "fallocate(3, 0, 0, 6) = 0")
    assert after(disk, kept=True) == {"a": b"\0\0he\0\0"}


def test_writes_in_order_move_on() -> None:
    disk = play(CREATE, f"write(3, {text('ab')}, 2) = 2", f"write(3, {text('cd')}, 2) = 1")
    assert after(disk, kept=True) == {"a": b"abc"}


def test_the_index_of_the_wal_is_never_left_and_others_may_not_be_mapped() -> None:
    shm = f"openat(AT_FDCWD, {text('/disk/a-shm')}, O_RDWR|O_CREAT, 0660) = 3"
    mapped = "mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x7f0000000000"
    assert after(play(shm, WRITE, mapped), kept=True) == {}
    with pytest.raises(Unmodelled):
        play(CREATE, mapped)


@pytest.mark.parametrize("line", ["dup(3) = 5", "pwritev(3, [], 0, 0) = 9"])
def test_a_call_without_a_model_is_not_skipped(line: str) -> None:
    with pytest.raises(Unmodelled):
        play(CREATE, line)


def test_a_page_written_back_takes_along_what_was_written_before_to_the_same_file() -> None:
    disk = play(CREATE, WRITE, f"pwrite64(3, {text('J')}, 1, 2) = 1", TOP, "fsync(4) = 0")
    disk.write_back([1])
    assert after(disk, kept=False) == {"a": b"\0\0Jello"}
    assert disk.pending == []


# --- states ---------------------------------------------------------------------------------------


def test_a_write_is_torn_at_every_sector_and_nowhere_else() -> None:
    disk = Disk()
    node = disk.create(disk.top, "a")
    assert boundaries(Write(node, 56, bytes(4096))) == [456 + 512 * n for n in range(8)]
    assert boundaries(Write(node, 32, bytes(24))) == []


def test_the_states_of_one_cut_hold_dropped_kept_and_torn() -> None:
    disk = play(CREATE, f"pwrite64(3, {text(b'x' * 1024)}, 1024, 0) = 1024", TOP, "fsync(4) = 0")
    found = [
        (kind, disk.after(kept)["a"])
        for kind, kept in crashes(disk.pending, random.Random(1), thorough=True)
    ]
    assert ("dropped", b"") in found
    assert ("kept", b"x" * 1024) in found
    assert ("torn", b"x" * 512) in found
    assert ("lengths", bytes(1024)) in found


# --- judge ----------------------------------------------------------------------------------------


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[tuple[DataDir, Promises]]:
    data = DataDir(tmp_path / "data")
    recorder = Recorder(data, Storage(ballast_mb=0))
    recorder.commit(*records(10))
    recorder.close()
    ids = [row.id for _, row in stored(data)]
    yield data, Promises(made=[ids], stored=list(ids))


def complaints(data: DataDir, promises: Promises) -> Sequence[str]:
    return judge(data.root, promises)


def test_what_is_as_promised_passes(filled: tuple[DataDir, Promises]) -> None:
    assert complaints(*filled) == []


def test_one_acknowledged_answer_missing_is_found(filled: tuple[DataDir, Promises]) -> None:
    data, promises = filled
    promises.made.insert(0, ["never-arrived"])
    promises.stored.insert(0, "never-arrived")
    assert "1 acknowledged answers are lost" in complaints(data, promises)


def test_a_wrong_order_is_found(filled: tuple[DataDir, Promises]) -> None:
    data, promises = filled
    promises.made = [list(reversed(promises.made[0]))]
    assert "the order is not the one in which they were made" in complaints(data, promises)


def test_an_answer_nobody_gave_is_found(filled: tuple[DataDir, Promises]) -> None:
    data, promises = filled
    strange = promises.made[0].pop()
    promises.stored.remove(strange)
    assert f"{strange} was never made" in complaints(data, promises)


def test_an_answer_stored_twice_is_found(filled: tuple[DataDir, Promises]) -> None:
    data, promises = filled
    recorder = Recorder(data, Storage(ballast_mb=0))
    (again,) = records(1)
    recorder.commit(again)
    recorder.commit(again)
    recorder.close()
    assert "1 records are there twice" in complaints(data, promises)


def test_a_file_or_a_cursor_behind_its_promise_is_found(filled: tuple[DataDir, Promises]) -> None:
    data, promises = filled
    (data.root / "enrol.json").write_text('{"turn": 1}')
    promises.files["enrol.json"] = (2, 2)
    promises.cursors["some-epoch"] = (7, 7)
    assert complaints(data, promises) == [
        "enrol.json holds 1, promised was 2",
        "cursor None, promised was 7",
    ]
