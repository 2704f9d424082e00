"""Work beside the window: what takes a moment must never keep a finger waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger("hymio.ui")

Result = TypeVar("Result")


class Aside(Generic[Result]):
    """One job at a time in a thread of its own; its result is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._result: list[Result] = []

    @property
    def busy(self) -> bool:
        """Whether a job runs, or its result was not taken yet."""
        return self._thread is not None

    def start(self, job: Callable[[], Result]) -> bool:
        """Begin a job; False while another is busy."""
        if self.busy:
            return False
        self._result = []

        def run() -> None:
            try:
                self._result.append(job())
            except Exception:
                # Whoever waits hears that nothing came of it.
                log.exception("%s failed", self._name)

        # A disk that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=run, name=self._name, daemon=True)
        self._thread.start()
        return True

    def take(self) -> Result | None:
        """The result once it is there, once; None before, and of a job that failed."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread = None
        return self._result.pop() if self._result else None
