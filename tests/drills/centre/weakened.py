"""Centres with a mistake in them, to see the drill find it. Never part of the product."""

from __future__ import annotations

import threading
import time
from typing import Any

from sync.collector import counting, ingest, keyring
from sync.collector.store import Tx
from sync.collector.tally import Difference

LATE_S = 2.0
"""Long enough for strace to be there before the commit, on a busy machine too."""


def early_reply() -> None:
    """The receipt goes out before the commit."""

    def transact(store: Any, work: Any) -> Any:
        done = threading.Event()
        found: list[Any] = []

        def late() -> None:
            with store.tx() as tx:
                found.append(work(tx))
                done.set()
                time.sleep(LATE_S)

        threading.Thread(target=late, daemon=True).start()
        assert done.wait(60)
        return found[0]

    take = ingest.Ingest.take

    def weak(self: Any, key: str, prepared: Any) -> Any:
        class Early:
            def __init__(self, store: Any) -> None:
                self._store = store

            def transact(self, work: Any) -> Any:
                return transact(self._store, work)

        mine = ingest.Ingest(Early(self._store), now_ms=self._now_ms, after_s=self._after_s)  # type: ignore[arg-type]
        return take(mine, key, prepared)

    ingest.Ingest.take = weak  # type: ignore[method-assign]


def counts_apart() -> None:
    """The counts follow in a transaction of their own."""
    waiting = threading.local()
    save, take = counting.save_counts, ingest.Ingest.take

    def later(_tx: Tx, difference: Difference) -> None:
        waiting.difference = difference

    def weak(self: Any, key: str, prepared: Any) -> Any:
        waiting.difference = None
        found = take(self, key, prepared)
        if waiting.difference is not None:
            self._store.transact(lambda tx: save(tx, waiting.difference))
        return found

    counting.save_counts = later
    ingest.Ingest.take = weak  # type: ignore[method-assign]


def unlocked() -> None:
    """Batches of one device do not take turns; the tables have to be without unique keys, too."""

    def lock(tx: Tx, key: str, _now_ms: int, _status: str) -> tuple[str, int, str]:
        found = tx.row(
            "select id, version, location from devices"
            " where id = (select device from keys where key = ?)",
            (key,),
        )
        assert found
        return found[0], found[1], found[2]

    keyring.lock = lock


def quick_marks() -> None:
    """No mistake: the background pass comes five times a second, not once a minute."""
    from sync.collector import app

    defaults: Any = app.create_app.__kwdefaults__
    defaults["mark_every_s"] = 0.2
