"""The newest configuration: fetched, verified against the pinned keys, and put in its place."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.contract import bundle
from sync.cursor import Memory
from sync.datadir import DataDir, write_bytes
from sync.link import Link, UnreachableError

log = logging.getLogger("hymio.sync")

KEPT: Final = 5
"""Bundles that stay on the device, the newest ones."""


class Configuration:
    """Fetches the configuration when the centre has told of a newer one."""

    def __init__(
        self,
        data: DataDir,
        memory: Memory,
        *,
        monotonic: Callable[[], float],
        chance: Random,
    ) -> None:
        self._data, self._memory, self._now, self._chance = data, memory, monotonic, chance
        self._not_before = 0.0
        self._tries = 0
        self._refused: dict[str, object] | None = None

    def at_once(self) -> None:
        """Whatever failed before, try again now."""
        self._not_before, self._tries = 0.0, 0

    def look(self, link: Link, key: Ed25519PrivateKey) -> dict[str, object] | None:
        """Fetch when it is time; version and reason of what was refused. Raises sqlite3.Error.

        Records never wait for it: a failure is only tried again later.
        """
        told = int(self._memory.fact("config_told") or "0")
        if told <= int(self._memory.fact("config") or "0"):
            self._refused = None
        elif self._now() >= self._not_before:
            try:
                reason = fetch_config(self._data, self._memory, link, key)
                wait = pacing.HOURLY_S
            except (UnreachableError, OSError) as error:
                reason = str(error)
                wait = 30.0 + pacing.backoff(self._tries + 5, self._chance)
            self._tries += 1
            self._not_before = self._now() + pacing.asked(wait, self._chance)
            self._refused = {"version": told, "reason": reason} if reason else None
        return self._refused


class _Signer(msgspec.Struct):
    key: str


def fetch_config(data: DataDir, memory: Memory, link: Link, key: Ed25519PrivateKey) -> str:
    """Fetch and store the newest bundle; why it was refused, or "" when all is well.

    Raises link.UnreachableError, sqlite3.Error, OSError.
    """
    have = int(memory.fact("config") or "0")
    # A file that went missing must come again whatever the tag says.
    etag = memory.fact("etag") if data.bundle_file(have).exists() else ""
    reply = link.get("/v1/config", key, {"If-None-Match": etag} if etag else {})
    if reply.status == 304 and etag:
        return ""
    if reply.status != 200:
        return f"the centre says {reply.status} when asked for the configuration"
    trusted = tuple(json.loads(memory.fact("trusted") or "[]"))
    try:
        found = bundle.unpack(reply.body, trusted=trusted, device=memory.fact("device"))
    except bundle.BundleError as error:
        log.error("configuration refused: %s", error)
        return str(error)
    if found.version < have:
        return f"configuration {found.version} is older than {have}, which is here"
    signer = msgspec.json.decode(reply.body, type=_Signer).key
    write_bytes(data.bundle_file(found.version), reply.body)
    memory.learn(
        config=str(found.version),
        etag=reply.headers.get("etag", ""),
        name=found.name,
        location=found.location.id,
        # Pinned from here on: the key that signed this one and those it says may follow.
        trusted=json.dumps(list(dict.fromkeys([signer, *found.next_keys]))),
    )
    _tidy(data)
    log.info("configuration %d is here", found.version)
    return ""


def _tidy(data: DataDir) -> None:
    versions = sorted(int(p.stem) for p in data.config_dir.glob("*.bundle") if p.stem.isdigit())
    for version in versions[:-KEPT]:
        data.bundle_file(version).unlink(missing_ok=True)
