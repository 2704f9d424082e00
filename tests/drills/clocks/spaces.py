"""Real processes on other clocks: a time namespace moves boot time and monotonic time."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import requests

from sync.contract import signing
from tests.bench.samples import records
from tests.drills.part import Row
from tests.faults.house import HYMIO, ROOT, House, house
from tests.faults.wire import WireDevice
from tests.faults.wire import rows as wire_rows

ASLEEP = "asleep for eight hours, real processes"
ASLEEP_S = 8 * 3600
SLACK_S = 60.0
CREATED = (
    *(datetime.fromtimestamp(s, UTC) for s in (0, 30, 2**31, 2**32)),
    *(datetime.now(UTC) + timedelta(days=days) for days in (-3650, -1, 1, 3650)),
    *(datetime(1901, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
)
GIVES = """
import sys
from pathlib import Path
from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.datadir import DataDir
from tests.bench.samples import records
import msgspec
clock = Clock(synced=lambda: False)
recorder = Recorder(DataDir(Path(sys.argv[1])), Storage(ballast_mb=0), clock=clock)
for record in records(5, seed=int(sys.argv[2])):
    recorder.commit(msgspec.structs.replace(record, at=clock.stamp()))
recorder.close()
"""


def available() -> str:
    """Why a time namespace cannot be had; empty when it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    tried = subprocess.run(
        ["unshare", "--time", "--boottime", "10", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if tried.returncode == 0 else "a time namespace needs root"


def later(seconds: float, *command: str) -> list[str]:
    """A command on a machine that slept so long: boot time is ahead, monotonic time is not."""
    return ["unshare", "--time", "--boottime", str(int(seconds)), "--", *command]


def rows() -> Iterator[Row]:
    """The same real centre for all of it."""
    with (
        tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder,
        house(Path(folder), devices=2) as home,
    ):
        yield _signatures(home)
        why = available()
        yield Row(ASLEEP, 0, skipped=why) if why else _asleep(home)


def _asleep(home: House) -> Row:
    """Answers, eight hours of sleep, answers, then the sender: each keeps its own time."""
    root, bad = home.device("asleep"), []
    for number, slept in enumerate((0, ASLEEP_S / 2, ASLEEP_S)):
        gives = [sys.executable, "-c", GIVES, str(root), str(number)]
        subprocess.run(later(slept, *gives) if slept else gives, check=True, cwd=ROOT)
    sends = [*HYMIO, "sync", "--data", str(root), "--once"]
    done = subprocess.run(later(ASLEEP_S, *sends), check=False, capture_output=True, text=True)
    if done.returncode:
        bad.append(f"hymio sync: {done.returncode} {done.stderr[-300:]}")
    found = home.rows(
        "select received_ms - instant_ms, quality from records where device = ? order by seq",
        home.bundles[0].device,
    )
    expected = [ASLEEP_S] * 5 + [ASLEEP_S / 2] * 5 + [0] * 5
    for (ago_ms, quality), slept in zip(found, expected, strict=True):
        if quality != "boot" or not -1 <= ago_ms / 1000 - slept < SLACK_S:
            bad.append(f"{ago_ms / 1000:.0f} s ago ({quality}), not {slept:.0f}")
    return Row(ASLEEP, len(expected), bad)


def _signatures(home: House) -> Row:
    """A signature's `created` may say anything: the device is heard."""
    device, bad = WireDevice(home, 1), []
    stored = wire_rows(records(len(CREATED)))
    for row, created in zip(stored, CREATED, strict=True):
        batch = device.batch([row], row.seq, first=1)
        body = gzip.compress(msgspec.json.encode(batch), 1)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        path = "/v1/batches"
        headers |= signing.sign("POST", path, headers, body, device.key, created=created)
        reply = requests.post(home.url + path, data=body, headers=headers, timeout=30)
        if reply.status_code != 200:
            bad.append(f"created {created}: {reply.status_code} {reply.text[:120]}")
    return Row("a signature's `created` years off", len(CREATED), bad)
