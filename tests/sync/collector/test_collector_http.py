"""What comes over a real socket: malformed, oversized, hostile, or many at once."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import zlib
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector import maintenance, openapi
from sync.collector.app import API
from sync.collector.ingest import NEW_EPOCHS_A_DAY
from sync.collector.metrics import Metrics
from sync.collector.problems import Pace
from sync.collector.store import Tx
from sync.contract import ids, signing, wire
from tests.sync.collector.world import Centre, Device, answer, item, items, visits

JSON = {"Content-Type": "application/json"}
GZIP = {**JSON, "Content-Encoding": "gzip"}


def post(centre: Centre, device: Device, body: bytes, headers: dict[str, str] = JSON) -> Any:
    return centre.signed("POST", "/v1/batches", body, device.key, headers=headers)


def alive(centre: Centre, device: Device) -> None:
    """The centre still takes a good batch."""
    assert device.send([])["centre"] == centre.id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"v":1}',
        b'{"v":1,"epoch":"\xff"}',
        b'{"v":true}',
        b'{"v":1e999}',
        b'{"a":' * 60_000 + b"1" + b"}" * 60_000,
    ],
)
def test_a_body_that_is_no_batch_is_400(sqlite_centre: Centre, body: bytes) -> None:
    device = sqlite_centre.device("d1")
    assert post(sqlite_centre, device, body).code == "bad_envelope"
    alive(sqlite_centre, device)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": "a\x00b"},
        {"boot": "\x00"},
        {"epoch": ""},
        {"epoch": "e" * 101},
        {"first_seq": -1},
        {"tail_seq": 2**70},
        {"sent_boottime_ms": 2**64},
        {"clocks": {"b": 2**60}},
        {"clocks": {"b\x00": 1}},
        {"clocks": []},
        {"status": []},
        {"items": {}},
        {"items": [{"seq": 0, "id": "a", "rec": {}}]},
        {"items": [{"seq": 2**60, "id": "a", "rec": {}}]},
        {"items": [{"seq": 1, "id": "a\x00", "rec": {}}]},
        {"items": [{"seq": 1, "id": "", "rec": {}}]},
        {"items": [{"seq": 1, "id": "a"}]},
        {"items": [{"seq": 1, "id": "a", "held": "x" * 101}]},
        {"items": [{"seq": 2, "id": "a", "rec": {}}, {"seq": 1, "id": "b", "rec": {}}]},
        {"items": [{"seq": 1, "id": "a", "rec": {}}, {"seq": 1, "id": "b", "rec": {}}]},
    ],
)
def test_an_envelope_out_of_bounds_is_400(sqlite_centre: Centre, changes: dict[str, Any]) -> None:
    device = sqlite_centre.device("d1")
    assert device.post(device.batch([], **changes)).code == "bad_envelope"
    alive(sqlite_centre, device)


def test_status_with_u0000_or_too_long_is_dropped_not_refused(centre: Centre) -> None:
    device = centre.device("d1")
    for status in ({"a": "\x00"}, {"a": ["\x00"]}, {"\x00": 1}, {"a": "x" * 20_000}):
        assert device.send([], status=status)["have"] == 0


@pytest.mark.parametrize("version", [0, 2, 99, -1, 2**70])
def test_another_version_is_named(sqlite_centre: Centre, version: int) -> None:
    device = sqlite_centre.device("d1")
    reply = device.post(device.batch([], v=version))
    assert reply.code == "unknown_version"
    assert post(sqlite_centre, device, b'{"v":2,"new":"shape"}').code == "unknown_version"


def test_another_centre_is_421(sqlite_centre: Centre) -> None:
    device = sqlite_centre.device("d1")
    reply = device.post(device.batch([], centre="elsewhere"))
    assert (reply.status, reply.code) == (421, "wrong_centre")


@pytest.mark.parametrize(
    "body",
    [
        b"no gzip",
        gzip.compress(b"{}")[:-4],
        gzip.compress(b"{}") + b"more",
        gzip.compress(b"{}") + gzip.compress(b"{}"),
        zlib.compress(b"{}"),
    ],
    ids=["no gzip", "cut short", "more behind", "two streams", "zlib"],
)
def test_bad_gzip_is_400(sqlite_centre: Centre, body: bytes) -> None:
    device = sqlite_centre.device("d1")
    assert post(sqlite_centre, device, body, GZIP).code == "bad_encoding"


def test_a_gzip_bomb_costs_nothing(sqlite_centre: Centre) -> None:
    device = sqlite_centre.device("d1")
    bomb = gzip.compress(bytes(600 << 20), 9)
    assert len(bomb) < wire.MAX_BODY_BYTES
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        assert post(sqlite_centre, device, bomb, GZIP).code == "too_large"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 << 10  # KiB
    alive(sqlite_centre, device)


def test_a_body_or_a_batch_too_large_is_413(sqlite_centre: Centre) -> None:
    device = sqlite_centre.device("d1")
    assert post(sqlite_centre, device, bytes(wire.MAX_BODY_BYTES + 1)).code == "too_large"
    many = [wire.Item(n, str(n), held="x") for n in range(1, wire.MAX_ITEMS + 2)]
    assert device.post(device.batch(many)).code == "too_large"
    alive(sqlite_centre, device)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {**JSON, "Content-Encoding": "br"},
        {**JSON, "Content-Encoding": "gzip, gzip"},
    ],
)
def test_another_media_type_is_415(sqlite_centre: Centre, headers: dict[str, str]) -> None:
    device = sqlite_centre.device("d1")
    assert post(sqlite_centre, device, b"{}", headers).code == "unsupported_media_type"


def test_a_signature_must_hold(sqlite_centre: Centre) -> None:
    device = sqlite_centre.device("d1")
    body = device.batch([])
    headers = {**JSON, **signing.sign("POST", "/v1/batches", JSON, body, device.key)}

    def sent(changed: bytes = body, **replaced: str) -> str:
        return sqlite_centre.request("POST", "/v1/batches", changed, {**headers, **replaced}).code

    assert sent(body + b" ") == "bad_digest"
    assert sent(**{"Content-Digest": "sha-256=:AAAA:"}) == "bad_digest"
    assert sent(**{"Signature": "hymio=:AAAA:"}) == "bad_signature"
    assert sent(**{"Signature": "\xff"}) == "bad_signature"
    assert sent(**{"Signature-Input": "x" * 5000}) == "bad_signature"
    assert sent(**{"Content-Encoding": "gzip"}) == "bad_signature"
    elsewhere = {**JSON, **signing.sign("POST", "/v1/enrol", JSON, body, device.key)}
    assert sqlite_centre.request("POST", "/v1/batches", body, elsewhere).code == "bad_signature"
    unsigned = {**JSON, "Content-Digest": signing.content_digest(body)}
    assert sqlite_centre.request("POST", "/v1/batches", body, unsigned).code == "bad_signature"
    assert sqlite_centre.request("POST", "/v1/batches", body, JSON).code == "bad_digest"
    stranger = Ed25519PrivateKey.generate()
    reply = sqlite_centre.signed("POST", "/v1/batches", body, stranger)
    assert (reply.status, reply.code) == (401, "unknown_key")
    # The batch's own `device` says nothing: a signed request repeated is harmless.
    assert sqlite_centre.request("POST", "/v1/batches", body, headers).status == 200


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/enrol", "/v1/keys", "/v1/config"])
def test_a_query_on_a_signed_route_is_400(sqlite_centre: Centre, path: str) -> None:
    device = sqlite_centre.device("d1")
    method = "GET" if path.endswith("config") else "POST"
    reply = sqlite_centre.signed(method, f"{path}?x=1", b"", device.key)
    assert reply.code == "query_not_allowed"


def test_404_405_and_500_are_problems_too(
    sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sqlite_centre.request("GET", "/nowhere").code == "not_found"
    assert sqlite_centre.request("GET", "/v1/admin/devices/%FF%00/x").code == "not_found"
    reply = sqlite_centre.request("DELETE", "/v1/batches")
    assert reply.code == "method_not_allowed"
    assert "POST" in reply.headers["allow"]

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sqlite_centre.app.state.centre.ingest, "take", broken)
    device = sqlite_centre.device("d1")
    reply = device.post(device.batch([]))
    assert reply.code == "internal"
    assert "Zero" not in reply.body.decode()


def test_no_answer_tells_what_runs_here(sqlite_centre: Centre) -> None:
    for path in ("/livez", "/nowhere"):
        headers = sqlite_centre.request("GET", path).headers
        assert "server" not in headers


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
    ],
)
def test_bytes_that_are_no_http_end_no_server(sqlite_centre: Centre, raw: bytes) -> None:
    device = sqlite_centre.device("d1")
    with socket.create_connection(("127.0.0.1", sqlite_centre.port), timeout=10) as plug:
        plug.sendall(raw)
        plug.shutdown(socket.SHUT_WR)
        answered = plug.recv(65536)
    assert b" 500 " not in answered.split(b"\r\n")[0]
    alive(sqlite_centre, device)


def test_chunked_bodies_are_bounded_too(sqlite_centre: Centre) -> None:
    with socket.create_connection(("127.0.0.1", sqlite_centre.port), timeout=10) as plug:
        plug.sendall(b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(32):
            plug.sendall(chunk)
        plug.sendall(b"0\r\n\r\n")
        assert plug.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_eight_workers_with_overlapping_batches_count_every_record_once(centre: Centre) -> None:
    names = ("d1", "d2")
    devices = [centre.device(name) for name in names]
    content = [items(visits(40, seed)) for seed in (1, 2)]
    failures: list[str] = []

    def work(number: int) -> None:
        device, mine = devices[number % 2], content[number % 2]
        for start in range(number % 7, len(mine), 25):
            reply = device.post(device.batch(mine[start : start + 45], first_seq=1))
            if reply.status != 200:
                failures.append(reply.body.decode())
        reply = device.post(device.batch(mine, first_seq=1))
        if reply.status != 200 or reply.json()["have"] != len(mine):
            failures.append(reply.body.decode())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with centre.store.read() as connection:
        tx = Tx(connection)
        stored = tx.rows("select device, count(*) from records group by device order by device")
        assert stored == [(name, len(c)) for name, c in zip(names, content, strict=True)]
        assert tx.value("select sum(forks) + sum(lost) + sum(conflicts) from epochs") == 0
    assert maintenance.verify(centre.store)["differences"] == []


def test_when_too_many_wait_each_gets_a_later_slot(
    sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = sqlite_centre.device("d1")
    gate = sqlite_centre.app.state.centre.gate
    monkeypatch.setattr(gate, "_most_waiting", 0)
    waits = []
    for _ in range(300):
        if len(waits) % 100 == 0:
            reply = device.post(device.batch([]))
            assert (reply.status, reply.code) == (429, "slow_down")
            waits.append(int(reply.headers["retry-after"]))
        else:
            waits.append(gate.slots.take())
    # Real time passes meanwhile, which brings every slot nearer.
    assert waits[0] >= 1
    assert waits[-1] > waits[0]


def test_a_key_that_runs_wild_is_slowed_and_no_other(
    sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0], per_s=1, burst=3)
    monkeypatch.setattr(sqlite_centre.app.state.centre, "pace", pace)
    wild, calm = sqlite_centre.device("d1"), sqlite_centre.device("d2")
    assert [wild.post(wild.batch([])).status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert calm.post(calm.batch([])).status == 200
    clock[0] = 1.0
    assert [wild.post(wild.batch([])).status for _ in range(2)] == [200, 429]


def test_a_device_begins_only_so_many_outboxes_a_day(centre: Centre) -> None:
    device = centre.device("d1")
    for number in range(NEW_EPOCHS_A_DAY):
        device.send([], epoch=f"e{number}")
    reply = device.post(device.batch([], epoch="one more"))
    assert (reply.code, reply.headers["retry-after"]) == ("slow_down", "3600")
    device.send([], epoch="e0")
    centre.clock.at += 86_401
    device.send([], epoch="one more")


def test_a_database_that_cannot_be_written_is_503_and_not_ready(centre: Centre) -> None:
    shared = centre.app.state.centre
    device = centre.device("d1")
    assert centre.request("GET", "/readyz").status == 200
    body = device.batch([item(1, answer(ids.uuid7()))])
    with centre.store.tx() as tx:
        tx.run("alter table records rename to away")
        tx.run("alter table meta rename to meta_away")
    shared._ready = (-1e9, False)
    replies = [device.post(body), centre.request("GET", "/readyz")]
    assert [(r.status, r.code) for r in replies] == [(503, "not_writable")] * 2
    assert all(int(r.headers["retry-after"]) >= 1 for r in replies[:1])
    assert centre.request("GET", "/livez").status == 200
    with centre.store.tx() as tx:
        tx.run("alter table away rename to records")
        tx.run("alter table meta_away rename to meta")
    shared._ready = (-1e9, False)
    assert device.send([item(1, answer(ids.uuid7()))])["have"] == 1
    assert centre.request("GET", "/readyz").status == 200


def test_openapi_describes_exactly_the_routes_there_are(sqlite_centre: Centre) -> None:
    document = json.loads(sqlite_centre.request("GET", "/schema/openapi.json").body)
    described = {(m, path) for path, methods in document["paths"].items() for m in methods}
    served = {
        (method.lower(), path.replace(":str}", "}"))
        for route in API
        for path in route.paths
        for method in route.http_methods
    }
    assert described == served
    assert openapi.document() == sqlite_centre.request("GET", "/schema/openapi.json").body
    receipt = document["components"]["schemas"]["Receipt"]
    assert set(receipt["properties"]) == set(wire.Receipt.__struct_fields__)


def test_metrics_count_and_name_no_device(
    sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = sqlite_centre.app.state.centre
    fresh = Metrics()
    monkeypatch.setattr(shared, "metrics", fresh)
    monkeypatch.setattr(shared.gate, "_metrics", fresh)
    device = sqlite_centre.device("d1")
    device.send(items(visits(3)))
    device.send([item(99, b'"junk"')])
    text = sqlite_centre.request("GET", "/metrics").body.decode()
    assert 'hymio_records_total{verdict="quarantined"} 1.0' in text
    assert 'hymio_requests_total{route="batches",status="200"} 2.0' in text
    assert "d1" not in text


def test_the_message_of_a_problem_is_complete(sqlite_centre: Centre) -> None:
    reply = sqlite_centre.request("GET", "/nowhere")
    found = msgspec.json.decode(reply.body, type=wire.Problem)
    assert (found.status, found.title) == (404, "Not Found")
    assert found.type == "urn:hymio:problem:not_found"
