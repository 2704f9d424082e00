"""Measuring on painted pixels: contrasts and where ink lies."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from PIL import Image, ImageChops

Rgb = tuple[int, int, int]
CLUSTER = 0.05
"""Share of the ink that must reach a contrast: the rest is the soft edge of letters."""
LEAST_PIXELS = 3


def luminance(colour: Rgb) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (_linear(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=256)
def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=65536)
def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def changed(before: Image.Image, after: Image.Image) -> float:
    """The contrast of what was drawn against what was there, pixel by pixel; 0 if nothing was.

    The extreme of the ink that is more than a few pixels: soft edges do not count.
    """
    area = ImageChops.difference(before, after).getbbox()
    if area is None:
        return 0.0
    old, new = before.crop(area), after.crop(area)
    # What was there is told apart by its grey, so that pairs of colours are counted at once.
    were = {_grey(colour): colour for _, colour in sorted(_counted(old))}
    pairs = Image.merge("RGBA", (*new.split(), old.convert("L")))
    found = []
    for n, (red, green, blue, grey) in _counted(pairs):
        was, now = were[grey], (red, green, blue)
        if was != now:
            found.append((contrast(was, now), n))
    return _cluster(found)


def inside(image: Image.Image) -> float:
    """The contrast of what is drawn on the commonest colour of an image."""
    colours = _counted(image)
    _, ground = max(colours)
    return _cluster((contrast(ground, each), n) for n, each in colours if each != ground)


def along(image: Image.Image, points: Iterable[tuple[int, int]], ground: Rgb) -> float:
    """The strongest contrast against `ground` on a line of pixels."""
    found = 0.0
    for point in points:
        colour = image.getpixel(point)
        assert isinstance(colour, tuple)  # noqa: S101 - the image is RGB
        found = max(found, contrast(ground, (int(colour[0]), int(colour[1]), int(colour[2]))))
    return found


def ink(image: Image.Image, ground: Rgb) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of everything that is not ground."""
    return ImageChops.difference(image, Image.new("RGB", image.size, ground)).getbbox()


def _counted(image: Image.Image) -> list[tuple[int, Any]]:
    """How many pixels there are of each colour."""
    return list(image.getcolors(image.width * image.height) or ())


def _grey(colour: Rgb) -> int:
    """As Pillow turns colours into grey."""
    red, green, blue = colour
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


def _cluster(found: Iterable[tuple[float, int]]) -> float:
    """The contrast that enough of the pixels reach."""
    ordered = sorted(found, reverse=True)
    enough = max(LEAST_PIXELS, CLUSTER * sum(n for _, n in ordered))
    seen = 0
    for ratio, n in ordered:
        seen += n
        if seen >= enough:
            return ratio
    return ordered[-1][0] if ordered else 0.0
