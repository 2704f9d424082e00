"""How wide a text is, and which font draws it.

Noto Sans has Latin and Cyrillic; Noto Sans Arabic has neither Latin nor "/" nor parentheses. A
line of Arabic is therefore drawn in segments, each in the font that has its letters; the window
draws what `Fonts.segments` gives, left to right, and so needs no bidirectional algorithm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from PIL import ImageFont, features

SEARCH: Final = (Path("/usr/share/fonts/truetype/noto"),)
"""Where Debian puts them."""
PACKAGE: Final = "fonts-noto-core"

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
# What Noto Sans Arabic has, read from its character map: a regular expression's class.
_HAS = (
    " !,-.0-:\xa0\xab\xbb\u034f\u0600-\u061c\u061e-\u06ff\u0750-\u077f\u08a0-\u08b4"
    "\u200b-\u2011\ufb50-\ufdff\ufe70-\ufefc"
)
# Words of other scripts with what stands between them; signs alone; Arabic with its signs.
_LETTER = "[^\\W\\d_\u0600-\u08ff\ufb50-\ufefc]"
_WORDS = f"[^{_HAS}]*{_LETTER}[^{_HAS}]*"
_SEGMENT = re.compile(f"({_WORDS}(?:[ ,.0-9:-]+{_WORDS})*)|([^{_HAS}]+)|([{_HAS}]+)")
_MIRROR = str.maketrans("()[]{}<>", ")(][}{><")
_REFERENCE_PX: Final = 400
"""Texts are measured this large, so that hinting and rounding vanish, and scaled."""
PAIRS: Final = 2048
"""Of letters that were typed, whose widths are kept: more than a language has."""


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
class Segment:
    """Part of a line that one font draws."""

    text: str
    font: Path
    rtl: bool


@dataclass(frozen=True, slots=True)
class Fonts:
    """The four font files, and which one draws what."""

    regular: Path
    bold: Path
    arabic_regular: Path
    arabic_bold: Path

    def segments(self, text: str, bold: bool) -> tuple[Segment, ...]:
        """A line as it is drawn, left to right; one segment unless it mixes scripts."""
        latin = self.bold if bold else self.regular
        if not is_arabic(text):
            return (Segment(text, latin, rtl=False),)
        arabic = self.arabic_bold if bold else self.arabic_regular
        found = []
        for words, signs, own in _SEGMENT.findall(text):
            if own:
                found.append(Segment(own, arabic, rtl=True))
            else:
                # Signs between Arabic words run from right to left too.
                found.append(Segment(words or signs[::-1].translate(_MIRROR), latin, rtl=False))
        return tuple(reversed(found))

    def path(self, text: str, bold: bool) -> Path:
        """The font of a text's first letters."""
        return self.segments(text, bold)[-1].font


@cache
def fonts(search: Sequence[Path] = SEARCH) -> Fonts:
    """The font files, from the first folder that has each.

    Raises FontError naming the Debian package.
    """

    def find(name: str) -> Path:
        for folder in search:
            if (path := folder / f"{name}.ttf").is_file():
                return path
        looked = ", ".join(str(folder) for folder in search)
        raise FontError(f"{name}.ttf is not in {looked}: install the package {PACKAGE}")

    return Fonts(
        regular=find("NotoSans-Regular"),
        bold=find("NotoSans-Bold"),
        arabic_regular=find("NotoSansArabic-Regular"),
        arabic_bold=find("NotoSansArabic-Bold"),
    )


class PillowMeasure:
    """Measures with Pillow, shaped by Raqm where Pillow has it; every width is kept."""

    def __init__(self, files: Fonts | None = None) -> None:
        self.fonts = files or fonts()
        engine = "RAQM" if features.check("raqm") else "BASIC"
        self._engine = ImageFont.Layout[engine]
        self._open: dict[Path, ImageFont.FreeTypeFont] = {}
        self._ems: dict[tuple[str, bool], float] = {}
        self._pairs: dict[tuple[str, bool], float] = {}

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
        if not keep:
            return self._typed(text, bold) * em_mm
        found = self._ems.get((text, bold))
        if found is None:
            found = self._ems[text, bold] = self._shaped(text, bold)
        return found * em_mm

    def _shaped(self, text: str, bold: bool) -> float:
        shown = text.replace("\u00ad", "")
        width = sum(
            self._font(segment.font).getlength(segment.text)
            for segment in self.fonts.segments(shown, bold)
        )
        return width / _REFERENCE_PX

    def _typed(self, text: str, bold: bool) -> float:
        """Measured pair of letters by pair, so that each keystroke is cheap and no word is kept.

        Arabic letters change with their neighbours: those words are measured whole, every time.
        """
        if is_arabic(text):
            return self._shaped(text, bold)
        width = 0.0
        before = ""
        for letter in text:
            pair = before + letter
            step = self._pairs.get((pair, bold))
            if step is None:
                step = self._shaped(pair, bold) - (self._shaped(before, bold) if before else 0.0)
                if len(self._pairs) >= PAIRS:
                    self._pairs.clear()
                self._pairs[pair, bold] = step
            width += step
            before = letter
        return width

    def _font(self, path: Path) -> ImageFont.FreeTypeFont:
        font = self._open.get(path)
        if font is None:
            font = ImageFont.truetype(str(path), _REFERENCE_PX, layout_engine=self._engine)
            self._open[path] = font
        return font
