"""The tool that cuts the network does what the fault tests rely on."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from tests.faults.proxy import CuttingProxy, Fault


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    heard: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"y" * 2000)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def echo() -> Iterator[tuple[int, list[bytes]]]:
    heard: list[bytes] = []
    handler = type("Handler", (_Echo,), {"heard": heard})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1], heard
    server.shutdown()
    server.server_close()
    thread.join(5)


def _post(proxy: CuttingProxy, body: bytes = b"x" * 5000) -> requests.Response:
    return requests.post(proxy.url, data=body, timeout=30)


def test_passes_bytes_on_untouched(echo: tuple[int, list[bytes]]) -> None:
    with CuttingProxy(echo[0]) as proxy:
        assert len(_post(proxy).content) == 2000
    assert echo[1] == [b"x" * 5000]
    assert proxy.cuts == 0


def test_a_lost_reply_was_heard_by_the_centre(echo: tuple[int, list[bytes]]) -> None:
    with CuttingProxy(echo[0]) as proxy:
        proxy.arm(Fault(reply_bytes=0))
        with pytest.raises(requests.ConnectionError):
            _post(proxy)
        assert echo[1] == [b"x" * 5000]
        assert not proxy.armed
        assert _post(proxy).ok, "a fault befalls one exchange only"
        assert proxy.cuts == 1


def test_a_truncated_reply_is_cut_in_its_middle(echo: tuple[int, list[bytes]]) -> None:
    with CuttingProxy(echo[0]) as proxy:
        proxy.arm(Fault(reply_bytes=700))
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            _post(proxy)
        assert proxy.cuts == 1


def test_a_request_cut_in_its_middle_is_never_heard_whole(echo: tuple[int, list[bytes]]) -> None:
    with CuttingProxy(echo[0]) as proxy:
        proxy.arm(Fault(request_bytes=3000))
        with pytest.raises(requests.ConnectionError):
            _post(proxy)
        assert b"x" * 5000 not in echo[1]


def test_a_reply_can_be_late(echo: tuple[int, list[bytes]]) -> None:
    with CuttingProxy(echo[0]) as proxy:
        proxy.arm(Fault(delay_s=0.3))
        started = time.monotonic()
        assert _post(proxy).ok
        assert time.monotonic() - started >= 0.3


def test_a_pulled_cable_breaks_what_is_open_and_refuses_what_is_new(
    echo: tuple[int, list[bytes]],
) -> None:
    with CuttingProxy(echo[0]) as proxy, requests.Session() as session:
        assert session.post(proxy.url, data=b"1", timeout=30).ok
        proxy.down()
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                session.post(proxy.url, data=b"2", timeout=30)
        proxy.up()
        assert session.post(proxy.url, data=b"3", timeout=30).ok
    assert echo[1] == [b"1", b"3"]
