"""Text as Pillow draws it, shaped by Raqm: Latin, Cyrillic, and Arabic right to left.

Kivy's own text providers either reverse Arabic (sdl2, kivy #1701) or go through Pillow anyway;
drawing here keeps the glyphs where the layout measured them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, features

from kiosk.layout.measure import Fonts, fonts, is_arabic

CAP = 0.714
"""Height of Noto Sans capitals in em; lines stand with their capitals centred."""


class Lettering:
    """Font sizes, kept; the file for a text is the one the layout measured it with."""

    def __init__(self, files: Fonts | None = None) -> None:
        self._files = files or fonts()
        engine = "RAQM" if features.check("raqm") else "BASIC"
        self._engine = ImageFont.Layout[engine]
        self._font = lru_cache(maxsize=64)(self._load)

    def _load(self, path: Path, size: float) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(path), size, layout_engine=self._engine)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Advance width of a line in px at `size` px an em."""
        shown = text.replace("\u00ad", "")
        return self._font(self._files.path(shown, bold), size).getlength(shown)

    def line(
        self,
        image: Image.Image,
        text: str,
        at: tuple[float, float],
        size: float,
        *,
        colour: tuple[int, int, int],
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        """Draw one line; `at` is its baseline's left end, middle, or right end in px."""
        # Soft hyphens only say where a word may break.
        shown = text.replace("\u00ad", "")
        font = self._font(self._files.path(shown, bold), size)
        direction = "rtl" if is_arabic(shown) and self._engine == ImageFont.Layout.RAQM else None
        x = at[0]
        if align != "left":
            # Anchors would round; the advance is what the layout placed.
            x -= font.getlength(shown, direction=direction) * (0.5 if align == "center" else 1.0)
        ImageDraw.Draw(image).text(
            (x, at[1]), shown, fill=colour, font=font, anchor="ls", direction=direction
        )
