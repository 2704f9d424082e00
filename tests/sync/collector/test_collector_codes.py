"""Codes for one device and for many, replacing a device, revoking it, and guessing."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector.devices import GUESSES, Devices
from sync.collector.reading import RefusedError
from sync.collector.store import Tx
from sync.contract import bundle, wire
from sync.contract import code as codes
from tests.sync.collector.test_collector_devices import a_bundle, get_config
from tests.sync.collector.world import Centre, Device, answer, item


def state(centre: Centre, device: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        d for d in centre.admin("GET", "devices").json() if d["id"] == device
    )
    return found


def key_states(centre: Centre, device: str) -> list[str]:
    return sorted(k["state"] for k in state(centre, device)["keys"])


def add(centre: Centre, device: str, code: str, **more: Any) -> Any:
    body = {"code_sha256": codes.sha256(code), **more}
    return centre.admin("POST", f"devices/{device}/codes", body)


# --- codes ---------------------------------------------------------------------------------------


def test_a_code_lives_three_days_and_a_list_of_codes_thirty(centre: Centre) -> None:
    assert add(centre, "d1", "AAAA-AAAA-AAAA").json()["codes"] == 1
    many = [{"device": "d2", "code_sha256": codes.sha256("BBBB-BBBB-BBBB")}]
    assert centre.admin("POST", "codes", many).json()["codes"] == 1
    now = centre.clock.at
    for device, hours in (("d1", 72), ("d2", 720)):
        until = datetime.datetime.fromisoformat(state(centre, device)["open_code_until"])
        assert until.timestamp() == now + hours * 3600
    centre.clock.at += 73 * 3600
    assert Device(centre, "d1").enrol("AAAA-AAAA-AAAA").code == "code_expired"
    assert Device(centre, "d2").enrol("BBBB-BBBB-BBBB").status == 200


def test_no_code_lives_for_ever(centre: Centre) -> None:
    def ending(days: float) -> str:
        at = centre.clock.at + days * 86_400
        return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()

    code = "AAAA-AAAA-AAAA"
    reply = add(centre, "d1", code, expires_at=ending(31.01))
    assert reply.code == "bad_envelope"
    told = reply.json()["detail"]
    assert told.startswith("d1: expires_at 2026-04-02T")
    assert "more than 31 days after now, 2026-03-02T" in told
    assert add(centre, "d1", code, expires_at="9998-01-01T00:00:00Z").code == "bad_envelope"
    many = [{"device": "d2", "code_sha256": codes.sha256(code), "expires_at": ending(400)}]
    assert centre.admin("POST", "codes", many).code == "bad_envelope"
    assert state(centre, "d1")["open_code_until"] is None
    # A desk whose clock is a day ahead still makes labels for a month.
    assert add(centre, "d1", code, expires_at=ending(31)).status == 200


def test_a_list_of_codes_is_taken_whole_or_not_at_all(centre: Centre) -> None:
    names = [f"n{n:03}" for n in range(300)]
    devices = [{"id": name, "location": "0001"} for name in names]
    assert centre.admin("PUT", "catalogue", {"devices": devices}).status == 200
    made = {name: codes.make("") for name in names}
    listed = [{"device": d, "code_sha256": codes.sha256(c)} for d, c in made.items()]

    for wrong, code in (
        ([*listed, {"device": "nobody", "code_sha256": "0" * 64}], "not_found"),
        ([*listed, listed[0]], "bad_envelope"),
        ([*listed, {"device": "d1", "code_sha256": listed[0]["code_sha256"]}], "conflict"),
        ([*listed, {"device": "d1", "code_sha256": "1" * 64, "now": True}], "bad_envelope"),
        ([{"device": f"x{n}", "code_sha256": f"{n:064}"} for n in range(1001)], "too_large"),
        ({}, "bad_envelope"),
    ):
        reply = centre.admin("POST", "codes", wrong)
        assert reply.code == code, reply.body
        assert all(d["open_code_until"] is None for d in centre.admin("GET", "devices").json())
    for _ in range(2):
        assert centre.admin("POST", "codes", listed).json()["codes"] == 300
    assert Device(centre, "n299").enrol(made["n299"]).json()["device"] == "n299"
    with centre.store.read() as connection:
        noted = "select count(*) from audit where what = 'code.add' and who = 'tester'"
        assert Tx(connection).value(noted) == 600


def test_open_codes_can_be_cancelled(centre: Centre) -> None:
    code = centre.code("d1")
    device = Device(centre, "d1")
    assert device.enrol(code).status == 200
    reply = centre.admin("DELETE", "devices/d1/codes")
    assert (reply.json()["codes"], reply.json()["state"]) == (1, "expected")
    # Whoever had redeemed it is a stranger again.
    assert device.post(device.batch([])).code == "unknown_key"
    assert device.enrol(code).code == "code_expired"
    assert centre.admin("DELETE", "devices/d1/codes").json()["codes"] == 0
    assert centre.admin("DELETE", "devices/d9/codes").code == "not_found"
    with centre.store.read() as connection:
        deeds = Tx(connection).rows(
            "select what, detail from audit where what = 'code.cancel' order by no"
        )
    assert [detail for _, detail in deeds] == [
        '{"device":"d1","codes":1}',
        '{"device":"d1","codes":0}',
    ]
    # A device in use keeps its key.
    used = centre.device("d2")
    used.send([])
    centre.code("d2")
    assert centre.admin("DELETE", "devices/d2/codes").json()["state"] == "active"
    used.send([])


# --- replacing -----------------------------------------------------------------------------------


def test_a_replaced_device_serves_until_the_new_key_s_first_batch(centre: Centre) -> None:
    old, spare = centre.device("d1"), Device(centre, "d1")
    old.send([item(1, answer("a"))])
    # Enrolled and never used: the code was then made anew.
    assert spare.enrol(centre.code("d1")).status == 200
    assert add(centre, "d1", "AAAA-AAAA-AAAA", replace=True).status == 200
    new = Device(centre, "d1")
    assert new.enrol("AAAA-AAAA-AAAA").status == 200
    assert key_states(centre, "d1") == ["active", "pending", "pending"]
    assert old.send([item(2, answer("b"))])["have"] == 2
    new.send([item(1, answer("c"))])
    assert key_states(centre, "d1") == ["active", "retired", "retired"]
    for drained in (old, spare):
        assert get_config(centre, drained).code == "key_retired"
        reply = drained.post(drained.batch([item(2, answer("d"))], epoch=new.epoch))
        assert (reply.status, reply.code) == (403, "wrong_epoch_for_retired_key")
        body = b'{"v":1,"public_key":"' + Device(centre, "d1").public.encode() + b'"}'
        assert centre.signed("POST", "/v1/keys", body, drained.key).code == "key_retired"
    assert old.send([item(3, answer("e"))])["have"] == 3
    assert spare.send([item(1, answer("f"))])["have"] == 1  # its own disk, sent for the first time
    assert key_states(centre, "d1") == ["active", "retired", "retired"]
    assert new.send([item(2, answer("g"))])["have"] == 2


def test_a_device_replaced_now_only_drains_at_once(centre: Centre) -> None:
    old = centre.device("d1")
    old.send([item(1, answer("a"))])
    raw = a_bundle("d1", 1, centre.organisation)
    assert centre.admin("PUT", "devices/d1/bundle", raw).status == 200
    assert get_config(centre, old).status == 200
    done = add(centre, "d1", "AAAA-AAAA-AAAA", replace=True, now=True)
    assert done.status == 200
    assert get_config(centre, old).code == "key_retired"
    assert old.send([item(2, answer("b"))])["have"] == 2
    assert (state(centre, "d1")["state"], key_states(centre, "d1")) == ("expected", ["retired"])
    new = Device(centre, "d1")
    assert new.enrol("AAAA-AAAA-AAAA").status == 200
    new.send([item(1, answer("c"))])
    # The same request again, late: the new key is not touched.
    assert add(centre, "d1", "AAAA-AAAA-AAAA", replace=True, now=True).status == 200
    assert (state(centre, "d1")["state"], key_states(centre, "d1")) == (
        "active",
        ["active", "retired"],
    )
    assert add(centre, "d1", "CCCC-CCCC-CCCC", now=True).code == "bad_envelope"
    with centre.store.read() as connection:
        details = Tx(connection).rows("select detail from audit where what = 'code.add'")
    assert sum('"replace":"now"' in detail for (detail,) in details) == 2


# --- revoking ------------------------------------------------------------------------------------


def test_a_device_revoked_while_it_drains_is_told_and_comes_back_with_a_new_code(
    centre: Centre,
) -> None:
    device = centre.device("d1")
    device.send([item(n, answer(f"a{n}")) for n in range(1, 4)], tail_seq=6)
    spare, unused = Device(centre, "d1"), centre.code("d1")
    assert spare.enrol(unused).status == 200
    assert centre.admin("POST", "devices/d1/revoke", {"reason": "stolen"}).status == 200
    rest = [item(n, answer(f"a{n}")) for n in range(4, 7)]
    for one in (device, spare):
        reply = one.post(one.batch(rest))
        assert (reply.status, reply.code) == (403, "device_revoked")
    assert (state(centre, "d1")["standing"], state(centre, "d1")["open_code_until"]) == (
        "revoked",
        None,
    )
    assert state(centre, "d1")["ledger"] == {
        "created": 6, "acknowledged": 3, "quarantined": 0, "held": 0, "lost": 0, "to_send": 3,
    }  # fmt: skip
    # The tombstone stays; the same disk comes back with a new key and sends what it still has.
    code = centre.code("d1")
    assert device.enrol(code).code == "device_revoked"
    device.key = Ed25519PrivateKey.generate()
    assert device.enrol(code).status == 200
    assert device.send(rest)["have"] == 6
    assert key_states(centre, "d1") == ["active", "revoked", "revoked"]
    assert state(centre, "d1")["ledger"]["to_send"] == 0
    assert centre.admin("POST", "devices/d1/revoke", {"reason": "again"}).status == 200
    assert device.post(device.batch([])).code == "device_revoked"


# --- what must be shown --------------------------------------------------------------------------


def test_a_hundred_enrolments_over_http_have_a_hundred_keys(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    names = [f"h{n:03}" for n in range(100)]
    centre.admin("PUT", "catalogue", {"devices": [{"id": n, "location": "0001"} for n in names]})
    made = {name: codes.make("") for name in names}
    listed = [{"device": d, "code_sha256": codes.sha256(c)} for d, c in made.items()]
    assert centre.admin("POST", "codes", listed).status == 200
    for name in names:
        device = Device(centre, name)
        assert device.enrol(made[name]).json()["device"] == name
        # The key opens its own device and no other.
        assert device.enrol(made[names[names.index(name) - 1]]).code == "code_used"
        device.send([])
    found = {d["id"]: d["keys"] for d in centre.admin("GET", "devices").json()}
    assert [[k["state"] for k in found[name]] for name in names] == [["active"]] * 100
    assert len({k["key"] for name in names for k in found[name]}) == 100


def _enrol(devices: Devices, code: str, key: str) -> wire.EnrolReply:
    return devices.enrol(wire.EnrolRequest(v=1, code=code, public_key=key), key)


def test_a_thousand_enrolments_have_a_thousand_keys_each_of_its_own_device(
    centre: Centre,
) -> None:
    names = [f"k{n:04}" for n in range(1000)]
    put = {"devices": [{"id": n, "location": "0001"} for n in names]}
    assert centre.admin("PUT", "catalogue", put).status == 200
    made = {name: codes.make("") for name in names}
    listed = [{"device": d, "code_sha256": codes.sha256(c)} for d, c in made.items()]
    assert centre.admin("POST", "codes", listed).status == 200
    devices: Devices = centre.app.state.centre.devices
    keys = {n: bundle.key_text(Ed25519PrivateKey.generate().public_key()) for n in names}
    for name in names:
        assert _enrol(devices, made[name], keys[name]).device == name
    with centre.store.read() as connection:
        bound = dict(Tx(connection).rows("select device, key from keys where device like 'k%'"))
    assert bound == keys
    assert len(set(bound.values())) == 1000


def test_ten_thousand_guesses_are_slowed_down_and_a_right_code_is_not(
    sqlite_centre: Centre,
) -> None:
    right = [sqlite_centre.code(name) for name in ("d1", "d2")]
    devices: Devices = sqlite_centre.app.state.centre.devices
    key = bundle.key_text(Ed25519PrivateKey.generate().public_key())
    told: dict[str, int] = {}
    for n in range(9_900):
        with pytest.raises(RefusedError) as refused:
            _enrol(devices, secrets.token_hex(6), key)
        told[refused.value.code] = told.get(refused.value.code, 0) + 1
        if n == 5_000:
            assert Device(sqlite_centre, "d1").enrol(right[0]).status == 200
    # One guess in three seconds is forgiven: it would take longer than the sun has to guess one.
    assert told["code_unknown"] < GUESSES + 100
    stranger = Device(sqlite_centre, "d2")
    replies = [stranger.enrol(secrets.token_hex(6)) for _ in range(100)]
    assert sum(reply.status == 429 for reply in replies) >= 90
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in replies if reply.status == 429)
    assert stranger.enrol(right[1]).json()["device"] == "d2"
