"""Who is in front: visitors, or staff on the set-up or service screens.

Visits go on whatever happens here: the flow ticks behind its curtain, slow work runs aside.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Final

from kiosk import pin, wording
from kiosk.gesture import Gesture
from kiosk.layout.page import Page
from kiosk.recorder import RecorderError
from kiosk.seen import Seen, stage_of
from kiosk.service import Service
from kiosk.setup import Setup
from kiosk.ui.aside import Aside
from kiosk.ui.curtain import Curtain
from kiosk.ui.desk import Desk
from kiosk.ui.door import Door
from kiosk.ui.flow import Flow
from kiosk.ui.keyboard import Key
from kiosk.ui.pages import Pages
from kiosk.ui.parts import Glass
from kiosk.ui.staff import Staff
from kiosk.ui.trial import trial
from kiosk.views import LANGUAGES
from sync import clock
from sync.contract.bundle import Bundle

log = logging.getLogger("hymio.ui")

LOOK_S: Final = 1.0
"""Between two looks at stick, sender and disk while staff stand in front."""
POLL_S: Final = 0.05
"""Between two looks at work that runs aside."""
ONCE: Final = ("activate", "back", "speech", "pause")
"""Keys that act once for each time they are pressed, however long they are held."""
InUse = Callable[[], tuple[Bundle | None, str, str]]
"""The configuration in use (None without one), since when, and why another was refused."""


class Front:
    """Hands fingers, keys and time to whoever is in front."""

    def __init__(
        self,
        flow: Flow,
        curtain: Curtain,
        glass: Glass,
        *,
        desk: Desk,
        door: Door,
        now: Callable[[], float],
        in_use: InUse,
    ) -> None:
        self.flow, self._curtain, self._glass = flow, curtain, glass
        self._desk, self._door, self._now, self._in_use = desk, door, now, in_use
        self._staff: Staff | None = None
        self._setup: Setup | None = None
        self._service: Service | None = None
        self._opened = ""
        self._seen = Seen()
        self._look_at = 0.0
        self._look: Aside[Seen] = Aside("look")
        self._check: Aside[bool] = Aside("pin")
        self._guesses = pin.Guesses(desk.guesses())
        self._mine: object | None = None
        """The finger that belongs to the gesture."""
        self._held = False
        """Whether the key heard of last is held: what it writes again nobody meant to write."""
        self._acted = ("", 0.0)
        self.wants = ""
        """`restart` or `leave`, once somebody asked for it."""
        self._gesture = self._new_gesture()

    # --- state ------------------------------------------------------------------------------------

    @property
    def setting_up(self) -> bool:
        """Whether the set-up screens are in front."""
        return self._setup is not None

    @property
    def busy(self) -> bool:
        """Whether staff stand in front."""
        return self._staff is not None

    def told(self) -> dict[str, object]:
        """What terminal.json says of set-up and service screen."""
        locked = self._guesses.until(clock.stamp())
        failed = self._seen.note.get("failed")
        return {
            "setup": self._setup.stage if self._setup else "",
            "checks_failed": failed if isinstance(failed, list) else [],
            "service": {
                "locked_until": locked or None,
                "wrong": self._guesses.wrong,
                "opened": self._opened or None,
            },
        }

    def begin(self) -> None:
        """After a start: what was not finished goes on."""
        self._seen = self._desk.see(*self._in_use(), full=False)
        stage = stage_of(self._seen)
        if stage:
            # With an earlier enrolment to go back to, it was begun on the service screen.
            self._set_up(stage, alone="before" in self._seen.note)

    def use(self, pages: Pages) -> None:
        """Another configuration is in use."""
        self._gesture = self._new_gesture()
        if self._staff is not None:
            self._staff.use(pages)

    def _new_gesture(self) -> Gesture:
        panel = self.flow.pages.composer(frozenset()).panel
        return Gesture(self._now, panel.width_mm, panel.height_mm)

    # --- what comes in ----------------------------------------------------------------------------

    def finger(self, what: str, touch: object, x: float, y: float) -> None:
        """A finger does something at a point in mm."""
        if self._staff is not None:
            self._staff.finger(what, touch, x, y)
            return
        if what == "down" and self._gesture.armed and self._gesture.down(x, y):
            self._mine = touch
        elif self._mine is not None and touch == self._mine:
            if what == "up":
                self._mine = None
                if self._gesture.up(x, y):
                    self._open_service()
        else:
            self.flow.finger(what, touch, x, y)
            self._gesture.hold(self.flow.guard.pressed)

    def pressed(self, key: Key) -> None:
        """A key is down."""
        self._held = key.again
        if self._staff is not None:
            self._staff.pressed(key)
            return
        ring = self.flow.cursor.shown and key.name != "back"
        if key.writes and self.flow.writing and not ring:
            if not (key.again and key.name == "activate"):
                self.flow.typed(key.writes)
        elif key.name and not self._bounces(key):
            self.flow.key(key.name)

    def _bounces(self, key: Key) -> bool:
        """Whether a key that acts is held, or was pressed twice by one trembling finger."""
        if key.name not in ONCE:
            return False
        if key.again:
            return True
        last, self._acted = self._acted, (key.name, self._now())
        repeat_s = self.flow.bundle.touch.key_repeat_ms / 1000
        return last[0] == key.name and self._now() - last[1] < repeat_s

    def typed(self, text: str) -> None:
        """A keyboard or a scanner wrote characters."""
        if self._staff is not None:
            self._staff.typed(text)
        elif not self._held:
            self.flow.typed(text)

    def tick(self) -> float:
        """Do what is due; when to be called again at the latest (monotonic seconds)."""
        due = self.flow.tick()
        if self._staff is None:
            return due
        now = self._now()
        if now >= self._look_at and not self._look.busy:
            self._look_at = now + LOOK_S
            in_use = self._in_use()
            full = self._service is not None
            self._look.start(lambda: self._desk.see(*in_use, full=full))
        found = self._look.take()
        if found is not None:
            self._see(found)
        self._verify()
        due = min(due, self._staff.tick(), self._look_at)
        self._next()
        busy = self._look.busy or self._check.busy
        return min(due, now + POLL_S) if busy else due

    def _see(self, found: Seen) -> None:
        if found.turn != self._desk.turn:
            # What was written meanwhile is newer.
            return
        self._seen = found
        if self._setup is not None:
            self._setup.see(found)
        if self._service is not None:
            self._service.see(found.facts)

    def _verify(self) -> None:
        service = self._service
        if service is None:
            return
        if service.to_verify is not None:
            digits, service.to_verify = service.to_verify, None
            bundle = service.facts.bundle
            known = bundle.pin_hash if bundle else ""
            self._check.start(lambda: pin.verify(known, digits))
        elif service.checking:
            busy = self._check.busy
            right = self._check.take()
            if right is not None or (busy and not self._check.busy):
                service.verified(right=bool(right))

    # --- who is in front --------------------------------------------------------------------------

    def _next(self) -> None:
        machine = self._staff.machine if self._staff else None
        wants = machine.wants if machine else ""
        match wants:
            case "":
                return
            case "enrol":
                self._set_up("enrol", alone=True)
            case "check" | "touch" | "test":
                self._set_up({"touch": "corners"}.get(wants, wants), alone=True)
            case "restart" | "leave":
                log.info("the service screen asks to %s", wants)
                self.wants = wants
            case _:
                self._visitors()

    def _visitors(self) -> None:
        self._staff = self._setup = self._service = None
        self._curtain.open = True
        self.flow.reset()

    def _open_service(self) -> None:
        self.flow.leave()
        self._opened = clock.stamp().wall
        log.info("the service screen is opened")
        self._seen = self._desk.see(*self._in_use(), full=True)
        self._service = Service(
            self._desk,
            clock=self._now,
            stamp=clock.stamp,
            words=wording.staff,
            facts=self._seen.facts,
            guesses=self._guesses,
            language=self.flow.bundle.languages[0],
        )
        self._setup = None
        self._take(Staff(self._service, self.flow.pages, self._glass, self._now, self._answered))

    def _set_up(self, begin: str, *, alone: bool = False) -> None:
        self.flow.leave()
        language = self._service.language if self._service else ""
        self._setup = Setup(self._desk, self._now, wording.staff, self._seen, begin, alone=alone)
        if language in LANGUAGES:
            self._setup.language = language
        self._service = None
        self._take(Staff(self._setup, self.flow.pages, self._glass, self._now, self._answered))

    def _take(self, staff: Staff) -> None:
        self._staff = staff
        self._curtain.open = False
        self._look_at = 0.0
        staff.show(anew=True)

    def _answered(self, page: Page, value: int) -> None:
        """The test answer was given: store it and wait for the centre to have it."""
        setup = self._setup
        if setup is None:
            return
        try:
            epoch, seq = trial(self._door, self.flow.bundle, page, value, random.SystemRandom())
        except RecorderError as error:
            log.error("the test answer is not stored: %s", error)
            setup.refused()
        else:
            setup.answered(epoch, seq)
