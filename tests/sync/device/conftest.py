from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.recorder import Recorder
from sync.clock import Clock
from sync.contract.bundle import Storage
from sync.contract.records import Record
from sync.datadir import DataDir, write_json
from sync.ledger import ledger
from sync.link import Link
from sync.sender import Sender
from tests.bench.samples import records
from tests.sync.device.fake import FakeCentre


class Field:
    """A device at a centre: recorder, sender, and a clock that moves when told."""

    def __init__(self, root: Path, url: str) -> None:
        self.data = DataDir(root)
        self.now = 1000.0
        self.wall_ms = 1_772_438_400_000
        self.synced = True
        self.url = url
        self.deadline_s = 60.0
        self.recorder = Recorder(self.data, Storage(ballast_mb=0))
        self.wish()
        self._sender: Sender | None = None
        self._seed = 0

    def wish(self, **changes: Any) -> None:
        """Write enrol.json."""
        wish = {"endpoint": self.url, "code": "K7QM-4T2P-9XWB", "organisation_key": ""}
        write_json(self.data.enrol_json, {**wish, **changes})

    def clock(self) -> Clock:
        return Clock(
            wall_ns=lambda: self.wall_ms * 1_000_000 + int((self.now - 1000) * 1e9),
            boottime_ns=lambda: int(self.now * 1e9),
            boot="boot-1",
            synced=lambda: self.synced,
        )

    @property
    def sender(self) -> Sender:
        if self._sender is None:
            self._sender = Sender(
                self.data,
                clock=self.clock(),
                monotonic=lambda: self.now,
                chance=random.Random(1),
                link=lambda *a, **k: Link(*a, **k, deadline_s=self.deadline_s),
            )
        return self._sender

    def restart(self) -> None:
        """The sender's process ends and another begins."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def commit(self, count: int) -> list[Record]:
        self._seed += 1
        made = records(count, seed=self._seed)
        self.recorder.commit(*made)
        return made

    def run(self, *, seconds: float = 0.0, steps: int = 500) -> list[float]:
        """Step until there is nothing to do within `seconds`; the pauses asked for."""
        pauses = []
        end = self.now + seconds
        for _ in range(steps):
            pause = self.sender.step()
            pauses.append(pause)
            if self.now + pause > end:
                return pauses
            # Looks a second apart are not what the long runs are about.
            self.now += max(pause, seconds / 200)
        raise AssertionError(f"still busy after {steps} steps: {pauses[-5:]}")

    def wait(self, *, state: str = "", seconds: float = 3600.0, steps: int = 4000) -> None:
        """Let time pass until all is sent, or the sender is in a state."""
        end = self.now + seconds
        for _ in range(steps):
            pause = self.sender.step()
            if self.sender.state == state if state else self.sender.drained():
                return
            self.now += max(pause, seconds / 1000 if pause else 0.0)
            if self.now > end:
                break
        raise AssertionError(f"{self.sender.state}: {self.sender.reason}; {self.sender.waiting()}")

    def ledger(self) -> dict[str, int]:
        """The sums; the identity holds in each epoch."""
        names = ("acknowledged", "quarantined", "held", "lost", "to_send")
        total = dict.fromkeys(("created", *names), 0)
        for line in ledger(self.data):
            assert line.note == ""
            assert line.created == sum(getattr(line, name) for name in names)
            assert min(getattr(line, name) for name in names) >= 0
            for name in total:
                total[name] += getattr(line, name)
        return total

    def close(self) -> None:
        self.restart()
        self.recorder.close()


@pytest.fixture
def centre() -> Iterator[FakeCentre]:
    found = FakeCentre()
    yield found
    found.close()


@pytest.fixture
def make(tmp_path: Path, centre: FakeCentre) -> Iterator[Callable[..., Field]]:
    made: list[Field] = []

    def build(name: str = "device", url: str = "") -> Field:
        made.append(Field(tmp_path / name, url or centre.url))
        return made[-1]

    yield build
    for field in made:
        field.close()


@pytest.fixture
def device(make: Callable[..., Field]) -> Field:
    return make()
