"""What the sender says about the code entered last, told from what it said of one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kiosk.facts import Facts

FRESH_S: Final = 6.0
"""After so long the sender's word is about this code, even if it did not change."""
NO_SENDER_S: Final = 8.0
NO_CONFIG_S: Final = 45.0


class Awaited:
    """The outcome of a code that was given to the sender."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._before: Mapping[str, Any] | None = None
        """What it said when the code was given; None for a code given before this start."""
        self._at = clock()

    def begin(self, facts: Facts) -> None:
        """A code is given now."""
        self._before, self._at = dict(facts.enrolment), self._clock()

    @property
    def _waited(self) -> float:
        return self._clock() - self._at

    def fresh(self, facts: Facts) -> bool:
        """Whether what the sender says is about this code."""
        before = self._before
        return before is None or facts.enrolment != before or self._waited > FRESH_S

    @staticmethod
    def arrived(facts: Facts) -> bool:
        """Whether, the code redeemed, the configuration of the device is in use."""
        known = facts.enrolment.get("state") in ("ok", "unconfirmed")
        ours = facts.bundle is not None and facts.bundle.device == facts.sender.get("device")
        return facts.running and known and ours

    def released(self, facts: Facts) -> bool:
        """Whether the code was given back."""
        return self.fresh(facts) and (
            facts.enrolment.get("code") == "released" or not facts.enrolled
        )

    def trouble(self, facts: Facts) -> str:
        """Machine word of what keeps the set-up from going on; empty while nothing does."""
        if not facts.running:
            return "no_sender" if self._waited > NO_SENDER_S else ""
        if not self.fresh(facts):
            return ""
        word = str(facts.enrolment.get("code", ""))
        if word and word != "released":
            return word
        if facts.enrolled and self._waited > FRESH_S:
            if facts.sender.get("config_refused") or facts.refused:
                return "config_refused"
            if self._waited > NO_CONFIG_S:
                return "no_config"
        return ""
