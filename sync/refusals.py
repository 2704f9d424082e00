"""What a reply that is no receipt means: wait, how long, or make the batch smaller. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from sync import pacing
from sync.contract import wire
from sync.link import Reply

_HOURLY: Final = {
    "unknown_key": ("unknown-key", "the centre does not know this device's key"),
    "bad_signature": ("bad-signature", "the centre refuses this device's signature"),
    "device_revoked": ("revoked", "this device was revoked; its answers are kept"),
    "key_retired": ("retired", "another device took this one's place; its answers are kept"),
    "wrong_epoch_for_retired_key": (
        "retired",
        "another device took this one's place; its answers are kept",
    ),
    "unknown_version": ("refused", "the centre is older than this program"),
}
WRONG_CENTRE_S: Final = 900.0


@dataclass(frozen=True)
class Refusal:
    """What follows from a reply."""

    state: str
    reason: str
    wait_s: float | None = None
    """Asked for by the centre or by the kind of refusal; None: back off."""
    code: str = ""
    """Of the problem details; empty when the reply is not a centre's."""
    halve: Literal["", "items", "size", "server"] = ""
    """The batch may be to blame: make it smaller (`server`: after five in a row)."""


def understand(reply: Reply, *, empty: bool) -> Refusal:
    """What a reply means; `empty` says that the batch held no records to blame."""
    code, status = problem_code(reply), reply.status
    said = f"the centre says {status} {code}".rstrip()
    if code in _HOURLY:
        return Refusal(*_HOURLY[code], wait_s=pacing.HOURLY_S, code=code)
    if status == 421:
        words = "another centre answers at this address"
        return Refusal("wrong-centre", words, WRONG_CENTRE_S, code)
    if status in (400, 413, 422) and not empty and (code or status == 413):
        # Without our problem details it is some proxy's opinion; no record is held for that.
        return Refusal("refused", said, None, code, "size" if status == 413 else "items")
    if status == 200 or 300 <= status < 400:
        return Refusal("unreachable", "what answers there is not the centre (a captive portal?)")
    if code == "bad_digest":
        said = "something on the way changes what is sent"
    wait = pacing.retry_after(reply.headers.get("retry-after")) if status in (429, 503) else None
    if status in (400, 413, 422) and code:
        wait = pacing.HOURLY_S
    state = "waiting" if code and status in (408, 429, 503) else "unreachable"
    return Refusal(state, said, wait, code, "server" if status >= 500 and not empty else "")


def problem_code(reply: Reply) -> str:
    """The code of RFC 9457 problem details, empty for any other body."""
    if reply.status < 400:
        return ""
    try:
        return msgspec.json.decode(reply.body, type=wire.Problem).code
    except wire.UNREADABLE:
        return ""
