"""The terminal's process: window, flow, recorder, status file, configuration between visits."""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
import time
from typing import Any

from kiosk.questions import steps_of
from kiosk.recorder import Recorder, RecorderError
from kiosk.ui import activation, env
from kiosk.ui.flow import Flow
from kiosk.ui.loop import Loop
from kiosk.ui.pages import Pages
from kiosk.ui.parts import World
from kiosk.ui.status import Status
from sync import clock as device_clock
from sync.contract.bundle import Bundle
from sync.contract.ids import uuid7
from sync.contract.records import Answer, End
from sync.datadir import DataDir, read_json

log = logging.getLogger("hymio.ui")

STATUS_S = 30.0
TEND_S = 60.0
MAX_ERRORS = 20
"""Exceptions in a row after which the process gives up and the service manager starts it anew."""


class NoStore:
    """Stands in for the recorder where the outbox cannot be opened: nothing is accepted."""

    accepting = False
    fill = 1.0

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def commit(self, *_records: object) -> None:
        """Refuse."""
        raise RecorderError(self.reason)

    def counts_by_question(self, _days: int) -> dict[str, int]:
        """Nothing is known."""
        return {}

    def open_visits(self) -> list[tuple[str, Answer]]:
        """Nothing is known."""
        return []

    def tend(self, _status: object) -> None:
        """Nothing to tend."""

    def close(self) -> None:
        """Nothing to close."""


class Terminal:
    """One window on one data directory."""

    def __init__(
        self, bundle: Bundle, data: DataDir, windowed: tuple[int, int] | None, *, fault: str = ""
    ) -> None:
        self.data = data
        self._given = bundle
        self._fault = fault
        self.activation = activation.Activation(data, bundle)
        bundle = self.activation.newest() or bundle
        screen = bundle.screen
        self.size = windowed or env.screen_size() or (screen.width_px, screen.height_px)
        env.prepare(*self.size, fullscreen=windowed is None)
        self.window = _window(fullscreen=windowed is None)
        # What the window really became counts, not what was asked for.
        self.size = (int(self.window.width), int(self.window.height))

        from kiosk.ui.glass import Glass  # noqa: PLC0415 - imports Kivy

        self.store = self._open_store(bundle)
        self.glass = Glass(*self.size, self._finger)
        self.status = Status(data, self.store)
        self.status.active(bundle, self.activation.refused)
        self._close_interrupted(bundle)
        world = World(time.monotonic, device_clock.stamp, uuid7, random.SystemRandom())
        self.flow = Flow(Pages(bundle, self.size), self.glass, self.store, world)
        self.window.add_widget(self.glass)
        self._tend_at = self._status_at = 0.0
        self._errors = 0
        self.loop = Loop(self.window, self._turn, time.monotonic)

    def run(self) -> None:
        """Serve visitors until the process is asked to stop."""
        from kivy.base import EventLoop, runTouchApp, stopTouchApp  # noqa: PLC0415

        runTouchApp(embedded=True)
        log.info("window %d x %d, OpenGL %s", *self.size, _renderer())
        EventLoop.idle()
        try:
            self.loop.run(self._error)
        finally:
            self.flow.close()
            self._write_status(force=True)
            self.store.close()
            stopTouchApp()

    def _finger(self, what: str, touch: object, x: float, y: float) -> None:
        self.flow.finger(what, touch, x, y)

    def _turn(self) -> float:
        due = self.flow.tick()
        now = time.monotonic()
        if self.flow.pristine:
            if now >= self._tend_at:
                self._tend_at = now + TEND_S
                self._tend()
            self._activate()
        if now >= self._status_at or self.status.changed(self.flow):
            self._status_at = now + STATUS_S
            self._write_status()
        self._errors = 0
        return min(due, self._status_at)

    def _tend(self) -> None:
        try:
            self.store.tend(read_json(self.data.sender_json))
        except RecorderError as error:
            log.error("the outbox could not be tended: %s", error)

    def _activate(self) -> None:
        found = self.activation.newer()
        if found is not None:
            self.flow.use(Pages(found, self.size))
        if found is not None or self.activation.changed:
            self.activation.changed = False
            self.status.active(self.flow.bundle, self.activation.refused)
            self._write_status(force=True)

    def _write_status(self, *, force: bool = False) -> None:
        try:
            self.status.write(self.flow, self._fault, force=force)
        except OSError as error:
            log.error("terminal.json not written: %s", error)

    def _open_store(self, bundle: Bundle) -> Any:
        if self._fault:
            return NoStore(self._fault)
        try:
            return Recorder(self.data, bundle.storage)
        except (RecorderError, OSError) as error:
            log.error("the outbox cannot be opened: %s", error)
            self._fault = str(error)
            return NoStore(str(error))

    def _close_interrupted(self, bundle: Bundle) -> None:
        try:
            for visit, last in self.store.open_visits():
                self.store.commit(interrupted(bundle, visit, last))
        except RecorderError as error:
            log.error("visits left open are not closed: %s", error)

    def _error(self, error: Exception) -> None:
        self._errors += 1
        log.error("a turn failed (%d)", self._errors, exc_info=error)
        if self._errors >= MAX_ERRORS:
            raise error
        try:
            self.flow.reset()
        except Exception:
            log.exception("reset failed")


def interrupted(bundle: Bundle, visit: str, last: Answer) -> End:
    """The end of a visit the terminal did not live to see, from what is on the disk."""
    shown = [last.question]
    survey = bundle.survey
    if last.survey == survey.ref and survey.selection == "fixed":
        steps = steps_of(bundle, survey.statements[: survey.count])
        seen = [step.question for step in steps[: last.position + 1] if step.question]
        shown = list(dict.fromkeys([*seen, last.question]))
    return End(
        visit=visit,
        how="interrupted",
        duration_ms=0,
        shown=shown,
        skipped=[],
        selection=survey.selection,
        at=device_clock.stamp(),
        test=last.test,
    )


def _window(*, fullscreen: bool) -> Any:
    from kivy.core.window import Window  # noqa: PLC0415 - opens the window

    if Window is None:
        raise RuntimeError("no window could be opened: is there a display?")
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
