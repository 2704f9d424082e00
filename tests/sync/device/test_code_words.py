"""What a person at the screen is told of a code that does not work, and that "again" is again."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from sync.build import built_ms
from sync.contract import code as codes
from sync.contract.bundle import fingerprint, key_text
from tests.sync.device.conftest import Field
from tests.sync.device.fake import Answer, FakeCentre, dead_port, enrolled, problem

OURS = key_text(Ed25519PrivateKey.generate().public_key())
THEIRS = key_text(Ed25519PrivateKey.generate().public_key())
CODE = codes.make(OURS)


def told(device: Field) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(device.data.sender_json.read_text())
    return found


def enrolment(device: Field) -> dict[str, Any]:
    found: dict[str, Any] = told(device)["enrolment"]
    return found


class Asked:
    """A centre's enrolment that notes what it is asked."""

    def __init__(self, centre: FakeCentre, *answers: Answer, key: str = OURS) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers = list(answers)
        self.key = key
        centre.enrol = self

    def __call__(self, body: dict[str, Any]) -> Answer:
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else enrolled(body, self.key)


@pytest.mark.parametrize(
    ("answer", "code", "state"),
    [
        (problem(404, "code_unknown"), "code_unknown", "refused"),
        (problem(409, "code_used"), "code_used", "refused"),
        (problem(410, "code_expired"), "code_expired", "refused"),
        (problem(403, "device_revoked"), "device_revoked", "refused"),
        (problem(429, "slow_down", Retry_After="30"), "slow_down", "waiting"),
        (problem(503, "not_writable"), "slow_down", "waiting"),
        (problem(401, "bad_signature"), "not_a_centre", "unreachable"),
        ((200, {}, b"<html>Welcome</html>"), "not_a_centre", "unreachable"),
        ((404, {}, b"no such page"), "not_a_centre", "unreachable"),
        ((200, {"Content-Length": "900"}, b"{"), "no_answer", "unreachable"),
    ],
)
def test_each_answer_has_its_word(
    device: Field, centre: FakeCentre, answer: Answer, code: str, state: str
) -> None:
    asked = Asked(centre, answer)
    device.sender.step()
    found = enrolment(device)
    assert (found["code"], found["state"], found["tries"]) == (code, state, 1)
    assert found["reason"]
    assert asked.bodies[0]["code"] == codes.secret("K7QM4T2P9XWB")
    device.run(seconds=100)
    # What is final is not asked again, the rest mends by itself.
    assert (told(device)["device"] == "d1") == (state != "refused")


def test_six_wrong_codes_in_a_row_and_then_the_right_one(device: Field, centre: FakeCentre) -> None:
    asked = Asked(centre, *[problem(404, "code_unknown")] * 6)
    for turn in range(1, 7):
        device.wish(code=CODE.replace(CODE[0], "2" if turn % 2 else "3"))
        device.sender.step()
        found = enrolment(device)
        assert (found["code"], found["tries"]) == ("code_unknown", turn)
        assert found["seen"] == device.data.enrol_json.stat().st_mtime_ns
    device.wish(code=CODE)
    device.run(seconds=5)
    assert (enrolment(device)["state"], enrolment(device)["tries"]) == ("ok", 0)
    assert len(asked.bodies) == 7


def test_the_same_words_again_after_a_refusal_and_in_a_long_wait(
    device: Field, centre: FakeCentre
) -> None:
    asked = Asked(
        centre, problem(404, "code_unknown"), problem(429, "slow_down", Retry_After="3000")
    )
    device.wish(code=CODE)
    device.run(seconds=50)
    assert len(asked.bodies) == 1
    device.wish(code=CODE)
    device.run(seconds=50)
    assert (enrolment(device)["state"], len(asked.bodies)) == ("waiting", 2)
    device.wish(code=CODE)
    device.run(seconds=5)
    assert enrolment(device)["state"] == "ok"


def test_the_screen_shows_that_it_is_being_tried(device: Field, centre: FakeCentre) -> None:
    seen = []

    def look(body: dict[str, Any]) -> Answer:
        seen.append(enrolment(device)["state"])
        return enrolled(body)

    centre.enrol = look
    device.run(seconds=5)
    assert seen == ["working"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"endpoint": "feedback"}, "bad_endpoint"),
        ({"endpoint": "https://x:99999"}, "bad_endpoint"),
        ({"endpoint": "http://feedback.example"}, "not_encrypted"),
        ({"organisation_key": "AAAA"}, "bad_key"),
        ({"organisation_key": OURS, "fingerprint": fingerprint(THEIRS)}, "key_mismatch"),
        ({"organisation_key": THEIRS, "code": CODE}, "key_mismatch"),
    ],
)
def test_what_cannot_be_right_is_said_before_anyone_is_asked(
    device: Field, centre: FakeCentre, changes: dict[str, str], code: str
) -> None:
    asked = Asked(centre)
    device.wish(**changes)
    device.run(seconds=5)
    assert (enrolment(device)["code"], asked.bodies) == (code, [])
    device.wish(code=CODE)
    device.run(seconds=5)
    assert enrolment(device)["state"] == "ok"


def test_spaces_around_what_was_typed_do_no_harm(device: Field, centre: FakeCentre) -> None:
    Asked(centre)
    device.wish(endpoint=f" {centre.url}\n", code=f" {CODE.lower()} ", fingerprint=" ")
    device.run(seconds=5)
    assert (enrolment(device)["state"], told(device)["endpoint"]) == ("ok", centre.url)


@pytest.mark.parametrize("content", ["{", "[]", "\x00", '{"code": '])
def test_a_file_written_wrongly_by_hand_is_explained(
    device: Field, centre: FakeCentre, content: str
) -> None:
    device.data.enrol_json.write_text(content)
    device.run(seconds=5)
    assert (enrolment(device)["state"], enrolment(device)["code"]) == ("refused", "bad_file")
    assert "enrol.json" in enrolment(device)["reason"]
    device.wish()
    device.run(seconds=5)
    assert told(device)["device"] == "d1"


@pytest.mark.parametrize(
    "changes",
    [
        {"code": CODE},
        {"code": codes.secret(CODE), "fingerprint": fingerprint(OURS)},
        {"code": CODE, "organisation_key": OURS, "fingerprint": fingerprint(OURS).lower()},
    ],
)
def test_a_substituted_key_is_found_out_and_the_code_given_back(
    device: Field, centre: FakeCentre, changes: dict[str, str]
) -> None:
    asked = Asked(centre, key=THEIRS)
    device.wish(**changes)
    device.run(seconds=5)
    found = enrolment(device)
    assert (found["state"], found["code"]) == ("refused", "key_mismatch")
    assert (told(device)["device"], told(device)["trusted"]) == ("", [])
    # The last group never leaves the device; the code is free for whoever tries it elsewhere.
    assert {body["code"] for body in asked.bodies} == {codes.secret(CODE)}
    assert [body["release"] for body in asked.bodies] == [False, True]
    asked.key = OURS
    device.wish(**changes)
    device.run(seconds=5)
    assert enrolment(device)["state"] == "ok"
    assert not enrolment(device)["first_use"]
    assert told(device)["trusted"] == [OURS]


def test_a_last_group_typed_wrongly_is_told_and_costs_nothing(
    device: Field, centre: FakeCentre
) -> None:
    Asked(centre)
    device.wish(code=CODE[:-1] + ("2" if CODE[-1] != "2" else "3"))
    device.run(seconds=5)
    assert "last four characters" in enrolment(device)["reason"]
    device.wish(code=CODE)
    device.run(seconds=5)
    assert enrolment(device)["state"] == "ok"


def test_a_label_that_names_a_key_needs_a_centre_that_has_one(
    device: Field, centre: FakeCentre
) -> None:
    asked = Asked(centre, key="")
    device.wish(code=CODE)
    device.sender.step()
    assert (enrolment(device)["state"], enrolment(device)["code"]) == ("refused", "bad_key")
    assert "IT has to publish" in enrolment(device)["reason"]
    asked.key = OURS
    device.wish(code=CODE)
    device.run(seconds=70)
    assert enrolment(device)["state"] == "ok"


def test_the_first_key_seen_is_pinned_and_said_to_be_so(device: Field, centre: FakeCentre) -> None:
    Asked(centre)
    device.run(seconds=5)
    assert enrolment(device)["first_use"]
    assert told(device)["fingerprint"] == fingerprint(OURS)
    device.restart()
    device.run(seconds=5)
    assert enrolment(device) == {**enrolment(device), "first_use": True, "state": "ok"}


def test_a_damaged_key_file_is_set_aside(device: Field, centre: FakeCentre) -> None:
    device.data.key.write_text("not a key")
    device.run(seconds=5)
    assert told(device)["device"] == "d1"
    assert device.data.key.with_name("key.damaged").read_text() == "not a key"


# --- the way there --------------------------------------------------------------------------------


def test_nobody_there_and_no_such_name(
    device: Field, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.wish(endpoint=f"https://127.0.0.1:{dead_port()}")
    device.sender.step()
    assert (enrolment(device)["state"], enrolment(device)["code"]) == ("unreachable", "no_answer")
    device.wish(endpoint="https://no-such-name.invalid")
    device.sender.step()
    assert enrolment(device)["code"] == "no_answer"
    assert "name" in enrolment(device)["reason"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for; its key is in the same file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    found = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "centre.pem"
    path.write_bytes(pem + found.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_that_does_not_fit_and_a_clock_that_is_wrong(
    make: Callable[..., Field], certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    centre = FakeCentre(tls=context)
    device = make(url=centre.url)
    device.wall_ms = built_ms() + 1000
    device.sender.step()
    assert (enrolment(device)["state"], enrolment(device)["code"]) == ("unreachable", "certificate")
    device.wall_ms = 0
    device.wish()
    device.sender.step()
    assert enrolment(device)["code"] == "clock"
    assert "1970-01-01" in enrolment(device)["reason"]
    assert "set the clock" in enrolment(device)["reason"]
    device.wish(ca_file=str(certificate.with_name("missing.pem")))
    device.sender.step()
    assert enrolment(device)["code"] in ("certificate", "clock")
    device.wish(ca_file=str(certificate))
    device.run(seconds=5)
    assert told(device)["device"] == "d1"
    centre.close()


def test_a_centre_without_encryption_where_there_should_be_some(
    device: Field, centre: FakeCentre
) -> None:
    device.wish(endpoint=centre.url.replace("http:", "https:"))
    device.sender.step()
    assert enrolment(device)["code"] == "not_a_centre"
