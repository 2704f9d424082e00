"""The voice as `hymio kiosk` starts it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.speech import state
from kiosk.terminal import kiosk
from sync.contract.bundle import Speech
from sync.datadir import DataDir, read_json
from tests.bench.screen import wait_until
from tests.faults.terminal import LIMIT_S, Terminal, terminal
from tests.ui.stage import bundle

LOUDSPEAKER = Path(__file__).with_name("loudspeaker.py")


def run(found: Terminal, data: DataDir, speech: str, *options: str) -> None:
    """Start it with these options, and wait until it says so of its speech."""
    found.options = options
    found.start()

    def told() -> bool:
        return (read_json(data.terminal_json) or {}).get("speech") == speech

    wait_until(told, LIMIT_S, poll_s=0.05, what=f"speech is {speech!r}")


@pytest.mark.display
def test_a_terminal_with_a_player_says_that_it_speaks(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    player = [sys.executable, "-S", "-I", str(LOUDSPEAKER), str(tmp_path)]
    with terminal(bundle(), data.root, tmp_path / "log") as found:
        run(found, data, "", "--player", shlex.join(player))


@pytest.mark.display
def test_a_terminal_that_must_not_speak_says_so(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    with terminal(bundle(speech=Speech(enabled=False)), data.root, tmp_path / "log") as found:
        run(found, data, state.OFF)


def test_a_player_that_is_no_command_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(kiosk, ["--data", str(tmp_path), "--player", "'unclosed"])
    assert done.exit_code == 2
    assert "--player" in done.output
