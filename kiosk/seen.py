"""What set-up sees of a device and does to it, and how far it came by what lies on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from kiosk.facts import Facts
from kiosk.stick import NONE, Stick
from sync.contract import code as codes

Stage = Literal["", "enrol", "confirm", "check", "test"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What set-up looks at, each second."""

    wish: Mapping[str, Any] = field(default_factory=dict)
    """enrol.json."""
    note: Mapping[str, Any] = field(default_factory=dict)
    """setup.json."""
    facts: Facts = field(default_factory=Facts)
    stick: Stick = NONE
    heard: bool = False
    """Whether the sender has read enrol.json as it is now, and speaks of it."""
    redeemed: bool = False
    """Whether it has redeemed what stands there."""
    turn: int = 0
    """Of what was written here before this look began."""


class Hands(Protocol):
    """What set-up does to the device. Everything raises OSError."""

    def enrol(self, wish: Mapping[str, Any]) -> None:
        """Replace enrol.json."""

    def note(self, note: Mapping[str, Any]) -> None:
        """Replace setup.json."""


def stage_of(seen: Seen) -> Stage:
    """How far a terminal was set up, by what lies on its disk."""
    wish, bundle = seen.wish, seen.facts.bundle
    if not wish.get("code"):
        return "" if bundle is not None else "enrol"
    if wish.get("release") or bundle is None:
        return "enrol"
    if wish.get("confirmed", True) is False:
        return "confirm" if seen.redeemed and seen.facts.enrolled else "enrol"
    stage = seen.note.get("stage")
    if seen.note.get("code") == codes.sha256(str(wish["code"])) and stage in ("check", "test"):
        return "test" if stage == "test" else "check"
    return ""
