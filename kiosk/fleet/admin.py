"""The centre's admin API, as IT's commands use it: requests signed with an operator's own key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet.errors import RefusedError, UnreachableError
from sync.contract import wire
from sync.contract.bundle import fingerprint, key_text
from sync.contract.carried import CarriedBatch
from sync.contract.signing import sign
from sync.session import new_session

CONNECT_S = 10.0
READ_S = 60.0
MAX_REPLY_BYTES = 32 << 20
MOST_CODES = 1000
"""In one request."""
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
        self._session = new_session()
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

    def bundle(self, device: str) -> bytes | None:
        """The newest signed configuration of a device; None when there is none."""
        try:
            return self._exchange("GET", f"/v1/admin/devices/{device}/bundle", b"")
        except RefusedError as error:
            if error.code == "not_found":
                return None
            raise

    def catalogue(self) -> dict[str, Any]:
        """Locations, services and devices as the centre knows them."""
        return self._table("GET", "/v1/admin/catalogue")

    def add_code(
        self,
        device: str,
        code_sha256: str,
        expires_at: str,
        *,
        replace: bool = False,
        now: bool = False,
    ) -> None:
        """Allow one enrolment: the hash of a code and when (ISO 8601) it ends.

        `replace` for a device that is enrolled; `now` makes its present key drain-only at once.
        """
        body: dict[str, object] = {"code_sha256": code_sha256, "expires_at": expires_at}
        if replace:
            body |= {"replace": True, "now": now}
        self.call("POST", f"/v1/admin/devices/{device}/codes", body)

    def add_codes(self, codes: Sequence[Mapping[str, str]]) -> None:
        """Many at once: `device`, `code_sha256` and `expires_at` of each.

        In lists of MOST_CODES; of each list the centre takes all or none.
        """
        for start in range(0, len(codes), MOST_CODES):
            self.call("POST", "/v1/admin/codes", list(codes[start : start + MOST_CODES]))

    def cancel_codes(self, device: str) -> None:
        """End a device's open codes."""
        self.call("DELETE", f"/v1/admin/devices/{device}/codes")

    def revoke(self, device: str, reason: str) -> None:
        """Take no more from a device."""
        self.call("POST", f"/v1/admin/devices/{device}/revoke", {"reason": reason})

    def retire(self, device: str, reason: str) -> None:
        """Take from a device only what its disk still holds."""
        self.call("POST", f"/v1/admin/devices/{device}/retire", {"reason": reason})

    def correct(self, correction: Mapping[str, str], *, dry_run: bool) -> dict[str, Any]:
        """Have a device's answers count elsewhere: `device`, `from`, `to`, `location`, `reason`.

        Returns its number, `id`, and how many `visits` and `answers` it takes there, `instead_of`
        which locations.
        """
        return self._table("POST", "/v1/admin/corrections", {**correction, "dry_run": dry_run})

    def corrections(self) -> list[dict[str, Any]]:
        """Every correction, withdrawn ones too."""
        return self._list("GET", "/v1/admin/corrections")

    def withdraw_correction(self, number: int) -> None:
        """Take a correction back."""
        self.call("DELETE", f"/v1/admin/corrections/{number}")

    def devices(self) -> list[dict[str, Any]]:
        """Every device with its state."""
        return self._list("GET", "/v1/admin/devices")

    def forward(self, batch: CarriedBatch) -> tuple[int, dict[str, str], bytes]:
        """Post a device's own signed batch unchanged; status, headers and body of the answer.

        The device signed it, so the operator does not.
        """
        return self._send("POST", batch.path, batch.headers, batch.body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One signed request; the reply's JSON, or None when it has no body."""
        raw = (
            b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        )
        content = self._exchange(method, path, raw)
        if not content:
            return None
        try:
            return msgspec.json.decode(content)
        except wire.UNREADABLE:
            raise UnreachableError(self._strange(200)) from None

    def _exchange(self, method: str, path: str, raw: bytes) -> bytes:
        """One signed request; the body of a reply that says yes."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= sign(method, self._prefix + path, headers, raw, self._key)
        status, _, content = self._send(method, path, headers, raw)
        if 200 <= status < 300:
            return content
        raise self._refusal(status, content, path)

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            reply = self._session.request(
                method,
                self.url + path,
                data=raw,
                headers=dict(headers),
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            )
            with reply:
                return reply.status_code, dict(reply.headers), self._content(reply)
        except (requests.RequestException, OSError) as error:
            raise UnreachableError(f"cannot reach {self.url}: {_reason(error)}") from None

    def _content(self, reply: requests.Response) -> bytes:
        content = b""
        for chunk in reply.iter_content(1 << 16):
            content += chunk
            if len(content) > MAX_REPLY_BYTES:
                raise UnreachableError(f"{self.url} answers more than a Hymiö centre would")
        return content

    def _refusal(self, status: int, content: bytes, path: str) -> RefusedError | UnreachableError:
        try:
            found = msgspec.json.decode(content)
        except wire.UNREADABLE:
            found = None
        if status < 400 or not isinstance(found, dict) or "code" not in found:
            return UnreachableError(self._strange(status))
        code, detail = str(found["code"]), str(found.get("detail") or found.get("title", ""))
        detail = detail.removeprefix(f"{code}: ")
        if code == "unknown_key":
            mine = key_text(self._key.public_key())
            detail = f"{detail}: operator key {fingerprint(mine)}"
        about_devices = path.startswith(("/v1/admin/devices", "/v1/admin/codes"))
        remedy = REMEDIES.get(code) if code != "not_found" or about_devices else None
        return RefusedError(status, code, f"{detail} → {remedy}" if remedy else detail)

    def _strange(self, status: int) -> str:
        return (
            f"{self.url} answers {status}, but not as a Hymiö centre would:"
            " is the address right, and no log-in page of a network in between?"
        )

    def _table(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        found = self.call(method, path, body)
        if not isinstance(found, dict):
            raise UnreachableError(self._strange(200))
        return found

    def _list(self, method: str, path: str) -> list[dict[str, Any]]:
        found = self.call(method, path)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise UnreachableError(self._strange(200))
        return found


def _reason(error: Exception) -> str:
    """The cause in a few words, without the libraries' names for it."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate is not accepted: {error}"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
    return found[1] if found else str(error)
