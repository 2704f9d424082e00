"""Text as Pillow draws it, shaped by Raqm: Latin, Cyrillic, and Arabic right to left.

Kivy's own text providers either reverse Arabic (sdl2, kivy #1701) or go through Pillow anyway;
drawing here keeps the glyphs where the layout measured them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, features

from kiosk.layout.measure import Fonts, fonts

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
        return sum(
            self._font(part.font, size).getlength(part.text)
            for part in self._files.segments(shown, bold)
        )

    def extent(self, text: str, size: float, *, bold: bool = False) -> tuple[float, float]:
        """How far a line's ink reaches above and below its baseline, px."""
        above = below = 0.0
        for part in self._files.segments(text.replace("\u00ad", ""), bold):
            direction = "rtl" if part.rtl and self._engine == ImageFont.Layout.RAQM else None
            font = self._font(part.font, size)
            _, top, _, bottom = font.getbbox(part.text, anchor="ls", direction=direction)
            above, below = max(above, -top), max(below, bottom)
        return above, below

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
        # Anchors would round; the advance is what the layout placed.
        x = at[0]
        if align != "left":
            x -= self.width(shown, size, bold=bold) * (0.5 if align == "center" else 1.0)
        draw = ImageDraw.Draw(image)
        for part in self._files.segments(shown, bold):
            font = self._font(part.font, size)
            rtl = part.rtl and self._engine == ImageFont.Layout.RAQM
            direction = "rtl" if rtl else None
            draw.text(
                (x, at[1]), part.text, fill=colour, font=font, anchor="ls", direction=direction
            )
            x += font.getlength(part.text, direction=direction)
