"""The centre's admin API, as IT's commands use it: requests signed with an operator's own key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet.errors import RefusedError, UnreachableError
from sync.contract.signing import sign

CONNECT_S = 10.0
READ_S = 60.0
MAX_REPLY_BYTES = 32 << 20
REMEDIES = {
    "unknown_key": "register your key there: hymio collector add-operator --name … --key …",
    "not_found": "publish first: hymio fleet publish",
}


class Admin:
    """One operator at one centre. Every method raises UnreachableError or RefusedError."""

    def __init__(
        self,
        url: str,
        key: Ed25519PrivateKey,
        *,
        proxy: str = "",
        ca_file: str = "",
        timeouts: tuple[float, float] = (CONNECT_S, READ_S),
    ) -> None:
        """`timeouts` are seconds to connect and between two pieces of the reply."""
        self.url = url.rstrip("/")
        self._prefix = urlsplit(self.url).path
        self._key = key
        self._timeouts = timeouts
        self._session = requests.Session()
        # A .netrc entry or a proxy variable would otherwise change what is sent, and where to.
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "hymio-fleet"
        if proxy:
            self._session.proxies = {"http": proxy, "https": proxy}
        if ca_file:
            self._session.verify = ca_file

    def __enter__(self) -> Admin:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def organisation(self) -> dict[str, Any]:
        """`centre` (id), `key` (base64 or empty) and `versions` (device -> highest)."""
        return self._table("GET", "/v1/admin/organisation")

    def put_organisation(self, organisation: dict[str, Any]) -> None:
        """Name, key, following keys, time zone and targets."""
        self.call("PUT", "/v1/admin/organisation", organisation)

    def put_catalogue(self, catalogue: dict[str, Any]) -> None:
        """Locations, services, surveys with their wording, devices."""
        self.call("PUT", "/v1/admin/catalogue", catalogue)

    def put_bundle(self, device: str, container: bytes) -> None:
        """A signed configuration; its version must be above every earlier one."""
        self.call("PUT", f"/v1/admin/devices/{device}/bundle", container)

    def add_code(self, device: str, code_sha256: str, expires_at: str) -> None:
        """Allow one enrolment: the hash of a code and when (ISO 8601) it ends."""
        body = {"code_sha256": code_sha256, "expires_at": expires_at}
        self.call("POST", f"/v1/admin/devices/{device}/codes", body)

    def devices(self) -> list[dict[str, Any]]:
        """Every device with its state."""
        found = self.call("GET", "/v1/admin/devices")
        listed = found.get("devices") if isinstance(found, dict) else found
        if not isinstance(listed, list):
            raise UnreachableError(f"{self.url} answers something else than a Hymiö centre would")
        return listed

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One signed request; the reply's JSON, or None when it has no body."""
        raw = (
            b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        )
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= sign(method, self._prefix + path, headers, raw, self._key)
        try:
            reply = self._session.request(
                method,
                self.url + path,
                data=raw,
                headers=headers,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            )
            with reply:
                content = self._content(reply)
        except (requests.RequestException, OSError) as error:
            raise UnreachableError(f"cannot reach {self.url}: {_reason(error)}") from None
        return self._read(reply.status_code, content)

    def _content(self, reply: requests.Response) -> bytes:
        content = b""
        for chunk in reply.iter_content(1 << 16):
            content += chunk
            if len(content) > MAX_REPLY_BYTES:
                raise UnreachableError(f"{self.url} answers more than a Hymiö centre would")
        return content

    def _read(self, status: int, content: bytes) -> Any:
        if 200 <= status < 300 and not content:
            return None
        try:
            found = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError):
            found = None
        if 200 <= status < 300 and found is not None:
            return found
        if status >= 400 and isinstance(found, dict) and "code" in found:
            code, detail = str(found["code"]), str(found.get("detail") or found.get("title", ""))
            remedy = REMEDIES.get(code)
            raise RefusedError(status, code, f"{detail} → {remedy}" if remedy else detail)
        raise UnreachableError(
            f"{self.url} answers {status}, but not as a Hymiö centre would:"
            " is the address right, and no log-in page of a network in between?"
        )

    def _table(self, method: str, path: str) -> dict[str, Any]:
        found = self.call(method, path)
        if not isinstance(found, dict):
            raise UnreachableError(f"{self.url} answers something else than a Hymiö centre would")
        return found


def _reason(error: Exception) -> str:
    """The cause in a few words, without the libraries' names for it."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate is not accepted: {error}"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
    return found[1] if found else str(error)
