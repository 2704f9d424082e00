"""What a screen for staff can be; the window turns each into a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.layout.staffbar import Action
from kiosk.layout.table import Row

__all__ = ["Action", "Cleaning", "Corners", "Keys", "Machine", "Row", "Sheet", "Trial", "View"]

Words = Callable[[str], Mapping[str, str]]
"""The staff wording of a language."""
LANGUAGES = ("fi", "sv", "en")
"""What staff screens are written in."""


@dataclass(frozen=True, slots=True)
class Corners:
    """The touch test; `left` says how many are not hit yet."""

    title: str
    hit: frozenset[str]
    left: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Nothing can be tapped; how much of the time is left, 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The first question as visitors see it; the answer is a test."""


View = Sheet | Keys | Corners | Cleaning | Trial


class Machine(Protocol):
    """A screen for staff without a window: taps, characters and time in, views out."""

    language: str
    wants: str
    """Empty while it goes on, else what comes next: `visits`, `restart`, `leave` …"""

    def act(self, name: str) -> None:
        """A target was tapped."""

    def typed(self, text: str) -> None:
        """A keyboard or a scanner typed; `\\n` and `\\b` are its Enter and Backspace."""

    def tick(self) -> float:
        """Do what is due; when to be called again at the latest (monotonic seconds)."""

    def view(self) -> View:
        """What is to be seen now."""
