"""terminal.json: what the sender, the service screen and IT read about this terminal."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sync import clock
from sync.contract.bundle import Bundle
from sync.datadir import DataDir, write_json


def program_version() -> str:
    """The installed version of the program."""
    try:
        return version("hymio")
    except PackageNotFoundError:
        return "0"


class Status:
    """Writes the file, whole, when something changed."""

    def __init__(self, data: DataDir, store: Any) -> None:
        self._data, self._store = data, store
        self._config: dict[str, object] = {}
        self._refused: list[dict[str, object]] = []
        self._written: dict[str, object] = {}
        self._down = ""

    def active(self, bundle: Bundle, refused: list[dict[str, object]]) -> None:
        """Another configuration is in use, or another one was refused."""
        if self._config.get("config") != bundle.version:
            self._config = {"config": bundle.version, "config_since": clock.stamp().wall}
        self._refused = list(refused)

    def changed(self, flow: Any) -> bool:
        """Whether the state of the terminal differs from what was written."""
        return bool(flow.down != self._down)

    def write(self, flow: Any, fault: str, *, force: bool = False) -> None:
        """Replace the file unless it would say the same. Raises OSError."""
        self._down = flow.down
        reason = fault or ("the outbox takes no visits" if flow.down == "out-of-use" else "")
        content: dict[str, object] = {
            "v": 1,
            "state": flow.down or "ok",
            "reason": reason,
            "last_touch": flow.last_touch,
            **self._config,
            "refused": self._refused,
            "outbox": {
                "epoch": str(getattr(self._store, "epoch", "")),
                "fill": round(float(self._store.fill), 4),
            },
            "version": program_version(),
        }
        if force or content != self._written:
            write_json(self._data.terminal_json, content)
            self._written = content
