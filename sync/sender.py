"""The sender: brings every record of the outbox to the centre, and never gives up.

One `step` is at most a few exchanges with the centre. Only a verified receipt moves a cursor:
status exactly 200, our shape, and digest, epoch and centre echoed. Everything else is "later".
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.backlog import Backlog, Waiting
from sync.beating import Beats
from sync.build import clock_problem
from sync.clock import Clock
from sync.cursor import Memory
from sync.datadir import DataDir
from sync.delivery import LOOK_S, Delivery
from sync.enrolment import Enrolment
from sync.erasing import begun, erase
from sync.exchange import Exchange, Way
from sync.farewell import Farewell
from sync.fetching import Configuration
from sync.holding import HeldAgain
from sync.identity import KeyFileError, Keys
from sync.link import Link, UnreachableError
from sync.moving import Move
from sync.pace import Pace
from sync.rotating import Rotation
from sync.status import version
from sync.telling import Teller, remember

log = logging.getLogger("hymio.sync")

AGAIN_S: Final = 60.0
"""Before the own files are tried again, when they are in the way."""


class Sender:
    """The sender of one data directory; the caller holds its lock.

    `monotonic` gives seconds, `chance` the jitter. `step` raises nothing of the network's, of the
    disk's or of SQLite's; the constructor raises sqlite3.Error and OSError of its own files.
    """

    def __init__(
        self,
        data: DataDir,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        chance: Random,
        link: Callable[..., Link] = Link,
    ) -> None:
        self._data, self._clock, self._now, self._chance = data, clock, monotonic, chance
        self._new_link = link
        self._stopping = False
        self._erased = False
        self._anew_at = 0.0
        if begun(data):
            erase(data)
        self._begin()

    def _begin(self) -> None:
        """Open our own files and know nothing that is not in them."""
        data, clock, chance = self._data, self._clock, self._chance
        self._memory = Memory(data.sync_db)
        remember(data, self._memory)
        timing: dict[str, Any] = {"monotonic": self._now, "chance": chance}
        self._keys = Keys(data)
        self._rotation = Rotation(data, self._memory)
        self._enrolment = Enrolment(
            data, self._memory, self._new_link, clock=clock, unsent=self._unsent, **timing
        )
        self._exchange = Exchange(data, clock, self._memory)
        self._way = Way(self._memory, self._new_link)
        self._backlog = Backlog(data, self._memory)
        self._config = Configuration(data, self._memory, **timing)
        self._teller = Teller(data, self._now)
        self._pace = Pace(clock, self._now, chance)
        self._delivery = Delivery(
            data,
            self._memory,
            exchange=self._exchange,
            way=self._way,
            keys=self._keys,
            pace=self._pace,
            held=HeldAgain(self._memory, clock, version()),
            waiting=self.waiting,
            rewound=partial(self._tell, now=True),
            **timing,
        )
        self._beats = Beats(self._memory, self._delivery, self._pace, **timing)
        self._move = Move(
            self._memory, self._new_link, exchange=self._exchange, delivery=self._delivery, **timing
        )
        self._farewell = Farewell(
            data, self._memory, self._delivery, self._beats, pace=self._pace, waiting=self.waiting
        )

    # --- what others see --------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """One word: ok, unreachable, not-enrolled, refused, unknown-key, revoked …"""
        if self._erased:
            return "wiped"
        wiping = self._pace.state == "ok" and self._memory.fact("wipe")
        return "wiping" if wiping else self._pace.state

    @property
    def reason(self) -> str:
        """The same in a sentence for people; empty when all is well."""
        return self._pace.reason

    @property
    def since(self) -> str | None:
        """Since when (ISO) the centre has not been reached; None while it is."""
        return self._pace.since

    @property
    def _not_before(self) -> float:
        return self._pace.not_before

    def waiting(self) -> Waiting:
        """What there is to send now."""
        return self._backlog.look()

    def drained(self) -> bool:
        """Whether nothing is left to send, and the last exchange went well."""
        return self.state in ("ok", "wiping") and not self.waiting().backlog

    def stop(self) -> None:
        """End the exchange under way; may be called from a signal handler."""
        self._stopping = True
        for link in (self._way.link, self._enrolment.link, self._move.link):
            if link is not None:
                link.cancel()

    def close(self) -> None:
        """Write the status a last time and close everything."""
        if self._erased:
            return
        self._tell(now=True)
        self._way.close()
        self._memory.close()

    # --- the loop ---------------------------------------------------------------------------------

    def step(self, *, eager: bool = False) -> float:
        """Do the next thing; the seconds until there may be another, 0 when at once.

        `eager` speaks to the centre now, whatever it asked to wait for (`--once`).
        """
        if self._erased and not self._anew():
            return LOOK_S
        if eager:
            self._at_once()
        self._enrol(eager=eager)
        sent = False
        try:
            if not self._enrolment.enrolled:
                own_files = self._enrolment.code == "disk"
                self._pace.say(
                    "disk" if own_files else self._enrolment.state, self._enrolment.reason
                )
            elif not self._enrolment.confirmed:
                self._look_around()
            elif not self._pace.resting() and not self._stopping:
                sent = self._work()
        except UnreachableError as error:
            clock = clock_problem(self._clock.wall_ms()) if error.code == "certificate" else ""
            self._pace.later("unreachable", clock or str(error))
        except KeyFileError as error:
            self._pace.later("no-key", str(error), AGAIN_S)
        except (sqlite3.Error, OSError) as error:
            self._pace.later("disk", f"the sender's own files cannot be used: {error}")
        if self._erased:
            return LOOK_S
        self._tell()
        return self._pause(sent)

    def _enrol(self, *, eager: bool) -> None:
        """Do what enrol.json asks for; whatever is in the way, a device that is enrolled works."""
        try:
            if self._enrolment.read():
                # The screen shows that it is being tried before the centre answers.
                self._tell()
            if self._enrolment.look(eager=eager):
                self._delivery.forget()
                self._at_once()
        except KeyFileError as error:
            self._enrolment.trouble("bad_key", str(error))
        except (sqlite3.Error, OSError) as error:
            words = f"the sender's own files cannot be used: {error}"
            self._enrolment.trouble("disk", words)
            self._pace.say("disk", words)

    def _look_around(self) -> None:
        """Enrolled, and nobody has said that this is the right place: only fetch what names it."""
        self._pace.say(self._enrolment.state, self._enrolment.reason)
        if not self._stopping:
            link = self._way.open()
            self._exchange.refused = self._config.look(link, self._own_key(), asking=True)

    def _own_key(self) -> Ed25519PrivateKey:
        key = self._keys.signing()
        if key is None:
            raise KeyFileError("the device's key is gone: it must be enrolled anew")
        return key

    def _unsent(self) -> bool:
        """Whether answers that belong to the name the device has now have not gone."""
        sent_some = any(self._memory.cursors().values())
        waits = self.waiting().backlog or self._memory.some_held(1)
        return bool(sent_some and waits)

    def _at_once(self) -> None:
        self._pace.at_once()
        self._config.at_once()

    def _pause(self, sent: bool) -> float:
        now = self._now()
        if not self._enrolment.confirmed:
            return LOOK_S
        if self._pace.resting():
            return self._not_before - now
        if sent and any(self._delivery.ready(lot) for lot in self.waiting().lots):
            return max(0.0, self._pace.paced_until - now)
        return LOOK_S

    def _work(self) -> bool:
        """Send what is due; whether anything was exchanged."""
        key = self._own_key()
        if self._rotation.look():
            self._pace.beat_later(0.0)
        if self._clock.synced():
            offset = self._clock.wall_ms() - self._clock.boottime_ms()
            self._memory.note_clock(self._clock.boot, offset)
        waiting = self.waiting()
        for lot in waiting.lots:
            if lot.broken:
                self._delivery.report_damage(lot.epoch, lot.inode)
        if self._pace.since is not None:
            self._move.hurry()
        sent = self._move.look(key, waiting, self._beats.about(waiting))
        if not sent and self._now() >= self._pace.paced_until:
            sent = any(
                self._delivery.send(key, lot) for lot in waiting.lots if self._delivery.ready(lot)
            )
            sent = sent or self._delivery.send_held(key)
        if not sent and not self._pace.resting():
            sent = self._beats.look(key, waiting)
        if not self._pace.resting():
            self._exchange.refused = self._config.look(self._way.open(), key)
        if not waiting.backlog and self._memory.fact("wipe"):
            self._wipe(key)
        return sent

    def _wipe(self, key: Ed25519PrivateKey) -> None:
        """Erase everything, once there is nothing more to lose and the centre knows."""
        if self._pace.resting() or not self._farewell.said(key):
            return
        self._erased = True
        self._way.close()
        self._memory.close()
        erase(self._data)

    # --- the end ----------------------------------------------------------------------------------

    def _anew(self) -> bool:
        """After the end: bring it to its end, and begin again when there is another code."""
        if self._now() < self._anew_at:
            return False
        try:
            if begun(self._data):
                erase(self._data)
            if not self._data.enrol_json.exists():
                return False
            self._data.create()
            self._begin()
        except (sqlite3.Error, OSError) as error:
            log.error("the data directory cannot be used: %s", error)
            self._anew_at = self._now() + AGAIN_S
            return False
        self._erased = False
        return True

    # --- what is told -----------------------------------------------------------------------------

    def _tell(self, *, now: bool = False) -> None:
        """Write sender.json, when something changed."""
        waiting = self.waiting()
        news: dict[str, object] = {
            "state": self.state,
            "reason": self._pace.reason,
            "since": self._pace.since,
            "new_epoch": self._delivery.ends(waiting.current),
            "damaged": self._delivery.damaged(waiting),
            "config_refused": str((self._exchange.refused or {}).get("reason", "")),
            "enrolment": self._enrolment.told(),
        }
        numbers: dict[str, object] = {
            "backlog": waiting.backlog,
            "oldest_unsent": waiting.oldest,
            "last_contact": self._pace.last_contact,
            "clock_off_s": self._pace.clock_off_s,
        }
        try:
            self._teller.tell(self._memory, news, numbers, now=now)
        except sqlite3.Error as error:
            log.warning("the status cannot be told: %s", error)
