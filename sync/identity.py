"""The device's key: durable, and readable by the sender alone, before anyone hears of it."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.datadir import write_bytes


class KeyFileError(Exception):
    """The key file is there and is not a key: never overwritten, for it may be all we have."""


def load(path: Path) -> Ed25519PrivateKey | None:
    """The private key in a file, None without one. Raises KeyFileError, OSError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = serialization.load_pem_private_key(raw, password=None)
    except ValueError as error:
        raise KeyFileError(f"{path} is not a private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key")
    return key


def load_or_make(path: Path) -> Ed25519PrivateKey:
    """The key in a file; a new one, fsynced with mode 0600, where there is none."""
    key = load(path)
    if key is None:
        key = Ed25519PrivateKey.generate()
        write_bytes(
            path,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            mode=0o600,
        )
    return key
