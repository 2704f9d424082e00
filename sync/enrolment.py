"""From a one-time code to a device the centre knows."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import identity, pacing
from sync.contract import bundle, wire
from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.link import Link, Reply

log = logging.getLogger("hymio.sync")

LOOK_S = 2.0
"""How often a new code is looked for while there is none."""
_PEOPLE = {
    "code_unknown": "the centre does not know this code: check it, or ask IT for a new one",
    "code_used": "another device has used this code: ask IT for a new one",
    "code_expired": "this code is no longer valid: ask IT for a new one",
}


class Enrolment:
    """Redeems enrol.json; the reply is kept in sync.db. Raises link.UnreachableError."""

    def __init__(self, data: DataDir, memory: Memory, link: Callable[..., Link]) -> None:
        self._data = data
        self._memory = memory
        self._link = link
        self._refused = ""
        self._retry_s = LOOK_S
        self.state, self.reason = "not-enrolled", "no code yet"

    def wait(self, chance: Random) -> float:
        """Seconds until it is worth trying again."""
        return pacing.asked(self._retry_s, chance)

    def ready(self) -> Ed25519PrivateKey | None:
        """The device's key when it is enrolled; redeems a waiting code first."""
        self._retry_s = LOOK_S
        wish = read_json(self._data.enrol_json)
        if wish is not None and str(wish.get("code", "")):
            mark = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
            if mark not in (self._memory.fact("redeemed"), self._refused):
                self._redeem(wish, mark)
        if not self._memory.fact("device"):
            return None
        return identity.load(self._data.key)

    def _redeem(self, wish: dict[str, object], mark: str) -> None:
        # Durable before the centre hears of it: a code bound to a lost key would be burnt.
        key = identity.load_or_make(self._data.key)
        endpoint = str(wish.get("endpoint", ""))
        link = self._link(
            endpoint, proxy=str(wish.get("proxy", "")), ca_file=str(wish.get("ca_file", ""))
        )
        body = msgspec.json.encode(
            wire.EnrolRequest(
                v=wire.VERSION,
                code=str(wish["code"]),
                public_key=bundle.key_text(key.public_key()),
                release=bool(wish.get("release", False)),
            )
        )
        try:
            reply = link.post("/v1/enrol", body, key)
        finally:
            link.close()
        found = self._understood(reply, mark)
        if found is None:
            return
        pinned = str(wish.get("organisation_key", ""))
        if wish.get("release"):
            self._memory.learn(redeemed=mark, device="")
            self.state, self.reason = "not-enrolled", "the code was given back"
        elif pinned and found.organisation_key and pinned != found.organisation_key:
            self._refused = mark
            self.state = "refused"
            self.reason = "the centre answers with another organisation's key than the label's"
        else:
            self._memory.learn(
                redeemed=mark,
                device=found.device,
                name=found.name,
                location=found.location,
                centre=found.centre,
                endpoint=endpoint,
                proxy=str(wish.get("proxy", "")),
                ca_file=str(wish.get("ca_file", "")),
                trusted=json.dumps([pinned or found.organisation_key]),
                config="0",
            )
            log.info("enrolled as %s at %s", found.device, endpoint)

    def _understood(self, reply: Reply, mark: str) -> wire.EnrolReply | None:
        if reply.status in (200, 201):
            try:
                return msgspec.json.decode(reply.body, type=wire.EnrolReply)
            except (msgspec.DecodeError, RecursionError):
                self.state, self.reason = "refused", "what answers there is not a centre"
                self._retry_s = 60.0
                return None
        code = problem_code(reply)
        self.state = "refused"
        self.reason = _PEOPLE.get(code, f"the centre says {reply.status} {code}".rstrip())
        if code in _PEOPLE:
            # Final for this code; another one in enrol.json is tried at once.
            self._refused = mark
        else:
            self._retry_s = pacing.retry_after(reply.headers.get("retry-after")) or 30.0
        return None


def problem_code(reply: Reply) -> str:
    """The code of RFC 9457 problem details, empty for any other body."""
    try:
        return msgspec.json.decode(reply.body, type=wire.Problem).code
    except (msgspec.DecodeError, RecursionError):
        return ""
