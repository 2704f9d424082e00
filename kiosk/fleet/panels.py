"""Panels by name, or by pixels and millimetres."""

from __future__ import annotations

import re

PANELS: dict[str, tuple[int, int, int, int]] = {
    "10in-landscape": (1280, 800, 217, 136),
    "10in-portrait": (800, 1280, 136, 217),
    "15in-landscape": (1920, 1080, 344, 194),
    "21in-landscape": (1920, 1080, 476, 268),
    "21in-portrait": (1080, 1920, 268, 476),
}
"""Name -> width and height in px, width and height of the lit area in mm, as mounted."""
KEYS = ("width_px", "height_px", "width_mm", "height_mm")
_MEASURED = re.compile(
    r"(\d+)\s*[x×]\s*(\d+)\s*(?:px)?\s*@\s*(\d+(?:\.\d+)?)\s*[x×]\s*(\d+(?:\.\d+)?)\s*(?:mm)?",
    re.IGNORECASE,
)


def panel(text: str) -> dict[str, int | float]:
    """The settings behind `10in-portrait`, or `1280x800@217x136`.

    Raises ValueError with what to write.
    """
    named = PANELS.get(text.strip().lower())
    if named:
        return dict(zip(KEYS, named, strict=True))
    found = _MEASURED.fullmatch(text.strip())
    if not found:
        raise ValueError(
            f'"{text}" is no panel: write one of {", ".join(PANELS)},'
            " or pixels and millimetres such as 1280x800@217x136"
        )
    numbers = [float(group) for group in found.groups()]
    whole = [int(number) if number.is_integer() else number for number in numbers]
    return dict(zip(KEYS, whole, strict=True))


def name_of(screen: dict[str, object]) -> str:
    """What a screen's settings are called, or its pixels and millimetres."""
    numbers = tuple(screen.get(key) for key in KEYS)
    for name, named in PANELS.items():
        if numbers == named:
            return name
    wide, high, mm_wide, mm_high = numbers
    down = f"x{mm_high:g}" if mm_high else ""  # without, pixels are square
    return f"{wide}x{high}@{mm_wide:g}{down}"
