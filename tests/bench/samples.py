"""Records as a terminal makes them, the same for every contender."""

from __future__ import annotations

import random

from sync.contract.ids import uuid7
from sync.contract.records import NPS, Answer, End, Record, Stamp

BOOT = "5d3f2d3e-6a53-4c1b-9a0e-3f6a6f1f7a11"


def records(number: int, *, seed: int = 1) -> list[Record]:
    """`number` records of visits of five: 0-10, three statements, the end."""
    chance = random.Random(seed)
    made: list[Record] = []
    boottime_ms = 1_000_000
    while len(made) < number:
        visit = uuid7()
        shown = [NPS, "s01", "s02", "s03"]
        for position, question in enumerate(shown):
            boottime_ms += chance.randrange(800, 4000)
            value = chance.choice((10, 10, 9, 8, 3)) if question == NPS else chance.randrange(1, 6)
            made.append(
                Answer(
                    visit=visit,
                    question=question,
                    n=1,
                    value=value,
                    language=chance.choice(("fi", "fi", "sv", "en")),
                    survey="county@1",
                    config=1,
                    location="0031",
                    layout="nps-1x11" if question == NPS else "face-5col",
                    position=position,
                    at=_stamp(boottime_ms),
                    privacy="1",
                )
            )
        made.append(
            End(
                visit=visit,
                how="completed",
                duration_ms=chance.randrange(4000, 30000),
                shown=shown,
                skipped=[],
                selection="fixed",
                at=_stamp(boottime_ms),
            )
        )
    return made[:number]


def _stamp(boottime_ms: int) -> Stamp:
    day = 1 + boottime_ms // 86_400_000 % 28
    seconds = boottime_ms // 1000 % 60
    return Stamp(
        wall=f"2026-03-{day:02d}T10:11:{seconds:02d}.{boottime_ms % 1000:03d}+02:00",
        boottime_ms=boottime_ms,
        boot=BOOT,
        synced=True,
    )
