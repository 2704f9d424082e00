"""Colour tokens of the screen, light and dark; nothing else in the window names a colour."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


def rgb(text: str) -> Rgb:
    """`#RRGGBB` as three numbers 0-255."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of tokens."""

    ground: Rgb
    surface: Rgb
    ink: Rgb
    ink_2: Rgb
    line: Rgb
    accent: Rgb
    on_accent: Rgb
    press: Rgb
    face_fill: Rgb
    face_line: Rgb
    warn: Rgb
    warn_ground: Rgb
    quiet: Rgb
    dark: bool = False

    def colour(self, name: str) -> Rgb:
        """The token behind a Page's colour name. Raises KeyError for an unknown one."""
        return {
            "ink": self.ink,
            "ink-2": self.ink_2,
            "on-accent": self.on_accent,
            "accent": self.accent,
            "warn": self.warn,
            "line": self.line,
        }[name]


def light(accent: str = "#0B5563") -> Theme:
    """The everyday tokens with the organisation's accent."""
    return Theme(
        ground=rgb("#F4F2ED"),
        surface=rgb("#FFFFFF"),
        ink=rgb("#14232B"),
        ink_2=rgb("#43525A"),
        line=rgb("#6F7E86"),
        accent=rgb(accent),
        on_accent=rgb("#FFFFFF"),
        press=rgb("#D5E3E5"),
        face_fill=rgb("#FFE3A6"),
        face_line=rgb("#14232B"),
        warn=rgb("#7A3E00"),
        warn_ground=rgb("#FFF0D2"),
        quiet=rgb("#E6E3DB"),
    )


DARK = Theme(
    ground=rgb("#000000"),
    surface=rgb("#000000"),
    ink=rgb("#FFFFFF"),
    ink_2=rgb("#FFFFFF"),
    line=rgb("#FFFFFF"),
    accent=rgb("#FFD83D"),
    on_accent=rgb("#000000"),
    press=rgb("#3A3A3A"),
    face_fill=rgb("#000000"),
    face_line=rgb("#FFFFFF"),
    warn=rgb("#FFD83D"),
    warn_ground=rgb("#000000"),
    quiet=rgb("#1C1C1C"),
    dark=True,
)
"""High contrast; the brand colour plays no part."""
