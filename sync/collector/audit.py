"""The audit log: who did what to the centre."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sync.collector.store.tx import Tx


def note(tx: Tx, now_ms: int, who: str, what: str, detail: Mapping[str, object]) -> None:
    """Add a line, in the transaction of the deed."""
    tx.run(
        "insert into audit(at_ms, who, what, detail) values (?, ?, ?, ?)",
        (now_ms, who, what, msgspec.json.encode(detail).decode()),
    )
