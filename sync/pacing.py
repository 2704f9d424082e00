"""When to try again: the centre's word with a little jitter, else full jitter. Pure."""

from __future__ import annotations

import math
from random import Random
from typing import Final

IDLE_S: Final = 300.0
"""With nothing to send, an empty batch goes this often."""
HOURLY_S: Final = 3600.0
CAP_S: Final = 86400.0
"""However absurd what the centre asks for is."""
LEAST_S: Final = 1.0
"""Before another attempt, even if Retry-After says 0: a broken proxy must not make us spin."""
FIRST_S: Final = 1.0
MOST_S: Final = 900.0


def asked(seconds: float, chance: Random) -> float:
    """What the centre asked for, 0-10 % later, at most a day; 0 for what is no time."""
    if math.isnan(seconds):
        return 0.0
    return min(CAP_S, max(0.0, seconds) * chance.uniform(1.0, 1.1))


def backoff(tries: int, chance: Random) -> float:
    """Full jitter between nothing and 1 s, 2 s, 4 s ... 15 min after so many failures."""
    return chance.uniform(0.0, min(MOST_S, FIRST_S * 2.0 ** min(max(tries, 1) - 1, 20)))


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header; None without one that is a number of seconds."""
    text = (value or "").strip()
    # Digits only: a date would need a clock that is right, and nobody means 1e9 or 0x10.
    if not text.isascii() or not text.isdigit():
        return None
    return max(LEAST_S, float(text[:9]))
