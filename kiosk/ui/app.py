"""The terminal's process: window, who is in front, recorder, status file, configuration."""

from __future__ import annotations

import logging
import os
import random
import time
from pathlib import Path

from kiosk.speech.parts import Voice
from kiosk.ui import env
from kiosk.ui.activation import Activation
from kiosk.ui.curtain import Curtain
from kiosk.ui.dark import Dark
from kiosk.ui.desk import Desk
from kiosk.ui.door import Door
from kiosk.ui.fallback import UNKNOWN, fallback_bundle
from kiosk.ui.flow import Flow
from kiosk.ui.front import Front
from kiosk.ui.keyboard import Key
from kiosk.ui.loop import Loop
from kiosk.ui.pages import Pages
from kiosk.ui.parts import World
from kiosk.ui.status import Status
from sync import clock, watchdog
from sync.contract.bundle import Bundle
from sync.contract.ids import uuid7
from sync.datadir import DataDir, read_json

log = logging.getLogger("hymio.ui")

STATUS_S = 30.0
TEND_S = 60.0
TEND_DOWN_S = 10.0
"""While out of use, so that a disk with room again is noticed."""
LOOK_S = 2.0
"""Between two looks for a newer configuration."""
MAX_ERRORS = 20
"""Exceptions within a minute after which the service manager had better start the process anew."""
LEFT = 4
"""The exit code of "leave to the system"; the service manager does not start it again then."""
NOT_SET_UP = "not set up yet"


class Terminal:
    """One window on one data directory; without a bundle, a terminal in the field.

    Such a one is set up on its own screens, and is whatever device the sender says it is.
    """

    def __init__(
        self,
        bundle: Bundle | None,
        data: DataDir,
        windowed: tuple[int, int] | None,
        *,
        stick: Path,
        fault: str = "",
        blank: bool = False,
        voice: Voice | None = None,
    ) -> None:
        self.data = data
        data.create()
        self._stick = stick
        self._in_field = bundle is None
        if bundle is None:
            bundle, fault = fallback_bundle(), NOT_SET_UP
        self._activation = Activation(data, bundle)
        if self._in_field:
            self._activation.anew(self._device())
        active = self._activation.newest()
        if active is not None:
            bundle, fault = active, ""
        screen = bundle.screen
        whole = env.screen_size()
        size = windowed or whole or (screen.width_px, screen.height_px)
        env.prepare(*size, fullscreen=windowed is None)
        self.window = env.open_window(
            fullscreen=windowed is None, typed=self._typed, pressed=self._pressed
        )
        # What the window really became counts, not what was asked for.
        self.size = (int(self.window.width), int(self.window.height))
        if self._in_field and bundle.device == UNKNOWN:
            bundle = fallback_bundle(self.size)

        from kiosk.ui.glass import Glass  # noqa: PLC0415 - imports Kivy
        from kiosk.ui.partial import Partial  # noqa: PLC0415

        self.door = Door(data, bundle, shut=fault)
        self._status = Status(data, self.door)
        self._status.display = "{}x{}".format(*self.size)
        self._status.active(bundle, self._activation.refused)
        renderer = env.renderer()
        log.info("window %d x %d, OpenGL %s", *self.size, renderer)
        partial = Partial(self.window, software="llvmpipe" in renderer)
        self.glass = Glass(self.size, self._finger, partial.changed)
        world = World(time.monotonic, clock.stamp, uuid7, random.SystemRandom())
        curtain = Curtain(self.glass)
        self._desk = Desk(data, stick, self.size, voice=voice)
        self.flow = Flow(Pages(bundle, self.size), curtain, self.door, world, voice)
        self.front = Front(
            self.flow,
            curtain,
            self.glass,
            desk=self._desk,
            door=self.door,
            now=time.monotonic,
            in_use=self._in_use,
        )
        if self._in_field:
            self.front.begin()
        self._dark = Dark(time.monotonic) if blank else None
        self.window.add_widget(self.glass)
        self._tend_at = time.monotonic() + LOOK_S
        self._status_at = self._look_at = self._alive_at = 0.0
        self._errors: list[float] = []
        self._voice = (False, False)
        self.loop = Loop(
            self.window,
            self._turn,
            time.monotonic,
            stirred=self._stirred,
            drawn=self._drawn,
        )

    def run(self) -> int:
        """Serve visitors until the process is asked to stop; the exit code."""
        from kivy.base import EventLoop, runTouchApp, stopTouchApp  # noqa: PLC0415

        runTouchApp(embedded=True)
        EventLoop.idle()
        # The driver compiles what draws a small rectangle once: not at the first visitor's tap.
        self.glass.patch("warm-up", (0, 0, 2, 2), lambda *_: None)
        EventLoop.idle()
        watchdog.notify("READY=1")
        try:
            self.loop.run(self._error)
        finally:
            watchdog.notify("STOPPING=1")
            if self._dark is not None:
                self._dark.wake()
            self.flow.close()
            self.flow.voice.close()
            self._write_status()
            self.door.close()
            stopTouchApp()
        return LEFT if self.front.wants == "leave" else 0

    # --- fingers and keys -------------------------------------------------------------------------

    def _finger(self, what: str, touch: object, x: float, y: float) -> None:
        if what == "down" and self._dark is not None and self._dark.wake():
            # Nobody saw what was tapped.
            return
        self.front.finger(what, touch, x, y)

    def _typed(self, text: str) -> None:
        self.loop.heard()
        self.front.typed(text)

    def _pressed(self, key: Key) -> None:
        self.loop.heard()
        if self._dark is not None and self._dark.wake():
            # Nobody saw what it would have acted on.
            return
        self.front.pressed(key)

    # --- the loop ---------------------------------------------------------------------------------

    def _turn(self) -> float:
        self._voice = (self.flow.voice.available, self.flow.voice.headphones)
        due = min(self.front.tick(), self._watchdog())
        if self.front.wants:
            self.loop.stop()
        now = time.monotonic()
        if self.flow.pristine:
            if now >= self._tend_at:
                self._tend_at = now + (TEND_DOWN_S if self.flow.down else TEND_S)
                self.door.tend(read_json(self.data.sender_json))
            if now >= self._look_at:
                self._look_at = now + LOOK_S / (2 if self.front.setting_up else 1)
                self._activate()
                self._wipe()
            due = min(due, self._tend_at, self._look_at)
        if self._dark is not None:
            closed = self.flow.down == "closed" and not self.front.busy
            due = min(due, self._dark.tick(closed=closed) or due)
        self._status.more = self.front.told()
        if now >= self._status_at or self._status.changed(self.flow):
            self._status_at = now + STATUS_S
            self._write_status()
        return min(due, self._status_at)

    def _drawn(self) -> None:
        self.flow.guard.drawn()

    def _stirred(self) -> bool:
        """Whether the voice or its jack, which live in threads, are not as the last turn saw."""
        voice = self.flow.voice
        return self.flow.aloud.on or self._voice != (voice.available, voice.headphones)

    def _watchdog(self) -> float:
        """Tell the service manager that the loop turns; when the next word is due."""
        try:
            every = int(os.environ.get("WATCHDOG_USEC", "")) / 2e6
        except ValueError:
            return float("inf")
        now = time.monotonic()
        if now >= self._alive_at:
            self._alive_at = now + every / 2
            watchdog.notify("WATCHDOG=1")
        return self._alive_at

    # --- the configuration ------------------------------------------------------------------------

    def _device(self) -> str:
        """Which device the sender says this is; empty before it is enrolled."""
        return str((read_json(self.data.sender_json) or {}).get("device", ""))

    def _in_use(self) -> tuple[Bundle | None, str, str]:
        bundle = self.flow.bundle
        refused = self._activation.refused
        why = f"{refused[-1]['version']}: {refused[-1]['reason']}" if refused else ""
        known = None if bundle.device == UNKNOWN else bundle
        return known, self._status.since, why

    def _activate(self) -> None:
        if self._in_field:
            self._moved()
            self._activation.carry(self._stick)
        found = self._activation.newer()
        if found is not None:
            log.info("configuration %d is in use", found.version)
            self._use(found)
        if found is not None or self._activation.changed:
            self._activation.changed = False
            self._status.active(self.flow.bundle, self._activation.refused)
            self._write_status()

    def _moved(self) -> None:
        """Follow the sender when it says that this is another device, or none any more."""
        device, known = self._device(), self.flow.bundle.device
        if known in (device, UNKNOWN):
            return
        if not device and not self.front.setting_up:
            # A sender that begins anew must not stop visits: the configuration stays in use.
            return
        log.warning("this device is no longer %s", known)
        self._activation.anew(device)
        self.door.shut(NOT_SET_UP)
        self._use(fallback_bundle(self.size), shut=True)

    def _use(self, bundle: Bundle, *, shut: bool = False) -> None:
        if not shut:
            self.door.use(bundle)
        self.flow.use(Pages(bundle, self.size))
        self.front.use(self.flow.pages)

    def _wipe(self) -> None:
        """Close the outbox where the configuration says so, once nobody answers."""
        if self._status.wiped:
            if not any(self.data.config_dir.glob("*.bundle")):
                log.warning("everything is erased: beginning anew")
                self._desk.forget()
                self.loop.stop()
        elif self.flow.bundle.wipe:
            self.door.shut("IT takes this device out of use")
            self.flow.reset()
            self._status.wiped = True
            self._write_status()

    # --- the rest ---------------------------------------------------------------------------------

    def _write_status(self) -> None:
        try:
            self._status.write(self.flow)
        except OSError as error:
            log.error("terminal.json not written: %s", error)

    def _error(self, error: Exception) -> None:
        now = time.monotonic()
        self._errors = [at for at in self._errors if now - at < 60] + [now]
        log.error("a turn failed (%d in a minute)", len(self._errors), exc_info=error)
        if len(self._errors) >= MAX_ERRORS:
            raise error
        # The visitor sees the resting screen, never a trace.
        self.flow.reset()
