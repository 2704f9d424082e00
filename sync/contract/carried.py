"""A batch and its receipt on a USB stick, where a device has no network.

The device writes the batch exactly as it would post it, signed by its own key; IT's desk uploads
it unchanged and writes the centre's receipt beside it. A stick passes through many hands and has
no TLS around it, so the desk signs each receipt with the organisation's key, which the device has
pinned: a forged one can never make a device forget answers the centre does not have.

Both files are JSON, bytes as base64, and have the same name: `answers/<name>`, `receipts/<name>`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import bundle, signing, wire

PATH: Final = "/v1/batches"
HEADERS: Final = ("Content-Type", "Content-Encoding", *signing.SIGNATURE_HEADERS)
"""What a carried batch keeps of its request's headers, and nothing else."""
MAX_FILE_BYTES: Final = 2 << 20
"""Of either file; base64 makes a body a third larger."""
_NAME: Final = re.compile(r"[0-9a-zA-Z-]{1,100}-\d{1,16}\.json")
_SIGNED: Final = b"hymio-receipt-1\n"
_File = TypeVar("_File")


class CarriedError(Exception):
    """A file on the stick that is not what it should be; the text is for people."""


class CarriedBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signed request for `POST /v1/batches`."""

    v: Literal[1] = 1
    path: Literal["/v1/batches"] = PATH
    """Below the endpoint's address; the signature covers the endpoint's own path before it."""
    headers: dict[str, str]
    """Those of HEADERS that the request has."""
    body: bytes
    """As on the wire: compressed, and signed like that."""
    epoch: wire.Ident
    first: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    """The lowest seq among the records; 0 when there are none."""
    last: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    """The highest seq among the records; 0 when there are none."""

    @property
    def digest(self) -> str:
        """Content-Digest of the request, which its receipt repeats."""
        return signing.content_digest(self.body)


class CarriedReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the centre answered, and the desk's word for it."""

    v: Literal[1] = 1
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    key: str
    """The organisation's public key, base64."""
    signature: bytes
    """Over status and body, by that key."""


def batch_name(epoch: str, first: int) -> str:
    """The name of both files; names sort by epoch and seq."""
    return f"{epoch}-{first:012}.json"


def is_name(name: str) -> bool:
    """Whether a file can be one of ours; sticks collect all kinds of files."""
    return _NAME.fullmatch(name) is not None


def write_batch(
    headers: dict[str, str], body: bytes, *, epoch: str, first: int, last: int
) -> bytes:
    """A batch's file, of a request as it was signed."""
    given = {name.lower(): value for name, value in headers.items()}
    kept = {name: given[name.lower()] for name in HEADERS if name.lower() in given}
    found = CarriedBatch(headers=kept, body=body, epoch=epoch, first=first, last=last)
    return msgspec.json.encode(found)


def read_batch(raw: bytes) -> CarriedBatch:
    """A batch's file. Raises CarriedError; the signature is the centre's to judge."""
    found = _decode(raw, CarriedBatch, "answers")
    strange = set(found.headers) - set(HEADERS)
    if strange:
        raise CarriedError(f"the file of answers has a strange header: {min(strange)!r}")
    for name, value in found.headers.items():
        if not value.isascii() or not value.isprintable():
            raise CarriedError(f"the file of answers has a damaged header: {name}")
    if found.headers.get("Content-Digest") != found.digest:
        raise CarriedError("the file of answers is damaged: its content does not fit its digest")
    return found


def write_receipt(
    status: int, headers: dict[str, str], body: bytes, key: Ed25519PrivateKey
) -> bytes:
    """A receipt's file, signed with the organisation's key."""
    kept = {name.lower(): value for name, value in headers.items()}
    return msgspec.json.encode(
        CarriedReceipt(
            status=status,
            headers={name: kept[name] for name in ("content-type", "retry-after") if name in kept},
            body=body,
            key=bundle.key_text(key.public_key()),
            signature=key.sign(_signed(status, body)),
        )
    )


def read_receipt(raw: bytes, *, trusted: Collection[str]) -> CarriedReceipt:
    """A receipt's file whose signature holds. Raises CarriedError.

    `trusted` are the organisation's keys the device has pinned. Whether the receipt is for this
    very batch says the body: `exchange.verified` with the batch's digest.
    """
    found = _decode(raw, CarriedReceipt, "receipt")
    if found.key not in trusted:
        raise CarriedError("the receipt is signed by a key this device does not trust")
    try:
        bundle.read_key(found.key).verify(found.signature, _signed(found.status, found.body))
    except (InvalidSignature, bundle.BundleError):
        raise CarriedError("the receipt's signature does not fit its content") from None
    return found


def _signed(status: int, body: bytes) -> bytes:
    """The bytes under a receipt's signature; they can be mistaken for no configuration."""
    return _SIGNED + str(status).encode() + b"\n" + base64.b64encode(body)


def _decode(raw: bytes, kind: type[_File], what: str) -> _File:
    if len(raw) > MAX_FILE_BYTES:
        raise CarriedError(f"the file of {what} is larger than any of ours")
    try:
        return msgspec.json.decode(raw, type=kind)
    except wire.UNREADABLE:
        raise CarriedError(f"the file of {what} is damaged, or of another program") from None
