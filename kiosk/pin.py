"""The service screen's PIN: how it is checked, and how often it may be guessed.

A wrong guess counts before it is checked, on the disk, so that pulling the plug wins nothing:

    guesses.count(stamp)               # to be stored, then
    right = verify(bundle.pin_hash, digits)     # takes a moment: in a thread
    guesses.settle(right)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sync.contract.records import Stamp

FREE: Final = 5
"""Wrong guesses that cost no waiting."""
FIRST_S: Final = 60.0
MOST_S: Final = 3600.0
MOST_DIGITS: Final = 12
_MOST_MEMORY: Final = 64 << 20


def usable(pin_hash: str) -> bool:
    """Whether a PIN can be checked against what the configuration says."""
    return _parts(pin_hash) is not None


def verify(pin_hash: str, digits: str) -> bool:
    """Whether `digits` are the PIN behind `scrypt$n$r$p$salt$hash`; False for a damaged hash."""
    parts = _parts(pin_hash)
    if parts is None:
        return False
    n, r, p, salt, expected = parts
    try:
        found = hashlib.scrypt(
            digits.encode(), salt=salt, n=n, r=r, p=p, dklen=len(expected), maxmem=_MOST_MEMORY
        )
    except (ValueError, MemoryError):
        return False
    return hmac.compare_digest(found, expected)


def _parts(pin_hash: str) -> tuple[int, int, int, bytes, bytes] | None:
    try:
        name, n, r, p, salt, expected = pin_hash.split("$")
        raw = base64.b64decode(salt, validate=True), base64.b64decode(expected, validate=True)
        numbers = int(n), int(r), int(p)
    except ValueError:
        return None
    bounded = 128 * numbers[0] * numbers[1] < _MOST_MEMORY and min(numbers) > 0 and numbers[2] <= 16
    if name != "scrypt" or not bounded or len(raw[1]) < 16:
        return None
    return *numbers, *raw


def wait_s(wrong: int) -> float:
    """Seconds to wait after so many wrong guesses in a row."""
    if wrong < FREE:
        return 0.0
    return float(min(MOST_S, FIRST_S * 2.0 ** min(wrong - FREE, 20)))


class Guesses:
    """Wrong guesses in a row, and until when there may be no other; `stored` is what `kept` gave.

    Time is the boot's own where it can be, so that setting the clock shortens no wait. After a
    restart whose clock says nothing, the wait begins anew.
    """

    def __init__(self, stored: Mapping[str, object] | None = None) -> None:
        stored = stored or {}
        wrong = stored.get("wrong")
        self.wrong = wrong if isinstance(wrong, int) and wrong > 0 else 0
        self._last: Stamp | None = _stamp(stored)

    def kept(self) -> dict[str, object]:
        """What must outlive a restart."""
        last = self._last
        if last is None:
            return {"wrong": self.wrong}
        return {
            "wrong": self.wrong,
            "boot": last.boot,
            "boottime_ms": last.boottime_ms,
            "wall": last.wall,
            "synced": last.synced,
        }

    def left_s(self, now: Stamp) -> float:
        """Seconds until the next guess is taken; 0 when one is."""
        wait = wait_s(self.wrong)
        if not wait:
            return 0.0
        last = self._last
        if last is None or not (last.boot == now.boot or (last.synced and now.synced)):
            # Nobody knows how long it was off: the wait begins anew.
            self._last = last = now
        return min(wait, max(0.0, wait - _between(last, now)))

    def until(self, now: Stamp) -> str:
        """Until when (ISO) no guess is taken; empty when one is."""
        if self.left_s(now) <= 0 or self._last is None:
            return ""
        end = _when(self._last.wall) + timedelta(seconds=wait_s(self.wrong))
        return end.isoformat(timespec="seconds")

    def count(self, now: Stamp) -> bool:
        """Count a guess as wrong before it is checked; False when none is taken now."""
        if self.left_s(now) > 0:
            return False
        self.wrong += 1
        self._last = now
        return True

    def settle(self, *, right: bool) -> None:
        """The guess counted last was right after all, or stays wrong."""
        if right:
            self.wrong, self._last = 0, None


def _between(first: Stamp, now: Stamp) -> float:
    """Seconds from one stamp to another."""
    if first.boot == now.boot:
        return (now.boottime_ms - first.boottime_ms) / 1000
    return (_when(now.wall) - _when(first.wall)).total_seconds()


def _when(wall: str) -> datetime:
    return datetime.fromisoformat(wall)


def _stamp(stored: Mapping[str, object]) -> Stamp | None:
    wall, boottime, boot = stored.get("wall"), stored.get("boottime_ms"), stored.get("boot")
    try:
        at = _when(str(wall))
    except ValueError:
        return None
    # Within these bounds nothing that is computed from it overflows.
    if not isinstance(boottime, int) or not 0 <= boottime <= 2**53 or not boot:
        return None
    if at.tzinfo is None or not 1 < at.year < 9999:
        return None
    return Stamp(
        wall=str(wall), boottime_ms=boottime, boot=str(boot), synced=bool(stored.get("synced"))
    )
