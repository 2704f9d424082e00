"""The sender: brings every record of the outbox to the centre, and never gives up.

One `step` is at most a few exchanges with the centre. Only a verified receipt moves a cursor:
status exactly 200, our shape, and digest, epoch and centre echoed. Everything else is "later".
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.batching import FIVE, Course, items_of
from sync.clock import Clock
from sync.contract import wire
from sync.cursor import Memory
from sync.datadir import DataDir, write_json
from sync.enrolment import Enrolment, problem_code
from sync.epoch import EpochReader, Row, id_ms
from sync.fetching import fetch_config
from sync.link import Link, Reply, UnreachableError
from sync.status import device_status, iso_of

log = logging.getLogger("hymio.sync")

LOOK_S: Final = 1.0
"""How often the outbox is looked at while there is nothing to send."""
REWRITE_S: Final = 30.0
"""How often sender.json is written when nothing in it changed but the time."""
_HOURLY: Final = {
    "unknown_key": ("unknown-key", "the centre does not know this device's key"),
    "bad_signature": ("bad-signature", "the centre refuses this device's signature"),
    "device_revoked": ("revoked", "this device was revoked; its answers are kept"),
    "key_retired": ("retired", "another device took this one's place; its answers are kept"),
    "unknown_version": ("refused", "the centre is older than this program"),
}


@dataclass(frozen=True)
class Waiting:
    """What lies in the outbox for the centre."""

    epochs: tuple[str, ...]
    """With something to send, the oldest first."""
    backlog: int
    oldest: str | None
    current: str
    """The newest epoch, which heartbeats speak of; empty without one."""


@dataclass
class _Facts:
    """What sender.json says besides the outbox."""

    state: str = "starting"
    reason: str = ""
    last_contact: str | None = None
    since: str | None = None
    config_refused: str = ""
    new_epoch: list[str] = field(default_factory=list)
    damaged: dict[str, int] = field(default_factory=dict)


class Sender:
    """The sender of one data directory; the caller holds its lock.

    `monotonic` gives seconds, `chance` the jitter. `step` raises sqlite3.Error and OSError of the
    sender's own files, and nothing of the network's.
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
        self._enrolment = Enrolment(data, self._memory, link)
        self._new_link = link
        self._link: Link | None = None
        self._link_for: tuple[str, str, str] = ("", "", "")
        self._courses: dict[str, Course] = {}
        self._facts = _Facts()
        self._tries = 0
        self._not_before = 0.0
        self._paced_until = 0.0
        self._heartbeat_at = 0.0
        self._allowed = wire.Next()
        self._config_told = 0
        self._config_not_before = 0.0
        self._written: tuple[str, float] = ("", -1e9)

    @property
    def state(self) -> str:
        """One word: ok, unreachable, not-enrolled, refused, unknown-key, revoked …"""
        return self._facts.state

    @property
    def reason(self) -> str:
        """The same in a sentence for people; empty when all is well."""
        return self._facts.reason

    @property
    def since(self) -> str | None:
        """Since when (ISO) the centre has not been reached; None while it is."""
        return self._facts.since

    # --- the loop ---------------------------------------------------------------------------------

    def step(self, *, eager: bool = False) -> float:
        """Do the next thing; the seconds until there may be another.

        `eager` speaks to the centre now, whatever it asked to wait for (`--once`).
        """
        now = self._now()
        if eager:
            self._not_before = self._paced_until = self._heartbeat_at = 0.0
        if now >= self._not_before:
            self._note_clock()
            try:
                key = self._enrolment.ready()
                if key is None:
                    self._facts.state = self._enrolment.state
                    self._facts.reason = self._enrolment.reason
                    self._not_before = now + self._enrolment.wait(self._chance)
                else:
                    self._exchange(key)
            except UnreachableError as error:
                self._later("unreachable", str(error))
        waiting = self.waiting()
        self._tell(waiting)
        now = self._now()
        if now < self._not_before:
            return self._not_before - now
        if waiting.epochs and now < self._paced_until:
            return self._paced_until - now
        return 0.0 if waiting.epochs else LOOK_S

    def drained(self) -> bool:
        """Whether nothing is left to send, and the last exchange went well."""
        return self._facts.state == "ok" and not self.waiting().epochs

    def close(self) -> None:
        """Close the connection and the memory."""
        if self._link is not None:
            self._link.close()
        self._memory.close()

    def _exchange(self, key: Ed25519PrivateKey) -> None:
        now = self._now()
        news = self._config_told > int(self._memory.fact("config") or "0")
        if news and now >= self._config_not_before:
            self._fetch(key)
        if now >= self._paced_until:
            for epoch in self.waiting().epochs:
                if self._post(key, epoch):
                    return
        if now >= self._heartbeat_at:
            current = self.waiting().current
            if current:
                self._post(key, current, empty=True)

    def _fetch(self, key: Ed25519PrivateKey) -> None:
        refused = fetch_config(self._data, self._memory, self._link_to(), key)
        self._facts.config_refused = refused
        self._config_not_before = self._now() + (pacing.HOURLY_S if refused else 0.0)

    def _link_to(self) -> Link:
        memory = self._memory
        wanted = (memory.fact("endpoint"), memory.fact("proxy"), memory.fact("ca_file"))
        if self._link is None or wanted != self._link_for:
            if self._link is not None:
                self._link.close()
            self._link = self._new_link(wanted[0], proxy=wanted[1], ca_file=wanted[2])
            self._link_for = wanted
        return self._link

    def _note_clock(self) -> None:
        if self._clock.synced():
            offset = self._clock.wall_ms() - self._clock.boottime_ms()
            self._memory.note_clock(self._clock.boot, offset)

    # --- the outbox -------------------------------------------------------------------------------

    def waiting(self) -> Waiting:
        """What there is to send now."""
        files = sorted(p for p in self._data.outbox_dir.glob("*.db") if p.name[0] != ".")
        epochs, backlog, oldest = [], 0, 0
        for path in files:
            epoch = path.stem
            cursor = self._memory.cursor(epoch)
            try:
                with EpochReader(path) as reader:
                    count, first = reader.after(cursor)
            except sqlite3.Error as error:
                log.warning("outbox %s cannot be read now: %s", epoch, error)
                continue
            if not count:
                continue
            backlog += count
            course = self._courses.get(epoch)
            rest = count - (len(course.last) if course else 0)
            if rest > 0 or (course and self._now() >= course.last_at):
                epochs.append(epoch)
            at = id_ms(first) if first else 0
            oldest = min(oldest or at, at)
        return Waiting(
            tuple(epochs),
            backlog,
            iso_of(oldest) if oldest else None,
            files[-1].stem if files else "",
        )

    def _rows(self, reader: EpochReader, course: Course, cursor: int) -> list[Row]:
        """The rows of the next batch, those that go last left out until they are alone."""
        start = max(cursor, course.ahead)
        rows = [
            row
            for row in reader.rows(start, course.limit + len(course.last))
            if row.seq not in course.last
        ]
        if not rows and course.last and self._now() >= course.last_at:
            alone = reader.row(min(course.last))
            rows = [alone] if alone else []
        # While narrowing, what was refused must not be joined by what comes behind it.
        return [row for row in rows if not course.until or row.seq <= course.until] or rows

    # --- one batch --------------------------------------------------------------------------------

    def _post(self, key: Ed25519PrivateKey, epoch: str, *, empty: bool = False) -> bool:
        """Send the next batch of an epoch, or an empty one; False when there is none to send."""
        course = self._courses.setdefault(epoch, Course())
        course.limit = min(course.limit, self._allowed.max_items)
        cursor = self._memory.cursor(epoch)
        held = {
            seq: code
            for seq, (verdict, code) in self._memory.exceptions(epoch).items()
            if verdict == "held"
        }
        try:
            with EpochReader(self._data.epoch_file(epoch)) as reader:
                lowest = reader.rows(cursor, 1)
                rows = [] if empty else self._rows(reader, course, cursor)
                # Read after the rows, so that it is never below one of them.
                tail = reader.tail()
        except sqlite3.Error as error:
            log.warning("outbox %s cannot be read now: %s", epoch, error)
            return False
        items = items_of(rows, held, max_items=course.limit, max_bytes=self._allowed.max_bytes)
        if rows and not items:
            self._report_damage(epoch)
        if not items and not empty:
            return False
        waiting = self.waiting()
        batch = wire.Batch(
            v=wire.VERSION,
            centre=self._memory.fact("centre"),
            epoch=epoch,
            boot=self._clock.boot,
            sent_at=self._clock.iso(),
            sent_boottime_ms=self._clock.boottime_ms(),
            clocks=self._memory.clocks(),
            first_seq=lowest[0].seq if lowest else tail + 1,
            tail_seq=tail,
            status=device_status(
                self._data,
                self._clock,
                have=cursor,
                oldest=waiting.oldest,
                backlog=waiting.backlog,
                refused=self._facts.config_refused,
            ),
            items=items,
        )
        reply = self._link_to().post("/v1/batches", msgspec.json.encode(batch), key)
        receipt = self._verified(reply, batch)
        if receipt is not None:
            self._received(receipt, batch, course, cursor)
        else:
            self._refused(reply, batch, course, key)
        return True

    def _verified(self, reply: Reply, batch: wire.Batch) -> wire.Receipt | None:
        """The receipt, if it is one and for this very request: a captive portal answers 200 too."""
        if reply.status != 200:
            return None
        try:
            receipt = msgspec.json.decode(reply.body, type=wire.Receipt)
        except (msgspec.DecodeError, RecursionError):
            return None
        ours = (wire.VERSION, reply.digest, batch.epoch, batch.centre)
        theirs = (receipt.v, receipt.digest, receipt.epoch, receipt.centre)
        return receipt if ours == theirs and receipt.have >= 0 else None

    def _received(
        self, receipt: wire.Receipt, batch: wire.Batch, course: Course, cursor: int
    ) -> None:
        last = batch.items[-1].seq if batch.items else cursor
        moved = min(receipt.have, max(last, course.ahead, cursor))
        exceptions = [
            (found.seq, found.verdict, found.code)
            for found in receipt.exceptions
            if batch.first_seq <= found.seq <= batch.tail_seq
        ]
        self._memory.receipt(batch.epoch, moved, exceptions)
        if moved < cursor:
            log.warning("the centre has only %d of epoch %s: sending again", moved, batch.epoch)
            course.ahead = 0
        if batch.items:
            sent = {item.seq for item in batch.items}
            if sent <= course.last:
                course.last -= sent
                course.last_tries = 0
            # Behind a record that goes last, the cursor stands; the rest goes on beyond it.
            course.ahead = last if course.last and moved >= cursor else 0
            course.passed(last)
        if receipt.new_epoch or receipt.have > batch.tail_seq:
            self._facts.new_epoch = sorted({*self._facts.new_epoch, batch.epoch})
        self._allowed = receipt.next
        self._config_told = receipt.config
        self._tries = 0
        self._not_before = 0.0
        now = self._now()
        self._paced_until = now + pacing.asked(receipt.next.after_s, self._chance)
        self._heartbeat_at = now + max(
            pacing.IDLE_S, pacing.asked(receipt.next.after_s, self._chance)
        )
        self._facts.state, self._facts.reason, self._facts.since = "ok", "", None
        self._facts.last_contact = self._clock.iso()

    # --- refusals ---------------------------------------------------------------------------------

    def _refused(
        self, reply: Reply, batch: wire.Batch, course: Course, key: Ed25519PrivateKey
    ) -> None:
        code = problem_code(reply)
        status = reply.status
        if code in _HOURLY:
            state, reason = _HOURLY[code]
            self._later(state, reason, pacing.HOURLY_S)
        elif status == 421:
            self._later("wrong-centre", "another centre answers at this address", 900.0)
        elif status in (400, 413, 422) and code and batch.items:
            self._narrow(batch, course, code)
        elif status >= 500 and batch.items and self._five(batch, course, key):
            return
        else:
            wait = pacing.retry_after(reply.headers.get("retry-after"))
            words = f"the centre says {status} {code}".rstrip()
            if status == 200 or 300 <= status < 400:
                words = "what answers there is not the centre (a captive portal?)"
            state = "waiting" if status in (408, 429, 503) and code else "unreachable"
            self._later(state, words, wait)

    def _narrow(self, batch: wire.Batch, course: Course, code: str) -> None:
        """Half the batch next; one record alone is held back, and its placeholder goes instead."""
        if len(batch.items) > 1:
            course.narrow(len(batch.items), batch.items[-1].seq)
            return
        item = batch.items[0]
        if item.held:
            self._later("refused", f"the centre refuses a placeholder: {code}", pacing.HOURLY_S)
            return
        log.error("record %d of epoch %s is held back: %s", item.seq, batch.epoch, code)
        cursor = self._memory.cursor(batch.epoch)
        self._memory.receipt(batch.epoch, cursor, [(item.seq, "held", code)])

    def _five(self, batch: wire.Batch, course: Course, key: Ed25519PrivateKey) -> bool:
        """Five 5xx in a row on one batch while an empty one succeeds: the batch is to blame."""
        first = batch.items[0].seq
        course.fails = course.fails + 1 if course.failing == first else 1
        course.failing = first
        if course.fails < FIVE:
            return False
        course.fails = 0
        if not self._post(key, batch.epoch, empty=True) or self._facts.state != "ok":
            return False
        if len(batch.items) > 1:
            course.narrow(len(batch.items), batch.items[-1].seq)
        else:
            # Never held for a 5xx: the centre may mend. The others go first.
            course.last.add(first)
            course.last_tries += 1
            course.last_at = self._now() + pacing.backoff(course.last_tries + 4, self._chance)
            course.passed(first)
        # Five more of the half only when it, too, is refused: go on at once.
        course.fails = FIVE - 1
        course.failing = first
        return True

    def _later(self, state: str, reason: str, wait_s: float | None = None) -> None:
        if (state, reason) != (self._facts.state, self._facts.reason):
            log.warning("%s: %s", state, reason)
        self._facts.state, self._facts.reason = state, reason
        if self._facts.since is None:
            self._facts.since = self._clock.iso()
        self._tries += 1
        self._not_before = self._now() + (
            pacing.backoff(self._tries, self._chance)
            if wait_s is None
            else pacing.asked(wait_s, self._chance)
        )

    def _report_damage(self, epoch: str) -> None:
        """Have the terminal, the file's only writer, salvage it."""
        inode = self._data.epoch_file(epoch).stat().st_ino
        if self._facts.damaged.get(epoch) != inode:
            log.error("a row of epoch %s does not fit its hash", epoch)
            self._facts.damaged[epoch] = inode

    # --- telling ----------------------------------------------------------------------------------

    def _tell(self, waiting: Waiting) -> None:
        """Write sender.json when something changed, and now and then."""
        memory, facts = self._memory, self._facts
        held: dict[str, list[int]] = {}
        for epoch in memory.cursors():
            kept = [s for s, (verdict, _) in memory.exceptions(epoch).items() if verdict == "held"]
            if kept:
                held[epoch] = kept
        content: dict[str, object] = {
            "v": 1,
            "state": facts.state,
            "reason": facts.reason,
            "since": facts.since,
            "backlog": waiting.backlog,
            "oldest_unsent": waiting.oldest,
            "have": memory.cursors(),
            "held": held,
            "new_epoch": facts.new_epoch,
            "damaged": facts.damaged,
            "config": int(memory.fact("config") or "0"),
            "config_refused": facts.config_refused,
            "device": memory.fact("device"),
            "name": memory.fact("name"),
            "location": memory.fact("location"),
            "centre": memory.fact("centre"),
            "endpoint": memory.fact("endpoint"),
        }
        shape = msgspec.json.encode(content).decode()
        if shape == self._written[0] and self._now() - self._written[1] < REWRITE_S:
            return
        write_json(self._data.sender_json, {**content, "last_contact": facts.last_contact})
        self._written = (shape, self._now())
