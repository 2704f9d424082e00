"""What a network can do to one exchange: connections cut, bytes lost, doubled, late or changed."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.drills.network.middle import Serve, Talk, Trick, length_of, read_exactly, read_head

DRIP_S = 0.02
"""Between two bytes of a drip: no read of the sender's ever times out."""
Place = Callable[[bytes], int]
"""How many bytes of a request or reply go through."""

PLACES: dict[str, Place] = {
    "at byte 0": lambda _: 0,
    "at byte 1": lambda _: 1,
    "in the first line": lambda _: 11,
    "in the headers": lambda raw: raw.index(b"\r\n\r\n") // 2,
    "before the empty line": lambda raw: raw.index(b"\r\n\r\n") + 2,
    "between headers and body": lambda raw: raw.index(b"\r\n\r\n") + 4,
    "a byte into the body": lambda raw: min(raw.index(b"\r\n\r\n") + 5, len(raw) - 1),
    "in the body": lambda raw: (raw.index(b"\r\n\r\n") + 4 + len(raw)) // 2,
    "before the last byte": lambda raw: len(raw) - 1,
}


def cuts() -> Iterator[Trick]:
    """Connections that end too soon, with a reset or in good order."""
    yield Trick("connection refused", lambda _: False, down=True)
    yield Trick("connection reset at once", _reset, at_accept=True)
    yield Trick("connection closed at once", lambda _: False, at_accept=True)
    for how, end in {"reset": _reset, "closed": lambda _: False}.items():
        for where, place in PLACES.items():
            yield Trick(f"request {how} {where}", _cut_request(place, end))
        yield Trick(f"request {how} after its body, not passed on", _unheard(end))
        for where, place in PLACES.items():
            yield Trick(f"reply {how} {where}", _cut_reply(place, end))
    yield Trick("kept connection closed after the reply", _close_after, fails=False)
    # The reset may overtake the reply.
    yield Trick("kept connection reset after the reply", _reset_after, fails=None)
    yield Trick("the next request on a kept connection reset", _reset_kept)


def _reset(talk: Talk) -> bool:
    talk.abort()
    return False


def _cut_request(place: Place, end: Serve) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        part = request[: place(request)]
        with talk.centre() as centre:
            # The centre gets the beginning, as it came through.
            centre.sendall(part)
        return end(talk)

    return serve


def _unheard(end: Serve) -> Serve:
    def serve(talk: Talk) -> bool:
        talk.request()
        return end(talk)

    return serve


def _cut_reply(place: Place, end: Serve) -> Serve:
    def serve(talk: Talk) -> bool:
        reply = talk.ask(talk.request())
        talk.say(reply[: place(reply)])
        return end(talk)

    return serve


def _close_after(talk: Talk) -> bool:
    talk.say(talk.ask(talk.request()))
    return False


def _reset_after(talk: Talk) -> bool:
    talk.say(talk.ask(talk.request()))
    talk.abort()
    return False


def _reset_kept(talk: Talk) -> bool:
    talk.read(1)
    talk.abort()
    return False


# --- frames ---------------------------------------------------------------------------------------


def frames() -> Iterator[Trick]:
    """Replies whose length or shape lies."""
    yield Trick("Content-Length too large, then closed", _length(100))
    yield Trick("Content-Length too small", _length(-5))
    yield Trick("Content-Length 0", _lengthless(b"0"))
    # Read up to its end instead, and whole.
    yield Trick("Content-Length that is no number", _lengthless(b"many"), fails=None)
    yield Trick("Content-Length below 0", _lengthless(b"-1"), fails=None)
    yield Trick("no length, whole body, closed", _unframed(1.0), fails=None)
    yield Trick("no length, half the body, closed", _unframed(0.5))
    yield Trick("in chunks, whole", _chunks(b"0\r\n\r\n"), fails=False)
    yield Trick("in chunks, cut short", _chunks(b""))
    yield Trick("in chunks, cut in a chunk", _chunks(b"ff\r\nabc"))
    yield Trick("in chunks, length no number", _chunks(b"zz\r\nabc\r\n0\r\n\r\n"))
    yield Trick("two replies to one request", _twice, fails=False)
    yield Trick("100 Continue, then the reply", _first(b"HTTP/1.1 100 Continue\r\n\r\n"), False)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
    yield Trick("103 Early Hints, then the reply", _first(early), False)
    busy = b"HTTP/1.1 102 Processing\r\n\r\n" * 50
    yield Trick("50 times 102 Processing, then the reply", _first(busy), False)


def _change(change: Callable[[bytes, bytes], bytes], go_on: bool = False) -> Serve:
    """A reply changed by a function of head and body."""

    def serve(talk: Talk) -> bool:
        reply = talk.ask(talk.request())
        split = reply.index(b"\r\n\r\n") + 4
        talk.say(change(reply[:split], reply[split:]))
        return go_on

    return serve


def _headers(head: bytes, *, without: bytes, more: bytes = b"") -> bytes:
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(without)]
    return b"\r\n".join([*lines, *([more] if more else [])]) + b"\r\n\r\n"


def _length(by: int) -> Serve:
    def change(head: bytes, body: bytes) -> bytes:
        told = b"Content-Length: %d" % max(0, len(body) + by)
        return _headers(head, without=b"content-length", more=told) + body

    return _change(change)


def _lengthless(told: bytes) -> Serve:
    def change(head: bytes, body: bytes) -> bytes:
        return _headers(head, without=b"content-length", more=b"Content-Length: " + told) + body

    return _change(change)


def _unframed(part: float) -> Serve:
    def change(head: bytes, body: bytes) -> bytes:
        return _headers(head, without=b"content-length") + body[: int(len(body) * part)]

    return _change(change)


def _chunks(end: bytes) -> Serve:
    def change(head: bytes, body: bytes) -> bytes:
        middle = len(body) // 2
        pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        told = b"Transfer-Encoding: chunked"
        return _headers(head, without=b"content-length", more=told) + chunks + end

    return _change(change)


def _twice(talk: Talk) -> bool:
    reply = talk.ask(talk.request())
    talk.say(reply * 2)
    return True


def _first(before: bytes) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        talk.say(before)
        talk.say(talk.ask(request))
        return True

    return serve


# --- drips ----------------------------------------------------------------------------------------


def drips() -> Iterator[Trick]:
    """Exchanges that never end by themselves: only a deadline for the whole of them helps."""
    yield Trick("connected, never answered", _hold, hangs=True)
    yield Trick("request never read", _deaf, hangs=True, fresh=True)
    yield Trick("answered, but the reply is held back", _late, hangs=True)
    yield Trick("request passed on a byte at a time", _drip_request, hangs=True)
    yield Trick("reply a byte at a time", _drip_reply, hangs=True)
    head = b"HTTP/1.1 200 OK\r\n"
    yield Trick("headers without end, a byte at a time", _drip(head, b"x-y: z\r\n"), hangs=True)
    yield Trick("1xx without end", _drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9), hangs=True)
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    yield Trick("chunks without end", _drip(chunked, b"1\r\nx\r\n"), hangs=True)


def _hold(talk: Talk) -> bool:
    talk.request()
    talk.gone()
    return False


def _deaf(talk: Talk) -> bool:
    talk.gone()
    return False


def _late(talk: Talk) -> bool:
    talk.ask(talk.request())
    talk.gone()
    return False


def _drip(begin: bytes, again: bytes) -> Serve:
    def serve(talk: Talk) -> bool:
        talk.request()
        with contextlib.suppress(OSError):
            talk.say(begin)
            # Whoever drips goes on for as long as somebody listens.
            while not talk.gone(DRIP_S):
                talk.say(again)
        return False

    return serve


def _drip_reply(talk: Talk) -> bool:
    reply = talk.ask(talk.request())
    # Far longer than the deadline, whatever the length of the reply.
    reply = reply.replace(b"\r\n", b"\r\nx-long: " + b"y" * 4000 + b"\r\n", 1)
    with contextlib.suppress(OSError):
        for byte in reply:
            if talk.gone(DRIP_S):
                break
            talk.say(bytes([byte]))
    return False


def _drip_request(talk: Talk) -> bool:
    request = talk.request()
    with talk.centre() as centre, contextlib.suppress(OSError):
        for byte in request:
            centre.sendall(bytes([byte]))
            if talk.gone(DRIP_S * 10):
                break
    return False


# --- doubled, late and exchanged ------------------------------------------------------------------


def doubles() -> Iterator[Trick]:
    """What a middle may do with whole messages."""
    yield Trick("request delivered twice", _deliver(2), fails=False)
    yield Trick("request delivered five times at once", _at_once(5), fails=False)
    yield Trick("request delivered, and again after its reply", _afterwards, fails=False)
    yield Trick("request kept, delivered after newer ones", _keep)
    yield Trick("reply of the request before", _stale(ask=False))
    yield Trick("reply of the request before, this one heard", _stale(ask=True))


def _deliver(times: int) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        replies = [talk.ask(request) for _ in range(times)]
        talk.say(replies[0])
        return True

    return serve


def _at_once(times: int) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        with ThreadPoolExecutor(times) as pool:
            replies = list(pool.map(talk.ask, [request] * times))
        talk.say(replies[-1])
        return True

    return serve


def _afterwards(talk: Talk) -> bool:
    request = talk.request()
    talk.say(talk.ask(request))
    talk.ask(request)
    return True


def _keep(talk: Talk) -> bool:
    talk.middle.kept.append(talk.request())
    return False


def _stale(*, ask: bool) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        before = talk.middle.told[-1] if talk.middle.told else b"HTTP/1.1 204 No Content\r\n\r\n"
        if ask:
            talk.ask(request)
        talk.say(before)
        return True

    return serve


# --- bits -----------------------------------------------------------------------------------------


def flips(seed: int, count: int) -> Iterator[Trick]:
    """One bit of a request, or of a reply, at random places."""
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        part = ("headers", "body")[number % 2]
        yield Trick(f"bit of the request's {part}, {number}", _flip_request(chance, part), None)
        yield Trick(f"bit of the reply's {part}, {number}", _flip_reply(chance, part), None)


def flipped(raw: bytes, begin: int, end: int, chance: random.Random) -> bytes:
    """The bytes with one bit of those from begin to end changed."""
    bits = chance.randrange(8 * begin, 8 * max(end, begin + 1))
    place, bit = divmod(min(bits, 8 * len(raw) - 1), 8)
    return raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]


def _flip_request(chance: random.Random, part: str) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        split = request.index(b"\r\n\r\n") + 4
        begin, end = (0, split - 4) if part == "headers" else (split, len(request))
        harmed = flipped(request, begin, end, chance)
        with talk.centre() as centre, contextlib.suppress(OSError, ValueError):
            centre.sendall(harmed)
            # A changed length has the centre wait for more: nothing more comes.
            centre.settimeout(2.0)
            head = read_head(centre)
            talk.say(head + read_exactly(centre, length_of(head)))
        return False

    return serve


def _flip_reply(chance: random.Random, part: str) -> Serve:
    def serve(talk: Talk) -> bool:
        request = talk.request()
        reply = talk.ask(request)
        split = reply.index(b"\r\n\r\n") + 4
        # Of an enrolment nothing but TLS guards the names: they are left alone here.
        head = part == "headers" or request.startswith(b"POST /v1/enrol")
        begin, end = (0, split - 4) if head else (split, len(reply))
        talk.say(flipped(reply, begin, end, chance))
        return False

    return serve
