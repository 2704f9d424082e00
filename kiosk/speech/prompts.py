"""What an organisation had read aloud and recorded: `prompts/<language>/prompts.toml`."""

from __future__ import annotations

import logging
import re
import tomllib
import unicodedata
import wave
from pathlib import Path
from typing import Final

log = logging.getLogger("hymio.speech")

MANIFEST: Final = "prompts.toml"
RATES: Final = range(8000, 48001)
LONGEST: Final = 4000
"""Characters said at most; a visitor writes 1,000."""


class RecordingError(Exception):
    """A recording that cannot be played as it is."""


def clean(text: str) -> str:
    """A text without what no voice says: soft hyphens, control and layout characters."""
    kept = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
    return re.sub(r" +", " ", kept).strip()[:LONGEST]


class Recording:
    """An open recording."""

    fd = -1
    """Nothing to wait for."""

    def __init__(self, path: Path) -> None:
        """Raises RecordingError."""
        try:
            self._file = wave.open(str(path), "rb")  # noqa: SIM115 - `close` closes it
        except (OSError, EOFError, wave.Error) as error:
            raise RecordingError(f"{path.name}: {error}") from None
        self.rate = self._file.getframerate()
        shape = (self._file.getnchannels(), self._file.getsampwidth(), self.rate in RATES)
        if shape != (1, 2, True):
            self.close()
            raise RecordingError(f"{path.name}: not 16-bit mono at 8 to 48 kHz")

    def read(self, size: int) -> bytes:
        """The next samples; nothing at the end."""
        try:
            return self._file.readframes(size // 2)
        except (OSError, EOFError, wave.Error) as error:
            log.warning("a recording breaks off: %s", error)
            return b""

    def finish(self) -> None:
        """A recording ends where it ends."""

    def close(self) -> None:
        """Done with it."""
        self._file.close()


class Prompts:
    """The recordings there are, by language and exact text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[tuple[str, str], Path] = {}

    def load(self) -> None:
        """Read every manifest; what is wrong with one recording is logged, the others stay."""
        for manifest in sorted(self._folder.glob(f"*/{MANIFEST}")):
            try:
                rows = tomllib.loads(manifest.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError) as error:
                log.warning("recordings of %s are not used: %s", manifest.parent.name, error)
                continue
            for text, name in rows.items():
                self._take(manifest.parent, text, name)
        if self._found:
            log.info("%d recorded prompts", len(self._found))

    def _take(self, folder: Path, text: str, name: object) -> None:
        path = folder / str(name)
        try:
            if not isinstance(name, str) or Path(name).name != name:
                raise RecordingError(f"{name!r} is not a file beside {MANIFEST}")
            Recording(path).close()
        except RecordingError as error:
            log.warning("a recording of %s is not used: %s", folder.name, error)
        else:
            self._found[folder.name, clean(text)] = path

    def find(self, text: str, language: str) -> Recording | None:
        """The recording of exactly this text (as `clean` leaves it)."""
        path = self._found.get((language, text))
        if path is None:
            return None
        try:
            return Recording(path)
        except RecordingError as error:
            log.warning("a recording of %s is not used any more: %s", language, error)
            del self._found[language, text]
            return None
