"""A PIN for the service screen: which are too easy, and the form it is kept in."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os

from kiosk.pin import MOST_DIGITS

LEAST_DIGITS = 6
_N, _R, _P, _LENGTH = 2**14, 8, 1, 32


def weak(digits: str) -> str:
    """Why a PIN is refused; "" for a good one."""
    if not (digits.isascii() and digits.isdecimal()):
        return "a PIN has digits only"
    if not LEAST_DIGITS <= len(digits) <= MOST_DIGITS:
        return f"a PIN has {LEAST_DIGITS} to {MOST_DIGITS} digits"
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(digits)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return "one digit repeated, or digits in order, is what is tried first"
    for length in range(1, len(digits) // 2 + 1):
        part = digits[:length]
        if len(digits) % length == 0 and digits == part * (len(digits) // length):
            return f"{part} again and again is what is tried first"
    return ""


def hashed(digits: str, salt: bytes | None = None) -> str:
    """`scrypt$n$r$p$salt$hash`, as a configuration carries it."""
    salt = salt or os.urandom(16)
    key = hashlib.scrypt(digits.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=_LENGTH)
    parts = (base64.b64encode(raw).decode() for raw in (salt, key))
    return "$".join(["scrypt", str(_N), str(_R), str(_P), *parts])
