"""Every check there is: its name, what it asks, and where the figure comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kiosk.audit import (
    boxes,
    capitals,
    contrast,
    direction,
    ink,
    keyboard,
    settings,
    spoken,
)
from kiosk.audit.finding import Finding, Look
from kiosk.ui.pages import Pages
from sync.contract.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked of every screen."""

    name: str
    asks: str
    source: str
    look: Look
    finds: tuple[str, ...] = ()
    """Names its findings carry, where they are others than its own."""
    colours: bool = False
    """Asked in Dark too; what is not changes with no colour."""
    pixels: bool = False
    """Measured on painted pixels: slower."""
    heard: bool = False
    """Asked where a visitor is: the screens for staff do not speak."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One question asked of a device's configuration."""

    name: str
    asks: str
    source: str
    look: Callable[[Bundle, Pages], Iterator[Finding]]


_DESIGN: Final = "visual design, table of sizes"
CHECKS: Final[tuple[Check, ...]] = (
    Check("fit", "every text fits its place", "visual design, type", ink.fits),
    Check("target-size", "targets in mm, by kind", _DESIGN, boxes.sizes),
    Check("target-pixels", "the same after rounding to pixels", _DESIGN, boxes.sizes_on_glass),
    Check("gap", "2 mm between targets; keys 1.2 on narrow panels", _DESIGN, boxes.gaps),
    Check("overlap", "nothing lies on anything else", "visual design", boxes.overlaps),
    Check("margin", "6 or 10 mm around everything", "visual design, unit", boxes.margins),
    Check("reach", "in Low at most 1,100 mm above the floor", "EN 301 549 8.3.2", boxes.reach),
    Check("capital", "capitals by role and mode", "EN 301 549 5.1.4", capitals.heights),
    Check(
        "capital-pixels",
        "the smallest text, as painted",
        "EN 301 549 5.1.4",
        capitals.on_pixels,
        pixels=True,
    ),
    Check(
        "contrast-target",
        "text 4.5 (large 3), edges, icons, faces and focus 3; in every state",
        "WCAG 1.4.3, 1.4.11, 2.4.7",
        contrast.targets,
        finds=("contrast-text", "contrast-part"),
        colours=True,
        pixels=True,
    ),
    Check(
        "contrast-text",
        "text on the page 4.5 (large 3)",
        "WCAG 1.4.3",
        contrast.texts,
        colours=True,
        pixels=True,
    ),
    Check(
        "contrast-part",
        "progress, ticks, codes on the page 3",
        "WCAG 1.4.11",
        contrast.marks,
        colours=True,
        pixels=True,
    ),
    Check("ink", "painted letters lie in their box", "WCAG 1.4.4", ink.inked, pixels=True),
    Check("edge", "nothing is cut at the panel's edge", "visual design", ink.edge),
    Check("glyph", "the font has every character", "languages of the design", ink.glyphs),
    Check("order", "every target once in the focus order", "WCAG 2.4.3", keyboard.complete),
    Check("keys", "reached by next and by arrows", "WCAG 2.1.1", keyboard.reachable),
    Check("reading-order", "the order goes as one reads", "WCAG 1.3.2", keyboard.reading),
    Check(
        "words",
        "words for the ear for every control",
        "EN 301 549 5.1.3.1",
        spoken.of_controls,
        finds=("words", "speech-signs"),
        heard=True,
    ),
    Check(
        "orientation",
        "words for the ear for every screen",
        "EN 301 549 5.1.3.1",
        spoken.of_screen,
        finds=("orientation", "speech-signs"),
        heard=True,
    ),
    Check("direction", "mirrored where one reads from the right", "WCAG 1.3.2", direction.reads),
    Check("digits", "European digits", "languages of the design", direction.digits),
)
SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("timing", "20 s to say that one is there", "WCAG 2.2.1", settings.timing),
    Setting("height", "the panel's height above the floor", "EN 301 549 8.3.2", settings.height),
    Setting("accent", "the organisation's colour 4.5", "WCAG 1.4.3", settings.accent),
)
