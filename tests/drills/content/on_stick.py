"""Parsers of what lies on a stick: tickets and labels, carried batches, receipts, names."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import msgspec

from kiosk import scanner, stick
from kiosk.ui.activation import Activation
from sync.carrying import Carrying
from sync.contract import bundle, carried
from sync.contract import code as codes
from sync.contract.signing import content_digest
from sync.datadir import DataDir
from sync.stick import Stick
from tests.drills.content.inputs import Input, Reader, simple
from tests.drills.content.on_device import (
    DEVICE,
    FIRST,
    KEY,
    PUBLIC,
    config,
    enrolled,
    receipt,
    receipts,
)


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
    device, _ = enrolled(folder / "data")
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


INPUTS = (
    Input("names", lambda: [b"1", b"12", b"0007"], _names, 60),
    simple("ticket", _ticket_seeds, _ticket),
    simple("carried batch", _carried_seeds, _read_batch),
    simple(
        "carried receipt", lambda: [carried.write_receipt(200, {}, receipt(), KEY)], _read_receipt
    ),
    Input("stick", lambda: [*receipts(), *_ticket_seeds(), config(2)], _stick, 20),
)
