"""One glass for several who draw on it: only who is in front does."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.layout.page import Page
from kiosk.ui.paint import Painter, Px, State
from kiosk.ui.parts import Draw, Glass


class Curtain:
    """A glass that shows nothing while the curtain is drawn; whoever is behind it goes on."""

    def __init__(self, glass: Glass) -> None:
        self._glass = glass
        self.open = True

    def show(self, page: Page, painter: Painter, states: Mapping[str, State]) -> None:
        """Another page."""
        if self.open:
            self._glass.show(page, painter, states)

    def state(self, name: str, state: State) -> None:
        """One target in another state."""
        if self.open:
            self._glass.state(name, state)

    def patch(self, name: str, region: Px, draw: Draw) -> None:
        """A region drawn anew."""
        if self.open:
            self._glass.patch(name, region, draw)

    def prepare(self, page: Page, painter: Painter) -> object:
        """Paint what will be shown soon."""
        return self._glass.prepare(page, painter) if self.open else None

    def keep(self) -> None:
        """Keep the picture of the page that is shown."""
        if self.open:
            self._glass.keep()

    def forget(self) -> None:
        """Drop everything drawn over the page."""
        if self.open:
            self._glass.forget()
