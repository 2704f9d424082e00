"""One HTTP exchange with the centre, bounded in time and size, through requests.

Timeouts of `requests` bound neither a name look-up nor a body that drips, so every exchange runs
in a thread of its own and is given up at the deadline.
"""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass
from typing import Final

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import signing

DEADLINE_S: Final = 60.0
CONNECT_S: Final = 10.0
READ_S: Final = 30.0
MAX_REPLY_BYTES: Final = 4 << 20


class UnreachableError(Exception):
    """No whole reply came; the text says why, in words for people."""


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
        self._proxy, self._ca_file, self._agent = proxy, ca_file, agent
        self._deadline_s = deadline_s
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        # A .netrc entry would replace our headers, and a proxy variable our way.
        session.trust_env = False
        session.headers["User-Agent"] = self._agent
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

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes, key: Ed25519PrivateKey
    ) -> Reply:
        signed = {**headers, **signing.sign(method, path, headers, body, key)}
        found: list[Reply | Exception] = []
        session = self._session

        def work() -> None:
            try:
                found.append(self._send(session, method, path, signed, body))
            except Exception as error:  # noqa: BLE001 - carried to the caller's thread
                found.append(error)

        thread = threading.Thread(target=work, daemon=True, name="hymio-link")
        thread.start()
        thread.join(self._deadline_s)
        if thread.is_alive():
            # The thread ends when its name look-up does; what it says then is of no interest.
            self._session = self._new_session()
            raise UnreachableError(f"no reply within {self._deadline_s:.0f} s")
        outcome = found[0]
        if isinstance(outcome, Reply):
            return outcome
        if isinstance(outcome, requests.RequestException | OSError | ValueError):
            raise UnreachableError(_reason(outcome)) from outcome
        raise outcome

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
            timeout=(CONNECT_S, READ_S),
            allow_redirects=False,
            stream=True,
        ) as reply:
            raw = b""
            for piece in reply.iter_content(64 << 10):
                raw += piece
                if len(raw) > MAX_REPLY_BYTES:
                    raise ValueError("the reply is larger than any of ours")
            length = reply.headers.get("Content-Length")
            if (
                length is not None
                and "Content-Encoding" not in reply.headers
                and length != str(len(raw))
            ):
                raise ValueError("the reply was cut short")
            return Reply(
                reply.status_code,
                {name.lower(): value for name, value in reply.headers.items()},
                raw,
                headers["Content-Digest"],
            )


def _reason(error: Exception) -> str:
    """One calm line out of a nested library error."""
    text = str(error)
    for words, reason in (
        ("Name or service not known", "the centre's name cannot be found"),
        ("Temporary failure in name resolution", "the centre's name cannot be found now"),
        ("Connection refused", "the centre refuses the connection"),
        ("CERTIFICATE_VERIFY_FAILED", "the centre's certificate does not fit"),
        ("timed out", "the centre does not answer in time"),
    ):
        if words in text:
            return reason
    return f"{type(error).__name__}: {text[:200]}"
