"""Where a terminal is mounted: heights, the raised dot, and whether every control can be reached.

Millimetres. Where the figures of others come from stands in kiosk/docs/installation.md.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from kiosk.layout.compose import Composer
from kiosk.layout.every import shots
from kiosk.layout.kit import panel_of
from kiosk.layout.measure import Measure
from kiosk.layout.page import Box, Page, Panel
from sync.contract.bundle import Bundle, Screen

LOW_FROM: Final = 1100.0
"""Controls lie below this: in the mode Low where the glass reaches higher."""
CONTROLS_FROM: Final = 800.0
"""The glass begins here, for people who stand and for those who cannot bend."""
REACH: Final = (380.0, 1220.0)
"""Lowest and highest reach of a seated person straight ahead."""
FLOOR: Final = (760.0, 1220.0)
"""Width and depth of the free floor in front."""
TURNING: Final = 1500.0
"""Diameter in which a wheelchair turns."""
KNEE: Final = (685.0, 205.0)
"""Height and depth of the room for knees under a desk."""
TOE: Final = (230.0, 430.0)
"""Height and depth of the room for feet."""
SIGHT: Final = 1015.0
"""Height above the middle of the free floor from which the screen is to be read."""
DOT_LEFT: Final = 5.0
"""The raised dot's middle is this far left of the lit area, on the frame."""
UNTOUCHED: Final = frozenset({"logo", "field"})
"""What no visitor has to touch: the logo is for staff, the field shows what the keys write."""


@dataclass(frozen=True)
class Remedy:
    """How far the panel has to move so that every control is reached."""

    way: str
    """`lower` or `raise`."""
    by: int
    height: int
    """Of the control that is out of reach, above the floor."""


@dataclass(frozen=True)
class Mounting:
    """One panel at its height."""

    device: str
    """Empty for a sheet about a kind of panel."""
    place: str
    spot: str
    panel: Panel
    page: Page
    """The resting screen, as it stands at this height."""
    top: float
    """Of the lit area above the floor."""
    measured: bool
    """Whether the configuration says so; otherwise `top` is the height advised."""
    advised: float
    highest: float
    lowest: float
    """The outermost controls above the floor, in the mode Low where it is offered."""
    low: bool
    """Whether the access button offers the mode Low."""

    @property
    def bottom(self) -> float:
        """The lower edge of the lit area above the floor."""
        return self.top - self.panel.height_mm

    @property
    def access(self) -> Box:
        """The access button of the resting screen."""
        return next(target.box for target in self.page.targets if target.name == "access")

    @property
    def dot(self) -> tuple[float, float]:
        """The raised dot: left and up from the lit area's lower left corner."""
        box = self.access
        return DOT_LEFT, self.panel.height_mm - (box.y + box.h / 2)

    @property
    def remedy(self) -> Remedy | None:
        """What to do where a control is out of reach."""
        if self.highest > LOW_FROM + 0.5:
            by = max(self.top - self.advised, self.highest - LOW_FROM)
            return Remedy("lower", math.ceil(by), round(self.highest))
        if self.lowest < REACH[0] - 0.5:
            by = max(self.advised - self.top, REACH[0] - self.lowest)
            return Remedy("raise", math.ceil(by), round(self.lowest))
        return None


def advised(panel: Panel) -> float:
    """The best height of a panel's top edge: all between 800 and 1,100 mm where it can be.

    A taller panel begins at 800 mm and has the mode Low for the rest.
    """
    return max(LOW_FROM, CONTROLS_FROM + math.ceil(panel.height_mm))


def mounting(bundle: Bundle, measure: Measure, *, place: str = "") -> Mounting:
    """Where the device of a bundle hangs, or should."""
    panel = panel_of(bundle.screen)
    best = advised(panel)
    measured = panel.top_mm_above_floor > 0
    top = panel.top_mm_above_floor if measured else best
    bundle = msgspec.structs.replace(
        bundle, screen=msgspec.structs.replace(bundle.screen, top_mm_above_floor=top)
    )
    low = top > LOW_FROM
    resting = Composer(bundle, measure).rest(bundle.languages[0])
    ends = list(_ends(Composer(bundle, measure, frozenset({"low"} if low else ())), bundle))
    return Mounting(
        device=bundle.device,
        place=place,
        spot=bundle.name,
        panel=dataclasses.replace(panel, top_mm_above_floor=top),
        page=resting,
        top=top,
        measured=measured,
        advised=best,
        highest=top - min(upper for upper, _ in ends),
        lowest=top - max(lower for _, lower in ends),
        low=low,
    )


def generic(bundle: Bundle, screen: dict[str, int | float], measure: Measure) -> Mounting:
    """The same for a kind of panel, with the languages of the organisation."""
    shown = msgspec.structs.replace(
        bundle, device="", name="", screen=msgspec.convert(screen, Screen)
    )
    return mounting(shown, measure)


def _ends(composer: Composer, bundle: Bundle) -> Iterator[tuple[float, float]]:
    """Top and bottom of every control a visitor may need, on every screen."""
    for _, screen, args, _ in shots(bundle):
        page: Page = getattr(composer, screen)(bundle.languages[0], *args)
        for target in page.targets:
            if target.name not in UNTOUCHED:
                yield target.box.y, target.box.bottom
