"""Letting go of open text: the words go, that there were words stays.

A purged record keeps id, position, hash and time, so a replay never brings the text back.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from sync.collector import audit
from sync.collector.reading import reread
from sync.collector.store import Store, Tx
from sync.collector.times import iso
from sync.contract import records

_CHUNK = 500


def purge_text(store: Store, *, days: int, now_ms: int) -> dict[str, Any]:
    """Remove open text given more than `days` days ago, and what is unreadable from then."""
    return store.transact(lambda tx: purge_in(tx, days=days, now_ms=now_ms))


def purge_in(tx: Tx, *, days: int, now_ms: int) -> dict[str, Any]:
    """The same, in a running transaction."""
    today = datetime.date.fromisoformat(iso(now_ms)[:10])
    before = (today - datetime.timedelta(days=days)).isoformat()
    purged = _records(tx, before, now_ms)
    tx.run("update answers set text = null where text is not null and day < ?", (before,))
    old_ms = now_ms - days * 86_400_000
    conflicts = tx.run(
        "update conflicts set raw = null where raw is not null and received_ms < ?", (old_ms,)
    )
    done = {"before": before, "days": days, "records": purged, "conflicts": conflicts}
    audit.note(tx, now_ms, "command line", "purge.text", done)
    return done


def last_days(tx: Tx) -> int | None:
    """How many days of text the last purge kept; None when there never was one."""
    detail = tx.value("select detail from audit where what = 'purge.text' order by no desc limit 1")
    days = json.loads(detail).get("days") if detail else None
    return days if isinstance(days, int) else None


def _records(tx: Tx, before: str, now_ms: int) -> int:
    """Forget the bytes of every record with text in it, superseded ones included."""
    holds = "instr(raw, cast('\"text\"' as blob)) > 0"
    if not tx.sqlite:
        holds = "position('\"text\"'::bytea in raw) > 0"
    found = []
    for no, code, raw in tx.rows(
        "select no, code, raw from records where raw is not null and day < ? "  # noqa: S608
        f"and (code <> '' or {holds})",
        (before,),
    ):
        record, _ = reread(bytes(raw))
        # What nobody can read may hold text as well.
        if code or record is None or _is_text(record):
            found.append(no)
    for start in range(0, len(found), _CHUNK):
        condition, listed = tx.among("no", found[start : start + _CHUNK])
        tx.run(
            f"update records set raw = null, purged_ms = ? where {condition}",  # noqa: S608
            (now_ms, listed),
        )
    return len(found)


def _is_text(record: records.Record) -> bool:
    return isinstance(record, records.Answer) and isinstance(record.content(), records.Text)
