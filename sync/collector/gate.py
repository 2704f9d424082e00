"""From a request to a checked one: bounded body, signature, JSON; and back to a response.

Work runs in threads, so the loop stays free; what waits is counted, and beyond a bound callers get
a time to come back at.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from litestar import Request, Response
from litestar.datastructures import State as AppState
from litestar.exceptions import ClientException

from sync.collector.metrics import Metrics
from sync.collector.problems import START_S, Slots, problem, refused
from sync.collector.reading import RefusedError, inflate
from sync.collector.store import NotAcknowledgedError, Store, StoreError, Tx
from sync.collector.store.database import described
from sync.contract import signing

log = logging.getLogger("hymio.collector")

BODY_S: Final = 60
"""Seconds a body may take to arrive."""
WORK_S: Final = 60
"""Seconds after which the caller is told to come back; the work itself is never cut short."""
DRAIN_BYTES: Final = 16 << 20
"""What is still read of a body too large, so that the answer is heard."""

READERS: Final = 400
"""Bodies read at the same time: what bounds memory when all the world connects."""
LARGE: Final = 8
"""Of them catalogues and bundles, which may be eight times as large."""

_NOT_USABLE: Final = ("25006", "42501", "42P01")
"""PostgreSQL's read-only transaction, missing privilege and missing table, which it files under
programming errors and SQLite under operational ones: either way someone at the database has to act,
and the caller keeps its data."""

AnyRequest = Request[Any, Any, AppState]


@dataclass(frozen=True)
class Signed:
    """A request whose signature holds."""

    key: str
    body: bytes
    """As on the wire."""
    headers: dict[str, str]

    def plain(self) -> bytes:
        """The body, decompressed within bounds."""
        return inflate(self.body, self.headers.get("content-encoding"))

    def json(self) -> bytes:
        """The body, which must call itself JSON. Raises RefusedError."""
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError("unsupported_media_type", "Content-Type is application/json")
        return self.plain()


@dataclass
class Reply:
    """What a piece of work answers."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200) -> Reply:
        """Any message as JSON."""
        return cls(msgspec.json.encode(value), status)


class Gate:
    """The bounds of one application."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        prefix: str,
        workers: int,
        most_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._prefix = prefix.rstrip("/")
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="collector")
        self._workers = workers
        self._most_waiting = most_waiting
        self._waiting = 0
        self._reading = asyncio.Semaphore(READERS)
        self.large = asyncio.Semaphore(LARGE)
        self.slots = Slots(clock)

    async def body(self, request: AnyRequest, limit: int) -> bytes:
        """The body as on the wire. Raises RefusedError: too_large, timeout."""
        try:
            async with self._reading, asyncio.timeout(BODY_S):
                return await _bounded(request, limit)
        except TimeoutError:
            raise RefusedError("timeout", "the body took too long to arrive") from None
        except ClientException:
            raise RefusedError("bad_envelope", "the body was cut off") from None

    def verify(
        self, request: AnyRequest, body: bytes, known: Callable[[Tx, str], bool] | None
    ) -> Signed:
        """Check the signature; `known` says whose keys are taken, None takes any key.

        Raises RefusedError: bad_digest, bad_signature, unknown_key.
        """
        headers: dict[str, str] = {}
        for name, value in request.scope["headers"]:
            key = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        raw: bytes = request.scope["raw_path"]
        path = self._prefix + raw.split(b"?")[0].decode("latin-1")

        def is_known(key: str) -> bool:
            if known is None:
                return True
            with self._store.read() as connection:
                return known(Tx(connection), key)

        try:
            key = signing.verify(request.method, path, headers, body, known=is_known)
        except signing.SignatureRefused as error:
            raise RefusedError(error.code, str(error)) from None
        return Signed(key, body, headers)

    async def run(self, route: str, work: Callable[[], Reply], *, bounded: bool) -> Response[bytes]:
        """Do a piece of work in a thread and turn what comes of it into a response."""
        if bounded and self._waiting >= self._most_waiting:
            self._metrics.requests.labels(route, "429").inc()
            return problem(
                *("slow_down", "many devices are back at once"),
                headers={"Retry-After": str(self.slots.take(self._waiting))},
            )
        self._waiting += 1
        self._metrics.waiting.set(self._waiting)
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, work)
        future.add_done_callback(self._done)
        try:
            response = await asyncio.wait_for(asyncio.shield(future), WORK_S)
        except TimeoutError:
            response = self._unavailable("the database takes too long")
        self._metrics.requests.labels(route, str(response.status_code)).inc()
        return response

    def _done(self, future: asyncio.Future[Response[bytes]]) -> None:
        self._waiting -= 1
        failed = future.cancelled() or (future.result().status_code or 500) >= 500
        self.slots.done(busy=self._waiting >= self._workers, failed=failed)
        self._metrics.waiting.set(self._waiting)

    def _guarded(self, work: Callable[[], Reply]) -> Response[bytes]:
        try:
            reply = work()
        except RefusedError as error:
            return refused(error)
        except NotAcknowledgedError as error:
            log.warning("a commit came with a warning and is not acknowledged: %s", error)
            return self._unavailable("stored here, not yet where it must be")
        except Exception as error:
            if is_unavailable(error):
                log.error("the database cannot be written: %s", described(error))
                return self._unavailable("the database cannot be written")
            log.exception("a request failed")
            return problem("internal", "a defect of this program; it is in its log")
        return Response(
            reply.body,
            status_code=reply.status,
            media_type=reply.media_type,
            headers=reply.headers,
        )

    def turn_s(self) -> float:
        """Seconds until the next batch of a device that was served and has more.

        It goes to the end of the row while others were told to come later, or those with much
        would keep their places until they have nothing left; at once when a thread would be idle.
        """
        if self._waiting <= self._workers or not self.slots.expected():
            return 0.0
        return self.slots.take(self._waiting)

    def _unavailable(self, detail: str) -> Response[bytes]:
        wait = self.slots.take(least_s=START_S)
        return problem("not_writable", detail, headers={"Retry-After": str(wait)})

    def close(self) -> None:
        """Wait for what is at work."""
        self._pool.shutdown(wait=True)


def is_unavailable(error: BaseException) -> bool:
    """Whether an error is the database's, not the request's nor this program's."""
    if isinstance(error, (StoreError, sa.exc.InterfaceError, sa.exc.TimeoutError)):
        return True
    # The hot path meets the drivers' own errors, each with the same names (PEP 249).
    if any(kind.__name__ == "OperationalError" for kind in type(error).__mro__):
        return True
    return getattr(getattr(error, "orig", error), "sqlstate", None) in _NOT_USABLE


async def _bounded(request: AnyRequest, limit: int) -> bytes:
    if request.scope["query_string"]:
        raise RefusedError("query_not_allowed", "a signed route takes no query string")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > DRAIN_BYTES:
            break
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
    if size > limit:
        raise RefusedError("too_large", f"a body of more than {limit} bytes")
    return b"".join(chunks)
