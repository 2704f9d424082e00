"""What the documents name exists, and every command of the README answers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.cli import COMMANDS
from kiosk.fleet.cli import fleet

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.glob("**/*.md")
    if not any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.md)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_fleet_command_and_option_named_is_one(document: Path) -> None:
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    for command, words in re.findall(r"hymio fleet ([a-z]+(?:-[a-z]+)*)([^`|\n;]*)", text):
        assert command in fleet.commands
        options = {name for p in fleet.commands[command].params for name in p.opts} | {"--help"}
        assert set(re.findall(r"--[a-z][a-z-]*", words)) <= options, command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk.cli", command, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: hymio {command}")
