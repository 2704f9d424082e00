"""The last word of a device that is to be erased: nothing is left to lose, and the centre knows."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.backlog import Waiting
from sync.beating import Beats
from sync.cursor import Memory
from sync.datadir import DataDir, read_json
from sync.delivery import Delivery
from sync.pace import Pace
from sync.refusals import understand


class Farewell:
    """Says goodbye for a configuration that says `wipe`."""

    def __init__(
        self,
        data: DataDir,
        memory: Memory,
        delivery: Delivery,
        beats: Beats,
        *,
        pace: Pace,
        waiting: Callable[[], Waiting],
    ) -> None:
        self._data, self._memory = data, memory
        self._delivery, self._beats = delivery, beats
        self._pace, self._waiting = pace, waiting

    def said(self, key: Ed25519PrivateKey) -> bool:
        """Whether the centre has everything and has receipted the last word. Raises as Delivery."""
        if (read_json(self._data.terminal_json) or {}).get("state") != "wiped":
            return False
        # Looked at after the terminal closed its outbox: nothing comes any more.
        waiting = self._waiting()
        if waiting.backlog or any(lot.broken for lot in waiting.lots):
            return False
        if self._memory.some_held(1):
            self._pace.say("ok", "the centre takes some records not yet: they are held back here")
            return False
        last = self._beats.about(waiting)
        # Each is asked about: a centre restored from a backup may lack what an old one holds.
        epochs = [*self._beats.others(waiting), last] if last else []
        return all(self._asked(key, epoch, last=epoch == last) for epoch in epochs)

    def _asked(self, key: Ed25519PrivateKey, epoch: str, *, last: bool) -> bool:
        """Whether the centre has all of an epoch; `last` makes it the last word."""
        found = self._delivery.draft(epoch)
        if found is None:
            return False
        reply = self._delivery.post(key, found.empty(), wiped=last)
        if reply is not None:
            self._delivery.wait_for(understand(reply, empty=True))
            return False
        return not self._waiting().backlog
