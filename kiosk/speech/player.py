"""Sound to the card: a program that is given a WAV file as it comes into being."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kiosk.speech import process

APLAY: Final = ("aplay", "-q", "--buffer-time=200000", "-t", "wav", "-")
"""Of Debian's alsa-utils. What it holds is what is still heard in a pause: a fifth of a second."""
PIPE: Final = 4096
"""Bytes on their way to it; one page is the least the kernel has."""


class PlayerError(Exception):
    """Nothing is heard."""


def card(devices: Path = Path("/dev/snd")) -> bool:
    """Whether there is a sound card that plays."""
    return any(devices.glob("pcm*p"))


class Player:
    """One running player."""

    def __init__(self, words: Sequence[str], rate: int) -> None:
        """Raises PlayerError."""
        self.rate = rate
        try:
            self._process = process.start(words, stdout=subprocess.DEVNULL)
            self.fd = process.pipe_of(self._process.stdin).fileno()
            self.ends = os.pidfd_open(self._process.pid)
            """Gets readable when it has ended."""
        except OSError as error:
            raise PlayerError(str(error)) from None
        os.set_blocking(self.fd, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIPE)

    def write(self, pcm: bytes) -> int:
        """Hand over what fits; how much that was. Raises PlayerError."""
        try:
            return os.write(self.fd, pcm)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PlayerError(str(error)) from None

    def no_more(self) -> None:
        """All was handed over; it ends when all was heard."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def finish(self) -> None:
        """After its end: whether all went well. Raises PlayerError."""
        code = self._process.wait(process.END_S)
        if code:
            raise PlayerError(f"exit code {code}")

    def close(self) -> None:
        """End it, whatever it does."""
        process.end(self._process)
        os.close(self.ends)
