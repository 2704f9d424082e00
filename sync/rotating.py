"""The device's next key: made when the configuration asks for one, and told to the centre."""

from __future__ import annotations

import logging

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import bundle, wire
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.identity import load_or_make
from sync.link import Link

log = logging.getLogger("hymio.sync")


class Rotation:
    """Follows `key_generation` of the verified configuration."""

    def __init__(self, data: DataDir, memory: Memory) -> None:
        self._data, self._memory = data, memory

    def look(self) -> bool:
        """Make `key.new` when the number has risen, remember the number once it is in use; whether
        there is something to tell the centre.

        Each step may be the last before a power cut. Raises KeyFileError, OSError, sqlite3.Error.
        """
        wanted = int(self._memory.fact("key_wanted") or "0")
        if wanted <= int(self._memory.fact("key_generation") or "0"):
            return False
        made = self._memory.fact("key_made_for") == str(wanted)
        if not self._data.key_new.exists():
            if made:
                # It was made for this number and is gone: it has taken the old one's place.
                self._memory.learn(key_generation=str(wanted))
                return True
            log.info("a new key is made: generation %d", wanted)
            load_or_make(self._data.key_new)
        if not made:
            self._memory.learn(key_made_for=str(wanted))
        return not made


def announce(link: Link, key: Ed25519PrivateKey, following: Ed25519PrivateKey) -> bool:
    """Tell the centre the key that follows; whether it takes it. Raises UnreachableError."""
    body = {"v": wire.VERSION, "public_key": bundle.key_text(following.public_key())}
    reply = link.post("/v1/keys", msgspec.json.encode(body), key)
    if reply.status != 200:
        log.error("the centre does not take the new key: %d", reply.status)
    return reply.status == 200
