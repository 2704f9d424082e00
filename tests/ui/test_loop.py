"""How the event loop sleeps: a descriptor, a thread or the time wakes it; nothing else."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from kiosk.ui.loop import LOOK_S, Loop

LONG_S = 60.0


class Window:
    def bind(self, **_: object) -> None:
        return


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    with contextlib.ExitStack() as stack:
        pair = socket.socketpair()
        for end in pair:
            stack.enter_context(end)
        yield pair
    for number, handler in before.items():
        signal.signal(number, handler)


def asleep(fds: list[int], due_s: float, stirred: Callable[[], bool]) -> float:
    """Seconds slept."""
    loop = Loop(Window(), lambda: 0.0, time.monotonic, stirred)
    loop._fds, loop._longest = fds, LONG_S
    began = time.monotonic()
    loop._wait(began + due_s)
    return time.monotonic() - began


def test_an_event_wakes_it(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].send(b"x")
    assert asleep([ends[0].fileno()], LONG_S, lambda: False) < LONG_S / 2


def test_what_another_thread_has_to_say_wakes_it(ends: tuple[socket.socket, socket.socket]) -> None:
    asked: list[int] = []

    def stirred() -> bool:
        asked.append(1)
        return len(asked) == 2

    assert asleep([ends[0].fileno()], LONG_S, stirred) < LONG_S / 2
    assert len(asked) == 2


def test_what_is_due_wakes_it_though_nothing_stirs(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    due = 2.5 * LOOK_S
    assert due <= asleep([ends[0].fileno()], due, lambda: False) < LONG_S / 2


def test_without_a_descriptor_it_polls(ends: tuple[socket.socket, socket.socket]) -> None:
    assert asleep([], LONG_S, lambda: False) < LONG_S / 2
