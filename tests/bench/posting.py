"""Signed batches of one device, and the centre's whole work on them without the network.

From the bytes as they come: signature, decompression, JSON, validation, one transaction with all
tables and counts, the receipt.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector.app import Centre
from sync.collector.catalogue_messages import CataloguePut
from sync.collector.store import open_store
from sync.contract import wire
from sync.contract.bundle import key_text
from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from sync.contract.signing import sign
from tests.bench.samples import BOOT
from tests.faults.house import catalogue, example

DEVICE = "esim-0001"
LOCATION = "0031"
"""Where the sample records were given."""
PATH = "/v1/batches"
Row = tuple[int, str, bytes]
"""Seq, id and frozen record."""


class Desk:
    """A centre on a database, with a catalogue and one enrolled device."""

    def __init__(self, database: str) -> None:
        self._store = open_store(database, fresh=True)
        self._key = Ed25519PrivateKey.generate()
        self._epoch, self._seq, self._at = uuid7(), 0, 0.0
        # Seconds pass between two batches: the device is never too fast.
        self._centre = Centre(self._store, now=time.time, clock=lambda: self._at)
        known: Any = catalogue([example(1)])
        known["locations"].append({**known["locations"][0], "id": LOCATION})
        self._centre.admin.put_catalogue("bench", msgspec.convert(known, CataloguePut))
        with self._store.tx() as tx:
            tx.run(
                "insert into keys(key, device, state, since_ms) values (?, ?, 'active', 0)",
                (key_text(self._key.public_key()), DEVICE),
            )

    def rows(self, made: Sequence[Record]) -> list[Row]:
        """The next rows of the device's outbox."""
        rows = [(self._seq + n, uuid7(), freeze(record)) for n, record in enumerate(made, 1)]
        self._seq += len(rows)
        return rows

    def post(self, rows: Sequence[Row]) -> float:
        """Send rows as one batch; the centre's seconds for it."""
        batch = wire.Batch(
            v=wire.VERSION,
            centre=self._centre.centre,
            epoch=self._epoch,
            boot=BOOT,
            sent_at="2026-03-29T10:00:00.000+02:00",
            sent_boottime_ms=10**9,
            clocks={},
            first_seq=rows[0][0],
            tail_seq=self._seq,
            status={"have": rows[0][0] - 1},
            items=[wire.Item(seq, ident, msgspec.Raw(raw)) for seq, ident, raw in rows],
        )
        body = gzip.compress(msgspec.json.encode(batch), 6)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        headers |= sign("POST", PATH, headers, body, self._key)
        scope = {
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "raw_path": PATH.encode(),
        }
        request: Any = SimpleNamespace(method="POST", scope=scope)
        self._at += 60.0
        began = time.perf_counter()
        reply = self._centre.batch(request, body)
        taken = time.perf_counter() - began
        receipt = msgspec.json.decode(reply.body, type=wire.Receipt)
        assert receipt.have == rows[-1][0], receipt
        assert not receipt.exceptions, receipt
        return taken

    def count(self, table: str) -> int:
        """Rows of a table."""
        with self._store.tx() as tx:
            return int(tx.value(f"select count(*) from {table}"))

    def close(self) -> None:
        """Close the database."""
        self._centre.gate.close()
        self._store.close()
