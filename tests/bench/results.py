"""What was measured, kept: one JSON file, and the page and the chart written from it.

Parts may be measured at different times; each keeps its own date, command and machine. A part
measured again replaces its own figures and nobody else's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.chart import bars, draw
from tests.bench.figures import Figure, number, verdict

PLACE = Path(__file__).parent
DIGITS = 4
"""Significant digits kept; a measurement has fewer."""
HEAD = """\
# What `make bench` measured

Written by `python -m tests.bench --record [PART ...]` from `results.json`; not edited by hand.
Absolute figures belong to the machine they were taken on, ratios travel: both sides of each were
measured in the same run, by turns. How each is measured stands at the top of its module in
[`tests/bench`](.).

![Ratios against peers and limits, on a logarithmic axis](results.svg)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one part of the bench."""

    date: str
    """ISO, UTC, to the minute."""
    command: str
    machine: str
    """One line, with the load when the part began."""
    seconds: float
    figures: tuple[Figure, ...]


def part(command: str, machine: str, seconds: float, figures: Iterable[Figure]) -> Part:
    """A part measured now."""
    kept = tuple(_rounded(figure) for figure in figures)
    date = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
    return Part(date, command, machine, round(seconds), kept)


def load(place: Path) -> dict[str, Part]:
    """The parts kept in `results.json`; none where there is no such file."""
    file = place / "results.json"
    if not file.exists():
        return {}
    found = json.loads(file.read_text())["parts"]
    return {name: _part(value) for name, value in found.items()}


def record(place: Path, measured: Mapping[str, Part], order: Sequence[str]) -> None:
    """Put the parts measured in the place of the same ones kept, and write all three files.

    `order` is all parts there are; one that is neither measured nor kept is told as not run.
    """
    kept = load(place) | dict(measured)
    parts = {name: kept[name] for name in order if name in kept}
    found = {"parts": {name: asdict(value) for name, value in parts.items()}}
    _write(place / "results.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    _write(place / "results.svg", draw(bars(f for p in parts.values() for f in p.figures)))
    _write(place / "RESULTS.md", page(parts, order))


def page(parts: Mapping[str, Part], order: Sequence[str]) -> str:
    """`RESULTS.md`: what the targets came to, then a table for each part."""
    judged = [f for p in parts.values() for f in p.figures if f.target is not None]
    lines = [HEAD, *_summary(judged)]
    for name in order:
        lines += ["", f"## {name}", ""]
        if name not in parts:
            lines.append("Not run yet.")
            continue
        one = parts[name]
        lines += [
            f"{one.date}, `{one.command}`, {one.seconds:,.0f} s, on {one.machine}",
            "",
            "| what | figure | unit | target | note |",
            "|---|--:|---|---|---|",
        ]
        lines += [_row(figure) for figure in one.figures]
    return "\n".join(lines) + "\n"


def _summary(judged: Sequence[Figure]) -> list[str]:
    met = sum(figure.met is True for figure in judged)
    lines = [f"**{met} of {len(judged)} targets met.**"]
    for figure in judged:
        if figure.met is not True:
            word = "not measured" if figure.met is None else "missed"
            value = "" if figure.value is None else f": {number(figure.value)} {figure.unit}"
            sign = "at least" if figure.sense == "at least" else "at most"
            lines.append(f"* {word}: {figure.name}{value} ({sign} {figure.target:g})")
    return lines if len(lines) == 1 else [lines[0], "", *lines[1:]]


def _row(figure: Figure) -> str:
    value = "not measured" if figure.value is None else number(figure.value)
    judged = verdict(figure).replace("MISSED", "**missed**")
    cells = (figure.name, value, figure.unit, judged, figure.note)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _rounded(figure: Figure) -> Figure:
    value = None if figure.value is None else float(f"{figure.value:.{DIGITS}g}")
    return Figure(figure.name, value, figure.unit, figure.note, figure.target, figure.sense)


def _part(value: dict[str, Any]) -> Part:
    figures = tuple(Figure(**figure) for figure in value.pop("figures"))
    return Part(**value, figures=figures)


def _write(path: Path, text: str) -> None:
    # Whole or not at all: a run may be stopped at any moment.
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)
