"""What the sender makes of what a network can answer, over a real socket."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sync.contract import wire
from sync.link import Link
from sync.sender import Sender
from tests.bench.screen import wait_until
from tests.sync.device.conftest import Field
from tests.sync.device.fake import Answer, FakeCentre, dead_port, ok, problem


def test_everything_arrives_in_order_and_in_batches(device: Field, centre: FakeCentre) -> None:
    for _ in range(7):
        device.commit(400)
    device.run()
    assert device.sender.drained()
    assert all(len(b["items"]) <= wire.MAX_ITEMS for b in centre.batches)
    assert [i["seq"] for b in centre.batches for i in b["items"]] == list(range(1, 2801))
    assert device.ledger() == sums(
        created=2800, acknowledged=2800, quarantined=0, held=0, to_send=0
    )


def sums(**numbers: int) -> dict[str, int]:
    return {"lost": 0, **numbers}


def once(answer: Any) -> Any:
    """A behaviour for the first batch with records only."""
    left = [True]

    def behave(centre: FakeCentre, batch: dict[str, Any], digest: str) -> Answer | None:
        if batch["items"] and left:
            left.clear()
            return answer(centre, batch, digest) if callable(answer) else answer
        return None

    return behave


def echoing(**changes: Any) -> Any:
    def behave(centre: FakeCentre, batch: dict[str, Any], digest: str) -> Answer:
        receipt = json.loads(centre.take(batch, digest)[2])
        # What was "stored" by a stranger is not at our centre.
        centre.stored.clear()
        return ok({**receipt, **changes})

    return behave


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Welcome to the Wi-Fi</html>"), "unreachable"),
        ((302, {"Location": "http://127.0.0.1:1/login"}, b""), "unreachable"),
        ((307, {"Location": "/v1/batches"}, b""), "unreachable"),
        ((204, {}, b""), "unreachable"),
        (echoing(digest="sha-256=:AAAA:"), "unreachable"),
        (echoing(epoch="another"), "unreachable"),
        (echoing(centre="another"), "unreachable"),
        (echoing(v=2), "unreachable"),
        (echoing(have=-1), "unreachable"),
        (ok({"v": 1}), "unreachable"),
        ((200, {}, b"[" * 100_000), "unreachable"),
        ((200, {"Content-Length": "5000"}, b'{"v": 1'), "unreachable"),
        ((200, {}, b" " * (5 << 20)), "unreachable"),
        (problem(421, "wrong_centre"), "wrong-centre"),
        (problem(408, "timeout"), "waiting"),
        ((500, {}, b"oops"), "unreachable"),
        (problem(503, "not_writable"), "waiting"),
        (problem(401, "bad_digest"), "unreachable"),
        (problem(401, "unknown_key"), "unknown-key"),
        (problem(401, "bad_signature"), "bad-signature"),
        (problem(403, "device_revoked"), "revoked"),
        (problem(403, "key_retired"), "retired"),
        (problem(400, "unknown_version"), "refused"),
        ((404, {}, b"nothing here"), "unreachable"),
    ],
)
def test_what_is_no_receipt_moves_nothing_and_is_tried_again(
    device: Field, centre: FakeCentre, answer: Any, state: str
) -> None:
    device.commit(10)
    centre.behave = once(answer)
    pauses = device.run()
    assert device.sender.state == state
    assert device.sender.reason
    assert device.sender.since
    assert device.ledger()["to_send"] == 10
    assert not centre.records() or state == "unreachable"
    assert pauses[-1] > 0
    if state in ("unknown-key", "bad-signature", "revoked", "retired"):
        assert 3600 <= pauses[-1] <= 3960
    device.wait(seconds=5000)
    assert sorted(centre.records()) == sorted(set(centre.records()))
    assert device.ledger()["acknowledged"] == 10
    assert device.sender.since is None


def test_a_dripping_reply_and_a_silent_centre_are_given_up(
    device: Field, centre: FakeCentre
) -> None:
    device.run()
    device.commit(1)
    device.restart()
    device.deadline_s = 0.4
    centre.drip_s = 0.05
    device.sender.step()
    assert (device.sender.state, device.ledger()["to_send"]) == ("unreachable", 1)
    assert "within" in device.sender.reason
    centre.drip_s = 0.0
    device.wait()


def test_one_poison_among_fifty_is_held_alone(device: Field, centre: FakeCentre) -> None:
    device.commit(50)
    centre.behave = poison(400, "bad_envelope", 30)
    device.run()
    assert device.sender.drained()
    assert device.ledger() == sums(created=50, acknowledged=49, quarantined=0, held=1, to_send=0)
    assert len(centre.records()) == 49
    (epoch,) = centre.stored
    assert centre.stored[epoch][30]["held"] == "bad_envelope"
    assert len(centre.batches) < 25
    device.run(seconds=10)
    assert json.loads(device.data.sender_json.read_text())["held"] == {epoch: [30]}
    # Found again after a restart without sending it in full.
    device.restart()
    centre.stored.clear()
    device.now += 400
    device.wait()
    assert device.ledger()["held"] == 1


def poison(status: int, code: str, *seqs: int) -> Any:
    def behave(centre: FakeCentre, batch: dict[str, Any], digest: str) -> Answer | None:
        found = any(i["seq"] in seqs and "rec" in i for i in batch["items"])
        return problem(status, code) if found else None

    return behave


def test_a_held_record_is_sent_again_in_full_once_a_day(device: Field, centre: FakeCentre) -> None:
    device.commit(5)
    centre.behave = poison(422, "bad_envelope", 2, 4)
    device.run()
    assert device.ledger()["held"] == 2
    device.wall_ms += 23 * 3_600_000
    device.run(seconds=900)
    assert device.ledger()["held"] == 2
    device.wall_ms += 2 * 3_600_000
    device.run(seconds=60)
    assert device.ledger()["held"] == 2
    centre.behave = lambda *_: None
    device.wall_ms -= 10 * 365 * 86_400_000
    device.run(seconds=60)
    assert device.ledger() == sums(created=5, acknowledged=5, quarantined=0, held=0, to_send=0)
    assert len(centre.records()) == 5


def test_another_program_version_tries_held_records_at_once(
    device: Field, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.commit(3)
    centre.behave = poison(400, "bad_envelope", 2)
    device.run()
    assert device.ledger()["held"] == 1
    device.restart()
    centre.behave = lambda *_: None
    monkeypatch.setattr("sync.sender.version", lambda: "99")
    device.run(seconds=60)
    assert device.ledger()["held"] == 0


def test_nothing_is_held_when_the_centre_refuses_empty_batches_too(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(4)
    centre.behave = lambda *_: problem(400, "bad_envelope")
    device.run()
    assert (device.sender.state, device.ledger()["held"]) == ("unreachable", 0)
    centre.behave = lambda *_: None
    device.wait(seconds=8000)
    assert len(centre.records()) == 4


def test_too_large_is_halved_in_items_and_bytes_and_the_bound_is_kept(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(600)
    refused = []

    def behave(centre: FakeCentre, batch: dict[str, Any], digest: str) -> Answer | None:
        if len(json.dumps(batch)) > 60_000:
            refused.append(len(batch["items"]))
            return 413, {}, b"a proxy's page"
        return None

    centre.behave = behave
    device.run()
    assert device.sender.drained()
    assert refused == [500, 250] or len(refused) <= 3
    device.commit(600)
    device.now += 100
    device.run()
    assert len(refused) <= 3


def test_a_record_too_large_alone_is_held(device: Field, centre: FakeCentre) -> None:
    device.commit(3)
    centre.behave = poison(413, "too_large", 2)
    device.run()
    assert device.ledger() == sums(created=3, acknowledged=2, quarantined=0, held=1, to_send=0)


def test_five_server_errors_with_a_poison_send_it_last_and_never_hold_it(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(40)
    centre.behave = poison(500, "internal", 7)
    for _ in range(4):
        device.sender.step()
        assert all(b["items"] for b in centre.batches)
        device.now = device.sender._not_before + 0.001
    device.run(seconds=5)
    assert len(centre.records()) == 39
    assert device.ledger() == sums(created=40, acknowledged=6, quarantined=0, held=0, to_send=34)
    tried = len(centre.batches)
    pauses = device.run(seconds=10)
    assert len(centre.batches) - tried <= 2, "the lone record has a delay of its own"
    assert min(pauses) > 0
    device.commit(5)
    device.now += 100
    device.run(seconds=200)
    assert len(centre.records()) == 44, "new records do not wait for it"
    centre.behave = lambda *_: None
    device.wait(seconds=5000)
    assert device.ledger() == sums(created=45, acknowledged=45, quarantined=0, held=0, to_send=0)


def test_a_centre_that_fails_at_all_records_is_not_hammered(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(300)
    centre.behave = lambda c, b, d: problem(500, "internal") if b["items"] else None
    device.run(seconds=3600, steps=5000)
    assert len(centre.batches) < 700
    assert device.ledger()["held"] == 0
    centre.behave = lambda *_: None
    device.wait(seconds=5000)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("120", 120, 132),
        ("999999999999", 86400 * 0.99, 86400),
        ("0", 0.99, 1.2),
        ("-5", 0, 1),
        ("soon", 0, 1),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0, 1),
        ("1e9", 0, 1),
        ("NaN", 0, 1),
    ],
)
def test_retry_after_is_kept_within_reason(
    device: Field, centre: FakeCentre, asked: str, least: float, most: float
) -> None:
    device.commit(1)
    centre.behave = once(problem(429, "slow_down", Retry_After=asked))
    device.sender.step()
    assert device.sender.state == "waiting"
    assert least <= device.sender._not_before - device.now <= most


@pytest.mark.parametrize("after", [1e300, 10**30, -50, 0])
def test_an_absurd_pace_is_bounded(device: Field, centre: FakeCentre, after: float) -> None:
    centre.changes = {"next": {"after_s": after, "max_items": 0, "max_bytes": -3}}
    device.commit(3)
    device.run(seconds=90_000 * 5 if after > 1 else 0, steps=1000)
    assert device.ledger()["to_send"] == 0
    assert json.loads(device.data.sender_json.read_text())["damaged"] == {}


def test_a_lower_have_rewinds_and_fills_the_centre_again(device: Field, centre: FakeCentre) -> None:
    device.commit(700)
    device.run()
    (epoch,) = centre.stored
    centre.stored[epoch] = {seq: r for seq, r in centre.stored[epoch].items() if seq <= 100}
    centre.pruned.clear()
    device.now += 400
    device.wait()
    assert len(centre.records()) == 700
    device.run(seconds=10)
    told = json.loads(device.data.sender_json.read_text())
    assert told["have"] == {epoch: 700}


def test_an_old_epoch_is_filled_again_too(device: Field, centre: FakeCentre) -> None:
    device.commit(20)
    device.run()
    old = device.recorder.epoch
    device.recorder.tend({"new_epoch": [old]})
    device.commit(5)
    device.run(seconds=600)

    def asked() -> int:
        return len([b for b in centre.batches if b["epoch"] == old and not b["items"]])

    # The first asking is over: what fills the centre again is the next one.
    first = asked()
    assert first
    centre.stored[old] = {1: centre.stored[old][1]}
    centre.pruned.clear()
    device.run(seconds=4500, steps=6000)
    assert asked() > first
    assert len(centre.records()) == 25


def test_have_beyond_the_tail_asks_for_a_new_epoch_until_there_is_one(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(5)
    centre.changes = {"have": 9}
    device.run()
    told = json.loads(device.data.sender_json.read_text())
    assert told["new_epoch"] == [device.recorder.epoch]
    assert set(told["have"].values()) == {5}
    first = device.recorder.epoch
    device.recorder.tend(told)
    assert device.recorder.epoch != first
    centre.changes = {}
    device.commit(2)
    device.now += 60
    device.run(seconds=60)
    told = json.loads(device.data.sender_json.read_text())
    assert told["new_epoch"] == []
    # The centre may go on saying so of the old one.
    centre.changes = {"new_epoch": True}
    device.now += 8000
    device.run(seconds=5)
    epochs = {b["epoch"] for b in centre.batches[-3:]}
    assert first in epochs
    assert json.loads(device.data.sender_json.read_text())["new_epoch"] in (
        [],
        [device.recorder.epoch],
    )


def test_quarantine_and_its_end(device: Field, centre: FakeCentre) -> None:
    device.commit(4)
    centre.changes = {"exceptions": [{"seq": 3, "verdict": "quarantined", "code": "schema"}]}
    device.run()
    assert device.ledger() == sums(created=4, acknowledged=3, quarantined=1, held=0, to_send=0)
    centre.changes = {}
    centre.stored.clear()
    device.now += 400
    device.wait()
    assert device.ledger()["quarantined"] == 0


def test_with_nothing_to_send_it_beats_every_five_minutes(
    device: Field, centre: FakeCentre
) -> None:
    device.run(seconds=3601, steps=5000)
    assert 11 <= len(centre.batches) <= 13
    assert all(b["items"] == [] for b in centre.batches)


def test_idle_it_writes_nothing_and_opens_nothing(
    device: Field, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.commit(1)
    device.run(seconds=60)
    written = []
    monkeypatch.setattr("sync.telling.write_json", lambda *a: written.append(a))
    opened: list[Any] = []
    monkeypatch.setattr("sync.backlog.EpochReader", opened.append)
    changes = device.sender._memory.raw().conn.total_changes
    device.run(seconds=200)
    assert (written, opened) == ([], [])
    assert device.sender._memory.raw().conn.total_changes == changes
    # What a look costs is counted in calls: they are the same on every machine, its time is not.
    calls = Counter[str]()
    sys.setprofile(lambda _frame, event, _arg: calls.update([event]))
    try:
        for _ in range(200):
            device.sender.step()
    finally:
        sys.setprofile(None)
    assert (calls["call"] + calls["c_call"]) / 200 < 2000


def test_a_damaged_row_is_reported_once_salvaged_forgotten(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(10)
    device.recorder.tend({})
    epoch = device.recorder.epoch
    device.recorder._outbox.file._db.execute(
        "update records set rec = replace(rec, 'fi', 'xx') where seq = 6"
    )
    device.recorder._outbox.file._db.execute(
        "update records set rec = cast(replace(rec, ':', ';') as blob) where seq = 6"
    )
    pauses = device.run(seconds=20)
    assert len(pauses) < 60
    told = json.loads(device.data.sender_json.read_text())
    assert list(told["damaged"]) == [epoch]
    assert len(centre.records()) == 5
    device.recorder.tend(told)
    device.run(seconds=60)
    # The row itself may still be found whole where the WAL was not written over.
    assert len(centre.records()) in (9, 10)
    assert json.loads(device.data.sender_json.read_text())["damaged"] == {}


def test_trouble_with_its_own_files_is_said_and_survived(
    device: Field, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.commit(2)
    device.run()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sync.telling.write_json", full)
        device.commit(2)
        device.now += 60
        device.run(seconds=10)
    device.wait()
    busy = device.sender._memory.raw()
    busy.execute("pragma query_only=1")
    device.commit(1)
    device.now += 60
    device.run()
    assert device.sender.state == "disk"
    busy.execute("pragma query_only=0")
    device.wait(seconds=2000)
    # A vanished file is neither an error nor a reason to spin.
    device.recorder.close()
    for path in device.data.outbox_dir.glob("*.db*"):
        path.unlink()
    assert min(device.run(seconds=5)) > 0


def test_a_dead_battery_clock_and_the_far_future_are_no_obstacle(
    device: Field, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.wall_ms, device.synced = 0, False
    device.commit(1)
    device.run()
    assert device.sender.drained()
    assert centre.batches[0]["clocks"] == {}
    monkeypatch.setattr(device.recorder, "_new_id", lambda: "ffffffff-ffff-7fff-bfff-ffffffffffff")
    device.commit(1)
    device.now += 60
    device.synced = True
    device.wait()
    assert centre.batches[-1]["clocks"] == {"boot-1": -1_000_000}


def test_a_lost_memory_sends_again_under_the_same_name(device: Field, centre: FakeCentre) -> None:
    device.commit(30)
    device.run()
    device.restart()
    for path in device.data.root.glob("sync.db*"):
        path.unlink()
    device.data.sync_db.write_bytes(b"not a database at all" * 500)
    centre.enrol = lambda _: problem(409, "code_used")
    device.commit(1)
    device.wait()
    assert len(centre.records()) == 31
    assert list(device.data.root.glob("sync.db.damaged*"))


def test_nobody_there(make: Callable[..., Field]) -> None:
    device = make(url=f"http://127.0.0.1:{dead_port()}")
    device.commit(1)
    device.run()
    assert device.sender.state == "unreachable"
    assert device.sender.reason == "the centre refuses the connection"
    device.run(seconds=7200, steps=20_000)


def test_a_name_look_up_that_hangs_is_given_up(
    device: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.run()
    device.deadline_s = 0.1
    device.restart()
    device.commit(1)
    release = threading.Event()
    before = threading.active_count()
    monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: (release.wait(20), [])[1])
    for _ in range(6):
        device.sender.step(eager=True)
    assert device.sender.state == "unreachable"
    assert threading.active_count() <= before + 3
    assert device.sender.reason == "the name look-up of the network hangs"
    release.set()


def test_a_request_to_end_cuts_the_exchange_short(device: Field, centre: FakeCentre) -> None:
    device.deadline_s = 30.0
    device.commit(1)
    device.run()
    device.commit(1)
    device.now += 60
    centre.drip_s = 0.2
    asked = len(centre.keys)

    def stop() -> None:
        wait_until(lambda: len(centre.keys) > asked, 60, poll_s=0.01)
        device.sender.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    device.sender.step()
    stopping.join()
    # Not because the reply was whole, nor at the deadline.
    assert device.sender.reason == "the program ends"
    assert device.ledger()["to_send"] == 1


def test_a_proxy_prefix_is_signed(make: Callable[..., Field], centre: FakeCentre) -> None:
    link = Link(centre.url + "/hymio/")
    assert link._prefix == "/hymio"
    link.close()
    assert Sender.__doc__


def test_the_new_key_is_used_and_replaces_the_old_one(device: Field, centre: FakeCentre) -> None:
    from sync.contract.bundle import key_text
    from sync.identity import load_or_make

    device.commit(1)
    device.run()
    old = key_text(load_or_make(device.data.key).public_key())
    new = key_text(load_or_make(device.data.key_new).public_key())

    def knows(c: FakeCentre, b: dict[str, Any], d: str) -> Answer | None:
        known = c.keys[-1] == old or c.keys[-1] in c.announced
        return None if known else problem(401, "unknown_key")

    centre.behave = knows
    device.commit(1)
    device.now += 60
    device.run()
    assert centre.announced == [new]
    assert device.data.key_new.exists()
    device.commit(1)
    device.now += 60
    device.run()
    assert centre.keys[-1] == new
    assert not device.data.key_new.exists()
    assert key_text(load_or_make(device.data.key).public_key()) == new
    assert device.ledger()["acknowledged"] == 3
