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
STATUS: Final = {**wire.PROBLEM_CODES, "conflict": 409, "timeout": 408}
"""Every code the centre answers with; the last two are not sent to a device's batch."""


def problem(
    code: str, detail: str = "", *, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """A problem as a response."""
    status = STATUS[code]
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


class Slots:
    """Times to come back at, one after the other, so that thousands return evenly."""

    def __init__(self, clock: Callable[[], float], *, longest_s: int = 3600) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._mutex = threading.Lock()
        self._cost_s = 0.02
        self._next = 0.0

    def took(self, seconds: float) -> None:
        """Learn what one batch costs."""
        with self._mutex:
            self._cost_s += 0.05 * (seconds - self._cost_s)

    def take(self) -> int:
        """Seconds to wait: the next free slot."""
        with self._mutex:
            now = self._clock()
            self._next = max(self._next, now + 1) + self._cost_s
            # Beyond the longest wait the row begins anew, or it would only ever grow.
            if self._next - now > self._longest_s:
                self._next = now + 1
            return math.ceil(self._next - now)
