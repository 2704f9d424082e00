"""Misuse flags that need other visits: `burst`, `clone`, `ten-run`. They mark, they never delete.

Pure: a device's visits and what it usually hears go in, flags come out. The rules:

* `burst`: four or more completed visits, one after the other, within 60 s, each beginning less than
  3 s after the one before has ended.
* `clone`: three or more visits within 120 s whose scale answers, four or more, are the same.
* `ten-run`: ten or more tens in a row without open text, all within less than 10 minutes.

Three quick tens agree by chance where most people give tens, so `clone` and `ten-run` are set only
where the unit's own answers make such agreement improbable. With k of n other answers of the
terminal's last twelve months alike, the number alike among s more is beta-binomial (Jeffreys'
prior: the binomial test, with the rate's own uncertainty in it; Skellam 1948, Brown, Cai and
DasGupta 2001). A unit without a history is therefore never accused. The probability times the
number of windows looked at that day (Bonferroni; Dunn 1961) must stay under `ALPHA`.

Visits whose time is only the day they were received are left out: they all seem to come at once.
So is any stretch with more visits to a minute than fingers are quick (`BELIEVABLE`): what is wrong
there is a clock, and the work stays bounded.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

BURST: Final = "burst"
CLONE: Final = "clone"
TEN_RUN: Final = "ten-run"

BURST_VISITS: Final = 4
BURST_MS: Final = 60_000
BURST_GAP_MS: Final = 3_000
CLONE_VISITS: Final = 3
CLONE_ANSWERS: Final = 4
CLONE_MS: Final = 120_000
TEN_RUN_VISITS: Final = 10
TEN_RUN_MS: Final = 600_000
BELIEVABLE: Final = 100
"""Visits in a minute beyond which their times cannot be true."""
ALPHA: Final = 0.001
"""How improbable agreement by chance has to be, over all windows of one terminal's day."""

Scales = tuple[tuple[str, int], ...]
"""A visit's scale answers, sorted by question."""


@dataclass(frozen=True)
class Seen:
    """What the rules look at of one visit whose time is known."""

    visit: str
    day: str
    start_ms: int
    """Its first answer."""
    end_ms: int | None
    """Its end, where it was completed."""
    nps: int | None
    scales: Scales
    """Every scale answer, the 0-10 one included."""
    text: bool
    """Whether open text was given."""


class History(Protocol):
    """What a terminal usually hears, in the twelve months that end with a day."""

    def tens(self, day: str) -> tuple[int, int]:
        """Tens, and all 0-10 answers."""
        ...

    def alike(self, day: str, scales: Scales) -> tuple[int, int]:
        """Visits with just these scale answers, and all that answered just these questions."""
        ...


def chance(least: int, among: int, k: int, n: int) -> float:
    """The probability that at least so many `among` more are alike, where k of n have been."""
    a, b = k + 0.5, n - k + 0.5

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    def log_choose(x: int) -> float:
        return math.lgamma(among + 1) - math.lgamma(x + 1) - math.lgamma(among - x + 1)

    return math.fsum(
        math.exp(log_choose(x) + log_beta(x + a, among - x + b) - log_beta(a, b))
        for x in range(least, among + 1)
    )


def centre_flags(visits: Iterable[Seen], history: History) -> dict[str, set[str]]:
    """The flags of one device's visits; visits without any are absent. Order does not matter."""
    row = _believable(sorted(visits, key=lambda seen: (seen.start_ms, seen.visit)))
    found: dict[str, set[str]] = {}
    for flag, groups in (
        (BURST, _bursts(row)),
        (CLONE, _clones(row, history)),
        (TEN_RUN, _ten_runs(row, history)),
    ):
        for group in groups:
            for seen in group:
                found.setdefault(seen.visit, set()).add(flag)
    return found


def _believable(row: Sequence[Seen]) -> Sequence[Seen]:
    kept = []
    crowded_to = -1
    for i, seen in enumerate(row):
        last = i + BELIEVABLE
        if last < len(row) and row[last].start_ms - seen.start_ms < BURST_MS:
            crowded_to = last
        if i > crowded_to:
            kept.append(seen)
    return kept


def _bursts(row: Sequence[Seen]) -> list[Sequence[Seen]]:
    groups = []
    for first, begin in enumerate(row):
        last = first
        while last + 1 < len(row) and _follows(row[last], row[last + 1]):
            end_ms = row[last + 1].end_ms
            if end_ms is None or end_ms - begin.start_ms > BURST_MS:
                break
            last += 1
        if last - first + 1 >= BURST_VISITS:
            groups.append(row[first : last + 1])
    return groups


def _follows(before: Seen, after: Seen) -> bool:
    if before.end_ms is None or after.end_ms is None:
        return False
    # A visit cannot begin before the one before it ended: then the clocks are not to be trusted.
    return abs(after.start_ms - before.end_ms) < BURST_GAP_MS


def _clones(row: Sequence[Seen], history: History) -> list[Sequence[Seen]]:
    several = [seen for seen in row if len(seen.scales) >= CLONE_ANSWERS]
    windows: Counter[str] = Counter()
    suspects = []
    for first, begin in enumerate(several):
        asked = [question for question, _ in begin.scales]
        window = []
        for seen in several[first:]:
            if seen.start_ms - begin.start_ms > CLONE_MS:
                break
            if [question for question, _ in seen.scales] == asked:
                window.append(seen)
        if len(window) < CLONE_VISITS:
            continue
        windows[begin.day] += 1
        same = [seen for seen in window if seen.scales == begin.scales]
        if len(same) >= CLONE_VISITS:
            suspects.append((begin, same, window))
    groups: list[Sequence[Seen]] = []
    for begin, same, window in suspects:
        k, n = history.alike(begin.day, begin.scales)
        others = _others(k, n, _until(same, begin.day), _until(window, begin.day))
        # The first one says what is to be repeated; the others' agreement with it is tested.
        p = chance(len(same) - 1, len(window) - 1, *others)
        if p * windows[begin.day] < ALPHA:
            groups.append(same)
    return groups


def _ten_runs(row: Sequence[Seen], history: History) -> list[Sequence[Seen]]:
    rated = [seen for seen in row if seen.nps is not None]
    windows: Counter[str] = Counter()
    suspects = []
    end = 0
    for first, begin in enumerate(rated):
        while end < len(rated) and rated[end].start_ms - begin.start_ms < TEN_RUN_MS:
            end += 1
        if end - first < TEN_RUN_VISITS:
            continue
        windows[begin.day] += 1
        last = first
        while last < end and rated[last].nps == 10 and not rated[last].text:
            last += 1
        if last - first >= TEN_RUN_VISITS:
            suspects.append(rated[first:last])
    groups: list[Sequence[Seen]] = []
    for run in suspects:
        day = run[0].day
        mine = _until(run, day)
        p = chance(len(run), len(run), *_others(*history.tens(day), mine, mine))
        if p * windows[day] < ALPHA:
            groups.append(run)
    return groups


def _until(group: Sequence[Seen], day: str) -> int:
    return sum(1 for seen in group if seen.day <= day)


def _others(k: int, n: int, mine: int, looked_at: int) -> tuple[int, int]:
    """The history without what is tested against it."""
    k = max(0, k - mine)
    return k, max(k, n - looked_at)
