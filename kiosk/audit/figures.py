"""The figures that are required, and every exception from them with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.layout.page import Page, Target

EPS: Final = 0.05
"""Millimetres below a figure that do not count: less than a third of a pixel."""
GAP: Final = 2.0
KEY_GAP: Final = 1.2
NARROW: Final = 150.0
"""Panels less wide than this have narrower keys."""
TEN_COLUMNS: Final = 188.0
"""On panels less wide than this ten keys of 15 mm do not stand in a row."""
INCH: Final = 25.4

HANG: Final = 0.1
HANG_ARABIC: Final = 0.2
"""How far letters may hang over the box of their text, em."""

TEXT: Final = 4.5
LARGE_TEXT: Final = 3.0
LARGE_MM: Final = 18 * INCH / 72
LARGE_BOLD_MM: Final = 14 * INCH / 72
PART: Final = 3.0
"""Contrasts of WCAG 1.4.3 and 1.4.11; large is 18 pt, or 14 pt in bold, on the glass."""

DEGREES: Final = 0.7
"""Height of a capital at the viewing distance, EN 301 549 5.1.4."""
REACH_MM: Final = 1100.0
REACH_STANDING_MM: Final = 1220.0
COUNTDOWN_S: Final = 20.0
IDLE_S: Final = 25.0
IDLE_TEXT_S: Final = 60.0
THANKS_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Excepted:
    """A figure that holds instead of the table's, and why."""

    what: str
    figure: str
    reason: str


EXCEPTIONS: Final[tuple[Excepted, ...]] = (
    Excepted(
        "the 0-10 scale in one row",
        "pitch 18 mm, height 30 mm",
        "eleven answers stay one line; Larger shows them in two or three rows",
    ),
    Excepted(
        "the 0-10 scale in 2 x 6 on panels under 150 mm",
        "19 mm wide, 24 mm high, pitch 21 mm",
        "six columns do not reach 20 mm there; Larger shows 3 x 4 at 29 mm",
    ),
    Excepted(
        "faces listed beside their statement",
        "100 mm wide, 19 mm high",
        "five rows share the height of a 10 inch panel lying down",
    ),
    Excepted("the privacy button in the header", "14 mm", "not needed for answering"),
    Excepted(
        "keys on panels under 150 mm",
        "9 x 15 mm, 1.2 mm apart",
        "ten or more columns; Larger shows an alphabet of seven columns of 16 mm",
    ),
    Excepted(
        "keys of the centre's address on panels under 188 mm",
        "9 x 15 mm",
        "ten columns of letters for staff; codes and PINs keep larger keys",
    ),
    Excepted(
        "text in the normal mode",
        "face words, names of languages, notes, keys and bar buttons from 0.73 u",
        "EN 301 549 5.1.4 asks for one mode in which all text is large enough: Larger",
    ),
    Excepted(
        "services and groups in the normal mode",
        "0.8 u",
        "a short name takes two lines at 6.2 mm, visual design; Larger shows 1.0 u",
    ),
    Excepted(
        "questions beside a list or over a keyboard",
        "1.0 u",
        "less room; capitals of 0.7 degrees are kept",
    ),
    Excepted(
        "the organisation's name in the header",
        "no least height or contrast of its mark",
        "a logotype: nothing is operated by it, and the name stands in the privacy notice",
    ),
    Excepted(
        "letters that hang over their place",
        "0.1 em past the box of their text, inside their control and the panel",
        "J hangs left of where it begins, many letters end below their line",
    ),
    Excepted(
        "Arabic signs above and below letters",
        "0.2 em past the box of their text, where no other text and no control stands",
        "a first line with a sign on a high letter, a last one with dots below, are rare",
    ),
    Excepted(
        "screens for staff",
        "titles 1.0 u, text 0.73 u, buttons 16 x 16 mm, a field 10 mm high; normal mode, no speech",
        "set-up and service say much at once, to people at work; no visitor meets them",
    ),
    Excepted(
        "the touch test in the corners",
        "2 mm from the rim, in no order of controls",
        "it asks whether the glass is felt where it ends: keys would prove nothing",
    ),
    Excepted(
        "decoration",
        "no least contrast",
        "the ground of the countdown bar and of warnings says nothing by itself",
    ),
)
"""Nothing else is excepted; the functions below are these lines and the table as code."""


_VISITORS: Final = frozenset(
    ("access", "choice", "closed", "face", "languages", "loading", "offer", "out-of-use")
) | {"privacy", "reply", "rest", "still", "text", "thanks", "warning"}
"""Screens that visitors and passers-by meet."""


def for_staff(page: Page) -> bool:
    """Whether a page belongs to set-up or service."""
    return page.screen not in _VISITORS


def touch_test(name: str) -> bool:
    """Whether a target is one of the touch test's."""
    return name.startswith("corner.")


def least_size(page: Page, target: Target, *, larger: bool) -> tuple[float, float]:
    """Width and height a target must have, mm; (0, 0) for what is not operated."""
    panel = page.panel
    narrow = panel.width_mm < NARROW
    least = 20.0, 20.0
    match target.look:
        case "quiet":
            least = 0.0, 0.0
        case "field":
            least = 100.0, 10.0 if for_staff(page) else 15.0
        case "key" if panel.width_mm < TEN_COLUMNS and _an_address_is_typed(page):
            least = 9.0, 15.0
        case "key":
            least = (16.0 if larger else 9.0) if narrow else 15.0, 15.0
        case "number" if page.arrangement.startswith("nps-1x11"):
            least = 18.0 - GAP, 30.0
        case "number" if page.arrangement.startswith("nps-2x6") and narrow:
            least = 19.0, 24.0
        case "card" if page.arrangement.startswith("face-list") and not panel.portrait:
            # Upright panels have the whole height for the list.
            least = 100.0, 19.0
        case "button" | "surface" | "primary" if for_staff(page):
            least = 16.0, 16.0
        case _ if in_bar(page, target):
            least = 16.0, max(16.0, 2.1 * panel.u)
        case _ if target.name == "privacy":
            least = 14.0, 14.0
    return least


def _an_address_is_typed(page: Page) -> bool:
    return for_staff(page) and any(target.name == "key./" for target in page.targets)


def in_bar(page: Page, target: Target) -> bool:
    """Whether a target stands in the bar at the bottom; at rest it may have two rows of names."""
    if page.screen == "rest" and target.name.startswith("language."):
        return True
    top = next((each.box.y for each in page.targets if each.name == "access"), None)
    return top is not None and target.box.y >= top - 0.1


def least_pitch(page: Page) -> float:
    """Distance between the middles of neighbouring numbers, mm."""
    return 18.0 if page.arrangement.startswith("nps-1x11") else 21.0


def least_gap(page: Page, one: Target, other: Target) -> float:
    """Room between two targets, mm."""
    keys = one.look == other.look == "key"
    return KEY_GAP if keys and page.panel.width_mm < NARROW else GAP


def margin(page: Page, name: str) -> float:
    """Room between what is called so and the panel's rim, mm."""
    if touch_test(name):
        return 2.0
    panel = page.panel
    return 6.0 if (panel.width_mm**2 + panel.height_mm**2) ** 0.5 < 12 * INCH else 10.0


_SMALL: Final = frozenset(
    ("face", "language", "privacy", "anonymous", "notice", "page", "changed", "phone", "key")
) | {"back", "skip", "send", "done", "more", "reply", "speech", "left", "note"}
"""Names of texts that may be small outside Larger."""


def least_em(page: Page, name: str, *, larger: bool) -> float:
    """The least size of a text, in u; 0 for the organisation's name."""
    role = name.partition(".")[0]
    if role == "logo":
        return 0.0
    if role in ("question", "title"):
        beside = page.arrangement.startswith("face-list") and not page.panel.portrait
        return 1.0 if beside or page.screen == "text" or for_staff(page) or larger else 1.2
    if role in ("choice", "group") and not larger:
        return 0.8
    small = role in _SMALL or for_staff(page)
    return 0.73 if small and not larger else 1.0


def least_contrast(em_mm: float, *, bold: bool) -> float:
    """What a text of this size must reach against its ground."""
    return LARGE_TEXT if em_mm >= (LARGE_BOLD_MM if bold else LARGE_MM) else TEXT
