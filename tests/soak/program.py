"""The real terminal with a clock that runs faster, and a finger that never rests.

Started as `python -m tests.soak.program CONFIG DATA OUT VISITS SEED`. The finger is X test events,
so every tap goes the whole way: X server, SDL, Kivy, flow, recorder, disk, picture. Only the
monotonic clock is turned (idle, quiet and holding times pass sooner); the wall clock is real.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

FACTOR = 200.0
"""So many times faster does the monotonic clock run."""
SAMPLES = 100
"""Noted over the whole run."""
POLL_S = 0.0005

_begun = time.monotonic()
_monotonic = time.monotonic


def _faster() -> float:
    return _begun + (_monotonic() - _begun) * FACTOR


# Before anything of the terminal is imported: whoever takes a reference takes this one.
time.monotonic = _faster

from kiosk.speech.parts import Silence  # noqa: E402
from kiosk.ui import app  # noqa: E402
from sync.contract import bundle as bundles  # noqa: E402
from sync.contract.records import Answer, Record  # noqa: E402
from sync.datadir import DataDir  # noqa: E402
from tests.bench.figures import quantiles  # noqa: E402
from tests.bench.process import own_mib  # noqa: E402
from tests.bench.screen import Pointer  # noqa: E402
from tests.soak.samples import Sample  # noqa: E402
from tests.soak.visitor import SLIDES, choose  # noqa: E402

# As often as it is by the wall: two hundred times as often would be work no terminal has.
app.STATUS_S *= FACTOR


def _entries(name: str) -> int:
    return sum(1 for _ in Path("/proc/self", name).iterdir())


def _disk_bytes(data: DataDir) -> int:
    """What the outbox takes, in whole blocks; not the ballast beside it."""
    return sum(file.stat().st_blocks for file in data.outbox_dir.glob("[!.]*.db*")) * 512


class Counted:
    """What was acknowledged: answers that count, by question and value."""

    def __init__(self) -> None:
        self.records = 0
        self.visits = 0
        self.last: Counter[str] = Counter()
        self._open: dict[tuple[str, str], Answer] = {}

    def stored(self, record: Record) -> None:
        """A record is durable."""
        self.records += 1
        if isinstance(record, Answer):
            self._open[record.visit, record.question] = record
            return
        self.visits += 1
        for answer in self._open.values():
            if isinstance(answer.value, int):
                self.last[f"{answer.question} {answer.value}"] += 1
        self._open.clear()


class Soaked(app.Terminal):
    """The terminal, and the one who taps on it."""

    def __init__(self, config: Path, data: Path, out: Path, visits: int, seed: int) -> None:
        bundle = bundles.decode(config.read_bytes())
        nowhere = out.with_suffix(".stick")
        super().__init__(bundle, DataDir(data), None, stick=nowhere, blank=False, voice=Silence())
        self._out, self._visits = out.open("w"), visits
        self._chance = random.Random(seed)
        self._pointer = Pointer(os.environ["DISPLAY"])
        self.counted = Counted()
        self._touching, self._away = False, False
        self._lifting = ""
        """What the terminal has to hear before the finger leaves."""
        self._heard: set[str] = set()
        self._lifted_at = 0.0
        self._frames: list[float] = []
        self._sample_at, self._worked = 0, time.process_time()
        self._sampled_visits = 0
        self._started = time.perf_counter()
        self.window.bind(on_flip=self._flip)
        commit = self.door.commit

        def noted(*records: Record) -> None:
            commit(*records)
            for record in records:
                self.counted.stored(record)

        self.door.commit = noted  # type: ignore[method-assign]

    def _finger(self, what: str, touch: object, x: float, y: float) -> None:
        if what == "up":
            # Before the answer is stored: that is part of what somebody waits for.
            self._lifted_at = time.perf_counter()
        super()._finger(what, touch, x, y)
        self._heard.add(what)

    def _flip(self, *_: object) -> None:
        if self._lifted_at:
            self._frames.append(time.perf_counter() - self._lifted_at)
            self._lifted_at = 0.0

    def _turn(self) -> float:
        due = super()._turn()
        if self.counted.visits >= self._sample_at:
            self._sample()
        if self.counted.visits >= self._visits:
            self.loop.stop()
        return min(due, self._tap())

    def _tap(self) -> float:
        """Go on with the touch under way, or begin the next; when to be asked again."""
        soon = time.monotonic() + POLL_S
        flow = self.flow
        if self._touching:
            if self._lifting in self._heard:
                self._pointer.release()
                self._lifting = ""
            self._touching = "up" not in self._heard
        elif self._away:
            self._away = not flow.pristine
        elif flow.page is not None and flow.guard.ready and not self.front.busy:
            name = choose([target.name for target in flow.page.targets], self._chance)
            self._away = not name
            if name:
                self._press(name)
        return soon

    def _press(self, name: str) -> None:
        page = self.flow.page
        assert page is not None
        box = next(target.box for target in page.targets if target.name == name)
        left, top, right, bottom = self.flow.pages.view.px(box)
        self._heard.clear()
        self._touching, self._lifting = True, "down"
        self._pointer.move((left + right) // 2, (top + bottom) // 2)
        self._pointer.press()
        if self._chance.random() < SLIDES:
            self._pointer.move((left + right) // 2, 2)
            self._lifting = "move"

    def _sample(self) -> None:
        self._sample_at += max(1, self._visits // SAMPLES)
        gc.collect()
        work, done = time.process_time(), self.counted.visits - self._sampled_visits
        middle, late = quantiles(self._frames or [0.0])
        sample = Sample(
            visits=self.counted.visits,
            records=self.counted.records,
            seconds=round(time.perf_counter() - self._started, 1),
            own_mib=round(own_mib(), 1),
            handles=_entries("fd"),
            threads=_entries("task"),
            objects=len(gc.get_objects()),
            disk_bytes=round(_disk_bytes(self.data) / max(1, self.counted.records)),
            frame_ms=round(middle * 1e3, 2),
            late_ms=round(late * 1e3, 2),
            work_ms=round((work - self._worked) / max(1, done) * 1e3, 2),
        )
        print(json.dumps(asdict(sample)), file=self._out, flush=True)
        self._frames.clear()
        self._sampled_visits = self.counted.visits
        self._worked = time.process_time()


def main() -> int:
    config, data, out, visits, seed = sys.argv[1:]
    terminal = Soaked(Path(config), Path(data), Path(out), int(visits), int(seed))
    code = terminal.run()
    counted = terminal.counted
    said = {"records": counted.records, "visits": counted.visits, "answers": dict(counted.last)}
    Path(out).with_suffix(".counted").write_text(json.dumps(said))
    return code


if __name__ == "__main__":
    sys.exit(main())
