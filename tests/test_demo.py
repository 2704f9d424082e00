"""`hymio demo` as a new user meets it: one command, a virtual screen, a number at the centre."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.faults.house import free_port

HYMIO = [sys.executable, "-m", "kiosk.cli"]
LIMIT_S = 180.0
"""For a dozen programs that start one after the other, on a machine that has other things to do."""


class Run:
    """One running demo and the lines it printed."""

    def __init__(self, home: Path, *words: str) -> None:
        env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        self.process = subprocess.Popen(
            [*HYMIO, "demo", *words],
            env={**env, "HYMIO_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.lines.append("<end>")
            self._news.notify_all()

    def wait_for(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """The first line that matches; fails with all that was printed."""

        def found() -> re.Match[str] | None:
            return next((m for line in self.lines if (m := re.search(pattern, line))), None)

        with self._news:
            self._news.wait_for(lambda: found() or "<end>" in self.lines, timeout_s)
            match = found()
        assert match, f"no line like {pattern!r} in:\n" + "\n".join(self.lines)
        return match

    def interrupt(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT_S)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LIMIT_S)
        if self.process.stdout:
            self.process.stdout.close()


@pytest.mark.display
def test_visitors_tap_and_the_number_is_at_the_centre_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    # Nobody else is given it while the demo is away.
    port = ("--port", str(free_port()))
    first = Run(tmp_path, "--visitors", "2", *port)
    try:
        page = first.wait_for(r"the page\s+(http://127\.0\.0\.1:\d+/)", LIMIT_S).group(1)
        first.wait_for(r"login\s+demo / \S+", LIMIT_S)
        first.wait_for(r"^2 visits, 8 answers at the centre$", LIMIT_S)
        with urllib.request.urlopen(page, timeout=10) as reply:
            assert reply.status == 200
            assert b"<form" in reply.read()
        assert first.interrupt() == 0, "\n".join(first.lines)
    finally:
        first.stop()

    database = f"sqlite:///{tmp_path / 'centre.db'}"
    report = subprocess.run(
        [*HYMIO, "report", "--database", database, "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(report.stdout)["total"]["n"] == 2
    ledger = subprocess.run(
        [*HYMIO, "ledger", "--data", str(tmp_path / "terminal"), "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "to_send" in ledger.stdout

    second = Run(tmp_path, "--visitors", "1")
    try:
        second.wait_for(r"^2 visits, 8 answers at the centre$", LIMIT_S)
        second.wait_for(r"^3 visits, 12 answers at the centre$", LIMIT_S)
        assert second.interrupt() == 0
    finally:
        second.stop()
