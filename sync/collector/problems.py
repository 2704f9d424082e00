"""RFC 9457 problem details: every refusal names a code that programs can read."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Response

from sync.collector.reading import RefusedError
from sync.contract import wire

MEDIA_TYPE: Final = "application/problem+json"
START_S: Final = 0.02
"""What a request is taken to cost until that is known, and the least between two returns to a
database that is away, however fast it was."""


def problem(
    code: str, detail: str = "", *, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """A problem as a response."""
    status = wire.PROBLEM_CODES[code]
    body = wire.Problem(
        type=f"urn:hymio:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
    )
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers or {},
    )


def refused(error: RefusedError) -> Response[bytes]:
    """A refusal as a response."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(error.code, error.detail, headers=headers)


class Pace:
    """A bound on each key's batches, far above what a terminal that works ever needs."""

    def __init__(
        self, clock: Callable[[], float], *, per_s: float = 100, burst: float = 1000
    ) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = burst
        self._mutex = threading.Lock()
        self._keys: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Count one batch. Raises RefusedError `slow_down`."""
        with self._mutex:
            now = self._clock()
            left, at = self._keys.get(key, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_s)
            self._keys[key] = (max(0.0, left - 1), now)
        if left < 1:
            raise RefusedError("slow_down", "too many batches from one key", retry_after_s=10)


class Slots:
    """Times to come back at, one after the other, so that thousands return evenly.

    They lie as far apart as the centre needs for one request while it is never idle: not as long
    as one takes, for several are at work, and each waits for the others.
    """

    def __init__(self, clock: Callable[[], float], *, longest_s: int = 3600) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._mutex = threading.Lock()
        self._cost_s = START_S
        self._next = 0.0
        self._busy_at: float | None = None

    def done(self, *, busy: bool, failed: bool) -> None:
        """A request is done. `busy`: every thread has another at once, so that the time to the
        next one is what it costs; `failed` ones tell nothing of that.
        """
        with self._mutex:
            now = self._clock()
            if self._busy_at is not None and not failed:
                # All stand still behind a lock now and then: that is nobody's cost.
                took = min(now - self._busy_at, 10 * self._cost_s + START_S)
                self._cost_s += 0.05 * (took - self._cost_s)
            self._busy_at = now if busy and not failed else None

    def take(self, behind: int = 0, *, least_s: float = 0.0) -> int:
        """Seconds to wait: the next free slot, `behind` so many requests that wait here, and at
        least so many seconds after the slot before.
        """
        with self._mutex:
            now = self._clock()
            cost = max(self._cost_s, least_s)
            self._next = max(self._next, now + max(1.0, behind * cost)) + cost
            # Beyond the longest wait the row begins anew, or it would only ever grow.
            if self._next - now > self._longest_s:
                self._next = now + 1
            return math.ceil(self._next - now)

    def expected(self) -> bool:
        """Whether somebody was told to come later than now."""
        with self._mutex:
            return self._next > self._clock()
