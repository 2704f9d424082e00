"""The service screen behind the gesture: cleaning lock, status, and what the PIN opens.

No window, no files, no threads: the PIN is checked elsewhere (`to_verify`, then `verified`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from kiosk import service_views
from kiosk.facts import Facts
from kiosk.form import BACKSPACE
from kiosk.pin import MOST_DIGITS, Guesses, usable
from kiosk.views import LANGUAGES, View, Words
from sync.contract.records import Stamp

log = logging.getLogger("hymio.ui")

IDLE_S: Final = 60.0
"""Without a touch for so long, visitors have the screen again."""
CLEANING_S: Final = 45.0
ASKED: Final = ("restart", "enrol", "leave")
"""What is asked about first."""


class Keeper(Protocol):
    """Keeps the wrong guesses. Raises OSError."""

    def keep(self, guesses: Mapping[str, object]) -> None:
        """Replace service.json."""


class Service:
    """One use of the service screen, from the gesture until `wants` says what comes next."""

    def __init__(
        self,
        keeper: Keeper,
        *,
        clock: Callable[[], float],
        stamp: Callable[[], Stamp],
        words: Words,
        facts: Facts,
        guesses: Guesses,
        language: str = LANGUAGES[0],
    ) -> None:
        self._keeper, self.clock, self._stamp = keeper, clock, stamp
        self.words, self.facts, self.guesses = words, facts, guesses
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self.screen = "status"
        self.page = 0
        self.digits = ""
        self.wrong = False
        """Whether the PIN given last was wrong."""
        self.to_verify: str | None = None
        """The PIN to be checked against the configuration's; then call `verified`."""
        self.checking = False
        self.unlocked = False
        self.asked = ""
        self.wants = ""
        self._touched_at = self._cleaning_at = clock()

    # --- what comes in ----------------------------------------------------------------------------

    def see(self, facts: Facts) -> None:
        """Another look at the device."""
        self.facts = facts

    def act(self, name: str) -> None:
        """A target was tapped."""
        self._touched_at = self.clock()
        if self.screen == "cleaning":
            return
        group, _, value = name.partition(".")
        if group == "language" and value in LANGUAGES:
            self.language = value
        elif group == "more":
            self.page += 1
        elif group == "key":
            self._key(value)
        else:
            self._press(name)

    def _press(self, name: str) -> None:
        if name == "service.close":
            self.wants = "visits"
        elif name == "service.clean":
            self._cleaning_at = self.clock()
            self._go("cleaning")
        elif name == "service.back":
            self._go("menu" if self.screen == "ask" else "status")
        elif name == "service.pin" and self.pin_usable:
            self._go("menu" if self.unlocked else "pin")
        elif name == "pin.ok":
            self._guess()
        elif self.unlocked and name == "service.yes" and self.asked:
            self.wants = self.asked
        elif self.unlocked and name.removeprefix("service.") in self.offered:
            self._chosen(name.removeprefix("service."))

    def _chosen(self, what: str) -> None:
        if what in ASKED:
            self.asked = what
            self._go("ask")
        else:
            self.wants = what

    def typed(self, text: str) -> None:
        """A keyboard typed; `\\n` is Enter, `\\b` Backspace."""
        self._touched_at = self.clock()
        for character in text:
            if character == "\n":
                self.act("pin.ok")
            elif character == "\b":
                self.act(f"key.{BACKSPACE}")
            elif character.isascii() and character.isdigit():
                self.act(f"key.{character}")

    def tick(self) -> float:
        """Do what is due; when to be called again at the latest."""
        now = self.clock()
        if self.screen == "cleaning":
            if now - self._cleaning_at >= CLEANING_S:
                self.wants = "visits"
            return now + 1.0
        if now - self._touched_at >= IDLE_S and not self.checking:
            self.wants = "visits"
        return min(now + 1.0, self._touched_at + IDLE_S)

    def view(self) -> View:
        """What is to be seen now."""
        return service_views.view(self)

    # --- state ------------------------------------------------------------------------------------

    @property
    def pin_usable(self) -> bool:
        """Whether the configuration has a PIN that can be checked."""
        return self.facts.bundle is not None and usable(self.facts.bundle.pin_hash)

    @property
    def offered(self) -> tuple[str, ...]:
        """What the PIN opens."""
        bundle = self.facts.bundle
        leave = ("leave",) if bundle is not None and bundle.leave_allowed else ()
        return ("check", "touch", "test", "enrol", "restart", *leave)

    @property
    def unsent(self) -> int | None:
        """Records that still have to go; None where nobody knows."""
        return self.facts.ledger.to_send if self.facts.ledger else None

    @property
    def locked_s(self) -> float:
        """Seconds until the next guess is taken."""
        return self.guesses.left_s(self._stamp())

    @property
    def cleaning_left(self) -> float:
        """Share of the cleaning time that is left, in whole seconds."""
        passed = int(self.clock() - self._cleaning_at)
        return max(0.0, CLEANING_S - passed) / CLEANING_S

    def _go(self, screen: str) -> None:
        self.screen, self.page, self.digits, self.wrong = screen, 0, "", False

    # --- the PIN ----------------------------------------------------------------------------------

    def _key(self, character: str) -> None:
        if self.screen != "pin" or self.checking or self.locked_s > 0:
            return
        self.wrong = False
        if character == BACKSPACE:
            self.digits = self.digits[:-1]
        elif len(self.digits) < MOST_DIGITS:
            self.digits += character

    def _guess(self) -> None:
        if self.screen != "pin" or self.checking or not self.digits:
            return
        # Counted as wrong, and on the disk, before it is checked: pulling the plug wins nothing.
        if not self.guesses.count(self._stamp()):
            return
        self._keep()
        self.to_verify, self.checking, self.digits = self.digits, True, ""

    def verified(self, *, right: bool) -> None:
        """The guess was checked."""
        self.to_verify, self.checking = None, False
        self.guesses.settle(right=right)
        self._keep()
        if right:
            self.unlocked = True
            self._go("menu")
        else:
            self.wrong = True
            log.warning("a wrong PIN, %d in a row", self.guesses.wrong)

    def _keep(self) -> None:
        try:
            self._keeper.keep(self.guesses.kept())
        except OSError as error:
            log.error("service.json not written: %s", error)
