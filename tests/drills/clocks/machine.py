"""A machine whose clocks can be set: what is true, and what it believes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.recorder import RecorderError
from sync.clock import Clock
from sync.collector.app import Centre
from sync.contract.ids import uuid7
from sync.contract.records import NPS, Answer
from sync.datadir import DataDir
from sync.epoch import EpochReader
from tests.drills.site import Device, House

YEARS_MS = 10 * 365 * 86_400_000
DAY_MS = 86_400_000
NOON_MS = 1_795_860_000_000
"""2026-11-28 12:00 in Helsinki: when every story begins."""
HELSINKI, ELSEWHERE = "0031", "far"
"""Two locations; the other lies in New York, where the day is another for seven hours."""
LOOK_S = 15.0
"""Between two looks of the sender where it has no reason to hurry; it has one each second."""
ZONES = {HELSINKI: "Europe/Helsinki", ELSEWHERE: "America/New_York"}


class Machine:
    """True time, and the clocks of one device; all in ms but `mono`, which is seconds."""

    def __init__(self, true_ms: int = NOON_MS) -> None:
        self.true = true_ms
        self.ahead = 0
        """How far the wall clock is ahead of true time."""
        self.boottime = 60_000
        self.mono = 60.0
        self.boots = 1
        self.synced = False

    @property
    def wall(self) -> int:
        """What the wall clock says."""
        return self.true + self.ahead

    @property
    def boot(self) -> str:
        """The boot id."""
        return f"boot-{self.boots}"

    def passes(self, seconds: float, *, asleep: bool = False) -> None:
        """Time passes; asleep, the monotonic clock stands still."""
        self.true += round(seconds * 1000)
        self.boottime += round(seconds * 1000)
        self.mono += 0.0 if asleep else seconds

    def says(self, wall_ms: int) -> None:
        """The wall clock is set."""
        self.ahead = wall_ms - self.true

    def ntp(self) -> None:
        """Time has arrived."""
        self.ahead, self.synced = 0, True

    def reboots(self, wall_ms: int) -> None:
        """Off for a minute, on again with a wall clock that says so."""
        self.true += 60_000
        self.boots += 1
        self.boottime, self.mono, self.synced = 20_000, 20.0, False
        self.says(wall_ms)

    def clock(self) -> Clock:
        """The real Clock on these."""
        return Clock(
            wall_ns=lambda: self.wall * 1_000_000,
            boottime_ns=lambda: self.boottime * 1_000_000,
            boot=self.boot,
            synced=lambda: self.synced,
        )


@dataclass(frozen=True)
class Given:
    """An answer as it really was."""

    id: str
    true_ms: int
    boot: str
    location: str


class Hall(House):
    """A centre whose clock is right."""

    def __init__(self, file: Path, machine: Machine) -> None:
        super().__init__(file)
        self.centre = Centre(
            self.store, now=lambda: machine.true / 1000, clock=lambda: machine.true / 1000
        )
        with self.store.tx() as tx:
            for location, zone in ZONES.items():
                tx.run(
                    "insert into locations(id, name, municipality, timezone, services, hours)"
                    " values (?, '{}', '', ?, '[]', '{}')",
                    (location, zone),
                )


class Kiosk(Device):
    """Recorder and sender on a machine's clocks; `now` is its monotonic clock."""

    def __init__(self, root: Path, house: Hall, machine: Machine) -> None:
        self.machine, self.house = machine, house
        self.given: list[Given] = []
        self.posts: list[tuple[int, float]] = []
        """Number of the boot and monotonic time of each exchange."""
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        """Called in the middle of each exchange, on either side of the centre's work."""
        self.broken = False
        """Whether the network is gone."""
        super().__init__(root, self._exchange)

    @property
    def now(self) -> float:
        """Monotonic, in seconds."""
        return self.machine.mono

    @now.setter
    def now(self, seconds: float) -> None:
        if seconds > self.machine.mono:
            self.machine.passes(seconds - self.machine.mono)

    def _clock(self) -> Clock:
        return self.machine.clock()

    def _new_id(self) -> str:
        self.made.append(uuid7(now_ms=lambda: self.machine.wall))
        return self.made[-1]

    def _exchange(self, path: str, body: bytes, public: str) -> tuple[int, bytes, str]:
        self.before()
        answer = (503, b"", "") if self.broken else self.house.post(path, body, public)
        self.after()
        self.posts.append((self.machine.boots, self.machine.mono))
        return answer

    def gives(self, number: int = 1, location: str = HELSINKI) -> None:
        """Somebody answers, a few seconds between two answers."""
        assert self.recorder is not None
        clock = self._clock()
        visit = uuid7()
        for n in range(number):
            self.machine.passes(3)
            answer = Answer(
                visit=visit,
                question=f"s{n:02}" if n else NPS,
                n=1,
                value=1 + n % 5,
                language="fi",
                survey="county@1",
                config=1,
                location=location,
                layout="face-5col",
                position=n,
                at=clock.stamp(),
                privacy="1",
            )
            self.recorder.commit(answer)
            self.acknowledged.append(self.made[-1])
            self.given.append(Given(self.made[-1], self.machine.true, self.machine.boot, location))

    def reboots(self, wall_ms: int) -> None:
        """The power goes and comes back."""
        self.close()
        self.machine.reboots(wall_ms)
        self.open()

    def runs(self, seconds: float) -> None:
        """The sender's loop and the terminal's tending for so long, as the programs do them."""
        assert self.sender is not None
        end, tend_at = self.machine.mono + seconds, 0.0
        while self.machine.mono < end:
            pause = min(self.sender.step(), 5.0)
            # A step that may follow at once takes its time, too; idle ones are done more seldom.
            self.machine.passes(0.01 if pause <= 0 else max(pause, LOOK_S))
            if self.machine.mono >= tend_at:
                tend_at = self.machine.mono + 60
                self.tends()

    def tends(self) -> None:
        """What the terminal does between visits; a failure is one of the drill."""
        try:
            self.tend()
        except RecorderError as error:
            raise AssertionError(f"it cannot be tended: {error}") from error

    def kept(self) -> set[str]:
        """The ids of the records that lie in the outbox."""
        found: set[str] = set()
        for path in DataDir(self.data.root).outbox_dir.glob("*.db"):
            with EpochReader(path) as reader:
                found |= {row.id for row in reader.rows(0, 1_000_000)}
        return found
