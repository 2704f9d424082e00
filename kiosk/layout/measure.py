"""How wide a text is, and which font draws it.

One run is drawn in one font. Noto Sans has Latin and Cyrillic; Noto Sans Arabic has neither Latin
nor "/" nor parentheses, so a line of Arabic with any of those is drawn in DejaVu Sans as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from PIL import ImageFont, features

SEARCH: Final = (
    Path("/usr/share/fonts/truetype/noto"),
    Path("/usr/share/fonts/truetype/dejavu"),
)
"""Where Debian puts them."""

_PACKAGES: Final = {"NotoSans": "fonts-noto-core", "DejaVuSans": "fonts-dejavu-core"}
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
# What Noto Sans Arabic has, read from its character map.
_NOTO_ARABIC = re.compile(
    "[ !,-.0-:\xa0\xab\xbb\u034f\u0600-\u061c\u061e-\u06ff\u0750-\u077f\u08a0-\u08b4"
    "\u200b-\u2011\ufb50-\ufdff\ufe70-\ufefc]*"
)
_REFERENCE_PX: Final = 400
"""Texts are measured this large, so that hinting and rounding vanish, and scaled."""


class LayoutError(Exception):
    """What the layout needs is not on this machine."""


class FontError(LayoutError):
    """A font file is in none of the folders searched."""


class Measure(Protocol):
    """Whatever can say how wide a text is."""

    def width(
        self, text: str, em_mm: float, bold: bool, language: str, *, keep: bool = True
    ) -> float:
        """Millimetres from the first to the last advance.

        `keep` false: remember nothing, for what a visitor typed.
        """
        ...


def is_arabic(text: str) -> bool:
    """Whether a text has a letter of the Arabic script."""
    return _ARABIC.search(text) is not None


@dataclass(frozen=True, slots=True)
class Fonts:
    """The six font files; `path` says which one draws a text."""

    regular: Path
    bold: Path
    arabic_regular: Path
    arabic_bold: Path
    mixed_regular: Path
    mixed_bold: Path

    def path(self, text: str, bold: bool) -> Path:
        """The one font file that draws the whole of `text`; the window must use the same."""
        if not is_arabic(text):
            return self.bold if bold else self.regular
        if _NOTO_ARABIC.fullmatch(text):
            return self.arabic_bold if bold else self.arabic_regular
        return self.mixed_bold if bold else self.mixed_regular


@cache
def fonts(search: Sequence[Path] = SEARCH) -> Fonts:
    """The font files, from the first folder that has each.

    Raises FontError naming the Debian package.
    """

    def find(name: str) -> Path:
        for folder in search:
            if (path := folder / f"{name}.ttf").is_file():
                return path
        package = next(p for start, p in _PACKAGES.items() if name.startswith(start))
        looked = ", ".join(str(folder) for folder in search)
        raise FontError(f"{name}.ttf is in none of {looked}: install the package {package}")

    return Fonts(
        regular=find("NotoSans-Regular"),
        bold=find("NotoSans-Bold"),
        arabic_regular=find("NotoSansArabic-Regular"),
        arabic_bold=find("NotoSansArabic-Bold"),
        mixed_regular=find("DejaVuSans"),
        mixed_bold=find("DejaVuSans-Bold"),
    )


class PillowMeasure:
    """Measures with Pillow, shaped by Raqm where Pillow has it; every width is kept."""

    def __init__(self, files: Fonts | None = None) -> None:
        self.fonts = files or fonts()
        engine = "RAQM" if features.check("raqm") else "BASIC"
        self._engine = ImageFont.Layout[engine]
        self._open: dict[Path, ImageFont.FreeTypeFont] = {}
        self._ems: dict[tuple[str, bool], float] = {}

    def width(
        self,
        text: str,
        em_mm: float,
        bold: bool,
        language: str,  # noqa: ARG002 - a shaper may need it
        *,
        keep: bool = True,
    ) -> float:
        """Millimetres from the first to the last advance; soft hyphens take no room."""
        found = self._ems.get((text, bold))
        if found is None:
            found = self._font(text, bold).getlength(text.replace("\u00ad", "")) / _REFERENCE_PX
            if keep:
                self._ems[text, bold] = found
        return found * em_mm

    def _font(self, text: str, bold: bool) -> ImageFont.FreeTypeFont:
        path = self.fonts.path(text.replace("\u00ad", ""), bold)
        font = self._open.get(path)
        if font is None:
            font = ImageFont.truetype(str(path), _REFERENCE_PX, layout_engine=self._engine)
            self._open[path] = font
        return font
