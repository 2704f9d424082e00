"""Tricks below TLS: certificates that do not fit, handshakes that hang, bits changed on the way."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import ssl
import threading
from collections.abc import Iterator

from tests.drills.network.certificates import Authority, ancient
from tests.drills.network.middle import Serve, Talk, Trick, plain
from tests.drills.network.tricks import DRIP_S

HANDSHAKE = 2000
"""Bytes of the server's with which a handshake is surely over or spoilt."""


def encrypted(ours: Authority, foreign: Authority) -> Iterator[Trick]:
    """Everything but the flips."""
    wrong = {
        "another name": ours.server("portal.example"),
        "certificate expired": ours.server(since=-9, until=-2),
        "certificate not valid yet": ours.server(since=3, until=9),
        "certificate signed by itself": ours.server(self_signed=True),
        "intercepted, another authority": foreign.server(),
        "TLS 1.0 alone": ancient(ours.server()),
    }
    for name, context in wrong.items():
        yield Trick(name, _as(context), at_accept=True)
    yield Trick("certificate replaced", _as(ours.server()), fails=False, at_accept=True)
    yield Trick("no TLS there", _naked, at_accept=True)
    yield Trick("handshake that hangs", lambda talk: not talk.gone(), hangs=True, at_accept=True)
    yield Trick("handshake a byte at a time", _drip, hangs=True, at_accept=True)
    yield Trick("closed in the handshake", _closed, at_accept=True)


def bits(ours: Authority, seed: int, count: int) -> Iterator[Trick]:
    """A bit of what is encrypted, on its way there or back."""
    server = ours.server()
    for number in range(count):
        chance = random.Random(f"tls/{seed}/{number}")
        there = number % 2 == 0
        # A client's half of a handshake is shorter than the server's.
        at = chance.randrange(300, 900) if there else chance.randrange(1, HANDSHAKE)
        way = "request" if there else "reply"
        serve = _harmed(server, at, 1 << chance.randrange(8), there=there)
        # Beyond what was said nothing is harmed.
        yield Trick(f"encrypted bit of the {way}, {number}", serve, None, at_accept=True)


def _as(context: ssl.SSLContext) -> Serve:
    """Pass everything on with another certificate."""

    def serve(talk: Talk) -> bool:
        with context.wrap_socket(talk.client, server_side=True) as client:
            return plain(Talk(talk.middle, client)) and False

    return serve


def _naked(talk: Talk) -> bool:
    with contextlib.suppress(OSError):
        talk.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    return False


def _drip(talk: Talk) -> bool:
    with contextlib.suppress(OSError):
        # The beginning of a record of 16 KB, which goes on for minutes.
        talk.say(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while not talk.gone(DRIP_S):
            talk.say(b"\x03")
    return False


def _closed(talk: Talk) -> bool:
    talk.client.recv(100)
    return False


def _harmed(server: ssl.SSLContext, at: int, bit: int, *, there: bool) -> Serve:
    """Pass encrypted bytes on, and change one."""

    def inner(talk: Talk, end: socket.socket) -> None:
        with contextlib.suppress(OSError), server.wrap_socket(end, server_side=True) as client:
            plain(Talk(talk.middle, client))
        end.close()

    def serve(talk: Talk) -> bool:
        outer, end = socket.socketpair()
        end.settimeout(20)
        thread = threading.Thread(target=inner, args=(talk, end), daemon=True)
        thread.start()
        with outer, contextlib.suppress(OSError):
            _pump(talk.client, outer, at if there else -1, -1 if there else at, bit)
        thread.join()
        return False

    return serve


def _pump(client: socket.socket, centre: socket.socket, there: int, back: int, bit: int) -> None:
    """Pass bytes both ways until one side ends; the byte at a place is changed (-1: none)."""
    left = {client: there, centre: back}
    while True:
        for end in select.select([client, centre], [], [])[0]:
            data = bytearray(end.recv(65536))
            if not data:
                return
            if 0 <= left[end] < len(data):
                data[left[end]] ^= bit
            left[end] -= len(data)
            (centre if end is client else client).sendall(data)
