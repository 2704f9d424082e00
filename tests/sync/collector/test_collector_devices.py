"""Enrolment, keys, configuration, and IT's commands."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector.devices import GUESSES
from sync.collector.store import Tx
from sync.contract import bundle
from tests.sync.collector.world import Centre, Device, answer, item


def a_bundle(device: str, version: int, key: Ed25519PrivateKey, **changes: Any) -> bytes:
    """A signed configuration, small but whole."""
    return bundle.pack(
        bundle.Bundle(
            device=device,
            version=version,
            organisation=bundle.Organisation(id="hyva", name={"fi": "Hyvä"}),
            location=bundle.Location(id="0001", name={"fi": "Salo"}, municipality="Salo"),
            survey=bundle.Survey(id="basic", version=1),
            texts={"fi": {}},
            **changes,
        ),
        key,
    )


def state(centre: Centre, device: str) -> dict[str, Any]:
    reply = centre.admin("GET", "devices")
    assert reply.status == 200
    found: dict[str, Any] = next(d for d in reply.json() if d["id"] == device)
    return found


def get_config(centre: Centre, device: Device, **headers: str) -> Any:
    return centre.signed("GET", "/v1/config", b"", device.key, headers=headers)


# --- enrolment ------------------------------------------------------------------------------------


def test_first_use_binds_and_the_first_signed_batch_confirms(centre: Centre) -> None:
    assert state(centre, "d1")["state"] == "expected"
    code = centre.code("d1")
    device = Device(centre, "d1")
    first = device.enrol(code)
    assert first.json() == {
        "v": 1,
        "centre": centre.id,
        "device": "d1",
        "name": "d1",
        "location": "0001",
        "organisation_key": bundle.key_text(centre.organisation.public_key()),
        "config": 0,
    }
    # A lost reply bricks nothing.
    assert device.enrol(code.lower().replace("-", " ")).json() == first.json()
    assert state(centre, "d1")["state"] == "enrolled"
    assert [k["state"] for k in state(centre, "d1")["keys"]] == ["pending"]
    device.send([item(1, answer("v"))])
    assert state(centre, "d1")["state"] == "active"
    assert [k["state"] for k in state(centre, "d1")["keys"]] == ["active"]
    assert device.enrol(code).code == "code_used"


def test_a_code_is_for_one_key(centre: Centre) -> None:
    code = centre.code("d1")
    assert Device(centre, "d1").enrol(code).status == 200
    reply = Device(centre, "d1").enrol(code)
    assert (reply.status, reply.code) == (409, "code_used")


def test_eight_at_once_and_one_gets_the_code(centre: Centre) -> None:
    code = centre.code("d1")
    devices = [Device(centre, "d1") for _ in range(8)]
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda d=d: found.append(d.enrol(code).status)) for d in devices
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] + [409] * 7


def test_the_wrong_place_releases_the_code(centre: Centre) -> None:
    code = centre.code("d1")
    wrong, right = Device(centre, "d1"), Device(centre, "d1")
    assert wrong.enrol(code).status == 200
    assert wrong.enrol(code, release=True).status == 200
    assert wrong.enrol(code, release=True).status == 200
    assert right.enrol(code).status == 200
    assert wrong.enrol(code, release=True).code == "code_used"
    assert wrong.post(wrong.batch([])).code == "unknown_key"
    right.send([])
    # The released key can take another device's code.
    assert wrong.enrol(centre.code("d2")).status == 200


def test_codes_expire_and_a_new_one_ends_the_old(centre: Centre) -> None:
    old = centre.code("d1")
    new = centre.code("d1", hours=1)
    assert Device(centre, "d1").enrol(old).code == "code_expired"
    device = Device(centre, "d1")
    assert device.enrol(new).status == 200
    centre.clock.at += 3601
    reply = device.enrol(new)
    assert (reply.status, reply.code) == (410, "code_expired")
    # The key it bound in time stays good.
    device.send([])


def test_the_key_to_enrol_must_sign(centre: Centre) -> None:
    other = bundle.key_text(Ed25519PrivateKey.generate().public_key())
    assert Device(centre, "d1").enrol(centre.code("d1"), key=other).code == "bad_signature"


def test_wrong_codes_slow_down_and_never_lock_out(sqlite_centre: Centre) -> None:
    code = sqlite_centre.code("d1")
    device = Device(sqlite_centre, "d1")
    told = [device.enrol(f"AAAA-BBBB-{n:04}") for n in range(GUESSES + 5)]
    assert [reply.code for reply in told[:GUESSES]] == ["code_unknown"] * GUESSES
    assert told[-1].code == "slow_down"
    assert int(told[-1].headers["retry-after"]) >= 1
    assert device.enrol(code).status == 200


def test_a_replaced_device_s_old_key_only_drains(centre: Centre) -> None:
    old = centre.device("d1")
    old.send([item(1, answer("a"))])
    new = centre.device("d1")
    assert get_config(centre, old).code == "not_found"  # not confirmed: the old one still serves
    new.send([item(1, answer("b"))])
    assert get_config(centre, old).code == "key_retired"
    assert old.send([item(2, answer("c"))])["have"] == 2
    reply = old.post(old.batch([item(2, answer("d"))], epoch=new.epoch))
    assert (reply.status, reply.code) == (403, "wrong_epoch_for_retired_key")
    assert sorted(k["state"] for k in state(centre, "d1")["keys"]) == ["active", "retired"]


def test_a_key_is_followed_by_another(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("a"))])
    following = Device(centre, "d1")
    following.epoch = device.epoch
    body = b'{"v":1,"public_key":"' + following.public.encode() + b'"}'
    for _ in range(2):
        assert centre.signed("POST", "/v1/keys", body, device.key).status == 200
    assert device.send([])["have"] == 1  # both are taken until the new one is used
    assert following.send([item(2, answer("b"))])["have"] == 2
    assert get_config(centre, device).code == "key_retired"
    assert centre.signed("POST", "/v1/keys", body, device.key).code == "key_retired"
    assert centre.signed("POST", "/v1/keys", b'{"v":1,"public_key":"x"}', following.key).code == (
        "bad_envelope"
    )


def test_a_revoked_device_is_told_so_and_nothing_of_it_is_taken(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("a"))])
    code = centre.code("d1")
    assert centre.admin("POST", "devices/d1/revoke", {"reason": "stolen"}).json()["state"] == (
        "revoked"
    )
    reply = device.post(device.batch([item(2, answer("b"))]))
    assert (reply.status, reply.code) == (403, "device_revoked")
    assert get_config(centre, device).code == "device_revoked"
    assert device.enrol(code).code == "code_expired"
    found = state(centre, "d1")
    assert (found["state"], found["reason"]) == ("revoked", "stolen")
    # Found again, with a new key: IT gives it a new code.
    again = centre.device("d1")
    again.send([item(1, answer("c"))])
    assert state(centre, "d1")["state"] == "active"
    assert device.enrol(centre.code("d1")).code == "device_revoked"


def test_a_retired_device_drains(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("a"))])
    assert centre.admin("POST", "devices/d1/retire", {"reason": "moved"}).status == 200
    assert device.send([item(2, answer("b"))])["have"] == 2
    assert get_config(centre, device).code == "key_retired"
    assert state(centre, "d1")["state"] == "retired"


# --- configuration --------------------------------------------------------------------------------


def test_configuration_comes_as_exact_bytes_with_an_etag(centre: Centre) -> None:
    device = centre.device("d1")
    assert get_config(centre, device).code == "not_found"
    raw = a_bundle("d1", 3, centre.organisation)
    assert centre.admin("PUT", "devices/d1/bundle", raw).json()["version"] == 3
    reply = get_config(centre, device)
    assert reply.body == raw
    again = get_config(centre, device, **{"If-None-Match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert get_config(centre, device, **{"If-None-Match": '"other"'}).status == 200
    assert device.send([])["config"] == 3


def test_a_version_only_rises(centre: Centre) -> None:
    put = "devices/d1/bundle"
    raw = a_bundle("d1", 5, centre.organisation)
    assert centre.admin("PUT", put, raw).status == 200
    assert centre.admin("PUT", put, raw).status == 200  # repeated
    reply = centre.admin("PUT", put, a_bundle("d1", 4, centre.organisation))
    assert (reply.status, reply.code) == (409, "conflict")
    assert "5" in reply.json()["detail"]
    assert centre.admin("GET", "organisation").json()["versions"] == {"d1": 5}


def test_a_bundle_by_another_key_or_for_another_device_is_refused(centre: Centre) -> None:
    put = "devices/d1/bundle"
    stranger = Ed25519PrivateKey.generate()
    assert centre.admin("PUT", put, a_bundle("d1", 1, stranger)).code == "bad_envelope"
    assert centre.admin("PUT", put, a_bundle("d2", 1, centre.organisation)).code == "bad_envelope"
    assert centre.admin("PUT", put, b"junk").code == "bad_envelope"
    nobody = centre.admin("PUT", "devices/d9/bundle", a_bundle("d9", 1, centre.organisation))
    assert nobody.code == "not_found"


def test_publish_learns_what_is_there_and_can_skip_it(centre: Centre) -> None:
    raw = a_bundle("d1", 3, centre.organisation)
    assert centre.admin("PUT", "devices/d1/bundle", raw).status == 200
    content = bundle.unpack(raw, trusted=(bundle.key_text(centre.organisation.public_key()),))
    same = msgspec.json.encode(msgspec.structs.replace(content, version=0))
    found = centre.admin("GET", "organisation").json()
    assert found["digests"] == {"d1": hashlib.sha256(same).hexdigest()}
    assert found["published"] == {"d1": {"by": "tester", "at": "2026-03-02T08:00:00.000Z"}}
    assert found["placed"]["d2"] == {"location": "0001", "name": "d2"}
    # Another version of the same has the same digest, another content has not.
    for version, name, alike in ((4, "", True), (5, "Aula", False)):
        raw = a_bundle("d1", version, centre.organisation, name=name)
        assert centre.admin("PUT", "devices/d1/bundle", raw).status == 200
        again = centre.admin("GET", "organisation").json()["digests"]
        assert (again == found["digests"]) is alike
    assert centre.admin("GET", "devices/d1/bundle").body == raw
    assert centre.admin("GET", "devices/d2/bundle").code == "not_found"
    assert centre.admin("GET", "devices/d9/bundle").code == "not_found"


# --- IT's commands --------------------------------------------------------------------------------


def test_only_operators_are_heard(centre: Centre) -> None:
    device = centre.device("d1")
    for key in (device.key, Ed25519PrivateKey.generate()):
        reply = centre.signed("GET", "/v1/admin/organisation", b"", key)
        assert (reply.status, reply.code) == (401, "unknown_key")
    with centre.store.tx() as tx:
        tx.run("update operators set disabled_ms = 1")
    assert centre.admin("GET", "organisation").code == "unknown_key"


def test_one_organisation_a_centre(centre: Centre) -> None:
    found = centre.admin("GET", "organisation").json()
    assert found["centre"] == centre.id
    key = bundle.key_text(centre.organisation.public_key())
    assert found["key"] == key
    other = {"id": "other", "name": {}, "key": key}
    assert centre.admin("PUT", "organisation", other).code == "conflict"
    zone = {"id": "hyva", "name": {}, "key": key, "timezone": "Mars/Base"}
    assert centre.admin("PUT", "organisation", zone).code == "bad_envelope"


def test_a_survey_gains_languages_and_never_other_words(centre: Centre) -> None:
    known = {
        "ref": "basic@1",
        "scale": "agree5",
        "statements": [{"id": "heard", "theme": "encounter"}],
    }

    def put(**changes: Any) -> Any:
        return centre.admin("PUT", "catalogue", {"surveys": [{**known, **changes}]})

    assert put(texts={"fi": {"nps": "Kuinka"}, "sv": {"nps": "Hur"}}).status == 200
    assert put(texts={"fi": {"nps": "Miten"}}).code == "conflict"
    assert put(scale="satisfied5").code == "conflict"
    assert put(statements=[]).code == "conflict"
    with centre.store.read() as connection:
        texts = Tx(connection).rows("select language, text from survey_texts order by language")
    assert texts == [("fi", "Kuinka"), ("sv", "Hur")]


@pytest.mark.parametrize(
    "value",
    [
        {"locations": [{"id": "x"}]},
        {"locations": [{"id": "x", "name": {}, "timezone": "No/Where"}]},
        {"devices": [{"id": ""}]},
        {"unknown": []},
        [],
    ],
)
def test_a_catalogue_with_mistakes_changes_nothing(centre: Centre, value: Any) -> None:
    assert centre.admin("PUT", "catalogue", value).code == "bad_envelope"


def test_a_moved_device_keeps_its_history(centre: Centre) -> None:
    centre.clock.at += 60
    moved = {"devices": [{"id": "d1", "name": "d1", "location": "0002"}]}
    for _ in range(2):
        assert centre.admin("PUT", "catalogue", moved).status == 200
    with centre.store.read() as connection:
        found = Tx(connection).rows(
            "select location from assignments where device = 'd1' order by since_ms"
        )
    assert found == [("0001",), ("0002",)]


def test_every_deed_leaves_a_line_in_the_audit_log(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([])
    centre.admin("PUT", "devices/d1/bundle", a_bundle("d1", 1, centre.organisation))
    centre.admin("POST", "devices/d1/retire", {"reason": "r"})
    centre.admin("POST", "devices/d1/revoke", {"reason": "r"})
    with centre.store.read() as connection:
        lines = Tx(connection).rows("select who, what from audit order by no")
    assert lines == [
        ("tester", "organisation.put"),
        ("tester", "catalogue.put"),
        ("tester", "code.add"),
        ("d1", "device.enrolled"),
        ("d1", "device.confirmed"),
        ("tester", "bundle.put"),
        ("tester", "device.retired"),
        ("tester", "device.revoked"),
    ]


def test_codes_are_stored_hashed(centre: Centre) -> None:
    code = centre.code("d1")
    plain = code.replace("-", "")
    with centre.store.read() as connection:
        stored = Tx(connection).value("select code_sha256 from codes")
    assert stored == hashlib.sha256(plain.encode()).hexdigest()
    wrong = {"code_sha256": "XYZ", "expires_at": "2030-01-01T00:00:00Z"}
    assert centre.admin("POST", "devices/d1/codes", wrong).code == "bad_envelope"
    naive = {"code_sha256": "0" * 64, "expires_at": "2030-01-01T00:00:00"}
    assert centre.admin("POST", "devices/d1/codes", naive).code == "bad_envelope"


def test_what_no_database_can_store_is_refused_from_operators_too(centre: Centre) -> None:
    centre.device("d1")
    nul = {"reason": "lost\0"}
    assert centre.admin("POST", "devices/d1/revoke", nul).code == "bad_envelope"
    assert centre.admin("POST", "devices/%00/revoke", {"reason": "lost"}).code == "not_found"
    place = {"id": "l\0", "name": {"fi": "x"}, "municipality": "m", "timezone": "", "services": []}
    assert centre.admin("PUT", "catalogue", {"locations": [place]}).code == "bad_envelope"
    # A backslash before the letters is not the character.
    assert centre.admin("POST", "devices/d1/revoke", {"reason": "\\u0000"}).status == 200
