"""How the states of devices are shown: their order, their marks, and how many are in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.collector.standing import STATES, WORRIES, Ledger, Standing, total

GOOD: Final = "good"
WORRY: Final = "worry"
_PATIENT: Final = ("unconfirmed", "never-enrolled")
_OVER: Final = ("retired", "revoked", "wiped")
_WORST: Final = ("clone-suspected", "silent", "quiet", "stuck", "refused", "mute")

ORDER: Final = tuple(dict.fromkeys((*_WORST, *_PATIENT, "ok", *STATES)))
"""Every state, those to look at first."""
MARKS: Final = {
    state: WORRY
    if state in WORRIES
    else "wait"
    if state in _PATIENT
    else "over"
    if state in _OVER
    else GOOD
    for state in ORDER
}
"""The shape that stands with a state's word."""
LEDGER: Final = ("created", "acknowledged", "quarantined", "held", "lost", "to_send")
"""The first is the five others together, at every moment."""


@dataclass(frozen=True)
class Fleet:
    """All devices in sum."""

    n: int
    states: list[tuple[str, int]]
    """Each state that occurs and how many devices are in it: in contact first, then the worst."""
    worried: list[Standing]
    """Those somebody should look at, the worst first."""
    ledger: Ledger


def rank(state: str) -> int:
    """Where a state stands in the order."""
    return ORDER.index(state)


def fleet_of(devices: Sequence[Standing]) -> Fleet:
    """Sum up."""
    counted = Counter(device.state for device in devices)
    return Fleet(
        n=len(devices),
        states=sorted(counted.items(), key=lambda item: (item[0] != "ok", rank(item[0]))),
        worried=sorted((d for d in devices if d.worry), key=lambda d: (rank(d.state), d.id)),
        ledger=total(devices),
    )
