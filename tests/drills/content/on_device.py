"""Parsers of the device: replies, configurations, codes, sticks, small JSON files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.pin import Guesses
from kiosk.ui.activation import Activation
from sync import pacing, wish
from sync.contract import bundle, records, wire
from sync.contract import code as codes
from sync.contract.bundle import key_text
from sync.contract.records import Stamp
from sync.contract.signing import content_digest
from sync.datadir import DataDir
from sync.link import Reply
from tests.drills.content.at_centre import record_seeds
from tests.drills.content.inputs import Input, Reader, simple
from tests.drills.site import CODE, Device
from tests.faults.house import example

KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PUBLIC = key_text(KEY.public_key())
CENTRE = "centre-1"
DEVICE = "esim-0001"
FIRST = example(1)
STAMP = Stamp("2026-03-02T10:11:12.000+02:00", 1000, "b", True)


def receipt(**more: object) -> bytes:
    found = wire.Receipt(
        v=wire.VERSION,
        centre=CENTRE,
        digest="DIGEST",
        epoch="EPOCH",
        received_at="2026-03-02T10:11:12.000Z",
        have=2,
        exceptions=[wire.ExceptionItem(1, "quarantined", "schema")],
        config=1,
    )
    return msgspec.json.encode(msgspec.structs.replace(found, **more))


def problem(code: str) -> bytes:
    found = wire.Problem(f"urn:{code}", "x", wire.PROBLEM_CODES[code], code, "why")
    return msgspec.json.encode(found)


def config(version: int = 1) -> bytes:
    return bundle.pack(msgspec.structs.replace(FIRST, version=version), KEY)


def _enrolled() -> bytes:
    return msgspec.json.encode(
        wire.EnrolReply(wire.VERSION, CENTRE, DEVICE, "Door", "0031", PUBLIC, 1)
    )


class _Answering:
    """A centre that says what it is told to say."""

    def __init__(self) -> None:
        self.say: dict[str, tuple[int, bytes, dict[str, str]]] = {}

    def __call__(self, *_: object, **__: object) -> _Answering:
        return self

    def _reply(self, path: str, body: bytes) -> Reply:
        status, answer, headers = self.say.get(path, (404, problem("not_found"), {}))
        digest = content_digest(body)
        if body:
            epoch = json.loads(body).get("epoch", "")
            answer = answer.replace(b"DIGEST", digest.encode()).replace(b"EPOCH", epoch.encode())
        return Reply(status, headers, answer, digest)

    def post(self, path: str, body: bytes, _key: object) -> Reply:
        return self._reply(path, body)

    def get(self, path: str, _key: object, _headers: dict[str, str]) -> Reply:
        return self._reply(path, b"")

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


def enrolled(folder: Path) -> tuple[Device, _Answering]:
    """An enrolled device with some answers that wait, whose centre says anything."""
    answering = _Answering()
    device = Device(folder, lambda *_: (404, b"", ""))
    # Its clock stands in the year 2096: Python's own limits are not what is tried here.
    device.open_recorder()
    device.commit(*[1] * 20)
    _open(device, answering)
    return device, answering


def _open(device: Device, answering: _Answering) -> None:
    answering.say["/v1/enrol"] = (200, _enrolled(), {})
    from tests.drills import site

    proper = site.Wire
    site.Wire = lambda _: answering  # type: ignore[assignment, misc]
    try:
        sender = device.open_sender()
    finally:
        site.Wire = proper  # type: ignore[misc]
    sender.step(eager=True)


def _replies(path: str, status: int) -> Callable[[Path], Reader]:
    """The sender takes whatever is answered, and goes on."""

    def opened(folder: Path) -> Reader:
        device, answering = enrolled(folder)

        def read(raw: bytes) -> None:
            assert device.sender is not None
            answering.say = {path: (status, raw, {"retry-after": "1", "etag": '"x"'})}
            if path == "/v1/config":
                answering.say["/v1/batches"] = (200, receipt(config=2**31), {})
            for _ in range(3):
                device.now += 4000
                device.sender.step(eager=True)
            for line in device.lines():
                parts = line.quarantined + line.held + line.lost + line.to_send
                assert line.created == line.acknowledged + parts and not line.note, line

        return read

    return opened


def _enrolment(folder: Path) -> Reader:
    answering = _Answering()
    device = Device(folder, lambda *_: (404, b"", ""))
    device.data.create()
    _open(device, answering)

    def read(raw: bytes) -> None:
        assert device.sender is not None
        answering.say = {"/v1/enrol": (200, raw, {})}
        device.data.enrol_json.write_bytes(
            json.dumps({"endpoint": "https://centre.example", "code": CODE, "n": len(raw)}).encode()
        )
        device.now += 4000
        device.sender.step(eager=True)
        device.sender.step(eager=True)

    return read


def _enrol_file(folder: Path) -> Reader:
    """enrol.json as anybody may have written it: the sender says what is wrong with it."""
    answering = _Answering()
    device = Device(folder, lambda *_: (404, b"", ""))
    device.data.create()
    _open(device, answering)

    def read(raw: bytes) -> None:
        assert device.sender is not None
        device.data.enrol_json.write_bytes(raw)
        answering.say = {}
        found = wish.read_wish(device.data.enrol_json)
        if isinstance(found, wish.Wish):
            wish.problem(found)
            wish.answer_problem(found, PUBLIC)
        device.now += 4000
        device.sender.step(eager=True)
        device.sender.step(eager=True)
        said = json.loads(device.data.sender_json.read_bytes())
        assert said["enrolment"]["state"]

    return read


def _enrol_seeds() -> list[bytes]:
    found = {
        "endpoint": "https://centre.example/x",
        "code": codes.make(PUBLIC, lambda letters: letters[3]),
        "fingerprint": bundle.fingerprint(PUBLIC),
        "organisation_key": PUBLIC,
        "proxy": "http://proxy.example:3128",
        "ca_file": "",
        "confirmed": False,
        "release": False,
    }
    return [json.dumps(found).encode(), json.dumps({**found, "fingerprint": ""}).encode()]


def _thaw(raw: bytes) -> None:
    try:
        record = records.thaw(raw)
    except msgspec.DecodeError:
        return
    assert records.thaw(records.freeze(record)) == record


def _unpack(raw: bytes) -> None:
    try:
        found = bundle.unpack(raw, trusted=(PUBLIC,), device=DEVICE)
    except bundle.BundleError:
        return
    assert found.device == DEVICE


def _payload(folder: Path) -> Reader:
    """A configuration our own key signed, whatever is in it: taken up or refused with a reason."""
    data = DataDir(folder)
    data.create()
    data.sender_json.write_text(json.dumps({"trusted": [PUBLIC]}))
    count = 0

    def read(raw: bytes) -> None:
        nonlocal count
        box = {
            "v": 1,
            "key": PUBLIC,
            "payload": base64.b64encode(raw).decode(),
            "signature": base64.b64encode(KEY.sign(raw)).decode(),
        }
        packed = json.dumps(box).encode()
        _unpack(packed)
        for old in data.config_dir.iterdir():
            old.unlink()
        data.bundle_file(1).write_bytes(packed)
        active = Activation(data, msgspec.structs.replace(FIRST, version=0))
        found = active.newest()
        assert (found is None) == bool(active.refused)
        count += 1

    return read


def _payload_seeds() -> list[bytes]:
    box = json.loads(config())
    return [base64.b64decode(box["payload"])]


def _activated(folder: Path) -> Reader:
    data = DataDir(folder)
    data.create()

    def read(raw: bytes) -> None:
        for old in data.config_dir.iterdir():
            old.unlink()
        name, _, content = raw.partition(b"\n")
        text = "".join(c for c in name.decode("utf-8", "replace") if c not in "/\0")[:60]
        (data.config_dir / f"{text}.bundle").write_bytes(content)
        Activation(data, msgspec.structs.replace(FIRST, version=0)).newest()

    return read


def _waits(raw: bytes) -> None:
    text = raw.decode("latin-1")
    found = pacing.retry_after(text)
    assert found is None or 1.0 <= found < 1e9
    wish.endpoint_problem(text)
    try:
        guesses = Guesses(json.loads(raw))
    except (ValueError, AttributeError, RecursionError):
        return
    assert guesses.left_s(STAMP) >= 0.0
    guesses.until(STAMP)
    json.dumps(guesses.kept())


def _guess_seeds() -> list[bytes]:
    guesses = Guesses()
    for _ in range(6):
        guesses.wrong += 1
    guesses.count(STAMP)
    return [json.dumps(guesses.kept()).encode(), b"120", b"https://centre.example:443/x"]


def receipts() -> list[bytes]:
    return [receipt(), receipt(have=0, exceptions=[]), receipt(new_epoch=True, config=3)]


INPUTS = (
    simple("thaw", record_seeds, _thaw),
    Input("receipt", receipts, _replies("/v1/batches", 200), 25),
    Input("refusal", lambda: [problem("bad_envelope"), problem("too_large")],
          _replies("/v1/batches", 400), 20),
    Input("busy", lambda: [problem("not_writable"), b"<html>"], _replies("/v1/batches", 503), 12),
    Input("fetched configuration", lambda: [config()], _replies("/v1/config", 200), 12),
    Input("enrolment's reply", lambda: [_enrolled()], _enrolment, 25),
    Input("enrol.json", _enrol_seeds, _enrol_file, 20),
    simple("configuration", lambda: [config()], _unpack),
    Input("signed configuration", _payload_seeds, _payload, 15),
    Input("configuration's file", lambda: [b"1\n" + config(), b"x\n{}"], _activated, 15),
    simple("waits", _guess_seeds, _waits),
)  # fmt: skip
