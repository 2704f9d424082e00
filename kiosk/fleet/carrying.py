"""What a stick carries for a device without network: configurations there, answers back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet.admin import Admin
from kiosk.fleet.errors import AdminError, UnreachableError
from kiosk.fleet.usb import Stick
from sync.contract import carried, wire
from sync.contract.bundle import BundleError, unpack

BUSY = (429, 500, 503)
TRIES = 4
WAIT_S = 30.0
"""The longest wait the desk takes from a busy centre before it asks again."""


@dataclass(frozen=True)
class Brought:
    """What became of one carried batch."""

    device: str
    name: str
    said: str
    """received, refused, damaged."""
    first: int = 0
    last: int = 0
    code: str = ""
    reason: str = ""

    @property
    def records(self) -> int:
        """How many records it carried at most; none for a heartbeat."""
        return self.last - self.first + 1 if self.last else 0

    def as_dict(self) -> dict[str, Any]:
        """For `--format json`."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {key: value for key, value in found.items() if value != ""}


def put_newest(stick: Stick, device: str, admin: Admin, trusted: str) -> int:
    """Write a device's newest configuration onto a stick, exactly as the centre has it.

    Returns its version. Raises AdminError, StickError.
    """
    raw = admin.bundle(device)
    if raw is None:
        raise AdminError(f"the centre has no configuration of {device}: publish first")
    try:
        version = unpack(raw, trusted=(trusted,), device=device).version
    except BundleError as error:
        raise AdminError(f"{device}: {error}; publish it again") from None
    stick.put_bundle(device, version, raw)
    return version


def copy_receipts(source: Stick, stick: Stick, device: str) -> None:
    """Bring a device's receipts from one stick to another. Raises StickError, OSError."""
    for name in source.files(device, "receipts"):
        stick.put_receipt(device, name, source.read(device, "receipts", name))


def waiting(stick: Stick) -> list[tuple[str, str]]:
    """Device and file name of every carried batch, in the order they were written."""
    return [(d, name) for d in stick.devices() for name in stick.files(d, "answers")]


def bring(
    stick: Stick,
    admin: Admin,
    key: Ed25519PrivateKey,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Brought]:
    """Upload every carried batch as its device signed it, and write each receipt, signed with the
    organisation's `key`. One bad file does not stop the others.

    Everything can be repeated: the centre counts no record twice. Raises UnreachableError,
    StickError when a receipt cannot be written.
    """
    for device, name in waiting(stick):
        try:
            batch = carried.read_batch(stick.read(device, "answers", name))
        except (carried.CarriedError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield Brought(device, name, "damaged", reason=str(reason))
            continue
        status, headers, body = _posted(admin, batch, pause)
        stick.put_receipt(device, name, carried.write_receipt(status, headers, body, key))
        span = (batch.first, batch.last)
        if status == 200:
            yield Brought(device, name, "received", *span)
        else:
            problem = msgspec.json.decode(body, type=wire.Problem)
            yield Brought(device, name, "refused", *span, problem.code, problem.detail)


def _posted(
    admin: Admin, batch: carried.CarriedBatch, pause: Callable[[float], None]
) -> tuple[int, dict[str, str], bytes]:
    """The centre's final word on a batch; a busy one is asked again. Raises UnreachableError."""
    for attempt in range(1, TRIES + 1):
        status, headers, body = admin.forward(batch)
        if _is_receipt(batch, status, body) or (
            _is_problem(status, body) and status not in (429, 503)
        ):
            return status, headers, body
        if not _is_problem(status, body):
            raise UnreachableError(
                f"{admin.url} answers {status}, but not as a Hymiö centre would:"
                " is the address right, and no log-in page of a network in between?"
            )
        if attempt < TRIES:
            pause(_asked(headers))
    raise UnreachableError(f"{admin.url} is too busy ({status}): try again later")


def _is_receipt(batch: carried.CarriedBatch, status: int, body: bytes) -> bool:
    if status != 200:
        return False
    try:
        found = msgspec.json.decode(body, type=wire.Receipt)
    except wire.UNREADABLE:
        return False
    return (found.digest, found.epoch) == (batch.digest, batch.epoch)


def _is_problem(status: int, body: bytes) -> bool:
    if status < 400:
        return False
    try:
        return bool(msgspec.json.decode(body, type=wire.Problem).code)
    except wire.UNREADABLE:
        return False


def _asked(headers: dict[str, str]) -> float:
    """Seconds of Retry-After, within what somebody at a desk waits."""
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return min(WAIT_S, float(text)) if text.isdecimal() else 1.0
