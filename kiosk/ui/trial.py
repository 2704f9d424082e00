"""The test answer of a set-up: a whole visit of one answer, marked as a test."""

from __future__ import annotations

import time
from random import Random

from kiosk import rotation
from kiosk.layout.page import Page
from kiosk.ui.door import Door
from kiosk.visit import Visit
from sync import clock
from sync.contract.bundle import Bundle
from sync.contract.ids import uuid7
from sync.contract.records import NPS


def trial(door: Door, bundle: Bundle, page: Page, value: int, chance: Random) -> tuple[str, int]:
    """Store a test answer and its end; the epoch and position of the end. Raises RecorderError."""
    visit = Visit(
        bundle,
        language=page.language,
        statements=rotation.statements(bundle.survey, {}, chance),
        clock=time.monotonic,
        stamp=clock.stamp,
        new_id=uuid7,
        test=True,
    )
    visit.touched()
    answer = visit.answer(NPS, value, layout=page.arrangement, mode=[])
    door.commit(answer)
    visit.committed(answer)
    door.commit(visit.end("left"))
    return door.epoch, door.last_seq
