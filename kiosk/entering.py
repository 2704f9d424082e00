"""The ways in: address and code typed, scanned, or from a stick, up to the file for the sender."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kiosk.awaited import Awaited
from kiosk.form import BACKSPACE, Form
from kiosk.scanner import Field, Scan, Scanner
from kiosk.seen import Hands, Seen
from sync.contract import code as codes

log = logging.getLogger("hymio.ui")


class Entering:
    """The part of set-up that takes in what the sender is to redeem, and writes it down."""

    def __init__(
        self, hands: Hands, clock: Callable[[], float], seen: Seen, *, alone: bool
    ) -> None:
        self.hands, self.clock, self.seen, self.alone = hands, clock, seen, alone
        self.screen, self.page = "", 0
        self.wants = ""
        self.problem = ""
        """Wording key of what was wrong, shown where it happened."""
        self.form = Form(str(seen.wish.get("endpoint") or seen.note.get("endpoint") or ""))
        self.picked: codes.Ticket | None = None
        """What was scanned or chosen on a stick, rather than typed."""
        self.awaited = Awaited(clock)
        self._scanner = Scanner(clock)
        self._before = ("", "")
        self._touched_at = clock()

    def typed(self, text: str) -> None:
        """A keyboard or a scanner typed; `\\n` is Enter, `\\b` Backspace."""
        self._touched_at = self.clock()
        for character in text:
            if character == "\n":
                found = self._scanner.enter(self._field)
                if found is not None:
                    self._scanned(found)
                else:
                    self._enter()
            elif character == "\b":
                self._key(BACKSPACE)
            else:
                if self._scanner.typed(character):
                    self._before = (self.form.address, self.form.code)
                self._key(character)

    @property
    def _field(self) -> Field:
        fields: dict[str, Field] = {"address": "address", "code": "code"}
        return fields.get(self.screen, "")

    def _key(self, character: str) -> None:
        field = self._field
        if field:
            self.problem = ""
            self.form.key(field, character)
            self.picked = None

    def _enter(self) -> None:
        if self.screen == "address":
            if self.form.address_complete:
                self._go("code")
            else:
                self.problem = "setup.endpoint.incomplete"
        elif self.screen == "code":
            if self.form.code_complete:
                self._submit()
            else:
                self.form.strange = ""
                self.problem = "setup.code.incomplete"

    def _type(self) -> None:
        self._go("code" if self.form.address_complete else "address")

    def _change(self) -> None:
        self._go("start" if self.screen == "releasing" or self.picked else "code")

    def _scanned(self, scan: Scan) -> None:
        """What a scanner typed is no typing: put the fields back, then take its ticket."""
        self.form.address, self.form.code = self._before
        if self.screen not in ("start", "address", "code", "stick", "scan", "working"):
            return
        if scan.ticket is None:
            self.problem = f"setup.error.{scan.problem}"
            return
        self._take(scan.ticket)

    def _pick(self, index: int) -> None:
        tickets = self.seen.stick.tickets
        if index < len(tickets):
            self._take(tickets[index])

    def _take(self, ticket: codes.Ticket) -> None:
        self.form.fill(ticket)
        self.picked = ticket
        self._submit()

    def _submit(self) -> None:
        ticket = self.picked
        wish = self.form.wish(ticket.fingerprint if ticket else "", ticket.proxy if ticket else "")
        self.awaited.begin()
        if self.alone and self.seen.redeemed and not self.seen.note.get("before"):
            self._note(before=dict(self.seen.wish))
        if self._enrol(wish):
            self._note(endpoint=self.form.endpoint)
            self._go("working")

    @property
    def returns(self) -> bool:
        """Whether it can be given up, for the device is still in use as it was before."""
        sender = self.seen.facts.sender
        moved = not sender.get("device") or sender.get("unconfirmed")
        return self.alone and self.seen.facts.bundle is not None and not moved

    def _leave(self) -> None:
        before = self.seen.note.get("before")
        if isinstance(before, dict) and not self.seen.redeemed:
            # The new code came to nothing: the device stays what it is.
            self._enrol(before)
        if before is not None:
            self._note(before=None)
        self.wants = "visits"

    def _go(self, screen: str) -> None:
        self.screen, self.page, self.problem = screen, 0, ""
        if not screen:
            self.wants = "visits"

    def _write(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except OSError as error:
            log.error("set-up cannot write: %s", error)
            self.problem = "setup.error.disk"
            return False
        return True

    def _enrol(self, wish: Mapping[str, Any]) -> bool:
        if not self._write(lambda: self.hands.enrol(wish)):
            return False
        same = {**wish, "confirmed": None} == {**self.seen.wish, "confirmed": None}
        known = self.seen.redeemed and same
        self.seen = replace(self.seen, wish=wish, redeemed=known, heard=False)
        return True

    def _note(self, **facts: object) -> None:
        """Note facts in setup.json; one that is None goes."""
        note = {k: v for k, v in {**self.seen.note, **facts}.items() if v is not None}
        self.seen = replace(self.seen, note=note)
        self._write(lambda: self.hands.note(note))
