"""Simulated people for the demo and for tests: real pointer events on a real window."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import threading
import time

from kiosk.layout.compose import Composer
from kiosk.layout.measure import PillowMeasure
from kiosk.layout.page import Page
from sync.contract.bundle import Bundle
from sync.datadir import DataDir

# Roughly what the published device tables look like: mostly tens, a few who are unhappy.
NPS_WEIGHTS = (2, 1, 1, 1, 1, 3, 3, 6, 12, 22, 48)
FACE_WEIGHTS = (3, 4, 9, 30, 54)
COMMIT_TIMEOUT_S = 10.0
FINGER_S = 0.08
"""How long a finger rests on the glass."""


class Visitors:
    """People who walk up to one terminal and tap through its survey."""

    def __init__(
        self,
        bundle: Bundle,
        data: DataDir,
        display: str,
        stop: threading.Event | None = None,
        *,
        chance: random.Random | None = None,
    ) -> None:
        self._bundle = bundle
        self._data = data
        self._display = display
        self._stop = stop or threading.Event()
        self._chance = chance or random.Random()  # noqa: S311 - not for secrets
        self._composer = Composer(bundle, PillowMeasure())

    def come(self, number: int) -> None:
        """Let `number` people come one after the other, or fewer when stopped."""
        for _ in range(number):
            if self._stop.is_set():
                return
            self.visit()
            # Closer on each other's heels, four of them would rightly be flagged as a burst.
            self._stop.wait(self._chance.uniform(3.2, 5.0))

    def visit(self) -> None:
        """One person: the 0-10 question, every statement, no text, Done."""
        language = self._bundle.languages[0]
        survey = self._bundle.survey
        score = self._chance.choices(range(11), NPS_WEIGHTS)[0]
        if not self._answer(self._composer.rest(language), f"nps.{score}"):
            return
        for n, statement in enumerate(survey.statements[: survey.count]):
            page = self._composer.face(language, statement.id, n, survey.count)
            face = self._chance.choices(range(1, 6), FACE_WEIGHTS)[0]
            if not self._answer(page, f"face.{face}"):
                return
        if survey.ask_comment:
            self._pause()
            self.tap(self._composer.offer(language, survey.count, survey.count + 1), "skip")
        self._pause()
        self.tap(self._composer.thanks(language), "done")
        self._pause()

    def tap(self, page: Page, name: str) -> None:
        """Press and release in the middle of a target."""
        box = next(target.box for target in page.targets if target.name == name)
        scale = page.panel.px_per_mm
        x, y = round((box.x + box.w / 2) * scale), round((box.y + box.h / 2) * scale)
        self._xdotool("mousemove", str(x), str(y), "mousedown", "1")
        time.sleep(FINGER_S)
        self._xdotool("mouseup", "1")

    def records(self) -> int:
        """Records in the terminal's outbox files, all epochs."""
        total = 0
        for file in self._data.outbox_dir.glob("*.db"):
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db,
            ):
                total += db.execute("select coalesce(max(seq), 0) from records").fetchone()[0]
        return total

    def _answer(self, page: Page, name: str) -> bool:
        """Tap, and wait until the answer is on disk; False when it never gets there."""
        before = self.records()
        deadline = time.monotonic() + COMMIT_TIMEOUT_S
        self._pause()
        self.tap(page, name)
        while self.records() <= before:
            if self._stop.is_set() or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _pause(self) -> None:
        """Longer than the chosen state stands and the next screen stays quiet."""
        timing, touch = self._bundle.timing, self._bundle.touch
        self._stop.wait((timing.hold_ms + touch.quiet_ms) / 1000 + self._chance.uniform(0.2, 0.8))

    def _xdotool(self, *words: str) -> None:
        subprocess.run(  # noqa: S603
            ["xdotool", *words],  # noqa: S607 - found by PATH on purpose
            env={**os.environ, "DISPLAY": self._display},
            check=True,
            timeout=10,
        )
