"""The director's sentence: NPS 67 (61–73), target 80. Change +3: within chance."""

from __future__ import annotations

from sync.collector.reports.model import Report, Shown, Unit
from sync.collector.reports.words import Words


def sentence(report: Report, words: Words) -> str:
    """One or two sentences about the headline."""
    return " ".join(part for part in (nps(report, words), change(report.headline, words)) if part)


def nps(report: Report, words: Words) -> str:
    """The figure, its interval, the target."""
    unit = report.headline
    if not unit.n:
        return words("sentence.empty")
    interval, value = unit.split.interval(), unit.split.nps
    if unit.shown in (Shown.HIDDEN, Shown.UNDER10) or interval is None or value is None:
        return words("sentence.hidden")
    return words(
        "sentence.nps",
        nps=words.number(value),
        interval=words.interval(interval.low, interval.high),
        target=words.number(report.targets["nps"]),
    )


def change(unit: Unit, words: Words) -> str:
    """The change and what may be said of it; empty when nothing is compared."""
    if unit.change is None or unit.verdict is None or unit.shown != Shown.FULL:
        return ""
    return words(f"sentence.change.{unit.verdict}", change=words.signed(unit.change))
