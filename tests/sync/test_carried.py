"""What a stick carries between a device without network and IT's desk."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.contract import carried, signing
from sync.contract.bundle import key_text

DEVICE = Ed25519PrivateKey.generate()
ORGANISATION = Ed25519PrivateKey.generate()
TRUSTED = (key_text(ORGANISATION.public_key()),)


def written(body: bytes = b'{"v":1}') -> tuple[bytes, bytes]:
    """A batch's file and its body as on the wire."""
    packed = gzip.compress(body, mtime=0)
    headers = {"content-type": "application/json", "content-encoding": "gzip", "Host": "x"}
    headers |= signing.sign("POST", "/v1/batches", headers, packed, DEVICE)
    return carried.write_batch(headers, packed, epoch="e", first=3, last=9), packed


@given(st.binary(max_size=500))
def test_a_batch_arrives_as_it_was_signed(body: bytes) -> None:
    raw, packed = written(body)
    found = carried.read_batch(raw)
    assert (found.body, found.epoch, found.first, found.last) == (packed, "e", 3, 9)
    known = key_text(DEVICE.public_key())
    assert (
        signing.verify("POST", found.path, found.headers, found.body, known=known.__eq__) == known
    )
    assert "Host" not in found.headers


def test_the_file_is_plain_json_another_program_can_read() -> None:
    found = json.loads(written()[0])
    assert set(found) == {"v", "path", "headers", "body", "epoch", "first", "last"}
    assert (found["v"], found["path"]) == (1, "/v1/batches")
    assert gzip.decompress(base64.b64decode(found["body"])) == b'{"v":1}'


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/v1/admin/organisation"},
        {"v": 2},
        {"body": base64.b64encode(b"another body").decode()},
        {"body": "not base64!"},
        {"first": -1},
        {"epoch": ""},
        {"headers": {}},
        {"more": 1},
    ],
)
def test_a_changed_batch_is_said_not_uploaded(change: dict[str, Any]) -> None:
    raw = json.dumps(json.loads(written()[0]) | change).encode()
    with pytest.raises(carried.CarriedError, match="answers"):
        carried.read_batch(raw)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Authorization", "x"), ("Content-Type", "a\r\nHost: b"), ("Signature", "ä")],
)
def test_a_stick_cannot_slip_a_header_in(name: str, value: str) -> None:
    found = json.loads(written()[0])
    found["headers"][name] = value
    with pytest.raises(carried.CarriedError, match="header"):
        carried.read_batch(json.dumps(found).encode())


@pytest.mark.parametrize("raw", [b"", b"[" * 100_000, b"null", b"\xff", b" " * (3 << 20)])
def test_any_other_file_is_said(raw: bytes) -> None:
    with pytest.raises(carried.CarriedError):
        carried.read_batch(raw)
    with pytest.raises(carried.CarriedError):
        carried.read_receipt(raw, trusted=TRUSTED)


@given(st.binary(max_size=300), st.integers(200, 599))
def test_a_receipt_the_desk_signed_is_taken(body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json", "Server": "x"}
    raw = carried.write_receipt(status, headers, body, ORGANISATION)
    found = carried.read_receipt(raw, trusted=TRUSTED)
    assert (found.status, found.body) == (status, body)
    assert found.headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    "change", [{"status": 201}, {"body": base64.b64encode(b'{"have": 99}').decode()}]
)
def test_a_forged_receipt_is_never_taken(change: dict[str, Any]) -> None:
    raw = carried.write_receipt(200, {}, b'{"have": 9}', ORGANISATION)
    forged = json.dumps(json.loads(raw) | change).encode()
    with pytest.raises(carried.CarriedError, match="does not fit"):
        carried.read_receipt(forged, trusted=TRUSTED)


def test_a_stranger_s_receipt_is_never_taken() -> None:
    raw = carried.write_receipt(200, {}, b'{"have": 9}', Ed25519PrivateKey.generate())
    with pytest.raises(carried.CarriedError, match="does not trust"):
        carried.read_receipt(raw, trusted=TRUSTED)


def test_names_sort_as_the_records_do_and_lead_nowhere_else() -> None:
    names = [carried.batch_name("0190-ab", n) for n in (1, 20, 300, 10**9)]
    assert names == sorted(names)
    assert all(map(carried.is_name, names))
    for name in (
        "../key",
        "a/b-1.json",
        ".x-1.json",
        "._e-1.json",
        "e.json",
        "e-1.json\n",
        "e-1.txt",
    ):
        assert not carried.is_name(name)
