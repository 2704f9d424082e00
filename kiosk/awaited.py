"""What the sender says about the code entered last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kiosk.seen import Seen

NO_SENDER_S: Final = 8.0
UNHEARD_S: Final = 15.0
"""A sender that runs and has not looked for so long hangs, or belongs to another program."""
CONFIG_S: Final = 6.0
NO_CONFIG_S: Final = 45.0


class Awaited:
    """The outcome of a code that was given to the sender."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock()

    def begin(self) -> None:
        """A code is given now."""
        self._at = self._clock()

    @staticmethod
    def arrived(seen: Seen) -> bool:
        """Whether the code is redeemed, and the configuration of the device in use."""
        facts = seen.facts
        known = facts.enrolment.get("state") in ("ok", "unconfirmed")
        ours = facts.bundle is not None and facts.bundle.device == facts.sender.get("device")
        return facts.running and seen.redeemed and known and ours

    @staticmethod
    def released(seen: Seen) -> bool:
        """Whether the code was given back."""
        return seen.heard and seen.facts.enrolment.get("code") == "released"

    def trouble(self, seen: Seen) -> str:
        """Machine word of what keeps the set-up from going on; empty while nothing does."""
        facts, waited = seen.facts, self._clock() - self._at
        if not facts.running:
            return "no_sender" if waited > NO_SENDER_S else ""
        if not seen.heard:
            return "no_sender" if waited > UNHEARD_S else ""
        word = str(facts.enrolment.get("code", ""))
        if word and word != "released":
            return word
        if seen.redeemed and waited > CONFIG_S:
            if facts.sender.get("config_refused") or facts.refused:
                return "config_refused"
            if waited > NO_CONFIG_S:
                return "no_config"
        return ""
