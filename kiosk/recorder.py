"""The only door to disk for what a visit says: durable first, acknowledged after.

RecorderError
├── DiskFull        no room, and the ballast is gone too
└── OutboxBroken    the outbox cannot be written, also after closing and opening it again
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Answer, End, Record, digest, freeze, thaw
from sync.datadir import DataDir
from sync.epoch import New, id_floor, id_ms
from sync.outbox import STOP_AT, WARN_AT, Outbox, OutboxError, is_corruption

log = logging.getLogger("hymio.recorder")

LOOK_BACK: Final = 5000
"""Rows read at start: visits left open, and what was asked lately."""
MEASURE_EVERY: Final = 64
"""Commits between two looks at the space left."""
_DAY_MS: Final = 86_400_000


class RecorderError(Exception):
    """A record that is not durable; it may be committed again."""


class DiskFull(RecorderError):  # noqa: N818 - says what is the case
    """No room, and the ballast is gone too."""


class OutboxBroken(RecorderError):  # noqa: N818
    """The outbox cannot be written, also after closing and opening it again."""


class _When(msgspec.Struct):
    synced: bool


class _Stamped(msgspec.Struct):
    """What of a record tells whether its time is right."""

    at: _When


class Recorder:
    """Commits what a visit says to the outbox.

    Raises RecorderError when the outbox cannot be opened or another process holds it.
    """

    def __init__(
        self,
        data: DataDir,
        storage: Storage,
        *,
        new_id: Callable[[], str] = uuid7,
        clock: Clock | None = None,
        open_outbox: Callable[[DataDir], Outbox] = Outbox,
    ) -> None:
        self._storage = storage
        self._new_id = new_id
        self._clock = clock or Clock()
        self._failed: dict[bytes, str] = {}
        self._commits = 0
        self._full = False
        self._asked: Counter[tuple[int, str]] = Counter()
        try:
            self._outbox = open_outbox(data)
        except OutboxError as error:
            raise OutboxBroken(str(error)) from error
        self._fill = 0.0
        try:
            self._outbox.keep_ballast(storage.ballast_mb << 20)
            self._measure()
            for ms, record in self._recent():
                self._count(record, ms // _DAY_MS)
        except BaseException:
            # With its lock kept, no later attempt of this process would get it.
            self._outbox.close()
            raise

    # --- state ------------------------------------------------------------------------------------

    @property
    def epoch(self) -> str:
        """The current epoch."""
        return self._outbox.epoch

    @property
    def last_seq(self) -> int:
        """The position of the newest record in the current epoch. Raises OutboxBroken."""
        try:
            return self._outbox.file.tail()
        except sqlite3.Error as error:
            raise OutboxBroken(f"the outbox cannot be read: {error}") from error

    @property
    def fill(self) -> float:
        """Share of the space given that is used, 0 to 1."""
        return self._fill

    @property
    def accepting(self) -> bool:
        """Whether there is room for another visit."""
        return not self._full and self._fill < STOP_AT

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """What went wrong in the outbox, oldest first."""
        return self._outbox.alarms

    # --- committing -------------------------------------------------------------------------------

    def commit(self, *records: Record) -> None:
        """Make records durable, several in one transaction, before it returns.

        Raises DiskFull, OutboxBroken; the same records may then be committed again and keep their
        ids, so that an attempt whose outcome nobody saw is not stored twice.
        """
        rows = []
        for record in records:
            raw = freeze(record)
            rows.append(New(self._failed.get(raw) or self._new_id(), raw, digest(raw)))
        if not rows:
            return
        try:
            if self._failed:
                self._outbox.file.append_again(rows)
            else:
                self._outbox.append(rows)
        except sqlite3.Error as error:
            self._again(rows, error)
        self._failed.clear()
        self._note(records)
        self._commits += 1
        if self._commits % MEASURE_EVERY == 0:
            self._measure()

    def _again(self, rows: list[New], first: sqlite3.Error) -> None:
        """Once more, after opening anew: what may have been stored is found by its id."""
        log.error("a commit failed, opening the outbox again: %s", first)
        self._failed = {row.rec: row.id for row in rows}
        if _is_full(first):
            # What the ballast frees is for the visit under way; no new one until it is back.
            self._full = True
            self._outbox.drop_ballast()
        try:
            if is_corruption(first):
                self._outbox.set_aside(self._outbox.epoch, str(first))
            else:
                self._outbox.reopen()
            self._outbox.file.append_again(rows)
        except (sqlite3.Error, OutboxError, OSError) as error:
            if _is_full(error) or _is_full(error.__cause__):
                raise DiskFull(f"the disk is full: {error}") from error
            raise OutboxBroken(f"the outbox cannot be written: {error}") from error

    # --- looking back -----------------------------------------------------------------------------

    def open_visits(self) -> dict[str, list[Answer]]:
        """Visits without an end, each with its answers in order: the terminal died in them."""
        found: dict[str, list[Answer]] = {}
        ended = set()
        for _, record in self._recent():
            if isinstance(record, End):
                ended.add(record.visit)
            else:
                found.setdefault(record.visit, []).append(record)
        return {visit: answers for visit, answers in found.items() if visit not in ended}

    def counts_by_question(self, days: int) -> dict[str, int]:
        """How often each question was shown in the last days, as far as remembered."""
        since = self._clock.wall_ms() // _DAY_MS - days
        found: Counter[str] = Counter()
        for (day, question), count in self._asked.items():
            if day > since:
                found[question] += count
        return dict(found)

    def _recent(self) -> list[tuple[int, Record]]:
        """The newest records, each with the ms since 1970 in its id."""
        try:
            rows = self._outbox.recent(LOOK_BACK)
        except (sqlite3.Error, OSError) as error:
            raise OutboxBroken(f"the outbox cannot be read: {error}") from error
        found = []
        for row in rows:
            try:
                found.append((id_ms(row.id), thaw(row.rec)))
            except msgspec.MsgspecError:
                # Written by a newer program; it is the centre's to judge.
                log.warning("record %d is of a shape this program does not know", row.seq)
        return found

    def _note(self, records: tuple[Record, ...]) -> None:
        for record in records:
            if isinstance(record, End):
                self._count(record, self._clock.wall_ms() // _DAY_MS)

    def _count(self, record: Record, day: int) -> None:
        if isinstance(record, End):
            for question in record.shown:
                self._asked[day, question] += 1

    # --- between visits ---------------------------------------------------------------------------

    def tend(self, sender_status: Mapping[str, Any] | None) -> None:
        """Between visits: prune what the centre has, empty the WAL, set aside what the sender
        found damaged, begin a new epoch when it asks, keep the ballast.

        `sender_status` is the content of sender.json. Raises OutboxBroken.
        """
        status = sender_status or {}
        try:
            damaged = status.get("damaged")
            for epoch, inode in damaged.items() if isinstance(damaged, dict) else ():
                # The inode tells the damaged file from the one salvaged from it.
                if inode and inode == self._outbox.inode(epoch):
                    self._outbox.set_aside(epoch, "the sender found a row its hash does not fit")
            if self._outbox.epoch in _names(status.get("new_epoch")):
                self._outbox.begin("the sender asks for one", alarm="cloned")
            self._prune(status)
            self._outbox.file.checkpoint()
        except (sqlite3.Error, OutboxError, OSError) as error:
            if is_corruption(error):
                self._reopen()
                return
            raise OutboxBroken(f"the outbox cannot be tended: {error}") from error
        self._full = not self._outbox.keep_ballast(self._storage.ballast_mb << 20) and self._full
        self._measure()

    def _reopen(self) -> None:
        try:
            self._outbox.reopen()
        except OutboxError as error:
            raise OutboxBroken(str(error)) from error

    def _prune(self, status: Mapping[str, Any]) -> None:
        have = status.get("have")
        held = status.get("held")
        # A clock that was never set says nothing about age; when space runs out, it must do.
        if not isinstance(have, dict) or not (self._clock.synced() or self._fill > 0.5):
            return
        numbers = {k: v for k, v in have.items() if isinstance(v, int)}
        kept = (
            {k: v for k, v in held.items() if isinstance(v, list)} if isinstance(held, dict) else {}
        )
        now = self._clock.wall_ms()
        # With room they wait for an answer whose age is known; when space runs out, they must go.
        known = self._clock.synced() and self._fill <= 0.5

        def dated(ident: str, raw: bytes) -> bool:
            """Ids hold the wall clock, which may have been years off before it was set."""
            return id_ms(ident) <= now and (not known or _synced(raw))

        floor = id_floor(now - self._storage.keep_days * _DAY_MS)
        self._outbox.prune(numbers, floor, kept, dated)

    def _measure(self) -> None:
        before = self._fill
        try:
            self._fill = self._outbox.fill(self._storage.max_mb << 20)
        except (OSError, sqlite3.Error) as error:
            # Called after a commit as well, which has succeeded whatever this says.
            log.error("the space left cannot be measured: %s", error)
            return
        if self._fill >= WARN_AT > before:
            log.warning("the outbox is %.0f %% full", self._fill * 100)

    def close(self) -> None:
        """Close the outbox."""
        self._outbox.close()


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _synced(raw: bytes) -> bool:
    """Whether a record says that the clock was synchronised."""
    try:
        return msgspec.json.decode(raw, type=_Stamped).at.synced
    except (msgspec.MsgspecError, RecursionError):
        # Of a program that wrote records otherwise: its clock is as good as any.
        return True


def _is_full(error: BaseException | None) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == 28
