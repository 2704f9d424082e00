"""A name server of our own, which lies, hangs or says nothing when told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Sequence

NAME = "centre.test"
NO_NAME, NO_SERVER = 3, 2
"""Codes of an answer: there is no such name; the server fails."""


class Names:
    """Answers every question for an address with `says`; use as a context manager.

    `says` is an address, a code, None for silence, or bytes to answer with as they are; `six` are
    the addresses of IPv6.
    """

    def __init__(
        self, sock: socket.socket, says: str | int | bytes | None, six: Sequence[str] = ()
    ) -> None:
        self.says, self.six = says, six
        self.asked = 0
        self._sock = sock
        self._sock.settimeout(0.1)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closing:
            try:
                question, who = self._sock.recvfrom(2048)
            except OSError:
                continue
            self.asked += 1
            answer = answer_to(question, self.says, self.six)
            if answer:
                with contextlib.suppress(OSError):
                    self._sock.sendto(answer, who)

    def close(self) -> None:
        """Answer no more."""
        self._closing = True
        self._thread.join()
        self._sock.close()


def answer_to(question: bytes, says: str | int | bytes | None, six: Sequence[str] = ()) -> bytes:
    """The packet that answers a question; empty for silence."""
    if says is None or len(question) < 17:
        return b""
    if isinstance(says, bytes):
        return question[:2] + says
    end = question.index(0, 12) + 5
    asked, kind = question[12:end], question[end - 4 : end - 2]
    code = says if isinstance(says, int) else 0
    found: list[bytes] = []
    if kind == b"\0\1" and isinstance(says, str):
        found = [socket.inet_aton(says)]
    elif kind == b"\0\x1c":
        found = [socket.inet_pton(socket.AF_INET6, address) for address in six]
    head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    # The name is the one that was asked for, at its place in the packet.
    records = [b"\xc0\x0c" + kind + struct.pack("!HIH", 1, 0, len(raw)) + raw for raw in found]
    return head + asked + b"".join(records)
