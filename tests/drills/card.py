"""The part of `make drill` about disks: that fail, that are damaged, that lie; prints figures."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.drills.damage import Harm, Image, exchanged, in_place, memory, take_image, tried
from tests.drills.disk import sweep
from tests.drills.lying import lied
from tests.drills.power import Run, record, shelf
from tests.drills.scenarios import SCENARIOS

T = TypeVar("T")
U = TypeVar("U")

STATES: dict[str, dict[str, bool]] = {
    "records waiting": {},
    "pruned": {"pruned": True},
    "all sent": {"sent": True},
}
HARMS = {"in place": in_place, "sender's memory": memory, "exchanged": exchanged}
LIED: Sequence[str] = ("visits", "restart", "recovery", "mending", "checkpoint by itself")

_harms: list[tuple[Image, Harm]] = []
_runs: list[Run] = []
_place: list[Path] = []


def _harm(number: int) -> list[str]:
    image, harm = _harms[number]
    with tempfile.TemporaryDirectory(dir=_place[0]) as folder:
        try:
            return [f"{harm.name}: {text}" for text in tried(image, harm, Path(folder))[:3]]
        except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
            return [f"{harm.name}: a program ends with {error!r}"]


def _lie(task: tuple[int, int]) -> tuple[int, list[str]]:
    number, seed = task
    run = _runs[number]
    step = max(1, len(run.cuts) // 40)
    report = lied(run, run.cuts[::step], _place[0], span=60, seed=seed)
    return report.states, report.failures


def _quiet() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _all(work: Callable[[T], U], tasks: Sequence[T], workers: int) -> list[U]:
    # Forked, so that the workers have what was prepared.
    pool = multiprocessing.get_context("fork").Pool(workers, _quiet)
    try:
        found = pool.map(work, tasks, chunksize=4)
        pool.close()
    except BaseException:
        pool.terminate()
        raise
    finally:
        pool.join()
    return found


def damage(workers: int) -> list[str]:
    """Everything that can be done to the files, in three states of the device."""
    failures: list[str] = []
    with shelf() as place:
        _place[:] = [place]
        for name, state in STATES.items():
            (place / name).mkdir()
            image = take_image(place / name, **state)
            for kind, harms in HARMS.items():
                _harms[:] = [(image, harm) for harm in harms(image)]
                found = _all(_harm, range(len(_harms)), workers)
                bad = [wrong for wrong in found if wrong]
                print(f"{name + ', ' + kind:40}{len(found):8}{len(bad):9}", flush=True)
                failures += [f"{name}, {text}" for wrong in bad for text in wrong]
    return failures


def lies(seed: int, workers: int) -> list[str]:
    """Disks on which the newest syncs were none."""
    failures: list[str] = []
    chosen = [scenario for scenario in SCENARIOS if scenario.name in LIED]
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder, shelf() as place:
        _place[:] = [place]
        _runs[:] = [record(each, Path(folder) / each.name) for each in chosen]
        for run, (states, wrong) in zip(
            _runs, _all(_lie, [(n, seed) for n in range(len(_runs))], workers), strict=True
        ):
            print(f"{'lying, ' + run.scenario.name:40}{states:8}{len(wrong):9}", flush=True)
            failures += wrong
    return failures


def faults(workers: int, step: int) -> list[str]:
    """Every call of three kinds of day fails."""
    failures: list[str] = []
    for (calls, error), tally in sweep(workers, step).items():
        name = f"{error} from {calls.replace(',', ' ')}"
        print(f"{name:48}{tally.cases:8}{len(tally.failures):9}", end="")
        print(f"   {tally.injected} calls failed, {tally.refused} attempts turned away,", end="")
        print(f" {tally.idle} cases without one, alarms {tally.alarms or 'none'}", flush=True)
        failures += tally.failures
    return failures


def disks(seed: int, workers: int, step: int = 1) -> list[str]:
    """All of it; the failures."""
    print(f"{'disks: what is done to them':40}{'cases':>8}{'failing':>9}", flush=True)
    begun = time.monotonic()
    failures = damage(workers) + lies(seed, workers) + faults(workers, step)
    print(f"disks in {time.monotonic() - begun:.0f} s", flush=True)
    return failures
