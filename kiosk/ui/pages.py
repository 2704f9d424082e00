"""Pages and painters of one bundle, kept: the same arguments give the same object."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kiosk.layout.compose import Composer
from kiosk.layout.measure import PillowMeasure
from kiosk.layout.page import Page
from kiosk.ui.lettering import Lettering
from kiosk.ui.paint import Painter, View
from kiosk.ui.theme import DARK, light
from sync.contract.bundle import Bundle

Modes = frozenset[str]
PAGES = 128
MODES = ("speech", "larger", "dark", "low")
"""The switches of the access sheet; the layout leaves out Low where nothing is high."""


class Pages:
    """Composes and keeps the pages of one bundle on a window of one size."""

    def __init__(
        self, bundle: Bundle, size: tuple[int, int], measure: PillowMeasure | None = None
    ) -> None:
        self.bundle = bundle
        self._measure = measure or PillowMeasure()
        self._composers: dict[Modes, Composer] = {}
        self._pages: OrderedDict[tuple[object, ...], Page] = OrderedDict()
        self.view = View.fit(self.composer(frozenset()).panel, *size)
        lettering = Lettering(self._measure.fonts)
        self._light = Painter(lettering, light(bundle.organisation.accent), self.view)
        self._dark = Painter(lettering, DARK, self.view)

    def composer(self, modes: Modes) -> Composer:
        """The composer for a set of modes; dark changes colours, not places."""
        modes = modes - {"dark", "speech"}
        if modes not in self._composers:
            self._composers[modes] = Composer(self.bundle, self._measure, modes)
        return self._composers[modes]

    def painter(self, modes: Modes, screen: str = "") -> Painter:
        """The painter in the theme of the modes; outside opening hours the panel is dark."""
        return self._dark if "dark" in modes or screen == "closed" else self._light

    def page(self, modes: Modes, screen: str, *args: Any) -> Page:
        """`Composer.<screen>(*args)`, kept."""
        # The access sheet shows which modes are on, so there all of them count.
        shown = modes if screen == "access" else modes - {"dark", "speech"}
        key = (shown, screen, *args)
        if key not in self._pages:
            composer = (
                Composer(self.bundle, self._measure, modes)
                if screen == "access"
                else self.composer(modes)
            )
            compose: Callable[..., Page] = getattr(composer, screen)
            self._pages[key] = compose(*args)
        self._pages.move_to_end(key)
        while len(self._pages) > PAGES:
            self._pages.popitem(last=False)
        return self._pages[key]
