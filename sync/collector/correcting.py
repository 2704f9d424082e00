"""Corrections: what a device gathered in a window counts for another location.

For a device that was carried away before IT heard. The answers stay as they were given; the rule is
kept, and every count goes by it (`tally.Places.where`), so late arrivals and `rebuild` agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sync.collector import audit, dated, times
from sync.collector.admin_messages import Correction, CorrectionPut, Done
from sync.collector.catalogue import touch
from sync.collector.codes import lock
from sync.collector.places import Correction as Rule
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

    def add(self, who: str, put: CorrectionPut) -> Done:
        """Make a correction; said again while it is the device's newest, it is the same one."""
        since, until = _bound(put.since, "from"), _bound(put.until, "to")
        empty = until < since if len(until) == _DAY else until <= since
        if len(since) == len(until) and empty:
            raise RefusedError("bad_envelope", f"to {put.until} is before from {put.since}")

        def work(tx: Tx) -> Done:
            lock(tx, put.device)
            if tx.row("select 1 from locations where id = ?", (put.location,)) is None:
                raise RefusedError("not_found", f"no location {put.location} in the catalogue")
            row = (put.device, since, until, put.location)
            newest = tx.row(
                "select device, since, until, location, no from corrections "
                "where device = ? and withdrawn_ms is null order by no desc",
                (put.device,),
            )
            if newest is not None and newest[:4] == row:
                return Done(put.device, id=newest[4])
            old = catalogue(tx).places
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
            return Done(put.device, id=no)

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
