"""A network that can be cut: a TCP proxy on loopback between a sender and its centre."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from types import TracebackType

CHUNK = 65536


@dataclass
class Fault:
    """What happens to the next exchange; bytes are counted from when the fault was armed."""

    request_bytes: int | None = None
    """Cut once so many bytes went to the centre (0: before the first)."""
    reply_bytes: int | None = None
    """Cut once so many bytes came back (0: the centre has answered, the reply is lost)."""
    delay_s: float = 0.0
    """Hold the reply back so long."""


class CuttingProxy:
    """Passes bytes on until told otherwise; use as a context manager."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.cuts = 0
        """Connections cut so far, by a fault or by `down`."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._down = False
        self._closing = False
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The address a device is enrolled at."""
        return f"http://127.0.0.1:{self.port}"

    def arm(self, fault: Fault) -> None:
        """Have the fault befall the next exchange, once."""
        with self._lock:
            self._fault = fault

    def disarm(self) -> None:
        """Forget an armed fault that has not come."""
        with self._lock:
            self._fault = None

    @property
    def armed(self) -> bool:
        """Whether the armed fault is still to come."""
        return self._fault is not None

    def down(self) -> None:
        """Pull the cable: what is open breaks, what is new is refused."""
        with self._lock:
            self._down = True
            pairs = list(self._open)
        for pair in pairs:
            self._cut(pair)

    def up(self) -> None:
        """Plug it in again."""
        self._down = False

    def close(self) -> None:
        """End every connection and thread."""
        self._closing = True
        self.down()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing:
            ready, _, _ = select.select([self._listener], [], [], 0.1)
            if not ready or self._closing:
                continue
            client, _ = self._listener.accept()
            if self._down:
                _abort(client)
                continue
            try:
                centre = socket.create_connection(("127.0.0.1", self.upstream), 5)
            except OSError:
                _abort(client)
                continue
            for end in (client, centre):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, centre)
            with self._lock:
                self._open.append(pair)
            thread = threading.Thread(target=self._pump, args=(pair,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pump(self, pair: tuple[socket.socket, socket.socket]) -> None:
        client, centre = pair
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([client, centre], [], [], 0.1)
                for end in ready:
                    data = end.recv(CHUNK)
                    if not data:
                        raise OSError("closed by the other end")
                    asking = end is client
                    rest = self._pass(data, asking)
                    (centre if asking else client).sendall(data[:rest])
                    if rest < len(data):
                        self._cut(pair)
                        return
                if client.fileno() < 0:
                    return
        with self._lock:
            if pair in self._open:
                self._open.remove(pair)
        for end in pair:
            end.close()

    def _pass(self, data: bytes, asking: bool) -> int:
        """How many of these bytes go through before the armed fault cuts."""
        with self._lock:
            fault = self._fault
            if fault is None:
                return len(data)
            left = fault.request_bytes if asking else fault.reply_bytes
            if left is not None and left < len(data):
                self._fault = None
                return left
            if left is not None and asking:
                fault.request_bytes = left - len(data)
            elif left is not None:
                fault.reply_bytes = left - len(data)
            delay = 0.0 if asking else fault.delay_s
            if delay:
                self._fault = None
        time.sleep(delay)
        return len(data)

    def _cut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            if pair not in self._open:
                return
            self._open.remove(pair)
            self.cuts += not self._closing
        for end in pair:
            _abort(end)


def _abort(end: socket.socket) -> None:
    """Close with a reset, as a pulled cable or a dying router does."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
