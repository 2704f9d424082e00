"""Durable first, acknowledged after: commits that fail wait here and are tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.recorder import RecorderError
from kiosk.ui.parts import Store
from sync.contract.records import Record

log = logging.getLogger("hymio.ui")

RETRY_S = 0.5
RETRIES = 6
"""So many failed commits in a row, and the visitor is told that the device is out of use."""
RETRY_OUT_S = 5.0


@dataclass(slots=True)
class _Pending:
    record: Record
    then: Callable[[], None]
    at: float
    tries: int = 1


class Durable:
    """Commits records; `then` runs once its record is on the disk, never before."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._pending: _Pending | None = None
        self._owed: list[Record] = []

    @property
    def waiting(self) -> bool:
        """Whether an answer is not stored yet."""
        return self._pending is not None

    @property
    def stuck(self) -> bool:
        """Whether storing has failed for so long that nobody should go on answering."""
        return self._pending is not None and self._pending.tries > RETRIES

    @property
    def owing(self) -> bool:
        """Whether the end of an earlier visit is not stored yet."""
        return bool(self._owed)

    @property
    def due(self) -> float | None:
        """When the next attempt is to be made."""
        return self._pending.at if self._pending else None

    def commit(self, record: Record, then: Callable[[], None]) -> None:
        """Store a record and call `then`, at once or when an attempt succeeds."""
        try:
            self._store.commit(record)
        except RecorderError as error:
            log.error("not stored, trying again: %s", error)
            self._pending = _Pending(record, then, self._clock() + RETRY_S)
        else:
            then()

    def tick(self, now: float) -> None:
        """Try again what is due."""
        pending = self._pending
        if pending is None or now < pending.at:
            return
        try:
            self._store.commit(pending.record)
        except RecorderError as error:
            pending.tries += 1
            pending.at = now + (RETRY_OUT_S if pending.tries > RETRIES else RETRY_S)
            log.error("still not stored after %d attempts: %s", pending.tries, error)
            return
        self._pending = None
        pending.then()

    def owe(self, record: Record) -> None:
        """Store the end of a visit; nobody waits for it, so a failure is tried again later."""
        self._owed.append(record)
        self.settle()

    def give_up(self) -> Record | None:
        """Whoever waits for a record is gone: it is owed now, and nothing else follows from it."""
        pending, self._pending = self._pending, None
        if pending is None:
            return None
        self._owed.append(pending.record)
        return pending.record

    def settle(self) -> None:
        """Store what is owed, in order."""
        try:
            while self._owed:
                self._store.commit(self._owed[0])
                self._owed.pop(0)
        except RecorderError as error:
            log.error("the end of a visit is not stored yet: %s", error)
