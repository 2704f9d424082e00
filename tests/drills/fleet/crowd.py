"""`hymio simulate` against a real centre that is stopped in the middle and started again."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.drills.part import Row
from tests.faults.house import HYMIO, House, house

AWAY_S = 4.0
SIMULATED = "sim-%"


def operator_key(home: House) -> Path:
    """The file of the operator's private key."""
    path = home.folder / "operator.key"
    path.write_bytes(
        home._operator.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def crowd(folder: Path, *, terminals: int, rate: int, seconds: int, database: str = "") -> Row:
    """So many terminals, `rate` visits a second; what does not hold, seen from outside."""
    with house(folder, database=database) as home:
        command = [*HYMIO, "simulate", "--collector", home.url, "--format", "json"]
        command += ["--operator-key", str(operator_key(home)), "--terminals", str(terminals)]
        command += ["--rate", str(rate), "--duration", str(seconds), "--wait", "120"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            some = "select count(*) from records where device like ?"
            until = time.monotonic() + 120
            while home.rows(some, SIMULATED) == [(0,)] and time.monotonic() < until:
                assert child.poll() is None, "hymio simulate has ended"
                time.sleep(0.2)
            home.centre.stop()
            # The length of the outage, not a wait for anything.
            time.sleep(AWAY_S)
            home.start_centre()
            out, _ = child.communicate(timeout=240)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        found = json.loads(out)
        wrong = _wrong(home, found)
        if child.returncode:
            wrong.append(f"hymio simulate ends with {child.returncode}")
    after = found["acknowledged_after_s"]
    note = (
        f"{found['records']:,} records, {found['records_per_s']:.0f} a second with the outage;"
        f" at the centre after {after['median']:.1f} s (median), {after['slowest']:.1f} s (slowest)"
    )
    where = "PostgreSQL" if database else "SQLite"
    return Row(f"hymio simulate, centre stopped in the middle, {where}", terminals, wrong, note)


def _wrong(home: House, found: dict[str, Any]) -> list[str]:
    wrong = []
    ours = "from records where device like ?"
    count, distinct, forks = home.rows(
        f"select count(*), count(distinct id), sum(fork) {ours}", SIMULATED
    )[0]
    if not found["records"] == found["acknowledged"] == count == distinct or forks:
        wrong.append(f"{found}, and {count} records at the centre, {distinct} different")
    stored, lost, tails = home.rows(
        "select sum(stored), sum(lost), sum(tail) from epochs where device like ?", SIMULATED
    )[0]
    if (int(stored), int(lost), int(tails)) != (count, 0, count):
        wrong.append(f"the centre's ledger: {stored} stored, {lost} lost of {tails}")
    verify = [*HYMIO, "collector", "verify", "--database", home.database]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        wrong.append(f"counts are not what a rebuild gives: {done.stdout} {done.stderr}")
    return wrong
