"""Eight workers post overlapping batches of one device: every record is stored and counted once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests import postgres
from tests.bench.samples import records
from tests.faults.checkers import differing, expected_counts, missing_or_doubled
from tests.faults.house import house
from tests.faults.wire import WireDevice, rows

WORKERS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'centre.db'}"
        return
    with postgres.running() as cluster:
        yield cluster.database()


@pytest.mark.parametrize("seed", [1])
def test_overlapping_batches_from_eight_workers_count_once(
    database: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    made = records(400, seed=seed)
    with house(tmp_path, database=database) as home:
        device = WireDevice(home)
        stored = rows(made)
        tail = len(stored)

        def work(start: int) -> int:
            mine = random.Random(seed * 100 + start)
            highest = 0
            with requests.Session() as session:
                for _ in range(6):
                    first = mine.randrange(tail)
                    part = stored[first : first + mine.randrange(1, 120)]
                    highest = max(highest, device.send(part, tail, session).have)
            return highest

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(work, range(WORKERS)))
        # Whatever is still missing, in pieces and out of order, each piece twice.
        pieces = [stored[n : n + 50] for n in range(0, tail, 50)] * 2
        chance.shuffle(pieces)
        with ThreadPoolExecutor(WORKERS) as pool:
            last = max(receipt.have for receipt in pool.map(lambda p: device.send(p, tail), pieces))

        assert last == tail
        ids = [str(ident) for (ident,) in home.rows("select id from records")]
        assert missing_or_doubled([row.id for row in stored], ids) == []
        assert len(ids) == tail
        counted = {
            (str(question), int(value)): int(n)
            for question, value, n in home.rows(
                "select question, value, sum(n) from daily_counts group by question, value"
            )
        }
        assert differing(expected_counts(made), counted) == []
        home.centre.stop()
        home.hymio("collector", "verify", "--database", home.database)
