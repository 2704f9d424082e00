"""Any order of arrival gives the same rows: as a rebuild, as another order, as a plain model."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.collector import maintenance
from sync.collector.ingest import Ingest
from sync.collector.reading import prepare
from sync.collector.store import Tx, open_store, tables
from sync.collector.store.tx import columns_of
from sync.contract import records, wire
from tests.sync.collector.world import BOOT, answer, end, item, stamp

NOW_MS = 1_772_500_000_000
DERIVED = ("visits", "answers", "daily_counts", "hourly_counts")
MODEL = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclasses.dataclass(frozen=True)
class Sent:
    """A record at the position its outbox gave it."""

    device: str
    epoch: str
    seq: int
    id: str
    record: records.Record


values = {
    "nps": st.one_of(st.none(), st.integers(0, 10)),
    "heard": st.one_of(st.none(), st.integers(1, 5)),
    "service": st.sampled_from([None, {"choice": "dental"}, {"choice": records.OTHER}]),
    "comment": st.sampled_from([None, {"text": "kiitos", "redacted": {"phone": 1}}]),
}


@st.composite
def record(draw: st.DrawFn) -> records.Record:
    visit = draw(st.sampled_from(["v1", "v2", "v3"]))
    at = stamp(draw(st.sampled_from([0, 100, 60_000, 3_000_000])))
    test = draw(st.booleans())
    flags = draw(st.sampled_from([[], [], ["rush"], ["maybe-two"]]))
    if draw(st.integers(0, 4)) == 0:
        how = draw(st.sampled_from(["completed", "timed-out", "interrupted"]))
        return end(visit, how, at=at, test=test, flags=flags)
    question = draw(st.sampled_from(sorted(values)))
    return answer(
        visit,
        question,
        draw(st.integers(1, 3)),
        draw(values[question]),
        at=at,
        test=test,
        flags=flags,
        location=draw(st.sampled_from(["0001", "0002", "0009"])),
        language=draw(st.sampled_from(["fi", "sv"])),
        mode=draw(st.sampled_from([[], ["larger", "dark"]])),
    )


@st.composite
def outboxes(draw: st.DrawFn) -> list[Sent]:
    """Records of two devices, two outboxes each; clones write at positions already taken."""
    sent = []
    top: Counter[tuple[str, str]] = Counter()
    for number, content in enumerate(draw(st.lists(record(), min_size=1, max_size=14))):
        where = (draw(st.sampled_from(["d1", "d2"])), draw(st.sampled_from(["e1", "e2"])))
        if top[where] and draw(st.integers(0, 5)) == 0:
            seq = draw(st.integers(1, top[where]))
        else:
            top[where] += 1
            seq = top[where]
        sent.append(Sent(*where, seq, f"r{number:02}", content))
    return sent


@st.composite
def deliveries(draw: st.DrawFn, sent: list[Sent]) -> list[list[Sent]]:
    """Batches in any order, overlapping, repeated, that together hold everything."""
    some = st.lists(st.sampled_from(sent), min_size=1, max_size=6)
    batches = draw(st.lists(some, max_size=5))
    rest = draw(st.permutations(sent))
    size = draw(st.integers(1, 6))
    batches += [rest[i : i + size] for i in range(0, len(rest), size)]
    return draw(st.permutations(batches))


class World:
    """A database with two devices in it and nothing from them."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url, fresh=True)
        self.clean()

    def clean(self) -> None:
        with self.store.tx() as tx:
            for table in tables.metadata.sorted_tables:
                if table.name != "meta":
                    tx.run(f'delete from "{table.name}"')
            for device in ("d1", "d2"):
                tx.run("insert into devices(id, location) values (?, '0001')", (device,))
                tx.run(
                    "insert into keys(key, device, state) values (?, ?, 'active')", (device, device)
                )
            for place in (("0001", "", "Salo", "dental"), ("0002", "", "Turku", "")):
                tx.run(
                    "insert into places(location, since, municipality, service) "
                    "values (?, ?, ?, ?)",
                    place,
                )
        self.ingest = Ingest(self.store, now_ms=lambda: NOW_MS, after_s=lambda: 30.0)

    def deliver(self, batches: list[list[Sent]]) -> None:
        for batch in batches:
            # A batch is one outbox's, in order, one record a position: clones send their own.
            outgoing: dict[tuple[str, str, int], dict[int, Sent]] = {}
            for one in {s.id: s for s in batch}.values():
                rank = 0
                while one.seq in outgoing.setdefault((one.device, one.epoch, rank), {}):
                    rank += 1
                outgoing[one.device, one.epoch, rank][one.seq] = one
            for (device, epoch, _), by_seq in outgoing.items():
                content = [item(s, one.record, one.id) for s, one in sorted(by_seq.items())]
                self.post(device, epoch, content)

    def post(
        self, device: str, epoch: str, content: list[wire.Item], first_seq: int = 1
    ) -> wire.Receipt:
        body = {
            "v": 1,
            "centre": "here",
            "epoch": epoch,
            "boot": BOOT,
            "sent_at": "",
            "sent_boottime_ms": 0,
            "clocks": {},
            "first_seq": first_seq,
            "tail_seq": content[-1].seq if content else 0,
            "status": {},
            "items": content,
        }
        receipt, _ = self.ingest.take(device, prepare(msgspec.json.encode(body), "digest"))
        return receipt

    def derived(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.store.read() as connection:
            tx = Tx(connection)
            return {
                name: sorted(
                    tx.rows(
                        f"select {', '.join(columns_of(tables.metadata.tables[name]))} from {name}"
                    ),
                    key=repr,
                )
                for name in DERIVED
            }


@pytest.fixture
def world(database: str) -> Iterator[World]:
    found = World(database)
    yield found
    found.store.close()


def model(sent: list[Sent]) -> Counter[tuple[Any, ...]]:
    """daily_counts by the words of the protocol, the slow way."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for device, visit in {(one.device, one.record.visit) for one in sent}:
        mine = [s for s in sent if (s.device, s.record.visit) == (device, visit)]
        best: dict[str, tuple[int, str, records.Answer]] = {}
        ends: list[tuple[bool, str, records.End]] = []
        for one in mine:
            if isinstance(one.record, records.End):
                ends.append((one.record.how != "interrupted", one.id, one.record))
                continue
            candidate = (one.record.n, one.id, one.record)
            known = best.get(one.record.question)
            if known is None or candidate[:2] > known[:2]:
                best[one.record.question] = candidate
        last = max(ends, key=lambda e: e[:2])[2] if ends else None
        answers = [found[2] for found in best.values()]
        flags = {f for a in answers for f in a.flags} | set(last.flags if last else [])
        test = any(a.test for a in answers) or bool(last and last.test)
        first = min(best.values(), key=lambda b: b[:2])[2] if best else None
        service = "dental" if first and first.location == "0001" else ""
        chosen = best.get("service")
        if chosen and isinstance(chosen[2].value, dict):
            service = "" if chosen[2].value["choice"] == records.OTHER else "dental"
        for one_answer in answers:
            if isinstance(one_answer.value, int):
                key = (device, one_answer.question, one_answer.location, one_answer.language)
                counts[(*key, service, "rush" in flags, test, one_answer.value)] += 1
    return counts


@MODEL
@given(data=st.data())
def test_any_order_of_arrival_gives_the_rows_of_a_rebuild(
    world: World, data: st.DataObject
) -> None:
    sent = data.draw(outboxes())
    world.clean()
    world.deliver(data.draw(deliveries(sent)))
    first = world.derived()

    assert maintenance.verify(world.store)["differences"] == []
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert world.derived() == first

    world.clean()
    world.deliver(data.draw(deliveries(sent)))
    assert world.derived() == first

    with world.store.read() as connection:
        stored = Counter(
            {
                (*key[:-3], bool(key[-3]), bool(key[-2]), key[-1]): n
                for *key, n in Tx(connection).rows(
                    "select device, question, location, language, service, flagged, test, value, "
                    "sum(n) from daily_counts "
                    "group by device, question, location, language, service, flagged, test, value"
                )
            }
        )
    assert stored == model(sent)


@MODEL
@given(data=st.data())
def test_have_is_the_last_position_without_a_gap_before_it(
    world: World, data: st.DataObject
) -> None:
    world.clean()
    here: set[int] = set()
    for _ in range(data.draw(st.integers(1, 8))):
        seqs = sorted(data.draw(st.sets(st.integers(1, 12), max_size=5)))
        content = [
            wire.Item(s, f"i{s}", held="schema")
            if data.draw(st.integers(0, 4)) == 0
            else item(s, answer(f"v{s}"), f"i{s}")
            for s in seqs
        ]
        here |= set(seqs)
        receipt = world.post("d1", "e1", content)
        assert receipt.have == max(n for n in range(14) if set(range(1, n + 1)) <= here)
    assert maintenance.verify(world.store)["differences"] == []


@pytest.mark.parametrize("table", ["daily_counts", "visits", "answers", "hourly_counts", "epochs"])
def test_verify_sees_a_row_that_was_changed_by_hand(world: World, table: str) -> None:
    world.post("d1", "e1", [item(1, answer("v1")), item(2, end("v1"))])
    assert maintenance.verify(world.store)["differences"] == []
    change = {
        "daily_counts": "update daily_counts set n = n + 1",
        "hourly_counts": "delete from hourly_counts",
        "visits": "update visits set service = 'other'",
        "answers": "update answers set value = 1",
        "epochs": "update epochs set stored = 7",
    }[table]
    with world.store.tx() as tx:
        assert tx.run(change) == 1
    differences = maintenance.verify(world.store)["differences"]
    assert differences
    assert all(line.startswith(table) for line in differences)


def test_the_rows_in_memory_are_the_columns_of_the_tables() -> None:
    from sync.collector import ingest, tally

    assert tally.VisitRow._fields == columns_of(tables.visits)
    assert tally.AnswerRow._fields == columns_of(tables.answers)
    assert tally.DailyKey._fields == columns_of(tables.daily_counts, "n")
    assert tally.HourlyKey._fields == columns_of(tables.hourly_counts, "n")
    names = tuple(field.name for field in dataclasses.fields(ingest.EpochRow))
    assert names == columns_of(tables.epochs)


def test_a_record_an_older_program_could_not_read_counts_after_rebuild(world: World) -> None:
    world.post("d1", "e1", [item(1, answer("v1", value=8))])
    with world.store.tx() as tx:
        tx.run("update records set code = 'schema', visit = ''")
        tx.run("update epochs set quarantined = 1")
        for table in DERIVED:
            tx.run(f"delete from {table}")
    assert maintenance.rebuild(world.store, now_ms=NOW_MS)["released"] == 1
    with world.store.read() as connection:
        assert Tx(connection).rows("select value, n from daily_counts") == [(8, 1)]
    assert maintenance.verify(world.store)["differences"] == []
