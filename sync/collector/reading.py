"""Reading a batch from its bytes: what is refused, what goes to quarantine. No database."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from sync.contract import records, wire

MAX_STATUS_BYTES: Final = 16 << 10
MAX_STATUS_DEPTH: Final = 20
"""Deeper than any of ours, and no reader of it comes to the end of its stack."""
_SAFE: Final = 2**53
_SMALL: Final = 2**31 - 1
_NUL: Final = "\x00"


class RefusedError(Exception):
    """A request that is answered with a problem; `code` is one of wire.PROBLEM_CODES."""

    def __init__(self, code: str, detail: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class Entry(NamedTuple):
    """One record of a batch."""

    seq: int
    id: str
    raw: bytes
    sha256: bytes
    record: records.Record | None
    code: str
    """Why it goes to quarantine; empty: it counts."""


@dataclass(frozen=True)
class Prepared:
    """A batch that can be taken in."""

    batch: wire.Batch
    entries: list[Entry]
    held: list[wire.Item]
    status: str
    digest: str


def inflate(body: bytes, encoding: str | None, limit: int = wire.MAX_INFLATED_BYTES) -> bytes:
    """A body as sent, decompressed up to `limit` bytes.

    Raises RefusedError: too_large, bad_encoding (damaged, cut off, anything behind the end),
    unsupported_media_type for another encoding.
    """
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in ("gzip", "x-gzip"):
        raise RefusedError("unsupported_media_type", "Content-Encoding is gzip or absent")
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise RefusedError("bad_encoding", f"not gzip: {error}") from None
    if len(plain) > limit:
        raise RefusedError("too_large", f"more than {limit} bytes when decompressed")
    if not stream.eof:
        raise RefusedError("bad_encoding", "the gzip stream is cut off")
    if stream.unused_data:
        raise RefusedError("bad_encoding", "something follows the gzip stream")
    return plain


class _Version(msgspec.Struct):
    v: int


_batch: Final = msgspec.json.Decoder(wire.Batch)
_version: Final = msgspec.json.Decoder(_Version)


def check_version(body: bytes) -> None:
    """Raise RefusedError `unknown_version` when `v` says so, `bad_envelope` else."""
    try:
        found = _version.decode(body).v
    except wire.UNREADABLE as error:
        raise RefusedError("bad_envelope", _why(error)) from None
    if found not in wire.ACCEPTED:
        raise RefusedError("unknown_version", f"version {found} is not spoken here")


def _why(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def decode(body: bytes, kind: type[Any]) -> Any:
    """A JSON body as `kind`, a version it does not speak named first.

    Raises RefusedError: unknown_version, bad_envelope.
    """
    try:
        found = _batch.decode(body) if kind is wire.Batch else msgspec.json.decode(body, type=kind)
        # Records with it are quarantined one by one; anything else PostgreSQL could not store.
        nul = kind is not wire.Batch and _holds_nul(body)
    except wire.UNREADABLE as error:
        if "v" in getattr(kind, "__struct_fields__", ()):
            check_version(body)
        raise RefusedError("bad_envelope", _why(error)) from None
    if getattr(found, "v", wire.VERSION) not in wire.ACCEPTED:
        raise RefusedError("unknown_version", f"version {found.v} is not spoken here")
    if nul:
        raise RefusedError("bad_envelope", "U+0000 cannot be stored")
    return found


def has_nul(value: object) -> bool:
    """Whether U+0000 is in any text of a decoded JSON value."""
    return any(isinstance(each, str) and _NUL in each for each, _ in _parts(value))


def _holds_nul(raw: bytes) -> bool:
    """The same of JSON not yet decoded. Raises wire.UNREADABLE, as unknown fields may be."""
    return b"\\u0000" in raw and has_nul(msgspec.json.decode(raw))


def _parts(value: object) -> Iterator[tuple[object, int]]:
    """A decoded JSON value, its keys and all that is in it, each with its depth.

    Not by recursion: what the decoder lets through may be nested deeper than Python's stack.
    """
    todo = [(value, 0)]
    while todo:
        each, depth = todo.pop()
        yield each, depth
        if isinstance(each, dict):
            todo += [(part, depth + 1) for pair in each.items() for part in pair]
        elif isinstance(each, list):
            todo += [(part, depth + 1) for part in each]


def _check_envelope(batch: wire.Batch) -> None:
    if len(batch.items) > wire.MAX_ITEMS:
        raise RefusedError("too_large", f"more than {wire.MAX_ITEMS} items")
    if has_nul([batch.epoch, batch.boot, list(batch.clocks)]):
        raise RefusedError("bad_envelope", "U+0000 in the envelope")
    numbers = (batch.first_seq, batch.tail_seq, batch.sent_boottime_ms, *batch.clocks.values())
    if any(abs(number) > _SAFE for number in numbers) or min(batch.first_seq, batch.tail_seq) < 0:
        raise RefusedError("bad_envelope", "a number of the envelope is out of range")
    last = 0
    for item in batch.items:
        if item.seq <= last:
            raise RefusedError("bad_envelope", "items are not in seq order")
        last = item.seq
        if _NUL in item.id or _NUL in item.held:
            raise RefusedError("bad_envelope", f"U+0000 in the id of item {item.seq}")
        if len(item.held) > 100 or not (item.rec or item.held):
            raise RefusedError("bad_envelope", f"item {item.seq} has neither record nor reason")


def _out_of_range(record: records.Record) -> bool:
    if abs(record.at.boottime_ms) > _SAFE:
        return True
    if isinstance(record, records.End):
        return not 0 <= record.duration_ms <= _SAFE
    return not (
        record.n <= _SMALL and 0 <= record.config <= _SMALL and 0 <= record.position <= _SMALL
    )


def _read(raw: bytes) -> tuple[records.Record | None, str]:
    """The record in the bytes, or why it cannot count."""
    if len(raw) > wire.MAX_RECORD_BYTES:
        return None, "too_large"
    try:
        record = records.thaw(raw)
        nul = _holds_nul(raw)
    except msgspec.ValidationError:
        return None, "schema"
    except wire.UNREADABLE:
        return None, "json"
    if _out_of_range(record):
        return None, "range"
    if nul:
        # PostgreSQL's text cannot hold it; the bytes can be kept.
        return None, "u0000"
    return record, ""


def reread(raw: bytes) -> tuple[records.Record | None, str]:
    """Read stored bytes again: a newer centre may understand what an older put in quarantine."""
    return _read(raw)


def prepare(body: bytes, digest: str) -> Prepared:
    """Read a decompressed batch. Raises RefusedError when the envelope cannot be taken."""
    batch: wire.Batch = decode(body, wire.Batch)
    _check_envelope(batch)
    entries = []
    held = []
    for item in batch.items:
        if item.held:
            held.append(item)
            continue
        raw = bytes(item.rec)
        record, code = _read(raw)
        entries.append(Entry(item.seq, item.id, raw, hashlib.sha256(raw).digest(), record, code))
    return Prepared(batch, entries, held, _status(batch.status), digest)


def _status(said: dict[str, object]) -> str:
    """What a device says of itself, as JSON; an empty object for what cannot be kept."""
    if any(depth > MAX_STATUS_DEPTH for _, depth in _parts(said)) or has_nul(said):
        return "{}"
    status = msgspec.json.encode(said)
    return status.decode() if len(status) <= MAX_STATUS_BYTES else "{}"
