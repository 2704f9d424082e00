"""UUIDv7 identifiers (RFC 9562): sortable by the millisecond they were made in."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable


def uuid7(
    *,
    now_ms: Callable[[], int] | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Return a new UUIDv7 as text; clock (ms since 1970) and chance can be passed in."""
    # A dead clock battery can put the clock before 1970; the field is unsigned, 48 bits.
    ms = max(0, time.time_ns() // 1_000_000 if now_ms is None else now_ms()) & (2**48 - 1)
    value = ms << 80 | int.from_bytes(random_bytes(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its canonical lower-case form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
