"""Heights of letters against the viewing distance, in the font and on pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageFont

from kiosk.audit.figures import DEGREES, least_em
from kiosk.audit.finding import Finding, Seen
from kiosk.layout.measure import fonts
from kiosk.layout.page import Panel, Run
from kiosk.ui.paint import Painter

_FLAT: Final = frozenset("HEFILTZXНПЕТГИ")
"""Capitals without curves that reach over a line."""
_REFERENCE: Final = 1000
_SHARE: Final = 0.005
"""Below a figure by half a per cent is the font's own rounding of its capitals."""


def heights(seen: Seen) -> Iterator[Finding]:
    """Every text has capitals as high as its role and the mode ask for."""
    page = seen.page
    for run, name in seen.runs:
        if not run.lines:
            continue
        required = least_em(page, run.name, larger=seen.larger)
        found = capital(page.panel, run)
        least = required * 2 * page.panel.distance_mm * math.tan(math.radians(DEGREES) / 2)
        if found < least * (1 - _SHARE):
            yield _low(seen, "capital", run, name, found, least)


def on_pixels(seen: Seen) -> Iterator[Finding]:
    """The same on painted pixels, for the page's smallest text, to half a pixel."""
    page = seen.page
    runs = [
        (run, name)
        for run, name in seen.runs
        if run.lines and least_em(page, run.name, larger=seen.larger)
    ]
    if not runs:
        return
    run, name = min(
        runs, key=lambda each: each[0].em / least_em(page, each[0].name, larger=seen.larger)
    )
    letter = next((each for line in run.lines for each in line if each in _FLAT), "H")
    pixels = seen.remembered(
        ("capital", letter, run.em, run.bold),
        lambda: painted(seen.painter, letter, run.em, bold=run.bold),
    )
    pixel = page.panel.height_mm / page.panel.height_px
    required = least_em(page, run.name, larger=seen.larger)
    least = required * 2 * page.panel.distance_mm * math.tan(math.radians(DEGREES) / 2)
    if (pixels + 0.5) * pixel < least:
        yield _low(seen, "capital-pixels", run, name, pixels * pixel, least)


def _low(  # noqa: PLR0917
    seen: Seen, check: str, run: Run, name: str, found: float, least: float
) -> Finding:
    return seen.finding(
        check,
        name,
        f"capitals {found:.2f} mm, {angle(found, seen.page.panel):.2f}°",
        f"{least:.2f} mm, {angle(least, seen.page.panel):.2f}° at"
        f" {seen.page.panel.distance_mm:.0f} mm",
        "correct screen.distance_mm, shorten the text, or use a larger panel",
        box=run.box,
    )


def angle(height_mm: float, panel: Panel) -> float:
    """Degrees a height takes at the panel's viewing distance."""
    return math.degrees(2 * math.atan(height_mm / 2 / panel.distance_mm))


def capital(panel: Panel, run: Run) -> float:  # noqa: ARG001 - the figure is the panel's
    """Millimetres of a capital of this run, from its font's own outlines."""
    files = fonts()
    # Arabic has no capitals: the letters beside it at the same size are measured.
    return run.em * _part(files.bold if run.bold else files.regular)


@cache
def _part(font: Path) -> float:
    """Height of a capital in em."""
    box = ImageFont.truetype(str(font), _REFERENCE).getbbox("H", anchor="ls")
    return float(box[3] - box[1]) / _REFERENCE


def painted(painter: Painter, letter: str, em: float, *, bold: bool) -> float:
    """Height in pixels of a letter as the window draws it; soft edges count in part."""
    size = em * painter.view.scale
    side = max(8, math.ceil(3 * size))
    image = Image.new("RGB", (side, side), (255, 255, 255))
    at = (size / 2, round(2 * size))
    painter.lettering.line(image, letter, at, size, colour=(0, 0, 0), bold=bold)
    grey = image.convert("L")
    left, _, right, _ = Image.eval(grey, lambda value: 255 - value).getbbox() or (0, 0, 1, 1)
    columns = (grey.crop((x, 0, x + 1, side)).tobytes() for x in range(left, right))
    return max(sum(255 - value for value in column) for column in columns) / 255
