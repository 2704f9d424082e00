"""The records of the outbox on their way: batches, receipts, and what refusals are about.

Only a verified receipt moves a cursor: status exactly 200, our shape, and digest, epoch and centre
echoed. Everything else is "later", or it is about a record, which is then found by halving.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.backlog import Lot, Waiting
from sync.batching import Course, size_of
from sync.contract import wire
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.exchange import Draft, Exchange, Way, draft
from sync.holding import HeldAgain
from sync.identity import Keys
from sync.link import Reply
from sync.outbox import is_corruption
from sync.pace import Pace
from sync.refusals import Refusal, understand
from sync.rotating import announce

log = logging.getLogger("hymio.sync")

LOOK_S: Final = 1.0
"""How often the outbox is looked at while there is nothing to send."""
MOST_LAST: Final = 20
"""Records in a row that fail alone at the centre, after which it is the centre that fails."""


class Delivery:
    """Sends the epochs' batches; `rewound` is called when the centre has less than it had.

    Every method that sends raises UnreachableError, KeyFileError, OSError, sqlite3.Error.
    """

    def __init__(
        self,
        data: DataDir,
        memory: Memory,
        *,
        exchange: Exchange,
        way: Way,
        keys: Keys,
        pace: Pace,
        held: HeldAgain,
        monotonic: Callable[[], float],
        chance: Random,
        waiting: Callable[[], Waiting],
        rewound: Callable[[], None],
    ) -> None:
        self._data, self._memory, self._exchange = data, memory, exchange
        self._way, self._keys, self._pace, self._held = way, keys, pace, held
        self._now, self._chance = monotonic, chance
        self._waiting, self._rewound = waiting, rewound
        self._courses: dict[str, Course] = {}
        self._allowed = wire.Next()
        self._announce_at = 0.0
        self._new_epoch = ""

    def forget(self) -> None:
        """Another centre or another name: what was learnt of batches no longer holds."""
        self._courses.clear()

    # --- for sender.json --------------------------------------------------------------------------

    def ends(self, current: str) -> list[str]:
        """The epoch the terminal is asked to end, if it is still the current one."""
        if self._memory.floor(current):
            # What is answered from here on is not to stand beside what went under another name.
            self._new_epoch = current
        if current != self._new_epoch:
            # Only the current epoch can be asked to end; the terminal has begun another.
            self._new_epoch = ""
        return [self._new_epoch] if self._new_epoch else []

    def damaged(self, waiting: Waiting) -> dict[str, int]:
        """epoch -> inode of the files the terminal has to salvage."""
        found = {}
        for lot in waiting.lots:
            course = self._courses.get(lot.epoch)
            if course is not None and course.damaged == lot.inode:
                found[lot.epoch] = lot.inode
            elif course is not None:
                course.damaged = 0
        return found

    def report_damage(self, epoch: str, inode: int) -> None:
        """Have the terminal, the file's only writer, salvage it."""
        course = self._courses.setdefault(epoch, Course())
        if course.damaged != inode:
            log.error("epoch %s is damaged: the terminal has to salvage it", epoch)
            course.damaged = inode

    # --- batches ----------------------------------------------------------------------------------

    def ready(self, lot: Lot) -> bool:
        """Whether an epoch has something that may go now."""
        course = self._courses.setdefault(lot.epoch, Course())
        cursor = self._memory.cursor(lot.epoch)
        return lot.count > 0 and course.ready(cursor, lot.tail, lot.inode, self._now())

    def draft(self, epoch: str, lone: int = 0) -> Draft | None:
        """The next batch of an epoch, None when its file is gone or cannot be read now."""
        if not self._inode(epoch):
            return None
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
                self.report_damage(epoch, self._inode(epoch))
            else:
                log.warning("outbox %s cannot be read now: %s", epoch, error)
            return None
        if found.damaged:
            self.report_damage(epoch, self._inode(epoch))
        return found

    def send(self, key: Ed25519PrivateKey, lot: Lot) -> bool:
        """Send the next batch of an epoch; False when there is none after all."""
        course = self._courses[lot.epoch]
        found = self.draft(lot.epoch)
        if found is None or not found.items:
            # Never at once again: whatever is in the way, it is not gone in a moment.
            course.rest_until = self._now() + LOOK_S
            return False
        reply = self.post(key, found)
        if reply is not None:
            self._refused(reply, found, course, key)
        return True

    def send_held(self, key: Ed25519PrivateKey) -> bool:
        """Send one of the held records in full again, when it is time; False when none is."""
        while (turn := self._held.next()) is not None:
            epoch, seq = turn
            found = self.draft(epoch, lone=seq)
            if found is not None and found.items:
                reply = self.post(key, found)
                if reply is not None:
                    refusal = understand(reply, empty=False)
                    if not refusal.halve:
                        self.wait_for(refusal)
                        return True
                    log.info("record %d of epoch %s stays held back", seq, epoch)
                self._held.done()
                return True
            self._held.done()
        return False

    def post(self, key: Ed25519PrivateKey, found: Draft, *, wiped: bool = False) -> Reply | None:
        """Post a batch and note its receipt; the reply when it is none."""
        reply, receipt = self._exchange.post(
            self._way.open(), key, found, self._waiting(), wiped=wiped
        )
        if receipt is None:
            return reply
        self._keys.confirmed(key)
        self._pace.compare(receipt.received_at)
        self.received(receipt, found)
        following = self._keys.following()
        if following is not None and self._now() >= self._announce_at:
            self._announce(key, following)
        return None

    def _announce(self, key: Ed25519PrivateKey, following: Ed25519PrivateKey) -> None:
        """Tell the centre the key that follows; the old one goes on when that fails."""
        self._announce_at = self._now() + pacing.HOURLY_S
        if announce(self._way.open(), key, following):
            self._keys.told()
            # With it the new key comes into use.
            self._pace.beat_later(0.0)

    def received(self, receipt: wire.Receipt, sent: Draft) -> None:
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
        self._pace.received(receipt.next.after_s)
        if moved < sent.cursor:
            # Before the terminal prunes what has to be sent again.
            self._rewound()

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
                self.wait_for(found)
                return
            if not self._empty_passes(sent, key):
                return
            course.suspect = True
            course.halve(len(sent.items))
        elif found.halve == "items":
            course.halve(len(sent.items))
        else:
            self.wait_for(found)
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
        reply = self.post(key, sent.empty())
        if reply is None:
            self._pace.hurry()
            return True
        self.wait_for(understand(reply, empty=True))
        return False

    def wait_for(self, found: Refusal) -> bool:
        """Wait as a refusal asks; False when it is about the records, and nothing waits."""
        if found.code == "unknown_key" and self._keys.unknown():
            return True
        if found.halve and found.halve != "server":
            return False
        self._pace.later(found.state, found.reason, found.wait_s)
        return True

    def _inode(self, epoch: str) -> int:
        try:
            return self._data.epoch_file(epoch).stat().st_ino
        except OSError:
            return 0
