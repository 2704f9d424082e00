"""The one door to the layout: screens as pages, for one panel and one configuration."""

from __future__ import annotations

from kiosk.layout import face, rest
from kiosk.layout.kit import Kit
from kiosk.layout.measure import Measure, PillowMeasure
from kiosk.layout.page import Page, Panel
from sync.contract.bundle import Bundle


class Composer:
    """Composes every screen of one bundle; the same arguments give the same page.

    Pages are cheap to compose anew: texts are measured and broken once.
    """

    def __init__(
        self,
        bundle: Bundle,
        measure: Measure | None = None,
        modes: frozenset[str] = frozenset(),
    ) -> None:
        self._kit = Kit(bundle, measure or PillowMeasure(), modes)

    @property
    def panel(self) -> Panel:
        """The panel composed for."""
        return self._kit.panel

    def rest(self, language: str) -> Page:
        """The 0-10 question: where every visit starts."""
        return rest.compose(self._kit, language)

    def face(self, language: str, question: str, done: int, total: int) -> Page:
        """A smiley statement (its id) or the satisfaction question; `done` of `total` steps."""
        return face.compose(self._kit, language, question, done, total)
