"""A bundle, clocks and a person for the tests of a visit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from kiosk.visit import Value, Visit
from sync.contract.bundle import Bundle, Location, Organisation, Service, Statement, Survey
from sync.contract.records import Answer, Record, Stamp, freeze, thaw

BANK = tuple(Statement(id=f"s{i:02}", theme="encounter") for i in range(1, 7))
MONDAY_NOON = datetime.fromisoformat("2026-11-23T12:00:00+02:00")


def bundle(*, services: Sequence[str] = ("dental", "clinic"), **survey: Any) -> Bundle:
    settings: dict[str, Any] = {"id": "base", "version": 3, "statements": BANK, **survey}
    return Bundle(
        device="varha-0074",
        version=12,
        organisation=Organisation(id="varha", name={"fi": "Esimerkki"}, privacy_version="2026-11"),
        location=Location(
            id="0031",
            name={"fi": "Salo"},
            municipality="Salo",
            services=tuple(services),
            hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-16:00"),
        ),
        languages=("fi", "sv", "en"),
        survey=Survey(**settings),
        services=tuple(Service(id=name, name={"fi": name}) for name in services),
        texts={},
    )


class Person:
    """Taps through a visit; `records` is what is on the disk, in order."""

    def __init__(
        self,
        config: Bundle | None = None,
        *,
        wall: datetime = MONDAY_NOON,
        synced: bool = True,
        **options: Any,
    ) -> None:
        self.now = 1000.0
        self.wall, self.synced = wall, synced
        self.records: list[Record] = []
        self.bundle = config or bundle()
        self.visit = Visit(
            self.bundle,
            language="fi",
            statements=self.bundle.survey.statements[: self.bundle.survey.count],
            clock=lambda: self.now,
            stamp=self.stamp,
            new_id=lambda: "0198a1b2-0000-7000-8000-000000000001",
            **options,
        )

    def stamp(self) -> Stamp:
        passed = self.now - 1000.0
        wall = self.wall + timedelta(seconds=passed)
        return Stamp(wall.isoformat(), round(passed * 1000), "boot", self.synced)

    def wait(self, seconds: float) -> Person:
        self.now += seconds
        return self

    def touch(self, seconds: float = 1.0) -> Person:
        self.wait(seconds).visit.touched()
        return self

    def tap(self, value: Value, after: float = 1.0) -> Answer:
        """Touch, answer what is on the screen, have it stored, see the next screen."""
        self.touch(after)
        answer = self.visit.answer(self.visit.step.question, value, layout="x-1", mode=[])
        self.store(answer)
        self.visit.committed(answer)
        self.visit.advance()
        return answer

    def skip(self, after: float = 1.0) -> None:
        self.touch(after)
        record = self.visit.skip()
        if record is not None:
            self.store(record)
            self.visit.committed(record)
        self.visit.advance()

    def back(self, after: float = 1.0) -> None:
        self.touch(after)
        self.visit.back()

    def store(self, record: Record) -> None:
        """On the disk, as bytes that the centre reads back unchanged."""
        assert thaw(freeze(record)) == record
        self.records.append(record)

    @property
    def answers(self) -> list[Answer]:
        return [record for record in self.records if isinstance(record, Answer)]


def fold(answers: Sequence[Answer]) -> dict[str, Value]:
    """What counts, as the centre works it out: the highest n of each question."""
    counted: dict[str, Value] = {}
    for answer in sorted(answers, key=lambda answer: answer.n):
        counted.pop(answer.question, None)
        if isinstance(answer.value, int):
            counted[answer.question] = answer.value
        elif answer.value is not None:
            value = answer.value.get("choice", answer.value.get("text"))
            assert isinstance(value, str)
            counted[answer.question] = value
    return counted
