"""The Recorder: what it returned for is on the disk, and what it refused can be given again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kiosk.recorder import DiskFull, OutboxBroken, Recorder, RecorderError
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Answer, End, Record, Stamp, thaw
from sync.datadir import DataDir
from sync.epoch import EpochFile, EpochReader, New

DAY_MS = 86_400_000
AT = Stamp(wall="2026-03-02T10:00:00.000+02:00", boottime_ms=1, boot="b", synced=True)
Open = Callable[..., Recorder]


def answer(visit: str, question: str = "nps", n: int = 1, value: int = 4) -> Answer:
    return Answer(
        visit=visit,
        question=question,
        n=n,
        value=value,
        language="fi",
        survey="s@1",
        config=1,
        location="0031",
        layout="nps-1x11",
        position=n,
        at=AT,
    )


def end(visit: str, *shown: str) -> End:
    return End(
        visit=visit,
        how="completed",
        duration_ms=1,
        shown=list(shown),
        skipped=[],
        selection="rotated",
        at=AT,
    )


def stored(data: DataDir) -> list[Record]:
    found: list[Record] = []
    for path in sorted(data.outbox_dir.glob("*.db")):
        with EpochReader(path) as reader:
            found += [thaw(row.rec) for row in reader.rows(0, 10_000)]
    return found


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "terminal")


@pytest.fixture
def opened(data: DataDir) -> Iterator[Open]:
    made: list[Recorder] = []

    def start(storage: Storage | None = None, **kwargs: object) -> Recorder:
        recorder = Recorder(data, storage or Storage(ballast_mb=0), **kwargs)  # type: ignore[arg-type]
        made.append(recorder)
        return recorder

    yield start
    for recorder in made:
        recorder.close()


class Trouble:
    """Makes the next appends of a real outbox fail, before or after they were stored."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *failures: str) -> None:
        self.failures = list(failures)
        real, real_again = EpochFile.append, EpochFile.append_again

        def append(file: EpochFile, rows: Sequence[New]) -> None:
            self._go(lambda: real(file, rows))

        def append_again(file: EpochFile, rows: Sequence[New]) -> None:
            self._go(lambda: real_again(file, rows))

        monkeypatch.setattr(EpochFile, "append", append)
        monkeypatch.setattr(EpochFile, "append_again", append_again)

    def _go(self, store: Callable[[], None]) -> None:
        what = self.failures.pop(0) if self.failures else ""
        if what != "before":
            store()
        if what:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error


def test_what_commit_returned_for_is_there_for_another_process(data: DataDir, opened: Open) -> None:
    recorder = opened()
    recorder.commit(answer("v"), answer("v", n=2), end("v", "nps"))
    assert stored(data) == [answer("v"), answer("v", n=2), end("v", "nps")]


@pytest.mark.parametrize("outcome", ["before", "after"])
def test_one_failed_fsync_is_made_good_and_nothing_is_stored_twice(
    data: DataDir, opened: Open, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    recorder = opened()
    recorder.commit(answer("v"))
    Trouble(monkeypatch, outcome)
    recorder.commit(answer("v", n=2), answer("v", n=3))
    assert stored(data) == [answer("v", n=n) for n in (1, 2, 3)]
    # The kernel may take a WAL for clean after a failed fsync: it was written out another way.
    alone = data.root / "alone.db"
    shutil.copy(data.epoch_file(recorder.epoch), alone)
    with EpochReader(alone) as reader:
        assert reader.tail() == 3


@pytest.mark.parametrize("second", ["before", "after"])
@pytest.mark.parametrize("first", ["before", "after"])
def test_a_commit_given_again_after_it_was_refused_is_stored_once(
    data: DataDir, opened: Open, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    recorder = opened()
    Trouble(monkeypatch, first, second)
    with pytest.raises(OutboxBroken):
        recorder.commit(answer("v"))
    recorder.commit(answer("v"))
    recorder.commit(answer("v", n=2))
    assert stored(data) == [answer("v"), answer("v", n=2)]
    # Only the refused attempt keeps its id; the same bytes later are another record.
    recorder.commit(answer("v"))
    assert len(stored(data)) == 3


def test_a_file_damaged_under_the_open_recorder_costs_no_answer(
    data: DataDir, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = opened()
    for n in range(1, 21):
        recorder.commit(answer("v", n=n))
    old = recorder.epoch
    real = EpochFile.append

    def corrupt(file: EpochFile, rows: Sequence[New]) -> None:
        monkeypatch.setattr(EpochFile, "append", real)
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    monkeypatch.setattr(EpochFile, "append", corrupt)
    recorder.commit(answer("v", n=21))
    assert recorder.epoch != old
    assert {a.n for a in stored(data) if isinstance(a, Answer)} == set(range(1, 22))
    assert recorder.alarms[-1]["what"] == "corrupt"


def test_a_full_disk_is_said_and_ends_when_there_is_room(data: DataDir, opened: Open) -> None:
    recorder = opened()
    recorder.commit(answer("v"))
    db = recorder._outbox.file._db
    (pages,) = db.execute("pragma page_count").fetchone()
    real, limits = EpochFile.__init__, [pages]

    def small(file: EpochFile, path: Path) -> None:
        real(file, path)
        file._db.execute(f"pragma max_page_count={limits[0]}").fetchone()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochFile, "__init__", small)
        db.execute(f"pragma max_page_count={pages}").fetchone()
        n = 1
        with pytest.raises(DiskFull):
            while True:
                n += 1
                recorder.commit(answer("v", n=n))
        assert not recorder.accepting
        limits[0] = 1000
        recorder.commit(answer("v", n=n))
    assert [a.n for a in stored(data) if isinstance(a, Answer)] == list(range(1, n + 1))
    # The visit under way may end; a new one waits until tending finds the ballast's room back.
    assert not recorder.accepting
    recorder.tend(None)
    assert recorder.accepting


def test_no_new_visit_at_95_percent_and_again_after_pruning(data: DataDir, opened: Open) -> None:
    now = 1_772_438_400_000
    clock = Clock(wall_ns=lambda: now * 1_000_000, synced=lambda: True)
    recorder = opened(
        Storage(max_mb=1, keep_days=1, ballast_mb=0),
        clock=clock,
        new_id=lambda: uuid7(now_ms=lambda: now - 9 * DAY_MS),
    )
    n = 0
    while recorder.accepting and n < 5000:
        recorder.commit(*(answer("v", n=n + i) for i in range(1, 11)))
        n += 10
    assert 0.95 <= recorder.fill <= 1
    recorder.commit(end("v", "nps"))
    for _ in range(n // 500 + 1):
        recorder.tend({"have": {recorder.epoch: n}})
    assert recorder.accepting
    assert len(stored(data)) == 1


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"have": None, "held": 3, "damaged": [1], "new_epoch": "x"},
        {"have": {"other": 5}, "held": {"other": "x"}},
    ],
)
def test_any_sender_status_is_survived(
    data: DataDir, opened: Open, status: dict[str, object] | None
) -> None:
    recorder = opened(clock=Clock(synced=lambda: True))
    recorder.commit(answer("v"))
    recorder.tend(status)
    assert stored(data) == [answer("v")]


def test_a_clock_never_set_prunes_nothing(data: DataDir, opened: Open) -> None:
    old = uuid7(now_ms=lambda: 1)
    recorder = opened(clock=Clock(synced=lambda: False), new_id=lambda: old)
    recorder.commit(answer("v"))
    recorder.tend({"have": {recorder.epoch: 1}})
    assert stored(data) == [answer("v")]


def test_a_clock_never_set_is_no_reason_to_run_full(data: DataDir, opened: Open) -> None:
    recorder = opened(
        Storage(max_mb=1, keep_days=1, ballast_mb=0),
        clock=Clock(synced=lambda: False),
        new_id=lambda: uuid7(now_ms=lambda: 1),
    )
    for first in range(1, 1500, 100):
        recorder.commit(*(answer("v", n=first + i) for i in range(100)))
    recorder.tend(None)
    assert recorder.fill > 0.5
    recorder.tend({"have": {recorder.epoch: 1500}})
    assert len(stored(data)) == 1000


def test_what_the_sender_found_damaged_is_salvaged_once(data: DataDir, opened: Open) -> None:
    recorder = opened()
    for n in (1, 2, 3):
        recorder.commit(answer("v", n=n))
    old = recorder.epoch
    db = recorder._outbox.file._db
    db.execute("update records set rec = '{}' where seq = 2")
    db.execute("pragma wal_checkpoint(truncate)").fetchone()
    status = {"damaged": {old: data.epoch_file(old).stat().st_ino}}
    recorder.tend(status)
    fresh = recorder.epoch
    assert fresh != old
    assert stored(data) == [answer("v"), answer("v", n=3)]
    recorder.tend(status)
    assert recorder.epoch == fresh
    assert len(recorder.alarms) == 1


def test_held_records_stay_on_the_device(data: DataDir, opened: Open) -> None:
    ms = iter(range(1, 100))
    recorder = opened(
        clock=Clock(synced=lambda: True), new_id=lambda: uuid7(now_ms=lambda: next(ms))
    )
    for n in (1, 2, 3):
        recorder.commit(answer("v", n=n))
    recorder.tend({"have": {recorder.epoch: 3}, "held": {recorder.epoch: [2]}})
    assert stored(data) == [answer("v", n=2)]


def test_the_sender_gets_its_new_epoch_once(opened: Open) -> None:
    recorder = opened()
    old = recorder.epoch
    recorder.tend({"new_epoch": [old]})
    fresh = recorder.epoch
    assert fresh != old
    recorder.tend({"new_epoch": [old]})
    assert recorder.epoch == fresh


def test_visits_left_open_are_found_across_epochs_and_restarts(data: DataDir, opened: Open) -> None:
    recorder = opened()
    recorder.commit(answer("ended"), end("ended", "nps"))
    recorder.commit(answer("left"), answer("left", "statement.a"))
    recorder.tend({"new_epoch": [recorder.epoch]})
    recorder.commit(answer("left", "statement.b"))
    recorder.close()
    again = opened()
    assert again.open_visits() == {
        "left": [answer("left"), answer("left", "statement.a"), answer("left", "statement.b")]
    }
    again.commit(end("left", "nps"))
    assert again.open_visits() == {}


def test_questions_shown_lately_are_counted_and_old_ones_forgotten(opened: Open) -> None:
    now = [100 * DAY_MS]
    clock = Clock(wall_ns=lambda: now[0] * 1_000_000)
    recorder = opened(clock=clock, new_id=lambda: uuid7(now_ms=lambda: now[0]))
    recorder.commit(end("a", "nps", "statement.a"))
    now[0] += 10 * DAY_MS
    recorder.commit(end("b", "nps", "statement.b"))
    assert recorder.counts_by_question(30) == {"nps": 2, "statement.a": 1, "statement.b": 1}
    assert recorder.counts_by_question(5) == {"nps": 1, "statement.b": 1}
    recorder.close()
    assert opened(clock=clock).counts_by_question(30) == {
        **{"nps": 2, "statement.a": 1, "statement.b": 1}
    }


def test_an_outbox_that_cannot_be_opened_is_a_recorder_error(
    tmp_path: Path, data: DataDir, opened: Open
) -> None:
    opened()
    with pytest.raises(RecorderError, match="another terminal"):
        opened()
    (tmp_path / "file").write_text("")
    with pytest.raises(RecorderError):
        Recorder(DataDir(tmp_path / "file"), Storage())
