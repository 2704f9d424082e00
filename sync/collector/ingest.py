"""Taking in a batch: one transaction, and the receipt that follows its commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sync.collector import keyring
from sync.collector.counting import count
from sync.collector.reading import Entry, Prepared, RefusedError
from sync.collector.states import Catalogue, catalogue
from sync.collector.store import Store, tables
from sync.collector.store.tx import Tx, columns_of
from sync.collector.times import Envelope, Moment, iso, local, moment
from sync.contract import records, wire

RECORD_COLUMNS: Final = columns_of(tables.records, "no", "purged_ms")
_EPOCH_COLUMNS: Final = columns_of(tables.epochs)
NEW_EPOCHS_A_DAY: Final = 50
"""More outbox files a day than any disk trouble explains."""
_DAY_MS: Final = 86_400_000


@dataclass
class EpochRow:
    """A row of `epochs`, in the table's column order."""

    device: str
    epoch: str
    have: int = 0
    tail: int = 0
    top: int = 0
    stored: int = 0
    quarantined: int = 0
    held: int = 0
    lost: int = 0
    forks: int = 0
    conflicts: int = 0
    new_epoch: bool = False
    key: str = ""
    first_ms: int = 0
    last_ms: int = 0


@dataclass(frozen=True)
class Told:
    """The `have` of the last receipt for an epoch, and the batch it answered."""

    have: int
    digest: str


@dataclass
class Outcome:
    """What a batch came to; the receipt is made of it after the commit."""

    epoch: EpochRow
    config: int
    zone: str
    accepted: int = 0
    exceptions: list[wire.ExceptionItem] = field(default_factory=list)


class Ingest:
    """The only door into `records`."""

    def __init__(
        self,
        store: Store,
        *,
        now_ms: Callable[[], int],
        after_s: Callable[[], float],
        turn_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`after_s` and `turn_s` say when the next batch is wanted of a device that has sent all,
        and of one that has more.
        """
        self._store = store
        self._now_ms = now_ms
        self._after_s = after_s
        self._turn_s = turn_s
        self._catalogue: Catalogue | None = None
        self._told: dict[tuple[str, str], Told] = {}
        self._mutex = threading.Lock()

    def take(self, key: str, prepared: Prepared) -> tuple[wire.Receipt, Outcome]:
        """Store a batch signed by `key` and return its receipt.

        Raises RefusedError (the key may not), StoreError (not writable, not acknowledged).
        """
        received = self._now_ms()
        outcome = self._store.transact(lambda tx: self._transaction(tx, key, prepared, received))
        batch, epoch = prepared.batch, outcome.epoch
        with self._mutex:
            self._told[epoch.device, epoch.epoch] = Told(epoch.have, prepared.digest)
        last = batch.items[-1].seq if batch.items else batch.tail_seq
        receipt = wire.Receipt(
            v=wire.VERSION,
            centre=batch.centre,
            digest=prepared.digest,
            epoch=batch.epoch,
            received_at=iso(received),
            have=epoch.have,
            exceptions=outcome.exceptions,
            new_epoch=bool(epoch.new_epoch),
            next=wire.Next(after_s=self._turn_s() if last < batch.tail_seq else self._after_s()),
            config=outcome.config,
        )
        return receipt, outcome

    def _transaction(self, tx: Tx, key: str, prepared: Prepared, received: int) -> Outcome:
        batch = prepared.batch
        # The first statement locks the device's row: batches of one device take turns.
        device, version, location = keyring.lock(tx, key, received, prepared.status)
        self._catalogue = known = catalogue(tx, self._catalogue)
        epoch = self._epoch(tx, device, key, batch.epoch, received)
        keyring.may_post(tx, key, device, epoch.key, received)
        envelope = Envelope(received, batch.boot, batch.sent_boottime_ms, batch.clocks)
        taking = _Taking(tx, known, epoch, envelope, known.zone_of(location))
        taking.entries(prepared.entries)
        taking.held(prepared.held)
        taking.positions(batch, self._seen(device, prepared))
        epoch.last_ms = received
        tx.upsert(
            "epochs",
            _EPOCH_COLUMNS,
            ("device", "epoch"),
            [tuple(getattr(epoch, name) for name in _EPOCH_COLUMNS)],
        )
        return Outcome(
            epoch, version, known.zone, taking.accepted, sorted(taking.told, key=lambda e: e.seq)
        )

    def _epoch(self, tx: Tx, device: str, key: str, name: str, received: int) -> EpochRow:
        found = tx.row(
            f"select {', '.join(_EPOCH_COLUMNS)} from epochs where device = ? and epoch = ?",  # noqa: S608
            (device, name),
        )
        if found is not None:
            return EpochRow(*found)
        recent = tx.value(
            "select count(*) from epochs where device = ? and first_ms > ?",
            (device, received - _DAY_MS),
        )
        if recent >= NEW_EPOCHS_A_DAY:
            raise RefusedError(
                "slow_down", "too many new outbox files in one day", retry_after_s=3600
            )
        return EpochRow(device, name, key=key, first_ms=received)

    def _seen(self, device: str, prepared: Prepared) -> int | None:
        """The `have` the device is known to have read when it wrote this batch.

        Only relative to that does its `first_seq` tell what it has pruned: a centre restored from
        a backup must first make the device rewind, never book what the device still has.
        """
        stated = prepared.batch.status.get("have")
        if isinstance(stated, int) and not isinstance(stated, bool):
            return stated
        with self._mutex:
            told = self._told.get((device, prepared.batch.epoch))
        if told is None or told.digest == prepared.digest:
            return None
        return told.have


class _Taking:
    """One batch inside its transaction."""

    def __init__(
        self, tx: Tx, known: Catalogue, epoch: EpochRow, envelope: Envelope, zone: str
    ) -> None:
        self.tx = tx
        self.known = known
        self.epoch = epoch
        self.envelope = envelope
        self.zone = zone
        self.accepted = 0
        self.told: list[wire.ExceptionItem] = []
        self._where = (epoch.device, epoch.epoch)
        self._below = False  # whether anything arrived at or below `have`

    # --- records ----------------------------------------------------------------------------------

    def entries(self, entries: list[Entry]) -> None:
        """Store the records, and count those that can be read."""
        if not entries:
            return
        self._below = entries[0].seq <= self.epoch.have
        fresh = self._fresh(entries)
        rows = []
        counted: list[tuple[Entry, Moment]] = []
        for entry, fork in fresh:
            at = self._moment(entry)
            visit = entry.record.visit if entry.record is not None else ""
            rows.append(
                (
                    *(self.epoch.device, entry.id, self.epoch.epoch, entry.seq, fork),
                    *(entry.sha256, entry.raw, entry.code, visit),
                    *at,
                    self.envelope.received_ms,
                )
            )
            if entry.code:
                self.told.append(wire.ExceptionItem(entry.seq, "quarantined", entry.code))
                self.epoch.quarantined += 1
            else:
                counted.append((entry, at))
        self.tx.insert("records", RECORD_COLUMNS, rows)
        self.epoch.stored += len(rows)
        self.accepted = len(rows)
        count(self.tx, self.known, self.epoch.device, counted)

    def _moment(self, entry: Entry) -> Moment:
        record = entry.record
        if record is None:
            day, _ = local(self.envelope.received_ms, self.zone)
            return Moment(self.envelope.received_ms, "received", day, -1)
        zone = self.zone
        if isinstance(record, records.Answer):
            zone = self.known.zone_of(record.location)
        return moment(record.at, self.envelope, zone)

    def _fresh(self, entries: list[Entry]) -> list[tuple[Entry, int]]:
        """The entries not stored yet, each with the fork it gets at its position."""
        condition, listed = self.tx.among("id", [entry.id for entry in entries])
        stored = {
            row[0]: row
            for row in self.tx.rows(
                "select id, sha256, epoch, seq, code from records "  # noqa: S608
                f"where device = ? and {condition}",
                (self.epoch.device, listed),
            )
        }
        taken: dict[int, int] = {}
        if entries[0].seq <= self.epoch.top:
            taken = dict(
                self.tx.rows(
                    "select seq, max(fork) from records where device = ? and epoch = ? "
                    "and seq between ? and ? group by seq",
                    (*self._where, entries[0].seq, entries[-1].seq),
                )
            )
            self._release(entries)
        fresh: list[tuple[Entry, int]] = []
        within: dict[str, Entry] = {}
        for entry in entries:
            twin = within.get(entry.id)
            if entry.id in stored:
                _, sha256, epoch, seq, code = stored[entry.id]
                same_place = (epoch, seq) == (self.epoch.epoch, entry.seq)
                self._again(entry, bytes(sha256), same_place, code)
            elif twin is not None:
                self._again(entry, twin.sha256, False, twin.code)
            else:
                within[entry.id] = entry
                fork = taken[entry.seq] + 1 if entry.seq in taken else 0
                if fork:
                    # Two outboxes go by one name: a cloned disk, or one rolled back.
                    self.epoch.forks += 1
                    self.epoch.new_epoch = True
                fresh.append((entry, fork))
        return fresh

    def _again(self, entry: Entry, sha256: bytes, same_place: bool, code: str) -> None:
        """A record whose id is known: a repetition, or another record under its name."""
        if sha256 == entry.sha256:
            if code:
                self.told.append(wire.ExceptionItem(entry.seq, "quarantined", code))
            if not same_place:
                self._mark(entry.seq, "duplicate", entry.id)
            return
        known = self.tx.run(
            "insert into conflicts(device, id, sha256, epoch, seq, raw, received_ms) "
            "values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            (
                *(self.epoch.device, entry.id, entry.sha256, self.epoch.epoch, entry.seq),
                *(entry.raw, self.envelope.received_ms),
            ),
        )
        self.epoch.conflicts += known
        self._mark(entry.seq, "conflict", entry.id)
        self.told.append(wire.ExceptionItem(entry.seq, "conflict", "conflict"))

    def _mark(self, seq: int, kind: str, id_: str, code: str = "") -> None:
        self.tx.run(
            "insert into exceptions(device, epoch, seq, kind, id, code, at_ms) "
            "values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            (*self._where, seq, kind, id_, code, self.envelope.received_ms),
        )

    # --- placeholders and positions ---------------------------------------------------------------

    def _release(self, entries: Iterable[Entry]) -> None:
        if not self.epoch.held:
            return
        condition, listed = self.tx.among("seq", [entry.seq for entry in entries])
        self.epoch.held -= self.tx.run(
            "delete from exceptions where device = ? and epoch = ? and kind = 'held' "  # noqa: S608
            f"and {condition}",
            (*self._where, listed),
        )

    def held(self, items: list[wire.Item]) -> None:
        """Note records the device keeps back; one that is stored here already stays stored."""
        for item in items:
            stored = self.tx.row(
                "select 1 from records where device = ? and epoch = ? and seq = ? and id = ?",
                (*self._where, item.seq, item.id),
            )
            if stored:
                continue
            self.epoch.held += self.tx.run(
                "insert into exceptions(device, epoch, seq, kind, id, code, at_ms) "
                "values (?, ?, ?, 'held', ?, ?, ?) on conflict do nothing",
                (*self._where, item.seq, item.id, item.held, self.envelope.received_ms),
            )
            self.told.append(wire.ExceptionItem(item.seq, "held", item.held))

    def positions(self, batch: wire.Batch, seen: int | None) -> None:
        """Move `have` over what is here, and over what the device says it has pruned."""
        epoch = self.epoch
        before = epoch.have
        old_top = epoch.top
        seqs = [item.seq for item in batch.items]
        epoch.tail = max(epoch.tail, batch.tail_seq, seqs[-1] if seqs else 0)
        epoch.top = max(epoch.top, seqs[-1] if seqs else 0)
        epoch.have = _walk(epoch.have, seqs)
        if old_top > epoch.have:
            epoch.have = self._further(epoch.have)
        first = min(batch.first_seq, epoch.tail + 1)
        recount = self._below and bool(epoch.lost)
        if first > epoch.have + 1 and seen == before:
            epoch.have = self._further(first - 1)
            recount = True
        if recount:
            epoch.lost = epoch.have - here(self.tx, epoch.device, epoch.epoch, epoch.have)

    def _further(self, have: int) -> int:
        while True:
            seqs = [
                row[0]
                for row in self.tx.rows(
                    "select seq from records where device = ? and epoch = ? and seq > ? "
                    "union select seq from exceptions where device = ? and epoch = ? and seq > ? "
                    "order by seq limit 1000",
                    (*self._where, have, *self._where, have),
                )
            ]
            reached = _walk(have, seqs)
            if not seqs or reached < seqs[-1]:
                return reached
            have = reached


def _walk(have: int, seqs: Iterable[int]) -> int:
    for seq in seqs:
        if seq == have + 1:
            have = seq
        elif seq > have:
            break
    return have


def here(tx: Tx, device: str, epoch: str, up_to: int) -> int:
    """How many positions up to a seq hold something: a record, or an exception's mark."""
    return int(
        tx.value(
            "select count(*) from (select seq from records where device = ? and epoch = ? "
            "and seq <= ? union select seq from exceptions where device = ? and epoch = ? "
            "and seq <= ?) as positions",
            (device, epoch, up_to, device, epoch, up_to),
        )
    )
