"""Absurd times in replies: real HTTP, a real Link, a monotonic clock that can be turned."""

from __future__ import annotations

import contextlib
import gzip
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sync import pacing
from sync.contract import signing
from sync.datadir import write_json
from sync.link import Link
from sync.sender import Sender
from tests.drills.clocks.machine import Hall, Kiosk, Machine
from tests.drills.site import CODE

ABSURD: tuple[tuple[str, ...], ...] = (
    *(("0",), ("-1",), ("-999999999",), ("120",), ("1000000000",), ("9" * 400,), ("1e9",)),
    *(("1.5",), ("NaN",), ("inf",), ("",), ("   ",), ("+5",), ("0x10",), ("120; soon",), ("soon",)),
    *(("Thu, 01 Jan 1970 00:00:00 GMT",), ("Fri, 31 Dec 2099 23:59:59 GMT",)),
    *(("5", "10"), ("1000000000", "1"), ("\u00b2",), ("\u00ff",), ("60, 60",)),
)
"""Values of Retry-After; several are several headers."""
STATUSES = (429, 503)


class Turned:
    """A server that turns the first batch away with such headers, and then is the centre."""

    def __init__(self, house: Hall) -> None:
        self.house = house
        self.values: tuple[str, ...] | None = None
        self.status = 503
        turned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                turned._answer(self)

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers["Content-Length"]))
        headers = dict(request.headers.items())
        public = signing.verify("POST", request.path, headers, raw, known=lambda _: True)
        if self.values is not None and request.path == "/v1/batches":
            request.send_response(self.status)
            for value in self.values:
                request.send_header("Retry-After", value)
            self.values, status, body = None, self.status, b"{}"
        else:
            status, body, digest = self.house.post(request.path, gzip.decompress(raw), public)
            # What is echoed is the digest of what was on the wire.
            body = body.replace(digest.encode() or b"-", signing.content_digest(raw).encode())
            request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


class Patient(Kiosk):
    """A device whose sender speaks real HTTP."""

    url = ""

    def open_sender(self) -> Sender:
        """Start the sender's half."""
        write_json(self.data.enrol_json, {"endpoint": self.url, "code": CODE})
        self.sender = Sender(
            self.data,
            clock=self._clock(),
            monotonic=lambda: self.now,
            chance=random.Random(1),
            link=Link,
        )
        return self.sender


@contextlib.contextmanager
def patient(folder: Path) -> Iterator[tuple[Patient, Turned]]:
    """A device enrolled at such a server."""
    machine = Machine()
    house = Hall(folder / "centre.db", machine)
    server = Turned(house)
    kiosk = Patient(folder / "device", house, machine)
    kiosk.url = server.url
    try:
        kiosk.open()
        kiosk.runs(30)
        yield kiosk, server
    finally:
        kiosk.close()
        server.close()
        house.store.close()


def waits(kiosk: Patient, server: Turned, status: int, values: tuple[str, ...]) -> list[str]:
    """Turn one batch away with these headers; what is wrong with the wait that follows."""
    assert kiosk.sender is not None
    server.status, server.values = status, values
    kiosk.gives(2)
    for _ in range(400):
        pause = kiosk.sender.step()
        if server.values is None:
            break
        kiosk.machine.passes(max(pause, 0.01))
    begun, wait = kiosk.machine.mono, kiosk.sender._not_before - kiosk.machine.mono
    named = f"{status} {', '.join(values)[:40]!r}"
    low, high = 0.0, pacing.MOST_S
    if len(values) == 1 and values[0].isascii() and values[0].isdigit():
        low = min(max(float(values[0][:9]), pacing.LEAST_S), pacing.CAP_S)
        high = min(low * 1.1, pacing.CAP_S)
    if not low - 0.01 <= wait <= high + 0.01:
        return [f"{named}: a wait of {wait:g} s, not {low:g} to {high:g}"]
    # The clock is set in between: the wait is the same.
    kiosk.machine.says(kiosk.machine.true + random.Random(named).choice((-1, 1)) * 10**11)
    kiosk.machine.passes(max(0.0, wait))
    for _ in range(60):
        if not kiosk.sender.waiting().backlog:
            return []
        kiosk.machine.passes(max(0.01, min(kiosk.sender.step(), 5.0)))
    return [f"{named}: still waiting {kiosk.machine.mono - begun:g} s later"]
