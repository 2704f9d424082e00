"""What IT's commands do at the centre: organisation, catalogue, bundles, the list of devices.

Every change is one transaction with its line in the audit log. Everything can be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from sync.collector import audit, standing, times
from sync.collector.admin_messages import (
    DeviceState,
    Done,
    EpochState,
    KeyState,
    LedgerState,
    Organisation,
    OrganisationPut,
    Placed,
    Published,
)
from sync.collector.catalogue import check, check_zone, get_catalogue, put_catalogue, touch
from sync.collector.catalogue_messages import CataloguePut, Known
from sync.collector.codes import lock
from sync.collector.reading import RefusedError
from sync.collector.store import Store, Tx
from sync.collector.store.tx import Row
from sync.contract import bundle

_EPOCHS: Final = (
    "select device, epoch, have, tail, stored, quarantined, held, lost, forks, conflicts, "
    "new_epoch, last_ms from epochs order by device, first_ms, epoch"
)
_KEYS: Final = "select device, key, state, since_ms from keys order by device, since_ms, key"


class Admin:
    """The operations behind `/v1/admin`."""

    def __init__(self, store: Store, *, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    def operator(self, tx: Tx, key: str) -> str:
        """The operator of a key; empty when there is none."""
        name = tx.value("select name from operators where key = ? and disabled_ms is null", (key,))
        return str(name or "")

    def organisation(self) -> Organisation:
        """Who this centre works for, and what was published by whom."""
        with self._store.read() as connection:
            tx = Tx(connection)
            name, key = tx.row("select id, key from organisation") or ("", "")
            found = Organisation(
                tx.value("select value from meta where key = 'centre'"), name, key, {}, {}, {}, {}
            )
            for device, location, called, version, digest, by, at in tx.rows(
                "select id, location, name, version, digest, published_by, published_ms "
                "from devices order by id"
            ):
                found.placed[device] = Placed(location, called)
                if version:
                    found.versions[device] = version
                if digest:
                    found.digests[device] = digest
                if at is not None:
                    found.published[device] = Published(by, times.iso(at))
            return found

    def put_organisation(self, who: str, put: OrganisationPut) -> Done:
        """Name the organisation; one per centre, so another id is a conflict."""
        for key in (put.key, *put.next_keys):
            try:
                bundle.read_key(key)
            except bundle.BundleError as error:
                raise RefusedError("bad_envelope", str(error)) from None
        check_zone(put.timezone)

        def work(tx: Tx) -> Done:
            known = tx.value("select id from organisation")
            if known not in (None, put.id):
                raise RefusedError("conflict", f"this centre is {known}'s; one organisation each")
            row = (
                *(put.id, _json(put.name), put.key, _json(put.next_keys)),
                *(put.timezone, _json(put.targets)),
            )
            tx.upsert(
                "organisation",
                ("id", "name", "key", "next_keys", "timezone", "targets"),
                ("id",),
                [row],
            )
            touch(tx)
            audit.note(tx, self._now_ms(), who, "organisation.put", {"id": put.id, "key": put.key})
            return Done()

        return self._store.transact(work)

    def catalogue(self) -> Known:
        """Locations, services and devices as they were put."""
        with self._store.read() as connection:
            return get_catalogue(Tx(connection))

    def put_catalogue(self, who: str, put: CataloguePut) -> Done:
        """Add to or change locations, services, devices; add surveys, which never change."""
        check(put)
        self._store.transact(lambda tx: put_catalogue(tx, who, put, self._now_ms()))
        return Done()

    def bundle(self, device: str) -> bytes:
        """A device's newest container, exact bytes. Raises RefusedError: not_found."""
        with self._store.read() as connection:
            raw = Tx(connection).value("select bundle from devices where id = ?", (device,))
        if raw is None:
            raise RefusedError("not_found", f"nothing is published for {device} yet")
        return bytes(raw)

    def put_bundle(self, who: str, device: str, raw: bytes) -> Done:
        """Publish a signed bundle. Raises RefusedError: bad_envelope, not_found, conflict."""

        def work(tx: Tx) -> Done:
            content = _verified(tx, device, raw)
            lock(tx, device)
            highest = tx.value("select version from devices where id = ?", (device,))
            sha256 = hashlib.sha256(raw).hexdigest()
            same = tx.row(
                "select 1 from devices where id = ? and bundle_sha256 = ?", (device, sha256)
            )
            if same:
                return Done(device, version=highest)
            if content.version <= highest:
                raise RefusedError(
                    "conflict", f"version {content.version} is not above the highest, {highest}"
                )
            now = self._now_ms()
            tx.run(
                "update devices set version = ?, bundle = ?, bundle_sha256 = ?, digest = ?, "
                "published_by = ?, published_ms = ?, wiping = ? where id = ?",
                (
                    *(content.version, raw, sha256, digest(content), who, now),
                    *(content.version if content.wipe else 0, device),
                ),
            )
            audit.note(
                *(tx, now, who, "bundle.put"),
                {"device": device, "version": content.version, "sha256": sha256},
            )
            return Done(device, version=content.version)

        return self._store.transact(work)

    def devices(self) -> list[DeviceState]:
        """Every device with its standing, its keys and its ledger."""
        with self._store.snapshot() as connection:
            tx = Tx(connection)
            keys: dict[str, list[KeyState]] = {}
            for device, key, state, since in tx.rows(_KEYS):
                keys.setdefault(device, []).append(KeyState(key, state, times.iso(since)))
            epochs: dict[str, list[EpochState]] = {}
            for device, *row in tx.rows(_EPOCHS):
                epochs.setdefault(device, []).append(_epoch(tuple(row)))
            said: dict[str, str] = dict(tx.rows("select id, status from devices"))
            now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
            return [
                _device(one, said[one.id], keys.get(one.id, []), epochs.get(one.id, []))
                for one in standing.fleet(connection, now)
            ]


def digest(content: bundle.Bundle) -> str:
    """What tells whether two bundles differ in more than their version: hex SHA-256."""
    return hashlib.sha256(
        msgspec.json.encode(msgspec.structs.replace(content, version=0))
    ).hexdigest()


def _verified(tx: Tx, device: str, raw: bytes) -> bundle.Bundle:
    found = tx.row("select key, next_keys from organisation")
    if not found or not found[0]:
        raise RefusedError("conflict", "the organisation's key is not registered yet")
    following = found[1] if isinstance(found[1], list) else msgspec.json.decode(found[1])
    try:
        return bundle.unpack(raw, trusted=(found[0], *following), device=device)
    except bundle.BundleError as error:
        raise RefusedError("bad_envelope", str(error)) from None


def _device(
    one: standing.Standing, status: str, keys: list[KeyState], epochs: list[EpochState]
) -> DeviceState:
    book = one.ledger
    return DeviceState(
        id=one.id,
        name=one.name,
        location=one.place,
        place=one.place_names,
        municipality=one.municipality,
        state=one.registered,
        standing=one.state,
        reason=one.reason,
        version=one.published,
        config=one.active,
        config_since=_iso(one.config_since),
        refused=one.refused,
        program=one.program,
        last_seen=_iso(one.last_seen),
        last_touch=_iso(one.last_touch),
        oldest_unsent=_iso(one.oldest_unsent),
        clone_suspected=one.clone_suspected,
        open_code_until=_iso(one.open_code_until),
        ledger=LedgerState(
            *(book.created, book.acknowledged, book.quarantined),
            *(book.held, book.lost, book.to_send),
        ),
        service=one.service,
        setup=one.setup,
        status=msgspec.json.decode(status or "{}"),
        keys=keys,
        epochs=epochs,
    )


def _epoch(row: Row) -> EpochState:
    fields = dict(zip(EpochState.__struct_fields__, row, strict=True))
    fields |= {"new_epoch": bool(fields["new_epoch"]), "last": times.iso(fields["last"])}
    return msgspec.convert(fields, EpochState)


def _iso(at: datetime | None) -> str | None:
    return times.iso(round(at.timestamp() * 1000)) if at else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
