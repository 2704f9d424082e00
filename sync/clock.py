"""When something happened, as well as a kiosk can say.

The wall clock may be years off until the network is back, so every record also carries
CLOCK_BOOTTIME and the boot id; the centre reckons the true instant from those.
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sync.contract.records import Stamp

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR: Final = 5
"""What adjtimex(2) returns while the clock is not synchronised."""
_TIMEX_BYTES: Final = 512
"""More than `struct timex` on any Linux; all zero means "only read"."""


@functools.cache
def _process_boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Without it, every process is a boot of its own: no false comparison of boottimes.
        return f"process-{os.getpid()}-{time.time_ns()}"


def synchronised() -> bool:
    """Whether the kernel, or timesyncd, says that the wall clock is synchronised.

    What they say outlives a clock set by hand; before this program was made it cannot be.
    """
    from sync.build import built_ms  # noqa: PLC0415 - it needs what needs us

    if time.time() * 1000 < built_ms():
        return False
    if _TIMESYNCD.exists():
        return True
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state != _TIME_ERROR


class Clock:
    """The device's clocks; each source can be replaced."""

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        boottime_ns: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        boot: str | None = None,
        synced: Callable[[], bool] = synchronised,
    ) -> None:
        self._wall_ns = wall_ns
        self._boottime_ns = boottime_ns
        self._boot = boot
        self._synced = synced
        self._synced_at = -1
        self._synced_was = False

    @property
    def boot(self) -> str:
        """The boot id."""
        return self._boot if self._boot is not None else _process_boot()

    def wall_ms(self) -> int:
        """Wall clock, ms since 1970."""
        return self._wall_ns() // 1_000_000

    def boottime_ms(self) -> int:
        """CLOCK_BOOTTIME in ms."""
        return self._boottime_ns() // 1_000_000

    def synced(self) -> bool:
        """Whether the wall clock is synchronised; asked at most once in ten seconds."""
        now = self.boottime_ms()
        if self._synced_at < 0 or now - self._synced_at >= 10_000:
            self._synced_at, self._synced_was = now, self._synced()
        return self._synced_was

    def iso(self) -> str:
        """Wall clock as ISO 8601 with offset, milliseconds."""
        wall = datetime.datetime.fromtimestamp(self.wall_ms() / 1000, tz=datetime.UTC)
        return wall.astimezone().isoformat(timespec="milliseconds")

    def stamp(self) -> Stamp:
        """Wall clock, boottime, boot id and whether the clock is synchronised, now."""
        # Asked first: a clock set right in between must not make the time before it believed.
        synced = self.synced()
        return Stamp(wall=self.iso(), boottime_ms=self.boottime_ms(), boot=self.boot, synced=synced)


_clock = Clock()


def stamp() -> Stamp:
    """`Clock.stamp` of this machine."""
    return _clock.stamp()
