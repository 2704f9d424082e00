"""The part of `make drill` about disks: that fail, that are damaged, that lie."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.drills.disks.card import CARDS, NOT_HERE, small_card
from tests.drills.disks.damage import Harm, Image, exchanged, in_place, memory, take_image, tried
from tests.drills.disks.errors import sweep
from tests.drills.disks.lying import lied
from tests.drills.part import Options, Row, spread
from tests.drills.power.cuts import Run, record, shelf
from tests.drills.power.scenarios import SCENARIOS

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


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    yield from damage(options.workers)
    yield from lies(options.seed, options.workers)
    yield from cards()
    yield from faults(options.workers, options.step)


def damage(workers: int) -> Iterator[Row]:
    """Everything that can be done to the files, in three states of the device."""
    with shelf() as place:
        _place[:] = [place]
        for name, state in STATES.items():
            (place / name).mkdir()
            image = take_image(place / name, **state)
            for kind, harms in HARMS.items():
                _harms[:] = [(image, harm) for harm in harms(image)]
                found = list(spread(_harm, range(len(_harms)), workers, 4))
                bad = [text for wrong in found for text in wrong]
                yield Row(f"damage, {name}, {kind}", len(found), bad)


def lies(seed: int, workers: int) -> Iterator[Row]:
    """Disks on which the newest syncs were none."""
    chosen = [scenario for scenario in SCENARIOS if scenario.name in LIED]
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder, shelf() as place:
        _place[:] = [place]
        _runs[:] = [record(each, Path(folder) / each.name) for each in chosen]
        tasks = [(number, seed) for number in range(len(_runs))]
        for run, (states, wrong) in zip(_runs, spread(_lie, tasks, workers), strict=True):
            yield Row(f"lies, {run.scenario.name}", states, wrong)


def cards() -> Iterator[Row]:
    """A card of its own that cannot be written for a while."""
    with shelf() as place:
        for number, (name, work) in enumerate(CARDS.items()):
            folder = place / str(number)
            folder.mkdir()
            with small_card(folder / "card") as card:
                if card is None:
                    yield Row(f"card {name}", 0, skipped=NOT_HERE)
                else:
                    yield Row(f"card {name}", 1, work(card, folder))


def faults(workers: int, step: int) -> Iterator[Row]:
    """Every call of three kinds of day fails."""
    for (calls, error), tally in sweep(workers, step).items():
        note = (
            f"{tally.injected} calls failed, {tally.refused} attempts turned away,"
            f" {tally.idle} cases without one, alarms {tally.alarms or 'none'}"
        )
        name = f"{error} from {calls.replace(',', ' ')}"
        yield Row(name, tally.cases, tally.failures, note)
