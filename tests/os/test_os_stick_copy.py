"""What the device takes from a stranger's stick: the script the unit runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "device-config" / "os" / "libexec" / "stick"


def copy(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-I", str(SCRIPT), "copy", str(source), str(target)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    device = tmp_path / "stick" / "hymio" / "esim-0001"
    device.mkdir(parents=True)
    (device / "ticket.json").write_text("{}")
    (device / "12.bundle").write_bytes(b"x" * 1000)
    return tmp_path / "stick" / "hymio"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_ticket_and_configuration_are_copied(stick: Path, tmp_path: Path) -> None:
    target = tmp_path / "run" / "hymio"
    done = copy(stick, target)
    assert done.returncode == 0, done.stderr
    assert names(target) == ["esim-0001/12.bundle", "esim-0001/ticket.json"]
    modes = {path.stat().st_mode & 0o007 for path in target.rglob("*")}
    assert modes == {0}


def test_a_second_stick_replaces_the_first(stick: Path, tmp_path: Path) -> None:
    target = tmp_path / "run" / "hymio"
    copy(stick, target)
    (stick / "esim-0001" / "12.bundle").rename(stick / "esim-0001" / "13.bundle")
    assert copy(stick, target).returncode == 0
    assert names(target) == ["esim-0001/13.bundle", "esim-0001/ticket.json"]


def test_links_pipes_and_hidden_names_are_left_alone(stick: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for the screen")
    (stick / "esim-0001" / "link.json").symlink_to(secret)
    (stick / "esim-0002").symlink_to(tmp_path)
    os.mkfifo(stick / "esim-0001" / "pipe")
    (stick / "esim-0001" / "._ticket.json").write_text("of a file manager")
    (stick / "esim-0001" / "two words").write_text("x")
    assert copy(stick, tmp_path / "to").returncode == 0
    assert names(tmp_path / "to") == ["esim-0001/12.bundle", "esim-0001/ticket.json"]


def test_a_linked_folder_hymio_is_refused(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "hymio").symlink_to("/etc")
    done = copy(tmp_path / "hymio", tmp_path / "to")
    assert done.returncode == 1
    assert not (tmp_path / "to").exists()


def test_too_much_is_refused_whole_and_the_earlier_copy_stays(stick: Path, tmp_path: Path) -> None:
    target = tmp_path / "to"
    copy(stick, target)
    with (stick / "esim-0001" / "big.bundle").open("wb") as file:
        file.truncate((64 << 20) + 1)
    done = copy(stick, target)
    assert done.returncode == 1
    assert "64 MB" in done.stderr
    assert names(target) == ["esim-0001/12.bundle", "esim-0001/ticket.json"]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_too_many_files_and_too_deep_folders_are_refused(stick: Path, tmp_path: Path) -> None:
    for number in range(2001):
        (stick / f"f{number}").touch()
    assert "2000 files" in copy(stick, tmp_path / "to").stderr
    deep = tmp_path / "deep" / "hymio"
    (deep / "a/b/c/d/e/f").mkdir(parents=True)
    assert "too deep" in copy(deep, tmp_path / "to").stderr


@pytest.mark.parametrize("words", [["in", "../sda"], ["out", "a/b"], [], ["in"]])
def test_a_device_is_a_plain_name(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2


def test_carried_answers_stay_on_the_stick(stick: Path, tmp_path: Path) -> None:
    answers = stick / "esim-0001" / "answers"
    answers.mkdir()
    (answers / "one.json").write_bytes(b"x" * 1000)
    target = tmp_path / "run" / "hymio"
    assert copy(stick, target).returncode == 0
    assert not (target / "esim-0001" / "answers").exists()
    assert (target / "esim-0001" / "ticket.json").is_file()
