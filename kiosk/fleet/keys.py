"""The private keys that lie with IT: the organisation's, which signs configurations, and each
operator's own, which signs requests to the centre. Neither ever leaves this machine."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kiosk.fleet.errors import KeyFileError
from sync.contract.bundle import BundleError, key_text, read_key

ORGANISATION = "organisation"
OPERATOR = "operator"


def default_folder() -> Path:
    """Where keys lie when nothing else is said: outside any device-config folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "hymio" / "keys"


def make(folder: Path, name: str, *, dry_run: bool = False) -> bool:
    """Write `name.key` (0600) and `name.pub`; an existing key is left alone. Whether it is new.

    Raises KeyFileError.
    """
    path = folder / f"{name}.key"
    if path.exists():
        key = read(folder, name)  # a key that cannot be used must not pass for one
    elif dry_run:
        return True
    else:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, pem, 0o600)
            _write(folder / f"{name}.pub", key_text(key.public_key()).encode() + b"\n", 0o644)
        except OSError as error:
            raise KeyFileError(f"{error.filename}: cannot be written: {error.strerror}") from None
        return True
    public = folder / f"{name}.pub"
    if not public.exists() and not dry_run:
        _write(public, key_text(key.public_key()).encode() + b"\n", 0o644)
    return False


def read(folder: Path, name: str) -> Ed25519PrivateKey:
    """The private key in `name.key`. Raises KeyFileError, also when others may read the file."""
    path = folder / f"{name}.key"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read()
    except FileNotFoundError:
        raise KeyFileError(f"{path} is missing: {_origin(name)}, or give --keys FOLDER") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise KeyFileError(f"others may read {path}: chmod 600 {path}")
    try:
        key = load_pem_private_key(raw, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} is not a private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key")
    return key


def _origin(name: str) -> str:
    """Where a missing key comes from: an organisation has one key, every desk the same."""
    if name == ORGANISATION:
        return (
            "have it from the administrator who made it (`hymio fleet keygen` makes another"
            " organisation's)"
        )
    return "make one with `hymio fleet keygen --only operator`"


def read_public(path: Path) -> str:
    """A public key file's text, checked. Raises KeyFileError."""
    try:
        text = path.read_text().strip()
        read_key(text)
    except (OSError, UnicodeDecodeError, BundleError) as error:
        raise KeyFileError(f"{path}: {error}") from None
    return text


def _write(path: Path, content: bytes, mode: int) -> None:
    """Create a file that must not be there yet, with its mode from the first moment, on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
