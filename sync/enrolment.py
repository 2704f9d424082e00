"""From a one-time code to a device the centre knows."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
from collections.abc import Callable
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from sync import identity, pacing
from sync.contract import bundle, wire
from sync.contract import code as codes
from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.link import Link, Reply, UnreachableError

log = logging.getLogger("hymio.sync")

_PEOPLE: Final = {
    "code_unknown": "the centre does not know this code: check it, or ask IT for a new one",
    "code_used": "another device has used this code: ask IT for a new one",
    "code_expired": "this code is no longer valid: ask IT for a new one",
    "device_revoked": "this device's key is revoked: IT must set it up anew",
}


class Enrolment:
    """Redeems enrol.json once; the reply is kept in sync.db.

    A device that is enrolled stays so whatever becomes of a later code, unless it is redeemed.
    """

    def __init__(
        self,
        data: DataDir,
        memory: Memory,
        link: Callable[..., Link],
        *,
        monotonic: Callable[[], float],
        chance: Random,
    ) -> None:
        self._data, self._memory, self._new_link = data, memory, link
        self._now, self._chance = monotonic, chance
        self._seen: tuple[int, int] = (0, 0)
        self._wish: dict[str, Any] = {}
        self._mark = ""
        self._refused = ""
        self._not_before = 0.0
        self._tries = 0
        self.link: Link | None = None
        """The exchange under way, which may have to be cancelled."""
        self.state, self.reason = "not-enrolled", "no code yet"

    @property
    def enrolled(self) -> bool:
        """Whether the centre knows this device."""
        return bool(self._memory.fact("device"))

    def look(self, *, eager: bool = False) -> bool:
        """Redeem a waiting code when there is one; whether who we are has changed.

        Raises identity.KeyFileError, sqlite3.Error, OSError.
        """
        self._read()
        if not self._wish or self._mark in (self._memory.fact("redeemed"), self._refused):
            return False
        if self._now() < self._not_before and not eager:
            return False
        problem = _endpoint_problem(str(self._wish.get("endpoint", ""))) or _key_problem(
            str(self._wish.get("organisation_key", ""))
        )
        if problem:
            self._refuse(problem)
            return False
        try:
            return self._redeem(self._wish)
        except UnreachableError as error:
            self._later("unreachable", str(error), None)
            return False
        finally:
            self.link = None

    def _read(self) -> None:
        """Read enrol.json when it is another one than before."""
        try:
            stat = self._data.enrol_json.stat()
            seen = (stat.st_ino, stat.st_mtime_ns)
        except OSError:
            seen = (0, 0)
        if seen == self._seen:
            return
        self._seen = seen
        wish = read_json(self._data.enrol_json) or {}
        self._wish = wish if wish.get("code") else {}
        self._mark = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
        self._tries, self._not_before = 0, 0.0

    def _redeem(self, wish: dict[str, Any]) -> bool:
        # Durable before the centre hears of it: a code bound to a lost key would be burnt.
        key = identity.load_or_make(self._data.key)
        way = {name: str(wish.get(name, "")) for name in ("proxy", "ca_file")}
        self.link = link = self._new_link(str(wish["endpoint"]), **way)
        release = bool(wish.get("release", False))
        request = wire.EnrolRequest(
            v=wire.VERSION,
            code=codes.secret(str(wish["code"])),
            public_key=bundle.key_text(key.public_key()),
            release=release,
        )
        try:
            reply = link.post("/v1/enrol", msgspec.json.encode(request), key)
        finally:
            link.close()
        found = self._understood(reply)
        if found is None:
            return False
        pinned = str(wish.get("organisation_key", ""))
        if release:
            self._memory.learn(redeemed=self._mark, device="")
            self.state, self.reason = "not-enrolled", "the code was given back"
        elif pinned and found.organisation_key and pinned != found.organisation_key:
            self._refuse("the centre answers with another organisation's key than the label's")
            return False
        else:
            key_text = pinned or found.organisation_key
            if _key_problem(key_text):
                self._refuse("the centre's organisation key is damaged")
                return False
            trusted = [key_text] if key_text else []
            self._memory.move_in(
                redeemed=self._mark,
                device=found.device,
                name=found.name,
                location=found.location,
                centre=found.centre,
                endpoint=str(wish["endpoint"]),
                **way,
                trusted=json.dumps(trusted),
                config="0",
                config_told=str(found.config),
                etag="",
            )
            self.state, self.reason = "ok", ""
            log.info("enrolled as %s at %s", found.device, wish["endpoint"])
        return True

    def _understood(self, reply: Reply) -> wire.EnrolReply | None:
        if reply.status == 200:
            try:
                found = msgspec.json.decode(reply.body, type=wire.EnrolReply)
            except (msgspec.DecodeError, RecursionError):
                found = None
            if found is not None and found.v == wire.VERSION and found.device and found.centre:
                return found
        code = problem_code(reply)
        if code in _PEOPLE:
            # Final for this code; another one in enrol.json is tried at once.
            self._refuse(_PEOPLE[code])
        elif not code:
            self._later("unreachable", "what answers there is not a centre", None)
        else:
            wait = pacing.retry_after(reply.headers.get("retry-after"))
            self._later("waiting", f"the centre says {reply.status} {code}", wait)
        return None

    def _refuse(self, reason: str) -> None:
        self._refused = self._mark
        self.state, self.reason = "refused", reason
        log.error("not enrolled: %s", reason)

    def _later(self, state: str, reason: str, wait_s: float | None) -> None:
        self.state, self.reason = state, reason
        self._tries += 1
        # People wait in front of the screen: never longer than a minute by our own choice.
        wait = min(60.0, pacing.backoff(self._tries, self._chance)) if wait_s is None else wait_s
        self._not_before = self._now() + pacing.asked(wait, self._chance)


def _endpoint_problem(endpoint: str) -> str:
    """Why an address cannot be the centre's: outside this machine only TLS will do."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
    except ValueError:
        return f"{endpoint!r} is not an address"
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        return f"{endpoint!r} is not an address of a centre: it begins with https://"
    if parts.scheme == "http" and not _loopback(host):
        return f"{endpoint!r} is not encrypted: the address must begin with https://"
    return ""


def _key_problem(pinned: str) -> str:
    try:
        if pinned:
            bundle.read_key(pinned)
    except bundle.BundleError:
        return "the organisation's key on the label is damaged"
    return ""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def problem_code(reply: Reply) -> str:
    """The code of RFC 9457 problem details, empty for any other body."""
    if reply.status < 400:
        return ""
    try:
        return msgspec.json.decode(reply.body, type=wire.Problem).code
    except (msgspec.DecodeError, RecursionError):
        return ""
