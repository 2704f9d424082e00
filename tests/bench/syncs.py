"""How often a program really asks the disk to keep something: its sync calls, seen by strace."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

CALLS = "fsync,fdatasync,sync_file_range,msync,syncfs,sync"
_CALL = re.compile(
    r"^(?:\d+ +)?(?:fsync|fdatasync|sync_file_range|msync|syncfs|sync)\(", re.MULTILINE
)


def traced(log: Path) -> list[str]:
    """What to put before a command to have its sync calls written to `log`, its children's too."""
    return ["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log)]


def count(log: Path) -> int:
    """Sync calls begun so far. A program that answered after a call is past its line here."""
    # A call that another thread interrupts has a second line, "<... fsync resumed>".
    return len(_CALL.findall(log.read_text(errors="replace"))) if log.exists() else 0


def during(pids: Sequence[int], work: Callable[[], object], log: Path) -> int | None:
    """Sync calls these processes make while `work` is done; None where they cannot be traced."""
    if shutil.which("strace") is None:
        return None
    log.unlink(missing_ok=True)
    # Without -qq, to be told when they are attached.
    command = [word for word in traced(log) if word != "-qq"]
    each = [word for pid in pids for word in ("-p", str(pid))]
    with subprocess.Popen([*command, *each], stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        try:
            # One line a process; one that has ended meanwhile counts nothing.
            said = [tracer.stderr.readline() for _ in pids]
            if not all("attached" in line or "No such process" in line for line in said):
                return None
            work()
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.stderr.read()
    return count(log)
