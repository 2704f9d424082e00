"""Programs that make sound: started without waiting, ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import IO, Final

END_S: Final = 1.0
_left: list[subprocess.Popen[bytes]] = []
"""Killed, and held by a driver: collected later."""


def start(words: Sequence[str], *, stdout: int) -> subprocess.Popen[bytes]:
    """Start a program that reads its standard input. Raises OSError."""
    _left[:] = [process for process in _left if process.poll() is None]
    return subprocess.Popen(  # noqa: S603 - words of the administrator or our own
        list(words),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        # A player may be a script with children of its own: all of them end together.
        process_group=0,
    )


def pipe_of(pipe: IO[bytes] | None) -> IO[bytes]:
    """A pipe that was asked for. Raises OSError."""
    if pipe is None:
        raise OSError("no pipe")
    return pipe


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that still runs, and its children; close its pipes and collect it."""
    if process.returncode is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        _left.append(process)
