"""What was said and when, in a file: for development and tests alone, as it holds what was said."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from pathlib import Path

log = logging.getLogger("hymio.speech")


class SpeechLog:
    """One line of JSON for each thing; `note` is for any thread, `write` for the voice's alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._notes: deque[dict[str, object]] = deque()

    def note(self, do: str, **more: object) -> None:
        """Something happens now."""
        if self._path is not None:
            self._notes.append({"at": time.monotonic(), "do": do, **more})

    def write(self) -> None:
        """Put down what was noted."""
        if self._path is None or not self._notes:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                while self._notes:
                    file.write(json.dumps(self._notes.popleft(), ensure_ascii=False) + "\n")
        except OSError as error:
            log.warning("the speech log is not written: %s", error)
            self._path = None
