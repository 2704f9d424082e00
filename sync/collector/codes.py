"""One-time codes, and the end of devices and keys: what IT does about who may send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sync.collector import audit, keyring, times
from sync.collector.admin_messages import MOST_CODES, CodePut, DeviceCode, Done, Reason
from sync.collector.reading import RefusedError
from sync.collector.store import Store, Tx

_HOUR_MS: Final = 3_600_000
ONE_MS: Final = 72 * _HOUR_MS
"""How long a code lives that was made for one device."""
BULK_MS: Final = 30 * 24 * _HOUR_MS
"""How long a code lives that was made with many others: labels are printed ahead."""
LONGEST_MS: Final = 31 * 24 * _HOUR_MS
"""No code lives longer, so that a label found years later is paper; a day is for desk clocks."""


def lock(tx: Tx, device: str) -> None:
    """Lock a device's row. Raises RefusedError `not_found`."""
    if not tx.run("update devices set state = state where id = ?", (device,)):
        raise RefusedError("not_found", f"no device {device} in the catalogue")


class Codes:
    """The operations on codes and devices behind `/v1/admin`."""

    def __init__(self, store: Store, *, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    def add(self, who: str, device: str, put: CodePut) -> Done:
        """Register a one-time code; the device's earlier open codes end."""

        def work(tx: Tx) -> Done:
            self._add(tx, who, device, put, ONE_MS)
            return Done(device, codes=1)

        return self._store.transact(work)

    def add_many(self, who: str, puts: Sequence[DeviceCode]) -> Done:
        """Register codes of different devices, all or none of them."""
        if len(puts) > MOST_CODES:
            raise RefusedError("too_large", f"more than {MOST_CODES} codes at once")
        if len({put.device for put in puts}) < len(puts):
            raise RefusedError("bad_envelope", "a device stands twice in the list")

        def work(tx: Tx) -> Done:
            # In one order, so that two lists at once never wait for each other.
            for put in sorted(puts, key=lambda put: put.device):
                self._add(tx, who, put.device, put, BULK_MS)
            return Done(codes=len(puts))

        return self._store.transact(work)

    def _add(self, tx: Tx, who: str, device: str, put: CodePut, life_ms: int) -> None:
        now = self._now_ms()
        if put.now and not put.replace:
            raise RefusedError("bad_envelope", f"{device}: `now` goes with `replace`")
        expires = times.wall_ms(put.expires_at) if put.expires_at else now + life_ms
        if expires is None:
            raise RefusedError(
                "bad_envelope", f"{device}: expires_at is an ISO 8601 time with offset"
            )
        if expires > now + LONGEST_MS:
            raise RefusedError(
                "bad_envelope",
                f"{device}: expires_at {put.expires_at} is more than 31 days after now, "
                f"{times.iso(now)} by this centre's clock: no code lives longer",
            )
        lock(tx, device)
        owner = tx.value("select device from codes where code_sha256 = ?", (put.code_sha256,))
        if owner not in (None, device):
            raise RefusedError("conflict", f"{device}: this code is another device's")
        if owner is None:
            keyring.cancel_codes(tx, device, now)
            tx.run(
                "insert into codes(code_sha256, device, created_by, created_ms, expires_ms) "
                "values (?, ?, ?, ?, ?)",
                (put.code_sha256, device, who, now, expires),
            )
            if put.now:
                keyring.drain(tx, device, now)
        detail = {"device": device, "expires_at": times.iso(expires)}
        if put.replace:
            detail["replace"] = "now" if put.now else "at the new key's first batch"
        audit.note(tx, now, who, "code.add", detail)

    def cancel(self, who: str, device: str) -> Done:
        """Cancel a device's open codes, and forget keys they bound that have not sent yet."""

        def work(tx: Tx) -> Done:
            now = self._now_ms()
            lock(tx, device)
            cancelled = keyring.withdraw_codes(tx, device, now)
            audit.note(tx, now, who, "code.cancel", {"device": device, "codes": cancelled})
            state = tx.value("select state from devices where id = ?", (device,))
            return Done(device, state, codes=cancelled)

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
            lock(tx, device)
            deed(tx, device, why.reason, now)
            audit.note(tx, now, who, f"device.{state}", {"device": device, "reason": why.reason})
            return Done(device, state)

        return self._store.transact(work)
