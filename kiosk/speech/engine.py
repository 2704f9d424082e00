"""Text to sound: espeak-ng, one process per text."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import Final

from kiosk.speech import process

ENGINE: Final = "espeak-ng"
VOICES_S: Final = 15.0


class EngineError(Exception):
    """The engine does not speak."""


def voices(engine: str = ENGINE) -> frozenset[str]:
    """The languages the engine speaks; none without an engine."""
    try:
        done = subprocess.run(  # noqa: S603 - found by PATH on purpose
            [engine, "--voices"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VOICES_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return _languages(done.stdout.decode(errors="replace"))


def _languages(listed: str) -> frozenset[str]:
    """Of lines such as ` 2  en-gb  --/M  English  gmw/en  (en 2)(en-us 5)`."""
    found: set[str] = set()
    for line in listed.splitlines()[1:]:
        words = line.split()
        if len(words) < 5:
            continue
        found.add(words[1])
        others = line.partition("(")[2] if "(" in line else ""
        for other in others.replace(")", "(").split("("):
            language, _, priority = other.strip().partition(" ")
            if priority.isdigit():
                found.add(language)
    return frozenset(found)


class Spoken:
    """A text on its way through the engine: a WAV file without an end."""

    def __init__(self, text: str, language: str, rate_wpm: int, engine: str = ENGINE) -> None:
        """Raises EngineError."""
        # By standard input: everybody on the machine can read the words of a command line.
        words = [engine, "--stdin", "--stdout", "-b", "1", "-z", "-v", language]
        try:
            self._process = process.start([*words, "-s", str(rate_wpm)], stdout=subprocess.PIPE)
            reads = process.pipe_of(self._process.stdin)
            self.fd = process.pipe_of(self._process.stdout).fileno()
        except OSError as error:
            raise EngineError(str(error)) from None
        # Double brackets would begin a spelling in phonemes.
        with contextlib.suppress(OSError):
            # Shorter than what a pipe holds, so nobody waits for a slow engine.
            reads.write(text.replace("[[", "[ [").encode())
        with contextlib.suppress(OSError):
            reads.close()

    def read(self, size: int) -> bytes:
        """What is there; nothing at the end. Waits unless `fd` is readable."""
        return os.read(self.fd, size)

    def finish(self) -> None:
        """After the end: whether all went well. Raises EngineError."""
        try:
            code = self._process.wait(process.END_S)
        except subprocess.TimeoutExpired:
            code = -1
        if code:
            raise EngineError(f"exit code {code}")

    def close(self) -> None:
        """End it, whatever it does."""
        process.end(self._process)
