"""The newest configuration: fetched, verified against the pinned keys, and put in its place."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import moving, pacing
from sync.contract import bundle
from sync.cursor import Memory
from sync.datadir import DataDir, write_bytes
from sync.link import Link, UnreachableError
from sync.refusals import problem_code
from sync.wish import endpoint_problem

log = logging.getLogger("hymio.sync")

KEPT: Final = 5
"""Bundles that stay on the device, the newest ones."""
ASKED_S: Final = 10.0
"""Between two questions while people wait for the first one in front of the screen."""


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
        self._told = 0
        self._refused: dict[str, object] | None = None

    def at_once(self) -> None:
        """Whatever failed before, try again now."""
        self._not_before, self._tries = 0.0, 0

    def look(
        self, link: Link, key: Ed25519PrivateKey, *, asking: bool = False
    ) -> dict[str, object] | None:
        """Fetch when it is time; version and reason of what was refused. Raises sqlite3.Error.

        Records never wait for it: a failure is only tried again later. `asking` asks even though
        nobody told of a newer one: no receipt does while people look at "is this the right place?".
        """
        here = here_now(self._data, self._memory)
        told = int(self._memory.fact("config_told") or "0")
        if told != self._told:
            self._told = told
            self.at_once()
        if told <= here and not asking:
            self._refused = None
        elif self._now() >= self._not_before:
            try:
                reason = fetch_config(self._data, self._memory, link, key)
                wait = pacing.HOURLY_S
            except (UnreachableError, OSError) as error:
                reason = str(error)
                wait = 30.0 + pacing.backoff(self._tries + 5, self._chance)
            if asking:
                wait = pacing.IDLE_S if here_now(self._data, self._memory) else ASKED_S
            self._tries += 1
            self._not_before = self._now() + pacing.asked(wait, self._chance)
            self._refused = {"version": told, "reason": reason} if reason else None
        return self._refused


def here_now(data: DataDir, memory: Memory) -> int:
    """The version that is here; 0 also when its file went missing, so that it comes again."""
    version = int(memory.fact("config") or "0")
    return version if data.bundle_file(version).exists() else 0


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
        newer = int(memory.fact("config_told") or "0") > have
        return "the centre tells of a newer configuration and does not give it" if newer else ""
    if reply.status == 404 and problem_code(reply):
        return "the centre has no configuration for this device yet"
    if reply.status != 200:
        return f"the centre says {reply.status} when asked for the configuration"
    try:
        found = _verified(reply.body, memory, have)
    except bundle.BundleError as error:
        log.error("configuration refused: %s", error)
        return str(error)
    signer = msgspec.json.decode(reply.body, type=_Signer).key
    write_bytes(data.bundle_file(found.version), reply.body)
    memory.learn(
        config=str(found.version),
        etag=reply.headers.get("etag", ""),
        name=found.name,
        location=found.location.id,
        next_endpoint=moving.wanted(memory, found.endpoint),
        key_wanted=str(found.key_generation),
        wipe="yes" if found.wipe else "",
        # Pinned from here on: the key that signed this one and those it says may follow.
        trusted=json.dumps(list(dict.fromkeys([signer, *found.next_keys]))),
    )
    _tidy(data)
    log.info("configuration %d is here", found.version)
    return ""


def _verified(raw: bytes, memory: Memory, have: int) -> bundle.Bundle:
    """The bundle, if it is ours and may follow version `have`. Raises BundleError."""
    trusted = tuple(json.loads(memory.fact("trusted") or "[]"))
    found = bundle.unpack(raw, trusted=trusted, device=memory.fact("device"))
    if found.version < have:
        raise bundle.BundleError(
            f"configuration {found.version} is older than {have}, which is here"
        )
    wrong = endpoint_problem(found.endpoint.url) if found.endpoint.url else None
    if wrong is not None:
        raise bundle.BundleError(f"endpoint.url: {wrong.reason}")
    return found


def _tidy(data: DataDir) -> None:
    versions = sorted(int(p.stem) for p in data.config_dir.glob("*.bundle") if p.stem.isdecimal())
    for version in versions[:-KEPT]:
        data.bundle_file(version).unlink(missing_ok=True)
