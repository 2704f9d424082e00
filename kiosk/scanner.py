"""Telling a barcode scanner that types from a person who types, and reading what it typed.

Our label is known by how it begins; another barcode by what no field holds and no finger types so
fast. Characters reach us in small lots, so that only the speed of a whole burst says anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from sync.contract import code as codes

Field = Literal["", "address", "code"]
"""What the characters would go into; nothing on most screens."""
GAP_S: Final = 0.5
"""Characters closer together than this belong to one burst."""
SILENCE_S: Final = 0.6
"""After so long a burst is over, Enter or not."""
FAST_S: Final = 0.02
"""A burst whose characters lie closer together, on average, was no person."""
LEAST: Final = 8
"""Characters of a burst that can be a barcode."""
_PREFIX: Final = "HYMIO1"
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
    start = found.find(_PREFIX)
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

    def enter(self, field: Field) -> Scan | None:
        """Enter was pressed: what was scanned, None when a person types."""
        text, self._text = self._text, ""
        if len(text) < LEAST or not self._scanned("".join(text.split()).upper(), field):
            return None
        return read(text)

    def _scanned(self, text: str, field: Field) -> bool:
        if not field:
            return True
        if text.startswith(_PREFIX) or _LAYOUT.match(text):
            # An address may begin so, too: it goes on with a dot.
            return field == "code" or text.isalnum()
        if (self._last - self._first) / (len(text) - 1) > FAST_S:
            return False
        return text.isdigit() or (field == "code" and not set(text) <= {*codes.ALPHABET, "-"})

    def tick(self, field: Field) -> Scan | None:
        """Time passes: what was scanned without Enter at its end, once."""
        if not self._text or self._clock() - self._last < SILENCE_S:
            return None
        return self.enter(field)

    @property
    def due(self) -> float | None:
        """When `tick` is wanted."""
        return self._last + SILENCE_S if self._text else None
