"""What may be published, by the number of answers.

Under 5 nothing, 5-9 only "n < 10", 10-29 the figure and its interval, from 30 on everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sync.collector.reports.model import Report, Shown, Unit

FROM_UNDER10: Final = 5
FROM_INDICATIVE: Final = 10
FROM_FULL: Final = 30


def by_count(n: int) -> Shown:
    """What `n` answers alone allow."""
    if n < FROM_UNDER10:
        return Shown.HIDDEN
    if n < FROM_INDICATIVE:
        return Shown.UNDER10
    return Shown.INDICATIVE if n < FROM_FULL else Shown.FULL


def _withheld(unit: Unit) -> bool:
    return unit.shown in (Shown.HIDDEN, Shown.UNDER10)


def protect(total: Unit, rows: Iterable[Unit]) -> None:
    """Mark total and rows; hide more until no withheld unit can be computed.

    Total minus printed rows is what the withheld ones add up to: that must be at least as many
    answers as may be printed of one unit, which a single withheld unit never has.
    """
    units = sorted((row for row in rows if row.n), key=lambda row: (row.n, row.key))
    total.shown = by_count(total.n)
    for unit in units:
        unit.shown = by_count(unit.n)
    hidden = [unit for unit in units if _withheld(unit)]
    printed = [unit for unit in units if not _withheld(unit)]
    # With nothing printed left, the total has under ten answers and is withheld itself.
    while hidden and printed and sum(unit.n for unit in hidden) < FROM_INDICATIVE:
        smallest = printed.pop(0)
        smallest.shown = Shown.HIDDEN
        hidden.append(smallest)


def for_publication(report: Report) -> Report:
    """The report with its units marked, and without what only staff may see."""
    report.public = True
    protect(report.total, report.rows)
    for row in report.rows:
        # A pace or a number of units would tell how few answers there are.
        row.extra.pop("days_to_30", None)
        if _withheld(row):
            # That a merged service is in it tells that somebody answered there.
            row.includes, row.formerly = [], []
            row.extra = {
                key: None if isinstance(value, int) else value for key, value in row.extra.items()
            }
    # So would a place in the order: withheld rows stand last, by name.
    printed = [row for row in report.rows if not _withheld(row)]
    withheld = [row for row in report.rows if _withheld(row)]
    report.rows = printed + sorted(withheld, key=lambda row: (row.name, row.key))
    if report.headline is not report.total:
        report.headline.shown = by_count(report.headline.n)
    if report.satisfied:
        report.satisfied.shown = by_count(report.satisfied.n)
    # The two halves of the total would give away small numbers of flagged visits.
    report.cleaned = report.flagged = None
    report.silent = []
    if report.late and report.late.n < FROM_INDICATIVE:
        report.late = None
    if report.headline.before is not None:
        for unit in (report.headline, report.total, *report.rows):
            if unit.difference is None:
                unit.before = None
    return report
