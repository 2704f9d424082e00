"""The centre's flags in the database: any order, batches in between, and the counts follow."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.collector import maintenance, marking
from sync.collector.marking import Marker, mark_all, mark_device, pending
from sync.collector.purge import purge_text
from sync.collector.store import Tx, open_store
from sync.contract import records
from tests.sync.collector.test_collector_model import NOW_MS, Sent, World
from tests.sync.collector.world import answer, end, stamp

DAY_S = 86_400
SCALES = ("nps", "a", "b", "c")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    found = World(database)
    yield found
    found.store.close()


def visit(
    name: str, second: float, values: list[int], *, text: bool = False, test: bool = False
) -> list[records.Record]:
    """A whole visit of ten seconds: the number, then faces."""
    out: list[records.Record] = [
        answer(name, question, n, value, at=stamp(second + n), test=test)
        for n, (question, value) in enumerate(zip(SCALES, values, strict=False), 1)
    ]
    if text:
        out.append(answer(name, "comment", 9, {"text": "Kiitos"}, at=stamp(second + 9)))
    return [*out, end(name, at=stamp(second + 10), test=test)]


def honest(count: int, *, days: int = 30) -> list[records.Record]:
    """A terminal's month: everybody at another moment, every third a ten."""
    return [
        record
        for i in range(count)
        for record in visit(
            f"h{i:03}", -DAY_S * (1 + i % days) + 1000 * (i // days), [[10, 8, 6][i % 3], i % 5 + 1]
        )
    ]


def sent(found: list[records.Record], device: str = "d1", epoch: str = "e1") -> list[Sent]:
    return [
        Sent(device, epoch, seq, f"{device}{epoch}{seq:05}", one)
        for seq, one in enumerate(found, 1)
    ]


def flags(world: World) -> dict[str, str]:
    with world.store.read() as connection:
        return dict(
            Tx(connection).rows(
                "select visit, centre_flags from visits where centre_flags <> '' order by visit"
            )
        )


def counted(world: World) -> dict[tuple[bool, int], int]:
    with world.store.read() as connection:
        return {
            (bool(flagged), value): n
            for flagged, value, n in Tx(connection).rows(
                "select flagged, value, sum(n) from daily_counts where question = 'nps' "
                "and not test group by flagged, value"
            )
        }


def settle(world: World) -> int:
    """One pass over what is pending; visits changed."""
    with world.store.read() as connection:
        devices = pending(Tx(connection))
    return sum(mark_device(world.store, device)[1] for device in devices)


def holds(world: World) -> None:
    found = maintenance.verify(world.store)
    assert (found["differences"], found["flags pending"]) == ([], 0)


RUN = [r for i in range(12) for r in visit(f"t{i:02}", 40 * i, [10])]


def test_a_run_of_tens_is_marked_and_counted_apart(world: World) -> None:
    world.deliver([sent(honest(90) + RUN)])
    assert counted(world)[False, 10] == 42
    assert settle(world) == 12
    assert flags(world) == {f"t{i:02}": "ten-run" for i in range(12)}
    assert counted(world) == {(False, 10): 30, (True, 10): 12, (False, 8): 30, (False, 6): 30}
    holds(world)
    assert settle(world) == 0
    before = world.derived()
    done = mark_all(world.store)
    assert (done["changed"], done["ten-run"], done["visits"], done["left"]) == (0, 12, 102, 0)
    assert world.derived() == before


def test_the_same_tens_without_a_history_or_unhurried_are_left_alone(world: World) -> None:
    slow = [r for i in range(30) for r in visit(f"t{i:02}", 70 * i, [10])]
    world.deliver([sent(honest(90) + slow), sent(RUN, "d2")])
    settle(world)
    assert flags(world) == {}
    holds(world)


def test_clones_and_bursts_are_marked(world: World) -> None:
    clones = [r for i in range(4) for r in visit(f"c{i}", 11 * i, [0, 1, 1, 1])]
    usual = [
        r for i in range(60) for r in visit(f"u{i:02}", -4000 * i - 9000, [8, i % 5 + 1, 4, 5])
    ]
    world.deliver([sent(usual + clones)])
    settle(world)
    assert flags(world) == {f"c{i}": "burst clone" for i in range(4)}
    holds(world)


@pytest.mark.parametrize("days", [0, 2])
def test_what_arrives_later_changes_marks_already_set(world: World, days: int) -> None:
    world.deliver([sent(honest(90) + RUN[:20])])
    settle(world)
    # The seventh turns out to have changed a mind: what is left is not ten long any more.
    changed = answer("t06", "nps", 5, 3, at=stamp(days * DAY_S + 247))
    world.deliver([sent([changed], epoch="e2")])
    assert set(flags(world)) == {f"t{i:02}" for i in range(10)}
    assert maintenance.verify(world.store)["differences"] == []
    settle(world)
    assert flags(world) == {}
    assert counted(world)[False, 3] == 1
    holds(world)


def test_a_history_that_arrives_late_counts_for_all_the_days_after_it(world: World) -> None:
    world.deliver([sent(RUN)])
    settle(world)
    assert flags(world) == {}
    world.deliver([sent(honest(90), epoch="e2")])
    settle(world)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    holds(world)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_batches_before_a_pass_the_earliest_day_counts(
    world: World, order: tuple[int, int]
) -> None:
    world.deliver([sent(RUN)])
    settle(world)
    late = [sent(honest(90), epoch="e2"), sent(visit("n", 3 * DAY_S, [7]), epoch="e3")]
    for i in order:
        world.deliver([late[i]])
    settle(world)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    holds(world)


def test_a_run_across_midnight_is_one_run(world: World) -> None:
    midnight = 14 * 3600  # 22:00 UTC, where the day changes at the place
    late = [r for i in range(12) for r in visit(f"t{i:02}", midnight - 240 + 40 * i, [10])]
    world.deliver([sent(honest(90) + late[:16])])
    settle(world)
    assert flags(world) == {}
    world.deliver([sent(late[16:], epoch="e2")])
    settle(world)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    holds(world)


def test_tests_and_visits_of_unknown_time_are_never_marked(world: World) -> None:
    trial = [r for i in range(12) for r in visit(f"t{i:02}", 40 * i, [10], test=True)]
    lost = [
        answer(f"l{i:02}", "nps", 1, 10, at=stamp(i, synced=False, boot="long gone"))
        for i in range(12)
    ]
    world.deliver([sent(honest(90) + trial + list(lost))])
    settle(world)
    assert flags(world) == {}
    holds(world)


def test_rebuild_marks_and_purged_words_still_end_a_run(world: World) -> None:
    wrote = [r for i in range(12) for r in visit(f"w{i:02}", 5000 + 40 * i, [10], text=i == 5)]
    world.deliver([sent(honest(90) + RUN + wrote)])
    year = 366 * DAY_S * 1000
    purge_text(world.store, days=1, now_ms=NOW_MS + year)
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    holds(world)
    with world.store.tx() as tx:
        tx.run("update visits set centre_flags = 'burst' where visit = 'h001'")
    assert any(
        line.startswith("flags: d1") for line in maintenance.verify(world.store)["differences"]
    )
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    holds(world)


def test_long_histories_are_read_in_stretches_that_cut_no_window(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = 14 * 3600
    late = [r for i in range(12) for r in visit(f"t{i:02}", midnight - 240 + 40 * i, [10])]
    world.deliver([sent(honest(90) + late)])
    monkeypatch.setattr(marking, "_SLICE", 1)
    settle(world)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    monkeypatch.undo()
    holds(world)


def test_a_batch_in_the_middle_of_a_pass_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deliver([sent(honest(90) + RUN)])
    looked = marking.changes

    def then_comes_a_batch(
        tx: Tx, device: str, since: str = ""
    ) -> tuple[list[marking.Change], int]:
        found = looked(tx, device, since)
        monkeypatch.setattr(marking, "changes", looked)
        world.deliver([sent([answer("t06", "nps", 5, 3, at=stamp(247))], epoch="e2")])
        return found

    monkeypatch.setattr(marking, "changes", then_comes_a_batch)
    assert mark_device(world.store, "d1")[1] == 0
    assert flags(world) == {}
    assert maintenance.verify(world.store)["flags pending"] == 1
    settle(world)
    assert flags(world) == {}
    holds(world)


def test_after_a_database_that_stood_still_it_does_not_rest_for_hours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deliver([sent(honest(90))])
    times, rests = iter([0.0, 3600.0]), []
    marker = Marker(world.store, every_s=60, clock=lambda: next(times))
    monkeypatch.setattr(marker._stop, "wait", lambda seconds: bool(rests.append(seconds)))
    marker.once()
    assert rests == [60]


def test_the_running_centre_marks_by_itself(world: World) -> None:
    marker = Marker(world.store, every_s=0.01)
    marker.start()
    try:
        world.deliver([sent(honest(90) + RUN)])
        until = time.monotonic() + 120
        while len(flags(world)) < 12:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        marker.close()
    settle(world)
    holds(world)


def test_passes_of_two_processes_and_batches_at_once_end_alike(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    everything = sent(honest(90) + RUN) + sent(honest(60) + RUN, "d2")
    random.Random(3).shuffle(everything)
    markers = [Marker(world.store, every_s=0.001) for _ in range(2)]
    for marker in markers:
        marker.start()
    try:
        for start in range(0, len(everything), 20):
            world.deliver([everything[start : start + 20]])
    finally:
        for marker in markers:
            marker.close()
    assert caplog.records == []
    settle(world)
    assert set(flags(world)) == {f"t{i:02}" for i in range(12)}
    assert counted(world)[True, 10] == 24
    holds(world)
    before = world.derived()
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert world.derived() == before


@pytest.mark.parametrize("wall", ["0001-01-01T12:00:00+00:00", "9999-12-31T12:00:00+00:00"])
def test_the_ends_of_the_calendar_are_days_like_others(world: World, wall: str) -> None:
    at = records.Stamp(wall, 0, "b", True)
    odd = [answer(f"o{i:02}", "nps", 1, 10, at=at) for i in range(12)]
    world.deliver([sent(honest(90) + RUN + list(odd))])
    settle(world)
    assert {f"t{i:02}" for i in range(12)} <= set(flags(world))
    holds(world)


def test_a_device_that_cannot_be_marked_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.deliver([sent(honest(90) + RUN, "d2"), sent(RUN)])
    looked = marking.changes

    def stumble(tx: Tx, device: str, since: str = "") -> tuple[list[marking.Change], int]:
        if device == "d1":
            raise ValueError("a defect")
        return looked(tx, device, since)

    with monkeypatch.context() as patched:
        patched.setattr(marking, "changes", stumble)
        Marker(world.store).once()
    assert [r.getMessage() for r in caplog.records] == [
        "the flags of d1 are not up to date: a defect"
    ]
    assert len(flags(world)) == 12
    assert maintenance.verify(world.store)["flags pending"] == 1


def test_an_older_database_is_looked_at_from_the_first_day(tmp_path: Path) -> None:
    import alembic.command

    from sync.collector.store import schema

    world = World(str(tmp_path / "c.db"))
    world.deliver([sent(honest(90) + RUN)])
    config = schema._config()
    with world.store.begin() as connection:
        tx = Tx(connection)
        tx.run("drop table unmarked")
        tx.run("drop index ix_visits_device_day")
        tx.run("create index ix_visits_day on visits(day)")
        tx.run("update alembic_version set version_num = '0001'")
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0002")
        # What later revisions add is there already.
        tx.run("update alembic_version set version_num = ?", (schema.head(),))
    settle(world)
    assert len(flags(world)) == 12
    holds(world)
    world.store.close()
    open_store(str(tmp_path / "c.db")).close()


# --- any order ----------------------------------------------------------------------------------

HISTORY = honest(60) + [
    r for i in range(40) for r in visit(f"u{i:02}", -4000 * i - 9000, [8, i % 5 + 1, 4, 5])
]


@st.composite
def pranks(draw: st.DrawFn) -> list[records.Record]:
    out: list[records.Record] = []
    second = 0.0
    for i in range(draw(st.integers(3, 16))):
        second += draw(st.sampled_from([11, 12, 12, 12, 30, 30, 200]))
        values = draw(st.sampled_from([[10], [10], [10], [0, 1, 1, 1], [10, 5, 5, 5], [7]]))
        out += visit(f"p{i:02}", second, values, text=draw(st.integers(0, 9)) == 0)
    return out


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_with_passes_in_between_gives_the_same_flags(
    world: World, data: st.DataObject
) -> None:
    everything = sent(HISTORY) + sent(data.draw(pranks()), epoch="e2")

    def arrive() -> None:
        world.clean()
        size = data.draw(st.integers(40, 400))
        mixed = data.draw(st.randoms(use_true_random=False)).sample(everything, len(everything))
        for start in range(0, len(mixed), size):
            world.deliver([mixed[start : start + size]])
            if data.draw(st.booleans()):
                settle(world)
        settle(world)
        holds(world)

    arrive()
    first, marks = world.derived(), flags(world)
    arrive()
    assert world.derived() == first
    mark_all(world.store)
    assert world.derived() == first
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert world.derived() == first
    assert flags(world) == marks
    holds(world)
