"""What the flow is given: something that shows pages, something that stores, time and chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from PIL import Image

from kiosk.layout.page import Page
from kiosk.ui.paint import Painter, Px, State
from sync.contract.records import Record, Stamp

Draw = Callable[[Image.Image, Painter], None]
"""Draws on an image of one region with a painter moved to it."""


class Glass(Protocol):
    """Whatever shows pages."""

    def show(self, page: Page, painter: Painter, states: Mapping[str, State]) -> None:
        """Another page."""

    def state(self, name: str, state: State) -> None:
        """One target in another state."""

    def patch(self, name: str, region: Px, draw: Draw) -> None:
        """A region drawn anew."""

    def prepare(self, page: Page, painter: Painter) -> object:
        """Paint what will be shown soon."""

    def keep(self) -> None:
        """Keep the picture of the page that is shown."""

    def forget(self) -> None:
        """Drop everything drawn over the page."""


class Store(Protocol):
    """The recorder, as the flow needs it."""

    @property
    def accepting(self) -> bool:
        """Whether there is room for another visit."""

    def commit(self, *records: Record) -> None:
        """Make records durable or raise RecorderError."""

    def counts_by_question(self, days: int) -> dict[str, int]:
        """How often each question was answered lately."""


@dataclass(frozen=True, slots=True)
class World:
    """Time and chance."""

    clock: Callable[[], float]
    """Monotonic seconds."""
    stamp: Callable[[], Stamp]
    new_id: Callable[[], str]
    random: Random
