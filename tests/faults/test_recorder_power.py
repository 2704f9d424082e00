"""A process that only commits is killed at random: what it said is stored is stored, in order."""

from __future__ import annotations

import contextlib
import hashlib
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.checkers import missing_or_doubled
from tests.faults.field import SEEDS
from tests.faults.house import ROOT

ROUNDS = 6


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_recorder_returned_for_is_in_the_outbox(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = tmp_path / "data"
    said: list[str] = []
    for turn in range(ROUNDS):
        said += _commit_and_die(data, turn, chance.uniform(0, 0.15))
    assert len(said) > ROUNDS, "it was killed before it did anything"

    (file,) = (data / "outbox").glob("*.db")
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        rows = db.execute("select seq, id, rec, sha256 from records order by seq").fetchall()
        ((check,),) = db.execute("pragma integrity_check").fetchall()
    assert check == "ok"
    assert missing_or_doubled(said, [ident for _, ident, _, _ in rows]) == []
    # The last transaction of each life may have been stored without being said.
    assert len(said) <= len(rows) <= len(said) + 2 * ROUNDS
    assert [seq for seq, *_ in rows] == list(range(1, len(rows) + 1)), "a gap looks like a loss"
    assert all(hashlib.sha256(rec).hexdigest() == sha256 for _, _, rec, sha256 in rows)


def _commit_and_die(data: Path, seed: int, after_s: float) -> list[str]:
    """Let a process commit, kill it so long after its first word; what it had said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.committer", str(data), str(seed)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert child.stdout is not None
    try:
        first = child.stdout.readline()
        assert first, "it said nothing"
        time.sleep(after_s)
    finally:
        child.kill()
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
    # A line cut in its middle was not said.
    return [first.strip(), *rest[: rest.rfind("\n") + 1].split()]
