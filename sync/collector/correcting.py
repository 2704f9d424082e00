"""Corrections: what a device gathered in a window counts for another location.

For a device that was carried away before IT heard. The answers stay as they were given; the rule is
kept, and every count goes by it (`tally.Places.where`), so late arrivals and `rebuild` agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sync.collector import audit, dated, times
from sync.collector.admin_messages import Corrected, Correction, CorrectionPut, Done
from sync.collector.catalogue import touch
from sync.collector.codes import lock
from sync.collector.places import Correction as Rule
from sync.collector.places import Places
from sync.collector.reading import RefusedError
from sync.collector.states import catalogue, recount
from sync.collector.store import Store, Tx
from sync.collector.store.tx import Row

_DAY: Final = len("2026-03-02")
_LISTED: Final = (
    "select no, device, since, until, location, reason, made_by, made_ms, withdrawn_by, "
    "withdrawn_ms from corrections order by no"
)


class Corrections:
    """The operations behind `/v1/admin/corrections`."""

    def __init__(self, store: Store, *, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    def add(self, who: str, put: CorrectionPut) -> Corrected:
        """Make a correction, or with `dry_run` say what it would touch.

        Said again while it is the device's newest, it is the same one.
        """
        since, until = _bound(put.since, "from"), _bound(put.until, "to")
        empty = until < since if len(until) == _DAY else until <= since
        if len(since) == len(until) and empty:
            raise RefusedError("bad_envelope", f"to {put.until} is before from {put.since}")

        def work(tx: Tx) -> Corrected:
            lock(tx, put.device)
            if tx.row("select 1 from locations where id = ?", (put.location,)) is None:
                raise RefusedError("not_found", f"no location {put.location} in the catalogue")
            row = (put.device, since, until, put.location)
            newest = tx.row(
                "select device, since, until, location, no from corrections "
                "where device = ? and withdrawn_ms is null order by no desc",
                (put.device,),
            )
            old = catalogue(tx).places
            known = newest[4] if newest is not None and newest[:4] == row else 0
            touched = _touched(tx, row, old, known)
            if known or put.dry_run:
                return touched
            no = tx.value(
                "insert into corrections(device, since, until, location, reason, made_by, made_ms) "
                "values (?, ?, ?, ?, ?, ?, ?) returning no",
                (*row, put.reason, who, self._now_ms()),
            )
            touch(tx)
            new = catalogue(tx).places
            visits = _visits(tx, put.device, since, until, put.location)
            changed = recount(tx, {put.device: visits}, old, new)
            _note(tx, (self._now_ms(), who, "correction.add"), no, row, changed)
            touched.id = no
            return touched

        return self._store.transact(work)

    def withdraw(self, who: str, no: int) -> Done:
        """Take a correction back; it stays in the list. Raises RefusedError: not_found."""

        def work(tx: Tx) -> Done:
            found = tx.row(
                "select device, since, until, location from corrections where no = ?", (no,)
            )
            if found is None:
                raise RefusedError("not_found", f"no correction {no}")
            device, since, until, location = found
            lock(tx, device)
            old = catalogue(tx).places
            withdrawn = tx.run(
                "update corrections set withdrawn_by = ?, withdrawn_ms = ? "
                "where no = ? and withdrawn_ms is null",
                (who, self._now_ms(), no),
            )
            if withdrawn:
                touch(tx)
                new = catalogue(tx).places
                visits = _visits(tx, device, since, until, location)
                changed = recount(tx, {device: visits}, old, new)
                row = (device, since, until, location)
                _note(tx, (self._now_ms(), who, "correction.withdraw"), no, row, changed)
            return Done(device, id=no)

        return self._store.transact(work)

    def listed(self) -> list[Correction]:
        """Every correction, withdrawn ones too, in the order they were made."""
        with self._store.read() as connection:
            rows = Tx(connection).rows(_LISTED)
        return [_listed(row) for row in rows]


class _Given(NamedTuple):
    """An answer in a window."""

    device: str
    visit: str
    location: str
    day: str
    instant_ms: int


def _touched(tx: Tx, row: tuple[str, str, str, str], places: Places, no: int) -> Corrected:
    """What the rule `row` takes to another location than `places` do."""
    device, since, until, location = row
    rule = Rule.of(since, until, location)
    given = tx.rows(
        "select a.device, a.visit, a.location, a.day, a.instant_ms from answers a "
        "join visits v on v.device = a.device and v.visit = a.visit "
        "where a.device = ? and a.day >= ? and a.day <= ? and a.instant_ms >= ? "
        "and a.instant_ms < ? and a.kind <> 'withdrawn' and not v.test",
        (device, rule.first, rule.last, rule.from_ms, rule.to_ms),
    )
    taken = [(answer, places.where(answer)) for answer in (_Given(*found) for found in given)]
    taken = [(answer, where) for answer, where in taken if where != location]
    return Corrected(
        device,
        no,
        visits=len({answer.visit for answer, _ in taken}),
        answers=len(taken),
        instead_of=sorted({where for _, where in taken}),
    )


def _listed(row: Row) -> Correction:
    fields = dict(zip(Correction.__struct_fields__, row, strict=True))
    at, withdrawn = fields["at"], fields["withdrawn_at"]
    fields["at"] = times.iso(at)
    fields["withdrawn_at"] = None if withdrawn is None else times.iso(withdrawn)
    return Correction(**fields)


def _note(
    tx: Tx, deed: tuple[int, str, str], no: int, row: tuple[str, str, str, str], changed: int
) -> None:
    device, since, until, location = row
    detail = {"id": no, "device": device, "from": since, "to": until, "location": location}
    audit.note(tx, *deed, {**detail, "visits": changed})


def _bound(text: str, name: str) -> str:
    """A local day as it is, an instant in UTC. Raises RefusedError for anything else."""
    if len(text) == _DAY:
        try:
            dated.check((text,), name)
        except ValueError as error:
            raise RefusedError("bad_envelope", str(error)) from None
        return text
    ms = times.wall_ms(text)
    if ms is None:
        raise RefusedError(
            "bad_envelope", f"{name} {text!r} is neither a day nor an ISO 8601 time with offset"
        )
    return times.iso(ms)


def _visits(tx: Tx, device: str, since: str, until: str, location: str) -> set[str]:
    """The device's visits with an answer in the window."""
    rule = Rule.of(since, until, location)
    return {
        row[0]
        for row in tx.rows(
            "select distinct visit from answers where device = ? "
            "and day >= ? and day <= ? and instant_ms >= ? and instant_ms < ?",
            (device, rule.first, rule.last, rule.from_ms, rule.to_ms),
        )
    }
