"""What IT's commands do at the centre: organisation, catalogue, bundles, codes, devices.

Every change is one transaction with its line in the audit log. Everything can be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from sync.collector import audit, keyring, times
from sync.collector.catalogue import CataloguePut, check, check_zone, put_catalogue, touch
from sync.collector.reading import RefusedError
from sync.collector.store import Store, Tx
from sync.collector.store.tx import Row
from sync.contract import bundle

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_EPOCHS: Final = (
    "select epoch, have, tail, stored, quarantined, held, lost, forks, conflicts, new_epoch, "
    "last_ms from epochs where device = ? order by first_ms, epoch"
)


class OrganisationPut(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /v1/admin/organisation`."""

    id: _Id
    name: dict[str, str]
    key: str
    next_keys: list[str] = []
    timezone: str = times.DEFAULT_ZONE
    targets: dict[str, float] = {}


class Organisation(msgspec.Struct):
    """`GET /v1/admin/organisation`."""

    centre: str
    id: str
    key: str
    versions: dict[str, int]
    """Per device the highest version published."""


class CodePut(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /v1/admin/devices/{id}/codes`."""

    code_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """Hex SHA-256 of the code's characters, upper case, without dashes."""
    expires_at: str


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why a device is revoked or retired."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class KeyState(msgspec.Struct):
    """One of a device's keys."""

    key: str
    state: str
    since: str


class EpochState(msgspec.Struct):
    """The centre's side of the ledger of one outbox file."""

    epoch: str
    have: int
    tail: int
    stored: int
    quarantined: int
    held: int
    lost: int
    forks: int
    conflicts: int
    new_epoch: bool
    last: str


class DeviceState(msgspec.Struct):
    """One device as the centre knows it."""

    id: str
    name: str
    location: str
    state: str
    reason: str
    version: int
    last_seen: str | None
    status: dict[str, object]
    keys: list[KeyState]
    epochs: list[EpochState]


class Done(msgspec.Struct):
    """A change that was made; `version` where there is one."""

    device: str = ""
    state: str = ""
    version: int = 0


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
        """Who this centre works for, and what was published."""
        with self._store.read() as connection:
            tx = Tx(connection)
            name, key = tx.row("select id, key from organisation") or ("", "")
            versions: dict[str, int] = dict(
                tx.rows("select id, version from devices where version > 0")
            )
            return Organisation(
                tx.value("select value from meta where key = 'centre'"), name, key, versions
            )

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

    def put_catalogue(self, who: str, put: CataloguePut) -> Done:
        """Add to or change locations, services, devices; add surveys, which never change."""
        check(put)
        self._store.transact(lambda tx: put_catalogue(tx, who, put, self._now_ms()))
        return Done()

    def put_bundle(self, who: str, device: str, raw: bytes) -> Done:
        """Publish a signed bundle. Raises RefusedError: bad_envelope, not_found, conflict."""

        def work(tx: Tx) -> Done:
            found = tx.row("select key, next_keys from organisation")
            if not found or not found[0]:
                raise RefusedError("conflict", "the organisation's key is not registered yet")
            following = found[1] if isinstance(found[1], list) else msgspec.json.decode(found[1])
            try:
                content = bundle.unpack(raw, trusted=(found[0], *following), device=device)
            except bundle.BundleError as error:
                raise RefusedError("bad_envelope", str(error)) from None
            _lock(tx, device)
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
            tx.run(
                "update devices set version = ?, bundle = ?, bundle_sha256 = ? where id = ?",
                (content.version, raw, sha256, device),
            )
            audit.note(
                *(tx, self._now_ms(), who, "bundle.put"),
                {"device": device, "version": content.version, "sha256": sha256},
            )
            return Done(device, version=content.version)

        return self._store.transact(work)

    def add_code(self, who: str, device: str, put: CodePut) -> Done:
        """Register a one-time code; the device's earlier open codes end."""
        expires = times.wall_ms(put.expires_at)
        if expires is None:
            raise RefusedError("bad_envelope", "expires_at is an ISO 8601 time with offset")

        def work(tx: Tx) -> Done:
            now = self._now_ms()
            _lock(tx, device)
            owner = tx.value("select device from codes where code_sha256 = ?", (put.code_sha256,))
            if owner not in (None, device):
                raise RefusedError("conflict", "this code is another device's")
            if owner is None:
                keyring.cancel_codes(tx, device, now)
                tx.run(
                    "insert into codes(code_sha256, device, created_by, created_ms, expires_ms) "
                    "values (?, ?, ?, ?, ?)",
                    (put.code_sha256, device, who, now, expires),
                )
            audit.note(tx, now, who, "code.add", {"device": device, "expires_at": put.expires_at})
            return Done(device)

        return self._store.transact(work)

    def revoke(self, who: str, device: str, why: Reason) -> Done:
        """Revoke a device: none of its keys is heard again."""
        return self._end(who, device, why, "revoked", keyring.revoke)

    def retire(self, who: str, device: str, why: Reason) -> Done:
        """Retire a device: its keys only drain what their disks hold."""
        return self._end(who, device, why, "retired", keyring.retire)

    def _end(
        self,
        who: str,
        device: str,
        why: Reason,
        state: str,
        deed: Callable[[Tx, str, str, int], None],
    ) -> Done:
        def work(tx: Tx) -> Done:
            now = self._now_ms()
            _lock(tx, device)
            deed(tx, device, why.reason, now)
            audit.note(tx, now, who, f"device.{state}", {"device": device, "reason": why.reason})
            return Done(device, state)

        return self._store.transact(work)

    def devices(self) -> list[DeviceState]:
        """Every device with its keys and its ledger."""
        with self._store.read() as connection:
            tx = Tx(connection)
            return [
                _device(tx, row)
                for row in tx.rows(
                    "select id, name, location, state, reason, version, last_seen_ms, status "
                    "from devices order by id"
                )
            ]


def _device(tx: Tx, row: Row) -> DeviceState:
    id_, name, location, state, reason, version, seen, status = row
    keys = [
        KeyState(key, standing, times.iso(since))
        for key, standing, since in tx.rows(
            "select key, state, since_ms from keys where device = ? order by since_ms, key", (id_,)
        )
    ]
    epochs = [_epoch(epoch) for epoch in tx.rows(_EPOCHS, (id_,))]
    return DeviceState(
        id_,
        name,
        location,
        state,
        reason,
        version,
        times.iso(seen) if seen is not None else None,
        msgspec.json.decode(status or "{}"),
        keys,
        epochs,
    )


def _epoch(row: Row) -> EpochState:
    fields = dict(zip(EpochState.__struct_fields__, row, strict=True))
    fields |= {"new_epoch": bool(fields["new_epoch"]), "last": times.iso(fields["last"])}
    return msgspec.convert(fields, EpochState)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _lock(tx: Tx, device: str) -> None:
    if not tx.run("update devices set state = state where id = ?", (device,)):
        raise RefusedError("not_found", f"no device {device} in the catalogue")
