"""A device that was without network for weeks: what its programs need then, beside a short while.

Everything is real: outbox, sender, centre, each in a process of its own.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.contract.ids import uuid7
from sync.contract.records import digest, freeze
from sync.datadir import DataDir
from sync.epoch import New
from sync.outbox import Outbox
from tests.bench.samples import records
from tests.drills.part import Row
from tests.faults.checkers import missing_or_doubled, unbalanced
from tests.faults.house import ROOT, House

FEW = 2_000
"""One batch: what the memory of the other is compared with."""
MORE_KB = 12 << 10
"""Memory that a backlog of any size may need beyond that of one batch, in KiB."""
SLOWER, SLACK_S = 2.0, 0.02
"""How much slower the last batches may be than the first, in processor time."""


def fill(root: Path, number: int, *, older: bool = False) -> list[str]:
    """An outbox with so many records, `older`: in another file than the current one; their ids."""
    box = Outbox(DataDir(root))
    ids: list[str] = []
    made = records(number, seed=number)
    for first in range(0, number, 5000):
        raws = [freeze(record) for record in made[first : first + 5000]]
        rows = [New(uuid7(), raw, digest(raw)) for raw in raws]
        box.append(rows)
        box.file.checkpoint()
        ids += [row.id for row in rows]
    if older:
        box.begin("the drill begins another")
    box.close()
    return ids


def damage(root: Path) -> None:
    """Garbage over a page in the middle of the largest file."""
    path = max((root / "outbox").glob("*.db"), key=lambda file: file.stat().st_size)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)


def child(verb: str, root: Path, *more: str) -> dict[str, Any]:
    """What a program of the device's needed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.drills.fleet.measured", verb, str(root), *more],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, f"{verb}: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass
class Weeks:
    """One device with few records and one with many at one centre."""

    house: House
    many: int
    older: bool = False

    def __post_init__(self) -> None:
        self.roots: dict[str, Path] = {}
        self.ids: dict[str, list[str]] = {}
        for number, (name, count) in enumerate((("few", FEW), ("many", self.many))):
            self.roots[name] = self.house.device(f"weeks-{name}", number=number)
            self.ids[name] = fill(self.roots[name], count, older=self.older)

    def both(self, verb: str, *more: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same with few and with many."""
        few, many = (child(verb, self.roots[name], *more) for name in ("few", "many"))
        return few, many

    def sent(self) -> Row:
        """Drain both."""
        few, many = self.both("send")
        steps = many["steps_s"]
        quarter = max(1, len(steps) // 4)
        first, last = statistics.median(steps[:quarter]), statistics.median(steps[-quarter:])
        wrong = larger(few, many)
        if last > SLOWER * first + SLACK_S:
            wrong.append(
                f"a batch takes {last:.3f} s at the end and {first:.3f} s at the beginning"
            )
        for number, (name, found) in enumerate((("few", few), ("many", many))):
            if found["left"] or found["state"] != "ok":
                wrong.append(f"{name}: {found['left']} left, {found['state']}")
            wrong += unbalanced(self.house.ledger(self.roots[name])["epochs"])
            wrong += self._at_centre(name, self.house.bundles[number].device)
        note = (
            f"{needs(few, many)}; {len(steps)} batches, {1000 * first:.0f} ms of processor for one"
            f" at first, {1000 * last:.0f} ms at last"
        )
        return Row(f"sender, {self._where}", 2, wrong, note)

    def _at_centre(self, name: str, device: str) -> list[str]:
        rows = self.house.rows("select id from records where device = ?", device)
        ids = [str(ident) for (ident,) in rows]
        return missing_or_doubled(self.ids[name], ids)[:5]

    def told(self) -> Row:
        """The ledger, while everything waits."""
        few, many = self.both("ledger")
        wrong = larger(few, many)
        if (few["to_send"], many["to_send"]) != (FEW, self.many):
            wrong.append(f"the ledger counts {many['to_send']} records to send")
        return Row(f"ledger, {self._where}", 2, wrong, f"{needs(few, many)}, {seconds(many)}")

    def opened(self) -> Row:
        """The terminal's start, and its tending."""
        few, many = self.both("open")
        steps = [statistics.median(found["steps_s"]) for found in (few, many)]
        wrong = larger(few, many)
        if steps[1] > SLOWER * steps[0] + SLACK_S:
            wrong.append(f"tending takes {steps[1]:.3f} s with much, {steps[0]:.3f} s with little")
        note = (
            f"{needs(few, many)}; start {few['start_s']:.2f} and {many['start_s']:.2f} s,"
            f" tending {1000 * steps[0]:.1f} and {1000 * steps[1]:.1f} ms of processor"
        )
        return Row(f"terminal's start and tending, {self._where}", 2, wrong, note)

    def salvaged(self) -> Row:
        """The terminal's start with a damaged file."""
        copies = {}
        for name, root in self.roots.items():
            copies[name] = shutil.copytree(root, root.with_name(f"{root.name}-damaged"))
            damage(copies[name])
        few, many = (child("open", copies[name]) for name in ("few", "many"))
        wrong = larger(few, many)
        for found in (few, many):
            if "corrupt" not in found["alarms"]:
                wrong.append(f"the damage was not found: {found['alarms']}")
        for copy in copies.values():
            shutil.rmtree(copy)
        return Row(
            f"salvage of a damaged file, {self._where}",
            2,
            wrong,
            f"{needs(few, many)}, {seconds(many)}",
        )

    @property
    def _where(self) -> str:
        return f"{self.many:,} records" + (" in an older file" if self.older else "")


def larger(few: dict[str, Any], many: dict[str, Any]) -> list[str]:
    """Whether a program needs more memory for many than for few."""
    if many["peak_kb"] - few["peak_kb"] <= MORE_KB:
        return []
    return [f"{many['peak_kb'] >> 10} MiB for many, {few['peak_kb'] >> 10} MiB for few"]


def needs(few: dict[str, Any], many: dict[str, Any]) -> str:
    """Memory in words."""
    return f"{few['peak_kb'] / 1024:.1f} MiB for {FEW:,}, {many['peak_kb'] / 1024:.1f} MiB for all"


def seconds(many: dict[str, Any]) -> str:
    """Processor time in words."""
    return f"{many['cpu_s']:.2f} s of processor"
