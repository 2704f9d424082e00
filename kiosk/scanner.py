"""Telling a barcode scanner that types from a person who types, and reading what it typed.

A scanner types far faster than fingers and, as a rule, ends with Enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync.contract import code as codes

GAP_S: Final = 0.12
"""Characters closer together than this belong to one burst."""
SILENCE_S: Final = 0.35
"""After so long a burst is over, Enter or not."""
FAST_S: Final = 0.045
"""A burst whose characters lie closer together, on average, than this was no person."""
LEAST: Final = 8
"""Characters of a burst that can be a barcode."""
MOST: Final = 4000
_LAYOUT: Final = re.compile(r"h[yz].{1,2}o", re.IGNORECASE | re.DOTALL)
"""How a label of ours begins where `Y`, `M`, `I` or digits are swapped by another keyboard."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner typed: a ticket, or the word for what was wrong with it."""

    ticket: codes.Ticket | None = None
    problem: str = ""
    """`scan_partial`, `scan_layout`, `scan_other`."""


def read(text: str) -> Scan:
    """Make out what was scanned."""
    found = "".join(text.split()).upper()
    start = found.find("HYMIO1")
    if start < 0:
        return Scan(problem="scan_layout" if _LAYOUT.match(found) else "scan_other")
    try:
        return Scan(codes.from_qr(found[start:]))
    except codes.TicketError:
        return Scan(problem="scan_partial")


class Scanner:
    """Gathers characters into bursts."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._text = ""
        self._first = self._last = 0.0

    def typed(self, text: str) -> bool:
        """Characters arrive; True when they begin a burst."""
        now = self._clock()
        begins = not self._text or now - self._last > GAP_S
        if begins:
            self._text, self._first = "", now
        self._last = now
        if len(self._text) < MOST:
            self._text += text
        return begins

    def enter(self) -> Scan | None:
        """Enter was pressed: what was scanned, None when a person types."""
        text, self._text = self._text, ""
        if len(text) < LEAST or (self._last - self._first) / (len(text) - 1) > FAST_S:
            return None
        return read(text)

    def tick(self) -> Scan | None:
        """Time passes: what was scanned without Enter at its end, once."""
        if not self._text or self._clock() - self._last < SILENCE_S:
            return None
        return self.enter()

    @property
    def due(self) -> float | None:
        """When `tick` is wanted."""
        return self._last + SILENCE_S if self._text else None
