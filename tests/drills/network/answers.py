"""Who answers in the centre's place: portals, proxies, strangers, and rubbish without end."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from sync import pacing
from tests.drills.network.middle import Serve, Talk, Trick

LOGIN = b"<!doctype html><title>Welcome</title><form action=/login>Accept our terms</form>"
MANY = 64 << 20
"""Bytes of what has no end: far more than any reply of ours."""


def portals() -> Iterator[Trick]:
    """Somebody else answers, politely."""
    page = {"Content-Type": "text/html"}
    here = {"Location": "http://127.0.0.1:1/login"}
    yield Trick("captive portal, 200 and a page", answer(200, LOGIN, **page))
    yield Trick("captive portal, 200 and JSON", answer(200, b'{"login": true, "v": 1}'))
    yield Trick("200 and nothing", answer(200, b""))
    yield Trick("200 and null", answer(200, b"null"))
    yield Trick("200 and JSON too deep", answer(200, b"[" * 100_000))
    yield Trick("204", answer(204, b""))
    for status in (301, 302, 303, 307, 308):
        yield Trick(f"{status} to a login page", answer(status, LOGIN, **here))
    yield Trick("302 to itself", _to_itself)
    yield Trick("304 without reason", answer(304, b""))
    for status in (400, 401, 403, 404, 407, 413, 418, 421, 422, 451, 511):
        yield Trick(f"{status} and a page", answer(status, LOGIN, **page), halves=status == 413)


def failing() -> Iterator[Trick]:
    """Gateways that have no centre behind them."""
    afters = (None, "7", "0", "Wed, 21 Oct 2037 07:28:00 GMT", "99999999999999999999")
    for status in (408, 429, 500, 502, 503, 504):
        for after in afters if status == 503 else (None, "7"):
            headers = {} if after is None else {"Retry-After": after}
            words = f"{status}" if after is None else f"{status}, Retry-After {after}"
            longest = pacing.CAP_S + 1 if after and after.startswith("9") else 4000.0
            yield Trick(words, answer(status, LOGIN, **headers), longest_s=longest)


def strangers() -> Iterator[Trick]:
    """A reply in the centre's own words, and not to this request."""
    yield Trick("receipt of another batch", _receipt(digest="sha-256=:AAAA:"))
    yield Trick("receipt without digest", _receipt(digest=""))
    yield Trick("receipt of another epoch", _receipt(epoch="0190-other"))
    yield Trick("receipt of another centre", _receipt(centre="another"))
    yield Trick("receipt of another version", _receipt(v=2))
    yield Trick("receipt that has less than nothing", _receipt(have=-1))
    yield Trick("receipt with a number for a word", _receipt(digest=7))
    yield Trick("receipt as 201", _receipt(201))
    yield Trick("receipt as 206", _receipt(206))
    yield Trick("receipt as 500", _receipt(500))


def rubbish() -> Iterator[Trick]:
    """What is no HTTP, or more of it than anybody needs."""
    ok = b"HTTP/1.1 200 OK\r\n"
    yield Trick("HTTP/0.9", raw(b"<html>hello</html>"))
    yield Trick("another protocol", raw(b"SSH-2.0-OpenSSH_9.2\r\n"))
    yield Trick("zeros", raw(bytes(5000)))
    yield Trick("HTTP/3.0", raw(b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n"), fails=None)
    yield Trick("101 Switching Protocols", raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    yield Trick("status that is no number", raw(b"HTTP/1.1 OK 200\r\n\r\n"))
    yield Trick("status below 0", raw(b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n"))
    yield Trick("a header of 1 MB", raw(ok + b"x: " + b"y" * (1 << 20) + b"\r\n\r\n"))
    yield Trick("10,000 headers", raw(ok + b"x: y\r\n" * 10_000 + b"\r\n"))
    yield Trick("a first line without end", _endless(b"HTTP/1.1 200 ", b"K" * 65536))
    yield Trick("headers without end", _endless(ok, b"x: y\r\n" * 10_000))
    yield Trick("a body without end", _endless(ok + b"\r\n", bytes(65536)))
    chunked = ok + b"Transfer-Encoding: chunked\r\n\r\n"
    yield Trick("chunks without end", _endless(chunked, b"10000\r\n" + bytes(65536) + b"\r\n"))
    yield Trick("a chunk's length without end", _endless(chunked, b"0" * 65536))
    huge = ok + b"Content-Length: 999999999999\r\n\r\n"
    yield Trick("a body of 1 TB", _endless(huge, bytes(65536)))
    yield Trick("a gzip bomb", _packed(b"gzip", _bomb))
    yield Trick("a gzip bomb in gzip", _packed(b"gzip, gzip", _bomb_twice))
    yield Trick("a deflate bomb", _packed(b"deflate", _bomb_flat))
    yield Trick("gzip cut short", _packed(b"gzip", lambda: gzip.compress(LOGIN)[:20]))
    biscuits = b"".join(b"Set-Cookie: a%d=%s\r\n" % (n, b"z" * 3000) for n in range(50))
    yield Trick("cookies larger than any request", raw(ok + biscuits + b"\r\n"))


def answer(status: int, body: bytes, **headers: str) -> Serve:
    """A whole answer of somebody else's; underscores in names stand for nothing else."""
    head = f"HTTP/1.1 {status} Whatever\r\n"
    for name, value in headers.items():
        head += f"{name}: {value}\r\n"
    if status not in (204, 304):
        head += f"Content-Length: {len(body)}\r\n"
    return _said(head.encode() + b"\r\n" + body, go_on=True)


def raw(reply: bytes) -> Serve:
    """These bytes, and then the end."""
    return _said(reply, go_on=False)


def _said(reply: bytes, *, go_on: bool) -> Serve:
    def serve(talk: Talk) -> bool:
        talk.request()
        with contextlib.suppress(OSError):
            talk.say(reply)
        return go_on

    return serve


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(MANY), 9)


@cache
def _bomb_twice() -> bytes:
    return gzip.compress(_bomb(), 9)


@cache
def _bomb_flat() -> bytes:
    return zlib.compress(bytes(MANY), 9)


def _packed(coding: bytes, make: Callable[[], bytes]) -> Serve:
    def serve(talk: Talk) -> bool:
        body = make()
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
        return raw(head % (coding, len(body)) + body)(talk)

    return serve


def _to_itself(talk: Talk) -> bool:
    first = talk.request().split(b" ", 2)[1].decode()
    body = b"over here"
    where = f"Location: {talk.middle.url}{first}\r\nContent-Length: {len(body)}\r\n\r\n"
    talk.say(b"HTTP/1.1 307 Temporary Redirect\r\n" + where.encode() + body)
    return True


def _endless(begin: bytes, again: bytes) -> Serve:
    def serve(talk: Talk) -> bool:
        talk.request()
        with contextlib.suppress(OSError):
            talk.say(begin)
            for _ in range(MANY // len(again)):
                talk.say(again)
        return False

    return serve


def _receipt(status: int = 200, **changes: object) -> Serve:
    """A receipt that fits but for the changes; the centre never heard of the request."""

    def serve(talk: Talk) -> bool:
        request = talk.request()
        split = request.index(b"\r\n\r\n") + 4
        digest = next(
            line.split(b": ", 1)[1].decode()
            for line in request[:split].split(b"\r\n")
            if line.lower().startswith(b"content-digest")
        )
        packed = request[split:]
        asked = json.loads(gzip.decompress(packed)) if packed else {}
        told = {
            "v": 1,
            "centre": asked.get("centre", ""),
            "digest": digest,
            "epoch": asked.get("epoch", ""),
            "received_at": "2026-03-02T08:00:00Z",
            "have": asked.get("tail_seq", 0),
            **changes,
        }
        body = json.dumps(told).encode()
        return answer(status, body, **{"Content-Type": "application/json"})(_Heard(talk))

    return serve


class _Heard(Talk):
    """A talk whose request has been read."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk.middle, talk.client)

    def request(self) -> bytes:
        return b""
