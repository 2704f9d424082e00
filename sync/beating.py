"""Empty batches: how the centre knows that a device lives, and hears what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.backlog import Waiting
from sync.cursor import Memory
from sync.delivery import Delivery
from sync.pace import Pace
from sync.refusals import understand


class Beats:
    """When an empty batch is due, and which epoch it is about."""

    def __init__(
        self,
        memory: Memory,
        delivery: Delivery,
        pace: Pace,
        *,
        monotonic: Callable[[], float],
        chance: Random,
    ) -> None:
        self._memory, self._delivery, self._pace = memory, delivery, pace
        self._now, self._chance = monotonic, chance
        self._others: list[str] = []
        self._others_at = 0.0

    def look(self, key: Ed25519PrivateKey, waiting: Waiting) -> bool:
        """Send the empty batch that is due; whether there was one. Raises as Delivery does.

        Other epochs than the current one take turns, hourly: a centre restored from a backup may
        lack what they hold, and hears only so what was lost at their end.
        """
        now = self._now()
        epoch = self.about(waiting)
        if now >= self._others_at and now >= self._pace.paced_until:
            if not self._others:
                self._others = self.others(waiting)
            if self._others and self._beat(key, self._others.pop()) and self._others:
                return True
            self._others_at = now + pacing.asked(pacing.HOURLY_S, self._chance)
        if now >= self._pace.heartbeat_at and epoch:
            return self._beat(key, epoch)
        return False

    def about(self, waiting: Waiting) -> str:
        """The epoch an empty batch is about: the current one if it is ours; empty for none."""
        ours = self._ours(waiting)
        return waiting.current if waiting.current in ours else (ours or [""])[-1]

    def others(self, waiting: Waiting) -> list[str]:
        """The epochs of ours besides that one, the oldest first."""
        about = self.about(waiting)
        return [epoch for epoch in self._ours(waiting) if epoch != about]

    def _ours(self, waiting: Waiting) -> list[str]:
        """The epochs that hold more than what went under an earlier name, the oldest first."""
        floor = self._memory.floor
        return [lot.epoch for lot in waiting.lots if not 0 < lot.tail <= floor(lot.epoch)]

    def _beat(self, key: Ed25519PrivateKey, epoch: str) -> bool:
        """Send an empty batch of an epoch; False without its file."""
        found = self._delivery.draft(epoch)
        if found is None:
            return False
        reply = self._delivery.post(key, found.empty())
        if reply is not None:
            refusal = understand(reply, empty=True)
            if refusal.code == "wrong_epoch_for_retired_key":
                self._pace.beat_later(pacing.HOURLY_S)
                self._pace.say(refusal.state, refusal.reason)
            else:
                self._delivery.wait_for(refusal)
        return True
