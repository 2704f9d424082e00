"""Running the application under uvicorn, calmly."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Final

import uvicorn

from sync.collector.app import create_app

log = logging.getLogger("hymio.collector")

FINISH_S: Final = 30
"""Seconds in-flight work has after SIGTERM."""


class _Server(uvicorn.Server):
    """Says on stdout where it listens, once it does: other programs wait for that line."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            print(f"listening on http://{host}:{port}", flush=True)  # noqa: T201 - the contract


class _Ended(BaseException):
    """The signal that uvicorn has already obeyed, raised once more by it."""


@contextlib.contextmanager
def _calm_end() -> Iterator[None]:
    """Being told to end is no failure: exit 0, where uvicorn would die of the signal."""

    def end(*_: object) -> None:
        raise _Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    # A terminal that is closed ends what it began; `nohup` has it ignored, and so it stays.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        before[signal.SIGHUP] = signal.signal(
            signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM)
        )
    try:
        yield
    except _Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(database: str, *, host: str, port: int, prefix: str = "", web: bool = True) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, then finish what is in flight.

    Raises StoreError when the database cannot be opened, OSError when the port cannot.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    for noisy in ("alembic", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol named asyncio leaves Nagle on, and each answer waits 40 ms for an ACK.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        app = create_app(database, web=web, prefix=prefix)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=2048,
            timeout_graceful_shutdown=FINISH_S,
        )
        # What lives as long as the process need not be walked again and again: a collection in
        # the middle of a batch took longer than the batch.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)
        log.info("the centre starts")
        with _calm_end():
            _Server(config).run(sockets=[listener])
        log.info("the centre has ended")
