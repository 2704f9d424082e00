"""terminal.json: what the sender, the service screen and IT read about this terminal."""

from __future__ import annotations

from typing import Any

from kiosk.speech.state import state
from kiosk.ui.door import Door
from kiosk.ui.flow import Flow
from sync import clock
from sync.contract.bundle import Bundle
from sync.datadir import DataDir, read_json, write_json
from sync.status import version


class Status:
    """Writes the file, whole."""

    def __init__(self, data: DataDir, door: Door) -> None:
        self._data, self._door = data, door
        # A restart is no change of the configuration.
        before = read_json(data.terminal_json) or {}
        active, since = before.get("config"), before.get("config_since")
        self._version = active if isinstance(active, int) and since else -1
        self.since = str(since or "")
        """When (ISO) the configuration in use came into use."""
        self.display = ""
        """The window, such as 1280x800."""
        self.more: dict[str, Any] = {"setup": "", "service": {}}
        """What set-up and service screen say."""
        self._told: tuple[str, dict[str, Any], str] | None = None
        self._of = ""
        """The device whose configuration it is; unknown at the start."""
        self._refused: list[dict[str, object]] = []
        self.wiped = False
        """Whether the outbox is closed for good, so that the sender may erase everything."""

    def active(self, bundle: Bundle, refused: list[dict[str, object]]) -> None:
        """Another configuration is in use, or one was refused."""
        moved = self._of not in ("", bundle.device)
        if self._version != bundle.version or moved:
            self._version, self.since = bundle.version, clock.stamp().wall
        self._of = bundle.device
        self._refused = list(refused)

    def changed(self, flow: Flow) -> bool:
        """Whether something happened since it was written that must not wait."""
        return self._told != (flow.down, self.more, state(flow.voice, flow.bundle))

    def write(self, flow: Flow) -> None:
        """Replace the file. Raises OSError."""
        speech = state(flow.voice, flow.bundle)
        self._told = (flow.down, dict(self.more), speech)
        reason = self._door.reason
        if flow.down == "out-of-use":
            reason = reason or "the outbox takes no more visits"
        content: dict[str, object] = {
            "v": 1,
            "state": "wiped" if self.wiped else flow.down or "ok",
            "reason": reason,
            "last_touch": flow.last_touch,
            "config": self._version,
            "config_since": self.since,
            "refused": self._refused,
            "outbox": {"epoch": self._door.epoch, "fill": round(self._door.fill, 4)},
            "alarms": self._door.alarms,
            "version": version(),
            "display": self.display,
            "speech": speech,
            **self.more,
        }
        write_json(self._data.terminal_json, content)
