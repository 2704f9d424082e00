"""Is this the right place? Nothing is sent before somebody says so, and "no" undoes everything."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.recorder import Recorder
from sync import identity
from sync.contract import bundle
from sync.contract import code as codes
from sync.contract.bundle import Storage, key_text
from sync.cursor import Memory
from sync.link import Link
from sync.outbox import Outbox
from tests.faults.house import example
from tests.sync.collector.world import Centre, running
from tests.sync.device.conftest import Field
from tests.sync.device.fake import FakeCentre, dead_port, enrolled
from tests.sync.device.test_code_words import enrolment, told


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with running(str(tmp_path_factory.mktemp("centre") / "centre.db")) as found:
        found.set_up(*(f"d{n}" for n in range(60)))
        yield found


class Names:
    """Device names nobody has used yet."""

    left = iter(range(60))

    def __call__(self) -> str:
        return f"d{next(self.left)}"


new_name = Names()


def code_for(real: Centre, name: str) -> str:
    """A code with its last group."""
    key = key_text(real.organisation.public_key())
    secret = real.code(name)
    return codes.grouped(codes.secret(secret) + codes.check(secret, key))


def publish(real: Centre, name: str, version: int = 1) -> None:
    raw = bundle.pack(
        msgspec.structs.replace(example(1), device=name, version=version), real.organisation
    )
    found = real.admin("PUT", f"devices/{name}/bundle", raw)
    assert found.status == 200, found.body


def at_centre(real: Centre, name: str) -> int:
    with real.store.tx() as tx:
        found: int = tx.value("select count(*) from records where device = ?", (name,))
    return found


def state_of(real: Centre, name: str) -> str:
    with real.store.tx() as tx:
        return str(tx.value("select state from devices where id = ?", (name,)))


def build(real: Centre, make: Callable[..., Field], folder: str) -> Field:
    return make(folder, url=f"http://127.0.0.1:{real.port}")


# --- the right place ------------------------------------------------------------------------------


def test_unconfirmed_it_fetches_what_names_the_place_and_sends_nothing(
    real: Centre, make: Callable[..., Field]
) -> None:
    name = new_name()
    device = build(real, make, name)
    code = code_for(real, name)
    device.wish(code=code, confirmed=False)
    device.commit(3)
    device.run(seconds=30)
    assert (enrolment(device)["state"], device.sender.state) == ("unconfirmed", "unconfirmed")
    assert "no configuration for this device yet" in told(device)["config_refused"]
    # Published while somebody stands in front of the screen.
    publish(real, name)
    device.run(seconds=30)
    assert (told(device)["config"], told(device)["config_refused"]) == (1, "")
    assert device.data.bundle_file(1).exists()
    device.restart()
    device.run(seconds=1000)
    assert (enrolment(device)["state"], at_centre(real, name)) == ("unconfirmed", 0)
    assert state_of(real, name) == "enrolled"
    device.wish(code=code, confirmed=True)
    device.run(seconds=5)
    assert (enrolment(device)["state"], device.sender.state) == ("ok", "ok")
    assert (at_centre(real, name), state_of(real, name)) == (3, "active")
    # What enrol.json says later does not make it unconfirmed again.
    device.wish(code=code, confirmed=False)
    device.commit(1)
    device.wait()
    assert at_centre(real, name) == 4


def test_unconfirmed_stays_so_without_enrol_json_and_without_sync_db(
    device: Field, centre: FakeCentre
) -> None:
    device.wish(confirmed=False)
    device.commit(1)
    device.run(seconds=20)
    device.data.enrol_json.unlink()
    device.restart()
    for path in device.data.root.glob("sync.db*"):
        path.unlink()
    device.run(seconds=400)
    assert (enrolment(device)["state"], centre.batches) == ("unconfirmed", [])
    device.wish()
    device.run(seconds=20)
    assert (enrolment(device)["state"], len(centre.records())) == ("ok", 1)


def test_what_the_centre_says_of_a_code_and_then_one_that_works(
    real: Centre, make: Callable[..., Field]
) -> None:
    """Wrong six times, expired, used by another device, and then simply the right one."""
    name, other = new_name(), new_name()
    device = build(real, make, name)
    key = key_text(real.organisation.public_key())
    expired = code_for(real, name)
    real.clock.at += 73 * 3600
    used = code_for(real, other)
    first = build(real, make, other)
    first.wish(code=used)
    first.run(seconds=5)
    said = []
    for code in (*(codes.make(key) for _ in range(6)), expired, used):
        device.wish(code=code, confirmed=False)
        device.sender.step()
        said.append(enrolment(device)["code"])
        # Whoever guesses is asked for patience, and told so.
        real.clock.at += 60
    assert said == [*["code_unknown"] * 6, "code_expired", "code_used"]
    device.wish(code=code_for(real, name), confirmed=False)
    device.run(seconds=5)
    assert (enrolment(device)["state"], told(device)["device"]) == ("unconfirmed", name)
    assert told(first)["device"] == other


def test_with_the_clock_at_1970_it_is_set_up_and_told_how_far_off_it_is(
    real: Centre, make: Callable[..., Field]
) -> None:
    name = new_name()
    publish(real, name)
    device = build(real, make, name)
    device.wall_ms = 0
    code = code_for(real, name)
    device.wish(code=code, confirmed=False)
    device.run(seconds=20)
    assert (enrolment(device)["state"], told(device)["config"]) == ("unconfirmed", 1)
    device.wish(code=code, confirmed=True)
    device.commit(2)
    device.run(seconds=20)
    assert (device.sender.state, at_centre(real, name)) == ("ok", 2)
    assert told(device)["clock_off_s"] < -50 * 365 * 86400


# --- the wrong place ------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
def test_no_wrong_place_gives_the_code_back_and_forgets(
    real: Centre, make: Callable[..., Field], restarted: bool
) -> None:
    name = new_name()
    publish(real, name)
    device = build(real, make, name)
    code = code_for(real, name)
    device.wish(code=code, confirmed=False)
    device.run(seconds=20)
    assert told(device)["config"] == 1
    device.wish(code=code, confirmed=False, release=True)
    if restarted:
        device.restart()
    device.run(seconds=20)
    found = told(device)
    assert (enrolment(device)["state"], enrolment(device)["code"]) == ("not-enrolled", "released")
    assert (found["device"], found["trusted"], found["config"]) == ("", [], 0)
    assert list(device.data.config_dir.iterdir()) == []
    assert state_of(real, name) == "expected"
    device.restart()
    device.run(seconds=20)
    assert enrolment(device)["code"] == "released"
    # The code works for the device it was meant for, and this one takes another.
    right, other = build(real, make, f"{name}-right"), new_name()
    right.wish(code=code)
    right.run(seconds=5)
    device.wish(code=code_for(real, other))
    device.run(seconds=5)
    assert (told(right)["device"], told(device)["device"]) == (name, other)


def test_no_without_a_network_is_said_when_there_is_one(
    device: Field, centre: FakeCentre, make: Callable[..., Field]
) -> None:
    asked = []
    centre.enrol = lambda body: (asked.append(body["release"]), enrolled(body))[1]
    device.wish(confirmed=False)
    device.run(seconds=5)
    device.wish(confirmed=False, release=True, endpoint=f"http://127.0.0.1:{dead_port()}")
    device.run(seconds=100)
    assert enrolment(device)["code"] == "no_answer"
    assert centre.batches == []
    device.wish(confirmed=False, release=True)
    device.run(seconds=5)
    assert (enrolment(device)["code"], asked) == ("released", [False, True])


def test_what_was_confirmed_is_not_given_back_by_a_button(
    real: Centre, make: Callable[..., Field]
) -> None:
    name = new_name()
    device = build(real, make, name)
    code = code_for(real, name)
    device.wish(code=code)
    device.commit(1)
    device.run(seconds=5)
    device.wish(code=code, release=True)
    device.commit(1)
    device.now += 60
    device.run(seconds=60)
    assert enrolment(device)["code"] == "code_used"
    assert (told(device)["device"], at_centre(real, name)) == (name, 2)


# --- another device's key -------------------------------------------------------------------------


def test_a_copied_key_does_not_stand_in_the_way(real: Centre, make: Callable[..., Field]) -> None:
    first, second = new_name(), new_name()
    device = build(real, make, first)
    device.wish(code=code_for(real, first))
    device.run(seconds=5)
    copy = build(real, make, second)
    shutil.copy(device.data.key, copy.data.key)
    copy.wish(code=code_for(real, first))
    copy.commit(2)
    copy.run(seconds=5)
    # A fresh code for the first name and the first one's key: that is the first device.
    assert told(copy)["device"] == first
    third = build(real, make, f"{second}-3")
    shutil.copy(device.data.key, third.data.key)
    third.wish(code=code_for(real, second))
    third.commit(2)
    third.run(seconds=5)
    assert (told(third)["device"], at_centre(real, second)) == (second, 2)
    assert third.data.key.read_bytes() != device.data.key.read_bytes()
    assert not third.data.key_enrol.exists()


def test_a_used_code_stays_used_whatever_the_key(real: Centre, make: Callable[..., Field]) -> None:
    name = new_name()
    code = code_for(real, name)
    device, other = build(real, make, name), build(real, make, f"{name}-other")
    device.wish(code=code)
    device.run(seconds=5)
    identity.load_or_make(other.data.key)
    before = other.data.key.read_bytes()
    other.wish(code=code)
    other.run(seconds=5)
    assert enrolment(other)["code"] == "code_used"
    assert other.data.key.read_bytes() == before
    assert not other.data.key_enrol.exists()


def test_a_revoked_device_is_set_up_anew_with_a_new_code(
    real: Centre, make: Callable[..., Field]
) -> None:
    name = new_name()
    device = build(real, make, name)
    device.wish(code=code_for(real, name))
    device.commit(4)
    device.run(seconds=5)
    assert real.admin("POST", f"devices/{name}/revoke", {"reason": "lost"}).status == 200
    device.commit(3)
    device.now += 60
    device.run(seconds=5)
    assert device.sender.state == "revoked"
    device.wish(code=code_for(real, name))
    device.wait()
    assert (at_centre(real, name), device.ledger()["acknowledged"]) == (7, 7)


def test_a_cloned_card_becomes_a_device_of_its_own_and_nothing_counts_twice(
    real: Centre, make: Callable[..., Field]
) -> None:
    first, second = new_name(), new_name()
    device = build(real, make, first)
    device.wish(code=code_for(real, first))
    device.commit(5)
    device.run(seconds=5)
    device.commit(2)
    device.restart()
    device.recorder.close()
    shutil.copytree(device.data.root, device.data.root.with_name(second))
    clone = build(real, make, second)
    clone.recorder.close()
    clone.recorder = Recorder(
        clone.data, Storage(ballast_mb=0), open_outbox=partial(Outbox, machine=lambda: "other")
    )
    clone.wish(code=code_for(real, second))
    clone.commit(3)
    clone.sender.step()
    # What lies here under the first name goes first, under that name.
    assert (enrolment(clone)["code"], enrolment(clone)["state"]) == ("unsent", "waiting")
    clone.wait(seconds=600)
    clone.run(seconds=600)
    assert told(clone)["device"] == second
    sent = at_centre(real, first)
    assert sent == 10
    # The file that holds them ends, and all that is answered from here on is the second's.
    clone.commit(1)
    clone.run(seconds=60)
    clone.recorder.tend(told(clone))
    clone.commit(4)
    clone.run(seconds=4500, steps=9000)
    assert clone.sender.drained()
    assert (at_centre(real, first), at_centre(real, second)) == (10, 5)
    device.recorder = Recorder(device.data, Storage(ballast_mb=0))
    device.now += 60
    device.run(seconds=4000)
    assert device.sender.drained()
    assert at_centre(real, first) == 10
    assert clone.ledger()["created"] == clone.ledger()["acknowledged"] == 15


def test_what_went_under_another_name_is_never_sent_again(
    device: Field, centre: FakeCentre
) -> None:
    device.commit(5)
    device.wait()
    centre.enrol = lambda body: enrolled(body, device="d2")
    device.wish(code="K7QM-4T2P-9XWC")
    device.run(seconds=2)
    assert told(device)["device"] == "d2"
    assert told(device)["new_epoch"] == [device.recorder.epoch]
    # Answers that come before the terminal has begun another file.
    device.commit(2)
    for _ in range(2):
        # Under the new name the centre has nothing of this file, and later has lost that, too.
        centre.stored.clear()
        centre.pruned.clear()
        centre.batches.clear()
        device.now += 400
        device.run(seconds=60)
        assert {item["seq"] for batch in centre.batches for item in batch["items"]} == {6, 7}
        assert device.sender.drained()
    assert device.ledger()["acknowledged"] == 7


# --- power cuts -----------------------------------------------------------------------------------


class Cut(BaseException):
    """The power went."""


STEPS: list[tuple[Any, str]] = [
    (identity, "write_bytes"),
    (identity, "put_in_place"),
    (Memory, "move_in"),
    (Memory, "learn"),
    (Link, "post"),
    (Link, "get"),
    (Path, "unlink"),
]


@contextlib.contextmanager
def cut_at(nth: int, *, after: bool) -> Iterator[list[str]]:
    """The power goes at the nth of the steps, before it or when it is done."""
    taken: list[str] = []

    def wrap(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            taken.append(name)
            mine = len(taken)
            if mine == nth and not after:
                raise Cut
            found = work(*args, **kwargs)
            if mine == nth:
                raise Cut
            return found

        return step

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in STEPS:
            patch.setattr(owner, name, wrap(name, getattr(owner, name)))
        yield taken


def until_cut(device: Field, nth: int, *, after: bool) -> bool:
    """Run; whether the power was cut. The sender is gone then, without its last words."""
    with cut_at(nth, after=after) as taken:
        try:
            device.run(seconds=3)
        except Cut:
            device.sender._memory.close()
            device._sender = None
        return len(taken) >= nth


@pytest.mark.parametrize("after", [False, True])
def test_a_power_cut_in_each_step_of_enrolling_releasing_and_enrolling_again(
    real: Centre, make: Callable[..., Field], after: bool
) -> None:
    """With another device's key on the disk, so that every step there is comes along."""
    first, wrong, right = new_name(), new_name(), new_name()
    publish(real, wrong)
    publish(real, right)
    source = build(real, make, first)
    source.wish(code=code_for(real, first))
    source.run(seconds=3)
    total = 0
    for nth in range(1, 30):
        device = build(real, make, f"cut-{nth}-{after}-{right}")
        shutil.copy(source.data.key, device.data.key)
        wanted = code_for(real, wrong)
        cut = False
        for changes, state in (
            ({"confirmed": False}, "unconfirmed"),
            ({"release": True}, "not-enrolled"),
        ):
            device.wish(code=wanted, **changes)
            cut = until_cut(device, nth, after=after) or cut
            device.run(seconds=30)
            assert enrolment(device)["state"] == state, (nth, told(device))
        assert enrolment(device)["code"] == "released"
        assert state_of(real, wrong) == "expected"
        device.wish(code=code_for(real, right))
        cut = until_cut(device, nth, after=after) or cut
        device.run(seconds=30)
        assert (told(device)["device"], told(device)["config"]) == (right, 1), nth
        assert device.sender.state == "ok", device.sender.reason
        assert not device.data.key_enrol.exists()
        assert "PRIVATE" not in json.dumps(told(device))
        device.close()
        total += 1
        if not cut:
            break
    assert 5 < total < 29
