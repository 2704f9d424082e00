"""Bytes made out of other bytes: the plain kind of mutation, and one that keeps JSON whole."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

DEEP = 100_000
TOKENS: Sequence[bytes] = (
    *(b"1e999", b"-1e999", b"NaN", b"Infinity", b"-0", b"-0.0", b"1e-999", b"0x10", b"1_0"),
    *(b"9" * 400, b"-1", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616"),
    *(b"4503599627370497.5", b"9007199254740993", b"2147483648", b"4294967296", b"1E400"),
    *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\x00"'),
    *('"\u202e"'.encode(), '"\u200b"'.encode(), '"\ufeff"'.encode(), '"\u2028"'.encode()),
    *(
        "²".encode(),
        b"\xc2",
        '"٣"'.encode(),
        '"²"'.encode(),
        '"＝1"'.encode(),
        b'"=1+1"',
        b'"@"',
        b'"-"',
        b'"+"',
    ),
    *(b'""', b'" "', b"{}", b"[]", b"null", b"true", b"false", b'"a" "b"', b"[[]]", b'{"":{}}'),
    *(b'"0001-01-01"', b'"9999-12-31T23:59:59.999-23:59"', b'"10000-01-01"', b'"2026-W01-1"'),
    *(b'"2026-02-30"', b'"0000-00-00T00:00:00Z"', b'"T"', b'"../../etc"', b'"/"', b'"%00"'),
    *(b"'", b'"', b"\\", b"\r\n", b"\n", b"\0", b"\xef\xbb\xbf", b";", b",", b"=", b"\t", b":"),
)
"""What parsers trip over; as it stands in the bytes."""


def nested(depth: int, kind: str = "list") -> bytes:
    """A JSON value nested so deep."""
    left, right = {"list": (b"[", b"]"), "object": (b'{"a":', b"}")}[kind]
    return left * depth + (b"0" if kind == "object" else b"") + right * depth


def mutate(
    seed: bytes, chance: random.Random, others: Sequence[bytes] = (), *, most: int = 1 << 16
) -> bytes:
    """Another input, made of `seed` and sometimes a part of another one."""
    if seed[:1] in b"{[" and chance.random() < 0.6:
        found = _in_json(seed, chance)
        if found is not None:
            return found[:most]
    raw = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        _in_bytes(raw, chance, others)
    return bytes(raw[:most])


def everywhere(seed: bytes) -> Iterator[bytes]:
    """A JSON document with each of TOKENS at each of its places, and each place left out."""
    try:
        value = json.loads(seed)
    except (ValueError, RecursionError):
        return
    mark = "@hymio-mutated@"
    for path in _places(value, ()):
        if path:
            yield json.dumps(_changed(value, path, None, drop=True)).encode()
        text = json.dumps(_changed(value, path, mark), ensure_ascii=False).encode()
        for new in (*TOKENS, nested(450), nested(920, "object"), nested(DEEP)):
            yield text.replace(f'"{mark}"'.encode(), new)


def _in_bytes(raw: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at = chance.randrange(len(raw) + 1)
    size = min(len(raw) - at, chance.choice((1, 1, 2, 4, 16, 64, 256)))
    what = chance.randrange(8)
    if what == 0 and at < len(raw):
        raw[at] ^= 1 << chance.randrange(8)
    elif what == 1 and at < len(raw):
        raw[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    elif what == 2:
        del raw[at : at + size]
    elif what == 3:
        raw[at:at] = raw[at : at + size] * chance.choice((1, 2, 50))
    elif what == 4:
        del raw[at:]
    elif what == 5 and others:
        other = chance.choice(others)
        start = chance.randrange(len(other) + 1)
        raw[at : at + size] = other[start : start + size]
    elif what == 6:
        raw[at:at] = chance.randbytes(size or 1)
    else:
        raw[at : at + chance.choice((0, size))] = chance.choice(TOKENS)


def _in_json(seed: bytes, chance: random.Random) -> bytes | None:
    """The same document with one place changed; None for what is no JSON."""
    try:
        value = json.loads(seed)
        places = list(_places(value, ()))
    except (ValueError, RecursionError):
        return None
    path = chance.choice(places)
    mark = "@hymio-mutated@"
    what = chance.randrange(6)
    if what == 0 and path:
        value = _changed(value, path, None, drop=True)
    elif what == 1 and path:
        # A key twice, once with something else.
        value = _changed(value, path, mark)
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        again = chance.choice(TOKENS) + b"," + json.dumps(str(path[-1])).encode() + b":0"
        return text.replace(f'"{mark}"'.encode(), again)
    else:
        value = _changed(value, path, mark)
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    kind = chance.choice(("list", "object"))
    deep = nested(chance.choice((5, 200, 400, 900, 5000)), kind)
    long = b'"' + chance.choice((b"x", "ä".encode(), b"\\n")) * chance.choice((101, 2001, 7000))
    new = deep if what == 2 else long + b'"' if what == 3 else chance.choice(TOKENS)
    return text.replace(f'"{mark}"'.encode(), new)


Path = tuple[str | int, ...]


def _places(value: Any, path: Path) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        for key, below in value.items():
            found += _places(below, (*path, key))
    elif isinstance(value, list):
        for number, below in enumerate(value[:20]):
            found += _places(below, (*path, number))
    return found


def _changed(value: Any, path: Path, new: object, *, drop: bool = False) -> Any:
    if not path:
        return new
    here, rest = path[0], path[1:]
    copied = value.copy()
    if drop and not rest:
        del copied[here]
    else:
        copied[here] = _changed(value[here], rest, new, drop=drop)
    return copied
