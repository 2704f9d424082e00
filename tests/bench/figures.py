"""Figures, ratios with their targets, and the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, or None with the reason in `note`.

    `target` only where the project has set one; `sense` says which way is better.
    """

    name: str
    value: float | None
    unit: str
    note: str = ""
    target: float | None = None
    sense: Literal["at least", "at most"] = "at least"

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None without one, or without a measurement."""
        if self.target is None or self.value is None:
            return None
        return self.value >= self.target if self.sense == "at least" else self.value <= self.target


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile (nearest rank)."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def middle_half(values: Sequence[float]) -> str:
    """Where the half of the values lies that is nearest the median, as words."""
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
    return f"half of them from {number(low)} to {number(high)}"


def machine(folder: Path) -> str:
    """One line: what the figures below were taken on; `folder` is where the data lay."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return (
        f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()},"
        f" {_filesystem(folder)}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}, load {os.getloadavg()[0]:.2f}"
    )


def _filesystem(folder: Path) -> str:
    """The type of the file system holding `folder`: tmpfs would make every fsync a lie."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def as_json(figures: Sequence[Figure], machine_line: str) -> str:
    """All figures as one JSON document."""
    rows = [{**asdict(figure), "met": figure.met} for figure in figures]
    return json.dumps({"machine": machine_line, "figures": rows}, indent=2, ensure_ascii=False)


def as_table(figures: Sequence[Figure], machine_line: str) -> str:
    """All figures as an aligned table: name, value, unit, target, note."""
    rows = [("what", "figure", "unit", "target", "note")]
    for figure in figures:
        rows.append((figure.name, number(figure.value), figure.unit, verdict(figure), figure.note))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [machine_line, ""]
    for name, value, unit, target, note in rows:
        cells = (name.ljust(widths[0]), value.rjust(widths[1]), unit.ljust(widths[2]))
        lines.append("  ".join((*cells, target.ljust(widths[3]), note)).rstrip())
    return "\n".join(lines)


def verdict(figure: Figure) -> str:
    """The target and what came of it, in a few signs; empty without one."""
    if figure.target is None:
        return ""
    sign = "≥" if figure.sense == "at least" else "≤"
    said = {True: "met", False: "MISSED", None: "not measured"}[figure.met]
    return f"{sign} {figure.target:g} {said}"


def number(value: float | None) -> str:
    """Three significant digits, thousands in groups; a dash for what was not measured."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def write_between(page: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of a page. Raises ValueError where one is missing."""
    before, first, rest = page.read_text().partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{page}: the marks around the figures are missing")
    page.write_text(f"{before}{first}\n{text}\n\n{last}{after}")
