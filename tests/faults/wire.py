"""A device written anew from the protocol alone: no outbox, no cursor, any order, any overlap."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import wire
from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from sync.contract.signing import content_digest, sign
from tests.bench.samples import BOOT
from tests.faults.house import House


@dataclass(frozen=True, slots=True)
class Row:
    """A record at its position."""

    seq: int
    id: str
    raw: bytes


def rows(records: Sequence[Record], first: int = 1) -> list[Row]:
    """Records frozen at consecutive positions."""
    return [Row(seq, uuid7(), freeze(record)) for seq, record in enumerate(records, first)]


class WireDevice:
    """An enrolled key and the few lines that sign and post."""

    def __init__(self, house: House, number: int = 0) -> None:
        self.url = house.url
        self.device = house.bundles[number].device
        self.key = Ed25519PrivateKey.generate()
        self.epoch = uuid7()
        body = wire.EnrolRequest(
            v=wire.VERSION,
            code=house.code(self.device),
            public_key=base64.b64encode(self.key.public_key().public_bytes_raw()).decode(),
        )
        reply = self._post("/v1/enrol", msgspec.json.encode(body), {})
        assert reply.status_code == 200, reply.text
        self.centre = msgspec.json.decode(reply.content, type=wire.EnrolReply).centre

    def _post(
        self,
        path: str,
        body: bytes,
        headers: dict[str, str],
        session: requests.Session | None = None,
    ) -> requests.Response:
        headers = {"Content-Type": "application/json", **headers}
        headers |= sign("POST", path, headers, body, self.key)
        return (session or requests).post(self.url + path, data=body, headers=headers, timeout=30)

    def batch(self, items: Sequence[Row], tail: int, *, first: int | None = None) -> wire.Batch:
        """The envelope around some rows; nothing was pruned unless `first` says so."""
        return wire.Batch(
            v=wire.VERSION,
            centre=self.centre,
            epoch=self.epoch,
            boot=BOOT,
            sent_at="2026-03-02T10:00:00.000+02:00",
            sent_boottime_ms=90_000_000,
            clocks={},
            first_seq=(items[0].seq if items else tail + 1) if first is None else first,
            tail_seq=tail,
            status={},
            items=[wire.Item(seq=i.seq, id=i.id, rec=msgspec.Raw(i.raw)) for i in items],
        )

    def post(self, batch: wire.Batch, session: requests.Session | None = None) -> requests.Response:
        """Send a batch, gzipped and signed."""
        body = gzip.compress(msgspec.json.encode(batch), 1)
        return self._post("/v1/batches", body, {"Content-Encoding": "gzip"}, session)

    def send(
        self, items: Sequence[Row], tail: int, session: requests.Session | None = None
    ) -> wire.Receipt:
        """Send rows of an outbox that has lost nothing; the verified receipt."""
        reply = self.post(self.batch(items, tail, first=1), session)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        receipt = msgspec.json.decode(reply.content, type=wire.Receipt)
        assert receipt.epoch == self.epoch
        assert receipt.digest == content_digest(reply.request.body)  # type: ignore[arg-type]
        return receipt
