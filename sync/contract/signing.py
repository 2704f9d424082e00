"""Signed requests: RFC 9421 with Ed25519, the same few lines at both ends.

The signature covers `@method`, `@path`, `content-digest` and, when present, `content-encoding`.
`created` is written and never judged: a kiosk's clock may be years off, and every signed
operation is idempotent, so a replay changes nothing.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from sync.contract import bundle

SIGNATURE_HEADERS: Final = ("Content-Digest", "Signature-Input", "Signature")
"""What `sign` returns; an earlier attempt's must be gone before a retry is signed."""

Refusal = Literal["bad_digest", "bad_signature", "unknown_key"]


class SignatureRefused(Exception):  # noqa: N818 - an outcome, not a defect
    """A request whose signature does not hold; `code` is the problem code of the wire."""

    def __init__(self, code: Refusal, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code: Refusal = code


@dataclass
class _Message:
    """The shape the library reads; the host is not signed, so any will do."""

    method: str
    url: str
    headers: dict[str, str]


def _message(method: str, url_path: str, headers: Mapping[str, str]) -> _Message:
    if not url_path.startswith("/") or "?" in url_path or "#" in url_path:
        raise ValueError(f"not a plain path: {url_path!r}")
    return _Message(method.upper(), "http://signed.invalid" + url_path, dict(headers))


class _Keys(HTTPSignatureKeyResolver):
    """Private key by constructor; public keys are their own ids, if the caller knows them."""

    def __init__(
        self,
        *,
        private: Ed25519PrivateKey | None = None,
        known: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.private = private
        self.known = known

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        if self.private is None:
            raise KeyError(key_id)
        return self.private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        try:
            known = self.known(key_id)
        except Exception as error:
            raise _LookUpError(error) from error
        if not known:
            raise _UnknownKeyError(key_id)
        return bundle.read_key(key_id)


class _UnknownKeyError(Exception):
    """Carried out of the library, which wraps whatever the resolver raises."""


class _LookUpError(Exception):
    """Carries an error of the caller's own out of the library: it says nothing of the signature."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _Verifier(HTTPMessageVerifier):
    require_created = False

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Nothing: a device without a clock must still be heard."""


def content_digest(body: bytes) -> str:
    """The Content-Digest field (RFC 9530) of a body as on the wire: `sha-256=:...:`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _covered(headers: Mapping[str, str]) -> tuple[str, ...]:
    encoded = any(name.lower() == "content-encoding" for name in headers)
    return (
        "@method",
        "@path",
        "content-digest",
        *(("content-encoding",) if encoded else ()),
    )


def sign(
    method: str,
    url_path: str,
    headers: Mapping[str, str],
    body: bytes,
    key: Ed25519PrivateKey,
    *,
    created: datetime.datetime | None = None,
) -> dict[str, str]:
    """The three headers that sign a request: Content-Digest, Signature-Input, Signature.

    `url_path` is the raw path without a query (ValueError otherwise); `body` the bytes as sent
    (compressed); `headers` those of the request. Signature headers of an earlier attempt in
    `headers` are not looked at.
    """
    ours = {name.lower() for name in SIGNATURE_HEADERS}
    kept = {name: value for name, value in headers.items() if name.lower() not in ours}
    message = _message(method, url_path, {**kept, "Content-Digest": content_digest(body)})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(private=key)).sign(
        message,
        key_id=bundle.key_text(key.public_key()),
        created=created,
        label="hymio",
        covered_component_ids=_covered(kept),
        use_existing_digest=True,
    )
    return {name: message.headers[name] for name in SIGNATURE_HEADERS}


def verify(
    method: str,
    url_path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    known: Callable[[str], bool],
) -> str:
    """Check a request's signature and return the id (base64) of the key that made it.

    `known` says whether a key id is one the caller accepts; `body` is the bytes as on the wire.
    Raises SignatureRefused: `bad_digest` when the body is not the one signed, `unknown_key` when
    `known` says no, `bad_signature` for everything else; and whatever `known` raises.
    """
    digests = [value for name, value in headers.items() if name.lower() == "content-digest"]
    if digests != [content_digest(body)]:
        raise SignatureRefused("bad_digest", "Content-Digest is missing or is another body's")
    try:
        results = _Verifier(
            signature_algorithm=algorithms.ED25519, key_resolver=_Keys(known=known)
        ).verify(
            _message(method, url_path, headers),
            max_age=None,
            require_components=_covered(headers),
        )
    except HTTPMessageSignaturesException as error:
        if isinstance(error.__cause__, _UnknownKeyError):
            raise SignatureRefused("unknown_key", "no such key here") from None
        if isinstance(error.__cause__, _LookUpError):
            raise error.__cause__.error from None
        raise SignatureRefused("bad_signature", str(error)) from None
    except (ValueError, TypeError, bundle.BundleError, RecursionError) as error:
        raise SignatureRefused("bad_signature", str(error)) from None
    return str(results[0].parameters["keyid"])
