"""The device's key: durable, and readable by the sender alone, before anyone hears of it."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.datadir import DataDir, sync_dir, write_bytes


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
    except (ValueError, TypeError) as error:
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


def put_in_place(key: Path, of: Path) -> None:
    """Let one key file take the place of another, durably. Raises OSError."""
    key.replace(of)
    sync_dir(of.parent)


class Keys:
    """Which key signs: `key.new` as soon as it is there, until the centre says it is unknown.

    The centre takes both until the new one is used; a receipt for it makes it the key. Every
    method raises KeyFileError, OSError.
    """

    def __init__(self, data: DataDir) -> None:
        self._key, self._new = data.key, data.key_new
        self._fallen_back = False
        self._read: dict[Path, tuple[tuple[int, int], Ed25519PrivateKey | None]] = {}

    def signing(self) -> Ed25519PrivateKey | None:
        """The key to sign with now; None when there is no key at all."""
        new = None if self._fallen_back else self._load(self._new)
        return new or self._load(self._key)

    def following(self) -> Ed25519PrivateKey | None:
        """The new key, while the centre has to be told of it."""
        return self._load(self._new) if self._fallen_back else None

    def unknown(self) -> bool:
        """The centre does not know the key that signed: whether there is an older one to try."""
        if self._fallen_back or self._load(self._new) is None or self._load(self._key) is None:
            # At the next attempt the new one gets its chance again.
            self._fallen_back = False
            return False
        self._fallen_back = True
        return True

    def told(self) -> None:
        """The centre takes the new key from here on."""
        self._fallen_back = False

    def confirmed(self, key: Ed25519PrivateKey) -> None:
        """A receipt came for what `key` signed: if it is the new one, it takes the old one's
        place."""
        if key is not self._read.get(self._key, (0, None))[1] and key is self._load(self._new):
            put_in_place(self._new, self._key)

    def _load(self, path: Path) -> Ed25519PrivateKey | None:
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        mark = (stat.st_ino, stat.st_mtime_ns)
        known = self._read.get(path)
        if known is None or known[0] != mark:
            known = self._read[path] = (mark, load(path))
        return known[1]
