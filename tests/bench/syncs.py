"""How often a program really asks the disk to keep something: its sync calls, seen by strace."""

from __future__ import annotations

import re
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
