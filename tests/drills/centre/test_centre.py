"""The drill of the centre in short, what it found, and whether it sees a mistake."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.collector import maintenance
from tests import postgres
from tests.drills.centre import ends, kills, races
from tests.drills.centre.couriers import Courier, judge
from tests.drills.centre.process import can_meddle
from tests.drills.centre.site import Site, site
from tests.sync.collector import world

SEEN_S = 1.0
"""Time enough for a batch that nothing holds up; where there is too little, a test only passes."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.running() as found:
        yield found


@pytest.mark.parametrize(
    ("weakened", "calls", "seen"),
    [
        ("", "fdatasync", ""),
        ("early_reply", "fdatasync", "acknowledged and is not at the centre"),
        ("counts_apart", "fdatasync", "daily_counts"),
    ],
)
def test_killed_at_its_syncs(tmp_path: Path, weakened: str, calls: str, seen: str) -> None:
    if not can_meddle():
        pytest.skip("strace may not hold other processes here")
    with site(tmp_path / "site", weakened=weakened) as place:
        cases, wrong = kills.in_a_batch(place, 2, calls)
    assert cases
    assert bool(wrong) == bool(seen), wrong
    assert not seen or any(seen in text for text in wrong), wrong


def test_a_terminal_that_is_closed_ends_the_centre_calmly(tmp_path: Path) -> None:
    """It cut off the batches at work and ended with a failure."""
    with site(tmp_path / "site", devices=3, weakened="quick_marks") as place:
        assert ends.told(place, [[ends.HUP]]) == []


def test_a_centre_whose_batches_fail_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/readyz` said ok on a full disk: its own mark still had room in the write-ahead log."""
    with world.running(str(tmp_path / "centre.db")) as centre:
        centre.set_up("d1")
        device = centre.device("d1")
        body = device.batch(world.items(world.visits(1)))

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(centre.app.state.centre.ingest, "take", full)
            assert [device.post(body).status, centre.request("GET", "/readyz").status] == [503, 503]
        assert [device.post(body).status, centre.request("GET", "/readyz").status] == [200, 200]


@pytest.mark.postgres
def test_a_server_that_is_killed_is_503_and_the_centre_comes_back(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    """It was 401 bad_signature, for a device to wait an hour."""
    with site(tmp_path / "site", database=cluster.database()) as place:
        courier = Courier(place)
        courier.make(80)
        assert courier.send() == 200
        cluster.kill()
        try:
            assert [courier.send(), courier.send()] == [503, 503]
        finally:
            cluster.start()
        kills.drain(courier)
        assert judge(courier, drained=True) + courier.refused + place.differences() == []


@pytest.mark.postgres
@pytest.mark.parametrize("weakened", ["", "unlocked"])
def test_one_batch_at_two_centres_at_once(
    cluster: postgres.Cluster, tmp_path: Path, weakened: str
) -> None:
    with site(tmp_path / "site", database=cluster.database(), weakened=weakened) as place:
        place.another()
        if weakened:
            for name in ("uq_records_device_id", "uq_records_position"):
                place.execute(f"alter table records drop constraint {name}")
        # Where nobody locks, two have to meet: not in each round on every machine.
        wrong = races.same_batch(place, 8 if weakened else 1)
    assert bool(wrong) == bool(weakened), wrong


@pytest.mark.postgres
def test_two_centres_start_at_once_on_a_fresh_database(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    """All but one ended: "duplicate key value violates unique constraint"."""
    url = cluster.database()
    places = [Site(tmp_path / name, database=url) for name in "ab"]
    for place in places:
        place.folder.mkdir()
    try:
        assert races.first_starts(places) == []
    finally:
        for place in places:
            place.close()


@pytest.mark.postgres
def test_a_rebuild_beside_a_running_centre_counts_what_comes_in_between(
    cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.running(cluster.database()) as centre:
        centre.set_up("d1", "d2")
        first, second = centre.device("d1"), centre.device("d2")
        first.send(world.items(world.visits(5)))
        second.send(world.items(world.visits(5, seed=2)))
        more = world.items(world.visits(5, seed=3), first=1000)
        posting = threading.Thread(target=first.send, args=(more,))
        rebuild_device = maintenance._rebuild_device

        def slowly(tx: Any, device: str, *others: Any) -> Any:
            found = rebuild_device(tx, device, *others)
            if device == "d1":
                posting.start()
                posting.join(SEEN_S)
            return found

        monkeypatch.setattr(maintenance, "_rebuild_device", slowly)
        maintenance.rebuild(centre.store, now_ms=0)
        posting.join()
        assert maintenance.verify(centre.store)["differences"] == []
