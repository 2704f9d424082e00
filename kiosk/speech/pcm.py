"""Sound as the terminal handles it: 16-bit mono samples, little-endian."""

from __future__ import annotations

import struct
from array import array
from typing import Final

WIDTH: Final = 2
"""Bytes of a sample."""
ENDLESS: Final = 0x7FFFF000
"""A length for a header that is written before anybody knows it."""


def header(rate: int) -> bytes:
    """The head of a WAV file of unknown length."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", ENDLESS + 36, b"WAVE", b"fmt ", 16, 1, 1),
        *(rate, rate * WIDTH, WIDTH, 8 * WIDTH, b"data", ENDLESS),
    )


def rate_of(head: bytes) -> int:
    """The samples a second that the head of a WAV file names. Raises ValueError."""
    if len(head) < 28 or head[:4] != b"RIFF":
        raise ValueError("no WAV file")
    return int(struct.unpack_from("<I", head, 24)[0])


def scaled(pcm: bytes, percent: int) -> bytes:
    """The same sound at a part of its loudness."""
    if percent >= 100:
        return pcm
    samples = array("h", pcm)
    return array("h", [sample * percent // 100 for sample in samples]).tobytes()


def silence(rate: int, ms: int) -> bytes:
    """Nothing, for a while."""
    return bytes(WIDTH * (rate * ms // 1000))
