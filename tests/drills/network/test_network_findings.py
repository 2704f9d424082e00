"""What the drill of networks found, each in its smallest case."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.cursor import Memory
from sync.datadir import DataDir
from sync.fetching import fetch_config
from sync.link import Link, UnreachableError
from sync.session import _Held, by_turns
from tests.bench.screen import wait_until
from tests.drills.network.certificates import Authority, ancient
from tests.drills.network.middle import Middle, Talk
from tests.drills.network.names import NAME

KEY = Ed25519PrivateKey.generate()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
WAIT_S = 60.0
Answering = Callable[[Callable[[Talk], bool]], Middle]


@pytest.fixture
def answering() -> Iterator[Answering]:
    with contextlib.ExitStack() as end:
        yield lambda serve: end.enter_context(Middle(0, ordinary=serve))


def says(*replies: bytes) -> Callable[[Talk], bool]:
    """Answers one after the other, the last one again and again."""
    left = list(replies)

    def serve(talk: Talk) -> bool:
        talk.middle.requests.append(talk.request())
        talk.say(left.pop(0) if len(left) > 1 else left[0])
        return True

    return serve


def asked(link: Link) -> str:
    """Why an exchange fails; empty when it does not."""
    try:
        link.post("/v1/batches", b"{}", KEY)
    except UnreachableError as error:
        return str(error)
    return ""


def test_peers_that_drip_do_not_hold_the_sender_for_ever(answering: Answering) -> None:
    well = threading.Event()

    def drip(talk: Talk) -> bool:
        talk.request()
        if well.is_set():
            talk.say(OK)
            return True
        talk.say(b"HTTP/1.1 200 OK\r\n")
        while not talk.gone(0.02):
            talk.say(b"x: y\r\n")
        return False

    middle = answering(drip)
    with contextlib.closing(Link(middle.url, deadline_s=0.3)) as link:
        for _ in range(5):
            assert "no whole reply within" in asked(link), "each is a try of its own"
        wait_until(lambda: not middle.standing(), WAIT_S, what="the end of what was given up")
        well.set()
    with contextlib.closing(Link(middle.url)) as link:
        assert asked(link) == ""


def test_a_kept_connection_that_begins_to_drip_is_broken_off_as_well(answering: Answering) -> None:
    replies = iter((OK, b"HTTP/1.1 200 OK\r\n"))

    def serve(talk: Talk) -> bool:
        talk.request()
        talk.say(next(replies))
        return True

    middle = answering(serve)
    with contextlib.closing(Link(middle.url)) as link:
        assert asked(link) == ""
        link._deadline_s = 0.3
        assert "no whole reply within" in asked(link)
        wait_until(lambda: not middle.standing(), WAIT_S, what="the end of what was given up")


@pytest.mark.parametrize("way", ["tls", "proxy", "tunnel"])
def test_what_drips_is_broken_off_on_every_way(tmp_path: Path, way: str) -> None:
    def drip(talk: Talk) -> bool:
        talk.request()
        talk.say(b"HTTP/1.1 200 OK\r\n")
        while not talk.gone(0.02):
            talk.say(b"x")
        return False

    authority = Authority(tmp_path)
    context = authority.server() if way == "tls" else None
    with Middle(0, context, ordinary=drip) as middle:
        far = {"tls": middle.url, "proxy": "http://127.0.0.1:9"}.get(way, "https://127.0.0.1:9")
        proxy = "" if way == "tls" else middle.url
        link = Link(far, proxy=proxy, ca_file=str(authority.file), deadline_s=0.5)
        with contextlib.closing(link):
            assert "no whole reply within" in asked(link)
            wait_until(lambda: not middle.standing(), WAIT_S, what="the end of what was given up")


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_what_comes_before_the_reply_is_passed_over(answering: Answering, status: int) -> None:
    before = b"HTTP/1.1 %d Wait\r\nLink: </x>\r\n\r\n" % status
    middle = answering(says(before * 3 + OK))
    with contextlib.closing(Link(middle.url)) as link:
        assert link.post("/v1/batches", b"{}", KEY).status == 200


def test_cookies_of_a_portal_do_not_go_with_later_requests(answering: Answering) -> None:
    biscuit = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=%s\r\nContent-Length: 0\r\n\r\n" % (b"z" * 4000)
    serve = says(biscuit, OK)
    middle = answering(serve)
    with contextlib.closing(Link(middle.url)) as link:
        assert asked(link) == ""
        assert asked(link) == ""
    assert len(middle.requests) == 2
    assert not any(b"cookie" in request.lower() for request in middle.requests)


def test_a_centre_that_says_nothing_changed_although_it_did_is_told(
    answering: Answering, tmp_path: Path
) -> None:
    data = DataDir(tmp_path)
    data.create()
    data.bundle_file(1).write_bytes(b"the one that is here")
    middle = answering(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"))
    with (
        contextlib.closing(Memory(data.sync_db)) as memory,
        contextlib.closing(Link(middle.url)) as link,
    ):
        memory.learn(config="1", config_told="1", etag='"one"')
        assert fetch_config(data, memory, link, KEY) == ""
        memory.learn(config_told="2")
        assert "does not give it" in fetch_config(data, memory, link, KEY)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (OK.replace(b"\r\n", b"\r\nx: y" + b"y" * 70_000 + b"\r\n", 1), "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "the reply was cut short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "the reply was cut short"),
    ],
)
def test_every_reason_is_a_sentence(answering: Answering, reply: bytes, words: str) -> None:
    serve = says(reply)
    middle = answering(lambda talk: serve(talk) and False)
    with contextlib.closing(Link(middle.url)) as link:
        assert words in asked(link)


def test_a_dead_proxy_and_an_outdated_tls_are_named(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with contextlib.closing(Link("http://127.0.0.1:9", proxy=proxy)) as link:
            assert asked(link) == "the proxy cannot be used: check it"
    authority = Authority(tmp_path)
    ca_file = str(authority.file)
    for context, words in (
        (ancient(authority.server()), "the encrypted connection fails: tlsv1 alert protocol"),
        (authority.server("another.test"), "does not fit: Hostname mismatch"),
    ):
        with (
            Middle(0, context) as middle,
            contextlib.closing(Link(middle.url, ca_file=ca_file)) as link,
        ):
            assert words in asked(link)


def test_tls_that_breaks_in_mid_reply_is_named(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise ssl.SSLError(
            1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac (_ssl.c:1)"
        )

    middle = answering(says(OK))
    # Where http.client reads the body, as a TLS socket would say it.
    monkeypatch.setattr(http.client.HTTPResponse, "read", broken)
    with contextlib.closing(Link(middle.url)) as link:
        words = "the encrypted connection fails: decryption failed or bad record mac"
        assert asked(link) == words


@contextlib.contextmanager
def lead_nowhere(port: int, *addresses: str) -> Iterator[None]:
    """At this port of these addresses nobody hears a knock: the queue of those who wait is full."""
    with contextlib.ExitStack() as end:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            end.enter_context(socket.create_server((address, port), family=family, backlog=0))
            for _ in range(3):
                one = end.enter_context(socket.socket(family))
                one.setblocking(False)
                one.connect_ex((address, port))
        yield


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the centre's name addresses; no machine's own names are touched."""
    really = socket.getaddrinfo
    monkeypatch.setattr(_Held, "family", socket.AF_UNSPEC)

    def name(*addresses: str) -> None:
        def look_up(host: str, *rest: object, **more: object) -> list[object]:
            hosts = addresses if host == NAME else (host,)
            return [info for each in hosts for info in really(each, *rest, **more)]  # type: ignore[call-overload]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return name


six = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")


def test_addresses_that_lead_nowhere_do_not_use_up_the_exchange(
    answering: Answering, named: Callable[..., None]
) -> None:
    middle = answering(says(OK))
    # A large provider gives a name eight; with a sixth of the deadline each none is left.
    dead = [f"127.0.0.{n}" for n in range(2, 10)]
    named(*dead, "127.0.0.1")
    with (
        lead_nowhere(middle.port, *dead),
        contextlib.closing(Link(f"http://{NAME}:{middle.port}", deadline_s=3)) as link,
    ):
        assert asked(link) == ""


@six
def test_ipv6_that_leads_nowhere_is_waited_for_once(
    answering: Answering, named: Callable[..., None]
) -> None:
    replies = iter((OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), OK))

    def serve(talk: Talk) -> bool:
        talk.request()
        talk.say(next(replies))
        return False

    middle = answering(serve)
    named("::1", "127.0.0.1")
    url = f"http://{NAME}:{middle.port}"
    with contextlib.closing(Link(url, deadline_s=6)) as link:
        with lead_nowhere(middle.port, "::1"):
            assert asked(link) == ""
        # Whoever went there first now would find a connection, and no reply.
        with socket.create_server(("::1", middle.port), family=socket.AF_INET6):
            assert asked(link) == ""


@six
def test_ipv6_that_connects_and_then_loses_all_is_left_for_ipv4(
    answering: Answering, named: Callable[..., None]
) -> None:
    middle = answering(says(OK))
    named("::1", "127.0.0.1")
    address = ("::1", middle.port)
    with (
        socket.create_server(address, family=socket.AF_INET6),
        contextlib.closing(Link(f"http://{NAME}:{middle.port}", deadline_s=0.6)) as link,
    ):
        assert asked(link) != ""
        assert asked(link) == ""


@six
def test_a_centre_that_refuses_is_not_called_a_missing_network(
    named: Callable[..., None],
) -> None:
    # TCP to a group: the kernel says "Network is unreachable" by itself, and nothing is sent.
    named("127.0.0.1", "ff02::1")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://{NAME}:{nobody.getsockname()[1]}"
        with contextlib.closing(Link(url, deadline_s=3)) as link:
            assert asked(link) == "the centre refuses the connection"


def test_families_take_turns() -> None:
    four, other = socket.AF_INET, socket.AF_INET6
    found = [(other, "a::"), (other, "b::"), (other, "c::"), (four, "1.1.1.1"), (four, "2.2.2.2")]
    turns = ["a::", "1.1.1.1", "b::", "2.2.2.2", "c::"]
    assert by_turns(found) == by_turns(found, other) == turns
    assert by_turns(found, four) == ["1.1.1.1", "a::", "2.2.2.2", "b::", "c::"]
    assert by_turns(found[3:], other) == ["1.1.1.1", "2.2.2.2"]
    assert by_turns([*found[3:], found[3]]) == ["1.1.1.1", "2.2.2.2"]
