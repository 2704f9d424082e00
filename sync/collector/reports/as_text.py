"""A report as a table for people and as CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence

from sync.collector.reports.columns import Column, Columns
from sync.collector.reports.model import Report, Shown, Unit
from sync.collector.reports.sentence import sentence
from sync.collector.reports.words import Words

# What spreadsheets take for a formula when a text begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _width(text: str) -> int:
    return sum(
        1 + (unicodedata.east_asian_width(c) in "WF") for c in text if not unicodedata.combining(c)
    )


def _lines(columns: Sequence[Column], body: list[list[str]]) -> Iterator[str]:
    """Aligned columns; those with nothing in them are left out."""
    kept = [i for i in range(len(columns)) if i == 0 or any(row[i] for row in body)]
    rows = [[columns[i].heading for i in kept], *([row[i] for i in kept] for row in body)]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(kept))]
    for number, row in enumerate(rows):
        cells = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - _width(cell))
            cells.append(gap + cell if columns[kept[i]].figure else cell + gap)
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("─" * width for width in widths)


def period_text(report: Report, words: Words) -> str:
    """The period in words; an open end is closed by the first or last day with an answer."""
    first = report.period.first or report.extent.first
    last = report.period.last or report.extent.last
    text = words.days(first, last) if first or last else words("period.none")
    if report.period.first is None and report.period.last is None and report.extent.first:
        return f"{words('period.all')}, {text}"
    return text


def channel_text(report: Report, words: Words) -> str:
    """The channels the answers came through."""
    known = (words(f"channel.{c}") if words.has(f"channel.{c}") else c for c in report.channels)
    return ", ".join(known)


def late_text(report: Report, words: Words) -> str:
    """How many answers came after the period had ended; empty while it runs."""
    if report.late is None:
        return ""
    text = words.counted("late", report.late.n)
    return text if report.late.complete else f"≥ {text}"


def _satisfied(unit: Unit, words: Words) -> str:
    """The satisfaction question, in one line."""
    if unit.shown != Shown.FULL or unit.mean is None:
        return f"{unit.name}: {words(f'note.{unit.shown}')}"
    mean = f"{words('column.mean')} {words.number(unit.mean, 2)}"
    return f"{unit.name}: {mean}, {words('column.n')} {words.whole(unit.n)}"


def as_table(report: Report, words: Words) -> str:
    """The whole report for people."""
    columns = Columns(report, words, people=True).all()

    def row(unit: Unit) -> list[str]:
        return [column.text(unit) for column in columns]

    lines = [sentence(report, words), ""]
    lines.append(f"{words('period')}: {period_text(report, words)}")
    if report.compared:
        lines.append(
            f"{words('compared')}: {words.days(report.compared.first, report.compared.last)}"
        )
    if report.channels:
        lines.append(f"{words('channel')}: {channel_text(report, words)}")
    for refs, wording in report.questions:
        text = words.pick(wording) or words("question.unknown")
        lines.append(f"{words('question')}: {text} ({', '.join(refs)})")
    lines.append("")
    body = [row(unit) for unit in report.rows]
    if report.rows:
        body.append(row(report.total))
        if not report.on_faces:
            body += [row(unit) for unit in (report.cleaned, report.flagged) if unit]
        table = list(_lines(columns, body))
        # A rule between the rows and what they add up to.
        table.insert(2 + len(report.rows), table[1])
        lines += [*table, ""]
    if report.satisfied:
        lines += [_satisfied(report.satisfied, words), ""]
    if report.apart:
        lines += [f"{words('apart')}: {', '.join(a.name for a in report.apart)}", ""]
    if report.silent:
        lines.append(f"{words('silent')}:")
        for device in report.silent:
            when = device.last_contact
            said = (
                words("silent.since", when=words.moment(when.astimezone(report.as_of.tzinfo)))
                if when
                else words("silent.never")
            )
            lines.append(f"  {device.name} ({said})")
        lines.append("")
    if report.on_faces:
        target = words.number(report.targets["fully_agree_pct"])
        lines.append(words("definition.fully", target=target))
    else:
        lines.append(words("definition.nps"))
    late = late_text(report, words)
    lines.append(f"{words('as_of')}: {words.moment(report.as_of)}. {late}".rstrip())
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    """A name that a spreadsheet will not run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_csv(report: Report, words: Words) -> str:
    """Rows, total, then units without answers; every row carries its period and channel."""
    columns = Columns(report, words, people=False).all()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if words.comma else ",", lineterminator="\r\n")
    # ISO days sort and read the same in every spreadsheet.
    first = report.period.first or report.extent.first
    last = report.period.last or report.extent.last
    tail = [
        "/".join(day.isoformat() if day else "" for day in (first, last)),
        safe(channel_text(report, words)),
    ]
    writer.writerow([*(c.heading for c in columns), words("period"), words("channel")])

    def write(unit: Unit) -> None:
        cells = [c.text(unit) if c.figure else safe(c.text(unit)) for c in columns]
        writer.writerow([*cells, *tail])

    for unit in report.rows:
        write(unit)
    if report.rows:
        write(report.total)
    if not report.on_faces:
        for extra in (report.cleaned, report.flagged):
            if extra:
                write(extra)
    note = [c.key for c in columns].index("note")
    for apart in report.apart:
        cells = [""] * len(columns)
        cells[0], cells[note] = safe(apart.name), words("apart")
        writer.writerow([*cells, *tail])
    return out.getvalue()
