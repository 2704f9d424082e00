"""The keys a code is redeemed with: the one here, or a fresh one where that is another device's.

A copied card brings another device's key along, and a revoked key cannot be used again. The code is
this device's, so a fresh key is as good.
"""

from __future__ import annotations

import logging
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import identity
from sync.contract.bundle import key_text
from sync.datadir import DataDir

log = logging.getLogger("hymio.sync")

ANOTHER_KEY: Final = ("code_used", "device_revoked")
"""What the centre answers to such a key."""


class CodeKeys:
    """Every key is durable before a centre hears of it: a code bound to a lost one is burnt.

    Every method raises OSError.
    """

    def __init__(self, data: DataDir) -> None:
        self._data = data

    def own(self) -> Ed25519PrivateKey:
        """The key here, made when there is none; a file that is no key is set aside."""
        try:
            return identity.load_or_make(self._data.key)
        except identity.KeyFileError:
            # Nothing is signed with it any more: kept for people to look at.
            log.error("%s is no key: set aside, and a new one is made", self._data.key.name)
            self._data.key.replace(self._data.key.with_name("key.damaged"))
            return identity.load_or_make(self._data.key)

    def fresh(self) -> Ed25519PrivateKey:
        """A fresh key; the same until the centre has refused it, for a reply may get lost."""
        self.tried()
        return identity.load_or_make(self._data.key_enrol)

    def tried(self) -> Ed25519PrivateKey | None:
        """The fresh key, if one was made."""
        try:
            return identity.load(self._data.key_enrol)
        except identity.KeyFileError:
            self.refused()
            return None

    def refused(self) -> None:
        """The fresh key is as useless as the one here."""
        self._data.key_enrol.unlink(missing_ok=True)

    def settle(self, enrolled: str) -> None:
        """Put the fresh key in its place if it is the one enrolled; again after a power cut."""
        key = self.tried()
        if key is None or key_text(key.public_key()) != enrolled:
            return
        # What would follow the old key is another device's, too.
        self._data.key_new.unlink(missing_ok=True)
        identity.put_in_place(self._data.key_enrol, self._data.key)
