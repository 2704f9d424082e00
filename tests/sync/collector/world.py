"""A centre for tests: a real server on a real port, an operator, devices that sign."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import http.client
import json
import random
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector.app import create_app
from sync.collector.devices import Devices
from sync.collector.ingest import Ingest
from sync.collector.store import Store, tables
from sync.contract import bundle, ids, records, signing, wire
from sync.contract import code as codes

START = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.UTC).timestamp()
BOOT = "boot-1"


class Clock:
    """Seconds since 1970 that only move when told."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


class Reply:
    """Status, headers and body of an answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        found = self.json()
        assert found["status"] == self.status
        return str(found["code"])


class Centre:
    """A running centre."""

    def __init__(self, url: str, *, web: bool = False) -> None:
        self.database = url
        self.clock = Clock()
        self.app = create_app(url, now=self.clock, web=web)
        self.store: Store = self.app.state.store
        self.id: str = self.app.state.centre.centre
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_config=None, access_log=False, server_header=False)
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],))
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.005)
        self.organisation = Ed25519PrivateKey.generate()
        self.operator = Ed25519PrivateKey.generate()
        self._add_operator()

    def _add_operator(self) -> None:
        with self.store.tx() as tx:
            tx.run(
                "insert into operators(name, key, created_ms) values (?, ?, 0) "
                "on conflict (name) do update set key = excluded.key",
                ("tester", bundle.key_text(self.operator.public_key())),
            )

    def clean(self) -> None:
        """Forget everything but who it is: as a fresh centre, without starting one."""
        with self.store.tx() as tx:
            for table in tables.metadata.sorted_tables:
                if table.name != "meta":
                    tx.run(f'delete from "{table.name}"')
        self.clock.at = START
        shared = self.app.state.centre
        shared.ingest = Ingest(self.store, now_ms=shared.now_ms, after_s=shared.after_s)
        shared.devices = Devices(self.store, now_ms=shared.now_ms, clock=self.clock)
        self._add_operator()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """A request as it is, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )
        finally:
            connection.close()

    def signed(
        self,
        method: str,
        path: str,
        body: bytes,
        key: Ed25519PrivateKey,
        *,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A request signed by a key."""
        headers = {"Content-Type": "application/json"} if headers is None else headers
        headers = {
            **headers,
            **signing.sign(method, path.split("?", maxsplit=1)[0], headers, body, key),
        }
        return self.request(method, path, body, headers)

    def admin(self, method: str, path: str, value: object = None) -> Reply:
        """An operator's request."""
        body = value if isinstance(value, bytes) else b"" if value is None else _json(value)
        return self.signed(method, f"/v1/admin/{path}", body, self.operator)

    def set_up(self, *devices: str) -> None:
        """Organisation and catalogue: two places, two services, a survey, these devices."""
        assert (
            self.admin(
                "PUT",
                "organisation",
                {
                    "id": "hyva",
                    "name": {"fi": "Hyvä"},
                    "key": bundle.key_text(self.organisation.public_key()),
                    "next_keys": [],
                    "timezone": "Europe/Helsinki",
                    "targets": {"nps": 80, "fully_agree_pct": 80},
                },
            ).status
            == 200
        )
        done = self.admin(
            "PUT",
            "catalogue",
            {
                "locations": [
                    {
                        "id": "0001",
                        "name": {"fi": "Salo"},
                        "municipality": "Salo",
                        "timezone": "Europe/Helsinki",
                        "services": ["dental"],
                    },
                    {"id": "0002", "name": {"fi": "Turku"}, "municipality": "Turku"},
                ],
                "services": [{"id": "dental", "name": {"fi": "Hammashoito"}, "group": "health"}],
                "surveys": [
                    {
                        "ref": "basic@1",
                        "scale": "agree5",
                        "texts": {"fi": {"nps": "Kuinka"}},
                        "statements": [{"id": "heard", "theme": "encounter"}],
                    }
                ],
                "devices": [{"id": d, "name": d, "location": "0001"} for d in devices],
            },
        )
        assert done.status == 200, done.body

    def code(self, device: str, *, hours: float = 72) -> str:
        """A new one-time code for a device."""
        code = "-".join(secrets.token_hex(2).upper() for _ in range(3))
        expires = datetime.datetime.fromtimestamp(self.clock.at + hours * 3600, datetime.UTC)
        done = self.admin(
            "POST",
            f"devices/{device}/codes",
            {"code_sha256": codes.sha256(code), "expires_at": expires.isoformat()},
        )
        assert done.status == 200, done.body
        return code

    def device(self, name: str, location: str = "0001") -> Device:
        """An enrolled device."""
        device = Device(self, name, location)
        assert device.enrol(self.code(name)).status == 200
        return device


class Device:
    """A device as the wire sees it."""

    def __init__(self, centre: Centre, name: str, location: str = "0001") -> None:
        self.centre = centre
        self.name = name
        self.location = location
        self.key = Ed25519PrivateKey.generate()
        self.epoch = str(uuid.uuid4())

    @property
    def public(self) -> str:
        return bundle.key_text(self.key.public_key())

    def enrol(self, code: str, *, release: bool = False, key: str = "") -> Reply:
        body = _json({"v": 1, "code": code, "public_key": key or self.public, "release": release})
        return self.centre.signed("POST", "/v1/enrol", body, self.key)

    def batch(self, items: list[wire.Item], /, **changes: Any) -> bytes:
        """A batch's JSON."""
        last = items[-1].seq if items else 0
        values = {
            "v": 1,
            "centre": self.centre.id,
            "epoch": self.epoch,
            "boot": BOOT,
            "sent_at": "2026-03-02T10:00:00+02:00",
            "sent_boottime_ms": 10_000_000,
            "clocks": {},
            "first_seq": items[0].seq if items else 1,
            "tail_seq": last,
            "status": {"version": "0.1.0"},
            "items": items,
        }
        return _json({**values, **changes})

    def post(self, body: bytes, *, zipped: bool = True) -> Reply:
        """Send a batch's JSON."""
        headers = {"Content-Type": "application/json"}
        if zipped:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        return self.centre.signed("POST", "/v1/batches", body, self.key, headers=headers)

    def send(self, items: list[wire.Item], **changes: Any) -> Any:
        """Send a batch that must be taken; the receipt."""
        reply = self.post(self.batch(items, **changes))
        assert reply.status == 200, reply.body
        return reply.json()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def item(seq: int, record: records.Record | bytes, id_: str = "") -> wire.Item:
    """A record at its position."""
    raw = record if isinstance(record, bytes) else records.freeze(record)
    return wire.Item(seq, id_ or ids.uuid7(), msgspec.Raw(raw))


def stamp(second: float = 0.0, *, synced: bool = True, boot: str = BOOT) -> records.Stamp:
    """A moment of the test's day."""
    wall = datetime.datetime.fromtimestamp(START + second, datetime.UTC)
    return records.Stamp(wall.isoformat(timespec="milliseconds"), int(second * 1000), boot, synced)


def answer(
    visit: str, question: str = "nps", n: int = 1, value: Any = 9, **changes: Any
) -> records.Answer:
    """An answer."""
    values: dict[str, Any] = {
        "language": "fi",
        "survey": "basic@1",
        "config": 1,
        "location": "0001",
        "layout": "landscape",
        "position": n - 1,
        "at": stamp(n % 1000),
    }
    return records.Answer(visit=visit, question=question, n=n, value=value, **{**values, **changes})


def end(visit: str, how: records.How = "completed", **changes: Any) -> records.End:
    """An end."""
    values: dict[str, Any] = {
        "duration_ms": 9000,
        "shown": ["nps", "heard"],
        "skipped": [],
        "selection": "fixed",
        "at": stamp(30),
    }
    return records.End(visit=visit, how=how, **{**values, **changes})


def visits(count: int, seed: int = 1) -> list[records.Record]:
    """Whole visits: a number, three faces, sometimes a changed mind, the end."""
    chance = random.Random(seed)
    out: list[records.Record] = []
    for _ in range(count):
        visit = ids.uuid7(random_bytes=chance.randbytes)
        out.append(answer(visit, "nps", 1, chance.randint(0, 10)))
        out += [answer(visit, q, i, chance.randint(1, 5)) for i, q in enumerate("abc", 2)]
        if chance.random() < 0.2:
            out.append(answer(visit, "a", 5, chance.choice([None, 1, 5])))
        out.append(end(visit, flags=["rush"] if chance.random() < 0.1 else []))
    return out


def items(found: list[records.Record], first: int = 1) -> list[wire.Item]:
    """Records at consecutive positions."""
    return [item(seq, record) for seq, record in enumerate(found, first)]


@contextlib.contextmanager
def running(url: str, **options: Any) -> Iterator[Centre]:
    """A centre for the length of a block."""
    centre = Centre(url, **options)
    try:
        yield centre
    finally:
        centre.close()
