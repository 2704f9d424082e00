"""`hymio wipe`: what it shows, when it refuses, and that nothing readable is left."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sync import identity
from sync.contract.ids import uuid7
from sync.contract.records import Answer, Stamp
from sync.wiping import wipe
from tests.sync.device.conftest import Field
from tests.sync.device.fake import FakeCentre, enrolled

WORDS = "the visitor's own words, which nobody may read afterwards"


def said(words: str) -> Answer:
    """A comment."""
    return Answer(
        visit=uuid7(),
        question="comment",
        n=1,
        value={"text": words, "found": {}},
        language="fi",
        survey="county@1",
        config=1,
        location="0031",
        layout="text",
        position=4,
        at=Stamp(wall="2026-03-02T10:11:12+02:00", boottime_ms=1, boot="b", synced=True),
        privacy="1",
    )


@pytest.fixture
def used(device: Field, centre: FakeCentre) -> Field:
    """A stopped device, everything of which is at the centre."""
    device.recorder.commit(said(WORDS))
    device.wait()
    device.data.bundle_file(3).write_text(f"a configuration: {WORDS}")
    device.restart()
    device.recorder.close()
    assert [WORDS in str(item) for s in centre.stored.values() for item in s.values()] == [True]
    return device


def run(device: Field, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(wipe, ["--data", str(device.data.root), *words], input=typed)


def holding(device: Field) -> list[Path]:
    """Files with the words in them."""
    files = [path for path in device.data.root.rglob("*") if path.is_file()]
    return [path for path in files if WORDS.encode() in path.read_bytes()]


@pytest.fixture
def blocks(used: Field) -> Iterator[list[int]]:
    """What lay on the disk, readable after the names are gone."""
    key = used.data.key.read_bytes()
    opened = [os.open(path, os.O_RDONLY) for path in [*holding(used), used.data.key]]
    assert any(key in os.pread(fd, 1 << 24, 0) for fd in opened)
    assert len(opened) >= 3
    yield opened
    for fd in opened:
        os.close(fd)


def test_nothing_readable_is_left(used: Field, blocks: list[int]) -> None:
    key = used.data.key.read_bytes()
    done = run(used, typed="d1\n")
    assert done.exit_code == 0, done.output
    for line in ("to be erased: d1 in", "1 configuration, the", "  0 records not at the centre"):
        assert line in done.output
    assert "hymio fleet revoke d1" in done.output
    for path in used.data.root.rglob("*"):
        raw = path.read_bytes() if path.is_file() else b""
        assert WORDS.encode() not in raw
        assert key not in raw
    for fd in blocks:
        raw = os.pread(fd, 1 << 24, 0)
        assert raw
        assert WORDS.encode() not in raw
        assert key not in raw
    assert json.loads(used.data.sender_json.read_text()) == {"v": 1, "state": "wiped"}


def test_without_writing_over_the_names_go_and_the_bytes_stay(
    used: Field, blocks: list[int]
) -> None:
    done = run(used, "--yes", "--no-overwrite")
    assert done.exit_code == 0
    assert "deleted, and not written over" in done.output
    assert holding(used) == []
    assert any(WORDS.encode() in os.pread(fd, 1 << 24, 0) for fd in blocks)


def test_unsent_answers_are_not_lost_unasked(device: Field) -> None:
    device.recorder.commit(said(WORDS), said("more"))
    device.recorder.close()
    done = run(device, "--yes")
    assert done.exit_code == 1
    assert "2 records not at the centre" in done.output
    assert "nothing is erased: let the sender" in done.output
    assert holding(device)
    done = run(device, "--yes", "--lose-unsent")
    assert done.exit_code == 0
    assert holding(device) == []


def test_held_answers_and_files_that_cannot_be_read_count_as_unsent(used: Field) -> None:
    epoch = next(used.data.outbox_dir.glob("*.db"))
    with sqlite3.connect(used.data.sync_db) as db:
        db.execute("insert into exceptions values (?, 1, 'held', 'x')", [epoch.stem])
    db.close()
    done = run(used, "--yes")
    assert (done.exit_code, "1 record not at the centre" in done.output) == (1, True)
    epoch.with_name("other.db").write_text("no database, and nobody knows what was in it" * 99)
    with sqlite3.connect(used.data.sync_db) as db:
        db.execute("delete from exceptions")
    db.close()
    done = run(used, "--yes")
    assert done.exit_code == 1
    assert "outbox other cannot be read" in done.output
    assert holding(used)
    used.data.sync_db.write_text("damaged" * 999)
    done = run(used, "--yes")
    assert done.exit_code == 1
    assert "sync.db cannot be read" in done.output
    assert run(used, "--yes", "--lose-unsent").exit_code == 0
    assert holding(used) == []


@pytest.mark.parametrize("typed", ["d2\n", "\n", "yes\n", ""])
def test_another_name_erases_nothing(used: Field, typed: str) -> None:
    assert run(used, typed=typed).exit_code == 1
    assert holding(used)


def test_a_device_without_a_name_is_asked_for_a_word(device: Field) -> None:
    device.recorder.close()
    device.data.sender_json.unlink(missing_ok=True)
    done = run(device, typed="erase\n")
    assert done.exit_code == 0
    assert "a device without a name" in done.output
    assert not device.data.enrol_json.exists()


@pytest.mark.parametrize("who", ["outbox_lock", "sync_lock"])
def test_terminal_and_sender_must_be_stopped(used: Field, who: str) -> None:
    fd = os.open(getattr(used.data, who), os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    done = run(used, "--yes", "--lose-unsent")
    assert done.exit_code == 1
    assert "stop it first (systemctl stop hymio-" in done.output
    assert holding(used)
    os.close(fd)
    assert run(used, "--yes").exit_code == 0


def test_cut_short_the_same_command_goes_on(used: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.urandom

    def cut(size: int) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "urandom", cut)
        done = run(used, "--yes")
    assert done.exit_code == 1
    assert "not everything is erased" in done.output
    assert os.urandom is real
    done = run(used, "--yes")
    assert done.exit_code == 0
    assert "cut short goes on" in done.output
    assert holding(used) == []


def test_it_can_be_repeated_and_a_new_life_begins(used: Field, centre: FakeCentre) -> None:
    assert run(used, "--yes").exit_code == 0
    again = run(used, "--yes")
    assert again.exit_code == 0, again.output
    centre.enrol = partial(enrolled, device="d2")
    used.wish(code="AAAA-BBBB-CCCC")
    used.run(seconds=2)
    assert json.loads(used.data.sender_json.read_text())["device"] == "d2"
    assert identity.load(used.data.key) is not None


def test_a_mistyped_folder_is_wrong_use(tmp_path: Path) -> None:
    done = CliRunner().invoke(wipe, ["--data", str(tmp_path / "typo"), "--yes"])
    assert (done.exit_code, (tmp_path / "typo").exists()) == (2, False)
