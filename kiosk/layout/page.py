"""What a composed screen is made of; the window draws it as it stands and decides nothing.

All lengths are millimetres on the glass, origin top left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LOW_REACH_MM: Final = 1100.0
"""How high above the floor something may be touched in the mode Low.

EN 301 549, 8.3: forward and side reach end at 1,220 mm above the floor where nothing is in the way,
forward reach at 1,120 mm over an obstruction of 510 to 635 mm. 1,100 mm keeps both.
"""
Colour = Literal["ink", "ink-2", "on-accent", "accent", "warn", "line"]
Align = Literal["left", "center", "right"]
Look = Literal[
    "number",  # 0-10 cell
    "card",  # face column or face row
    "list",  # choice row
    "button",  # bar button, ground fill
    "surface",  # bar button on surface: access, language
    "primary",  # accent fill
    "key",
    "switch",  # access sheet
    "field",
    "quiet",  # no border: the logo
]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Bottom edge."""
        return self.y + self.h

    def holds(self, x: float, y: float, slop: float = 0.0) -> bool:
        """Whether a point is inside, or at most `slop` outside."""
        dx = max(self.x - x, 0.0, x - self.right)
        dy = max(self.y - y, 0.0, y - self.bottom)
        return dx * dx + dy * dy <= slop * slop


@dataclass(frozen=True, slots=True)
class Run:
    """Text already broken into lines.

    Line i fills a band `leading` high that starts at `box.y + i * leading`; the font's own
    ascent + descent is centred in the band. `measure.Fonts.segments` says in which fonts a line is
    drawn.
    """

    name: str
    lines: tuple[str, ...]
    box: Box
    em: float
    leading: float
    bold: bool = False
    colour: Colour = "ink"
    align: Align = "left"
    language: str = ""
    text: str = ""
    """As it is said: in one piece, where the lines do not show how to join them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn that is not text."""

    kind: Literal[
        "face",
        "icon",
        "tick",
        "ring",
        "alert",
        "ground",
        "caret",
        "dots",
        "logo",
        "bar",
        "line",
        "qr",
        "underline",
        "space-line",
    ]
    box: Box
    value: str = ""
    """face: 1-5; icon: access, globe, info, shift, backspace, enter, keyboard, stick, scanner;
    dots: `done/total`, 3.4 wide every 6; bar: the fraction is given while drawing; qr: the
    address, the box holds the code itself and has 3 mm of room around it for white; line,
    space-line, underline: filled. On screens for staff tick, ring and alert say done, waiting and
    wrong, ground lies under a warning, caret says where the next character goes."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be tapped."""

    name: str
    """`nps.7`, `face.4`, `back`, `skip`, `language.sv`, `key.a`, `choice.dental` ..."""
    label: str
    """What it is called aloud."""
    box: Box
    look: Look
    radius: float = 3.0
    runs: tuple[Run, ...] = ()
    marks: tuple[Mark, ...] = ()
    current: bool = False
    """The language shown, a switch that is on."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel in its present orientation."""

    width_px: int
    height_px: int
    width_mm: float
    height_mm: float
    distance_mm: float
    top_mm_above_floor: float = 0.0

    @property
    def u(self) -> float:
        """The unit: capitals of 0.7 degrees at the viewing distance, as an em size in mm."""
        return 0.01711 * self.distance_mm

    @property
    def px_per_mm(self) -> float:
        """Pixels per millimetre."""
        return self.width_px / self.width_mm

    @property
    def portrait(self) -> bool:
        """Taller than wide."""
        return self.height_mm > self.width_mm

    @property
    def offers_low(self) -> bool:
        """Whether the mode Low is offered: not where even the top edge is within reach."""
        return self.top_mm_above_floor > LOW_REACH_MM


@dataclass(frozen=True, slots=True)
class Page:
    """One screen, composed."""

    screen: str
    language: str
    panel: Panel
    targets: tuple[Target, ...]
    runs: tuple[Run, ...] = ()
    marks: tuple[Mark, ...] = ()
    arrangement: str = ""
    """As recorded with each answer: `nps-1x11`, `nps-2x6`, `face-5col`, `face-list`; `-rtl`."""
    rtl: bool = False
    problems: tuple[str, ...] = ()
    """What does not fit at the required sizes; empty on a good page."""
