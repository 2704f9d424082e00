"""What the numbers mean: NPS, its interval, shares, means, tests and rounding. Pure.

Counts are pooled; NPS values are never averaged. Formulas and their sources stand in
`sync/collector/docs/reports.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import erfc, sqrt
from statistics import NormalDist
from typing import Final, Literal

Z95: Final = NormalDist().inv_cdf(0.975)
"""Two-sided 95 %."""
ALPHA: Final = 0.05
COMPARE_FROM: Final = 100
"""Answers per side from which two units are compared with a test."""

Verdict = Literal["within-chance", "more-than-chance", "too-few"]


@dataclass(frozen=True)
class Interval:
    """Lower and upper bound, in the unit of the figure they belong to."""

    low: float
    high: float


@dataclass(frozen=True)
class Split:
    """How many recommend (9-10), are passive (7-8), do not recommend (0-6)."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> Split:
        """Split a distribution value (0-10) -> count. Raises ValueError for other values."""
        for value, count in counts.items():
            if not 0 <= value <= 10 or count < 0:
                raise ValueError(f"{count} answers of value {value} are not a 0-10 distribution")
        return cls(
            promoters=sum(n for value, n in counts.items() if value >= 9),
            passives=sum(n for value, n in counts.items() if 7 <= value <= 8),
            detractors=sum(n for value, n in counts.items() if value <= 6),
        )

    def __add__(self, other: Split) -> Split:
        return Split(
            self.promoters + other.promoters,
            self.passives + other.passives,
            self.detractors + other.detractors,
        )

    @property
    def n(self) -> int:
        """Answers."""
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> Fraction | None:
        """100 (P - D) / N, exact; None without answers."""
        return Fraction(100 * (self.promoters - self.detractors), self.n) if self.n else None

    def _adjusted(self) -> tuple[float, float, int]:
        """m, V and N' of the adjusted Wald interval."""
        n = self.n + 3
        p = (self.promoters + 0.75) / n
        d = (self.detractors + 0.75) / n
        m = p - d
        return m, p + d - m * m, n

    def interval(self, z: float = Z95) -> Interval | None:
        """Adjusted Wald interval (Rocks 2016), clamped to -100 .. 100; None without answers."""
        if not self.n:
            return None
        m, v, n = self._adjusted()
        half = z * sqrt(v / n)
        return Interval(max(-100.0, 100 * (m - half)), min(100.0, 100 * (m + half)))


@dataclass(frozen=True)
class Difference:
    """Two units compared: the statistic and its two-sided probability."""

    z: float
    p: float


def compare(a: Split, b: Split) -> Difference | None:
    """Z test on the adjusted differences; positive when `a` is higher. None if a side is empty."""
    if not a.n or not b.n:
        return None
    m1, v1, n1 = a._adjusted()
    m2, v2, n2 = b._adjusted()
    z = (m1 - m2) / sqrt(v1 / n1 + v2 / n2)
    return Difference(z=z, p=erfc(abs(z) / sqrt(2)))


def verdict(a: Split, b: Split) -> Verdict | None:
    """What may be said of the change; None when a side has no answers."""
    found = compare(a, b)
    if found is None:
        return None
    if min(a.n, b.n) < COMPARE_FROM:
        return "too-few"
    return "more-than-chance" if found.p < ALPHA else "within-chance"


def wilson(k: int, n: int, z: float = Z95) -> Interval | None:
    """Wilson score interval of the share k / n, as fractions of one; None when n is 0."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share")
    if n == 0:
        return None
    share = k / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # The bounds touch 0 and 1 exactly there; floating point misses them by a hair.
    return Interval(
        0.0 if k == 0 else max(0.0, centre - half), 1.0 if k == n else min(1.0, centre + half)
    )


def mean(counts: Mapping[int, int]) -> Fraction | None:
    """Mean of a distribution value -> count, exact; None without answers."""
    n = sum(counts.values())
    return Fraction(sum(value * count for value, count in counts.items()), n) if n else None


def share(k: int, n: int) -> Fraction | None:
    """k of n in per cent, exact; None when n is 0."""
    return Fraction(100 * k, n) if n else None


def rounded(value: Fraction | float, digits: int = 0) -> Decimal:
    """Round half away from zero, as published tables do: -0.5 -> -1, 66.5 -> 67; never -0."""
    scaled = Fraction(value) * 10**digits
    whole = (abs(scaled) + Fraction(1, 2)).__floor__()
    return Decimal(whole if scaled >= 0 else -whole).scaleb(-digits)
