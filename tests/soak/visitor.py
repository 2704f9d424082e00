"""Somebody who taps whatever the screen offers, mostly what most people tap."""

from __future__ import annotations

import random
from collections.abc import Sequence

WEIGHTS = {
    "nps": 8,
    "face": 20,
    "choice": 20,
    "group": 20,
    "comment.here": 8,
    "comment.send-without": 60,
    "key": 3,
    "send": 8,
    "skip": 60,
    "done": 200,
    "continue": 60,
    "language": 3,
    "reply": 1,
    "access": 1,
    "mode": 4,
    "privacy": 1,
    "back": 3,
    "restart": 1,
    "more": 3,
    "next": 3,
    "field": 0,
    "speech": 0,
}
"""How often a control is tapped, each as against the others on the screen."""
LEAVES = 0.003
"""Share of screens somebody walks away from."""
SLIDES = 0.01
"""Share of touches that slide off: nothing comes of them."""


def weight(name: str) -> int:
    """How much a control draws a finger: by its whole name, else by what is before the dot."""
    if name == "mode.speech":
        return 0
    return WEIGHTS.get(name, WEIGHTS.get(name.partition(".")[0], 0))


def choose(names: Sequence[str], chance: random.Random) -> str:
    """One of the controls; empty when somebody walks away. Raises ValueError without any."""
    weights = [weight(name) for name in names]
    if not any(weights):
        raise ValueError(f"nothing to tap among {list(names)}")
    if chance.random() < LEAVES:
        return ""
    return chance.choices(names, weights)[0]
