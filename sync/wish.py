"""What enrol.json asks for, and whether label, code and centre agree on the organisation's key."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from sync.contract import bundle
from sync.contract import code as codes
from sync.datadir import json_of


class Said(NamedTuple):
    """What became of an attempt: a word for programs, a sentence for people."""

    code: str
    reason: str


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The content of enrol.json; the terminal writes it, or IT by hand."""

    endpoint: str
    code: str
    fingerprint: str = ""
    organisation_key: str = ""
    proxy: str = ""
    ca_file: str = ""
    confirmed: bool = True
    """False: nobody has said yet that this is the right place."""
    release: bool = False
    """True: this is the wrong place."""
    mark: str = ""
    """Tells one wish from another; `confirmed` does not make it another."""

    @property
    def way(self) -> dict[str, str]:
        """How the endpoint is reached, as Link takes it."""
        return {"proxy": self.proxy, "ca_file": self.ca_file}

    @property
    def first_use(self) -> bool:
        """Whether nothing in it tells the organisation's key: the first one seen is pinned."""
        whole = len(codes.plain(self.code)) > codes.BODY
        return not (whole or self.fingerprint or self.organisation_key)


UNREADABLE: Final = "unreadable"
"""The disk's fault, or its owner's: it may pass, where damage stays until the file is written."""


def read_wish(path: Path) -> Wish | Said | None:
    """Read enrol.json: None without a file or a code in it; Said when it cannot be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Said(UNREADABLE, f"{path.name} cannot be read: {error.strerror}")
    try:
        found = json_of(raw)
    except (ValueError, RecursionError) as error:
        return Said("bad_file", f"{path.name} is not JSON: {error}; write it anew")
    if not isinstance(found, dict):
        return Said("bad_file", f"{path.name} holds no JSON object; write it anew")
    if not found.get("code"):
        return None
    marked = {name: value for name, value in found.items() if name != "confirmed"}
    names = ("endpoint", "code", "fingerprint", "organisation_key", "proxy", "ca_file")
    return Wish(
        **{name: str(found.get(name) or "").strip() for name in names},
        confirmed=found.get("confirmed") is not False,
        release=bool(found.get("release")),
        mark=hashlib.sha256(json.dumps(marked, sort_keys=True).encode()).hexdigest(),
    )


def problem(wish: Wish) -> Said | None:
    """What is wrong with a wish before anyone is asked."""
    return endpoint_problem(wish.endpoint) or (
        _key_problem(wish, wish.organisation_key) if wish.organisation_key else None
    )


def answer_problem(wish: Wish, answered: str) -> Said | None:
    """What is wrong with the organisation's key a centre answered with; "" is none."""
    pinned = wish.organisation_key
    if pinned and answered and pinned != answered:
        return _MISMATCH
    key = pinned or answered
    if not key:
        return None if wish.first_use else _NO_KEY
    return _key_problem(wish, key)


def _key_problem(wish: Wish, key: str) -> Said | None:
    try:
        bundle.read_key(key)
        theirs = codes.plain(bundle.fingerprint(key))
        fits = codes.holds(wish.code, key)
    except bundle.BundleError:
        return Said("bad_key", "the organisation's key is damaged: ask IT for a new label")
    if wish.fingerprint and codes.plain(wish.fingerprint) != theirs:
        return _MISMATCH
    return None if fits else _LAST_GROUP


_MISMATCH = Said(
    "key_mismatch",
    "the centre answers with another organisation's key than the label's: check the address",
)
_LAST_GROUP = Said(
    "key_mismatch",
    "the last four characters of the code do not fit: check them and the address",
)
_NO_KEY = Said(
    "bad_key",
    "the centre has no key of the organisation yet: IT has to publish the configuration",
)


def endpoint_problem(endpoint: str) -> Said | None:
    """Why an address cannot be the centre's: outside this machine only TLS will do."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        # Reading it raises for what is no number.
        port = parts.port
    except ValueError:
        return Said("bad_endpoint", f"{endpoint!r} is not an address: it begins with https://")
    wrong = parts.scheme not in ("http", "https") or not host or port == 0
    if wrong or parts.query or parts.fragment:
        return Said(
            "bad_endpoint", f"{endpoint!r} is not an address of a centre: it begins with https://"
        )
    if parts.scheme == "http" and not _loopback(host):
        return Said(
            "not_encrypted", f"{endpoint!r} is not encrypted: the address must begin with https://"
        )
    return None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
