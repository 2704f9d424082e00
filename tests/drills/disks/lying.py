"""A disk that said "durable" and was not: what was synced in its last moments may be gone."""

from __future__ import annotations

import copy
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kiosk.recorder import Recorder, RecorderError
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.datadir import DataDir
from sync.epoch import Row
from sync.ledger import ledger
from tests.bench.samples import records
from tests.drills.power.cuts import DATA, Report, Run
from tests.drills.power.judge import explained, stored
from tests.drills.power.kernel import Kernel
from tests.drills.power.model import Disk, lay_out
from tests.drills.power.promises import Promises

SYNCS = ("fsync", "fdatasync")
LOSS = "acknowledged answers are lost"


def lie(run: Run, cut: int, span: int) -> tuple[Disk, Promises]:
    """The disk right after a call, when the last `span` calls made nothing durable."""
    kernel = Kernel(Disk(run.before), run.root)
    promises = copy.deepcopy(run.promised)
    for at, call in enumerate(run.calls[: cut + 1]):
        if at <= cut - span or call.name not in SYNCS:
            kernel.apply(call)
        if line := kernel.said(call):
            promises.hear(line)
    return kernel.disk, promises


def lied(run: Run, cuts: Sequence[int], shelf: Path, *, span: int, seed: int = 0) -> Report:
    """Judge what such a disk may hold: all up to some moment, or any part of the last moments."""
    report = Report()
    for cut in cuts:
        report.cuts += 1
        disk, promises = lie(run, cut, span)
        waiting = disk.pending
        chance = random.Random(f"{seed} {run.scenario.name} {cut}")
        moments = sorted({0, len(waiting) // 2, chance.randint(0, len(waiting))})
        tried = [("up to a moment", list(waiting[:moment])) for moment in moments]
        tried.append(("any part", [item for item in waiting if chance.random() < 0.5]))
        for kind, kept in tried:
            report.states += 1
            folder = Path(tempfile.mkdtemp(dir=shelf))
            try:
                lay_out(disk.after(kept), folder)
                wrong = _judge(folder / DATA, promises, tail_only=kind == "up to a moment")
            except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
                wrong = [f"a program ends with {error!r}"]
            finally:
                shutil.rmtree(folder)
            if wrong:
                where = f"{run.scenario.name}, after call {cut}, {kind}"
                report.failures.append(f"{where}: {'; '.join(wrong)}")
    return report


def _judge(root: Path, promises: Promises, *, tail_only: bool) -> list[str]:
    data = DataDir(root)
    try:
        recorder = Recorder(data, Storage(ballast_mb=0), clock=Clock(synced=lambda: True))
    except RecorderError as error:
        return [f"the recorder does not start: {error}"]
    try:
        if not tail_only:
            # Anything may be broken; the sender finds it, and the next answer has its place.
            recorder.commit(*records(1, seed=99))
            return []
        rows = stored(data)
        wrong = [text for text in explained(rows, promises) if LOSS not in text]
        wrong += _holes(rows, promises)
        for line in ledger(data):
            wrong += [f"{line.epoch}: {line.note}"] if line.note else []
            wrong += [f"{line.lost} lost by the ledger"] if line.lost else []
        recorder.commit(*records(1, seed=99))
        if len(stored(data)) != len(rows) + 1:
            wrong.append("the next answer is not stored")
        return wrong
    except RecorderError as error:
        return [f"the next answer is not taken: {error}"]
    finally:
        recorder.close()


def _holes(rows: Sequence[tuple[str, Row]], promises: Promises) -> list[str]:
    """Whether anything but the newest is gone."""
    there = {row.id for _, row in rows}
    wanted = [ident for ident in promises.stored if ident not in promises.may_go]
    found = [ident in there for ident in wanted]
    return [] if found == sorted(found, reverse=True) else ["more than the newest answers are gone"]
