"""Message types made known to msgspec before several threads decode into them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def settle() -> None:
    """Look at every message type of this program that has been imported, in this thread.

    msgspec looks at a type when something is first decoded into it; where two threads do that at
    the same moment, one of them meets a type half looked at, and the process ends (0.22, SIGSEGV).
    """
    for kind in _kinds(msgspec.Struct):
        if kind.__module__.split(".")[0] == __name__.split(".")[0]:
            msgspec.json.Decoder(kind)


def _kinds(parent: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from _kinds(kind)
