"""Erasing a data directory: what goes, what stays, and what happens when it is cut short."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import erasing, identity
from sync.build import built_ms, clock_problem
from sync.datadir import DataDir, write_json
from sync.erasing import erase
from tests.sync.device.conftest import Field
from tests.sync.device.fake import FakeCentre


@pytest.fixture
def used(device: Field, centre: FakeCentre) -> DataDir:
    """A device that has sent, with everything a data directory can hold."""
    device.commit(3)
    device.run(seconds=5)
    device.close()
    data = device.data
    identity.load_or_make(data.key_new)
    identity.load_or_make(data.key_enrol)
    data.bundle_file(3).write_text("a configuration")
    (data.root / ".key.1a2b3c4d").write_text("what a power cut left of a key")
    (data.root / "sync.db.damaged").write_text("set aside")
    (data.outbox_dir / "damaged").mkdir(exist_ok=True)
    (data.outbox_dir / "damaged" / "x.db").write_text("an answer")
    for name in ("setup.json", "service.json"):
        write_json(data.root / name, {"note": "the terminal's"})
    write_json(data.terminal_json, {"state": "wiped"})
    return data


def left(data: DataDir) -> set[str]:
    return {
        str(path.relative_to(data.root)) for path in data.root.rglob("*") if path.suffix != ".lock"
    }


def said(data: DataDir) -> Any:
    return json.loads(data.sender_json.read_text())


GONE = {"sender.json", "terminal.json", "outbox", "config"}


@pytest.mark.parametrize("overwrite", [True, False])
def test_everything_goes_and_is_written_over_first(used: DataDir, overwrite: bool) -> None:
    watched = {
        path: path.open("rb")
        for path in used.root.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".db-shm") and path.stat().st_size
    }
    before = {path: file.read() for path, file in watched.items()}
    assert {"key", "key.new", "key.enrol", "sync.db", "enrol.json"} <= {p.name for p in watched}
    erase(used, overwrite=overwrite)
    assert left(used) == GONE
    assert said(used) == {"v": 1, "state": "wiped"}
    for path, file in watched.items():
        file.seek(0)
        same = file.read() == before[path]
        assert same == (not overwrite or path == used.terminal_json), path
        file.close()


def test_a_link_that_leads_out_is_removed_and_not_followed(used: DataDir, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    (used.outbox_dir / "link.db").symlink_to(outside)
    (used.root / "key.link").symlink_to(outside)
    os.mkfifo(used.outbox_dir / "pipe")
    erase(used)
    assert left(used) == GONE
    assert outside.read_text() == "somebody else's"


def test_cut_short_at_any_file_the_next_start_ends_it(
    used: DataDir, make: Callable[..., Field], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    real = erasing._erase_file
    done = 0

    def one(path: Path, *, overwrite: bool) -> None:
        nonlocal done
        done += 1
        real(path, overwrite=overwrite)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_erase_file", one)
        for _ in range(3):
            with pytest.raises(Cut):
                erase(used)
    assert said(used) == {"v": 1, "state": "erasing"}
    assert done == 3
    again = make("device")
    again.close()
    again.data.enrol_json.unlink(missing_ok=True)
    again.run(seconds=2)
    assert not used.key.exists()
    assert again.sender.state == "not-enrolled"


def test_what_resists_is_named_and_the_rest_goes(
    used: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = erasing._erase_file

    def one(path: Path, *, overwrite: bool) -> None:
        if path == used.key:
            raise PermissionError(13, "Permission denied", str(path))
        real(path, overwrite=overwrite)

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_erase_file", one)
        with pytest.raises(PermissionError, match="key"):
            erase(used)
    assert left(used) == GONE | {"key"}
    assert said(used)["state"] == "erasing"
    erase(used)
    assert left(used) == GONE


def test_an_empty_directory_is_erased_too(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "new")
    data.create()
    erase(data)
    erase(data)
    assert said(data)["state"] == "wiped"


def test_a_clock_before_the_build_is_told(tmp_path: Path) -> None:
    assert clock_problem(built_ms()) == ""
    assert "1970-01-01" in clock_problem(0)
    # The build's own date wins over the files'.
    built_ms.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        file = tmp_path / "built.txt"
        file.write_text("1700000000\n")
        patch.setattr("sync.build.FILE", file)
        assert built_ms() == 1_700_000_000_000
    built_ms.cache_clear()
