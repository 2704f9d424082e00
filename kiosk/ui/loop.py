"""The event loop: sleeps until the display has something to say, or a timer is due.

Kivy's own loop draws, polls and then waits for the next frame, 60 times a second: an idle terminal
burns a share of a core and a tap waits for the frame. Here the process sleeps in `select` on the
display's connection, so an idle second costs next to nothing and a tap is read when it arrives.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

log = logging.getLogger("hymio.ui")

LOOK_S = 0.25
"""So often a sleep looks whether another thread has something to say."""
LONGEST_S = 2.0
"""No sleep on the X connection is longer: an event it delivered unseen is late by this at most.
Devices SDL reads itself may be plugged in anew, and then only its own poll finds them."""
POLL_S = 1 / 60
"""Sleep where no descriptor of the display can be watched."""
MAX_IDLE_WAKES = 200
"""Wakes in a row without an event or a drawing: something else talks on the connection."""


def display_fds(proc: Path = Path("/proc/self/fd")) -> list[int]:
    """Descriptors that become readable when there is input: the X connection, evdev devices."""
    found = []
    for entry in proc.iterdir():
        with contextlib.suppress(OSError, ValueError):
            fd = int(entry.name)
            where = str(entry.readlink())
            if where.startswith("/dev/input/event") or (
                where.startswith("socket:") and _is_x_server(fd)
            ):
                found.append(fd)
    return found


def _is_x_server(fd: int) -> bool:
    with contextlib.closing(socket.socket(fileno=os.dup(fd))) as sock:
        peer = sock.getpeername()
    if isinstance(peer, bytes):
        peer = peer.decode(errors="replace")
    if isinstance(peer, tuple):
        return len(peer) >= 2 and 6000 <= int(peer[1]) < 6064
    return "/.X11-unix/X" in str(peer)


class Loop:
    """Runs Kivy's turns for a window until told to stop.

    `turn()` is called once a turn before drawing and returns when it wants the next one at the
    latest (monotonic seconds). `stirred()` says whether something else wants one at once; it is
    asked every LOOK_S, where a whole turn would cost ten times as much. `drawn()` is called when
    what was shown stands on the glass, before the events that waited meanwhile are read.
    """

    def __init__(
        self,
        window: Any,
        turn: Callable[[], float],
        clock: Callable[[], float],
        stirred: Callable[[], bool] = lambda: True,
        drawn: Callable[[], None] = lambda: None,
    ) -> None:
        self._window, self._turn, self._clock = window, turn, clock
        self._stirred, self._drawn = stirred, drawn
        self._drew = False
        self._wakes = 0
        self._stop = False
        self._fds: list[int] = []
        self._longest = LOOK_S
        self._signal_in, self._signal_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # From here on, before anything is drawn: who sees the first picture may end it cleanly.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        window.bind(on_flip=self._flipped)

    def _flipped(self, *_: object) -> None:
        self._drew = True

    def heard(self) -> None:
        """An event came that draws nothing: the connection does not talk for nothing."""
        self._wakes = 0

    def stop(self, *_: object) -> None:
        """Leave after this turn."""
        self._stop = True

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        log.info("signal %d: leaving", number)
        self._stop = True

    def run(self, errors: Callable[[Exception], None]) -> None:
        """Turn until stopped; an exception of one turn goes to `errors`, which may raise."""
        from kivy.base import EventLoop  # noqa: PLC0415 - needs a window

        signal.set_wakeup_fd(self._signal_out, warn_on_full_buffer=False)
        self._fds = display_fds()
        if self._fds and all(stat.S_ISSOCK(os.fstat(fd).st_mode) for fd in self._fds):
            self._longest = LONGEST_S
        if not self._fds:
            log.warning("no descriptor of the display to wait on: polling")
        try:
            while not self._stop and not EventLoop.quit:
                self._drew = False
                due = 0.0
                try:
                    self._events()
                    due = self._turn()
                    EventLoop.idle()
                    if self._drew:
                        # Not at `on_flip`: the window is drawn by the last to hear of it.
                        self._drawn()
                except Exception as error:  # noqa: BLE001 - one turn must not end the terminal
                    errors(error)
                if not self._drew:
                    self._wait(due)
        finally:
            signal.set_wakeup_fd(-1)

    def _events(self) -> None:
        try:
            self._window.mainloop()
        except KeyError as error:
            # Kivy stumbles over a release whose press was before the window's time.
            log.warning("a release without a press: button %s", error)

    def _wait(self, due: float) -> None:
        end = min(due, self._clock() + self._longest)
        ready = self._sleep(end)
        # Without a descriptor each sleep is one between two polls.
        while self._fds and not ready and self._clock() < end and not self._stirred():
            ready = self._sleep(end)
        if self._signal_in in ready:
            os.read(self._signal_in, 64)
        self._wakes = self._wakes + 1 if ready else 0
        if self._wakes > MAX_IDLE_WAKES:
            log.warning("the display's connection never falls silent: polling")
            self._fds = []

    def _sleep(self, end: float) -> list[int]:
        """Sleep until `end` or the next look; what can be read now."""
        timeout = min(LOOK_S if self._fds else POLL_S, max(0.0, end - self._clock()))
        return select.select([*self._fds, self._signal_in], [], [], timeout)[0]
