"""When the sender may speak next, and what state it is in meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from random import Random

from sync import pacing
from sync.clock import Clock

log = logging.getLogger("hymio.sync")


class Pace:
    """Every time is monotonic, in seconds."""

    def __init__(self, clock: Clock, monotonic: Callable[[], float], chance: Random) -> None:
        self._clock, self._now, self._chance = clock, monotonic, chance
        self.state, self.reason = "starting", ""
        self.since: str | None = None
        """Since when (ISO) the centre has not been reached; None while it is."""
        self.last_contact: str | None = None
        self.clock_off_s: int | None = None
        """How far the clock was ahead of the centre's at the last receipt; None: nobody knows."""
        self.not_before = 0.0
        """No exchange before: what failed is tried again then."""
        self.paced_until = 0.0
        """No records before: the centre asked for it."""
        self.heartbeat_at = 0.0
        self._tries = 0

    def at_once(self) -> None:
        """Whatever was waited for, speak now."""
        self.not_before = self.paced_until = self.heartbeat_at = 0.0

    def say(self, state: str, reason: str) -> None:
        """Another state, and no other time."""
        self.state, self.reason = state, reason

    def resting(self) -> bool:
        """Whether no exchange may begin now."""
        return self._now() < self.not_before

    def later(self, state: str, reason: str, wait_s: float | None = None) -> None:
        """An exchange failed: try again after so many seconds, or back off."""
        if (state, reason) != (self.state, self.reason):
            log.warning("%s: %s", state, reason)
        self.say(state, reason)
        if self.since is None:
            self.since = self._clock.iso()
        if wait_s is None:
            self._tries += 1
            wait = pacing.backoff(self._tries, self._chance)
        else:
            # Somebody answers there: when next nobody does, that has just begun.
            self._tries = 0
            wait = pacing.asked(wait_s, self._chance)
        self.not_before = self._now() + wait

    def received(self, after_s: float) -> None:
        """A verified receipt came, and asks for so many seconds until the next batch."""
        now = self._now()
        self._tries, self.not_before = 0, 0.0
        self.paced_until = now + pacing.asked(after_s, self._chance)
        self.heartbeat_at = max(now + pacing.asked(pacing.IDLE_S, self._chance), self.paced_until)
        self.state, self.reason, self.since = "ok", "", None
        self.last_contact = self._clock.iso()

    def compare(self, centres: str) -> None:
        """Compare the clock with the centre's, which a reply just told (ISO)."""
        try:
            theirs = datetime.fromisoformat(centres).timestamp()
        except (ValueError, OverflowError, OSError):
            return
        self.clock_off_s = round(self._clock.wall_ms() / 1000 - theirs)

    def hurry(self) -> None:
        """The next batch may go at once."""
        self.paced_until = 0.0

    def hold_back(self, seconds: float) -> None:
        """No records for so long."""
        self.paced_until = self._now() + seconds

    def beat_later(self, seconds: float) -> None:
        """No empty batch for so long."""
        self.heartbeat_at = self._now() + seconds
