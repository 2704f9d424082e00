"""PostgreSQL and SQLite say the same."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sync.collector import standing
from sync.collector.reports.build import Builder
from sync.collector.reports.model import BY
from sync.collector.reports.read import snapshot
from sync.collector.reports.words import Words
from sync.collector.store import open_store
from sync.collector.store import tables as t
from sync.collector.web import accounts, dashboard
from sync.collector.web.address import Address
from sync.collector.web.device import device_page
from sync.collector.web.fleet import fleet_page
from sync.collector.web.fleet_address import FleetAddress
from sync.collector.web.times import Clock
from tests import postgres
from tests.sync.reports.centre import Centre
from tests.web.county import NOW, furnish


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


@pytest.mark.postgres
def test_accounts_and_pages_on_postgresql() -> None:
    with postgres.running() as cluster, open_store(cluster.database(), fresh=True) as store:
        furnish(store)
        accounts.add_user(store, "maija", "hyvä salasana", role="viewer", now_ms=0)
        assert accounts.check(store, "maija", "huono salasana") is None
        user = accounts.check(store, "maija", "hyvä salasana")
        assert user is not None
        token = accounts.begin_session(store, user, 0)
        session = accounts.find_session(store, token, 1)
        assert session is not None
        with snapshot(store) as db:
            page = dashboard.page(Builder(db, Words("sv", "sync.collector.web"), NOW), Address())
            words = Words("sv", "sync.collector.web")
            clock = Clock(words, ZoneInfo("Europe/Helsinki"), NOW)
            shown = fleet_page(standing.fleet(db, NOW), FleetAddress(), words, clock.now)
            assert sum(n for _, n in shown.fleet.states) == len(shown.lines) == 10
            books = [device_page(db, line, clock).epochs for line in shown.lines]
        assert page.sentence == "NPS 72 (62–80), mål 80."
        assert page.fleet.ledger.created == 23_615
        assert sum(one.created for epochs in books for one in epochs) == 23_615
        accounts.end_session(store, session)
        assert accounts.find_session(store, token, 1) is None
