"""Batches that are odd as a whole, signed by an enrolled device, and what has to come of each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from sync.contract import wire
from sync.contract.ids import uuid7
from sync.contract.signing import sign
from tests.bench.samples import records as samples
from tests.drills.content.mutate import DEEP, nested
from tests.faults.house import House
from tests.faults.wire import Row, WireDevice, rows

GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
PLAIN = {"Content-Type": "application/json"}
OK = (200,)
BAD = (400,)


@dataclass(frozen=True, slots=True)
class Odd:
    """One request: its bytes, its headers, the statuses it may have, how many records it adds."""

    name: str
    body: bytes
    status: tuple[int, ...]
    adds: int = 0
    headers: dict[str, str] | None = None
    code: str = ""
    path: str = "/v1/batches"
    check: Callable[[dict[str, Any]], bool] = lambda _: True
    """What a receipt has to say."""


class Post:
    """Posts anything, signed by a device's key."""

    def __init__(self, house: House, number: int = 0) -> None:
        self.house, self.number = house, number
        self.device = WireDevice(house, number)

    def fresh(self) -> None:
        """Another epoch, with nothing in it."""
        self.device.epoch = uuid7()

    def batch(self, found: list[Row], **more: Any) -> dict[str, Any]:
        """An envelope around rows, some of its fields replaced."""
        tail = found[-1].seq if found else 0
        batch = self.device.batch(found, tail, first=1)
        made = json.loads(json.dumps({
            **{name: getattr(batch, name) for name in wire.Batch.__struct_fields__
               if name != "items"},
            "items": [{"seq": r.seq, "id": r.id, "rec": json.loads(r.raw)} for r in found],
        }))  # fmt: skip
        return {**made, **more}

    def post(self, odd: Odd) -> requests.Response:
        """Send it."""
        headers = dict(PLAIN if odd.headers is None else odd.headers)
        path = odd.path.partition("?")[0]
        headers |= sign("POST", path, headers, odd.body, self.device.key)
        url = self.house.url + odd.path
        return requests.post(url, data=odd.body, headers=headers, timeout=60)

    def count(self) -> int:
        """Records and conflicts the centre has."""
        return int(self.house.rows("select count(*) from records")[0][0])


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def cases(post: Post, *, large: bool = True) -> Iterator[Odd]:
    """All of them, each made when the one before was answered; without `large` the quick ones."""
    yield from _coded(post)
    if large:
        yield from _bombs()
        yield from _sized(post)
    yield from _versioned(post)
    yield from _positioned(post)
    yield from _shaped(post)


def _coded(post: Post) -> Iterator[Odd]:
    whole = _json(post.batch(rows(samples(3))))
    packed = gzip.compress(whole)
    br, deflate = {**PLAIN, "Content-Encoding": "br"}, {**PLAIN, "Content-Encoding": "deflate"}
    yield Odd("gzip with bytes behind it", packed + b"x", BAD, headers=GZIP, code="bad_encoding")
    yield Odd("two gzip members", packed + packed, BAD, headers=GZIP, code="bad_encoding")
    yield Odd("gzip cut short", packed[:-9], BAD, headers=GZIP, code="bad_encoding")
    yield Odd("gzip of gzip", gzip.compress(packed), BAD, headers=GZIP, code="bad_envelope")
    yield Odd("plain, said to be gzip", whole, BAD, headers=GZIP, code="bad_encoding")
    yield Odd("gzip, said to be plain", packed, BAD, code="bad_envelope")
    yield Odd("another Content-Encoding", whole, (415,), headers=br)
    yield Odd("deflate", whole, (415,), headers=deflate)
    yield Odd("form data", whole, (415,), headers={"Content-Type": "text/plain"})
    yield Odd("nothing at all", b"", BAD)
    yield Odd("an empty gzip", gzip.compress(b""), BAD, headers=GZIP)
    yield Odd("a query string", whole, BAD, path="/v1/batches?x=1", code="query_not_allowed")


def _bombs() -> Iterator[Odd]:
    bomb = gzip.compress(bytes(512 << 20), 9)
    yield Odd("a bomb of 512 MiB", bomb, (413,), headers=GZIP, code="too_large")
    yield Odd("a bomb in a bomb", gzip.compress(bomb), BAD, headers=GZIP)


def _padded(post: Post, size: int) -> bytes:
    """A batch of three records whose JSON is exactly so long."""
    post.fresh()
    batch = post.batch(rows(samples(3)), more="")
    return _json({**batch, "more": "x" * (size - len(_json(batch)))})


def _sized(post: Post) -> Iterator[Odd]:
    yield Odd("as large as may be", _padded(post, wire.MAX_BODY_BYTES), OK, 3)
    yield Odd("one byte larger", _padded(post, wire.MAX_BODY_BYTES + 1), (413,), code="too_large")
    large = gzip.compress(_padded(post, wire.MAX_INFLATED_BYTES))
    yield Odd("as large as may be when unpacked", large, OK, 3, headers=GZIP)
    large = gzip.compress(_padded(post, wire.MAX_INFLATED_BYTES + 1))
    yield Odd("one byte larger when unpacked", large, (413,), headers=GZIP)
    for number, status, adds in ((wire.MAX_ITEMS, OK, wire.MAX_ITEMS), (2001, (413,), 0)):
        post.fresh()
        body = gzip.compress(_json(post.batch(rows(samples(number)))))
        yield Odd(f"{number} items", body, status, adds, headers=GZIP)


def _versioned(post: Post) -> Iterator[Odd]:
    post.fresh()
    for v in (0, 2, -1, 2**70):
        body = _json(post.batch(rows(samples(1)), v=v))
        yield Odd(f"version {v}", body, BAD, code="" if abs(v) > 9 else "unknown_version")
    for other in ("1", 1.5, None, True, [1]):
        yield Odd(f"version {other!r}", _json(post.batch([], v=other)), BAD)
    strange = {"v": 2, "items": "none of yours"}
    yield Odd("a message of version 2", _json(strange), BAD, code="unknown_version")
    centre = _json(post.batch(rows(samples(1)), centre="another"))
    yield Odd("another centre", centre, (421,), code="wrong_centre")
    yield Odd("unknown fields", _json(post.batch(rows(samples(1)), more=[{"a": 1}])), OK, 1)


def _positioned(post: Post) -> Iterator[Odd]:
    def have(number: int) -> Callable[[dict[str, Any]], bool]:
        return lambda receipt: receipt["have"] == number

    post.fresh()
    first = rows(samples(5))
    yield Odd("an epoch nobody knows", _json(post.batch(first)), OK, 5, check=have(5))
    yield Odd("the same again", _json(post.batch(first)), OK, check=have(5))
    made = rows(samples(5, seed=2))
    other = [Row(row.seq, row.id, new.raw) for row, new in zip(first, made, strict=True)]
    yield Odd("the same ids, other bytes", _json(post.batch(other)), OK, check=lambda receipt: [
        each["verdict"] for each in receipt["exceptions"]] == ["conflict"] * 5)  # fmt: skip
    forked = rows(samples(5, seed=3))
    yield Odd("the same seqs, other ids", _json(post.batch(forked)), OK, 5,
              check=lambda receipt: receipt["new_epoch"])  # fmt: skip
    gap = rows(samples(2), 9)
    body = _json(post.batch(gap, first_seq=1))
    yield Odd("a gap", body, OK, 2, check=have(5))
    yield Odd("the gap filled", _json(post.batch(rows(samples(3), 6))), OK, 3, check=have(10))
    yield Odd("no items", _json(post.batch([])), OK, check=have(10))
    yield Odd("no items, another epoch", _json(post.batch([], epoch=uuid7())), OK, check=have(0))
    body = _json(post.batch(rows(samples(2), 11), tail_seq=3))
    yield Odd("the tail below the items", body, OK, 2, check=have(12))
    above = _json(post.batch(rows(samples(1), 13), first_seq=900))
    yield Odd("the first above the items", above, OK, 1, check=have(13))
    made = post.batch(rows(samples(4), 14))
    turned = {**made, "items": made["items"][::-1]}
    yield Odd("items out of order", _json(turned), BAD, code="bad_envelope")
    doubled = {**made, "items": [made["items"][0], *made["items"]]}
    yield Odd("an item twice", _json(doubled), BAD, code="bad_envelope")
    twin = {**made["items"][1], "id": made["items"][0]["id"]}
    twins = {**made, "items": [made["items"][0], twin, *made["items"][2:]]}
    yield Odd("an id twice", _json(twins), OK, 3, check=have(17))
    for seq in (0, -1, 2**53 + 1, 2**63, 1.5, "1", None):
        wrong = post.batch(rows(samples(1), 18))
        wrong["items"][0]["seq"] = seq
        yield Odd(f"seq {seq!r}", _json(wrong), BAD, code="bad_envelope")
    theirs = Post(post.house, 1 - post.number)
    theirs.device.epoch = post.device.epoch
    mine = post.batch(rows(samples(1), 18), epoch=theirs.device.epoch)
    yield Odd("an epoch of this device", _json(mine), OK, 1, check=have(18))
    body = _json(theirs.batch(rows(samples(2))))
    found = theirs.post(Odd("", body, OK))
    # The same name, another device: nothing of one is in the other's way.
    assert found.status_code == 200 and found.json()["have"] == 2, found.text
    yield Odd("another device's epoch", _json(post.batch([])), OK, check=have(18))


def _shaped(post: Post) -> Iterator[Odd]:
    post.fresh()
    one = rows(samples(1))
    for field in ("first_seq", "tail_seq", "sent_boottime_ms"):
        for value in (-(2**53) - 1, 2**53 + 1, 2**64, "1", None, 0.5):
            yield Odd(f"{field} {value!r}", _json(post.batch(one, **{field: value})), BAD)
    yield Odd("first_seq -1", _json(post.batch(one, first_seq=-1)), BAD)
    for value in ("", "x" * 101, "a\0b", None, 7):
        for field in ("epoch", "boot"):
            yield Odd(f"{field} {value!r:.20}", _json(post.batch(one, **{field: value})), BAD)
        made = post.batch(one)
        made["items"][0]["id"] = value
        yield Odd(f"id {value!r:.20}", _json(made), BAD)
    yield Odd("clocks out of range", _json(post.batch(one, clocks={"b": 2**60})), BAD)
    yield Odd("held for 101 characters", _json(
        {**post.batch([]), "items": [{"seq": 1, "id": "x", "held": "y" * 101}]}), BAD)  # fmt: skip
    empty = {**post.batch([]), "items": [{"seq": 1, "id": "x"}]}
    yield Odd("an item without record or reason", _json(empty), BAD)
    for depth in (450, 920, DEEP):
        body = _json(post.batch([], status={"a": "@"})).replace(b'"@"', nested(depth))
        yield Odd(f"a status {depth} deep", body, OK if depth < DEEP else BAD)
    for value in ('"\\u0000"', "1e999", '"\\ud800"', "NaN", '"' + "x" * 20_000 + '"', "9" * 400):
        body = _json(post.batch([], status={"a": "@"})).replace(b'"@"', value.encode())
        yield Odd(f"a status with {value:.12}", body, (200, 400))
    for value in (b"[]", b"null", b"{}", b"{", b"\xff", b"\xef\xbb\xbf{}", b"\0", nested(DEEP)):
        yield Odd(f"a body {value[:8]!r}", value, BAD)
    items = {"items": [{"seq": 1, "id": "not-a-uuid", "rec": json.loads(one[0].raw)}]}
    yield Odd("an id that is no UUIDv7", _json({**post.batch([]), **items, "tail_seq": 1}), OK, 1)


def strange(post: Post) -> tuple[int, list[str]]:
    """Post all of them; how many, and what was wrong."""
    wrong = []
    number = 0
    for odd in cases(post):
        number += 1
        before = post.count()
        found = post.post(odd)
        said = f"{odd.name}: {found.status_code} {found.text[:200]}"
        if found.status_code not in odd.status:
            wrong.append(said)
        elif found.status_code == 200 and not odd.check(found.json()):
            wrong.append(f"{odd.name}: {found.text[:300]}")
        elif found.status_code != 200 and odd.code not in ("", found.json()["code"]):
            wrong.append(said)
        stored = post.count() - before
        # The other device of one case adds two of its own before the case itself.
        if stored != odd.adds and odd.name != "another device's epoch":
            wrong.append(f"{odd.name}: {stored} records stored, not {odd.adds}")
    if "Traceback" in post.house.centre.said():
        wrong.append(f"the centre's log: {post.house.centre.said()[-800:]}")
    return number, wrong
