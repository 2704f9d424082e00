"""Batches against the centre: what is stored, counted, acknowledged."""

from __future__ import annotations

import msgspec
import pytest

from sync.collector import maintenance
from sync.collector.store import Tx
from sync.contract import ids, records, wire
from tests.sync.collector.world import (
    BOOT,
    Centre,
    answer,
    end,
    item,
    items,
    running,
    stamp,
    visits,
)


def counted(centre: Centre) -> dict[tuple[str, int], int]:
    """Count per question and value."""
    with centre.store.read() as connection:
        return {
            (question, value): n
            for question, value, n in Tx(connection).rows(
                "select question, value, sum(n) from daily_counts group by question, value"
            )
        }


def rows(centre: Centre, sql: str) -> list[tuple[object, ...]]:
    with centre.store.read() as connection:
        return [tuple(row) for row in Tx(connection).rows(sql)]


def holds(centre: Centre) -> None:
    """`verify` finds nothing."""
    assert maintenance.verify(centre.store)["differences"] == []


def test_an_answer_is_counted_once_however_often_it_comes(centre: Centre) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    batch = [item(1, answer(visit, value=9)), item(2, end(visit))]
    for _ in range(3):
        receipt = device.send(batch)
        assert receipt["have"] == 2
        assert receipt["exceptions"] == []
        assert receipt["new_epoch"] is False
    assert counted(centre) == {("nps", 9): 1}
    holds(centre)


def test_receipt_echoes_digest_epoch_and_centre(centre: Centre) -> None:
    from sync.contract import signing

    device = centre.device("d1")
    body = device.batch([item(1, answer(ids.uuid7()))])
    reply = device.post(body, zipped=False)
    receipt = msgspec.json.decode(reply.body, type=wire.Receipt)
    assert receipt.digest == signing.content_digest(body)
    assert (receipt.epoch, receipt.centre) == (device.epoch, centre.id)


def test_the_highest_n_counts_and_a_withdrawn_answer_does_not(centre: Centre) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    device.send(
        [
            item(1, answer(visit, "nps", 1, 9)),
            item(2, answer(visit, "heard", 2, 4)),
            item(3, answer(visit, "heard", 3, 2)),
        ]
    )
    assert counted(centre) == {("nps", 9): 1, ("heard", 2): 1}
    device.send([item(4, answer(visit, "nps", 4, None))])
    assert counted(centre) == {("heard", 2): 1}
    # An older one that arrives late changes nothing.
    other = ids.uuid7()
    device.send([item(6, answer(other, "nps", 2, 10))], first_seq=5)
    device.send([item(5, answer(other, "nps", 1, 0))])
    assert counted(centre) == {("heard", 2): 1, ("nps", 10): 1}
    holds(centre)


def test_a_service_chosen_late_moves_the_whole_visit(centre: Centre) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    device.send([item(1, answer(visit, "nps", 1, 9, location="0002"))])
    assert rows(centre, "select service, municipality, n from daily_counts") == [("", "Turku", 1)]
    chosen = answer(visit, "service", 2, {"choice": "dental"}, location="0002")
    device.send([item(2, chosen)])
    assert rows(centre, "select service, n from daily_counts") == [("dental", 1)]
    other = answer(visit, "service", 3, {"choice": records.OTHER}, location="0002")
    device.send([item(3, other)])
    assert rows(centre, "select service, n from daily_counts") == [("", 1)]
    holds(centre)


def test_flags_and_tests_of_the_end_reach_the_counts(centre: Centre) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    device.send([item(1, answer(visit))])
    device.send([item(2, end(visit, flags=["rush", "maybe-two"]))])
    assert rows(centre, "select flagged, test, n from daily_counts") == [(True, False, 1)]
    assert rows(centre, "select flags, how from visits") == [("maybe-two rush", "completed")]
    device.send([item(3, end(ids.uuid7(), flags=["maybe-two"], test=True))])
    assert rows(centre, "select flagged, test from visits where how <> '' order by test") == [
        (True, False),
        (False, True),
    ]
    holds(centre)


def test_interrupted_gives_way_to_the_end_that_was_seen(centre: Centre) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    device.send([item(1, end(visit, "completed"), "a"), item(2, end(visit, "interrupted"), "b")])
    assert rows(centre, "select how from visits") == [("completed",)]
    holds(centre)


def test_open_text_keeps_its_redactions(centre: Centre) -> None:
    device = centre.device("d1")
    content = {"text": "Kiitos Ää", "redacted": {"phone": 1}}
    device.send([item(1, answer(ids.uuid7(), "comment", 1, content))])
    assert rows(centre, "select kind, text, redacted from answers") == [
        ("text", "Kiitos Ää", '{"phone":1}')
    ]
    assert counted(centre) == {}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'"text"', "schema"),
        (b'{"kind":"answer"}', "schema"),
        (b'{"kind":"dance","visit":"v"}', "schema"),
        (b'{"kind":"end","visit":"\xff\xfe"}', "json"),
        (records.freeze(answer("v", "heard", 1, 9)), "schema"),
        (records.freeze(answer("v", "comment", 1, {"text": "a\x00b"})), "u0000"),
        (records.freeze(answer("v\x00")), "u0000"),
        (records.freeze(answer("v", n=1, config=2**70)), "range"),
        (records.freeze(answer("v", n=2**40, at=stamp())), "range"),
        (records.freeze(end("v", duration_ms=-1)), "range"),
        (b'{"kind":"end","x":"' + b"x" * wire.MAX_RECORD_BYTES + b'"}', "too_large"),
        (b'{"kind":"end","x":' + b"[" * 500 + b"]" * 500 + b"}", "schema"),
    ],
)
def test_what_cannot_be_read_is_kept_and_acknowledged(
    centre: Centre, raw: bytes, code: str
) -> None:
    device = centre.device("d1")
    visit = ids.uuid7()
    batch = [item(1, answer(visit)), item(2, raw), item(3, end(visit))]
    for _ in range(2):  # a repetition gets the same verdict
        receipt = device.send(batch)
        assert receipt["have"] == 3
        assert receipt["exceptions"] == [{"seq": 2, "verdict": "quarantined", "code": code}]
    assert [bytes(r[0]) for r in rows(centre, "select raw from records where code <> ''")] == [raw]  # type: ignore[call-overload]
    assert rows(centre, "select stored, quarantined from epochs") == [(3, 1)]
    assert counted(centre) == {("nps", 9): 1}
    holds(centre)


def test_a_text_with_the_characters_of_an_escape_is_no_nul(centre: Centre) -> None:
    device = centre.device("d1")
    typed = answer(ids.uuid7(), "comment", 1, {"text": "\\u0000"})
    assert device.send([item(1, typed)])["exceptions"] == []
    assert rows(centre, "select text from answers") == [("\\u0000",)]


def test_another_record_at_a_taken_position_counts_and_asks_for_a_new_epoch(
    centre: Centre,
) -> None:
    device = centre.device("d1")
    device.send([item(1, answer(ids.uuid7(), value=1)), item(2, answer(ids.uuid7(), value=2))])
    receipt = device.send([item(2, answer(ids.uuid7(), value=3))])
    assert receipt["new_epoch"] is True
    assert receipt["exceptions"] == []
    assert receipt["have"] == 2
    assert counted(centre) == {("nps", 1): 1, ("nps", 2): 1, ("nps", 3): 1}
    assert rows(centre, "select fork from records order by no") == [(0,), (0,), (1,)]
    assert rows(centre, "select forks, stored from epochs") == [(1, 3)]
    assert device.send([])["new_epoch"] is True
    holds(centre)


def test_other_bytes_under_a_known_id_are_a_conflict_and_not_counted(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("v1", value=1), "same")])
    for _ in range(2):
        receipt = device.send([item(2, answer("v2", value=2), "same")])
        assert receipt["exceptions"] == [{"seq": 2, "verdict": "conflict", "code": "conflict"}]
        assert receipt["have"] == 2
    assert counted(centre) == {("nps", 1): 1}
    assert rows(centre, "select conflicts, stored from epochs") == [(1, 1)]
    assert len(rows(centre, "select id from conflicts")) == 1
    holds(centre)


def test_a_known_record_at_another_position_is_a_duplicate(centre: Centre) -> None:
    device = centre.device("d1")
    record = answer("v1", value=1)
    device.send([item(1, record, "same")])
    receipt = device.send([item(2, record, "same"), item(3, record, "same")])
    assert receipt["have"] == 3
    assert receipt["exceptions"] == []
    assert counted(centre) == {("nps", 1): 1}
    holds(centre)


def test_two_devices_may_use_one_id(centre: Centre) -> None:
    for name in ("d1", "d2"):
        centre.device(name).send([item(1, answer("v", value=5), "same")])
    assert counted(centre) == {("nps", 5): 2}


def test_a_held_record_is_passed_over_until_it_is_released(centre: Centre) -> None:
    device = centre.device("d1")
    record = answer(ids.uuid7(), value=7)
    placeholder = wire.Item(2, "kept", held="bad_envelope")
    receipt = device.send([item(1, answer("a")), placeholder, item(3, answer("b"))])
    assert receipt["have"] == 3
    assert receipt["exceptions"] == [{"seq": 2, "verdict": "held", "code": "bad_envelope"}]
    assert rows(centre, "select held from epochs") == [(1,)]
    device.send([item(2, record, "kept")])
    assert rows(centre, "select held from epochs") == [(0,)]
    assert rows(centre, "select * from exceptions") == []
    assert counted(centre)["nps", 7] == 1
    # A placeholder for what is already here changes nothing.
    assert device.send([placeholder])["exceptions"] == []
    assert rows(centre, "select held from epochs") == [(0,)]
    holds(centre)


def test_have_waits_at_a_gap_and_jumps_when_it_is_filled(centre: Centre) -> None:
    device = centre.device("d1")
    assert device.send([item(1, answer("a"))])["have"] == 1
    assert device.send([item(4, answer("d")), item(5, answer("e"))], first_seq=2)["have"] == 1
    assert device.send([item(2, answer("b")), item(3, answer("c"))])["have"] == 5
    assert rows(centre, "select lost from epochs") == [(0,)]


def test_what_the_device_has_pruned_is_booked_as_lost(centre: Centre) -> None:
    device = centre.device("d1")
    assert device.send([item(1, answer("a"))])["have"] == 1
    assert device.send([item(4, answer("d"))], first_seq=4)["have"] == 4
    assert rows(centre, "select lost, have from epochs") == [(2, 4)]
    found = maintenance.verify(centre.store)
    assert found["differences"] == []
    assert found["lost"] == [f"d1 {device.epoch}: 2 (2-3)"]
    # It turns up after all.
    device.send([item(3, answer("c"))])
    assert rows(centre, "select lost, have from epochs") == [(1, 4)]
    holds(centre)


def test_a_device_that_has_not_read_our_have_is_never_booked_as_lost(centre: Centre) -> None:
    device = centre.device("d1")
    # This centre knows nothing of 1..99: restored from a backup, or new.
    late = device.batch([item(100, answer("x"))], first_seq=100)
    assert device.post(late).json()["have"] == 0
    # The same batch again is a lost reply's echo, no confirmation.
    assert device.post(late).json()["have"] == 0
    # Having read `have` 0 the device states what it still holds.
    assert device.send([item(40, answer("y"))], first_seq=40, tail_seq=100)["have"] == 40
    assert rows(centre, "select lost from epochs") == [(39,)]


def test_a_stated_have_confirms_at_once(centre: Centre) -> None:
    device = centre.device("d1")
    assert device.send([item(9, answer("x"))], status={"have": 3})["have"] == 0
    assert device.send([item(9, answer("x"))], status={"have": 0})["have"] == 9


def test_a_heartbeat_moves_nothing_and_is_answered(centre: Centre) -> None:
    device = centre.device("d1")
    receipt = device.send([], tail_seq=0)
    assert receipt["have"] == 0
    assert receipt["next"]["after_s"] > 0
    assert rows(centre, "select id, status from devices where status <> ''") == [
        ("d1", '{"version":"0.1.0"}')
    ]


@pytest.mark.parametrize(
    ("at", "quality", "day", "hour"),
    [
        # 22:30 UTC is half past midnight in Helsinki.
        (records.Stamp("2026-03-01T22:30:00.000+00:00", 1, "x", True), "synced", "2026-03-02", 0),
        (records.Stamp("1970-01-01T00:00:00", 9_990_000, BOOT, False), "boot", "2026-03-02", 9),
        (records.Stamp("junk", 86_400_000, "older", False), "clocks", "2026-02-27", 2),
        (records.Stamp("junk", 1, "unknown", False), "received", "2026-03-02", -1),
        (records.Stamp("junk", 99_000_000, BOOT, False), "received", "2026-03-02", -1),
        (records.Stamp("0001-01-01T00:00:00+14:00", 1, "z", True), "received", "2026-03-02", -1),
    ],
)
def test_the_instant_is_corrected_and_its_quality_told(
    centre: Centre, at: records.Stamp, quality: str, day: str, hour: int
) -> None:
    device = centre.device("d1")
    base = 1_772_064_000_000  # 2026-02-26T00:00Z
    device.send([item(1, answer("v", at=at))], clocks={"older": base})
    assert rows(centre, "select quality, day, hour from records") == [(quality, day, hour)]
    assert len(rows(centre, "select * from hourly_counts")) == (hour >= 0)
    # Fixed at first acceptance: a repetition an hour later changes nothing.
    centre.clock.at += 7200
    device.send([item(1, answer("v", at=at))], clocks={})
    assert rows(centre, "select quality, day, hour from records order by no")[0] == (
        quality,
        day,
        hour,
    )


def test_a_location_described_later_names_the_municipality_of_earlier_answers(
    centre: Centre,
) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("v", location="0009"))])
    assert rows(centre, "select municipality from daily_counts") == [("",)]
    place = {"id": "0009", "name": {}, "municipality": "Paimio", "services": ["dental"]}
    assert centre.admin("PUT", "catalogue", {"locations": [place]}).status == 200
    assert rows(centre, "select municipality, service from daily_counts") == [("Paimio", "dental")]
    holds(centre)
    # A change holds from the day it is made.
    centre.clock.at += 2 * 86_400
    assert (
        centre.admin("PUT", "catalogue", {"locations": [{**place, "municipality": "Salo"}]}).status
        == 200
    )
    device.send([item(2, answer("w", location="0009", at=stamp(2 * 86_400)))])
    assert rows(centre, "select municipality from daily_counts order by day") == [
        ("Paimio",),
        ("Salo",),
    ]
    holds(centre)


def test_a_centre_that_was_stopped_goes_on(database: str) -> None:
    with running(database) as first:
        first.set_up("d1")
        device = first.device("d1")
        device.send(items(visits(20)))
        wanted = counted(first)
    with running(database) as second:
        device.centre = second
        receipt = device.send([])
        assert receipt["have"] > 60
        assert counted(second) == wanted
        assert second.id == first.id
        holds(second)
