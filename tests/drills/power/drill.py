"""Power cuts after every call that writes: the real programs, their calls, a model of the disk."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.drills.part import Options, Row, spread
from tests.drills.power.cuts import Report, Run, cut_power, record, shelf
from tests.drills.power.scenarios import SCENARIOS
from tests.faults.house import ROOT

CHUNK = 10
"""Cuts a worker takes at a time."""
MACHINE = "tests/drills/power/test_power_machine.py"

_runs: list[Run] = []
_shelf: list[Path] = []


def _work(task: tuple[int, list[int], int]) -> tuple[int, Report]:
    number, cuts, seed = task
    return number, cut_power(_runs[number], cuts, _shelf[0], seed=seed, thorough=True)


def drill(options: Options) -> Iterator[Row]:
    """Every scenario, every cut; then a state machine that does all of it in any order."""
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder, shelf() as place:
        _runs[:] = [
            record(scenario, Path(folder) / str(number))
            for number, scenario in enumerate(SCENARIOS)
        ]
        _shelf[:] = [place]
        tasks = [
            (number, run.cuts[first : first + CHUNK], options.seed)
            for number, run in enumerate(_runs)
            for first in range(0, len(run.cuts), CHUNK)
        ]
        report, at = Report(), 0
        for number, part in spread(_work, tasks, options.workers):
            if number != at:
                yield _row(_runs[at], report)
                report, at = Report(), number
            report += part
        yield _row(_runs[at], report)
    yield _any_order()


def _row(run: Run, report: Report) -> Row:
    return Row(run.scenario.name, report.states, report.failures, f"{report.cuts} cut points")


def _any_order() -> Row:
    """Hypothesis: power cuts, kills and write-backs in any order."""
    machine = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", MACHINE],
        cwd=ROOT,
        env={**os.environ, "HYMIO_DRILL": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = machine.communicate()
    finally:
        # Stopped, it clears its folders up; killed, it could not.
        if machine.poll() is None:
            machine.send_signal(signal.SIGINT)
            machine.communicate(timeout=60)
    said = out.strip().splitlines()
    passed = re.search(r"(\d+) passed", said[-1] if said else "")
    failures = [] if machine.returncode == 0 else said[-60:] or [err[-2000:]]
    return Row("any order", int(passed[1]) if passed else 0, failures, "state machines")
