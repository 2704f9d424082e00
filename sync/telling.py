"""sender.json: what the terminal, the service screen and IT read about the sender."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from sync.contract import bundle, wire
from sync.cursor import Memory
from sync.datadir import DataDir, write_json

log = logging.getLogger("hymio.sync")

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

WRITE_S: Final = 5.0
"""Seconds between two writes while only numbers change."""
HELD_NAMED: Final = 100
"""Held records named one by one; with more, pruning stops before the next."""
_IDENTITY: Final = (
    *("device", "name", "location", "centre", "endpoint"),
    *("proxy", "ca_file", "redeemed", "unconfirmed", "first_use", "sent_as"),
    *("key_generation", "wipe", "next_endpoint"),
)


class Teller:
    """Writes sender.json: at once when something happened, now and then while numbers change."""

    def __init__(self, data: DataDir, monotonic: Callable[[], float]) -> None:
        self._data, self._now = data, monotonic
        self._written: tuple[bytes, bytes] = (b"", b"")
        self._not_before = 0.0
        self._failed = False
        self._prunable: tuple[int, dict[str, object]] = (-1, {})

    def tell(
        self, memory: Memory, news: dict[str, object], numbers: dict[str, object], *, now: bool
    ) -> None:
        """Write when `news` or who we are changed, or `numbers` some seconds after the last time.

        `now` writes changed numbers too. The disk's refusal is only logged. Raises sqlite3.Error.
        """
        news = {**news, **_identity(memory)}
        numbers = {**numbers, **self._prune(memory)}
        shape = (msgspec.json.encode(news), msgspec.json.encode(numbers))
        urgent = now or (shape[0] != self._written[0] and not self._failed)
        if shape == self._written or not (urgent or self._now() >= self._not_before):
            return
        self._not_before = self._now() + WRITE_S
        try:
            write_json(self._data.sender_json, {"v": 1, **news, **numbers})
        except OSError as error:
            if not self._failed:
                log.error("sender.json cannot be written: %s", error)
            self._failed = True
            return
        self._failed, self._written = False, shape

    def _prune(self, memory: Memory) -> dict[str, object]:
        """Up to where the terminal may prune, and what it must keep nevertheless."""
        if self._prunable[0] != memory.revision:
            have = memory.cursors()
            kept: dict[str, list[int]] = {}
            for epoch in have:
                seqs = list(memory.held(epoch, 1, HELD_NAMED + 1))
                if len(seqs) > HELD_NAMED:
                    have[epoch] = min(have[epoch], seqs.pop() - 1)
                if seqs:
                    kept[epoch] = seqs
            more = {"floors": memory.floors(), "lost": memory.lost()}
            self._prunable = (memory.revision, {"have": have, "held": kept, **more})
        return self._prunable[1]


class _Told(msgspec.Struct):
    """What of sender.json is remembered; later programs write more, earlier ones wrote less."""

    device: str
    trusted: list[str]
    name: str = ""
    location: str = ""
    centre: str = ""
    endpoint: str = ""
    proxy: str = ""
    ca_file: str = ""
    redeemed: str = ""
    unconfirmed: str = ""
    first_use: str = ""
    sent_as: str = ""
    key_generation: str = ""
    wipe: str = ""
    next_endpoint: str = ""
    have: dict[str, Seq] = {}
    held: dict[str, list[Seq]] = {}
    floors: dict[str, Seq] = {}
    lost: dict[str, list[Annotated[list[Seq], msgspec.Meta(min_length=2, max_length=2)]]] = {}


def _identity(memory: Memory) -> dict[str, object]:
    trusted = msgspec.json.decode(memory.fact("trusted") or "[]", type=list[str])
    return {
        **{name: memory.fact(name) for name in _IDENTITY},
        "config": int(memory.fact("config") or "0"),
        "trusted": trusted,
        "fingerprint": bundle.fingerprint(trusted[0]) if trusted else "",
    }


def remember(data: DataDir, memory: Memory) -> None:
    """Who we are and how far we got, from our own status, when sync.db was lost.

    A code works only once; and without the cursors, what was sent and pruned would look lost until
    the centre is heard. A cursor that is too high does no harm: the centre's lower `have` rewinds
    it. Raises sqlite3.Error.
    """
    if memory.fact("redeemed") or not data.key.exists():
        return
    try:
        told = msgspec.json.decode(data.sender_json.read_bytes(), type=_Told)
    except (OSError, *wire.UNREADABLE):
        return
    if not told.device:
        return
    log.warning("sync.db is new: who this device is comes from sender.json")
    facts = {name: getattr(told, name) for name in _IDENTITY}
    facts["trusted"] = msgspec.json.encode(told.trusted).decode()
    # The configuration is asked for again: its version is the one thing that may be behind.
    facts["config"] = "0"
    memory.restore(facts, told.have, told.held, told.floors, told.lost)
