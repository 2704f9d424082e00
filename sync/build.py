"""When this program was made: a clock that says earlier is wrong, and no certificate fits it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from sync.status import iso_of

FILE: Final = Path(__file__).with_name("built.txt")
"""Seconds since 1970, in digits; written by the build of the packages."""


@functools.cache
def built_ms() -> int:
    """Milliseconds since 1970: from the file, else the newest source file's."""
    try:
        return int(FILE.read_text()) * 1000
    except (OSError, ValueError):
        folder = FILE.parent
        return max(int(path.stat().st_mtime * 1000) for path in folder.rglob("*.py"))


def clock_problem(wall_ms: int) -> str:
    """What is wrong with a clock that says earlier, in words for people; "" for any other."""
    built = built_ms()
    if wall_ms >= built:
        return ""
    return (
        f"the clock of this device says {iso_of(wall_ms)[:10]}, before this program was made"
        f" ({iso_of(built)[:10]}), so no certificate fits: set the clock, or connect a network"
        " that does"
    )
