"""Sessions of requests as this product needs them.

* Another thread can break a connection off. The timeout of a socket bounds one read; a peer that
  sends a byte now and then holds an exchange for ever, so whoever gives one up has to take the
  connection away from it.
* A network where IPv6 leads nowhere costs one wait. The library tries all IPv6 addresses of a name
  first, each for the whole of its timeout (urllib3, issue 797); eight of them outlast any exchange.
  Where IPv6 connects and then loses what is sent, the next exchange begins with IPv4.
* Nothing outside tells it anything: no .netrc, no proxy variables, no cookies.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from http.cookiejar import DefaultCookiePolicy
from itertools import zip_longest
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

ADDRESSES: Final = 4
"""So many of a name's addresses may take the whole time of a connection; more share it."""
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


def doubt_family() -> None:
    """An exchange failed: the next connection begins with the other family, where there is one."""
    _Held.family = {socket.AF_INET6: socket.AF_INET, socket.AF_INET: socket.AF_INET6}.get(
        socket.AddressFamily(_Held.family), socket.AF_UNSPEC
    )


def by_turns(addresses: Sequence[tuple[int, str]], first: int = socket.AF_UNSPEC) -> list[str]:
    """Addresses, given with their family, so that families take turns (RFC 8305, section 4).

    The family of the first one begins, or `first` where there is any of it.
    """
    families: dict[int, list[str]] = {first: []}
    for family, address in addresses:
        families.setdefault(family, []).append(address)
    turns = zip_longest(*families.values())
    return list(dict.fromkeys(address for turn in turns for address in turn if address))


def _is_unreachable(error: Exception) -> bool:
    return getattr(error.__cause__, "errno", 0) in (errno.ENETUNREACH, errno.EHOSTUNREACH)


class _Held(HTTPConnection):
    response_class = _Response
    family = socket.AF_UNSPEC
    """The next connection begins with: that of the newest one, while exchanges succeed."""

    def _new_conn(self) -> socket.socket:
        sock = self._connected()
        _Held.family = socket.AddressFamily(sock.family)
        try:
            _hold(sock)
        except OSError:
            sock.close()
            raise
        return sock

    def _connected(self) -> socket.socket:
        name, timeout = self._dns_host, self.timeout
        try:
            found = socket.getaddrinfo(
                name.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError:
            # No name at all: the library has words for it.
            return super()._new_conn()
        addresses = by_turns([(info[0], str(info[4][0])) for info in found], _Held.family)
        failed: list[Exception] = []
        try:
            if isinstance(timeout, (int, float)):
                self.timeout = timeout * min(1.0, ADDRESSES / max(1, len(addresses)))
            for self._dns_host in addresses:
                try:
                    sock = super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    failed.append(error)
                    continue
                if isinstance(timeout, (int, float)):
                    # What comes next, TLS, has the whole time again.
                    sock.settimeout(timeout)
                return sock
        finally:
            # The name is what a certificate is compared with.
            self._dns_host, self.timeout = name, timeout
        # That IPv6 cannot be reached from here says nothing about the centre.
        raise min(failed, key=_is_unreachable)

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
