"""Parsers of the device: replies, configurations, codes, sticks, small JSON files."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import scanner, stick
from kiosk.pin import Guesses
from kiosk.ui.activation import Activation
from sync import pacing, wish
from sync.carrying import Carrying
from sync.contract import bundle, carried, records, wire
from sync.contract import code as codes
from sync.contract.bundle import key_text
from sync.contract.records import Stamp
from sync.contract.signing import content_digest
from sync.datadir import DataDir
from sync.link import Reply
from sync.stick import Stick
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


def _device(folder: Path) -> tuple[Device, _Answering]:
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
        device, answering = _device(folder)

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


def _names(folder: Path) -> Reader:
    """Configurations whose files have odd names, on a stick and in the device's own folder."""
    data = DataDir(folder / "data")
    data.create()
    mine = folder / "stick" / "hymio" / DEVICE
    mine.mkdir(parents=True)

    def read(raw: bytes) -> None:
        text = raw.replace(b"/", b"").replace(b"\0", b"")[:200].decode("utf-8", "surrogateescape")
        made = [where / f"{text}.bundle" for where in (mine, data.config_dir)]
        try:
            for path in made:
                path.write_bytes(b"{}")
            for _, path in (
                *stick.bundles(folder / "stick", DEVICE),
                *Stick(folder / "stick", DEVICE).bundles(),
            ):
                assert path.stem.isdecimal()
            Activation(data, msgspec.structs.replace(FIRST, version=0)).newest()
            carried.is_name(text)
        finally:
            for path in made:
                path.unlink(missing_ok=True)

    return read


def _ticket(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    for read in (lambda: codes.from_qr(text), lambda: codes.read_ticket(raw)):
        try:
            found = read()
        except codes.TicketError:
            continue
        small = msgspec.structs.replace(found, name="", device="")
        assert codes.from_qr(codes.to_qr(small)) == small
    scanned = scanner.read(text)
    assert (scanned.ticket is None) == bool(scanned.problem)
    codes.complete(text), codes.sha256(text), codes.grouped(text)
    try:
        codes.holds(text, PUBLIC)
        bundle.fingerprint(text)
    except bundle.BundleError:
        return


def _ticket_seeds() -> list[bytes]:
    code = codes.make(PUBLIC, lambda letters: letters[3])
    found = codes.Ticket(
        endpoint="https://centre.example", code=code, fingerprint=bundle.fingerprint(PUBLIC)
    )
    return [codes.to_qr(found).encode(), msgspec.json.encode(found), code.encode(), PUBLIC.encode()]


def _read_batch(raw: bytes) -> None:
    try:
        found = carried.read_batch(raw)
    except carried.CarriedError:
        return
    again = carried.write_batch(
        found.headers, found.body, epoch=found.epoch, first=found.first, last=found.last
    )
    assert carried.read_batch(again) == found


def _carried_seeds() -> list[bytes]:
    body = b"\x1f\x8bbody"
    headers = {"Content-Type": "application/json", "Content-Digest": content_digest(body)}
    return [carried.write_batch(headers, body, epoch="e", first=1, last=9)]


def _read_receipt(raw: bytes) -> None:
    try:
        found = carried.read_receipt(raw, trusted=[PUBLIC])
    except carried.CarriedError:
        return
    assert found.key == PUBLIC


def _stick(folder: Path) -> Reader:
    """A stick with a receipt the desk vouched for, and one it did not, and odd names."""
    device, _ = _device(folder / "data")
    assert device.sender is not None
    device.sender.close()
    (folder / "stick").mkdir()
    mine = folder / "stick" / "hymio" / DEVICE
    options = {"clock": device._clock(), "monotonic": lambda: 0.0, "chance": Random(1)}
    with Carrying(device.data, **options) as carrying:  # type: ignore[arg-type]
        carrying.to_stick(Stick(folder / "stick", DEVICE))
    (name,) = (path.name for path in (mine / "answers").iterdir())
    batch = carried.read_batch((mine / "answers" / name).read_bytes())

    def read(raw: bytes) -> None:
        shutil.rmtree(mine / "receipts", ignore_errors=True)
        (mine / "receipts").mkdir()
        body = raw.replace(b"DIGEST", batch.digest.encode()).replace(b"EPOCH", batch.epoch.encode())
        signed = carried.write_receipt(200, {}, body, KEY)
        (mine / "receipts" / name).write_bytes(signed)
        (mine / "receipts" / "x-1.json").write_bytes(raw)
        (mine / "ticket.json").write_bytes(raw)
        (mine / "2.bundle").write_bytes(raw)
        odd = "".join(c for c in raw.decode("utf-8", "replace") if c not in "/\0")[:40]
        (mine / f"{odd}.bundle").write_bytes(raw)
        try:
            stick.read(folder / "stick")
            stick.bundles(folder / "stick", DEVICE)
            Stick(folder / "stick", DEVICE).bundles()
            with Carrying(device.data, **options) as carrying:  # type: ignore[arg-type]
                carrying.from_stick(Stick(folder / "stick", DEVICE))
        finally:
            (mine / f"{odd}.bundle").unlink()

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


def _receipts() -> list[bytes]:
    return [receipt(), receipt(have=0, exceptions=[]), receipt(new_epoch=True, config=3)]


INPUTS = (
    simple("thaw", record_seeds, _thaw),
    Input("receipt", _receipts, _replies("/v1/batches", 200), 100),
    Input("refusal", lambda: [problem("bad_envelope"), problem("too_large")],
          _replies("/v1/batches", 400), 60),
    Input("busy", lambda: [problem("not_writable"), b"<html>"], _replies("/v1/batches", 503), 60),
    Input("fetched configuration", lambda: [config()], _replies("/v1/config", 200), 60),
    Input("enrolment's reply", lambda: [_enrolled()], _enrolment, 60),
    Input("enrol.json", _enrol_seeds, _enrol_file, 60),
    simple("configuration", lambda: [config()], _unpack),
    Input("signed configuration", _payload_seeds, _payload, 25),
    Input("configuration's file", lambda: [b"1\n" + config(), b"x\n{}"], _activated, 25),
    Input("names", lambda: [b"1", b"12", b"0007"], _names, 200),
    simple("ticket", _ticket_seeds, _ticket),
    simple("carried batch", _carried_seeds, _read_batch),
    simple("carried receipt", lambda: [carried.write_receipt(200, {}, receipt(), KEY)],
           _read_receipt),
    Input("stick", lambda: [*_receipts(), *_ticket_seeds(), config(2)], _stick, 80),
    simple("waits", _guess_seeds, _waits),
)  # fmt: skip
