"""A cable between two network namespaces, and the weather on it: loss, delay, bits that change.

The namespaces have no names: they live as long as what is in them, and nothing has to be removed.
Both ends are TUN devices whose packets pass through this process, so no `tc netem` is needed.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

HERE, THERE, THERE_TOO, RESOLVER = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.53"
"""The device, two addresses of the centre, and the name server."""
HERE_6, THERE_6 = "2001:db8::1", tuple(f"2001:db8::1:{n}" for n in range(8))
"""The same with IPv6: as many addresses as a large provider gives a name."""
_NEW_NET = 0x40000000
_SET_TUN = 0x400454CA
_TUN_ONLY = 0x1001


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to packets, in parts of one; times in seconds."""

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    """Held back up to 0.2 s, so that others overtake it."""
    harmed: float = 0.0
    """One bit of it is changed."""
    delay_s: float = 0.0
    most: int = 65536
    """Bytes; larger packets vanish, and nobody is told."""
    up_s: float = 0.0
    """Up so long, then down as long, and so on; 0: always up."""
    dead: str = ""
    """An address nothing comes from or goes to."""
    most_6: int = 65536
    """As `most`, of IPv6 alone; 0: none gets through."""


FINE = Weather()


class Cable:
    """Two namespaces and the packets between them; use as a context manager. Raises OSError."""

    def __init__(self, seed: int = 1) -> None:
        self.weather = FINE
        self._chance = random.Random(seed)
        self._due: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._closing = False
        self._open: list[int] = []
        try:
            self._here, self._ends = self._make(HERE, THERE, THERE_TOO, RESOLVER)
            self._there, end = self._make(THERE, HERE)
            for more in (THERE_TOO, RESOLVER):
                inside(self._there, partial(_ip, "addr", "add", f"{more}/32", "dev", "lo"))
            if socket.has_dualstack_ipv6():
                self._add_six()
            self._ends = (self._ends[0], end[0])
        except BaseException:
            self._close_files()
            raise
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _make(self, own: str, *others: str) -> tuple[int, tuple[int, ...]]:
        def make() -> tuple[int, int]:
            _call("unshare", _NEW_NET)
            space = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            self._open.append(space)
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._open.append(tun)
            fcntl.ioctl(tun, _SET_TUN, struct.pack("16sH22x", b"cable", _TUN_ONLY))
            _ip("link", "set", "lo", "up")
            _ip("addr", "add", f"{own}/32", "dev", "cable")
            _ip("link", "set", "cable", "up")
            for other in others:
                _ip("route", "add", f"{other}/32", "dev", "cable")
            return space, tun

        space, tun = in_thread(make)
        return space, (tun,)

    def _add_six(self) -> None:
        ends = ((self._here, (HERE_6,), THERE_6), (self._there, THERE_6, (HERE_6,)))
        for space, own, others in ends:
            for address in own:
                words = ("-6", "addr", "add", f"{address}/128", "dev", "cable", "nodad")
                inside(space, partial(_ip, *words))
            for address in others:
                inside(space, partial(_ip, "-6", "route", "add", f"{address}/128", "dev", "cable"))

    def here(self, work: Callable[[], T]) -> T:
        """Do something at the device's end."""
        return inside(self._here, work)

    def there(self, work: Callable[[], T]) -> T:
        """Do something at the centre's end."""
        return inside(self._there, work)

    def listen(self, port: int) -> socket.socket:
        """Listen at the centre's end, on each of its addresses."""
        six = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if six else socket.AF_INET
        return self.there(
            lambda: socket.create_server(("", port), family=family, backlog=64, dualstack_ipv6=six)
        )

    # --- packets ----------------------------------------------------------------------------------

    def _carry(self) -> None:
        poll = select.poll()
        for end in self._ends:
            poll.register(end, select.POLLIN)
        while not self._closing:
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                _, _, end, packet = heapq.heappop(self._due)
                self._put(end, packet)
            rest = self._due[0][0] - now if self._due else 0.1
            for ready, _ in poll.poll(min(rest, 0.1) * 1000):
                self._take(ready)

    def _take(self, end: int) -> None:
        try:
            packet = os.read(end, 65536)
        except OSError:
            return
        other = self._ends[1] if end == self._ends[0] else self._ends[0]
        weather, chance, now = self.weather, self._chance, time.monotonic()
        down = weather.up_s and int(now / weather.up_s) % 2
        most = weather.most_6 if packet[0] >> 4 == 6 else weather.most
        if down or len(packet) > most or chance.random() < weather.loss:
            return
        if weather.dead and socket.inet_aton(weather.dead) in (packet[12:16], packet[16:20]):
            return
        if chance.random() < weather.harmed:
            at = chance.randrange(len(packet))
            packet = packet[:at] + bytes([packet[at] ^ 1 << chance.randrange(8)]) + packet[at + 1 :]
        for _ in range(2 if chance.random() < weather.twice else 1):
            late = chance.uniform(0, 0.2) if chance.random() < weather.late else 0.0
            self._count += 1
            heapq.heappush(self._due, (now + weather.delay_s + late, self._count, other, packet))

    @staticmethod
    def _put(end: int, packet: bytes) -> None:
        try:
            os.write(end, packet)
        except OSError:
            # What is no packet any more, or a queue that is full: lost.
            return

    # --- the end ----------------------------------------------------------------------------------

    def _close_files(self) -> None:
        for file in self._open:
            os.close(file)
        self._open.clear()

    def close(self) -> None:
        """Let go of both namespaces."""
        self._closing = True
        self._thread.join()
        self._close_files()

    def __enter__(self) -> Cable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def in_thread(work: Callable[[], T]) -> T:
    """Do something in a thread of its own, whose namespace is nobody else's concern."""
    found: list[T] = []
    failed: list[BaseException] = []

    def do() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            failed.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def inside(space: int, work: Callable[[], T]) -> T:
    """Do something in a network namespace: sockets and processes begun there stay there."""

    def do() -> T:
        _call("setns", space, _NEW_NET)
        return work()

    return in_thread(do)


def _call(name: str, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
