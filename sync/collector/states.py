"""Loading and saving what visits amount to, and the counts that follow from them."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sync.collector.places import Places
from sync.collector.store import tables
from sync.collector.store.tx import Tx, columns_of
from sync.collector.tally import (
    AnswerRow,
    Difference,
    EndRow,
    State,
    VisitRow,
    summary,
)
from sync.collector.times import DEFAULT_ZONE, Moment

VISIT_COLUMNS: Final = columns_of(tables.visits)
ANSWER_COLUMNS: Final = columns_of(tables.answers)
DAILY_KEY: Final = columns_of(tables.daily_counts, "n")
HOURLY_KEY: Final = columns_of(tables.hourly_counts, "n")
_VISITS: Final = ", ".join(VISIT_COLUMNS)
_ANSWERS: Final = ", ".join(ANSWER_COLUMNS)
_CHUNK: Final = 500
"""Visits recounted at once."""


@dataclass(frozen=True)
class Catalogue:
    """What ingest needs to know of the locations."""

    version: str
    places: Places
    zones: dict[str, str]
    zone: str
    """The organisation's, for a location nobody has described."""

    def zone_of(self, location: str) -> str:
        """A location's time zone."""
        return self.zones.get(location, self.zone)


def catalogue(tx: Tx, known: Catalogue | None = None) -> Catalogue:
    """The catalogue, read again only when it has changed."""
    version = tx.value("select value from meta where key = 'catalogue'") or ""
    if known is not None and known.version == version:
        return known
    return Catalogue(
        version,
        Places(
            tx.rows("select location, since, municipality, service from places"),
            tx.rows(
                "select device, since, until, location from corrections "
                "where withdrawn_ms is null order by no"
            ),
        ),
        dict(tx.rows("select id, timezone from locations")),
        tx.value("select timezone from organisation") or DEFAULT_ZONE,
    )


def state_of(row: VisitRow, answers: Iterable[AnswerRow]) -> State:
    """The state behind a visit's row and its answers."""
    end = None
    if row.end_id:
        end = EndRow(
            row.end_id,
            row.how,
            row.duration_ms or 0,
            row.shown,
            row.skipped,
            row.selection,
            row.end_flags,
            row.end_test,
            Moment(row.end_ms or 0, "synced", row.end_day, -1),
        )
    return State(row.device, row.visit, {a.question: a for a in answers}, end, row.centre_flags)


def load(tx: Tx, device: str, visits: Collection[str]) -> dict[str, tuple[State, VisitRow]]:
    """The known ones among a device's visits."""
    condition, listed = tx.among("visit", visits)
    found = tx.rows(
        f"select {_VISITS} from visits where device = ? and {condition}",  # noqa: S608 - our own names
        (device, listed),
    )
    if not found:
        return {}
    rows = [VisitRow(*row) for row in found]
    condition, listed = tx.among("visit", [row.visit for row in rows])
    answers: dict[str, list[AnswerRow]] = {}
    for row in tx.rows(
        f"select {_ANSWERS} from answers where device = ? and {condition}",  # noqa: S608 - our own names
        (device, listed),
    ):
        answer = AnswerRow(*row)
        answers.setdefault(answer.visit, []).append(answer)
    return {row.visit: (state_of(row, answers.get(row.visit, ())), row) for row in rows}


def save_counts(tx: Tx, difference: Difference) -> None:
    """Apply a difference to the counts."""
    tx.add_counts("daily_counts", DAILY_KEY, difference.daily())
    tx.add_counts("hourly_counts", HOURLY_KEY, difference.hourly())


def save(
    tx: Tx,
    visits: Collection[VisitRow],
    answers: Collection[AnswerRow],
    *,
    fresh: Container[str] = (),
) -> None:
    """Write visits and answers, replacing what they were; `fresh` visits are not there yet."""
    for table, columns, key, rows in (
        ("visits", VISIT_COLUMNS, ("device", "visit"), visits),
        ("answers", ANSWER_COLUMNS, ("device", "visit", "question"), answers),
    ):
        tx.insert(table, columns, [row for row in rows if row.visit in fresh])
        tx.upsert(table, columns, key, [row for row in rows if row.visit not in fresh])


def hold(tx: Tx, device: str = "") -> None:
    """Keep batches out until this transaction ends: of one device, or of all.

    Whoever changes what answers count as must see every answer, or be seen by it.
    """
    if not tx.sqlite:
        where = " where id = ?" if device else ""
        tx.rows(
            f"select id from devices{where} order by id for update",  # noqa: S608 - our own text
            (device,) if device else (),
        )


def touched_by_places(tx: Tx, places: Places, changed: Mapping[str, str]) -> dict[str, set[str]]:
    """Device -> its visits with an answer that may count for a changed location.

    `changed`: location -> the day (ISO, '' = the first) from which it is another.
    """
    corrected = {device for location in changed for device in places.corrected(location)}
    of_device, devices = tx.among("device", corrected)
    of_location, locations = tx.among("location", changed)
    touched: dict[str, set[str]] = {}
    for device, visit in tx.rows(
        "select distinct device, visit from answers "  # noqa: S608 - our own names
        f"where day >= ? and ({of_location} or {of_device})",
        (min(changed.values()), locations, devices),
    ):
        touched.setdefault(device, set()).add(visit)
    return touched


def recount(tx: Tx, touched: Mapping[str, Collection[str]], old: Places, new: Places) -> int:
    """Recompute visits that other places or corrections touch; returns how many changed."""
    changed = 0
    for device, visits in touched.items():
        listed = sorted(visits)
        for start in range(0, len(listed), _CHUNK):
            difference = Difference()
            rows = []
            for state, before in load(tx, device, listed[start : start + _CHUNK]).values():
                after = summary(state, new)
                difference.remove(state, before, old)
                difference.add(state, after, new)
                if after != before:
                    rows.append(after)
            changed += len(rows)
            save(tx, rows, ())
            save_counts(tx, difference)
    return changed
