"""A report as data: its total, its rows, and what stands apart from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final, Literal, get_args

from sync.collector.reports.late import Late
from sync.collector.reports.periods import Period
from sync.collector.reports.statistics import (
    COMPARE_FROM,
    Difference,
    Split,
    Verdict,
    compare,
    mean,
    rounded,
    verdict,
)

By = Literal[
    "device",
    "location",
    "municipality",
    "service",
    "channel",
    "survey",
    "statement",
    "theme",
    "month",
]
Sort = Literal["name", "count", "mean", "nps"]
BY: Final[tuple[By, ...]] = get_args(By)
ON_FACES: Final = ("statement", "theme")
"""Breakdowns of the statements on five faces; all others are of the 0-10 question."""


class Shown(StrEnum):
    """How much of a unit may be printed."""

    FULL = "full"
    INDICATIVE = "indicative"
    """10-29 answers: NPS or share with its interval, nothing finer."""
    UNDER10 = "under10"
    """5-9 answers: only that there are fewer than ten."""
    HIDDEN = "hidden"
    """Under 5 answers, or hidden so that another unit cannot be computed."""


@dataclass(frozen=True)
class Part:
    """A name that held until a day (None: not said), in the language of the report."""

    key: str
    name: str
    until: date | None


@dataclass
class Unit:
    """One row, or the total: a distribution with a name."""

    key: str
    name: str
    counts: Counter[int] = field(default_factory=Counter)
    before: Counter[int] | None = None
    """The same unit in the period compared with; None: nothing is compared."""
    shown: Shown = Shown.FULL
    extra: dict[str, str | int | None] = field(default_factory=dict)
    """What only some breakdowns have: units, theme, question, days_to_30, location …"""
    includes: list[Part] = field(default_factory=list)
    """Services merged into this one whose answers are in it."""
    formerly: list[Part] = field(default_factory=list)
    """Names it had in the period, oldest first; key is empty."""

    @property
    def n(self) -> int:
        """Answers."""
        return self.counts.total()

    @property
    def split(self) -> Split:
        """Promoters, passives, detractors of a 0-10 distribution."""
        return Split.of(self.counts)

    @property
    def mean(self) -> Fraction | None:
        """Mean of the answers."""
        return mean(self.counts)

    @property
    def fives(self) -> int:
        """Answers at the top of the five faces."""
        return self.counts[5]

    @property
    def change(self) -> Fraction | None:
        """NPS now minus NPS before; None without both."""
        now, then = self.split.nps, Split.of(self.before or {}).nps
        return None if now is None or then is None else now - then

    @property
    def difference(self) -> Difference | None:
        """The Z test of the change, from 100 answers per side on."""
        before = Split.of(self.before or {})
        if min(self.n, before.n) < COMPARE_FROM:
            return None
        return compare(self.split, before)

    @property
    def verdict(self) -> Verdict | None:
        """What may be said of the change."""
        return verdict(self.split, Split.of(self.before or {}))


@dataclass(frozen=True)
class Apart:
    """A unit without answers in the period."""

    key: str
    name: str


@dataclass(frozen=True)
class Silent:
    """A device that should be in contact and is not."""

    key: str
    name: str
    last_contact: datetime | None


@dataclass
class Report:
    """Everything one report says."""

    by: By
    period: Period
    extent: Period
    """First and last day with an answer, within the period."""
    as_of: datetime
    """In the organisation's time zone."""
    last_received: datetime | None
    late: Late | None
    channels: list[str]
    questions: list[tuple[tuple[str, ...], dict[str, str]]]
    """The wordings of the 0-10 question: (survey refs, language -> text)."""
    targets: dict[str, float]
    headline: Unit
    """The 0-10 question over all of it, raw."""
    cleaned: Unit | None
    """Without flagged visits; only where its NPS differs by 1 or more."""
    flagged: Unit | None
    total: Unit
    """What the rows add up to: the headline, or all statements pooled."""
    rows: list[Unit]
    apart: list[Apart]
    silent: list[Silent]
    compared: Period | None = None
    public: bool = False
    sort: Sort = "name"
    satisfied: Unit | None = None
    """The satisfaction question where it was asked; never pooled with statements."""

    @property
    def on_faces(self) -> bool:
        """Whether the rows are statements rather than the 0-10 question."""
        return self.by in ON_FACES


def differ(raw: Split, cleaned: Split) -> bool:
    """Whether the cleaned NPS stands a whole point or more from the raw one."""
    return (
        raw.nps is not None
        and cleaned.nps is not None
        and (abs(raw.nps - cleaned.nps) >= 1 or rounded(raw.nps) != rounded(cleaned.nps))
    )
