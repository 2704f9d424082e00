"""When to try again: the centre's word with a little jitter, else full jitter. Pure."""

from __future__ import annotations

from random import Random
from typing import Final

IDLE_S: Final = 300.0
"""With nothing to send, an empty batch goes this often."""
HOURLY_S: Final = 3600.0
CAP_S: Final = 86400.0
"""However absurd the centre's Retry-After is."""
FIRST_S: Final = 1.0
MOST_S: Final = 900.0


def asked(seconds: float, chance: Random) -> float:
    """What the centre asked for, 0-10 % later, at most a day."""
    return min(CAP_S, max(0.0, seconds)) * chance.uniform(1.0, 1.1)


def backoff(tries: int, chance: Random) -> float:
    """Full jitter between nothing and 1 s, 2 s, 4 s ... 15 min after so many failures."""
    return chance.uniform(0.0, min(MOST_S, FIRST_S * 2.0 ** min(tries, 20)))


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header; None without one that is a number of seconds."""
    try:
        seconds = float(value) if value is not None else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
