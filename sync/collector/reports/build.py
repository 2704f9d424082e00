"""Put a report together from what the queries read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from sync.collector import standing
from sync.collector.reports import queries as q
from sync.collector.reports.history import formerly
from sync.collector.reports.late import late
from sync.collector.reports.model import Apart, By, Part, Report, Silent, Sort, Unit, differ
from sync.collector.reports.periods import Period
from sync.collector.reports.publish import FROM_FULL
from sync.collector.reports.statistics import Split
from sync.collector.reports.words import Words
from sync.contract.records import NPS, OTHER, SATISFIED


class Builder:
    """Reads one connection and speaks one language."""

    def __init__(self, db: sa.Connection, words: Words, now: datetime) -> None:
        """`now` is an aware instant; everything relative is counted from it."""
        self.db = db
        self.words = words
        self.now = now
        self.names = q.catalogue(db, now)
        self.devices = q.devices(db)
        self.today = now.astimezone(ZoneInfo(self.names.timezone)).date()

    def report(
        self,
        by: By,
        scope: q.Scope,
        *,
        compared: Period | None = None,
        sort: Sort | None = None,
        descending: bool | None = None,
    ) -> Report:
        """The report of one breakdown. Compared rows carry the same unit of the other period."""
        scope = replace(scope, merged=self.names.merged)
        extent = q.extent(self.db, scope)
        # One pass gives the headline, its channels and its surveys.
        base = q.tallies(self.db, scope, ("survey", "channel"))
        headline, cleaned, flagged = self._headline(_pooled(base.values()))
        before = replace(scope, period=compared) if compared else None
        total = headline
        if by in ("statement", "theme"):
            rows = self._on_faces(by, scope)
            total = Unit("", self.words("row.total"), sum((r.counts for r in rows), Counter()))
            seen = {row.key for row in rows}
        else:
            rows, seen = self._rows(by, scope, before, extent)
        if before:
            then = _pooled(q.tallies(self.db, before, ()).values())
            headline.before = then.counts
        report = Report(
            by=by,
            period=scope.period,
            extent=extent,
            as_of=self.now.astimezone(ZoneInfo(self.names.timezone)),
            last_received=q.last_received(self.db),
            late=late(self.db, scope, self.names.timezone, self.now),
            channels=sorted({channel for _, channel in base}),
            questions=self._questions(sorted({survey for survey, _ in base})),
            targets=self.names.targets,
            headline=headline,
            cleaned=cleaned,
            flagged=flagged,
            total=total,
            rows=rows,
            apart=self._apart(by, seen, extent, scope),
            silent=self.silent(),
            compared=compared,
            sort=sort or "name",
            satisfied=self._satisfied(scope) if by in ("statement", "theme") else None,
        )
        self._order(report, sort, descending)
        return report

    # --- the 0-10 question ---------------------------------------------------------------------

    def _headline(self, tally: q.Tally) -> tuple[Unit, Unit | None, Unit | None]:
        raw = Unit("", self.words("row.total"), tally.counts)
        if not differ(raw.split, Split.of(tally.cleaned())):
            return raw, None, None
        return (
            raw,
            Unit("cleaned", self.words("row.cleaned"), tally.cleaned()),
            Unit("flagged", self.words("row.flagged"), tally.flagged),
        )

    def _rows(
        self, by: By, scope: q.Scope, before: q.Scope | None, extent: Period
    ) -> tuple[list[Unit], set[str]]:
        tallies = q.tallies(self.db, scope, (by,))
        then = q.tallies(self.db, before, (by,)) if before else {}
        name = self.namer(by)
        rows = []
        for (key,), tally in tallies.items():
            row = Unit(key, name(key), tally.counts)
            if before:
                row.before = then.get((key,), q.Tally()).counts
            row.extra["days_to_30"] = self._days_to_30(row.n, scope.period, extent)
            rows.append(row)
        self._describe(by, rows, scope)
        if by in ("location", "service"):
            self._tell_history(by, rows, scope, extent)
        return rows, {key for (key,) in tallies}

    def _describe(self, by: By, rows: list[Unit], scope: q.Scope) -> None:
        """What only some breakdowns say of their rows."""
        if by in ("service", "municipality"):
            units = q.distinct(self.db, scope, by, "location")
            for row in rows:
                row.extra["units"] = len(units.get(row.key, ()))
        elif by == "channel":
            statements = q.distinct(self.db, scope, "channel", "question", "statements")
            services = q.distinct(self.db, scope, "channel", "service")
            for row in rows:
                row.extra["statements"] = len(statements.get(row.key, ()))
                row.extra["services"] = len(services.get(row.key, set()) - {""})
        elif by == "survey":
            for row in rows:
                row.extra["question"] = self.words.pick(self.names.wording(row.key, NPS))
        elif by == "device":
            for row in rows:
                found = self.devices.get(row.key)
                row.extra["location"] = found.location if found else ""

    def _tell_history(self, by: str, rows: list[Unit], scope: q.Scope, extent: Period) -> None:
        """Former names that held in the period, and merged services that answers came under."""
        days = Period(scope.period.first or extent.first, scope.period.last or extent.last)
        name = self.namer(by)
        came: set[str] = set()
        if by == "service" and self.names.mergers:
            came = {key for (key,) in q.tallies(self.db, replace(scope, merged={}), (by,))}
        for row in rows:
            row.formerly = [
                Part("", self.words.pick(former.names, row.key), date.fromisoformat(former.until))
                for former in formerly(self.names.formerly[by], row.key, days)
            ]
            row.includes = [
                Part(key, name(key), date.fromisoformat(merger.until) if merger.until else None)
                for key, merger in sorted(self.names.mergers.items())
                if merger.into == row.key and key in came and by == "service"
            ]

    def namer(self, by: str) -> Callable[[str], str]:
        """How the keys of one breakdown are called in this language."""
        words, names = self.words, self.names

        def device(key: str) -> str:
            return self.devices[key].name if key in self.devices else key

        def location(key: str) -> str:
            return words.pick(names.locations.get(key, ({}, ""))[0], key)

        def service(key: str) -> str:
            if key == OTHER and key not in names.services:
                return words("other")
            return words.pick(names.services.get(key, {}), key)

        def channel(key: str) -> str:
            return words(f"channel.{key}") if words.has(f"channel.{key}") else key

        def theme(key: str) -> str:
            return words(f"theme.{key}") if words.has(f"theme.{key}") else key

        found: Mapping[str, Callable[[str], str]] = {
            "device": device,
            "location": location,
            "service": service,
            "channel": channel,
            "month": words.month,
            "theme": theme,
        }
        plain = found.get(by, str)
        return lambda key: plain(key) if key or by == "theme" else words("not_stated")

    def _days_to_30(self, n: int, period: Period, extent: Period) -> int | None:
        """Days until 30 answers at this pace; None when there are, or the period is over."""
        first = max((d for d in (period.first, extent.first) if d), default=None)
        over = period.last is not None and period.last < self.today
        if n >= FROM_FULL or n == 0 or first is None or over:
            return None
        elapsed = max(1, (self.today - first).days + 1)
        return math.ceil((FROM_FULL - n) * elapsed / n)

    def _questions(self, surveys: list[str]) -> list[tuple[tuple[str, ...], dict[str, str]]]:
        """Surveys by the wording of their 0-10 question: a changed wording is not comparable."""
        found: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for survey in surveys:
            wording = self.names.wording(survey, NPS)
            found.setdefault(tuple(sorted(wording.items())), []).append(survey)
        return [(tuple(refs), dict(wording)) for wording, refs in found.items()]

    # --- the faces -----------------------------------------------------------------------------

    def _on_faces(self, by: str, scope: q.Scope) -> list[Unit]:
        """Statements by their wording, or themes pooling theirs."""
        groups: dict[tuple[str, ...], tuple[q.Tally, set[str], dict[str, str]]] = {}
        tallies = q.tallies(self.db, scope, ("survey", "question"), "statements")
        for (survey, question), tally in sorted(tallies.items()):
            theme = self.names.surveys.get(survey, {}).get(question, "")
            wording = self.names.wording(survey, question)
            key: tuple[str, ...] = (theme,)
            if by == "statement":
                key = (question, theme, *(f"{k}={v}" for k, v in sorted(wording.items())))
            pooled, refs, _ = groups.setdefault(key, (q.Tally(), set(), wording))
            pooled.add(tally)
            refs.add(survey)
        several = Counter(key[0] for key in groups)
        rows = []
        for key, (tally, refs, wording) in groups.items():
            surveys = ", ".join(sorted(refs))
            if by == "theme":
                row = Unit(key[0], self.namer("theme")(key[0]), tally.counts)
            else:
                row = Unit(key[0], self.words.pick(wording, key[0]), tally.counts)
                row.extra["theme"] = key[1]
                row.extra["theme_name"] = self.namer("theme")(key[1])
                if several[key[0]] > 1:
                    # Another wording is another question: the surveys tell the rows apart.
                    row.key, row.name = f"{row.key} ({surveys})", f"{row.name} ({surveys})"
            row.extra["surveys"] = surveys
            rows.append(row)
        return rows

    def _satisfied(self, scope: q.Scope) -> Unit | None:
        tally = _pooled(q.tallies(self.db, scope, (), SATISFIED).values())
        return Unit(SATISFIED, self.words("row.satisfied"), tally.counts) if tally.n else None

    # --- what stands apart -----------------------------------------------------------------------

    def _apart(self, by: By, seen: set[str], extent: Period, scope: q.Scope) -> list[Apart]:
        known: set[str] = set()
        if by == "device":
            known = {k for k, d in self.devices.items() if d.state not in ("retired", "revoked")}
            if "location" in scope.only:
                known = {k for k in known if self.devices[k].location == scope.only["location"]}
        elif by == "location":
            known = set(self.names.locations)
        elif by == "municipality":
            known = {municipality for _, municipality in self.names.locations.values()} - {""}
        elif by == "service":
            known = self._services_given(scope.period) - set(self.names.mergers)
        elif by == "month":
            known = set(_months(extent))
        name = self.namer(by)
        found = [Apart(key, name(key)) for key in known - seen]
        return sorted(found, key=lambda a: (self.words.sort_key(a.name), a.key))

    def _services_given(self, period: Period) -> set[str]:
        """The services that were given on some day of a period."""
        first, last = period.first or date.min, period.last or date.max
        return {
            id_
            for id_, given in self.names.given.items()
            if (given.first or date.min) <= last and (given.last or date.max) >= first
        }

    def silent(self) -> list[Silent]:
        """Devices in use that have not been in contact for a day, opening hours considered."""
        found = [
            Silent(d.id, d.name, d.last_seen)
            for d in standing.fleet(self.db, self.now)
            if d.silent or (d.registered in ("active", "enrolled") and d.last_seen is None)
        ]
        return sorted(found, key=lambda s: (self.words.sort_key(s.name), s.key))

    # --- order ---------------------------------------------------------------------------------

    def _order(self, report: Report, sort: Sort | None, descending: bool | None) -> None:
        """Names rise, figures fall, unless said otherwise; months stand in their order."""

        # "Other" comes last, as on the screen, and behind it what nobody stated.
        last = {OTHER: 1, "": 2}

        def alphabetical(row: Unit) -> tuple[int, str, str]:
            if report.by == "month":
                return 0, row.key, ""
            return last.get(row.key, 0), self.words.sort_key(row.name), row.key

        def figure(row: Unit) -> float:
            if sort == "count":
                return row.n
            if sort == "nps" and report.on_faces:
                return row.fives / row.n if row.n else -math.inf
            value = row.mean if sort == "mean" else row.split.nps
            return -math.inf if value is None else float(value)

        report.rows.sort(key=alphabetical, reverse=sort in (None, "name") and bool(descending))
        if sort not in (None, "name"):
            report.rows.sort(key=figure, reverse=descending is not False)


def _pooled(tallies: Iterable[q.Tally]) -> q.Tally:
    total = q.Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _months(extent: Period) -> Iterable[str]:
    """`YYYY-MM` from the first day to the last."""
    if not extent.first or not extent.last:
        return
    day = date(extent.first.year, extent.first.month, 1)
    while day <= extent.last:
        yield f"{day:%Y-%m}"
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
