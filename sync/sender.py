"""The sender: brings every record of the outbox to the centre, and never gives up.

One `step` is at most a few exchanges with the centre. Only a verified receipt moves a cursor:
status exactly 200, our shape, and digest, epoch and centre echoed. Everything else is "later".
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.backlog import Backlog, Lot, Waiting
from sync.batching import Course, size_of
from sync.clock import Clock
from sync.contract import wire
from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.enrolment import Enrolment
from sync.erasing import begun, erase
from sync.exchange import Draft, Exchange, Way, draft
from sync.fetching import Configuration
from sync.holding import HeldAgain
from sync.identity import KeyFileError, Keys
from sync.link import Link, Reply, UnreachableError
from sync.moving import Move
from sync.outbox import is_corruption
from sync.pace import Pace
from sync.refusals import Refusal, understand
from sync.rotating import Rotation, announce
from sync.status import version
from sync.telling import Teller, remember

log = logging.getLogger("hymio.sync")

LOOK_S: Final = 1.0
"""How often the outbox is looked at while there is nothing to send."""
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
        self._new_link = link
        self._stopping = False
        self._erased = False
        if begun(data):
            erase(data)
        self._begin()

    def _begin(self) -> None:
        """Open our own files and know nothing that is not in them."""
        data, clock, chance = self._data, self._clock, self._chance
        self._memory = Memory(data.sync_db)
        remember(data, self._memory)
        timing: dict[str, Any] = {"monotonic": self._now, "chance": chance}
        self._keys = Keys(data)
        self._rotation = Rotation(data, self._memory)
        self._enrolment = Enrolment(
            data, self._memory, self._new_link, clock=clock, unsent=self._unsent, **timing
        )
        self._exchange = Exchange(data, clock, self._memory)
        self._way = Way(self._memory, self._new_link)
        self._move = Move(self._memory, self._new_link, **timing)
        self._backlog = Backlog(data, self._memory)
        self._config = Configuration(data, self._memory, **timing)
        self._teller = Teller(data, self._now)
        self._courses: dict[str, Course] = {}
        self._allowed = wire.Next()
        self._pace = Pace(clock, self._now, chance)
        self._held = HeldAgain(self._memory, clock, version())
        self._new_epoch = ""
        self._others: list[str] = []
        self._others_at = self._announce_at = 0.0

    # --- what others see --------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """One word: ok, unreachable, not-enrolled, refused, unknown-key, revoked …"""
        if self._erased:
            return "wiped"
        wiping = self._pace.state == "ok" and self._memory.fact("wipe")
        return "wiping" if wiping else self._pace.state

    @property
    def reason(self) -> str:
        """The same in a sentence for people; empty when all is well."""
        return self._pace.reason

    @property
    def since(self) -> str | None:
        """Since when (ISO) the centre has not been reached; None while it is."""
        return self._pace.since

    @property
    def _not_before(self) -> float:
        return self._pace.not_before

    def waiting(self) -> Waiting:
        """What there is to send now."""
        return self._backlog.look()

    def drained(self) -> bool:
        """Whether nothing is left to send, and the last exchange went well."""
        return self.state in ("ok", "wiping") and not self.waiting().backlog

    def stop(self) -> None:
        """End the exchange under way; may be called from a signal handler."""
        self._stopping = True
        for link in (self._way.link, self._enrolment.link, self._move.link):
            if link is not None:
                link.cancel()

    def close(self) -> None:
        """Write the status a last time and close everything."""
        if self._erased:
            return
        self._tell(now=True)
        self._way.close()
        self._memory.close()

    # --- the loop ---------------------------------------------------------------------------------

    def step(self, *, eager: bool = False) -> float:
        """Do the next thing; the seconds until there may be another, 0 when at once.

        `eager` speaks to the centre now, whatever it asked to wait for (`--once`).
        """
        if self._erased and not self._anew():
            return LOOK_S
        if eager:
            self._at_once()
        self._enrol(eager=eager)
        sent = False
        try:
            if not self._enrolment.enrolled:
                own_files = self._enrolment.code == "disk"
                self._pace.say(
                    "disk" if own_files else self._enrolment.state, self._enrolment.reason
                )
            elif not self._enrolment.confirmed:
                self._look_around()
            elif not self._pace.resting() and not self._stopping:
                sent = self._work()
        except UnreachableError as error:
            self._pace.later("unreachable", str(error))
        except KeyFileError as error:
            self._pace.later("no-key", str(error), 60.0)
        except (sqlite3.Error, OSError) as error:
            self._pace.later("disk", f"the sender's own files cannot be used: {error}")
        if self._erased:
            return LOOK_S
        self._tell()
        return self._pause(sent)

    def _enrol(self, *, eager: bool) -> None:
        """Do what enrol.json asks for; whatever is in the way, a device that is enrolled works."""
        try:
            if self._enrolment.read():
                # The screen shows that it is being tried before the centre answers.
                self._tell()
            if self._enrolment.look(eager=eager):
                self._courses.clear()
                self._at_once()
        except KeyFileError as error:
            self._enrolment.trouble("bad_key", str(error))
        except (sqlite3.Error, OSError) as error:
            words = f"the sender's own files cannot be used: {error}"
            self._enrolment.trouble("disk", words)
            self._pace.say("disk", words)

    def _look_around(self) -> None:
        """Enrolled, and nobody has said that this is the right place: only fetch what names it."""
        self._pace.say(self._enrolment.state, self._enrolment.reason)
        if not self._stopping:
            link = self._way.open()
            self._exchange.refused = self._config.look(link, self._own_key(), asking=True)

    def _own_key(self) -> Ed25519PrivateKey:
        key = self._keys.signing()
        if key is None:
            raise KeyFileError("the device's key is gone: it must be enrolled anew")
        return key

    def _unsent(self) -> bool:
        """Whether answers that belong to the name the device has now have not gone."""
        sent_some = any(self._memory.cursors().values())
        waits = self.waiting().backlog or self._memory.some_held(1)
        return bool(sent_some and waits)

    def _at_once(self) -> None:
        self._pace.at_once()
        self._config.at_once()

    def _pause(self, sent: bool) -> float:
        now = self._now()
        if not self._enrolment.confirmed:
            return LOOK_S
        if self._pace.resting():
            return self._not_before - now
        if sent and any(self._ready(lot) for lot in self.waiting().lots):
            return max(0.0, self._pace.paced_until - now)
        return LOOK_S

    def _work(self) -> bool:
        """Send what is due; whether anything was exchanged."""
        key = self._own_key()
        if self._rotation.look():
            self._pace.beat_later(0.0)
        if self._clock.synced():
            offset = self._clock.wall_ms() - self._clock.boottime_ms()
            self._memory.note_clock(self._clock.boot, offset)
        waiting = self.waiting()
        for lot in waiting.lots:
            if lot.broken:
                self._report_damage(lot.epoch, lot.inode)
        sent = self._try_next_endpoint(key, waiting)
        if not sent and self._now() >= self._pace.paced_until:
            sent = any(self._send(key, lot) for lot in waiting.lots if self._ready(lot))
            sent = sent or self._send_held(key)
        if not sent and not self._pace.resting():
            sent = self._beats(key, waiting)
        if not self._pace.resting():
            self._exchange.refused = self._config.look(self._way.open(), key)
        if not sent and self._memory.fact("wipe"):
            self._wipe(key)
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
        if now >= self._others_at and now >= self._pace.paced_until:
            if not self._others:
                now_ours = self._speaking_of(waiting)
                self._others = [e for e in self._ours(waiting) if e != now_ours]
            if self._others and self._beat(key, self._others.pop()) and self._others:
                return True
            self._others_at = now + pacing.asked(pacing.HOURLY_S, self._chance)
        epoch = self._speaking_of(waiting)
        if now >= self._pace.heartbeat_at and epoch:
            return self._beat(key, epoch)
        return False

    def _ours(self, waiting: Waiting) -> list[str]:
        """The epochs that hold more than what went under an earlier name, the oldest first."""
        floor = self._memory.floor
        return [lot.epoch for lot in waiting.lots if not 0 < lot.tail <= floor(lot.epoch)]

    def _speaking_of(self, waiting: Waiting) -> str:
        """The epoch an empty batch is about: the current one if it is ours; empty for none."""
        ours = self._ours(waiting)
        return waiting.current if waiting.current in ours else (ours or [""])[-1]

    def _beat(self, key: Ed25519PrivateKey, epoch: str) -> bool:
        """Send an empty batch of an epoch; False without its file."""
        found = self._draft(epoch) if self._inode(epoch) else None
        if found is None:
            return False
        reply = self._post(key, found.empty())
        if reply is not None:
            refusal = understand(reply, empty=True)
            if refusal.code == "wrong_epoch_for_retired_key":
                self._pace.beat_later(pacing.HOURLY_S)
                self._pace.say(refusal.state, refusal.reason)
            else:
                self._wait_for(refusal)
        return True

    def _send_held(self, key: Ed25519PrivateKey) -> bool:
        """Send one of the held records in full again, when it is time; False when none is."""
        while (turn := self._held.next()) is not None:
            epoch, seq = turn
            found = self._draft(epoch, lone=seq) if self._inode(epoch) else None
            if found is not None and found.items:
                reply = self._post(key, found)
                if reply is not None:
                    refusal = understand(reply, empty=False)
                    if not refusal.halve:
                        self._wait_for(refusal)
                        return True
                    log.info("record %d of epoch %s stays held back", seq, epoch)
                self._held.done()
                return True
            self._held.done()
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
        # Below is what went under an earlier name of this device.
        moved = max(moved, self._memory.floor(sent.epoch))
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
        self._pace.received(receipt.next.after_s)
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
            self._pace.say(found.state, found.reason)
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
                self._pace.later(found.state, found.reason, pacing.IDLE_S)
        elif item.held:
            self._pace.later("refused", f"the centre refuses a placeholder: {found.code}", 3600.0)
        elif self._empty_passes(sent, key):
            log.error("record %d of epoch %s is held back: %s", item.seq, sent.epoch, found.code)
            self._memory.hold(sent.epoch, item.seq, found.code)
            self._held.held()
            course.passed()
            course.holds += 1
            # One after the other means that the centre is wrong about them: no hurry then.
            pause = min(pacing.MOST_S, 2.0 ** min(course.holds, 20)) if course.holds > 3 else 0.0
            self._pace.hold_back(pause)

    def _empty_passes(self, sent: Draft, key: Ed25519PrivateKey) -> bool:
        """Whether an empty batch goes through, so that the records are to blame."""
        reply = self._post(key, sent.empty())
        if reply is None:
            self._pace.hurry()
            return True
        self._wait_for(understand(reply, empty=True))
        return False

    def _wait_for(self, found: Refusal) -> bool:
        """Wait as a refusal asks; False when it is about the records, and nothing waits."""
        if found.code == "unknown_key" and self._keys.unknown():
            return True
        if found.halve and found.halve != "server":
            return False
        self._pace.later(found.state, found.reason, found.wait_s)
        return True

    # --- the rest ---------------------------------------------------------------------------------

    def _announce(self, key: Ed25519PrivateKey, following: Ed25519PrivateKey) -> None:
        """Tell the centre the key that follows; the old one goes on when that fails."""
        self._announce_at = self._now() + pacing.HOURLY_S
        if announce(self._way.open(), key, following):
            self._keys.told()
            # With it the new key comes into use.
            self._pace.beat_later(0.0)

    def _try_next_endpoint(self, key: Ed25519PrivateKey, waiting: Waiting) -> bool:
        """Say where we are at the address the configuration names; whether it is ours now."""
        if self._pace.since is not None:
            self._move.hurry()
        to = self._move.due()
        epoch = self._speaking_of(waiting)
        if to is None or not epoch or not self._inode(epoch):
            return False
        found = self._draft(epoch)
        if found is None:
            return False
        try:
            reply, receipt = self._exchange.post(
                self._move.open(to), key, found.empty(), waiting, centre=to.centre
            )
        except UnreachableError as error:
            self._move.failed(to, str(error))
            return False
        if receipt is None:
            self._move.failed(to, understand(reply, empty=True).reason)
            return False
        self._move.arrived(to)
        self._received(receipt, found.empty())
        return True

    # --- the end ----------------------------------------------------------------------------------

    def _wipe(self, key: Ed25519PrivateKey) -> None:
        """Say goodbye and erase everything, once there is nothing more to lose."""
        if (read_json(self._data.terminal_json) or {}).get("state") != "wiped":
            return
        # Looked at after the terminal closed its outbox: nothing comes any more.
        waiting = self.waiting()
        whole = not any(lot.broken for lot in waiting.lots)
        if waiting.backlog or not whole or self._pace.resting():
            return
        if self._memory.some_held(1):
            self._pace.say("ok", "the centre takes some records not yet: they are held back here")
            return
        epoch = self._speaking_of(waiting)
        if epoch:
            found = self._draft(epoch) if self._inode(epoch) else None
            if found is None:
                return
            reply, receipt = self._exchange.post(
                self._way.open(), key, found.empty(), waiting, wiped=True
            )
            if receipt is None:
                self._wait_for(understand(reply, empty=True))
                return
            self._received(receipt, found.empty())
            if self.waiting().backlog:
                return
        self._erased = True
        self._way.close()
        self._memory.close()
        erase(self._data)

    def _anew(self) -> bool:
        """After the end: bring it to its end, and begin again when there is another code."""
        try:
            if begun(self._data):
                erase(self._data)
            if not self._data.enrol_json.exists():
                return False
            self._data.create()
            self._begin()
        except (sqlite3.Error, OSError) as error:
            log.error("the data directory cannot be used: %s", error)
            return False
        self._erased = False
        return True

    # --- what is told -----------------------------------------------------------------------------

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
        if self._memory.floor(waiting.current):
            # What is answered from here on is not to stand beside what went under another name.
            self._new_epoch = waiting.current
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
            "state": self.state,
            "reason": self._pace.reason,
            "since": self._pace.since,
            "new_epoch": [self._new_epoch] if self._new_epoch else [],
            "damaged": damaged,
            "config_refused": str((self._exchange.refused or {}).get("reason", "")),
            "enrolment": self._enrolment.told(),
        }
        numbers: dict[str, object] = {
            "backlog": waiting.backlog,
            "oldest_unsent": waiting.oldest,
            "last_contact": self._pace.last_contact,
        }
        try:
            self._teller.tell(self._memory, news, numbers, now=now)
        except sqlite3.Error as error:
            log.warning("the status cannot be told: %s", error)
