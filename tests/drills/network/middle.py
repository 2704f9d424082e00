"""What stands between a sender and its centre: it sees each exchange and may play tricks."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

PATIENCE_S = 60.0
"""How long anything here waits for the other side before it gives up."""
_MOST = b'"max_items":2000'


class GoneError(OSError):
    """The other side closed the connection."""


class Talk:
    """One exchange as the middle sees it: the client's connection, and a way to the centre."""

    def __init__(self, middle: Middle, client: socket.socket) -> None:
        self.middle, self.client = middle, client

    def read(self, count: int) -> bytes:
        """So many bytes of the client's. Raises GoneError."""
        return read_exactly(self.client, count)

    def head(self) -> bytes:
        """The client's request line and headers with the empty line."""
        return read_head(self.client)

    def request(self) -> bytes:
        """The client's whole request."""
        head = self.head()
        return head + self.read(length_of(head))

    def ask(self, request: bytes) -> bytes:
        """Bring a request to the centre; its reply, which asks for batches of our size."""
        with self.centre() as centre:
            centre.sendall(request)
            head = read_head(centre)
            reply = head + read_exactly(centre, length_of(head))
        reply = reply.replace(_MOST, b'"max_items":%4d' % self.middle.items)
        self.middle.told.append(reply)
        return reply

    def centre(self) -> socket.socket:
        """A fresh connection to the centre."""
        return socket.create_connection(("127.0.0.1", self.middle.upstream), PATIENCE_S)

    def say(self, reply: bytes) -> None:
        """Answer the client."""
        self.client.sendall(reply)

    def gone(self, limit_s: float = PATIENCE_S) -> bool:
        """Whether the client ends the connection within so many seconds; nothing is read."""
        poll = select.poll()
        poll.register(self.client, select.POLLRDHUP)
        return bool(poll.poll(limit_s * 1000))

    def abort(self) -> None:
        """Break the connection off with a reset, as a pulled cable or a dying router does."""
        abort(self.client)


Serve = Callable[[Talk], bool]
"""Serves one exchange; whether the connection goes on."""


@dataclass(frozen=True, slots=True)
class Trick:
    """What befalls one exchange."""

    name: str
    serve: Serve
    fails: bool | None = True
    """Whether the exchange has to fail for the sender (None: either is right)."""
    hangs: bool = False
    """The sender has to give it up at its deadline."""
    at_accept: bool = False
    """Played as soon as the connection stands, before TLS and the request."""
    fresh: bool = False
    """Wants a connection of its own."""
    down: bool = False
    """Nobody listens."""
    halves: bool = False
    """A batch it befalls goes on at once in smaller ones, and there is nothing to tell."""
    longest_s: float = 4000.0
    """What the sender may wait for after it: an hour and its jitter."""


def plain(talk: Talk) -> bool:
    """Pass an exchange on."""
    talk.say(talk.ask(talk.request()))
    return True


class Middle:
    """Listens on loopback and serves exchange after exchange; use as a context manager."""

    def __init__(
        self,
        upstream: int,
        tls: ssl.SSLContext | None = None,
        *,
        listen: Callable[[int], socket.socket] | None = None,
        items: int = 40,
        ordinary: Serve = plain,
    ) -> None:
        self.upstream, self.tls = upstream, tls
        self.items = items
        """Records in a batch that receipts ask for, as a centre may: more exchanges a drain."""
        self._new_listener = listen or _on_loopback
        self._ordinary = ordinary
        self.told: list[bytes] = []
        """The centre's replies, in order."""
        self.requests: list[bytes] = []
        """What was asked, where a trick notes it."""
        self.kept: list[bytes] = []
        """Requests a trick has kept for later."""
        self.played = threading.Event()
        """A trick has been played to its end."""
        self._trick: Trick | None = None
        self._closing = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = self._new_listener(port)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(
            target=self._accept, args=(self._listener,), daemon=True, name="middle"
        )
        self._accepting.start()

    @property
    def url(self) -> str:
        """The address a device is enrolled at."""
        return f"{'https://localhost' if self.tls else 'http://127.0.0.1'}:{self.port}"

    # --- tricks -----------------------------------------------------------------------------------

    def play(self, trick: Trick) -> None:
        """Have the trick befall the exchange that comes next."""
        with self._lock:
            self._trick = trick
        self.played.clear()
        if trick.at_accept or trick.fresh or trick.down:
            self.hang_up()
        if trick.down:
            self.down()

    def stop(self) -> None:
        """No trick any more."""
        trick, self._trick = self._trick, None
        if trick is not None and trick.down:
            self.up()

    def down(self) -> None:
        """Listen no more, so that connections are refused."""
        self._stop_listening()
        self.hang_up()
        self.played.set()

    def up(self) -> None:
        """Listen again."""
        self._listen(self.port)

    def hang_up(self) -> None:
        """Close the connections that stand."""
        with self._lock:
            found = list(self._open)
        for client in found:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def standing(self) -> int:
        """Connections that stand."""
        return len(self._open)

    # --- connections ------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(PATIENCE_S)
            with self._lock:
                self._open.add(client)
                self._threads = [each for each in self._threads if each.is_alive()]
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        client = raw
        try:
            trick = self._trick
            if trick is not None and trick.at_accept:
                self._do(trick, Talk(self, client))
                return
            if self.tls is not None:
                client = self.tls.wrap_socket(raw, server_side=True)
                with self._lock:
                    self._open = (self._open - {raw}) | {client}
            while self._next(client):
                pass
        except OSError:
            # The other side went; what that means is for the sender to say.
            pass
        finally:
            with self._lock:
                self._open -= {raw, client}
            client.close()
            raw.close()

    def _next(self, client: socket.socket) -> bool:
        """Serve the next exchange of a connection; whether there may be another."""
        select.select([client], [], [])
        if self._closing:
            return False
        trick = self._trick
        if trick is None:
            return self._ordinary(Talk(self, client))
        if isinstance(client, ssl.SSLSocket) is False and not client.recv(1, socket.MSG_PEEK):
            return False
        return self._do(trick, Talk(self, client))

    def _do(self, trick: Trick, talk: Talk) -> bool:
        try:
            return trick.serve(talk)
        finally:
            self.played.set()

    # --- the end ----------------------------------------------------------------------------------

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(PATIENCE_S)

    def close(self) -> None:
        """End every connection and thread."""
        self._closing = True
        self._stop_listening()
        self.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def __enter__(self) -> Middle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _on_loopback(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=64)


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """So many bytes. Raises GoneError."""
    found = bytearray()
    while len(found) < count:
        piece = sock.recv(min(65536, count - len(found)))
        if not piece:
            raise GoneError("closed by the other side")
        found += piece
    return bytes(found)


def read_head(sock: socket.socket) -> bytes:
    """Everything up to the empty line. Raises GoneError."""
    found = bytearray()
    while not found.endswith(b"\r\n\r\n"):
        found += read_exactly(sock, 1)
    return bytes(found)


def length_of(head: bytes) -> int:
    """The length of the body a head announces, in bytes."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def abort(sock: socket.socket) -> None:
    """Close with a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
