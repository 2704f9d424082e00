"""Records that are wrong in one way each, as bytes; and what has to become of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Literal

from sync.contract import records, wire
from sync.contract.records import Answer
from tests.bench.samples import records as samples
from tests.drills.content.mutate import DEEP, nested

Fate = Literal["counted", "quarantined", "held"]
"""`held`: no JSON that can be passed over, so that no batch can carry it; the device keeps it."""

_MARK = b'"@"'
_OTHER: dict[str, object] = {
    **dict.fromkeys(("visit", "location", "channel"), 7),
    **dict.fromkeys(("question", "duration_ms", "skipped"), None),
    **dict.fromkeys(("n", "config", "position", "at", "mode", "test"), "1"),
    **dict.fromkeys(("shown", "how", "selection"), "any"),
    **{"survey": {}, "privacy": {}, "value": 3.5, "language": [], "layout": False, "flags": [1]},
}
"""Something of another type for each field."""


def kinds() -> dict[str, tuple[bytes, Fate]]:
    """Every kind of poison by name: the record's bytes, and its fate."""
    answer, end = _plain()
    found: dict[str, tuple[bytes, Fate]] = {}
    for name, record in (("answer", answer), ("end", end)):
        for key, raw in _misfits(record):
            found[f"{name}: {key}"] = (raw, "quarantined")
    for key, (raw, fate) in {**_numbers(answer), **_texts(answer), **_bytes(answer)}.items():
        found[key] = (raw, fate)
    return found


def _plain() -> tuple[dict[str, Any], dict[str, Any]]:
    chosen = samples(5, seed=99)
    answer = next(each for each in chosen if isinstance(each, Answer))
    end = next(each for each in chosen if not isinstance(each, Answer))
    return json.loads(records.freeze(answer)), json.loads(records.freeze(end))


def _misfits(record: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Each field of another type; each that has to be there left out."""
    optional = {"mode", "flags", "channel", "privacy", "test", "kind"}
    for key in record:
        if key in _OTHER:
            yield f"{key} of another type", json.dumps({**record, key: _OTHER[key]}).encode()
        if key not in optional:
            less = {name: value for name, value in record.items() if name != key}
            yield f"no {key}", json.dumps(less).encode()
    for key in ("wall", "boottime_ms", "boot", "synced"):
        less = {name: value for name, value in record["at"].items() if name != key}
        yield f"no at.{key}", json.dumps({**record, "at": less}).encode()
    yield "no kind", json.dumps({k: v for k, v in record.items() if k != "kind"}).encode()


def _with(record: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({**record, **more}).encode()


def _put(record: dict[str, Any], raw: bytes, **where: Any) -> bytes:
    return _with(record, **where).replace(_MARK, raw)


def _numbers(answer: dict[str, Any]) -> dict[str, tuple[bytes, Fate]]:
    at = answer["at"]
    rule: dict[str, tuple[bytes, Fate]] = {
        "n is 0": (_with(answer, n=0), "quarantined"),
        "n is 2^31": (_with(answer, n=2**31), "quarantined"),
        "n of 400 digits": (_put(answer, b"9" * 400, n="@"), "quarantined"),
        "n is 1e999": (_put(answer, b"1e999", n="@"), "quarantined"),
        "n is -0": (_put(answer, b"-0", n="@"), "quarantined"),
        "position is -0": (_put(answer, b"-0", position="@"), "counted"),
        "position is negative": (_with(answer, position=-1), "quarantined"),
        "config is 2^64": (_with(answer, config=2**64), "quarantined"),
        "value 11": (_with(answer, question="nps", value=11), "quarantined"),
        "value -1": (_with(answer, question="nps", value=-1), "quarantined"),
        "value 0 of five": (_with(answer, question="s01", value=0), "quarantined"),
        "value 6 of five": (_with(answer, question="s01", value=6), "quarantined"),
        "value NaN": (_put(answer, b"NaN", value="@"), "held"),
        "value Infinity": (_put(answer, b"-Infinity", value="@"), "held"),
        "boottime of 400 digits": (
            _put(answer, b"1" * 400, at={**at, "boottime_ms": "@"}),
            "quarantined",
        ),
        "boottime is 2^53+1": (_with(answer, at={**at, "boottime_ms": 2**53 + 1}), "quarantined"),
        "boottime is negative": (_with(answer, at={**at, "boottime_ms": -5}), "counted"),
        "unknown field 1e999 beside U+0000": (
            _put(answer, b'[1e999,"\\u0000"]', more="@"),
            "quarantined",
        ),
    }
    for wall in (
        *("10000-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2026-02-30T00:00:00+02:00", "now", ""),
        *("2026-03-02T10:11:60Z", "2026-03-02t10:11:12z", "2026-03-02 10:11:12+02:00"),
        *("20260302T101112Z", "2026-W10-1T10:11:12Z", "2026-03-02T10:11:12"),
        *("-2026-03-02T10:11Z", "2026-03-02T10:11:12+99:99"),
        *( "9999-12-31T23:59:59.999-23:59", "0001-01-01T00:00:00+23:59"),
    ):  # fmt: skip
        # The clock that cannot be read is made up for by the boot's; the answer counts.
        rule[f"wall {wall!r}"] = (_with(answer, at={**at, "wall": wall}), "counted")
    return rule


def _texts(answer: dict[str, Any]) -> dict[str, tuple[bytes, Fate]]:
    said = {"text": "@", "redacted": {}}
    comment = {**answer, "question": "comment"}
    return {
        "U+0000": (_put(comment, b'"a\\u0000b"', value=said), "quarantined"),
        "U+0000 in an unknown field": (_with(answer, more=["\0"]), "quarantined"),
        "half a surrogate pair": (_put(comment, b'"\\ud800"', value=said), "held"),
        "surrogates the wrong way round": (_put(comment, b'"\\udc00\\ud800"', value=said), "held"),
        "invalid UTF-8": (_put(comment, b'"\xff\xfe"', value=said), "quarantined"),
        "overlong UTF-8": (_put(comment, b'"\xc0\x80"', value=said), "quarantined"),
        "a surrogate in UTF-8": (_put(comment, b'"\xed\xa0\x80"', value=said), "quarantined"),
        "beyond U+10FFFF": (_put(comment, b'"\xf4\x90\x80\x80"', value=said), "quarantined"),
        "2,000 characters": (_with(comment, value={"text": "ä" * 2000}), "counted"),
        "2,001 characters": (_with(comment, value={"text": "ä" * 2001}), "quarantined"),
        "right-to-left and zero-width marks": (
            _with(comment, value={"text": "\u202e\u200b\u2066\ufeffa\u200d"}),
            "counted",
        ),
        "a language of 201 characters": (_with(answer, language="x" * 201), "quarantined"),
        "a visit that is no UUIDv7": (_with(answer, visit="not-a-uuid"), "counted"),
        "a question the survey does not have": (_with(answer, question="s99", value=3), "counted"),
        "a value of no shape": (_with(answer, value={"stars": 5}), "quarantined"),
        "a choice that is a number": (_with(answer, value={"choice": 5}), "quarantined"),
        "unknown kind": (_with(answer, kind="reply"), "quarantined"),
        "kind is a number": (_with(answer, kind=1), "quarantined"),
        "unknown fields": (_with(answer, more={"a": [1, 2]}, v=7), "counted"),
    }


def _bytes(answer: dict[str, Any]) -> dict[str, tuple[bytes, Fate]]:
    whole = _with(answer)
    room = wire.MAX_RECORD_BYTES - len(_with(answer, more=""))
    twice = whole[:-1] + b',"n":"two"}'
    rule: dict[str, tuple[bytes, Fate]] = {
        "a key twice, the second wrong": (twice, "quarantined"),
        "a key twice, the first wrong": (b'{"n":"two",' + whole[1:], "quarantined"),
        "as large as may be": (_with(answer, more="x" * room), "counted"),
        "one byte larger": (_with(answer, more="x" * (room + 1)), "quarantined"),
        "600 KiB": (_with(answer, more="x" * (600 << 10)), "quarantined"),
        "not an object": (b"[1,2,3]", "quarantined"),
        "null": (b"null", "quarantined"),
        "a text": (b'"answer"', "quarantined"),
        "cut short": (whole[:-5], "held"),
        "followed by more": (whole + b"}", "held"),
        "nothing at all": (b"", "held"),
        "a raw line feed in a text": (whole.replace(b'"s', b'"\ns', 1), "held"),
        "garbage": (random.Random(7).randbytes(300), "held"),
    }
    for depth in (450, 920):
        for kind in ("list", "object"):
            deep = nested(depth, kind)
            name = f"{depth} {kind}s deep"
            rule[f"{name}, value"] = (_put(answer, deep, value="@"), "quarantined")
            rule[f"{name}, beside U+0000"] = (
                _put(answer, b'[%s,"\\u0000"]' % deep, more="@"),
                "quarantined",
            )
    rule[f"{DEEP} lists deep"] = (_put(answer, nested(DEEP), more="@"), "held")
    rule[f"{DEEP} objects deep"] = (_put(answer, nested(DEEP, "object"), more="@"), "held")
    return rule
