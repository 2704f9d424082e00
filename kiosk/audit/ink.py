"""Whether everything fits: what the layout says, where ink really lies, and missing letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageFont

from kiosk.audit.figures import EPS, HANG, HANG_ARABIC
from kiosk.audit.finding import Finding, Seen
from kiosk.audit.pixels import ink
from kiosk.layout.measure import fonts, is_arabic
from kiosk.layout.page import Box, Run
from kiosk.ui.paint import Painter, Px

_SHORTEN: Final = "shorten the text"
_MISSING: Final = "\U0010fffe"
"""A code point that no font has a letter for."""
_SIZE: Final = 48


def fits(seen: Seen) -> Iterator[Finding]:
    """What the layout itself could not place: the first of it, from which the rest follows."""
    for problem in seen.page.problems[:1]:
        yield seen.finding(
            "fit", "page", problem, "everything fits", f"{_SHORTEN}, or use a larger panel"
        )


def inked(seen: Seen) -> Iterator[Finding]:
    """The ink of each text, painted alone, lies in its box and on the panel."""
    view = seen.painter.view
    around = {target.name: target for target in seen.page.targets}
    for run, name in seen.runs:
        if not run.lines:
            continue
        key = ("ink", run.lines, run.em, run.leading, run.bold, run.align, run.box.w, run.box.h)
        over = seen.remembered(key, lambda run=run: _over(seen.painter, run))  # type: ignore[misc]
        # One pixel more: edges are rounded.
        arabic = any(is_arabic(line) for line in run.lines)
        free = arabic and _clear(seen, run, over)
        hang = HANG_ARABIC if free else HANG
        for side, pixels in zip(("left", "top", "right", "bottom"), over, strict=True):
            if pixels > 1 + hang * run.em * view.scale:
                yield seen.finding(
                    "ink",
                    name,
                    f"{pixels / view.scale:.2f} mm past the {side} of its box",
                    "inside",
                    _SHORTEN,
                    box=run.box,
                )
        left, top, right, bottom = view.px(run.box)
        ends = (left - over[0], top - over[1], right + over[2], bottom + over[3])
        if not _within(ends, (0, 0, view.width, view.height)):
            yield seen.finding(
                "ink", name, "cut at the panel's edge", "whole", _SHORTEN, box=run.box
            )
        target = around.get(name)
        if target is not None and target.look != "quiet" and not _within(ends, view.px(target.box)):
            yield seen.finding(
                "ink", name, "letters leave the control", "inside it", _SHORTEN, box=target.box
            )


def _clear(seen: Seen, run: Run, over: Px) -> bool:
    """Whether the ink of a page's text comes on nothing else."""
    scale = seen.painter.view.scale
    left, top, right, bottom = (max(0, pixels) / scale for pixels in over)
    box = run.box
    inked = Box(box.x - left, box.y - top, box.w + left + right, box.h + top + bottom)
    others = [target.box for target in seen.page.targets if run not in target.runs]
    others += [each.box for each in seen.page.runs if each is not run and each.lines]
    return not any(
        min(inked.right, each.right) > max(inked.x, each.x)
        and min(inked.bottom, each.bottom) > max(inked.y, each.y)
        for each in others
    )


def _within(box: Px, around: Px) -> bool:
    return (
        box[0] >= around[0] and box[1] >= around[1] and box[2] <= around[2] and box[3] <= around[3]
    )


def _over(painter: Painter, run: Run) -> tuple[int, int, int, int]:
    """How many pixels of ink lie left of, above, right of and below a text's box."""
    room = 1.5 * run.em
    alone = replace(run, box=Box(room, room, run.box.w, run.box.h), colour="ink")
    region = (
        0,
        0,
        round((run.box.w + 2 * room) * painter.view.scale),
        round((run.box.h + 2 * room) * painter.view.scale),
    )
    bare = replace(painter.view, left=0.0, top=0.0)
    image = Image.new("RGB", region[2:], painter.theme.ground)
    Painter(painter.lettering, painter.theme, bare).run(image, alone)
    found = ink(image, painter.theme.ground)
    if found is None:
        return 0, 0, 0, 0
    left, top, right, bottom = bare.px(alone.box)
    # Negative where there is room left.
    return left - found[0], top - found[1], found[2] - right, found[3] - bottom


def edge(seen: Seen) -> Iterator[Finding]:
    """Nothing painted touches the panel's edge: there it would be cut."""
    page, panel = seen.page, seen.page.panel
    for box, name in (
        *((target.box, target.name) for target in page.targets),
        *((mark.box, mark.kind) for mark in page.marks),
    ):
        if (
            box.x < EPS
            or box.y < EPS
            or box.right > panel.width_mm - EPS
            or box.bottom > panel.height_mm - EPS
        ):
            yield seen.finding(
                "edge", name, "reaches the panel's edge", "whole", "use a larger panel", box=box
            )


def glyphs(seen: Seen) -> Iterator[Finding]:
    """Every character drawn is in the font that draws it."""
    files = fonts()
    for run, name in seen.runs:
        lacking: dict[str, None] = {}
        for line in run.lines:
            for part in files.segments(line.replace("\u00ad", ""), run.bold):
                for character in part.text:
                    if not _has(part.font, character):
                        lacking[character] = None
        if lacking:
            shown = ", ".join(
                f"“{each}” (U+{ord(each):04X} {unicodedata.name(each, '')})".replace(" )", ")")
                for each in lacking
            )
            yield seen.finding(
                "glyph",
                name,
                f"no letter for {shown}",
                "every character is in the font",
                "write it with other characters",
                box=run.box,
            )


@cache
def _has(font: Path, character: str) -> bool:
    if character.isspace() or unicodedata.category(character) in ("Cf", "Mn"):
        return True
    return _drawn(font, character) != _drawn(font, _MISSING)


@cache
def _drawn(font: Path, character: str) -> tuple[tuple[int, int], bytes]:
    # Without shaping, one character is one letter of the font's own map.
    mask = _open(font).getmask(character)
    return mask.size, bytes(mask)


@cache
def _open(font: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font), _SIZE, layout_engine=ImageFont.Layout.BASIC)
