"""Whether headphones are plugged in: the kernel's switch of the jack, without polling it.

The kernel makes an input device of each jack that notices its plug. /sys says which these are, so
that no keyboard or touch screen is opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

log = logging.getLogger("hymio.speech")

HEADPHONES: Final = 1 << 0x02
"""SW_HEADPHONE_INSERT in a mask of switches (linux/input-event-codes.h)."""
EVIOCGSW: Final = 0x8008451B
"""ioctl: the state of all switches, in 8 bytes (linux/input.h)."""
LOOK_S: Final = 10.0
"""Between two looks for jacks that appeared."""


class Jack:
    """Watches every jack there is, from a thread of its own."""

    def __init__(
        self,
        devices: Path = Path("/dev/input"),
        listed: Path = Path("/sys/class/input"),
        *,
        ioctl: Callable[[int, int, bytearray], Any] = fcntl.ioctl,
        look_s: float = LOOK_S,
    ) -> None:
        self._devices, self._listed, self._ioctl = devices, listed, ioctl
        self._look_s = look_s
        self.plugged = False
        """Whether headphones are in any of them."""
        self.reason = "no jack tells of headphones"
        """Why nothing is known of headphones; empty while something is."""
        self.pulled: Callable[[], None] = lambda: None
        """Called, by the thread, when headphones are pulled out."""
        self._open: dict[int, str] = {}
        self._closed = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="jack", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        if not self._closed:
            self._closed = True
            os.eventfd_write(self._wake, 1)
            self._thread.join(2)

    def _run(self) -> None:
        while not self._closed:
            self._scan()
            before = self.plugged
            self.plugged = any(self._inserted(fd) for fd in list(self._open))
            if before and not self.plugged:
                self.pulled()
            waiting = select.poll()
            for fd in (self._wake, *self._open):
                waiting.register(fd, select.POLLIN)
            for fd, _ in waiting.poll(self._look_s * 1000):
                self._drain(fd)
        for fd in (*self._open, self._wake):
            os.close(fd)

    def _scan(self) -> None:
        denied = ""
        for mask in sorted(self._listed.glob("event*/device/capabilities/sw")):
            name = mask.parts[-4]
            if name in self._open.values() or not _has_headphones(mask):
                continue
            try:
                flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
                self._open[os.open(self._devices / name, flags)] = name
            except OSError as error:
                denied = f"{name}: {error.strerror}"
        reason = denied or ("" if self._open else "no jack tells of headphones")
        if denied and reason != self.reason:
            log.warning("headphones are not noticed: %s", denied)
        self.reason = reason

    def _inserted(self, fd: int) -> bool:
        """Asked of the kernel each time: an event may have been lost, the state is never."""
        state = bytearray(8)
        try:
            self._ioctl(fd, EVIOCGSW, state)
        except OSError:
            self._forget(fd)
            return False
        return bool(int.from_bytes(state, "little") & HEADPHONES)

    def _drain(self, fd: int) -> None:
        if fd == self._wake:
            return
        try:
            if not os.read(fd, 4096):
                self._forget(fd)
        except BlockingIOError:
            pass
        except OSError:
            # Unplugged: ENODEV.
            self._forget(fd)

    def _forget(self, fd: int) -> None:
        if self._open.pop(fd, None) is not None:
            with contextlib.suppress(OSError):
                os.close(fd)


def _has_headphones(mask: Path) -> bool:
    """Of a mask as /sys writes it: words in hexadecimal, the lowest last."""
    try:
        return bool(int(mask.read_text(encoding="ascii").split()[-1], 16) & HEADPHONES)
    except (OSError, ValueError, IndexError):
        return False
