"""The centre as an ASGI application: device API, IT's API, health, and the pages people read."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State as AppState
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler

from sync.collector import admin_routes, openapi
from sync.collector.admin import Admin
from sync.collector.codes import Codes
from sync.collector.correcting import Corrections
from sync.collector.devices import Devices, RotateRequest, active
from sync.collector.gate import AnyRequest, Gate, Reply, Signed, is_unavailable
from sync.collector.ingest import Ingest
from sync.collector.keyring import state as key_state
from sync.collector.local import Door
from sync.collector.marking import EVERY_S as MARK_EVERY_S
from sync.collector.marking import Marker
from sync.collector.metrics import CONTENT_TYPE, Metrics
from sync.collector.problems import Pace, problem, refused
from sync.collector.reading import RefusedError, decode, prepare
from sync.collector.store import Store, Tx, open_store
from sync.contract import bundle, wire
from sync.contract.settled import settle

log = logging.getLogger("hymio.collector")

WORKERS: Final = {True: 3, False: 8}
"""Threads for SQLite (one writes, others read and unpack) and for PostgreSQL."""
MOST_WAITING: Final = 200
"""Requests at work or waiting beyond which devices are told when to come back."""
AFTER_S: Final = (5.0, 30.0)
"""Shortest and longest pace asked of a device; many devices are asked to come less often."""
DEVICES_A_SECOND: Final = 50.0
FAILED_S: Final = 10.0
"""Not ready for so long after the database failed at a batch, unless one is stored since: on a full
disk there is often still room for the mark by which readiness is tried."""


class Centre:
    """Everything the routes share; `app.state.centre`."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        prefix: str = "",
    ) -> None:
        self.store = store
        self.now = now
        self._clock = clock
        self.metrics = Metrics()
        self.gate = Gate(
            store,
            self.metrics,
            prefix=prefix,
            workers=WORKERS[store.sqlite],
            most_waiting=MOST_WAITING,
            clock=clock,
        )
        self.pace = Pace(clock)
        self.ingest = Ingest(
            store, now_ms=self.now_ms, after_s=self.after_s, turn_s=self.gate.turn_s
        )
        self.devices = Devices(store, now_ms=self.now_ms, clock=clock)
        self.admin = Admin(store, now_ms=self.now_ms)
        self.codes = Codes(store, now_ms=self.now_ms)
        self.corrections = Corrections(store, now_ms=self.now_ms)
        with store.read() as connection:
            self.centre: str = Tx(connection).value("select value from meta where key = 'centre'")
        self._seen: tuple[float, int] = (-1e9, 0)
        self._ready: tuple[float, bool] = (-1e9, False)
        self._failed = -1e9

    def now_ms(self) -> int:
        """The centre's clock in milliseconds since 1970."""
        return int(self.now() * 1000)

    def after_s(self) -> float:
        """The pace to ask for: as many devices as there are share the seconds."""
        at, devices = self._seen
        if self._clock() - at > 60:
            with self.store.read() as connection:
                devices = Tx(connection).value(
                    "select count(*) from devices where last_seen_ms > ?",
                    (self.now_ms() - 3_600_000,),
                )
            self._seen = (self._clock(), devices)
        shortest, longest = AFTER_S
        return max(shortest, min(longest, devices / DEVICES_A_SECOND))

    def ready(self) -> bool:
        """Whether batches can be stored; the database is asked at most once a second."""
        if self._clock() - self._failed < FAILED_S:
            return False
        at, was = self._ready
        if self._clock() - at >= 1:
            was = self.store.writable()
            self._ready = (self._clock(), was)
        return was

    def batch(self, request: AnyRequest, body: bytes) -> Reply:
        """`POST /v1/batches`."""
        began = self._clock()
        standing = ""

        def known(tx: Tx, key: str) -> bool:
            nonlocal standing
            standing, _ = key_state(tx, key)
            return bool(standing)

        signed = self.gate.verify(request, body, known)
        if standing == "revoked":
            raise RefusedError("device_revoked", "this key is revoked")
        self.pace.take(signed.key)
        prepared = prepare(signed.json(), signed.headers["content-digest"])
        if prepared.batch.centre != self.centre:
            raise RefusedError("wrong_centre", "this is another centre")
        try:
            receipt, outcome = self.ingest.take(signed.key, prepared)
        except Exception as error:
            if is_unavailable(error):
                self._failed = self._clock()
            raise
        self._failed = -1e9
        took = self._clock() - began
        self.metrics.ingest_seconds.observe(took)
        self.metrics.records.labels("stored").inc(outcome.accepted)
        for exception in outcome.exceptions:
            self.metrics.records.labels(exception.verdict).inc()
        return Reply.of(receipt)

    def enrol(self, request: AnyRequest, body: bytes) -> Reply:
        """`POST /v1/enrol`, signed by the key to enrol."""
        signed = self.gate.verify(request, body, None)
        return Reply.of(self.devices.enrol(decode(signed.json(), wire.EnrolRequest), signed.key))

    def rotate(self, request: AnyRequest, body: bytes) -> Reply:
        """`POST /v1/keys`."""
        signed = self.gate.verify(request, body, device_key)
        return Reply.of(self.devices.rotate(signed.key, decode(signed.json(), RotateRequest)))

    def config(self, request: AnyRequest, body: bytes) -> Reply:
        """`GET /v1/config`: the newest bundle, exact bytes; 304 when the caller has it."""
        signed = self.gate.verify(request, body, device_key)
        with self.store.read() as connection:
            tx = Tx(connection)
            device = active(tx, signed.key)
            found = tx.row(
                "select version, bundle, bundle_sha256 from devices where id = ?", (device,)
            )
        if found is None or found[1] is None:
            raise RefusedError("not_found", "nothing is published for this device yet")
        etag = f'"{found[0]}-{found[2][:16]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        asked = {tag.strip().removeprefix("W/") for tag in _header(signed, "if-none-match")}
        if etag in asked or "*" in asked:
            return Reply(b"", 304, headers=headers)
        return Reply(bytes(found[1]), headers=headers)


def device_key(tx: Tx, key: str) -> bool:
    """Whether a key was ever a device's; a revoked one is told so, not called unknown."""
    return bool(key_state(tx, key)[0])


def _header(signed: Signed, name: str) -> list[str]:
    return signed.headers.get(name, "").split(",")


def centre_of(request: AnyRequest) -> Centre:
    """The centre behind a request."""
    centre: Centre = request.app.state.centre
    return centre


@post("/v1/batches", status_code=200)
async def batches(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """A run of records, or a heartbeat."""
    centre = centre_of(request)
    body = await centre.gate.body(request, wire.MAX_BODY_BYTES)
    return await centre.gate.run("batches", lambda: centre.batch(request, body), bounded=True)


@post("/v1/enrol", status_code=200)
async def enrol(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Redeem a one-time code."""
    centre = centre_of(request)
    body = await centre.gate.body(request, 64 << 10)
    return await centre.gate.run("enrol", lambda: centre.enrol(request, body), bounded=True)


@post("/v1/keys", status_code=200)
async def rotate(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Announce the key that follows."""
    centre = centre_of(request)
    body = await centre.gate.body(request, 64 << 10)
    return await centre.gate.run("keys", lambda: centre.rotate(request, body), bounded=True)


@get("/v1/config")
async def config(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """The newest configuration."""
    centre = centre_of(request)
    body = await centre.gate.body(request, 64 << 10)
    return await centre.gate.run("config", lambda: centre.config(request, body), bounded=True)


@get("/livez", sync_to_thread=False)
def livez() -> Response[bytes]:
    """The process answers."""
    return Response(b"ok\n", media_type="text/plain")


@get("/readyz")
async def readyz(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Batches can be stored."""
    centre = centre_of(request)

    def work() -> Reply:
        if not centre.ready():
            raise RefusedError("not_writable", "the database cannot be written")
        return Reply(b"ok\n", media_type="text/plain")

    return await centre.gate.run("readyz", work, bounded=False)


@get("/metrics", sync_to_thread=False)
def metrics(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Prometheus' text."""
    return Response(centre_of(request).metrics.text(), media_type=CONTENT_TYPE)


@get("/schema/openapi.json", sync_to_thread=False)
def schema() -> Response[bytes]:
    """This API, as OpenAPI."""
    return Response(openapi.document(), media_type="application/vnd.oai.openapi+json")


def _http_problem(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "slow_down"}
    headers = dict(error.headers or {})
    if isinstance(error, MethodNotAllowedException):
        headers.setdefault("Allow", headers.pop("allow", ""))
    code = codes.get(error.status_code, "internal" if error.status_code >= 500 else "bad_envelope")
    return problem(code, error.detail if error.status_code < 500 else "", headers=headers)


def _refused(_: AnyRequest, error: RefusedError) -> Response[bytes]:
    return refused(error)


def _defect(_: AnyRequest, error: Exception) -> Response[bytes]:
    log.error("a request failed", exc_info=error)
    return problem("internal", "a defect of this program; it is in its log")


def _web_routes() -> list[Any]:
    """The pages, where they are installed."""
    try:
        web = importlib.import_module("sync.collector.web")
    except ModuleNotFoundError as error:
        log.info("no pages: %s", error)
        return []
    found: list[Any] = web.routes() if hasattr(web, "routes") else []
    return found


API: Final[list[HTTPRouteHandler]] = [batches, enrol, rotate, config, *admin_routes.ROUTES]
"""What devices and IT's commands call; OpenAPI describes exactly these."""


def create_app(
    database_url: str,
    *,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    web: bool = True,
    prefix: str = "",
    mark_every_s: float = MARK_EVERY_S,
) -> Litestar:
    """The application on a database, which is migrated when it is fresh.

    `now` (seconds since 1970) and `clock` (monotonic seconds) can be passed in; `prefix` is the
    public path before `/v1` where a proxy takes one off; the centre's flags are brought up to date
    every `mark_every_s`. Raises StoreError.
    """
    settle()
    store = open_store(database_url, fresh=True)
    try:
        centre = Centre(store, now=now, clock=clock, prefix=prefix)
    except BaseException:
        store.close()
        raise

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        marker = Marker(store, every_s=mark_every_s)
        marker.start()
        door = Door(store) if store.sqlite else None
        if door is not None:
            door.start()
        yield
        if door is not None:
            door.close()
        marker.close()
        centre.gate.close()
        store.close()

    return Litestar(
        [*API, livez, readyz, metrics, schema, *(_web_routes() if web else [])],
        state=AppState({"centre": centre, "store": store, "now": now}),
        exception_handlers={
            RefusedError: _refused,
            HTTPException: _http_problem,
            Exception: _defect,
        },
        openapi_config=None,
        lifespan=[lifespan],
        # Bodies are bounded by the gate, which answers with a problem.
        request_max_body_size=None,
        logging_config=None,
        debug=False,
    )


__all__ = ["API", "Centre", "bundle", "create_app"]
