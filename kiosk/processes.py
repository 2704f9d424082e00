"""Child processes of the demo, and the ports and displays they use."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

STOP_TIMEOUT_S = 15.0


def _die_with_parent() -> None:
    """Have the kernel end the child when the demo itself is killed: no orphans on a desktop."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Processes:
    """The demo's children: started with a log file each, ended in reverse order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str], **env: str) -> subprocess.Popen[bytes]:
        """Start a child in its own session, so that Ctrl-C reaches only the demo."""
        with (self._logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own commands
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **env},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs yet
            )
        self._running.append((name, child))
        return child

    def ended(self) -> tuple[str, int] | None:
        """The first child that ended by itself, with its exit code."""
        for name, child in self._running:
            if child.poll() is not None:
                return name, child.returncode
        return None

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The last lines a child wrote."""
        text = (self._logs / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End the children, the last started first; what does not end in time is killed."""
        for name, child in reversed(self._running):
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                click.echo(f"{name} does not end; killing it")
                child.kill()
                child.wait()
        self._running.clear()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_taken(port: int) -> bool:
    """Whether a port of this machine cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def answers(port: int) -> bool:
    """Whether something listens on a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def free_display() -> int:
    """The number of an X display nobody uses."""
    return next(
        n
        for n in range(90, 1000)
        if not Path(f"/tmp/.X{n}-lock").exists()  # noqa: S108 - X's own place
        and not Path(f"/tmp/.X11-unix/X{n}").exists()  # noqa: S108
    )
