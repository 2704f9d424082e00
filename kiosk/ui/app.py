"""The terminal's process: window, flow, recorder, status file, configuration between visits."""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
import time
from typing import Any

from kiosk.ui import env
from kiosk.ui.activation import Activation
from kiosk.ui.door import Door
from kiosk.ui.flow import Flow
from kiosk.ui.loop import Loop
from kiosk.ui.pages import Pages
from kiosk.ui.parts import World
from kiosk.ui.status import Status
from sync import clock
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


class Terminal:
    """One window on one data directory."""

    def __init__(
        self, bundle: Bundle, data: DataDir, windowed: tuple[int, int] | None, *, fault: str = ""
    ) -> None:
        self.data = data
        data.create()
        self._activation = Activation(data, bundle)
        active = self._activation.newest()
        if active is not None:
            bundle, fault = active, ""
        screen = bundle.screen
        whole = env.screen_size()
        size = windowed or whole or (screen.width_px, screen.height_px)
        env.prepare(*size, fullscreen=windowed is None)
        self.window = _window(fullscreen=windowed is None)
        # What the window really became counts, not what was asked for.
        self.size = (int(self.window.width), int(self.window.height))

        from kiosk.ui.glass import Glass  # noqa: PLC0415 - imports Kivy
        from kiosk.ui.partial import Partial  # noqa: PLC0415

        self.door = Door(data, bundle, shut=fault)
        self._status = Status(data, self.door)
        self._status.active(bundle, self._activation.refused)
        renderer = _renderer()
        log.info("window %d x %d, OpenGL %s", *self.size, renderer)
        partial = Partial(self.window, software="llvmpipe" in renderer)
        self.glass = Glass(self.size, self._finger, partial.changed)
        world = World(time.monotonic, clock.stamp, uuid7, random.SystemRandom())
        self.flow = Flow(Pages(bundle, self.size), self.glass, self.door, world)
        self.window.add_widget(self.glass)
        self._tend_at = time.monotonic() + LOOK_S
        self._status_at = self._look_at = 0.0
        self._errors: list[float] = []
        self.loop = Loop(self.window, self._turn, time.monotonic)

    def run(self) -> None:
        """Serve visitors until the process is asked to stop."""
        from kivy.base import EventLoop, runTouchApp, stopTouchApp  # noqa: PLC0415

        runTouchApp(embedded=True)
        EventLoop.idle()
        # The driver compiles what draws a small rectangle once: not at the first visitor's tap.
        self.glass.patch("warm-up", (0, 0, 2, 2), lambda *_: None)
        EventLoop.idle()
        try:
            self.loop.run(self._error)
        finally:
            self.flow.close()
            self._write_status()
            self.door.close()
            stopTouchApp()

    def _finger(self, what: str, touch: object, x: float, y: float) -> None:
        self.flow.finger(what, touch, x, y)

    def _turn(self) -> float:
        due = self.flow.tick()
        now = time.monotonic()
        if self.flow.pristine:
            if now >= self._tend_at:
                self._tend_at = now + (TEND_DOWN_S if self.flow.down else TEND_S)
                self.door.tend(read_json(self.data.sender_json))
            if now >= self._look_at:
                self._look_at = now + LOOK_S
                self._activate()
            due = min(due, self._tend_at, self._look_at)
        if now >= self._status_at or self._status.changed(self.flow):
            self._status_at = now + STATUS_S
            self._write_status()
        return min(due, self._status_at)

    def _activate(self) -> None:
        found = self._activation.newer()
        if found is not None:
            log.info("configuration %d is in use", found.version)
            self.door.use(found)
            self.flow.use(Pages(found, self.size))
        if found is not None or self._activation.changed:
            self._activation.changed = False
            self._status.active(self.flow.bundle, self._activation.refused)
            self._write_status()

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


def _window(*, fullscreen: bool) -> Any:
    from kivy.core.window import Window  # noqa: PLC0415 - opens the window

    if Window is None:
        raise env.NoWindowError("no window can be opened: is there a display, and DISPLAY set?")
    # No Escape, F1, Alt-F4, Ctrl-Q or window manager ends the terminal.
    Window.bind(
        on_request_close=lambda *_args, **_kw: True,
        on_keyboard=lambda *_args, **_kw: True,
        on_key_down=lambda *_args, **_kw: True,
    )
    Window.clearcolor = (0, 0, 0, 1)
    if fullscreen and os.environ.get("DISPLAY") and shutil.which("xset"):
        for words in (("s", "off"), ("s", "noblank"), ("-dpms",)):
            subprocess.run(  # noqa: S603
                ["xset", *words],  # noqa: S607 - found by PATH on purpose
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=5,
            )
    return Window


def _renderer() -> str:
    from kivy.graphics.cgl import cgl_get_backend_name  # noqa: PLC0415
    from kivy.graphics.opengl import GL_RENDERER, glGetString  # noqa: PLC0415

    found = glGetString(GL_RENDERER)
    name = found.decode(errors="replace") if isinstance(found, bytes) else str(found)
    if "llvmpipe" in name:
        log.warning("OpenGL is software (%s): no GPU driver on this device?", name)
    return f"{name} ({cgl_get_backend_name()})"
