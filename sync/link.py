"""One HTTP exchange with the centre, bounded in time and size, through requests.

Timeouts of `requests` bound neither a name look-up nor a reply that drips, so every exchange runs
in a thread of its own and is broken off at the deadline, or left when the program is asked to end.
"""

from __future__ import annotations

import gzip
import http.client
import queue
import re
import threading
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import signing
from sync.session import Grip, doubt_family, new_session

DEADLINE_S: Final = 60.0
CONNECT_PART: Final = 1 / 6
"""Of the deadline: to one address of the centre."""
READ_S: Final = 30.0
MAX_REPLY_BYTES: Final = 4 << 20
MOST_STUCK: Final = 3
"""Exchanges given up that still hang, in a name look-up; beyond, no further one is begun."""
_NETWORK: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class UnreachableError(Exception):
    """No whole reply came; the text says why, in words for people."""

    def __init__(self, text: str, code: str = "no_answer") -> None:
        super().__init__(text)
        self.code = code
        """A word for programs: no_answer, certificate or not_a_centre."""


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    digest: str
    """Content-Digest of the request it answers."""


class Link:
    """Signed requests to one endpoint: one Session, no redirects, no .netrc, no proxies of the
    environment."""

    def __init__(
        self,
        endpoint: str,
        *,
        proxy: str = "",
        ca_file: str = "",
        agent: str = "hymio",
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        # The path is signed as the public sees it, a prefix before /v1 included.
        self._prefix = urlsplit(self.endpoint).path
        self._proxy, self._ca_file, self._agent = proxy, ca_file, agent
        self._deadline_s = deadline_s
        self._session = self._new_session()
        self._stuck: list[threading.Thread] = []
        self._outcome: queue.SimpleQueue[Reply | Exception] = queue.SimpleQueue()
        self._cancelled = False

    def _new_session(self) -> requests.Session:
        session = new_session()
        session.headers["User-Agent"] = self._agent
        # A packed reply is not unpacked: only then would its size show.
        session.headers["Accept-Encoding"] = "identity"
        session.verify = self._ca_file or True
        if self._proxy:
            session.proxies = {"http": self._proxy, "https": self._proxy}
        return session

    def post(self, path: str, body: bytes, key: Ed25519PrivateKey) -> Reply:
        """POST JSON, gzipped and signed. Raises UnreachableError."""
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return self._exchange("POST", path, headers, packed, key)

    def get(self, path: str, key: Ed25519PrivateKey, headers: dict[str, str]) -> Reply:
        """GET, signed. Raises UnreachableError."""
        return self._exchange("GET", path, headers, b"", key)

    def cancel(self) -> None:
        """End the exchange under way, and any to come; may be called from a signal handler."""
        self._cancelled = True
        self._outcome.put(UnreachableError("the program ends"))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes, key: Ed25519PrivateKey
    ) -> Reply:
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= MOST_STUCK:
            raise UnreachableError("the name look-up of the network hangs")
        # Signed anew each time: no header of an earlier attempt is among these.
        signed = {**headers, **signing.sign(method, self._prefix + path, headers, body, key)}
        # A queue of its own: what a stuck exchange says later is of no interest.
        outcome = self._outcome = queue.SimpleQueue()
        session, grip = self._session, Grip()

        def work() -> None:
            try:
                with grip.here():
                    found: Reply | Exception = self._send(session, method, path, signed, body)
            except Exception as error:  # noqa: BLE001 - carried to the caller's thread
                found = error
            outcome.put(found)

        if self._cancelled:
            raise UnreachableError("the program ends")
        thread = threading.Thread(target=work, daemon=True, name="hymio-link")
        thread.start()
        try:
            found = outcome.get(timeout=self._deadline_s)
        except queue.Empty:
            grip.break_off()
            self._stuck.append(thread)
            self._session = self._new_session()
            doubt_family()
            raise UnreachableError(f"no whole reply within {self._deadline_s:.0f} s") from None
        if isinstance(found, Reply):
            return found
        doubt_family()
        if isinstance(found, _NETWORK):
            raise UnreachableError(*_reason(found)) from found
        raise found

    def _send(
        self,
        session: requests.Session,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
    ) -> Reply:
        with session.request(
            method,
            self.endpoint + path,
            data=body or None,
            headers=headers,
            timeout=(self._deadline_s * CONNECT_PART, READ_S),
            allow_redirects=False,
            stream=True,
        ) as reply:
            raw = bytearray()
            for piece in reply.raw.stream(64 << 10, decode_content=False):
                raw += piece
                if len(raw) > MAX_REPLY_BYTES:
                    raise UnreachableError("what answers there says more than a centre does")
            return Reply(
                reply.status_code,
                {name.lower(): value for name, value in reply.headers.items()},
                bytes(raw),
                headers["Content-Digest"],
            )


_REASONS: Final = (
    ("Name or service not known", "the centre's name cannot be found"),
    ("nodename nor servname", "the centre's name cannot be found"),
    ("Temporary failure in name resolution", "the centre's name cannot be found now"),
    ("No address associated", "the centre's name cannot be found"),
    ("Connection refused", "the centre refuses the connection"),
    ("Network is unreachable", "there is no network"),
    ("No route to host", "there is no way to the centre"),
    ("IncompleteRead", "the reply was cut short"),
    ("timed out", "the centre does not answer in time"),
    ("ended prematurely", "the reply was cut short"),
    ("Connection aborted", "the connection broke off"),
    ("Connection broken", "the connection broke off"),
    ("Connection reset", "the connection broke off"),
)
"""What a library's text holds, and what it means."""


def _reason(error: Exception) -> tuple[str, str]:
    """One calm line out of a nested library error, and its word for programs."""
    text = str(error)
    # In mid-reply it is urllib3's own: the body is read from it.
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return _tls_reason(text)
    if "TLS CA certificate bundle" in text:
        words = "the file with the centre's certificate authority (ca_file) is missing"
        return words, "certificate"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be used: check it", "no_answer"
    if any(words in text for words in _NO_HTTP):
        return "what answers there does not speak HTTP", "not_a_centre"
    for words, reason in _REASONS:
        if words in text:
            return reason, "no_answer"
    return f"{type(error).__name__}: {text[:200]}", "no_answer"


_NO_HTTP: Final = (
    "BadStatusLine",
    "LineTooLong",
    "InvalidChunkLength",
    "more than 100 headers",
    "chunk size line",
)


def _tls_reason(text: str) -> tuple[str, str]:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        found = re.search(r"certificate verify failed: (.*?)\.?(?: \(_ssl|$)", text)
        why = f": {found[1]}" if found else ""
        return f"the centre's certificate does not fit{why}", "certificate"
    if "WRONG_VERSION_NUMBER" in text:
        return "what answers there does not encrypt", "not_a_centre"
    found = re.search(r"\[(?:SSL: )?([A-Z0-9_]+)\]", text)
    why = f": {found[1].replace('_', ' ').lower()}" if found else ""
    return f"the encrypted connection fails{why}", "no_answer"
