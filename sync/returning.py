"""Receipts that come back on a stick: which are believed, and what they change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from sync.contract import carried, wire
from sync.cursor import Memory
from sync.delivery import Delivery
from sync.exchange import verified
from sync.link import Reply
from sync.refusals import problem_code
from sync.remembering import Remembered
from sync.stick import Stick


class Outcome(NamedTuple):
    """What became of one file of the stick."""

    what: Literal["noted", "known", "refused"]
    name: str
    text: str


class _NoReceiptError(Exception):
    """Why a file is no receipt, in words for people."""


class _Word(NamedTuple):
    """A receipt the organisation vouches for."""

    body: bytes
    receipt: wire.Receipt


class Returning:
    """Notes receipts by the rules of those from the network.

    One that is forged, torn, of another device, old or repeated moves nothing.
    """

    def __init__(self, memory: Memory, remembered: Remembered, delivery: Delivery) -> None:
        self._memory, self._remembered, self._delivery = memory, remembered, delivery

    def known(self, stick: Stick, name: str) -> bool:
        """Whether a receipt was noted before. Raises sqlite3.Error."""
        try:
            receipt = self._word(stick.read("receipts", name)).receipt
        except (_NoReceiptError, OSError):
            return False
        entry = self._remembered.find(receipt.digest)
        return entry is not None and receipt.received_at <= entry.noted

    def receipts(self, stick: Stick) -> Iterator[Outcome]:
        """Note every receipt there is. Raises sqlite3.Error."""
        found = []
        for name in stick.names("receipts"):
            try:
                found.append((name, self._word(stick.read("receipts", name))))
            except OSError as error:
                yield Outcome("refused", name, f"it cannot be read: {error.strerror}")
            except _NoReceiptError as error:
                yield Outcome("refused", name, str(error))
        before = self._memory.cursors()
        # The last word of the centre's is the one that counts.
        for name, word in sorted(found, key=lambda pair: pair[1].receipt.received_at):
            yield self._note(name, word, before)

    def _word(self, raw: bytes) -> _Word:
        """The receipt in a file, if the organisation vouches for it. Raises _NoReceiptError."""
        trusted = msgspec.json.decode(self._memory.fact("trusted") or "[]", type=list[str])
        try:
            found = carried.read_receipt(raw, trusted=trusted)
        except carried.CarriedError as error:
            raise _NoReceiptError(str(error)) from None
        if found.status != 200:
            code = problem_code(Reply(found.status, {}, found.body, ""))
            raise _NoReceiptError(
                f"the centre did not take the answers: {found.status} {code}".rstrip()
            )
        try:
            return _Word(found.body, msgspec.json.decode(found.body, type=wire.Receipt))
        except wire.UNREADABLE:
            raise _NoReceiptError("this program does not understand the receipt") from None

    def _note(self, name: str, word: _Word, before: dict[str, int]) -> Outcome:
        entry = self._remembered.find(word.receipt.digest)
        if entry is None:
            return Outcome("refused", name, "it is for no batch this device remembers")
        device, centre = self._memory.fact("device"), self._memory.fact("centre")
        reply = Reply(200, {}, word.body, word.receipt.digest)
        receipt = verified(reply, epoch=entry.epoch, centre=centre)
        if receipt is None or entry.device != device:
            return Outcome("refused", name, "it is for another centre, epoch or name")
        if receipt.received_at <= entry.noted:
            return Outcome("known", name, "noted before")
        cursor = self._memory.cursor(entry.epoch)
        same = entry.cursor == before.get(entry.epoch, 0)
        further = entry.cursor <= cursor < min(receipt.have, entry.last)
        if not same and not further:
            # Only what was written from where this device stands may turn it back.
            return Outcome("known", name, "older than what this device knows by now")
        self._delivery.received(receipt, entry.draft(cursor))
        self._remembered.note(receipt.digest, receipt.received_at)
        now = self._memory.cursor(entry.epoch)
        text = f"the centre has all up to {now} of {entry.epoch}"
        if now < cursor:
            text = f"the centre has only {now} of {cursor} of {entry.epoch}: the rest goes again"
        return Outcome("noted", name, text)
