"""The newest configuration: fetched, verified against the pinned keys, and put in its place."""

from __future__ import annotations

import json
import logging

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import bundle
from sync.cursor import Memory
from sync.datadir import DataDir, write_bytes
from sync.link import Link

log = logging.getLogger("hymio.sync")


def fetch_config(data: DataDir, memory: Memory, link: Link, key: Ed25519PrivateKey) -> str:
    """Fetch and store the newest bundle; why it was refused, or "" when all is well.

    Raises link.UnreachableError, OSError.
    """
    etag = memory.fact("etag")
    reply = link.get("/v1/config", key, {"If-None-Match": etag} if etag else {})
    if reply.status == 304:
        return ""
    if reply.status != 200:
        return f"the centre says {reply.status} to a question for the configuration"
    trusted = tuple(json.loads(memory.fact("trusted") or "[]"))
    try:
        found = bundle.unpack(reply.body, trusted=trusted, device=memory.fact("device"))
    except bundle.BundleError as error:
        log.error("configuration refused: %s", error)
        return str(error)
    have = int(memory.fact("config") or "0")
    if found.version < have:
        return f"configuration {found.version} is older than {have}, which is here"
    write_bytes(data.bundle_file(found.version), reply.body)
    signer = trusted[0] if trusted else ""
    memory.learn(
        config=str(found.version),
        etag=reply.headers.get("etag", ""),
        location=found.location.id,
        # The key that is pinned first stays; the bundle may add the ones that follow it.
        trusted=json.dumps(list(dict.fromkeys([signer, *trusted[:1], *found.next_keys]))),
    )
    log.info("configuration %d is here", found.version)
    return ""
