"""A terminal that stood still between a change of screens and its drawing, while people tapped."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from sync.datadir import DataDir
from tests.bench.screen import wait_until
from tests.drills.processes.yard import state_of
from tests.faults.house import ROOT, example
from tests.faults.terminal import LIMIT_S, Terminal, committed, prepared, terminal

pytestmark = pytest.mark.display
QUIET_MS = 1000
"""Longer than in the field: a busy machine, too, reads what waited before it is over."""


def answers_after_a_stop(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, wanted: int, **env: str
) -> int:
    """Tap a number; the screen that follows is never seen, and tapped on; the answers stored.

    They are counted once there are `wanted` of them, and, where that is one, the question stands.
    """
    monkeypatch.setattr(Terminal, "command", _stopping(Terminal.command))
    bundle = prepared(example(1), hold_ms=100, quiet_ms=QUIET_MS)
    data = DataDir(folder / "data")
    data.create()
    with terminal(bundle, Path(data.root), folder / "terminal.log") as subject:
        subject.env = {**subject.env, **env, "PYTHONPATH": str(ROOT)}
        child = subject.start()
        language, statement = bundle.languages[0], bundle.survey.statements[0].id
        subject.tap(subject.pages.rest(language), "nps.5")
        wait_until(lambda: state_of(child.pid) == "T", LIMIT_S, poll_s=0.01)
        page = subject.pages.face(language, statement, 1, 4)
        subject.tap(page, "face.3")
        # Longer than a screen stays quiet after it changed.
        time.sleep(2 * QUIET_MS / 1000)
        os.kill(child.pid, signal.SIGCONT)
        if wanted == 1:
            # Drawn at last: what waited has been read after this, and has come to nothing.
            subject.sees(page)
        subject.wait_for(lambda: committed(subject.data) >= wanted, "the answers on disk")
        subject.settle()
        return committed(subject.data)


def _stopping(command):  # type: ignore[no-untyped-def]
    return lambda self: [
        word.replace("kiosk.cli", "tests.drills.processes.stopping") for word in command(self)
    ]


def test_a_tap_that_waited_answers_no_question_nobody_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers_after_a_stop(tmp_path, monkeypatch, wanted=1) == 1


def test_a_terminal_that_is_not_told_when_it_has_drawn_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers_after_a_stop(tmp_path, monkeypatch, wanted=2, HYMIO_WEAKENED="1") == 2
