"""Answers out and receipts in by USB stick, where a device has no network.

What goes onto the stick are the very requests the sender would post; a receipt from the stick is
noted by the same rules as one from the network. Writing a stick never moves a cursor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Final

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import identity
from sync.backlog import Backlog, Waiting
from sync.batching import Course
from sync.beating import Beats
from sync.clock import Clock
from sync.contract import carried, wire
from sync.contract.signing import content_digest
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.delivery import Delivery
from sync.exchange import Draft, Exchange, Way, draft
from sync.fetching import fetch_config, here_now
from sync.holding import HeldAgain
from sync.identity import KeyFileError, Keys
from sync.link import Link, Reply
from sync.pace import Pace
from sync.remembering import Remembered
from sync.returning import Outcome, Returning
from sync.status import version
from sync.stick import MAX_BUNDLE_BYTES, Stick, StickError
from sync.telling import remember

BOUNDS: Final = wire.Next(max_bytes=700 << 10)
"""Of a batch on a stick: with base64 and status its file stays below 1 MiB."""


class CarryError(Exception):
    """Nothing can be carried; the text says what to do."""


@dataclass
class Written:
    """What is on the stick now."""

    files: int = 0
    records: int = 0
    oldest: str | None = None
    """When (ISO, UTC) the oldest record that waits was made."""
    waiting: int = 0
    """Records that waited when it began."""
    problems: list[str] = field(default_factory=list)


class _Paper(Link):
    """A link that ends at the stick: what is signed for the centre is kept instead of sent."""

    def __init__(self, endpoint: str, reply: bytes = b"") -> None:
        super().__init__(endpoint)
        self._reply = reply
        self.headers: dict[str, str] = {}
        self.body = b""

    def _send(
        self,
        session: requests.Session,  # noqa: ARG002 - nobody is asked
        method: str,
        path: str,  # noqa: ARG002
        headers: dict[str, str],
        body: bytes,
    ) -> Reply:
        self.headers, self.body = headers, body
        return Reply(200 if method == "GET" else 0, {}, self._reply, headers["Content-Digest"])


class Carrying:
    """What is done while a stick is plugged in; the caller holds the sender's lock.

    Raises sqlite3.Error, OSError and KeyFileError of the device's own files.
    """

    def __init__(
        self, data: DataDir, *, clock: Clock, monotonic: Callable[[], float], chance: Random
    ) -> None:
        self._data, self._memory = data, Memory(data.sync_db)
        memory = self._memory
        remember(data, memory)
        self._remembered = Remembered(memory)
        self._keys = Keys(data)
        self._exchange = Exchange(data, clock, memory)
        self._backlog = Backlog(data, memory)
        timing: dict[str, Any] = {"monotonic": monotonic, "chance": chance}
        pace = Pace(clock, monotonic, chance)
        self._delivery = Delivery(
            data,
            memory,
            exchange=self._exchange,
            way=Way(memory, Link),
            keys=self._keys,
            pace=pace,
            held=HeldAgain(memory, clock, version()),
            waiting=self._backlog.look,
            rewound=lambda: None,
            **timing,
        )
        self._returning = Returning(memory, self._remembered, self._delivery)
        self._beats = Beats(memory, self._delivery, pace, **timing)

    def __enter__(self) -> Carrying:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._memory.close()

    @property
    def device(self) -> str:
        """The name of this device's folder. Raises CarryError."""
        found = self._memory.fact("device")
        if not found:
            raise CarryError("this device is not enrolled: it needs a network once, to be enrolled")
        if "/" in found or found.startswith("."):
            raise CarryError(f"the device's name {found!r} cannot be a folder's")
        return found

    # --- out --------------------------------------------------------------------------------------

    def to_stick(self, stick: Stick) -> Written:
        """Write every record beyond the cursors; what does not fit is among the problems.

        Raises CarryError, StickError when the stick cannot be read.
        """
        if self._memory.fact("unconfirmed"):
            raise CarryError(
                "nobody has said yet that this is the right place: confirm it on the screen first"
            )
        key = self._key()
        waiting = self._backlog.look()
        found = Written(oldest=waiting.oldest, waiting=waiting.backlog)
        self._tidy(stick)
        paper = _Paper(self._memory.fact("endpoint"))
        kept = set()
        for epoch in filter(None, [*self._beats.others(waiting), self._beats.about(waiting)]):
            for batch in self._batches(epoch, found.problems):
                try:
                    kept.add(self._write(stick, paper, key, batch, waiting))
                except StickError as error:
                    found.problems.append(str(error))
                    return found
                found.files += 1
                found.records += len(batch.items)
        # Whatever else lies there went before, or is in the new files.
        for name in set(stick.names("answers")) - kept:
            stick.remove("answers", name)
        return found

    def _batches(self, epoch: str, problems: list[str]) -> Iterator[Draft]:
        """What an epoch has for the centre, in order; an empty batch when there is nothing."""
        course = Course()
        while True:
            try:
                found = draft(self._data, self._memory, epoch, course, bounds=BOUNDS, now=0.0)
            except sqlite3.Error as error:
                problems.append(f"outbox {epoch} cannot be read: {error}")
                return
            if found.damaged:
                problems.append(f"outbox {epoch} is damaged: start the terminal, which salvages it")
            if found.items or not course.ahead:
                yield found.empty() if found.damaged else found
            if not found.items:
                return
            course.ahead = found.items[-1].seq

    def _write(
        self, stick: Stick, paper: _Paper, key: Ed25519PrivateKey, batch: Draft, waiting: Waiting
    ) -> str:
        """Write one batch as it would be posted; its name."""
        self._exchange.post(paper, key, batch, waiting)
        seqs = [item.seq for item in batch.items] or [0]
        raw = carried.write_batch(
            paper.headers, paper.body, epoch=batch.epoch, first=seqs[0], last=seqs[-1]
        )
        # First here: a receipt for what this device does not remember counts for nothing.
        self._remembered.add(content_digest(paper.body), batch)
        name = carried.batch_name(batch.epoch, seqs[0])
        stick.put_answers(name, raw)
        return name

    def _tidy(self, stick: Stick) -> None:
        """Make room: what was cut short, answers the centre has, receipts that were noted."""
        stick.sweep()
        for name in stick.names("answers"):
            try:
                batch = carried.read_batch(stick.read("answers", name))
            except (carried.CarriedError, OSError):
                continue
            if 0 < batch.last <= self._memory.cursor(batch.epoch):
                stick.remove("answers", name)
        for name in stick.names("receipts"):
            if self._returning.known(stick, name):
                stick.remove("receipts", name)

    def _key(self) -> Ed25519PrivateKey:
        # A new key can be announced over the network alone; until then the centre takes the old.
        key = identity.load(self._data.key) or self._keys.signing()
        if key is None:
            raise KeyFileError("the device's key is gone: it must be enrolled anew")
        return key

    # --- in ---------------------------------------------------------------------------------------

    def from_stick(self, stick: Stick) -> list[Outcome]:
        """Note the receipts, and take the newest configuration. Raises StickError."""
        return [*self._returning.receipts(stick), *self._configuration(stick)]

    def _configuration(self, stick: Stick) -> Iterator[Outcome]:
        key = self._key()
        for number, path in stick.bundles():
            here = here_now(self._data, self._memory)
            if number == here:
                yield Outcome("known", path.name, "this configuration is here")
                return
            try:
                with path.open("rb") as file:
                    raw = file.read(MAX_BUNDLE_BYTES)
            except OSError as error:
                yield Outcome("refused", path.name, f"it cannot be read: {error.strerror}")
                continue
            paper = _Paper(self._memory.fact("endpoint"), raw)
            reason = fetch_config(self._data, self._memory, paper, key)
            if not reason:
                taken = self._memory.fact("config")
                yield Outcome("noted", path.name, f"configuration {taken} is here")
                return
            self._exchange.refused = {"version": number, "reason": reason}
            yield Outcome("refused", path.name, reason)
