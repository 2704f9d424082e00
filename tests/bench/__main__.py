"""`python -m tests.bench [PART ...] [--record] [--quick] [--top N] [--format json]`."""

from __future__ import annotations

import importlib
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from tests.bench import results
from tests.bench.figures import Figure, as_json, as_table, machine

TOP = 6
"""Growth goes up to this power of ten unless asked: another takes half an hour and 15 GB."""


class Measure(NamedTuple):
    """One part: its module's `measure(folder, **sizes)`."""

    module: str
    quick: dict[str, object]
    """The smaller sizes of `--quick`."""
    grows: bool = False
    """Whether it takes `levels`, the powers of ten to measure."""
    lasts: bool = False
    """Whether it takes `many`, the visits after which memory is read."""


PARTS = {
    "append": Measure("tests.bench.append", {"rounds": 20, "block": 20}),
    "sync": Measure("tests.bench.transfer", {"rounds": 2, "records": 2000}),
    "ingest": Measure("tests.bench.ingest", {"rounds": 4}),
    "terminal": Measure(
        "tests.bench.terminal", {"starts": 1, "taps": 8, "idle_s": 5.0, "visits": 2}
    ),
    "browser": Measure(
        "tests.bench.browser",
        {"rounds": 1, "taps": 8, "visits": 2, "idle_s": 5.0, "presses": 8},
    ),
    "visits": Measure("tests.bench.browser_many", {"many": 20}, lasts=True),
    "speech": Measure("tests.bench.speech", {"visits": 2}),
    "report": Measure("tests.bench.report", {}, grows=True),
    "growth": Measure("tests.bench.growth", {"rounds": 6}, grows=True),
}
QUICK_TOP = 5


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--quick", is_flag=True, help="Smaller sizes: shows that it works, little more.")
@click.option(
    "--top",
    type=click.IntRange(3, 7),
    help=f"Highest power of ten of report and growth; {TOP} by default.",
)
@click.option(
    "--visits",
    type=click.IntRange(1),
    help="Visits after which that part reads memory; 2,000 by default.",
)
@click.option("--record", is_flag=True, help="Write RESULTS.md, its chart and its JSON anew.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/bench"),
    show_default=True,
    help="Where the data lie while measuring; a disk, not memory.",
)
def bench(  # noqa: PLR0917 - a command's options
    parts: tuple[str, ...],
    form: str,
    quick: bool,
    top: int | None,
    visits: int | None,
    record: bool,
    folder: Path,
) -> None:
    """Measure PARTS (all by default) and print figures, ratios and targets.

    With --record each part replaces its own former figures as soon as it is done. Exit 1 when a
    part could not be measured; a missed target is a result, not a failure.
    """
    if quick and record:
        raise click.UsageError("what --quick measures is not worth recording")
    # Told to end, it ends what it started: also in the background, where Ctrl-C is not heard.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder.mkdir(parents=True, exist_ok=True)
    line = machine(folder)
    top = top or (QUICK_TOP if quick else TOP)
    figures: list[Figure] = []
    failed = False
    for name in parts or PARTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            found, seconds, before = _measure(name, folder, quick, top, visits)
        except Exception:  # noqa: BLE001 - the other parts are still worth having
            failed = True
            traceback.print_exc()
            print(f"{name}: not measured", file=sys.stderr, flush=True)
            continue
        figures += found
        print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
        if record:
            command = f"python -m tests.bench --record {name}"
            command += f" --top {top}" if PARTS[name].grows else ""
            command += f" --visits {visits}" if PARTS[name].lasts and visits else ""
            kept = results.part(command, before, seconds, found)
            results.record(results.PLACE, {name: kept}, list(PARTS))
    print(as_json(figures, line) if form == "json" else as_table(figures, line))
    sys.exit(1 if failed else 0)


def _measure(
    name: str, folder: Path, quick: bool, top: int, visits: int | None
) -> tuple[list[Figure], float, str]:
    """The figures of a part, the seconds it took, and the machine when it began."""
    one = PARTS[name]
    sizes: dict[str, object] = dict(one.quick) if quick else {}
    if one.grows:
        sizes["levels"] = tuple(range(3, top + 1))
    if one.lasts and visits:
        sizes["many"] = visits
    measure: Callable[..., list[Figure]] = importlib.import_module(one.module).measure
    line, began = machine(folder), time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as place:
        found = measure(Path(place).resolve(), **sizes)
    return found, time.monotonic() - began, line


if __name__ == "__main__":
    bench()
