"""A scripted centre on a real socket: it keeps what a centre keeps and misbehaves on request."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CENTRE = "centre-1"

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body; `Content-Length` may lie."""
Behaviour = Callable[["FakeCentre", dict[str, Any], str], "Answer | None"]
"""Gets the batch and its digest; None lets the centre answer as it should."""


class FakeCentre:
    """Stores by epoch and seq, replies with `have`, and asks `behave` first."""

    def __init__(self, name: str = CENTRE, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.stored: dict[str, dict[int, dict[str, Any]]] = {}
        self.pruned: dict[str, int] = {}
        self.batches: list[dict[str, Any]] = []
        self.keys: list[str] = []
        """keyid of every request."""
        self.behave: Behaviour = lambda centre, batch, digest: None
        self.changes: dict[str, Any] = {}
        """Fields of every receipt that are replaced."""
        self.config: Answer = (404, {}, b"")
        self.config_version = 0
        self.config_asked: list[str | None] = []
        self.enrol: Callable[[dict[str, Any]], Answer] = enrolled
        self.announced: list[str] = []
        self.drip_s = 0.0
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    raw = gzip.decompress(raw)
                centre.keys.append(
                    self.headers["Signature-Input"].split('keyid="')[1].split('"')[0]
                )
                self.reply(centre.post(self.path, json.loads(raw), self.headers["Content-Digest"]))

            def do_GET(self) -> None:
                centre.config_asked.append(self.headers.get("If-None-Match"))
                status, headers, body = centre.config
                if headers.get("ETag") and headers["ETag"] == self.headers.get("If-None-Match"):
                    status, body = 304, b""
                self.reply((status, headers, body))

            def reply(self, answer: Answer) -> None:
                status, headers, body = answer
                self.send_response(status)
                for header, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(header, value)
                self.end_headers()
                if centre.drip_s:
                    for i in range(len(body)):
                        self.wfile.write(body[i : i + 1])
                        time.sleep(centre.drip_s)
                else:
                    self.wfile.write(body)
                if headers.get("Content-Length", str(len(body))) != str(len(body)):
                    self.close_connection = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def post(self, path: str, body: dict[str, Any], digest: str) -> Answer:
        if path == "/v1/enrol":
            return self.enrol(body)
        if path == "/v1/keys":
            self.announced.append(body["public_key"])
            return ok({"v": 1, "device": "d1"})
        self.batches.append(body)
        return self.behave(self, body, digest) or self.take(body, digest)

    def take(self, batch: dict[str, Any], digest: str) -> Answer:
        epoch, told = batch["epoch"], []
        stored = self.stored.setdefault(epoch, {})
        for item in batch["items"]:
            if item.get("held"):
                told.append({"seq": item["seq"], "verdict": "held", "code": item["held"]})
            stored[item["seq"]] = item
        self.pruned[epoch] = max(self.pruned.get(epoch, 0), 0)
        if batch["status"]["have"] == self.have(epoch, before=batch):
            self.pruned[epoch] = max(self.pruned[epoch], batch["first_seq"] - 1)
        more = batch["items"] and batch["items"][-1]["seq"] < batch["tail_seq"]
        return ok(
            {
                "v": 1,
                "centre": self.name,
                "digest": digest,
                "epoch": epoch,
                "received_at": "2026-03-02T08:00:00Z",
                "have": self.have(epoch),
                "exceptions": told,
                "next": {"after_s": 0 if more else 30},
                "config": self.config_version,
                **self.changes,
            }
        )

    def have(self, epoch: str, before: dict[str, Any] | None = None) -> int:
        new = {i["seq"] for i in before["items"]} if before else set()
        seqs = self.stored.get(epoch, {}).keys() - new
        have = 0
        while have + 1 in seqs or have + 1 <= self.pruned.get(epoch, 0):
            have += 1
        return have

    def records(self) -> list[str]:
        """Ids of the records stored in full."""
        return [
            item["id"]
            for stored in self.stored.values()
            for item in stored.values()
            if "rec" in item
        ]


def ok(value: Any, **headers: str) -> Answer:
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


def problem(status: int, code: str, **headers: str) -> Answer:
    body = {"type": "urn:x", "title": "x", "status": status, "code": code}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/problem+json", **names}, json.dumps(body).encode()


def enrolled(
    _: dict[str, Any], key: str = "", config: int = 0, device: str = "d1", centre: str = CENTRE
) -> Answer:
    return ok(
        {
            "v": 1,
            "centre": centre,
            "device": device,
            "name": "Aula",
            "location": "0001",
            "organisation_key": key,
            "config": config,
        }
    )


def dead_port() -> int:
    """A port nobody listens on."""
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    # It stays bound: nobody else can come to listen there while the test runs.
    probe.detach()
    return port
