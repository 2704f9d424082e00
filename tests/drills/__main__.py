"""`make drill`: everything that breaks, tried on the programs as they are."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from tests.bench.figures import machine, write_between
from tests.drills.part import Drill, Options, Row
from tests.faults.house import ROOT

PARTS = tuple(
    part
    for part in (
        *("power", "disks", "processes", "clocks"),
        *("network", "centre", "content", "fleet"),
    )
    if (Path(__file__).parent / part / "drill.py").exists()
)
BEGIN = "<!-- figures: written by `python -m tests.drills --record` -->\n"
END = "<!-- end of figures -->"
FIGURES = ROOT / "sync" / "RELIABILITY.md"
SHOWN = 40
"""Failures of a row that are printed."""


def run(part: str, options: Options) -> list[Row]:
    """Do one part, printing each row when it is done."""
    drill: Drill = importlib.import_module(f"tests.drills.{part}.drill").drill
    print(f"\n{part:60}{'cases':>8}{'failing':>9}", flush=True)
    rows = []
    begun = time.monotonic()
    # Closed whatever happens: a part that is left half-way has to clear up now.
    with contextlib.closing(_whole(part, drill(options))) as found:
        for row in found:
            rows.append(row)
            bad = "not run" if row.skipped else str(len(row.failures))
            print(f"  {row.name:58}{row.cases:8}{bad:>9}  {row.skipped or row.note}", flush=True)
            for failure in row.failures[:SHOWN]:
                print(f"    {failure}", flush=True)
    print(f"  in {time.monotonic() - begun:.0f} s", flush=True)
    return rows


def _whole(part: str, drilled: Iterator[Row]) -> Generator[Row, None, None]:
    """The rows of a part; where it does not come to its end it has failed, and the next begins."""
    try:
        yield from drilled
    except Exception as error:  # noqa: BLE001 - whatever it is
        traceback.print_exc()
        yield Row(f"{part}: not done to its end", 1, [f"{type(error).__name__}: {error}"[:600]])


def table(found: dict[str, list[Row]], words: str) -> str:
    """All rows as Markdown."""
    lines = [words, "", "| part | what is done | cases | failing | |", "|---|---|---|---|---|"]
    for part, rows in found.items():
        for row in rows:
            bad = "**not run**" if row.skipped else str(len(row.failures))
            cells = (part, row.name, f"{row.cases:,}", bad, row.skipped or row.note)
            lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    every = [row for rows in found.values() for row in rows]
    bad = sum(len(row.failures) for row in every)
    # Cases are of many sizes, from an input of a parser to five thousand terminals: no sum of them.
    lines.append(f"| **all** | **{len(every)} kinds** | | **{bad}** | |")
    return "\n".join(lines)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--seed", default=1, show_default=True, help="Another: other torn writes, moments.")
@click.option("--workers", default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--step", default=1, show_default=True, help="Only every such case of many alike.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the rows there, too.")
@click.option("--record", "recorded", is_flag=True, help="Write the table to sync/RELIABILITY.md.")
def main(  # noqa: PLR0917 - a command's options
    parts: Sequence[str], seed: int, workers: int, step: int, file: Path | None, recorded: bool
) -> None:
    """Do PARTS of the drill (all by default).

    Exit 1 when something acknowledged was lost or doubled, or anything else promised does not hold.
    """
    if recorded and parts:
        raise click.UsageError("--record wants every part")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    options = Options(seed, workers, step)
    try:
        found = {part: run(part, options) for part in parts or PARTS}
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    words = (
        f"`make drill`, {time.strftime('%Y-%m-%d')}, seed {seed},"
        f" {(time.monotonic() - begun) / 60:.0f} minutes on {machine(ROOT)}"
    )
    print(f"\n{words}")
    if file:
        rows = {part: [asdict(row) for row in rows] for part, rows in found.items()}
        file.write_text(json.dumps({"how": words, "parts": rows}, indent=2, ensure_ascii=False))
    if recorded:
        write_between(FIGURES, BEGIN, END, table(found, words))
    sys.exit(any(row.failures for rows in found.values() for row in rows))


if __name__ == "__main__":
    main()
