"""From one endpoint to the next, which a configuration names.

The old address serves until the new one has given a verified receipt. Until then only empty
batches go there: whatever is wrong with it, nothing is lost and nothing waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import pacing
from sync.backlog import Waiting
from sync.contract.bundle import Endpoint
from sync.cursor import Memory
from sync.delivery import Delivery
from sync.exchange import Exchange
from sync.link import Link, UnreachableError
from sync.refusals import understand

log = logging.getLogger("hymio.sync")

FIRST_S: Final = 30.0
"""After the first failure; twice as long after each further one, up to an hour."""


def wanted(memory: Memory, named: Endpoint) -> str:
    """The fact `next_endpoint` for what a configuration names; empty when there is no change."""
    here = tuple(memory.fact(name) for name in ("endpoint", "proxy", "ca_file"))
    same = (named.url.rstrip("/"), named.proxy, named.ca_file) == (here[0].rstrip("/"), *here[1:])
    if not named.url or (same and named.centre in ("", memory.fact("centre"))):
        return ""
    return msgspec.json.encode(named).decode()


class Move:
    """Whether and when the endpoint that may follow is tried."""

    def __init__(
        self,
        memory: Memory,
        link: Callable[..., Link],
        *,
        exchange: Exchange,
        delivery: Delivery,
        monotonic: Callable[[], float],
        chance: Random,
    ) -> None:
        self._memory, self._new_link = memory, link
        self._exchange, self._delivery = exchange, delivery
        self._now, self._chance = monotonic, chance
        self._for = ""
        self._not_before = 0.0
        self._tries = 0
        self.link: Link | None = None
        """The exchange under way, which may have to be cancelled."""

    def look(self, key: Ed25519PrivateKey, waiting: Waiting, epoch: str) -> bool:
        """Say at the new address, when it is time, where an epoch stands; whether it is ours now.

        Raises OSError, sqlite3.Error.
        """
        to = self._due()
        found = self._delivery.draft(epoch) if to is not None and epoch else None
        if to is None or found is None:
            return False
        self.link = self._new_link(to.url, proxy=to.proxy, ca_file=to.ca_file)
        try:
            reply, receipt = self._exchange.post(
                self.link, key, found.empty(), waiting, centre=to.centre
            )
        except UnreachableError as error:
            self._failed(to, str(error))
            return False
        finally:
            self.link.close()
            self.link = None
        if receipt is None:
            self._failed(to, understand(reply, empty=True).reason)
            return False
        self._arrived(to)
        self._delivery.received(receipt, found.empty())
        return True

    def _due(self) -> Endpoint | None:
        """The endpoint to try now."""
        fact = self._memory.fact("next_endpoint")
        if fact != self._for:
            self._for, self._not_before, self._tries = fact, 0.0, 0
        if not fact or self._now() < self._not_before:
            return None
        return msgspec.json.decode(fact, type=Endpoint)

    def hurry(self) -> None:
        """The old address does not answer: the new one's turn is next."""
        self._not_before = 0.0

    def _failed(self, to: Endpoint, why: str) -> None:
        """No verified receipt from there."""
        log.warning("the new address %s: %s; the old one goes on serving", to.url, why)
        wait = min(pacing.HOURLY_S, FIRST_S * 2.0 ** min(self._tries, 10))
        self._tries += 1
        self._not_before = self._now() + pacing.asked(wait, self._chance)

    def _arrived(self, to: Endpoint) -> None:
        """A verified receipt came from there: the old address is forgotten."""
        log.info("the centre is at %s from here on", to.url)
        self._memory.learn(
            endpoint=to.url,
            proxy=to.proxy,
            ca_file=to.ca_file,
            centre=to.centre or self._memory.fact("centre"),
            next_endpoint="",
        )
