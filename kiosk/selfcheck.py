"""Whether a device that was just set up will do its work: one line for each thing that can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kiosk.facts import Facts, encrypted

ROOM_BYTES: Final = 100 << 20
"""Less than this on the disk is too little."""
CORNERS: Final = frozenset({"tl", "tr", "bl", "br", "c"})
"""What the touch test wants touched: `corner.<name>`."""
NAMES: Final = ("network", "clock", "tls", "endpoint", "config", "disk", "rotation", "touch")
Result = Literal["ok", "bad", "wait"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: its name is the wording's (`check.<name>`, `.ok`, `.bad`)."""

    name: str
    result: Result
    detail: str = ""
    """What was found: an address, a size."""
    word: str = ""
    """A word that says more than `.bad`: `check.<name>.<word>`, else the sender's machine word."""


def checks(facts: Facts, touched: frozenset[str] | None) -> tuple[Check, ...]:
    """All of them, in the order shown; `touched` are the corners hit, None before the test."""
    word = str(facts.enrolment.get("code", ""))
    state = str(facts.sender.get("state", ""))
    reached = facts.running and state == "ok"
    unreached = "" if reached else word or ("no_sender" if not facts.running else "no_answer")
    endpoint = facts.endpoint
    # A terminal that is not confirmed sends nothing, and was answered all the same.
    answered = facts.running and facts.enrolled and state in ("ok", "unconfirmed", "starting")
    online = bool(facts.networks) or answered
    return (
        _check("network", online, ", ".join(facts.networks)),
        _check("clock", facts.clock == "synced", word="unset" if facts.clock == "unset" else ""),
        _check("tls", encrypted(endpoint) and word not in ("certificate", "clock"), word=word),
        _check("endpoint", answered, endpoint, unreached),
        _check("config", facts.bundle is not None and not facts.refused, _version(facts)),
        _check("disk", facts.writable and facts.free >= ROOM_BYTES, _room(facts)),
        _check("rotation", _fits(facts), "{} × {}".format(*facts.window)),
        _touch(touched),
    )


def _check(name: str, good: bool, detail: str = "", word: str = "") -> Check:
    return Check(name, "ok" if good else "bad", detail, "" if good else word)


def _touch(touched: frozenset[str] | None) -> Check:
    if touched is None:
        return Check("touch", "wait")
    return _check("touch", touched >= CORNERS)


def _version(facts: Facts) -> str:
    if facts.refused:
        return facts.refused
    return str(facts.bundle.version) if facts.bundle else ""


def _room(facts: Facts) -> str:
    return f"{facts.free / 1e9:.1f} GB" if facts.free >= 0 else ""


def _fits(facts: Facts) -> bool:
    """Whether the window is as wide and as high as the panel that is configured."""
    if facts.bundle is None:
        return True
    screen = facts.bundle.screen
    return facts.window == (screen.width_px, screen.height_px)
