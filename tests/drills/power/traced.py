"""The program under strace: commands go in, system calls and promises come out."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.drills.power.calls import LONGEST, TRACED, Call, parse
from tests.faults.house import ROOT

DEADLINE_S = 120.0


class Traced:
    """A running program; use as a context manager. Raises RuntimeError when it ends."""

    def __init__(self, folder: Path, weakened: Sequence[str] = ()) -> None:
        self._log = folder / "strace"
        self._errors = folder / "stderr"
        self._log.touch()
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["strace", "-f", "-xx", "-s", str(LONGEST), "-o", str(self._log),
                 "-e", f"trace={TRACED}",
                 *(sys.executable, "-m", "tests.drills.power.program"), *weakened],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # What the trace shows of the program's start is of no interest.
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )  # fmt: skip
        self._lines = self._log.open(encoding="ascii")
        try:
            self._until_done()
        except BaseException:
            self.close()
            raise

    def do(self, command: str, *args: object) -> list[Call]:
        """Have a command done; the calls it made."""
        assert self._process.stdin is not None
        # Of a program that has ended its log has more to say than a broken pipe.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([command, *args]).encode() + b"\n")
            self._process.stdin.flush()
        return self._until_done()

    def _until_done(self) -> list[Call]:
        calls = []
        line = ""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            part = self._lines.readline()
            if not part:
                if self._process.poll() is not None:
                    raise RuntimeError(f"the program ended: {self._errors.read_text()[-3000:]}")
                if time.monotonic() > deadline:
                    raise RuntimeError("the program does not answer")
                time.sleep(0.0005)
                continue
            line += part
            if not line.endswith("\n"):
                continue
            call = parse(line)
            line = ""
            if call is None:
                continue
            calls.append(call)
            if call.name == "write" and call.args[:2] == (1, b'["done"]\n'):
                return calls

    def close(self) -> None:
        """End the program."""
        self._lines.close()
        if self._process.stdin is not None:
            # It may be gone already.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Traced:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
