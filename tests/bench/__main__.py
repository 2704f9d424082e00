"""`python -m tests.bench [append|sync|terminal|report ...] [--format json] [--quick]`."""

from __future__ import annotations

import importlib
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import click

from tests.bench.figures import Figure, as_json, as_table, machine

PARTS: dict[str, tuple[str, dict[str, object]]] = {
    "append": ("tests.bench.append", {"rounds": 20, "block": 20}),
    "sync": ("tests.bench.transfer", {"rounds": 2, "records": 2000}),
    "terminal": ("tests.bench.terminal", {"starts": 1, "taps": 8, "idle_s": 5.0, "visits": 2}),
    "speech": ("tests.bench.speech", {"visits": 2}),
    "report": ("tests.bench.report", {"levels": (3, 4, 5)}),
}
"""Part -> its module and the smaller size of `--quick`."""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--quick", is_flag=True, help="Smaller sizes: shows that it works, little more.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/bench"),
    show_default=True,
    help="Where the data lie while measuring; a disk, not memory.",
)
def bench(parts: tuple[str, ...], form: str, quick: bool, folder: Path) -> None:
    """Measure PARTS (all by default) and print figures, ratios and targets.

    Exit 1 when a part could not be measured; a missed target is a result, not a failure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    line = machine(folder)
    figures: list[Figure] = []
    failed = False
    for part in parts or PARTS:
        module, small = PARTS[part]
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix=f"{part}-", dir=folder) as place:
            try:
                measure: Callable[..., list[Figure]] = importlib.import_module(module).measure
                figures += measure(Path(place).resolve(), **(small if quick else {}))
            except Exception:  # noqa: BLE001 - the other parts are still worth having
                failed = True
                traceback.print_exc()
                print(f"{part}: not measured", file=sys.stderr, flush=True)
    print(as_json(figures, line) if form == "json" else as_table(figures, line))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    bench()
