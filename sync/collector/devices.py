"""Enrolment, key rotation and configuration: what a device asks besides posting batches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec

from sync.collector import audit, keyring
from sync.collector.reading import RefusedError
from sync.collector.store import Store, Tx
from sync.contract import bundle, wire
from sync.contract import code as codes

GUESSES: Final = 20
"""Wrong codes in a row that are answered at once; the centre as a whole, for a county is one
address."""
GUESS_S: Final = 3.0
"""Seconds in which one more wrong code is forgiven."""


class Guesses:
    """Wrong codes slow further wrong codes down; a right code is never kept waiting."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._spent = 0.0
        self._at = clock()

    def wrong(self) -> int:
        """Count a wrong code; the seconds to wait when there were too many, else 0."""
        with self._mutex:
            now = self._clock()
            self._spent = max(0.0, self._spent - (now - self._at) / GUESS_S)
            self._at = now
            if self._spent >= GUESSES:
                return max(1, round(GUESS_S))
            self._spent += 1
            return 0


class RotateRequest(msgspec.Struct):
    """`POST /v1/keys`, signed by the active key: the key that will follow it."""

    v: int
    public_key: str


class RotateReply(msgspec.Struct):
    """Both keys are taken from here on, until the new one is used."""

    v: int
    device: str


class Devices:
    """The device API's rarer half."""

    def __init__(
        self, store: Store, *, now_ms: Callable[[], int], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._guesses = Guesses(clock)

    def enrol(self, request: wire.EnrolRequest, key: str) -> wire.EnrolReply:
        """Bind a code to the key that signed, or, with `release`, free it again.

        Raises RefusedError: bad_signature (another key signed), code_unknown, code_used,
        code_expired, device_revoked, slow_down.
        """
        if request.public_key != key:
            raise RefusedError("bad_signature", "signed by another key than the one to enrol")
        try:
            return self._store.transact(lambda tx: self._enrol(tx, request, key))
        except RefusedError as refused:
            wait = self._guesses.wrong() if refused.code == "code_unknown" else 0
            if wait:
                raise RefusedError(
                    "slow_down", "too many unknown codes", retry_after_s=wait
                ) from None
            raise

    def _enrol(self, tx: Tx, request: wire.EnrolRequest, key: str) -> wire.EnrolReply:
        now = self._now_ms()
        code = codes.sha256(request.code)
        device = tx.value("select device from codes where code_sha256 = ?", (code,))
        if device is None:
            raise RefusedError("code_unknown", "no such code; check it, or ask for a new one")
        # The device's row is the lock under which its code is bound.
        tx.run("update devices set state = state where id = ?", (device,))
        bound, expires, confirmed, cancelled = tx.rows(
            "select bound_key, expires_ms, confirmed_ms, cancelled_ms from codes "
            "where code_sha256 = ?",
            (code,),
        )[0]
        if confirmed is not None or (bound and bound != key):
            raise RefusedError("code_used", "another device has used this code")
        if cancelled is not None or expires <= now:
            raise RefusedError("code_expired", "this code is no longer valid; ask for a new one")
        standing, owner = keyring.state(tx, key)
        if standing == "revoked":
            raise RefusedError("device_revoked", "this key is revoked; make a new one")
        if owner not in ("", device) or standing == "retired":
            raise RefusedError("code_used", "this key belongs to another device")
        if request.release:
            self._release(tx, code, key, device=device, standing=standing, now=now)
        elif not bound:
            self._bind(tx, code, key, device=device, standing=standing, now=now)
        return self._reply(tx, device)

    def _bind(self, tx: Tx, code: str, key: str, *, device: str, standing: str, now: int) -> None:
        tx.run("update codes set bound_key = ? where code_sha256 = ?", (key, code))
        if not standing:
            tx.run(
                "insert into keys(key, device, state, since_ms) values (?, ?, 'pending', ?)",
                (key, device, now),
            )
        tx.run(
            "update devices set state = 'enrolled' where id = ? and state in ('', 'expected')",
            (device,),
        )
        audit.note(tx, now, device, "device.enrolled", {"key": key})

    def _release(
        self, tx: Tx, code: str, key: str, *, device: str, standing: str, now: int
    ) -> None:
        tx.run("update codes set bound_key = '' where code_sha256 = ?", (code,))
        if standing == "pending":
            tx.run("delete from keys where key = ? and state = 'pending'", (key,))
        tx.run(
            "update devices set state = 'expected' where id = ? and state = 'enrolled'", (device,)
        )
        audit.note(tx, now, device, "device.released", {"key": key})

    @staticmethod
    def _reply(tx: Tx, device: str) -> wire.EnrolReply:
        name, location, version = tx.rows(
            "select name, location, version from devices where id = ?", (device,)
        )[0]
        return wire.EnrolReply(
            v=wire.VERSION,
            centre=tx.value("select value from meta where key = 'centre'"),
            device=device,
            name=name,
            location=location,
            organisation_key=tx.value("select key from organisation") or "",
            config=version,
        )

    def rotate(self, key: str, request: RotateRequest) -> RotateReply:
        """Take the key that will follow `key`; the first batch it signs retires `key`.

        Raises RefusedError: key_retired, device_revoked, bad_envelope, code_used.
        """
        try:
            bundle.read_key(request.public_key)
        except bundle.BundleError as error:
            raise RefusedError("bad_envelope", str(error)) from None

        def work(tx: Tx) -> RotateReply:
            device = active(tx, key)
            tx.run("update devices set state = state where id = ?", (device,))
            _, owner = keyring.state(tx, request.public_key)
            if owner not in ("", device):
                raise RefusedError("code_used", "this key belongs to another device")
            if not owner:
                now = self._now_ms()
                tx.run(
                    "insert into keys(key, device, state, since_ms) values (?, ?, 'pending', ?)",
                    (request.public_key, device, now),
                )
                audit.note(tx, now, device, "key.announced", {"key": request.public_key})
            return RotateReply(wire.VERSION, device)

        return self._store.transact(work)


def active(tx: Tx, key: str) -> str:
    """The device of a key that is active or about to be. Raises RefusedError for the others."""
    standing, device = keyring.state(tx, key)
    if standing == "revoked":
        raise RefusedError("device_revoked", "this key is revoked")
    if standing == "retired":
        raise RefusedError("key_retired", "this key may only send what its disk still holds")
    if not standing:
        raise RefusedError("unknown_key", "no such key here")
    return device
