"""What the page shows, computed before a template sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from sync.collector.reports import queries as q
from sync.collector.reports.build import Builder
from sync.collector.reports.columns import Column, Columns
from sync.collector.reports.model import Report, Unit
from sync.collector.reports.periods import ONE_DAY, Period
from sync.collector.reports.publish import FROM_FULL
from sync.collector.reports.queries import Scope
from sync.collector.reports.sentence import change, nps
from sync.collector.reports.statistics import share, wilson
from sync.collector.reports.words import Words
from sync.collector.standing import fleet
from sync.collector.web import charts
from sync.collector.web.address import Address
from sync.collector.web.health import Fleet, fleet_of

MOST_BARS: Final = 40
"""Units in the comparison chart; the table has them all."""
WEEKS_UP_TO_DAYS: Final = 100
"""Periods up to here are shown by week, longer ones by month."""
LIGHT_INK: Final = "#FFFFFF"


@dataclass(frozen=True)
class Part:
    """Promoters, passives or detractors."""

    key: str
    name: str
    n: str
    percent: str


@dataclass(frozen=True)
class Statement:
    """One statement's row."""

    name: str
    theme: str
    share: str
    interval: str
    n: str
    few: str
    chart: Markup
    reached: bool


@dataclass(frozen=True)
class Point:
    """One step of the trend, as printed."""

    at: str
    nps: str
    interval: str
    n: str


@dataclass
class Page:
    """Everything the dashboard's template needs."""

    address: Address
    period: str
    compared: str
    summary: Report
    sentence: str
    change: str
    gauge: Markup
    shares: Markup
    parts: list[Part]
    trend: list[Point]
    trend_by: str
    trend_chart: Markup
    where: Report
    where_period: str
    where_columns: list[Column]
    where_note: Callable[[Unit], str]
    where_chart: Markup
    where_more: bool
    statements: list[Statement]
    faces: Report
    face_columns: list[Column]
    fleet: Fleet
    ever: bool
    """Whether any answer has ever arrived."""


def page(builder: Builder, address: Address) -> Page:
    """Read and draw everything."""
    words, today = builder.words, builder.today
    period = address.period(today)
    compared = address.compared(period)
    summary = builder.report("channel", Scope(period), compared=compared)
    where = comparison(builder, address)
    faces = builder.report("statement", Scope(period), sort="nps", descending=True)
    points, trend_by, chart = _trend(builder, address, period)
    target = summary.targets["nps"]
    return Page(
        address=address,
        period=_period(words, period, summary.extent),
        compared=words.days(compared.first, compared.last) if compared else "",
        summary=summary,
        sentence=nps(summary, words),
        change=change(summary.headline, words),
        gauge=_gauge(summary.headline, target, words),
        shares=_shares(summary.headline, words),
        parts=_parts(summary.headline, words),
        trend=points,
        trend_by=trend_by,
        trend_chart=chart,
        where=where,
        where_period=_period(words, where.period, where.extent),
        where_columns=_columns(where, words),
        where_note=Columns(where, words, people=True).note,
        where_chart=_forest(where, words),
        where_more=len(where.rows) > MOST_BARS,
        statements=[_statement(row, faces.targets["fully_agree_pct"], words) for row in faces.rows],
        faces=faces,
        face_columns=Columns(faces, words, people=True).all(),
        fleet=fleet_of(fleet(builder.db, builder.now)),
        ever=bool(summary.headline.n or q.extent(builder.db, Scope()).first),
    )


def comparison(builder: Builder, address: Address) -> Report:
    """The breakdown chosen, over its own window, in the order chosen."""
    window = address.window(builder.today)
    return builder.report(
        address.by,
        Scope(window),
        compared=address.compared(window),
        sort=address.sort,
        descending=address.falling,
    )


def _period(words: Words, period: Period, extent: Period) -> str:
    first, last = period.first or extent.first, period.last or extent.last
    return words.days(first, last) if first or last else words("period.all")


# --- summary -------------------------------------------------------------------------------------


def _gauge(unit: Unit, target: float, words: Words) -> Markup:
    interval, value = unit.split.interval(), unit.split.nps
    if interval is None or value is None:
        return Markup()
    label = words(
        "summary.gauge",
        nps=words.number(value),
        interval=words.interval(interval.low, interval.high),
        target=words.number(target),
    )
    row = {"nps": float(value), "low": interval.low, "high": interval.high}
    return charts.both(charts.gauge, label, row, target)


def _parts(unit: Unit, words: Words) -> list[Part]:
    split = unit.split
    groups = (
        ("p", "promoters", split.promoters),
        ("a", "passives", split.passives),
        ("d", "detractors", split.detractors),
    )
    return [
        Part(key, words(f"column.{name}"), words.whole(n), words.percent(share(n, split.n) or 0))
        for key, name, n in groups
    ]


def _shares(unit: Unit, words: Words) -> Markup:
    split = unit.split
    if not split.n:
        return Markup()
    rows, at = [], 0.0
    for part, n, ink in (
        ("p", split.promoters, LIGHT_INK),
        ("a", split.passives, charts.INK),
        ("d", split.detractors, LIGHT_INK),
    ):
        size = 100 * n / split.n
        rows.append(
            {
                **{"part": part, "pct": size, "from": at, "to": at + size},
                **{"middle": at + size / 2, "label": words.percent(size, 0), "ink": ink},
            }
        )
        at += size
    label = ", ".join(f"{part.name} {part.percent}" for part in _parts(unit, words))
    return charts.both(charts.shares, label, rows)


# --- trend ---------------------------------------------------------------------------------------


def _trend(builder: Builder, address: Address, period: Period) -> tuple[list[Point], str, Markup]:
    """NPS by week or month, over at least a quarter or a year up to the period's end."""
    words = builder.words
    by = address.trend or (
        "week" if period.days is not None and period.days <= WEEKS_UP_TO_DAYS else "month"
    )
    last = min(d for d in (period.last, builder.today) if d)
    first = period.first
    least = last - timedelta(weeks=13) if by == "week" else _months_back(last, 11)
    if first is not None:
        first = min(first, least)
    days = {
        date.fromisoformat(day): tally.counts
        for (day,), tally in q.tallies(builder.db, Scope(Period(first, last)), ("day",)).items()
    }
    if not days:
        return [], by, Markup()
    # Steps before the first answer say nothing.
    start = _step(min(days), by)
    steps: dict[date, Counter[int]] = {}
    while start <= last:
        steps[start] = Counter()
        start = start + timedelta(weeks=1) if by == "week" else _months_back(start, -1)
    for day, counts in days.items():
        steps[_step(day, by)].update(counts)
    labels = _labels(list(steps), by, words)
    points, rows = [], []
    for label, counts in zip(labels, steps.values(), strict=True):
        unit = Unit(label, label, counts)
        interval, value = unit.split.interval(), unit.split.nps
        known = interval is not None and value is not None
        rows.append(
            {
                "at": label,
                "nps": float(value) if value is not None else None,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
            }
        )
        if known and interval and value is not None:
            points.append(
                Point(
                    label,
                    words.number(value),
                    words.interval(interval.low, interval.high),
                    words.whole(unit.n),
                )
            )
        else:
            points.append(Point(label, "", "", "0"))
    target = builder.names.targets["nps"]
    aim = {
        "target": words("summary.target", target=words.number(target)),
        "short": words.number(target),
    }
    label = words("trend.label", first=labels[0], last=labels[-1])
    return points, by, charts.both(charts.trend, label, rows, target, aim)


def _step(day: date, by: str) -> date:
    return day - day.weekday() * ONE_DAY if by == "week" else day.replace(day=1)


def _months_back(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _labels(steps: list[date], by: str, words: Words) -> list[str]:
    """Names of the steps; the year stands with weeks only where they would repeat."""
    if by == "month":
        return [words.month(f"{step:%Y-%m}") for step in steps]
    short = [words("week", week=step.isocalendar().week) for step in steps]
    if len(set(short)) == len(short):
        return short
    return [f"{text}/{step.isocalendar().year}" for text, step in zip(short, steps, strict=True)]


# --- comparison ----------------------------------------------------------------------------------


def _columns(report: Report, words: Words) -> list[Column]:
    """What stands in columns of its own; notes and verdicts stand below name and change."""
    found = Columns(report, words, people=True).all()
    return [column for column in found if column.key not in ("note", "verdict")]


def _forest(report: Report, words: Words) -> Markup:
    rows: list[dict[str, object]] = []
    names: set[str] = set()
    for unit in report.rows[:MOST_BARS]:
        interval, value = unit.split.interval(), unit.split.nps
        if interval is None or value is None:
            continue
        # Two units of one name are two lines.
        name = unit.name if unit.name not in names else f"{unit.name} ({unit.key})"
        names.add(name)
        rows.append(
            {
                **{"name": name, "nps": float(value), "low": interval.low, "high": interval.high},
                "few": unit.n < FROM_FULL,
            }
        )
    total = report.total.split.nps
    if not rows or total is None:
        return Markup()
    return charts.both(
        charts.forest, words("where.label"), rows, report.targets["nps"], {"nps": float(total)}
    )


# --- statements ----------------------------------------------------------------------------------


def _statement(unit: Unit, target: float, words: Words) -> Statement:
    n = unit.n
    fully, interval = share(unit.fives, n) or 0, wilson(unit.fives, n)
    rows, at = [], 0.0
    inks = {5: LIGHT_INK, 1: LIGHT_INK}
    for face in range(5, 0, -1):
        size = 100 * unit.counts[face] / n if n else 0.0
        rows.append(
            {
                **{"face": face, "pct": size, "from": at, "to": at + size, "middle": at + size / 2},
                **{"label": words.percent(size, 0), "ink": inks.get(face, charts.INK)},
            }
        )
        at += size
    label = words("what.label", statement=unit.name, share=words.percent(fully), n=words.whole(n))
    return Statement(
        name=unit.name,
        theme=str(unit.extra.get("theme_name", "")),
        share=words.percent(fully),
        interval=words.interval(100 * interval.low, 100 * interval.high, 1) if interval else "",
        n=words.counted("what.n", n),
        few=words("note.indicative") if n < FROM_FULL else "",
        chart=charts.both(charts.faces, label, rows, target),
        reached=fully >= target,
    )
