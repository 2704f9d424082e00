"""What every test shares."""

from __future__ import annotations

import os
import signal
import sys
from itertools import zip_longest
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, for the result decides whether a change lands; new ones by
# `pytest --hypothesis-profile new`. A busy machine is no fault of an example.
SLOW = [HealthCheck.too_slow]
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile("new", deadline=None, suppress_health_check=SLOW)
settings.load_profile("same")

if sys.dont_write_bytecode:
    # The programs that tests start, hundreds of them, would each compile themselves anew.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parents[1] / "build" / "pycache")

for number in (signal.SIGINT, signal.SIGHUP):
    # Ignored by a job in the background or under nohup, it would be so in all that tests start,
    # and nothing could be ended by it.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


WAITS = ("display", "browser", "postgres", "slow")
"""Marks of tests that wait for other programs for much of their time."""
PROGRAMS = ("drills", "faults", "device")
"""Folders whose tests do so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait first, each followed by one that works, the short ones last.

    A process with nothing but waiting tests leaves its processor idle, and one that comes to the
    longest file last lets the others wait for it.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting, working = [], []
    for path, found in files.items():
        waits = any(each.get_closest_marker(mark) for each in found for mark in WAITS)
        (waiting if waits or {*PROGRAMS} & {*path.parts} else working).append(found)
    working.sort(key=len, reverse=True)
    pairs = zip_longest(waiting, working, fillvalue=list[pytest.Item]())
    items[:] = [item for pair in pairs for found in pair for item in found]
