"""The messages between device and centre, version 1: batches, enrolment, problems."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

VERSION: Final = 1
ACCEPTED: Final = frozenset({1})
"""The centre is upgraded first and accepts v and v-1."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no message: text that is no UTF-8 and nesting too deep
have errors of their own."""

MAX_ITEMS: Final = 2000
"""Of a batch: 2000 in one transaction cost a quarter less each than 500; bytes are bound, too."""
MAX_BODY_BYTES: Final = 1 << 20
"""Of a compressed or plain request body."""
MAX_INFLATED_BYTES: Final = 8 << 20
"""Of a decompressed request body."""
MAX_RECORD_BYTES: Final = 64 << 10

Ident = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Item(msgspec.Struct, omit_defaults=True):
    """One record at its position, or, when `held` is set, the placeholder for one kept back."""

    seq: Seq
    id: Ident
    rec: msgspec.Raw = msgspec.Raw()
    """The frozen bytes, embedded as they are; empty for a placeholder."""
    held: str = ""
    """Why the record is kept on the device: the centre's problem code."""


class Batch(msgspec.Struct):
    """A run of one epoch's records in `seq` order; an empty `items` is a heartbeat."""

    v: int
    centre: Ident
    epoch: Ident
    boot: Ident
    sent_at: str
    sent_boottime_ms: int
    clocks: dict[str, int]
    """Per boot id: synchronised wall ms since 1970 minus boottime ms, where it was ever known."""
    first_seq: int
    """The lowest seq the device still has beyond `have`; what lies between was pruned."""
    tail_seq: int
    """The highest seq ever assigned in this epoch (the AUTOINCREMENT value)."""
    status: dict[str, object]
    items: list[Item]


class ExceptionItem(msgspec.Struct):
    """A record the centre acknowledged but did not count."""

    seq: int
    verdict: Literal["quarantined", "conflict", "held"]
    code: str


class Next(msgspec.Struct):
    """What the centre asks of the next batch."""

    after_s: float = 30
    max_items: int = MAX_ITEMS
    max_bytes: int = MAX_BODY_BYTES


class Receipt(msgspec.Struct):
    """The reply to a batch, written only after the commit."""

    v: int
    centre: str
    digest: str
    """The request's Content-Digest header, echoed."""
    epoch: str
    received_at: str
    have: int
    """The largest n such that every seq <= n is stored, held or declared pruned."""
    exceptions: list[ExceptionItem] = []
    new_epoch: bool = False
    """The device should begin a new outbox file (clone or rolled-back disk suspected)."""
    next: Next = msgspec.field(default_factory=Next)
    config: int = 0
    """The newest configuration version for this device; 0: none."""


class EnrolRequest(msgspec.Struct):
    """`POST /v1/enrol`, signed by the new key; `public_key` is base64 of the 32 raw bytes."""

    v: int
    code: str
    public_key: str
    release: bool = False
    """True says "no, wrong place": frees the code from this key."""


class EnrolReply(msgspec.Struct):
    """What an enrolled device needs to know; the same code and key get the same reply."""

    v: int
    centre: str
    device: str
    name: str
    location: str
    organisation_key: str
    """Base64 of the organisation's public key: pinned on first use when a code was typed."""
    config: int


class Problem(msgspec.Struct):
    """RFC 9457 problem details; `code` is what programs read."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


PROBLEM_CODES: Final = {
    "bad_envelope": 400,
    "bad_encoding": 400,
    "query_not_allowed": 400,
    "unknown_version": 400,
    "bad_digest": 401,
    "bad_signature": 401,
    "unknown_key": 401,
    "device_revoked": 403,
    "key_retired": 403,
    "wrong_epoch_for_retired_key": 403,
    "code_unknown": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "timeout": 408,
    "conflict": 409,
    "code_used": 409,
    "code_expired": 410,
    "too_large": 413,
    "unsupported_media_type": 415,
    "wrong_centre": 421,
    "slow_down": 429,
    "internal": 500,
    "not_writable": 503,
}
"""Every problem code and its HTTP status; a test holds the documentation against this table."""
