"""terminal.json: what the sender, the service screen and IT read about this terminal."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from kiosk.ui.door import Door
from kiosk.ui.flow import Flow
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
    """Writes the file, whole."""

    def __init__(self, data: DataDir, door: Door) -> None:
        self._data, self._door = data, door
        self._version = -1
        self._since = ""
        self._refused: list[dict[str, object]] = []
        self._down = ""

    def active(self, bundle: Bundle, refused: list[dict[str, object]]) -> None:
        """Another configuration is in use, or one was refused."""
        if self._version != bundle.version:
            self._version, self._since = bundle.version, clock.stamp().wall
        self._refused = list(refused)

    def changed(self, flow: Flow) -> bool:
        """Whether the terminal went in or out of use since it was written."""
        return flow.down != self._down

    def write(self, flow: Flow) -> None:
        """Replace the file. Raises OSError."""
        self._down = flow.down
        reason = self._door.reason
        if flow.down == "out-of-use":
            reason = reason or "the outbox takes no more visits"
        content: dict[str, object] = {
            "v": 1,
            "state": flow.down or "ok",
            "reason": reason,
            "last_touch": flow.last_touch,
            "config": self._version,
            "config_since": self._since,
            "refused": self._refused,
            "outbox": {"epoch": self._door.epoch, "fill": round(self._door.fill, 4)},
            "alarms": self._door.alarms,
            "version": program_version(),
        }
        write_json(self._data.terminal_json, content)
