"""`make drill`: power cuts after every call that writes, and disks that fail or are damaged."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.drills.card import disks
from tests.drills.power import Report, Run, cut_power, record, shelf
from tests.drills.scenarios import SCENARIOS
from tests.faults.house import ROOT

CHUNK = 10
"""Cuts a worker takes at a time."""
MACHINE = "tests/drills/test_power_machine.py"

_runs: list[Run] = []
_shelf: list[Path] = []
_shown: list[str] = []


def _work(task: tuple[int, list[int], int]) -> tuple[int, Report]:
    number, cuts, seed = task
    return number, cut_power(_runs[number], cuts, _shelf[0], seed=seed, thorough=True)


def _quiet() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def power(seed: int, workers: int) -> list[str]:
    """Every scenario, every cut; prints figures and returns the failures."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder, shelf() as place:
        for number, scenario in enumerate(SCENARIOS):
            _show(f"0 %, recording {scenario.name}")
            _runs.append(record(scenario, Path(folder) / str(number)))
        _shelf.append(place)
        tasks = [
            (number, run.cuts[first : first + CHUNK], seed)
            for number, run in enumerate(_runs)
            for first in range(0, len(run.cuts), CHUNK)
        ]
        reports = [Report() for _ in _runs]
        # Forked, so that the workers have what was recorded.
        pool = multiprocessing.get_context("fork").Pool(workers, _quiet)
        try:
            for done, (number, report) in enumerate(pool.imap_unordered(_work, tasks), 1):
                reports[number] += report
                states = sum(each.states for each in reports)
                failing = sum(len(each.failures) for each in reports)
                _show(f"{done * 100 // len(tasks)} %, {states} states, {failing} failing")
            pool.close()
        except BaseException:
            pool.terminate()
            raise
        finally:
            pool.join()
    _show("")
    total = Report()
    print(f"{'scenario':24}{'cuts':>8}{'states':>9}{'failing':>9}")
    for run, report in zip(_runs, reports, strict=True):
        total += report
        print(_line(run.scenario.name, report))
    print(_line("total", total), f"in {time.monotonic() - begun:.0f} s, seed {seed}")
    return total.failures


def _line(name: str, report: Report) -> str:
    return f"{name:24}{report.cuts:8}{report.states:9}{len(report.failures):9}"


def _show(text: str) -> None:
    """Progress: on one line where somebody watches, else a line for every tenth of the way."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text and (tenth := text.partition(" ")[0].rjust(3)[:2]) not in _shown:
        _shown.append(tenth)
        print(text, file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Exit 1 when something acknowledged was lost or doubled."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other torn writes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--step", type=int, default=1, help="only every such call of a disk fails")
    options = parser.parse_args(words)
    print("power cuts: real recorder, system calls by strace, states opened by the real programs")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failures = power(options.seed, options.workers)
        failures += disks(options.seed, options.workers, options.step)
        for failure in failures[:40]:
            print(f"  {failure}")
        print("power cuts, kills and write-backs in any order (Hypothesis)", flush=True)
        machine = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", MACHINE],
            cwd=ROOT,
            env={**os.environ, "HYMIO_DRILL": "1"},
            check=False,
        )
    except KeyboardInterrupt:
        _show("")
        print("stopped", file=sys.stderr)
        return 130
    return 1 if failures or machine.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
