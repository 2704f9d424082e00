"""From a one-time code to a device the centre knows, and back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.build import clock_problem
from sync.clock import Clock
from sync.contract import bundle, wire
from sync.contract import code as codes
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.enrolkeys import ANOTHER_KEY, CodeKeys
from sync.link import Link, Reply, UnreachableError
from sync.refusals import problem_code
from sync.wish import UNREADABLE, Said, Wish, answer_problem, problem, read_wish

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
    Every step may be cut short and comes again with the same key, to which the centre answers the
    same. `unsent` says whether answers have to go first under the name the device has now.
    """

    def __init__(
        self,
        data: DataDir,
        memory: Memory,
        link: Callable[..., Link],
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        chance: Random,
        unsent: Callable[[], bool],
    ) -> None:
        self._data, self._memory, self._new_link = data, memory, link
        self._clock, self._now, self._chance = clock, monotonic, chance
        self._unsent = unsent
        self._keys = CodeKeys(data)
        self._seen: tuple[int, int] = (-1, -1)
        self._wish: Wish | None = None
        self._final = False
        """The wish was refused, and only another file is tried again."""
        self._not_before = 0.0
        self._waits = 0
        self.tries = 0
        """Attempts in a row that enrolled nothing."""
        self.link: Link | None = None
        """The exchange under way, which may have to be cancelled."""
        self.state, self.code, self.reason = "not-enrolled", "", "no code yet"
        self._keys.settle(memory.fact("enrolled_key"))
        self._rest()

    @property
    def enrolled(self) -> bool:
        """Whether the centre knows this device."""
        return bool(self._memory.fact("device"))

    @property
    def confirmed(self) -> bool:
        """Whether it is enrolled, and in the right place: only then batches go."""
        return self.enrolled and not self._memory.fact("unconfirmed")

    def told(self) -> dict[str, object]:
        """What sender.json says of it."""
        return {
            "state": self.state,
            "code": self.code,
            "reason": self.reason,
            "tries": self.tries,
            "first_use": bool(self._memory.fact("first_use")),
            "seen": self._seen[1],
        }

    def trouble(self, code: str, reason: str) -> None:
        """The device's own files are in the way."""
        self._later("waiting", Said(code, reason))

    # --- the wish ---------------------------------------------------------------------------------

    def read(self) -> bool:
        """Read enrol.json when it was written anew; whether it is tried for the first time now."""
        unread = self.code == UNREADABLE
        if unread and self._now() < self._not_before:
            return False
        try:
            stat = self._data.enrol_json.stat()
            seen = (stat.st_ino, stat.st_mtime_ns)
        except OSError:
            seen = (0, 0)
        if seen == self._seen:
            return False
        self._seen = seen
        found = read_wish(self._data.enrol_json)
        self._wish = found if isinstance(found, Wish) else None
        if isinstance(found, Said) and found.code == UNREADABLE:
            self._seen = (-1, -1)
            self._waits = self._waits if unread else 0
            self._later("waiting", found)
            return False
        # Written again means "again", whatever became of the same words before.
        self._final, self._waits, self._not_before = False, 0, 0.0
        if isinstance(found, Said):
            self._refuse(found)
        elif self._wish is None or self._redeemed:
            self._rest()
        else:
            self.state, self.code, self.reason = "working", "", "the centre is being asked"
            return True
        return False

    @property
    def _redeemed(self) -> bool:
        return self._wish is not None and self._wish.mark == self._memory.fact("redeemed")

    def look(self, *, eager: bool = False) -> bool:
        """Do what enrol.json asks for, when it is time; whether who we are has changed.

        Raises identity.KeyFileError, sqlite3.Error, OSError.
        """
        self.read()
        wish = self._wish
        if wish is None or self._final:
            return False
        if self._redeemed:
            return self._confirm(wish)
        if self._now() < self._not_before and not eager:
            return False
        wrong = problem(wish)
        if wrong:
            self._refuse(wrong)
            return False
        try:
            return self._give_back(wish) if wish.release else self._redeem(wish)
        except UnreachableError as error:
            self._later("unreachable", self._explained(error))
            return False
        finally:
            if self.link is not None:
                self.link.close()
                self.link = None

    def _confirm(self, wish: Wish) -> bool:
        if not (self._memory.fact("unconfirmed") and wish.confirmed and not wish.release):
            return False
        self._memory.learn(unconfirmed="")
        self._rest()
        return True

    # --- asking the centre ------------------------------------------------------------------------

    def _ask(self, wish: Wish, key: Ed25519PrivateKey, *, release: bool) -> Reply:
        if self.link is None:
            self.link = self._new_link(wish.endpoint, **wish.way)
        request = wire.EnrolRequest(
            v=wire.VERSION,
            # The last group is for us alone: it tells whose centre this is.
            code=codes.secret(wish.code),
            public_key=bundle.key_text(key.public_key()),
            release=release,
        )
        return self.link.post("/v1/enrol", msgspec.json.encode(request), key)

    def _ask_with_any(self, wish: Wish) -> tuple[Reply, Ed25519PrivateKey]:
        """Ask with the key here; with a fresh one when that cannot be this device's."""
        made = not self._data.key.exists()
        key = self._keys.own()
        reply = self._ask(wish, key, release=wish.release)
        if problem_code(reply) not in ANOTHER_KEY or made:
            return reply, key
        fresh = self._keys.tried() if wish.release else self._keys.fresh()
        if fresh is None:
            return reply, key
        reply = self._ask(wish, fresh, release=wish.release)
        if problem_code(reply) in _PEOPLE:
            self._keys.refused()
        return reply, fresh

    def _redeem(self, wish: Wish) -> bool:
        reply, key = self._ask_with_any(wish)
        found = self._understood(reply)
        if found is None:
            return False
        wrong = answer_problem(wish, found.organisation_key)
        if wrong is not None:
            self._free(wish, key)
            self._refuse(wrong)
            return False
        if self._another(found) and self._unsent():
            reason = f"{self._memory.fact('device')} still has answers here: they go first"
            self._later("waiting", Said("unsent", reason))
            return False
        self._move_in(wish, found, key)
        return True

    def _another(self, found: wire.EnrolReply) -> bool:
        """Whether this is the same centre and another device of its."""
        before = self._memory.fact("sent_as") or self._memory.fact("device")
        return before not in ("", found.device) and self._memory.fact("centre") == found.centre

    def _move_in(self, wish: Wish, found: wire.EnrolReply, key: Ed25519PrivateKey) -> None:
        if found.device != self._memory.fact("device"):
            self._forget_bundles()
        pinned = wish.organisation_key or found.organisation_key
        self._memory.move_in(
            redeemed=wish.mark,
            unconfirmed="" if wish.confirmed else "yes",
            first_use="yes" if pinned and wish.first_use else "",
            enrolled_key=bundle.key_text(key.public_key()),
            device=found.device,
            name=found.name,
            location=found.location,
            centre=found.centre,
            endpoint=wish.endpoint,
            **wish.way,
            trusted=json.dumps([pinned] if pinned else []),
            config="0",
            config_told=str(found.config),
            etag="",
            wipe="",
            next_endpoint="",
        )
        self._keys.settle(self._memory.fact("enrolled_key"))
        self.tries = 0
        self._rest()
        log.info("enrolled as %s at %s", found.device, wish.endpoint)

    # --- giving back ------------------------------------------------------------------------------

    def _give_back(self, wish: Wish) -> bool:
        """This is the wrong place: free the code and forget who we are."""
        reply, _ = self._ask_with_any(wish)
        # A final refusal ends it as well: the centre no longer minds, and nothing was ever sent.
        if self._understood(reply) is None and (self.confirmed or not self._final):
            return False
        self._forget_bundles()
        empty = ("device", "name", "location", "endpoint", "proxy", "ca_file", "etag", "wipe")
        self._memory.learn(
            **dict.fromkeys(empty, ""),
            redeemed=wish.mark,
            unconfirmed="",
            first_use="",
            next_endpoint="",
            trusted="[]",
            config="0",
            config_told="0",
        )
        self._final, self.tries = False, 0
        self._rest()
        log.info("the code was given back")
        return True

    def _free(self, wish: Wish, key: Ed25519PrivateKey) -> None:
        """Free a code that was bound before it showed that the centre is not ours."""
        try:
            self._ask(wish, key, release=True)
        except UnreachableError as error:
            log.warning("the code could not be given back: %s", error)

    def _forget_bundles(self) -> None:
        for path in self._data.config_dir.glob("*.bundle"):
            path.unlink(missing_ok=True)

    # --- what came of it --------------------------------------------------------------------------

    def _understood(self, reply: Reply) -> wire.EnrolReply | None:
        if reply.status == 200:
            try:
                found = msgspec.json.decode(reply.body, type=wire.EnrolReply)
            except wire.UNREADABLE:
                found = None
            if found is not None and found.v == wire.VERSION and found.device and found.centre:
                return found
        code = problem_code(reply)
        if code in _PEOPLE:
            # Final for this file; written again, it is tried again.
            self._refuse(Said(code, _PEOPLE[code]))
        elif not code:
            said = Said("not_a_centre", "what answers there is not a centre: check the address")
            self._later("unreachable", said)
        elif reply.status in (408, 429) or reply.status >= 500:
            wait = pacing.retry_after(reply.headers.get("retry-after"))
            self._later(
                "waiting", Said("slow_down", f"the centre says {reply.status} {code}"), wait
            )
        else:
            reason = f"the centre says {reply.status} {code}: check the address and the proxy"
            self._later("unreachable", Said("not_a_centre", reason))
        return None

    def _explained(self, error: UnreachableError) -> Said:
        clock = clock_problem(self._clock.wall_ms()) if error.code == "certificate" else ""
        return Said("clock", clock) if clock else Said(error.code, str(error))

    def _rest(self) -> None:
        """Say what is so while nothing is asked for."""
        if self.confirmed:
            self.state, self.code, self.reason = "ok", "", ""
        elif self.enrolled:
            self.state, self.code = "unconfirmed", ""
            self.reason = "nobody has said yet that this is the right place"
        elif self._redeemed and self._wish is not None and self._wish.release:
            self.state, self.code = "not-enrolled", "released"
            self.reason = "the code was given back"
        else:
            self.state, self.code, self.reason = "not-enrolled", "", "no code yet"

    def _refuse(self, said: Said) -> None:
        self._final = True
        self.tries += 1
        self.state, self.code, self.reason = "refused", said.code, said.reason
        log.error("not enrolled: %s", said.reason)

    def _later(self, state: str, said: Said, wait_s: float | None = None) -> None:
        self.state, self.code, self.reason = state, said.code, said.reason
        self.tries += 1
        self._waits += 1
        # People wait in front of the screen: never longer than a minute by our own choice.
        wait = min(60.0, pacing.backoff(self._waits, self._chance)) if wait_s is None else wait_s
        self._not_before = self._now() + pacing.asked(wait, self._chance)
