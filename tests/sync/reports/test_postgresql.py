"""PostgreSQL and SQLite say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.collector.reports.model import BY
from sync.collector.store import open_store
from sync.collector.store import tables as t
from tests import postgres
from tests.sync.reports.centre import Centre


def _fill(centre: Centre) -> None:
    centre.survey(s05="encounter", s06="information")
    centre.insert(t.services, {"id": "suu", "name": {"fi": "Suun terveydenhuolto"}})
    centre.insert(t.devices, {"id": "d9", "state": "active", "last_seen_ms": 1})
    for number in range(4):
        where = {"location": f"l{number}", "device": f"d{number}", "day": f"2025-0{number + 1}-10"}
        centre.answers({10: 30 + number, 8: 9, 2: number}, service="suu", **where)
        centre.answers({1: 7}, flagged=True, **where).answers({0: 9}, test=True, **where)
        centre.answers({5: 8, 3: number}, question="s05", **where)
        centre.answers({4: 2}, question="s06", **where)
    centre.save()


@pytest.mark.postgres
def test_both_databases_give_the_same_reports(centre: Centre, tmp_path: Path) -> None:
    _fill(centre)
    with postgres.running() as cluster:
        other = Centre(cluster.database())
        open_store(other.url, fresh=True).close()
        _fill(other)
        period = ("--from", "2025-02-01", "--to", "2025-04-30", "--compare-to", "2025-01")
        for args in [("--by", by) for by in BY] + [("--by", "location", *period)]:
            here, there = centre.json(*args), other.json(*args)
            # The moment of asking is the one thing that may differ.
            assert here | {"as_of": ""} == there | {"as_of": ""}, args
