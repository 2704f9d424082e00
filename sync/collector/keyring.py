"""The device keys: which may do what, and how the first signed batch confirms an enrolment."""

from __future__ import annotations

from sync.collector import audit
from sync.collector.reading import RefusedError
from sync.collector.store.tx import Tx


def lock(tx: Tx, key: str, now_ms: int, status: str) -> tuple[str, int, str]:
    """Lock the key's device row and note its status; returns device, version, location.

    Raises RefusedError `unknown_key`.
    """
    found = tx.rows(
        "update devices set last_seen_ms = ?, status = ? "
        "where id = (select device from keys where key = ?) returning id, version, location",
        (now_ms, status, key),
    )
    if not found:
        raise RefusedError("unknown_key", "no such key here")
    device, version, location = found[0]
    return device, version, location


def state(tx: Tx, key: str) -> tuple[str, str]:
    """A key's state and device; both empty for a key nobody knows."""
    found = tx.row("select state, device from keys where key = ?", (key,))
    return (found[0], found[1]) if found else ("", "")


def may_post(tx: Tx, key: str, device: str, epoch_key: str, now_ms: int) -> None:
    """Let a key post into an epoch first used by `epoch_key`, or raise RefusedError.

    A retired key drains its own disk and nothing else. A pending key is confirmed: from here on it
    is the device's, and the keys before it are retired.
    """
    standing, _ = state(tx, key)
    if not standing:
        # Withdrawn between the signature and the lock.
        raise RefusedError("unknown_key", "no such key here")
    if standing == "revoked":
        raise RefusedError("device_revoked", "this key is revoked")
    if standing == "retired" and epoch_key != key:
        raise RefusedError("wrong_epoch_for_retired_key", "another key began this outbox")
    if standing == "pending":
        confirm(tx, key, device, now_ms)


def confirm(tx: Tx, key: str, device: str, now_ms: int) -> None:
    """Make a pending key the device's active one; older ones, unused ones too, only drain."""
    tx.run(
        "update keys set state = 'retired', reason = 'replaced', until_ms = ? "
        "where device = ? and key <> ? and (state = 'active' or state = 'pending' "
        "and since_ms <= (select since_ms from keys where key = ?))",
        (now_ms, device, key, key),
    )
    tx.run("update keys set state = 'active' where key = ?", (key,))
    tx.run(
        "update codes set confirmed_ms = ? where bound_key = ? and confirmed_ms is null",
        (now_ms, key),
    )
    tx.run("update devices set state = 'active', reason = '' where id = ?", (device,))
    audit.note(tx, now_ms, device, "device.confirmed", {"key": key})


def revoke(tx: Tx, device: str, reason: str, now_ms: int) -> None:
    """Revoke a device: every key becomes a tombstone, open codes are cancelled."""
    tx.run(
        "update keys set state = 'revoked', reason = ?, until_ms = ? where device = ?",
        (reason, now_ms, device),
    )
    cancel_codes(tx, device, now_ms)
    tx.run("update devices set state = 'revoked', reason = ? where id = ?", (reason, device))


def retire(tx: Tx, device: str, reason: str, now_ms: int) -> None:
    """Retire a device: its keys may drain their outboxes and nothing else."""
    tx.run(
        "update keys set state = 'retired', reason = ?, until_ms = ? "
        "where device = ? and state in ('active', 'pending')",
        (reason, now_ms, device),
    )
    cancel_codes(tx, device, now_ms)
    tx.run("update devices set state = 'retired', reason = ? where id = ?", (reason, device))


def drain(tx: Tx, device: str, now_ms: int) -> None:
    """Retire the keys a device uses at once: it waits for its next key."""
    tx.run(
        "update keys set state = 'retired', reason = 'replaced', until_ms = ? "
        "where device = ? and state in ('active', 'pending')",
        (now_ms, device),
    )
    tx.run(
        "update devices set state = 'expected' where id = ? and state in ('active', 'enrolled')",
        (device,),
    )


def withdraw_codes(tx: Tx, device: str, now_ms: int) -> int:
    """Cancel a device's open codes and forget what they bound; returns how many codes."""
    tx.run(
        "delete from keys where device = ? and state = 'pending' and key in (select bound_key "
        "from codes where device = ? and confirmed_ms is null and cancelled_ms is null)",
        (device, device),
    )
    tx.run(
        "update devices set state = 'expected' where id = ? and state = 'enrolled'",
        (device,),
    )
    return cancel_codes(tx, device, now_ms)


def cancel_codes(tx: Tx, device: str, now_ms: int) -> int:
    """Cancel a device's open codes; returns how many."""
    return tx.run(
        "update codes set cancelled_ms = ? "
        "where device = ? and confirmed_ms is null and cancelled_ms is null",
        (now_ms, device),
    )
