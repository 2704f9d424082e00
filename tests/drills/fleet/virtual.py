"""Time that passes only when nobody has anything to do, and a database that costs what it is told.

Everything between device and centre that is not modelled here is the product's own code.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable
from typing import Any

Cost = Callable[[float], float]
"""Virtual time in seconds -> seconds the database needs for one batch, on average."""


class _Leap(selectors.SelectSelector):
    """Does not wait: the clock leaps to the next thing due."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing is due any more: everybody waits for somebody else")
        self.now += max(0.0, timeout)
        return []


class Machine:
    """The centre's threads and its database.

    `serial`: one writes at a time, as with SQLite, and the others wait; else the threads work side
    by side, each so slowly that together they do one batch in `cost` seconds. Raises nothing.
    """

    def __init__(self, loop: VirtualLoop, *, workers: int, serial: bool, cost: Cost) -> None:
        self._loop, self._workers, self._serial, self._cost = loop, workers, serial, cost
        self._chance = random.Random(workers)
        self._free = workers
        self._written_until = 0.0
        self._queue: deque[tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]]
        self._queue = deque()
        self._seen: float | None = None

    def clock(self) -> float:
        """What a thread's clock shows: while its work is done, when that began."""
        return self._loop.time() if self._seen is None else self._seen

    def spend(self) -> None:
        """The database has done its part: the thread's clock shows the time after it."""
        self._seen = self._loop.time()

    def submit(self, work: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        """Have a thread do it; the future is done when it is."""
        future = self._loop.create_future()
        self._queue.append((work, args, future))
        self._start()
        return future

    def _start(self) -> None:
        while self._free and self._queue:
            self._free -= 1
            now = self._loop.time()
            cost = self._cost(now) * self._chance.uniform(0.5, 1.5)
            if self._serial:
                until = self._written_until = max(now, self._written_until) + cost
            else:
                until = now + cost * self._workers
            self._loop.call_at(until, self._end, now, *self._queue.popleft())

    def _end(
        self,
        began: float,
        work: Callable[..., Any],
        args: tuple[Any, ...],
        future: asyncio.Future[Any],
    ) -> None:
        self._seen = began
        try:
            result = work(*args)
        finally:
            self._seen = None
        self._free += 1
        if not future.cancelled():
            future.set_result(result)
        self._start()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; what is given to threads goes to `machine`."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)
        self.machine: Machine | None = None
        # Due times are compared exactly: rounding them to the real clock's tick would stop time.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._leap.now

    def run_in_executor(self, _executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Hand work to the modelled threads."""
        assert self.machine is not None
        return self.machine.submit(func, args)


def ideal(batches: int, cost: Cost, since: float, *, down: Callable[[float], bool]) -> float:
    """Seconds after `since` in which the centre could do so many batches, never idle."""
    done, now, step = 0.0, since, 0.5
    while done < batches:
        if not down(now):
            done += step / cost(now)
        now += step
    return now - since


def busiest(times: list[float], width: float) -> int:
    """The most of these moments (in order) that lie within so many seconds."""
    first = most = 0
    for number, at in enumerate(times):
        while times[first] <= at - width:
            first += 1
        most = max(most, number - first + 1)
    return most
