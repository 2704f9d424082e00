"""Connections that another thread can break off.

The timeout of a socket bounds one read. A peer that sends a byte now and then holds an exchange
for ever, so whoever gives one up has to take the connection away from it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_here: Final = threading.local()
"""`grip`: the one of the exchange this thread is for."""


class Grip:
    """The connections of one exchange, which lives in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._broken = False

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        """What connects in this thread meanwhile is held."""
        _here.grip = self
        try:
            yield
        finally:
            del _here.grip
            with self._lock:
                for sock in self._held:
                    sock.close()
                self._held.clear()

    def hold(self, sock: socket.socket) -> None:
        """Hold a connection as well. Raises OSError when the exchange was given up."""
        with self._lock:
            if self._broken:
                raise OSError("the exchange was given up")
            if not self._held:
                # A duplicate: TLS takes the descriptor away from the socket it is given.
                self._held.append(socket.socket(fileno=os.dup(sock.fileno())))

    def break_off(self) -> None:
        """End the exchange, whatever it waits for; a name look-up ends at its own pace."""
        with self._lock:
            self._broken = True
            for sock in self._held:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def _hold(sock: Any) -> None:
    grip = getattr(_here, "grip", None)
    if grip is not None and sock is not None:
        grip.hold(sock)


class _Response(http.client.HTTPResponse):
    """Passes over every 1xx, where the library knows 100 alone and takes 103 for the reply."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 101 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)


class _Held(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        try:
            _hold(sock)
        except OSError:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **options: Any) -> None:
        # One that was kept since the exchange before.
        _hold(self.sock)
        super().request(*args, **options)


class _HeldTls(_Held, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Held


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _HeldTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


def new_session() -> requests.Session:
    """A session whose exchanges can be broken off, and that nothing outside tells anything."""
    session = requests.Session()
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())
    # A .netrc entry would replace our headers, and a proxy variable our way.
    session.trust_env = False
    # A portal's cookies would go with every request from then on, whatever their size.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
