"""A report as JSON: English names, numbers as printed, counts to compute anything from.

The fields are documented in `sync/collector/docs/reports.md`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sync.collector.reports.model import Part, Report, Shown, Unit
from sync.collector.reports.periods import Period
from sync.collector.reports.sentence import sentence
from sync.collector.reports.statistics import Split, rounded, share, wilson
from sync.collector.reports.words import Words

VERSION = 1


def _round(value: Fraction | float | None, digits: int) -> float | int | None:
    if value is None:
        return None
    found = rounded(value, digits)
    return float(found) if digits else int(found)


def nps_figures(unit: Unit) -> dict[str, Any]:
    """The 0-10 question of one unit, as far as it may be shown."""
    shown = unit.shown
    known = shown in (Shown.FULL, Shown.INDICATIVE)
    full = shown == Shown.FULL
    split = unit.split if known else Split()
    interval = split.interval()
    return {
        "shown": str(shown),
        "n": split.n if known else None,
        "nps": _round(split.nps, 0),
        "nps_exact": None if split.nps is None else round(float(split.nps), 6),
        "nps_low": _round(interval.low, 1) if interval else None,
        "nps_high": _round(interval.high, 1) if interval else None,
        "promoters": split.promoters if full else None,
        "passives": split.passives if full else None,
        "detractors": split.detractors if full else None,
        "promoters_pct": _round(share(split.promoters, split.n), 1) if full else None,
        "passives_pct": _round(share(split.passives, split.n), 1) if full else None,
        "detractors_pct": _round(share(split.detractors, split.n), 1) if full else None,
        "mean": _round(unit.mean, 2) if full else None,
    }


def face_figures(unit: Unit) -> dict[str, Any]:
    """A statement on five faces, as far as it may be shown."""
    known = unit.shown in (Shown.FULL, Shown.INDICATIVE)
    full = unit.shown == Shown.FULL
    n = unit.n if known else 0
    interval = wilson(unit.fives if known else 0, n)
    return {
        "shown": str(unit.shown),
        "n": n if known else None,
        "counts": [unit.counts[value] for value in range(1, 6)] if full else None,
        "fully_agree_pct": _round(share(unit.fives if known else 0, n), 1),
        "fully_agree_low": _round(100 * interval.low, 1) if interval else None,
        "fully_agree_high": _round(100 * interval.high, 1) if interval else None,
        "mean": _round(unit.mean, 2) if full else None,
    }


def _before(unit: Unit) -> dict[str, Any]:
    """What was before, and what may be said of the change."""
    if unit.before is None:
        return {"before": None, "change": None, "z": None, "p": None, "verdict": None}
    then = Unit(unit.key, unit.name, unit.before)
    difference = unit.difference
    return {
        "before": nps_figures(then),
        "change": _round(unit.change, 0),
        "z": round(difference.z, 3) if difference else None,
        "p": round(difference.p, 4) if difference else None,
        "verdict": unit.verdict,
    }


def _history(unit: Unit) -> dict[str, Any]:
    """Former names, and the services merged into this one."""

    def until(part: Part) -> str | None:
        return part.until.isoformat() if part.until else None

    if unit.shown in (Shown.HIDDEN, Shown.UNDER10):
        return {"formerly": None, "includes": None}
    return {
        "formerly": [{"name": part.name, "until": until(part)} for part in unit.formerly],
        "includes": [
            {"key": part.key, "name": part.name, "until": until(part)} for part in unit.includes
        ],
    }


def _period(period: Period | None) -> dict[str, str | None] | None:
    if period is None:
        return None
    return {
        "from": period.first.isoformat() if period.first else None,
        "to": period.last.isoformat() if period.last else None,
    }


def as_json(report: Report, words: Words) -> dict[str, Any]:
    """The whole report as a structure for a JSON encoder."""
    compared = report.compared is not None
    figures = face_figures if report.on_faces else nps_figures

    def unit(found: Unit, *, with_before: bool) -> dict[str, Any]:
        one = figures(found)
        return one | (_before(found) if with_before and not report.on_faces else {})

    def question(refs: tuple[str, ...], wording: dict[str, str]) -> dict[str, Any]:
        return {"surveys": list(refs), "text": words.pick(wording) or None, "texts": wording}

    headline = nps_figures(report.headline) | (_before(report.headline) if compared else {})
    return {
        "v": VERSION,
        "by": report.by,
        "language": words.language,
        "public": report.public,
        "period": _period(report.period),
        "days_with_answers": _period(report.extent),
        "compared_to": _period(report.compared),
        "as_of": report.as_of.isoformat(timespec="seconds"),
        "last_received": (
            report.last_received.isoformat(timespec="seconds") if report.last_received else None
        ),
        "late": ({"n": report.late.n, "complete": report.late.complete} if report.late else None),
        "channels": report.channels,
        "questions": [question(*found) for found in report.questions],
        "targets": report.targets,
        "sentence": sentence(report, words),
        "headline": headline,
        "cleaned": nps_figures(report.cleaned) if report.cleaned else None,
        "flagged": nps_figures(report.flagged) if report.flagged else None,
        "total": unit(report.total, with_before=compared),
        "rows": [
            {
                **{"key": row.key, "name": row.name, **row.extra},
                **(_history(row) if report.by in ("location", "service") else {}),
                **unit(row, with_before=compared),
            }
            for row in report.rows
        ],
        "satisfied": face_figures(report.satisfied) if report.satisfied else None,
        "without_answers": [{"key": a.key, "name": a.name} for a in report.apart],
        "silent": [
            {
                "key": s.key,
                "name": s.name,
                "last_contact": (
                    s.last_contact.isoformat(timespec="seconds") if s.last_contact else None
                ),
            }
            for s in report.silent
        ],
    }
