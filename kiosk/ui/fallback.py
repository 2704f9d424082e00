"""The configuration where there is none: enough for a calm out-of-use screen."""

from __future__ import annotations

from kiosk.wording import wording
from sync.contract.bundle import Bundle, Location, Organisation, Screen, Survey

UNKNOWN = "unknown"
"""The device where no configuration says which it is."""


DIAGONAL_MM = 256.5
"""Of a panel nobody has described: 10.1"."""


def fallback_bundle(window: tuple[int, int] | None = None) -> Bundle:
    """A bundle with the program's own wording and nothing of an organisation.

    `window` is its size in px where that is known: the panel is taken to be a 10.1" one.
    """
    screen = Screen()
    if window is not None:
        width, height = window
        diagonal = (width**2 + height**2) ** 0.5
        screen = Screen(width_px=width, height_px=height, width_mm=DIAGONAL_MM * width / diagonal)
    languages = ("fi", "sv", "en")
    return Bundle(
        device=UNKNOWN,
        organisation=Organisation(id="unknown", name={}),
        location=Location(id="unknown", name={}, municipality=""),
        languages=languages,
        survey=Survey(id="none", version=1),
        screen=screen,
        texts={language: dict(wording(language)) for language in languages},
    )
