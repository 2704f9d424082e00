"""Rebuilding, verifying, and what a restore from a backup needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from sync.collector import audit, keyring, purge
from sync.collector.ingest import here
from sync.collector.marking import changes, mark_whole, pending
from sync.collector.places import Places
from sync.collector.reading import reread
from sync.collector.states import (
    ANSWER_COLUMNS,
    DAILY_KEY,
    HOURLY_KEY,
    VISIT_COLUMNS,
    catalogue,
    hold,
    save,
    save_counts,
)
from sync.collector.store import Store, Tx
from sync.collector.tally import (
    AnswerRow,
    Difference,
    State,
    VisitRow,
    answer_row,
    end_row,
    summary,
)
from sync.collector.times import Moment
from sync.contract import records

_CHUNK: Final = 500
_RECORDS: Final = (
    "select visit, id, raw, instant_ms, quality, day, hour from records "
    "where device = ? and code = '' order by visit, id"
)


def _states(tx: Tx, device: str) -> Iterator[State]:
    """Every visit of a device, from its records; what was purged, from the rows kept."""
    kept: dict[str, AnswerRow] = {
        row[ANSWER_COLUMNS.index("id")]: AnswerRow(*row)
        for row in tx.rows(
            f"select {', '.join(ANSWER_COLUMNS)} from answers where device = ? "  # noqa: S608
            "and id in (select id from records where device = ? and raw is null)",
            (device, device),
        )
    }
    marks: dict[str, str] = dict(
        tx.rows(
            "select visit, centre_flags from visits where device = ? and centre_flags <> ''",
            (device,),
        )
    )
    rows = tx.rows(_RECORDS, (device,))
    for visit, group in groupby(rows, key=lambda row: row[0]):
        state = State(device, visit, centre_flags=marks.get(visit, ""))
        for _, id_, raw, *at in group:
            if raw is None:
                if id_ in kept:
                    state.take_answer(kept[id_])
                continue
            record, _code = reread(bytes(raw))
            if isinstance(record, records.Answer):
                state.take_answer(answer_row(device, id_, record, Moment(*at)))
            elif record is not None:
                state.take_end(end_row(id_, record, Moment(*at)))
        yield state


def _devices(tx: Tx) -> list[str]:
    return [row[0] for row in tx.rows("select distinct device from records order by device")]


def _readable_now(tx: Tx) -> int:
    """Let what an older program put in quarantine count, where this one can read it."""
    released = 0
    for no, device, epoch, raw in tx.rows(
        "select no, device, epoch, raw from records where code <> '' and raw is not null"
    ):
        record, code = reread(bytes(raw))
        if record is None or code:
            continue
        tx.run("update records set code = '', visit = ? where no = ?", (record.visit, no))
        tx.run(
            "update epochs set quarantined = quarantined - 1 where device = ? and epoch = ?",
            (device, epoch),
        )
        released += 1
    return released


def _rebuild_device(tx: Tx, device: str, places: Places, difference: Difference) -> tuple[int, int]:
    """One device's visits and answers anew; how many there are."""
    visits: list[VisitRow] = []
    answers: list[AnswerRow] = []
    for state in _states(tx, device):
        row = summary(state, places)
        visits.append(row)
        answers.extend(state.answers.values())
        difference.add(state, row, places)
    for table in ("visits", "answers"):
        tx.run(f"delete from {table} where device = ?", (device,))  # noqa: S608
    for start in range(0, len(visits), _CHUNK):
        save(tx, visits[start : start + _CHUNK], ())
    for start in range(0, len(answers), _CHUNK):
        save(tx, (), answers[start : start + _CHUNK])
    return len(visits), len(answers)


def rebuild(store: Store, *, now_ms: int) -> dict[str, Any]:
    """Compute visits, answers, counts and the centre's flags anew, in one transaction."""

    def work(tx: Tx) -> dict[str, Any]:
        # On PostgreSQL a centre may run: its batches wait.
        hold(tx)
        released = _readable_now(tx)
        places = catalogue(tx).places
        difference = Difference()
        visits = answers = 0
        devices = _devices(tx)
        for table in ("visits", "answers"):
            condition, listed = tx.among("device", devices)
            tx.run(f"delete from {table} where not ({condition})", (listed,))  # noqa: S608
        for device in devices:
            found = _rebuild_device(tx, device, places, difference)
            visits += found[0]
            answers += found[1]
        for table in ("daily_counts", "hourly_counts"):
            tx.run(f"delete from {table}")  # noqa: S608 - our own names
        save_counts(tx, difference)
        marked = mark_whole(tx, devices, places)
        done = {"visits": visits, "answers": answers, "released": released, "marks": marked}
        audit.note(tx, now_ms, "command line", "rebuild", done)
        return done

    return store.transact(work)


def _diff(name: str, stored: Iterable[Sequence[Any]], wanted: Iterable[Sequence[Any]]) -> list[str]:
    there, should = Counter(map(tuple, stored)), Counter(map(tuple, wanted))
    missing, extra = should - there, there - should
    lines = []
    if missing:
        lines.append(f"{name}: {missing.total()} missing, first {_shown(next(iter(missing)))}")
    if extra:
        lines.append(f"{name}: {extra.total()} too many, first {_shown(next(iter(extra)))}")
    return lines


def _shown(row: tuple[Any, ...]) -> str:
    return " ".join(str(x) for x in row[:5])


def _verify_device(tx: Tx, device: str, places: Places, difference: Difference) -> list[str]:
    visits: list[VisitRow] = []
    answers: list[AnswerRow] = []
    for state in _states(tx, device):
        row = summary(state, places)
        visits.append(row)
        answers.extend(state.answers.values())
        difference.add(state, row, places)
    return [
        *_diff(
            "visits",
            tx.rows(
                f"select {', '.join(VISIT_COLUMNS)} from visits where device = ?",  # noqa: S608
                (device,),
            ),
            visits,
        ),
        *_diff(
            "answers",
            tx.rows(
                f"select {', '.join(ANSWER_COLUMNS)} from answers where device = ?",  # noqa: S608
                (device,),
            ),
            answers,
        ),
    ]


def gaps(tx: Tx, device: str, epoch: str, have: int) -> list[tuple[int, int]]:
    """The ranges of positions at or below `have` where nothing is: what was lost."""
    found = []
    expected = 1
    for (seq,) in tx.rows(
        "select seq from records where device = ? and epoch = ? and seq <= ? union "
        "select seq from exceptions where device = ? and epoch = ? and seq <= ? order by seq",
        (device, epoch, have, device, epoch, have),
    ):
        if seq > expected:
            found.append((expected, seq - 1))
        expected = seq + 1
    if expected <= have:
        found.append((expected, have))
    return found


def _verify_epochs(tx: Tx) -> tuple[list[str], list[str]]:
    differences, lost = [], []
    actual = {
        (device, epoch): (stored, quarantined)
        for device, epoch, stored, quarantined in tx.rows(
            "select device, epoch, count(*), sum(case when code <> '' then 1 else 0 end) "
            "from records group by device, epoch"
        )
    }
    for device, epoch, have, stored, quarantined, said_lost in tx.rows(
        "select device, epoch, have, stored, quarantined, lost from epochs order by device, epoch"
    ):
        name = f"{device} {epoch}"
        if actual.pop((device, epoch), (0, 0)) != (stored, quarantined):
            differences.append(f"epochs: {name} counts other records than there are")
        missing = have - here(tx, device, epoch, have)
        if missing != said_lost:
            differences.append(f"epochs: {name} lacks {missing} positions, says {said_lost}")
        if missing:
            ranges = ", ".join(f"{a}-{b}" for a, b in gaps(tx, device, epoch, have))
            lost.append(f"{name}: {missing} ({ranges})")
    differences += [f"epochs: records of {device} {epoch} have none" for device, epoch in actual]
    return differences, lost


def verify(store: Store) -> dict[str, Any]:
    """Raw records against visits, answers, counts and epochs, in one snapshot."""
    with store.snapshot() as connection:
        return _verify(Tx(connection))


def _verify(tx: Tx) -> dict[str, Any]:
    places = catalogue(tx).places
    difference = Difference()
    differences = []
    devices = _devices(tx)
    waiting = set(pending(tx))
    for device in devices:
        differences += _verify_device(tx, device, places, difference)
        if device not in waiting and (wrong := changes(tx, device)[0]):
            differences.append(f"flags: {device} has {len(wrong)} others, first {wrong[0].visit}")
    for table, key, wanted in (
        ("daily_counts", DAILY_KEY, difference.daily()),
        ("hourly_counts", HOURLY_KEY, difference.hourly()),
    ):
        stored = tx.rows(f"select {', '.join(key)}, n from {table}")  # noqa: S608
        differences += _diff(table, stored, wanted)
    of_epochs, lost = _verify_epochs(tx)
    return {
        "devices": len(devices),
        "records": tx.value("select count(*) from records"),
        "quarantined": tx.value("select count(*) from records where code <> ''"),
        "flags pending": len(waiting),
        "lost": lost,
        "differences": differences + of_epochs,
    }


def restored(
    store: Store,
    revocations: Sequence[tuple[str, str]],
    *,
    now_ms: int,
    text_days: int | None = None,
) -> dict[str, Any]:
    """Purge again, reapply revocations the backup has forgotten, close the codes it has reopened.

    Without `text_days` text is kept as long as the last purge in the backup's audit log kept it;
    where there never was one, none is purged. One transaction: a centre cannot start half-way.
    """

    def work(tx: Tx) -> dict[str, Any]:
        days = purge.last_days(tx) if text_days is None else text_days
        purged = None if days is None else purge.purge_in(tx, days=days, now_ms=now_ms)
        for device, reason in revocations:
            keyring.revoke(tx, device, reason or "revoked before the restore", now_ms)
        closed = tx.run(
            "update codes set cancelled_ms = ? where confirmed_ms is null and cancelled_ms is null",
            (now_ms,),
        )
        done = {
            "text days": days,
            "purged": purged["records"] if purged else 0,
            "revoked": [device for device, _ in revocations],
            "codes closed": closed,
        }
        audit.note(tx, now_ms, "command line", "restored", done)
        return done

    return store.transact(work)
