"""The sender: brings every record of the outbox to the centre, and never gives up.

One `step` is at most a few exchanges with the centre. Only a verified receipt moves a cursor:
status exactly 200, our shape, and digest, epoch and centre echoed. Everything else is "later".
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.backlog import Backlog, Lot, Waiting
from sync.batching import Course, size_of
from sync.clock import Clock
from sync.contract import bundle, wire
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.enrolment import Enrolment
from sync.exchange import Draft, Exchange, Way, draft
from sync.fetching import Configuration
from sync.identity import KeyFileError, Keys
from sync.link import Link, Reply, UnreachableError
from sync.outbox import is_corruption
from sync.refusals import Refusal, understand
from sync.status import version
from sync.telling import Teller, remember

log = logging.getLogger("hymio.sync")

LOOK_S: Final = 1.0
"""How often the outbox is looked at while there is nothing to send."""
HELD_RETRY_MS: Final = 86_400_000
"""A record held back is sent in full again once in so long, and by another program version."""
HELD_AT_ONCE: Final = 100
"""Of them at most so many in one go."""
MOST_LAST: Final = 20
"""Records in a row that fail alone at the centre, after which it is the centre that fails."""


class Sender:
    """The sender of one data directory; the caller holds its lock.

    `monotonic` gives seconds, `chance` the jitter. `step` raises nothing of the network's, of the
    disk's or of SQLite's; the constructor raises sqlite3.Error and OSError of its own files.
    """

    def __init__(
        self,
        data: DataDir,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        chance: Random,
        link: Callable[..., Link] = Link,
    ) -> None:
        self._data, self._clock, self._now, self._chance = data, clock, monotonic, chance
        self._memory = Memory(data.sync_db)
        remember(data, self._memory)
        self._keys = Keys(data)
        self._enrolment = Enrolment(data, self._memory, link, monotonic=monotonic, chance=chance)
        self._exchange = Exchange(data, clock, self._memory)
        self._way = Way(self._memory, link)
        self._backlog = Backlog(data, self._memory)
        self._config = Configuration(data, self._memory, monotonic=monotonic, chance=chance)
        self._teller = Teller(data, monotonic)
        self._courses: dict[str, Course] = {}
        self._allowed = wire.Next()
        self._state, self._reason = "starting", ""
        self._since: str | None = None
        self._last_contact: str | None = None
        self._new_epoch = ""
        self._tries = 0
        self._not_before = self._paced_until = self._heartbeat_at = 0.0
        self._others: list[str] = []
        self._others_at = self._announce_at = 0.0
        self._held_again: list[tuple[str, int]] | None = None
        self._stopping = False

    # --- what others see --------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """One word: ok, unreachable, not-enrolled, refused, unknown-key, revoked …"""
        return self._state

    @property
    def reason(self) -> str:
        """The same in a sentence for people; empty when all is well."""
        return self._reason

    @property
    def since(self) -> str | None:
        """Since when (ISO) the centre has not been reached; None while it is."""
        return self._since

    def waiting(self) -> Waiting:
        """What there is to send now."""
        return self._backlog.look()

    def drained(self) -> bool:
        """Whether nothing is left to send, and the last exchange went well."""
        return self._state == "ok" and not self.waiting().backlog

    def stop(self) -> None:
        """End the exchange under way; may be called from a signal handler."""
        self._stopping = True
        for link in (self._way.link, self._enrolment.link):
            if link is not None:
                link.cancel()

    def close(self) -> None:
        """Write the status a last time and close everything."""
        self._tell(now=True)
        self._way.close()
        self._memory.close()

    # --- the loop ---------------------------------------------------------------------------------

    def step(self, *, eager: bool = False) -> float:
        """Do the next thing; the seconds until there may be another, 0 when at once.

        `eager` speaks to the centre now, whatever it asked to wait for (`--once`).
        """
        if eager:
            self._at_once()
        sent = False
        try:
            if self._enrolment.look(eager=eager):
                self._courses.clear()
                self._at_once()
            if not self._enrolment.enrolled:
                self._state, self._reason = self._enrolment.state, self._enrolment.reason
            elif self._now() >= self._not_before and not self._stopping:
                sent = self._work()
        except UnreachableError as error:
            self._later("unreachable", str(error))
        except KeyFileError as error:
            self._later("no-key", str(error), 60.0)
        except (sqlite3.Error, OSError) as error:
            self._later("disk", f"the sender's own files cannot be used: {error}")
        self._tell()
        return self._pause(sent)

    def _at_once(self) -> None:
        self._not_before = self._paced_until = self._heartbeat_at = 0.0
        self._config.at_once()

    def _pause(self, sent: bool) -> float:
        now = self._now()
        if not self._enrolment.enrolled:
            return LOOK_S
        if now < self._not_before:
            return self._not_before - now
        if sent and any(self._ready(lot) for lot in self.waiting().lots):
            return max(0.0, self._paced_until - now)
        return LOOK_S

    def _work(self) -> bool:
        """Send what is due; whether anything was exchanged."""
        key = self._keys.signing()
        if key is None:
            raise KeyFileError("the device's key is gone: it must be enrolled anew")
        if self._clock.synced():
            offset = self._clock.wall_ms() - self._clock.boottime_ms()
            self._memory.note_clock(self._clock.boot, offset)
        waiting = self.waiting()
        for lot in waiting.lots:
            if lot.broken:
                self._report_damage(lot.epoch, lot.inode)
        sent = False
        if self._now() >= self._paced_until:
            sent = any(self._send(key, lot) for lot in waiting.lots if self._ready(lot))
            sent = sent or self._send_held(key)
        if not sent and self._now() >= self._not_before:
            sent = self._beats(key, waiting)
        if self._now() >= self._not_before:
            self._exchange.refused = self._config.look(self._way.open(), key)
        return sent

    def _ready(self, lot: Lot) -> bool:
        course = self._courses.setdefault(lot.epoch, Course())
        cursor = self._memory.cursor(lot.epoch)
        return lot.count > 0 and course.ready(cursor, lot.tail, lot.inode, self._now())

    # --- batches ----------------------------------------------------------------------------------

    def _draft(self, epoch: str, lone: int = 0) -> Draft | None:
        """The next batch of an epoch, None when its file cannot be read now."""
        course = self._courses.setdefault(epoch, Course())
        try:
            found = draft(
                self._data,
                self._memory,
                epoch,
                course,
                bounds=self._allowed,
                now=self._now(),
                lone=lone,
            )
        except sqlite3.Error as error:
            course.rest_until = self._now() + LOOK_S
            if is_corruption(error):
                self._report_damage(epoch, self._inode(epoch))
            else:
                log.warning("outbox %s cannot be read now: %s", epoch, error)
            return None
        if found.damaged:
            self._report_damage(epoch, self._inode(epoch))
        return found

    def _send(self, key: Ed25519PrivateKey, lot: Lot) -> bool:
        """Send the next batch of an epoch; False when there is none after all."""
        course = self._courses[lot.epoch]
        found = self._draft(lot.epoch)
        if found is None or not found.items:
            # Never at once again: whatever is in the way, it is not gone in a moment.
            course.rest_until = self._now() + LOOK_S
            return False
        reply = self._post(key, found)
        if reply is not None:
            self._refused(reply, found, course, key)
        return True

    def _beats(self, key: Ed25519PrivateKey, waiting: Waiting) -> bool:
        """Send the empty batch that is due, so that the centre knows how we are.

        Other epochs than the current one take turns, hourly: a centre restored from a backup may
        lack what they hold, and hears only so what was lost at their end.
        """
        now = self._now()
        if now >= self._others_at and now >= self._paced_until:
            if not self._others:
                self._others = [lot.epoch for lot in waiting.lots if lot.epoch != waiting.current]
            if self._others and self._beat(key, self._others.pop()) and self._others:
                return True
            self._others_at = now + pacing.asked(pacing.HOURLY_S, self._chance)
        if now >= self._heartbeat_at and waiting.current:
            return self._beat(key, waiting.current)
        return False

    def _beat(self, key: Ed25519PrivateKey, epoch: str) -> bool:
        """Send an empty batch of an epoch; False without its file."""
        found = self._draft(epoch) if self._inode(epoch) else None
        if found is None:
            return False
        reply = self._post(key, found.empty())
        if reply is not None:
            refusal = understand(reply, empty=True)
            if refusal.code == "wrong_epoch_for_retired_key":
                self._heartbeat_at = self._now() + pacing.HOURLY_S
                self._state, self._reason = refusal.state, refusal.reason
            else:
                self._wait_for(refusal)
        return True

    def _send_held(self, key: Ed25519PrivateKey) -> bool:
        """Send one of the held records in full again, when it is time; False when none is."""
        if self._held_again is None:
            tried = self._memory.fact("held_tried").split()
            by, at = (tried[0], int(tried[1])) if len(tried) == 2 else ("", 0)
            # Either way: a clock may be set back by years.
            if by == version() and abs(self._clock.wall_ms() - at) < HELD_RETRY_MS:
                return False
            self._held_again = self._memory.some_held(HELD_AT_ONCE)
            self._memory.learn(held_tried=f"{version()} {self._clock.wall_ms()}")
        while self._held_again:
            epoch, seq = self._held_again[0]
            found = self._draft(epoch, lone=seq) if self._inode(epoch) else None
            if found is not None and found.items:
                reply = self._post(key, found)
                if reply is not None:
                    refusal = understand(reply, empty=False)
                    if not refusal.halve:
                        self._wait_for(refusal)
                        return True
                    log.info("record %d of epoch %s stays held back", seq, epoch)
                self._held_again.pop(0)
                return True
            self._held_again.pop(0)
        self._held_again = None
        return False

    def _post(self, key: Ed25519PrivateKey, found: Draft) -> Reply | None:
        """Post a batch and note its receipt; the reply when it is none."""
        reply, receipt = self._exchange.post(self._way.open(), key, found, self.waiting())
        if receipt is None:
            return reply
        self._keys.confirmed(key)
        self._received(receipt, found)
        following = self._keys.following()
        if following is not None and self._now() >= self._announce_at:
            self._announce(key, following)
        return None

    def _received(self, receipt: wire.Receipt, sent: Draft) -> None:
        """Note what a verified receipt says."""
        course = self._courses.setdefault(sent.epoch, Course())
        last = sent.items[-1].seq if sent.items else 0
        # What was sent beyond the cursor behind a record that goes last counts as sent, too.
        moved = min(receipt.have, max(last, course.ahead, sent.cursor))
        seqs = {item.seq for item in sent.items}
        exceptions = [(e.seq, e.verdict, e.code) for e in receipt.exceptions if e.seq in seqs]
        in_full = {item.seq for item in sent.items if not item.held}
        if moved != sent.cursor or exceptions or in_full:
            # What the cursor passes without having been here to send, no centre ever got.
            gap = (sent.cursor + 1, min(moved, sent.first - 1))
            lost = gap if gap[0] <= gap[1] else None
            self._memory.receipt(sent.epoch, moved, exceptions, in_full, lost)
        if moved < sent.cursor:
            log.warning("the centre has only %d of epoch %s: sending again", moved, sent.epoch)
            course.ahead = 0
        if sent.items:
            if seqs <= course.last:
                course.last -= seqs
                course.last_tries = 0
            course.passed()
            if in_full:
                course.holds = 0
            ahead = max(course.ahead, last) if moved >= sent.cursor else 0
            course.ahead = ahead if course.last else 0
        if receipt.new_epoch or receipt.have > sent.tail:
            self._new_epoch = sent.epoch
        self._allowed = receipt.next
        if str(receipt.config) != self._memory.fact("config_told"):
            self._memory.learn(config_told=str(receipt.config))
            self._config.at_once()
        now = self._now()
        self._tries, self._not_before = 0, 0.0
        self._paced_until = now + pacing.asked(receipt.next.after_s, self._chance)
        self._heartbeat_at = max(now + pacing.asked(pacing.IDLE_S, self._chance), self._paced_until)
        self._state, self._reason, self._since = "ok", "", None
        self._last_contact = self._clock.iso()
        if moved < sent.cursor:
            # Before the terminal prunes what has to be sent again.
            self._tell(now=True)

    # --- refusals ---------------------------------------------------------------------------------

    def _refused(self, reply: Reply, sent: Draft, course: Course, key: Ed25519PrivateKey) -> None:
        """A batch with records got a reply that is no receipt."""
        found = understand(reply, empty=False)
        if found.code == "unknown_key" and self._keys.unknown():
            log.warning("the centre does not know the new key: the old one signs")
            return
        if found.code == "wrong_epoch_for_retired_key":
            # The other epochs of this disk may still be taken.
            course.rest_until = self._now() + pacing.asked(pacing.HOURLY_S, self._chance)
            self._state, self._reason = found.state, found.reason
            return
        first = sent.items[0].seq
        if found.halve == "size":
            course.shrink(len(sent.items), size_of(sent.items))
        elif found.halve == "server":
            if not course.failed(first):
                self._wait_for(found)
                return
            if not self._empty_passes(sent, key):
                return
            course.suspect = True
            course.halve(len(sent.items))
        elif found.halve == "items":
            course.halve(len(sent.items))
        else:
            self._wait_for(found)
            return
        if len(sent.items) == 1:
            self._alone(sent, found, course, key)

    def _alone(self, sent: Draft, found: Refusal, course: Course, key: Ed25519PrivateKey) -> None:
        """One record alone was refused: held back for a 4xx of the centre's, last for a 5xx."""
        item = sent.items[0]
        if found.halve == "server" or not found.code:
            # Never held for a 5xx, nor for a proxy's bound: those mend. The others go first.
            course.last.add(item.seq)
            course.ahead = max(course.ahead, item.seq)
            course.last_tries += 1
            wait = pacing.backoff(course.last_tries + 5, self._chance)
            course.last_at = self._now() + max(LOOK_S, wait)
            course.passed()
            if len(course.last) >= MOST_LAST:
                # Not a record's fault: the centre fails at all of them.
                self._courses[sent.epoch] = Course()
                self._later(found.state, found.reason, pacing.IDLE_S)
        elif item.held:
            self._later("refused", f"the centre refuses a placeholder: {found.code}", 3600.0)
        elif self._empty_passes(sent, key):
            log.error("record %d of epoch %s is held back: %s", item.seq, sent.epoch, found.code)
            self._memory.hold(sent.epoch, item.seq, found.code)
            if not self._memory.fact("held_tried"):
                self._memory.learn(held_tried=f"{version()} {self._clock.wall_ms()}")
            course.passed()
            course.holds += 1
            # One after the other means that the centre is wrong about them: no hurry then.
            pause = min(pacing.MOST_S, 2.0 ** min(course.holds, 20)) if course.holds > 3 else 0.0
            self._paced_until = self._now() + pause

    def _empty_passes(self, sent: Draft, key: Ed25519PrivateKey) -> bool:
        """Whether an empty batch goes through, so that the records are to blame."""
        reply = self._post(key, sent.empty())
        if reply is None:
            self._paced_until = 0.0
            return True
        self._wait_for(understand(reply, empty=True))
        return False

    def _wait_for(self, found: Refusal) -> bool:
        """Wait as a refusal asks; False when it is about the records, and nothing waits."""
        if found.code == "unknown_key" and self._keys.unknown():
            return True
        if found.halve and found.halve != "server":
            return False
        self._later(found.state, found.reason, found.wait_s)
        return True

    def _later(self, state: str, reason: str, wait_s: float | None = None) -> None:
        if (state, reason) != (self._state, self._reason):
            log.warning("%s: %s", state, reason)
        self._state, self._reason = state, reason
        if self._since is None:
            self._since = self._clock.iso()
        self._tries += 1
        wait = (
            pacing.backoff(self._tries, self._chance)
            if wait_s is None
            else pacing.asked(wait_s, self._chance)
        )
        self._not_before = self._now() + wait

    # --- the rest ---------------------------------------------------------------------------------

    def _announce(self, key: Ed25519PrivateKey, following: Ed25519PrivateKey) -> None:
        """Tell the centre the key that follows; the old one goes on when that fails."""
        body = {"v": wire.VERSION, "public_key": bundle.key_text(following.public_key())}
        self._announce_at = self._now() + pacing.HOURLY_S
        reply = self._way.open().post("/v1/keys", msgspec.json.encode(body), key)
        if reply.status == 200:
            self._keys.told()
        else:
            log.error("the centre does not take the new key: %d", reply.status)

    def _inode(self, epoch: str) -> int:
        try:
            return self._data.epoch_file(epoch).stat().st_ino
        except OSError:
            return 0

    def _report_damage(self, epoch: str, inode: int) -> None:
        """Have the terminal, the file's only writer, salvage it."""
        course = self._courses.setdefault(epoch, Course())
        if course.damaged != inode:
            log.error("epoch %s is damaged: the terminal has to salvage it", epoch)
            course.damaged = inode

    def _tell(self, *, now: bool = False) -> None:
        """Write sender.json, when something changed."""
        waiting = self.waiting()
        if waiting.current != self._new_epoch:
            # Only the current epoch can be asked to end; the terminal has begun another.
            self._new_epoch = ""
        damaged = {}
        for lot in waiting.lots:
            course = self._courses.get(lot.epoch)
            if course is not None and course.damaged == lot.inode:
                damaged[lot.epoch] = lot.inode
            elif course is not None:
                course.damaged = 0
        news: dict[str, object] = {
            "state": self._state,
            "reason": self._reason,
            "since": self._since,
            "new_epoch": [self._new_epoch] if self._new_epoch else [],
            "damaged": damaged,
            "config_refused": str((self._exchange.refused or {}).get("reason", "")),
            "enrolment": {"state": self._enrolment.state, "reason": self._enrolment.reason},
        }
        numbers: dict[str, object] = {
            "backlog": waiting.backlog,
            "oldest_unsent": waiting.oldest,
            "last_contact": self._last_contact,
        }
        try:
            self._teller.tell(self._memory, news, numbers, now=now)
        except sqlite3.Error as error:
            log.warning("the status cannot be told: %s", error)
