"""What a visit amounts to: from its records to its row, its answers and its counts. Pure.

`summary` and `contributions` depend on nothing but the set of records of a visit and the places,
never on the order they came in; ingest, rebuild and corrections all go through them.
"""

from __future__ import annotations

import datetime
import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from sync.collector.places import NOWHERE, Places
from sync.collector.store.tables import MISUSE
from sync.collector.times import Moment
from sync.contract import records

_json = msgspec.json.encode


class AnswerRow(NamedTuple):
    """A row of `answers`, in the table's column order."""

    device: str
    visit: str
    question: str
    n: int
    id: str
    kind: str
    value: int | None
    choice: str
    text: str | None
    redacted: str
    language: str
    survey: str
    config: int
    location: str
    channel: str
    layout: str
    mode: str
    position: int
    flags: str
    privacy: str
    test: bool
    instant_ms: int
    quality: str
    day: str
    hour: int


class EndRow(NamedTuple):
    """What the end that counts says."""

    id: str
    how: str
    duration_ms: int
    shown: str
    skipped: str
    selection: str
    flags: str
    test: bool
    moment: Moment


class VisitRow(NamedTuple):
    """A row of `visits`, in the table's column order."""

    device: str
    visit: str
    location: str
    municipality: str
    service: str
    respondent: str
    channel: str
    survey: str
    language: str
    day: str
    first_ms: int
    how: str
    end_id: str
    duration_ms: int | None
    shown: str
    skipped: str
    selection: str
    end_flags: str
    end_ms: int | None
    end_day: str
    flags: str
    centre_flags: str
    end_test: bool
    flagged: bool
    test: bool


class DailyKey(NamedTuple):
    """A row of `daily_counts` without its count."""

    day: str
    question: str
    device: str
    location: str
    municipality: str
    service: str
    channel: str
    survey: str
    language: str
    layout: str
    mode: str
    flagged: bool
    test: bool
    value: int


class HourlyKey(NamedTuple):
    """A row of `hourly_counts` without its count."""

    location: str
    month: str
    question: str
    weekday: int
    hour: int
    test: bool


@dataclass
class State:
    """The records of one visit that count: one answer a question, one end."""

    device: str
    visit: str
    answers: dict[str, AnswerRow] = field(default_factory=dict)
    end: EndRow | None = None
    centre_flags: str = ""

    def copy(self) -> State:
        """A state that can be changed while this one is kept."""
        return State(self.device, self.visit, dict(self.answers), self.end, self.centre_flags)

    def take_answer(self, row: AnswerRow) -> bool:
        """Take an answer if it outranks the one known; the id decides between clones' twins."""
        known = self.answers.get(row.question)
        if known is not None and (known.n, known.id) >= (row.n, row.id):
            return False
        self.answers[row.question] = row
        return True

    def take_end(self, row: EndRow) -> bool:
        """Take an end if it outranks the one known; `interrupted` is only a terminal's guess."""
        if self.end is not None and _rank(self.end) >= _rank(row):
            return False
        self.end = row
        return True


def _rank(end: EndRow) -> tuple[bool, str]:
    return end.how != "interrupted", end.id


def words(items: Iterable[str]) -> str:
    """A set as sorted words."""
    return " ".join(sorted(set(items)))


def answer_row(device: str, id_: str, answer: records.Answer, moment: Moment) -> AnswerRow:
    """An answer as its row."""
    value = answer.value
    kind, number, choice, text, redacted = "withdrawn", None, "", None, ""
    if isinstance(value, int):
        kind, number = "scale", value
    elif value is not None:
        content = answer.content()
        if isinstance(content, records.Choice):
            kind, choice = "choice", content.choice
        elif isinstance(content, records.Text):
            kind, text = "text", content.text
            redacted = _json(content.redacted).decode() if content.redacted else ""
        else:
            kind = "sealed"
    return AnswerRow(
        device,
        answer.visit,
        answer.question,
        answer.n,
        id_,
        kind,
        number,
        choice,
        text,
        redacted,
        answer.language,
        answer.survey,
        answer.config,
        answer.location,
        answer.channel,
        answer.layout,
        words(answer.mode) if answer.mode else "",
        answer.position,
        words(answer.flags) if answer.flags else "",
        answer.privacy,
        answer.test,
        *moment,
    )


def end_row(id_: str, end: records.End, moment: Moment) -> EndRow:
    """An end as the part of the visit's row it fills."""
    return EndRow(
        id_,
        end.how,
        end.duration_ms,
        _json(end.shown).decode(),
        _json(end.skipped).decode(),
        end.selection,
        words(end.flags) if end.flags else "",
        end.test,
        moment,
    )


def summary(state: State, places: Places) -> VisitRow:
    """The visit's row. Place, channel, survey and language are those of its first answer.

    Its place is the one that counts; `answers` keeps the one the answer said.
    """
    first = min(state.answers.values(), key=_order, default=None)
    chosen = state.answers.get(records.SERVICE)
    respondent = state.answers.get(records.RESPONDENT)
    end = state.end
    location = places.where(first) if first else ""
    place = places.at(location, first.day) if first else NOWHERE
    service = place.service
    if chosen is not None and chosen.kind == "choice":
        service = "" if chosen.choice == records.OTHER else chosen.choice
    flags: set[str] = set(end.flags.split()) if end else set()
    test = end.test if end else False
    for row in state.answers.values():
        if row.flags:
            flags.update(row.flags.split())
        if row.test:
            test = True
    marked = bool(flags & MISUSE) or bool(state.centre_flags)
    return VisitRow(
        state.device,
        state.visit,
        location,
        place.municipality,
        service,
        respondent.choice if respondent else "",
        first.channel if first else "",
        first.survey if first else "",
        first.language if first else "",
        first.day if first else (end.moment.day if end else ""),
        first.instant_ms if first else (end.moment.instant_ms if end else 0),
        end.how if end else "",
        end.id if end else "",
        end.duration_ms if end else None,
        end.shown if end else "",
        end.skipped if end else "",
        end.selection if end else "",
        end.flags if end else "",
        end.moment.instant_ms if end else None,
        end.moment.day if end else "",
        " ".join(sorted(flags)) if flags else "",
        state.centre_flags,
        end.test if end else False,
        marked,
        test,
    )


def _order(row: AnswerRow) -> tuple[int, str]:
    return row.n, row.id


@functools.lru_cache(4096)
def _weekday(day: str) -> int:
    return datetime.date.fromisoformat(day).weekday()


def contributions(state: State, visit: VisitRow, places: Places) -> list[DailyKey]:
    """What a visit adds to `daily_counts`: one key per scale answer."""
    return [
        DailyKey(
            row.day,
            row.question,
            row.device,
            location,
            places.at(location, row.day).municipality,
            visit.service,
            row.channel,
            row.survey,
            row.language,
            row.layout,
            row.mode,
            visit.flagged,
            visit.test,
            row.value,
        )
        for row in state.answers.values()
        if row.value is not None
        for location in (places.where(row),)
    ]


def hourly(state: State, visit: VisitRow, places: Places) -> list[HourlyKey]:
    """What a visit adds to `hourly_counts`: one key per scale answer whose hour is known."""
    return [
        HourlyKey(
            places.where(row), row.day[:7], row.question, _weekday(row.day), row.hour, visit.test
        )
        for row in state.answers.values()
        if row.value is not None and row.hour >= 0
    ]


class Difference:
    """The change of all counts by a set of visits, before against after."""

    def __init__(self) -> None:
        self._daily: Counter[DailyKey] = Counter()
        self._hourly: Counter[HourlyKey] = Counter()

    def add(self, state: State, visit: VisitRow, places: Places) -> None:
        """Count a visit as it is now."""
        self._daily.update(contributions(state, visit, places))
        self._hourly.update(hourly(state, visit, places))

    def remove(self, state: State, visit: VisitRow, places: Places) -> None:
        """Take back what a visit was counted as."""
        self._daily.subtract(contributions(state, visit, places))
        self._hourly.subtract(hourly(state, visit, places))

    def daily(self) -> list[tuple[object, ...]]:
        """Rows (key, change) of `daily_counts`, changes only."""
        return [(*key, n) for key, n in self._daily.items() if n]

    def hourly(self) -> list[tuple[object, ...]]:
        """Rows (key, change) of `hourly_counts`, changes only."""
        return [(*key, n) for key, n in self._hourly.items() if n]
