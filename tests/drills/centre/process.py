"""`hymio collector serve` as a process of its own, forked from one that has everything imported.

The command, its signals and its exit codes are the real ones; only the second it takes to import
is spared, for a drill starts some hundred centres.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LONG_S = 60.0
"""A limit for what takes a second on a quiet machine."""

STOPPED = threading.Event()
"""Set when somebody ends the drill: whatever waits gives up."""

_turn = threading.Lock()
"""Each start looks at all processes, and two threads that read one's exit code read it wrongly."""
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["sync.collector.cli", "sync.collector.web"])


def until(true: Callable[[], object], what: str, limit_s: float = LONG_S) -> None:
    """Wait for a condition. Raises AssertionError."""
    deadline = time.monotonic() + limit_s
    while not true():
        assert not STOPPED.is_set(), "stopped"
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s: {what}"
        time.sleep(0.01)


def _run(words: Sequence[str], log: str, weakened: str, gate: str) -> None:
    os.setsid()
    while gate and Path(gate).exists():
        time.sleep(0.005)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.close(out)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Ignored under `nohup`, and the centre would leave it so.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if weakened:
        from tests.drills.centre import weakened as variants

        getattr(variants, weakened)()
    from sync.collector.cli import collector

    collector(list(words), prog_name="hymio collector")


class Process:
    """A `hymio collector` command; as `tests.faults.house.Child`.

    It begins once the file `gate` is gone.
    """

    def __init__(
        self, words: Sequence[str], log: Path, weakened: str = "", *, gate: Path | None = None
    ) -> None:
        self.log = log
        args = (list(words), str(log), weakened, str(gate or ""))
        self._process = _forks.Process(target=_run, args=args, daemon=True)
        with _turn:
            self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit code once it has ended; negative: the signal."""
        with _turn:
            return self._process.exitcode

    def wait(self, timeout_s: float = LONG_S) -> int:
        """Wait for its own end; the exit code."""
        until(lambda: self.ended is not None, "the process ends", timeout_s)
        assert self.ended is not None
        return self.ended

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`; also when the drill has been stopped."""
        self._process.kill()
        deadline = time.monotonic() + LONG_S
        while self.ended is None:
            assert time.monotonic() < deadline, "it does not die"
            time.sleep(0.005)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.ended is None:
            self.send(signal.SIGTERM)
        return self.wait()

    def said(self) -> str:
        """What all processes with this log wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def memory_mb(self) -> int:
        """The most memory it had so far, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

    def files(self) -> int:
        """Files it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


class Meddled:
    """A process under strace: the n-th such call fails, or is its last; a context manager.

    `what` is strace's: `signal=SIGKILL` or `error=ENOSPC`. Counted for each thread by itself.
    """

    def __init__(self, process: Process, calls: str, what: str, when: str) -> None:
        self._log = process.log.with_suffix(".strace")
        self._process = process
        self._command = ["strace", "-f", "-qq", "-o", str(self._log), "-p", str(process.pid)]
        self._command += ["-e", f"trace={calls}"]
        if what:
            self._command += ["-e", f"inject={calls}:{what}:when={when}"]

    def __enter__(self) -> Meddled:
        self._strace = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._attached, "strace holds every thread")
        return self

    def _attached(self) -> bool:
        if self._process.ended is not None or self._strace.poll() is not None:
            return True
        try:
            tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
            return not any("TracerPid:\t0\n" in (task / "status").read_text() for task in tasks)
        except OSError:
            # A thread, or the process, ended while it was looked at: once more.
            return False

    def counts(self) -> list[int]:
        """How many of the calls each thread has made."""
        found: dict[str, int] = {}
        for line in self._log.read_text(errors="replace").splitlines():
            if "(" in line and "resumed" not in line:
                thread = line.split()[0]
                found[thread] = found.get(thread, 0) + 1
        return sorted(found.values(), reverse=True)

    def __exit__(self, *_: object) -> None:
        # Of a process that is just being killed it cannot let go: then it is killed itself.
        if self._process.ended is None:
            self._strace.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._strace.wait(0.3 if self._process.ended is not None else LONG_S)
            return
        self._strace.kill()
        self._strace.wait(LONG_S)


def can_meddle() -> bool:
    """Whether strace is there and may hold a process that is not its child."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            strace = subprocess.Popen(
                ["strace", "-qq", "-p", str(sleeper.pid)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            sleeper.kill()
            return False
        status = Path(f"/proc/{sleeper.pid}/status")
        try:
            until(lambda: strace.poll() is not None or _held(status), "strace holds or gives up")
            return _held(status)
        finally:
            sleeper.kill()
            strace.wait(LONG_S)


def _held(status: Path) -> bool:
    return "TracerPid:\t0\n" not in status.read_text()
