"""A configuration names another address, another key or the end: what the sender does then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import identity
from sync.contract import bundle
from sync.contract.bundle import Endpoint, key_text
from sync.datadir import write_json
from tests.faults.house import example
from tests.sync.device.conftest import Field
from tests.sync.device.fake import Answer, FakeCentre, dead_port, enrolled, problem
from tests.sync.device.test_code_words import told

ORGANISATION = Ed25519PrivateKey.generate()


@pytest.fixture
def configured(device: Field, centre: FakeCentre) -> Field:
    key = key_text(ORGANISATION.public_key())
    centre.enrol = lambda body: enrolled(body, key)
    device.run(seconds=5)
    return device


@pytest.fixture
def other() -> Iterator[FakeCentre]:
    found = FakeCentre()
    yield found
    found.close()


def publish(device: Field, centre: FakeCentre, version: int, **changes: Any) -> None:
    raw = bundle.pack(
        msgspec.structs.replace(example(1), device="d1", version=version, **changes), ORGANISATION
    )
    centre.config = (200, {"ETag": f'"{version}"'}, raw)
    centre.config_version = version
    device.now += 400
    device.run(seconds=2)
    assert told(device)["config"] == version, told(device)["config_refused"]


# --- another address ------------------------------------------------------------------------------


def test_the_sender_turns_to_a_new_address_and_forgets_the_old_one(
    configured: Field, centre: FakeCentre, other: FakeCentre
) -> None:
    other.stored, other.pruned = centre.stored, centre.pruned
    configured.commit(3)
    configured.run(seconds=60)
    publish(configured, centre, 1, endpoint=Endpoint(url=other.url + "/"))
    configured.run(seconds=60)
    assert (told(configured)["endpoint"], told(configured)["next_endpoint"]) == (
        other.url + "/",
        "",
    )
    before = len(centre.batches)
    configured.commit(4)
    configured.run(seconds=4000)
    assert len(centre.batches) == before
    assert sum(len(batch["items"]) for batch in other.batches) == 4
    configured.restart()
    configured.commit(1)
    configured.wait()
    assert (len(centre.batches), len(other.records())) == (before, 8)


@pytest.mark.parametrize(
    "wrong", ["nobody", "portal", "stranger", "unknown key", "another centre", "not encrypted"]
)
def test_a_wrong_address_loses_nothing_and_holds_nothing_up(
    configured: Field, centre: FakeCentre, other: FakeCentre, wrong: str
) -> None:
    answers: dict[str, Answer] = {
        "portal": (200, {}, b"<html>"),
        "unknown key": problem(401, "unknown_key"),
        "another centre": problem(421, "wrong_centre"),
    }
    if wrong in answers:
        other.behave = lambda *_: answers[wrong]
    if wrong == "stranger":
        other.name = "centre-9"
    url = f"http://127.0.0.1:{dead_port()}" if wrong == "nobody" else other.url
    if wrong == "not encrypted":
        with pytest.raises(AssertionError, match="not encrypted"):
            publish(configured, centre, 1, endpoint=Endpoint(url="http://feedback.example"))
    else:
        publish(configured, centre, 1, endpoint=Endpoint(url=url))
    configured.commit(5)
    configured.wait(seconds=60)
    assert (configured.sender.state, len(centre.records())) == ("ok", 5)
    configured.run(seconds=7200, steps=20_000)
    assert configured.sender.state == "ok"
    assert all(batch["items"] == [] for batch in other.batches)
    # 30 s, a minute, two … an hour: never given up, and never often.
    assert len(other.batches) <= 10
    assert told(configured)["endpoint"] == centre.url
    if wrong in answers:
        other.behave = lambda *_: None
        other.stored, other.pruned = centre.stored, centre.pruned
        configured.run(seconds=4000, steps=20_000)
        assert told(configured)["endpoint"] == other.url


def test_with_the_old_address_gone_the_two_take_turns_until_one_answers(
    configured: Field, centre: FakeCentre, other: FakeCentre
) -> None:
    other.behave = lambda *_: (503, {}, b"not yet")
    publish(configured, centre, 1, endpoint=Endpoint(url=other.url))
    centre.behave = lambda *_: (503, {}, b"gone")
    configured.commit(6)
    old, new = len(centre.batches), len(other.batches)
    configured.run(seconds=7200, steps=20_000)
    assert configured.sender.state == "unreachable"
    assert 5 < len(other.batches) - new < 60
    assert 5 < len(centre.batches) - old < 60
    other.behave = lambda *_: None
    configured.wait(seconds=2000)
    assert (len(other.records()), configured.ledger()["acknowledged"]) == (6, 6)


def test_another_centre_named_by_the_organisation_is_filled_from_the_device(
    configured: Field, centre: FakeCentre
) -> None:
    configured.commit(700)
    configured.wait()
    new = FakeCentre("centre-2")
    publish(configured, centre, 1, endpoint=Endpoint(url=new.url, centre="centre-2"))
    configured.commit(10)
    configured.wait()
    configured.run(seconds=60)
    assert told(configured)["centre"] == "centre-2"
    assert len(new.records()) == 710
    assert {batch["centre"] for batch in new.batches} == {"centre-2"}
    assert configured.ledger() == {
        **configured.ledger(),
        **{"created": 710, "acknowledged": 710, "lost": 0},
    }
    configured.restart()
    configured.commit(1)
    configured.wait()
    assert len(new.records()) == 711
    new.close()


def test_a_restart_and_a_lost_memory_between_the_two_addresses(
    configured: Field, centre: FakeCentre, other: FakeCentre
) -> None:
    other.behave = lambda *_: (503, {}, b"not yet")
    publish(configured, centre, 1, endpoint=Endpoint(url=other.url))
    configured.restart()
    for path in configured.data.root.glob("sync.db*"):
        path.unlink()
    other.behave = lambda *_: None
    configured.commit(2)
    configured.run(seconds=100)
    assert told(configured)["endpoint"] == other.url
    assert len(centre.records() + other.records()) == 2


# --- another key ----------------------------------------------------------------------------------


def knowing(*keys: str) -> Any:
    """A centre that takes these keys and those announced to it."""

    def behave(centre: FakeCentre, batch: dict[str, Any], digest: str) -> Answer | None:
        known = centre.keys[-1] in (*keys, *centre.announced)
        return None if known else problem(401, "unknown_key")

    return behave


def public(path: Any) -> str:
    return key_text(identity.load_or_make(path).public_key())


def test_a_new_generation_makes_a_new_key_once(configured: Field, centre: FakeCentre) -> None:
    configured.commit(1)
    configured.wait()
    old = public(configured.data.key)
    centre.behave = knowing(old)
    publish(configured, centre, 1, key_generation=2)
    configured.run(seconds=700)
    assert (public(configured.data.key) != old, len(centre.announced)) == (True, 1)
    assert not configured.data.key_new.exists()
    assert centre.batches[-1]["status"]["key_generation"] == 2
    publish(configured, centre, 2, key_generation=2)
    configured.run(seconds=4000)
    configured.restart()
    configured.run(seconds=4000)
    assert len(centre.announced) == 1
    publish(configured, centre, 3, key_generation=3)
    configured.run(seconds=700)
    assert len(centre.announced) == 2


def test_a_power_cut_at_any_step_of_the_new_key(
    make: Callable[..., Field], centre: FakeCentre
) -> None:
    from tests.sync.device.test_place import Cut, cut_at

    key = key_text(ORGANISATION.public_key())
    centre.enrol = lambda body: enrolled(body, key)
    raw = bundle.pack(
        msgspec.structs.replace(example(1), device="d1", version=1, key_generation=1), ORGANISATION
    )
    for nth in range(1, 40):
        device = make(f"device-{nth}")
        centre.config_version, centre.announced = 0, []
        centre.behave = lambda *_: None
        device.run(seconds=5)
        centre.behave = knowing(public(device.data.key))
        centre.config = (200, {"ETag": '"1"'}, raw)
        centre.config_version = 1
        device.now += 400
        with cut_at(nth, after=bool(nth % 2)) as taken:
            try:
                device.run(seconds=60)
            except Cut:
                device.sender._memory.close()
                device._sender = None
        device.run(seconds=400)
        assert device.sender.state == "ok"
        assert centre.batches[-1]["status"]["key_generation"] == 1
        assert not device.data.key_new.exists()
        assert len(set(centre.announced)) <= 2
        if len(taken) < nth:
            break
    assert nth > 5


# --- the end --------------------------------------------------------------------------------------


def names(device: Field) -> set[str]:
    return {
        str(path.relative_to(device.data.root))
        for path in device.data.root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_everything_is_sent_and_then_everything_is_erased(
    configured: Field, centre: FakeCentre
) -> None:
    configured.commit(5)
    publish(configured, centre, 1, wipe=True)
    configured.commit(5)
    configured.wait()
    assert configured.sender.state == "wiping"
    configured.run(seconds=700)
    # The terminal has not closed its outbox: it may still write an answer.
    assert (configured.sender.state, len(centre.records())) == ("wiping", 10)
    configured.commit(1)
    configured.recorder.close()
    write_json(configured.data.terminal_json, {"v": 1, "state": "wiped"})
    configured.run(seconds=100)
    assert (configured.sender.state, len(centre.records())) == ("wiped", 11)
    assert centre.batches[-1]["status"]["wiped"] is True
    assert centre.batches[-1]["items"] == []
    assert not any("wiped" in batch["status"] for batch in centre.batches[:-1])
    assert names(configured) == {"sender.json", "terminal.json"}
    assert told(configured) == {"v": 1, "state": "wiped"}
    asked = len(centre.batches)
    configured.run(seconds=400)
    assert len(centre.batches) == asked
    # It can be set up anew, in this very process.
    write_json(configured.data.terminal_json, {"v": 1, "state": "ok"})
    configured.wish()
    configured.run(seconds=5)
    assert told(configured)["device"] == "d1"


@pytest.mark.parametrize("reply", [problem(503, "not_writable"), (200, {}, b"<html>"), None])
def test_without_a_receipt_for_the_last_word_nothing_is_erased(
    configured: Field, centre: FakeCentre, reply: Answer | None
) -> None:
    publish(configured, centre, 1, wipe=True)
    configured.commit(3)
    configured.wait()
    configured.recorder.close()
    write_json(configured.data.terminal_json, {"v": 1, "state": "wiped"})
    centre.behave = lambda c, b, d: reply if "wiped" in b["status"] else None
    if reply is None:
        # It answers, and it has lost what it had.
        centre.stored.clear()
        configured.run(seconds=100)
        assert len(centre.records()) == 3
        return
    configured.run(seconds=100)
    assert configured.data.key.exists()
    assert configured.ledger()["created"] == 3
    centre.behave = lambda *_: None
    configured.run(seconds=1000)
    assert configured.sender.state == "wiped"


def test_a_record_held_back_is_not_erased(configured: Field, centre: FakeCentre) -> None:
    centre.behave = lambda c, b, d: (
        problem(400, "bad_envelope")
        if any("rec" in i and i["seq"] == 2 for i in b["items"])
        else None
    )
    configured.commit(3)
    configured.wait()
    assert configured.ledger()["held"] == 1
    publish(configured, centre, 1, wipe=True)
    configured.recorder.close()
    write_json(configured.data.terminal_json, {"v": 1, "state": "wiped"})
    configured.run(seconds=700)
    assert configured.sender.state == "wiping"
    assert "held back" in configured.sender.reason
    centre.behave = lambda *_: None
    configured.wall_ms += 90_000_000
    configured.run(seconds=700)
    assert (configured.sender.state, len(centre.records())) == ("wiped", 3)


def test_a_later_configuration_takes_the_wipe_back(configured: Field, centre: FakeCentre) -> None:
    publish(configured, centre, 1, wipe=True)
    publish(configured, centre, 2)
    configured.recorder.close()
    write_json(configured.data.terminal_json, {"v": 1, "state": "wiped"})
    configured.run(seconds=700)
    assert (configured.sender.state, configured.data.key.exists()) == ("ok", True)


# --- what is told ---------------------------------------------------------------------------------


def test_what_the_terminal_says_goes_along(configured: Field, centre: FakeCentre) -> None:
    service = {"locked_until": None, "wrong": 2, "opened": "2026-03-02T08:00:00+02:00"}
    terminal = {
        "config_since": "2026-03-01T07:00:00+02:00",
        "setup": "test",
        "service": service,
        "version": "0.3.1",
    }
    write_json(configured.data.terminal_json, terminal)
    configured.commit(1)
    configured.now += 60
    configured.wait()
    status = centre.batches[-1]["status"]
    assert {name: status[name] for name in ("config_since", "setup", "service")} == {
        name: terminal[name] for name in ("config_since", "setup", "service")
    }
    assert (status["kiosk_version"], status["key_generation"]) == ("0.3.1", 0)
    assert json.dumps(status)
