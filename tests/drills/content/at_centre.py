"""Parsers of the centre: bodies, signatures, what pages' addresses and headers say."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar.datastructures import MultiDict

from sync.collector import reading, said, times
from sync.collector.admin_messages import CodePut, CorrectionPut, DeviceCode, OrganisationPut
from sync.collector.catalogue_messages import CataloguePut
from sync.collector.devices import RotateRequest
from sync.collector.reading import RefusedError
from sync.collector.reports.as_text import safe
from sync.collector.reports.periods import PeriodError, parse
from sync.collector.web import guard
from sync.collector.web.address import Address
from sync.collector.web.fleet_address import FleetAddress
from sync.collector.web.landing import HOME, landing
from sync.contract import records, signing, wire
from sync.contract.bundle import key_text
from sync.contract.ids import uuid7
from tests.bench.samples import BOOT
from tests.bench.samples import records as samples
from tests.drills.content.inputs import Input, Reader, simple
from tests.drills.site import CODE, House

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = key_text(KEY.public_key())


def envelope(items: list[wire.Item], *, centre: str = "c", first: int = 1) -> wire.Batch:
    """A batch around some items."""
    return wire.Batch(
        v=wire.VERSION,
        centre=centre,
        epoch="01890000-0000-7000-8000-000000000001",
        boot=BOOT,
        sent_at="2026-03-02T10:00:00.000+02:00",
        sent_boottime_ms=90_000_000,
        clocks={BOOT: 1_772_000_000_000},
        first_seq=first,
        tail_seq=items[-1].seq if items else 0,
        status={"have": 0, "alarms": [{"what": "wal"}], "refused": [], "version": "1"},
        items=items,
    )


def items(raws: list[bytes], first: int = 1) -> list[wire.Item]:
    """Records at consecutive positions."""
    return [wire.Item(seq, uuid7(), msgspec.Raw(raw)) for seq, raw in enumerate(raws, first)]


def record_seeds() -> list[bytes]:
    """One record of each shape."""
    found = [records.freeze(record) for record in samples(5)]
    answer = msgspec.json.decode(found[0])
    values = (
        {"choice": "emergency"},
        {"text": "hyvä", "redacted": {"name": 1}},
        {"sealed": "x", "key": "k"},
        None,
    )
    return found + [json.dumps({**answer, "question": "q", "value": v}).encode() for v in values]


def _batch_seeds() -> list[bytes]:
    whole = [records.freeze(record) for record in samples(3)]
    held = [wire.Item(1, uuid7(), held="schema"), *items(whole, 2)]
    return [msgspec.json.encode(envelope(found)) for found in ([], items(whole), held)]


def _batch(raw: bytes) -> None:
    try:
        prepared = reading.prepare(raw, "d")
    except RefusedError as error:
        assert error.code in wire.PROBLEM_CODES
        return
    assert len(prepared.entries) + len(prepared.held) == len(prepared.batch.items)
    for entry in prepared.entries:
        # Either it counts, or somebody is told why not.
        assert (entry.record is None) == bool(entry.code)
        assert reading.reread(entry.raw)[1] == entry.code
    json.loads(prepared.status)


def _record(raw: bytes) -> None:
    record, code = reading.reread(raw)
    if record is None:
        assert code in ("too_large", "schema", "json", "range", "u0000")
    else:
        assert records.thaw(records.freeze(record)) == record


def _stored(folder: Path) -> Reader:
    """Whatever a batch holds, it is stored whole or refused whole, and the next one goes."""
    house = House(Path(tempfile.mkdtemp(dir=folder)) / "centre.db")
    enrol = wire.EnrolRequest(v=wire.VERSION, code=CODE, public_key=PUBLIC)
    assert house.post("/v1/enrol", msgspec.json.encode(enrol), PUBLIC)[0] == 200
    healthy = records.freeze(samples(1)[0])

    def read(raw: bytes) -> None:
        number = house.store.tx()
        with number as tx:
            before = tx.value("select count(*) from records")
            top = tx.value("select coalesce(max(seq), 0) from records")
        # The raw bytes go in as they are: a batch's own items are what they say.
        batch = envelope(items([healthy], top + 1))
        text = msgspec.json.encode(batch)[:-2]
        text += b',{"seq":%d,"id":"%s","rec":%s}]}' % (top + 2, uuid7().encode(), raw)
        status, _, _ = house.post("/v1/batches", text, PUBLIC)
        assert status in (200, 400), status
        with house.store.tx() as tx:
            after = tx.value("select count(*) from records")
            kept = tx.rows("select raw from records where seq = ?", (top + 2,))
        assert after - before >= (2 if status == 200 else 0), "half of a batch"
        assert status == 200 or after == before, "refused and stored"
        assert all(bytes(row[0]) == raw.strip() for row in kept if after - before == 2)
        assert house.post("/v1/batches", msgspec.json.encode(envelope([])), PUBLIC)[0] == 200

    return read


def _inflate(raw: bytes) -> None:
    for encoding in ("gzip", None, "br", raw[:20].decode("latin-1")):
        try:
            plain = reading.inflate(raw, encoding, 1 << 20)
        except RefusedError as error:
            assert error.code in ("too_large", "bad_encoding", "unsupported_media_type")
            continue
        assert len(plain) <= max(1 << 20, len(raw))
    assert reading.inflate(gzip.compress(raw, 1), "gzip", len(raw)) == raw


_KINDS = (
    *(wire.EnrolRequest, RotateRequest, OrganisationPut, CataloguePut, CodePut),
    *(CorrectionPut, list[DeviceCode]),
)


def _message(raw: bytes) -> None:
    for kind in _KINDS:
        try:
            found = reading.decode(raw, kind)
        except RefusedError as error:
            assert error.code in ("bad_envelope", "unknown_version")
            continue
        assert reading.decode(msgspec.json.encode(found), kind) == found


def _message_seeds() -> list[bytes]:
    enrol = wire.EnrolRequest(v=1, code=CODE, public_key=PUBLIC)
    organisation = OrganisationPut("o", {"fi": "O"}, PUBLIC, targets={"nps": 80})
    catalogue: dict[str, object] = {
        "locations": [{"id": "0031", "name": {"fi": "A"}, "hours": {"mon": "08:00-16:00"}}],
        "services": [{"id": "s", "name": {"fi": "S"}, "since": "2026-01-01"}],
        "surveys": [{"ref": "county@1", "texts": {"fi": {"nps": "?"}}}],
        "devices": [{"id": "d1", "history": [{"until": "2026-01-01", "location": "0031"}]}],
    }
    code = {"code_sha256": "0" * 64, "expires_at": "2026-01-01T00:00:00Z", "device": "d1"}
    wrong = {"device": "d1", "from": "2026-01-01", "to": "2026-01-02", "location": "0031"}
    made = (enrol, {"v": 1, "public_key": PUBLIC}, organisation, catalogue, code, [code], wrong)
    return [msgspec.json.encode(each) for each in made]


def _signed_seeds() -> list[bytes]:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    headers |= signing.sign("POST", "/v1/batches", headers, b"body", KEY)
    plain = signing.sign("GET", "/v1/config", {}, b"body", KEY)
    return [
        "\n".join(f"{name}: {value}" for name, value in found.items()).encode()
        for found in (headers, plain)
    ]


def _signed(raw: bytes) -> None:
    headers: dict[str, str] = {}
    for line in raw.decode("latin-1").split("\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    # So that most of the changes get past the digest.
    headers["content-digest"] = signing.content_digest(b"body")
    for known in (lambda _: True, lambda key: key == PUBLIC):
        try:
            key = signing.verify("POST", "/v1/batches", headers, b"body", known=known)
        except signing.SignatureRefused as error:
            assert error.code in ("bad_signature", "unknown_key")
        else:
            assert key == PUBLIC, "a signature nobody made"


def _time(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    ms = times.wall_ms(text)
    if ms is not None:
        assert times.wall_ms(times.iso(ms)) == ms
        day, hour = times.local(ms, "Pacific/Kiritimati")
        assert 0 <= hour < 24 and times.midnight_ms(day, "Pacific/Kiritimati") <= ms
    times.local(0, text)
    try:
        parse(text)
    except PeriodError:
        return


_DAY = datetime.date(2026, 3, 2)


def _query(raw: bytes) -> None:
    text = raw.decode("latin-1")
    query = MultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=None))
    view = Address.read(query)
    assert Address.read(dict(parse_qsl(view.query()))).query() == view.query()
    view.compared(view.period(_DAY))
    view.window(_DAY)
    fleet = FleetAddress.read(query)
    assert FleetAddress.read(dict(parse_qsl(fleet.query()))).query() == fleet.query()
    page = landing(text)
    assert page == HOME or (page.startswith("/") and not page.startswith("//"))


class _Request:
    """As much of a request as the choice of language looks at."""

    def __init__(self, raw: bytes) -> None:
        text = raw.decode("latin-1")
        self.query_params = {"language": text}
        self.cookies = {guard.LANGUAGE_COOKIE: text, guard.FORM_COOKIE: text}
        self.headers = {"accept-language": text}


def _language(raw: bytes) -> None:
    request: object = _Request(raw)
    assert guard.language(request) in ("fi", "sv", "en")  # type: ignore[arg-type]
    assert guard.form_token(request).isascii()  # type: ignore[arg-type]


def _status(raw: bytes) -> None:
    found = said.read(raw.decode("utf-8", "surrogateescape"))
    assert isinstance(found.refuses, bool)


RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula, or looks behind."""


def _cell(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace").replace("\0", "")
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow([safe(text), "x"])
    ((cell, x),) = csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=";")
    assert x == "x" and not cell.startswith(RUN), cell[:20]
    assert cell in (text, f"'{text}")


INPUTS = (
    simple("batch", _batch_seeds, _batch),
    simple("record", record_seeds, _record),
    Input("record, stored", record_seeds, _stored, 20),
    simple("gzip", lambda: [gzip.compress(seed, 1) for seed in _batch_seeds()], _inflate),
    simple("messages", _message_seeds, _message),
    simple("signature", _signed_seeds, _signed),
    simple("times", lambda: [b"2026-03-02T10:11:12.013+02:00", b"2026-Q3", b"2026-03"], _time),
    simple("query", lambda: [b"from=2026-03-01&to=2026-03-31&by=device&sort=nps&order=desc"
                             b"&text=a&state=late&next=/devices/d1?x=1",
                             b"period=all&compare=year-before&trend=week",
                             b"/devices/d1?x=1"], _query),
    simple("language", lambda: [b"sv-FI,sv;q=0.9,en;q=0.8", b"en"], _language),
    simple("status", lambda: [
        b'{"config":1,"config_since":"2026-03-02T10:11:12Z","refused":[{"version":2,"reason":"x"}],'
        b'"service":{"on":true},"alarms":[{"what":"wal"}],"last_touch":"2026-03-02T10:11:12Z"}'
    ], _status),
    simple("cells", lambda: [b"=1+1", "Väylä; \"A\"\n".encode(), b"-2", b"@x"], _cell),
)  # fmt: skip


__all__ = ["INPUTS", "KEY", "PUBLIC", "envelope", "items"]
