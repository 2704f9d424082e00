"""The columns of each breakdown, under the headings their readers know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from sync.collector.reports.model import Part, Report, Shown, Unit
from sync.collector.reports.statistics import Interval, Split, share, wilson
from sync.collector.reports.words import Words


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it: a text for people, and one for CSV."""

    key: str
    heading: str
    text: Callable[[Unit], str]
    figure: bool = True
    """Numbers: right-aligned."""


def history(unit: Unit, words: Words) -> list[str]:
    """Former names and merged services, in words."""

    def told(key: str, part: Part) -> str:
        if part.until is None:
            return words(key, name=part.name)
        return words(f"{key}_until", name=part.name, day=words.day(part.until))

    return [
        *(told("note.formerly", part) for part in unit.formerly),
        *(told("note.includes", part) for part in unit.includes),
    ]


class Columns:
    """Makes the columns of one report in one language.

    `people` True joins interval bounds and prints per cent signs; False is for CSV: one number a
    cell, no thousands separators.
    """

    def __init__(self, report: Report, words: Words, *, people: bool) -> None:
        self.report = report
        self.words = words
        self.people = people

    def all(self) -> list[Column]:
        """The columns in order."""
        by = self.report.by
        first = Column("name", self.words(f"by.{by}"), lambda unit: unit.name, figure=False)
        if self.report.on_faces:
            found = self._faces()
            if by == "statement":
                found.insert(0, self._extra("theme_name", "column.theme", figure=False))
        elif by == "service":
            found = [
                *(self._nps(), *self._interval()),
                self._extra("units", "column.units"),
                self._share("promoters", "column.promoter_share"),
                *(self._count(), self._mean(), *self._shares(but="promoters")),
            ]
        elif by == "channel":
            found = [
                self._extra("statements", "column.statements"),
                self._extra("services", "column.services"),
                *(self._count("column.N"), self._nps(), *self._interval()),
                *(self._mean(), *self._shares()),
            ]
        else:
            found = [self._mean(), self._count(), self._nps(), *self._interval(), *self._shares()]
            if by == "municipality":
                found.append(self._extra("units", "column.units"))
            if by == "survey":
                found.append(self._extra("question", "column.question", figure=False))
        if self.report.compared and not self.report.on_faces:
            found += self._change()
        return [first, *found, Column("note", self.words("column.note"), self.note, figure=False)]

    # --- cells ---------------------------------------------------------------------------------

    def note(self, unit: Unit) -> str:
        """Why something is not printed, or how it is to be read."""
        words = self.words
        days = unit.extra.get("days_to_30")
        notes = []
        if unit.shown != Shown.FULL:
            notes.append(words(f"note.{unit.shown}"))
        elif isinstance(days, int):
            notes.append(words.counted("days_to_30", days))
        return "; ".join([*notes, *history(unit, words)])

    def _number(self, value: Fraction | float | None, digits: int) -> str:
        return "" if value is None else self._plain(self.words.number(value, digits))

    def _plain(self, text: str) -> str:
        # Programs that read English CSV know the hyphen as the minus.
        return text if self.people or self.words.comma else text.replace("\u2212", "-")

    def _percent(self, value: Fraction | float | None) -> str:
        if value is None:
            return ""
        return self.words.percent(value) if self.people else self._number(value, 1)

    def _heading(self, key: str, *, percent: bool = False) -> str:
        return self.words(key) + (" %" if percent and not self.people else "")

    def _count(self, heading: str = "column.n") -> Column:
        def text(unit: Unit) -> str:
            if unit.shown not in (Shown.FULL, Shown.INDICATIVE):
                return ""
            return self.words.whole(unit.n) if self.people else str(unit.n)

        return Column("count", self.words(heading), text)

    def _mean(self) -> Column:
        return Column(
            "mean", self.words("column.mean"), self._if_full(lambda u: self._number(u.mean, 2))
        )

    def _if_full(self, cell: Callable[[Unit], str]) -> Callable[[Unit], str]:
        return lambda unit: cell(unit) if unit.shown == Shown.FULL else ""

    def _if_known(self, cell: Callable[[Unit], str]) -> Callable[[Unit], str]:
        return lambda unit: cell(unit) if unit.shown in (Shown.FULL, Shown.INDICATIVE) else ""

    def _nps(self) -> Column:
        return Column(
            "nps",
            self.words("column.nps"),
            self._if_known(lambda unit: self._number(unit.split.nps, 0)),
        )

    def _bounds(
        self, bounds: Callable[[Unit], Interval | None], low: str, high: str, digits: int
    ) -> list[Column]:
        """One column for people, two for CSV."""

        def joined(unit: Unit) -> str:
            found = bounds(unit)
            return self.words.interval(found.low, found.high, digits) if found else ""

        def side(name: str) -> Callable[[Unit], str]:
            def text(unit: Unit) -> str:
                found = bounds(unit)
                return self._number(getattr(found, name), 1) if found else ""

            return self._if_known(text)

        if self.people:
            return [Column("interval", self.words("column.interval"), self._if_known(joined))]
        percent = digits == 1
        return [
            Column("low", self._heading(low, percent=percent), side("low")),
            Column("high", self._heading(high, percent=percent), side("high")),
        ]

    def _interval(self) -> list[Column]:
        return self._bounds(lambda u: u.split.interval(), "column.low", "column.high", 0)

    def _share(self, group: str, heading: str = "") -> Column:
        def text(unit: Unit) -> str:
            return self._percent(share(getattr(unit.split, group), unit.n))

        title = self._heading(heading or f"column.{group}", percent=True)
        return Column(group, title, self._if_full(text))

    def _shares(self, but: str = "") -> list[Column]:
        groups = ("promoters", "passives", "detractors")
        return [self._share(group) for group in groups if group != but]

    def _extra(self, key: str, heading: str, *, figure: bool = True) -> Column:
        def text(unit: Unit) -> str:
            value = unit.extra.get(key)
            return "" if value is None else str(value)

        return Column(key, self.words(heading), text, figure=figure)

    def _faces(self) -> list[Column]:
        def fully(unit: Unit) -> str:
            return self._percent(share(unit.fives, unit.n))

        def face(value: int) -> Column:
            def text(unit: Unit) -> str:
                return self._percent(share(unit.counts[value], unit.n))

            title = self._heading(f"column.face{value}", percent=True)
            return Column(f"face{value}", title, self._if_full(text))

        def bounds(unit: Unit) -> Interval | None:
            found = wilson(unit.fives, unit.n)
            return Interval(100 * found.low, 100 * found.high) if found else None

        return [
            self._count(),
            Column("nps", self._heading("column.fully", percent=True), self._if_known(fully)),
            *self._bounds(bounds, "column.fully_low", "column.fully_high", 1),
            *(face(value) for value in range(1, 5)),
            self._mean(),
        ]

    def _change(self) -> list[Column]:
        words = self.words

        def change(unit: Unit) -> str:
            return "" if unit.change is None else self._plain(words.signed(unit.change))

        def judged(unit: Unit) -> str:
            return words(f"verdict.{unit.verdict}") if unit.verdict else ""

        def before(unit: Unit) -> str:
            return self._number(Split.of(unit.before or {}).nps, 0)

        def before_n(unit: Unit) -> str:
            return "" if unit.before is None else str(sum(unit.before.values()))

        found = [Column("change", words("column.change"), self._if_full(change))]
        if not self.people:
            found.insert(0, Column("before", words("column.before"), self._if_full(before)))
            found.insert(1, Column("before_n", words("column.before_n"), self._if_full(before_n)))
        verdict = Column("verdict", words("column.verdict"), self._if_full(judged), figure=False)
        return [*found, verdict]
