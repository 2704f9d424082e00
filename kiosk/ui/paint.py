"""A Page as pixels: the whole screen once, single targets again when their state changes.

Pure Pillow. The window shows these pixels as textures and `preview` writes them as PNG, so both
show the same picture, and a tap repaints one small rectangle instead of the window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image

from kiosk.layout.page import Box, Mark, Page, Panel, Run, Target
from kiosk.ui import ring, shapes
from kiosk.ui.lettering import CAP, Lettering
from kiosk.ui.theme import Rgb, Theme

State = Literal["rest", "pressed", "chosen", "focus", "chosen-focus"]
Px = tuple[int, int, int, int]

BORDER = 0.5
PRESSED_BORDER = 0.9
CHOSEN_BORDER = 1.6
TICK = 3.6
FOCUSED_BORDER = 0.9
"""Of a chosen target with the ring, so that ground is seen between the two."""


@dataclass(frozen=True, slots=True)
class View:
    """Where a panel lies on the pixels: px per mm, and the offset when the shapes differ."""

    scale: float
    left: float
    top: float
    width: int
    height: int

    @classmethod
    def fit(cls, panel: Panel, width: int, height: int) -> View:
        """The panel as large as it fits, centred."""
        scale = min(width / panel.width_mm, height / panel.height_mm)
        return cls(
            scale,
            (width - panel.width_mm * scale) / 2,
            (height - panel.height_mm * scale) / 2,
            width,
            height,
        )

    def px(self, box: Box, grow: float = 0.0) -> Px:
        """Left, top, right, bottom in px, edges rounded; `grow` mm more on each side."""
        return (
            round(self.left + (box.x - grow) * self.scale),
            round(self.top + (box.y - grow) * self.scale),
            round(self.left + (box.right + grow) * self.scale),
            round(self.top + (box.bottom + grow) * self.scale),
        )

    def mm(self, x: float, y: float) -> tuple[float, float]:
        """A point in px from the top left as millimetres."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale


@dataclass(frozen=True, slots=True)
class _Style:
    """How a target's plate looks; `ink` replaces the colours of what stands on it."""

    fill: Rgb | None
    border: Rgb | None
    width: float
    ink: Rgb | None = None


def _inset(box: Box, by: float) -> Box:
    return Box(box.x + by, box.y + by, box.w - 2 * by, box.h - 2 * by)


class Painter:
    """Draws pages on images of one size in one theme."""

    def __init__(self, lettering: Lettering, theme: Theme, view: View) -> None:
        self.lettering, self.theme, self.view = lettering, theme, view

    def moved(self, region: Px) -> Painter:
        """A painter for an image that is only this region of the screen."""
        view = replace(self.view, left=self.view.left - region[0], top=self.view.top - region[1])
        return Painter(self.lettering, self.theme, view)

    def page(self, page: Page, states: dict[str, State] | None = None) -> Image.Image:
        """The whole screen; targets not named in `states` are at rest."""
        image = Image.new("RGB", (self.view.width, self.view.height), self.theme.ground)
        for mark in page.marks:
            self.mark(image, mark, page.rtl)
        for run in page.runs:
            self.run(image, run)
        for target in page.targets:
            self.target(image, target, (states or {}).get(target.name, "rest"), page.rtl)
        return image

    def region(self, target: Target) -> Px:
        """The pixels a target can touch in any state."""
        left, top, right, bottom = self.view.px(target.box, PRESSED_BORDER / 2)
        return (
            max(0, left - 1),
            max(0, top - 1),
            min(self.view.width, right + 1),
            min(self.view.height, bottom + 1),
        )

    def target(self, image: Image.Image, target: Target, state: State, rtl: bool) -> None:
        """One target in one state, over whatever is there."""
        focus = state in ("focus", "chosen-focus")
        chosen = state in ("chosen", "chosen-focus")
        style = self._style(target, "chosen" if chosen else "rest" if focus else state)
        self.plate(
            image,
            target.box,
            target.radius,
            fill=style.fill,
            border=style.border,
            width=style.width,
        )
        inside = (chosen and target.look in ("card", "list", "switch")) or (
            target.look == "switch" and target.current and state != "pressed"
        )
        at = ring.inset(target, self.lettering, self.view.scale) if focus else 0.0
        if inside:
            width = FOCUSED_BORDER if focus else CHOSEN_BORDER
            if focus and at < width - BORDER / 2 + ring.GROUND:
                # No room for both: the ring takes the border's place, its tick says it is chosen.
                at = ring.EDGE
            else:
                self._ring(image, target, style.fill or self.theme.ground, width)
        if focus:
            # First of all that stands on the plate: a tick may lie over it, never the other way.
            ink = style.ink or self.theme.ink
            filled = style.border is None
            ring.draw(image, target, self.lettering, self.view, ink, at=at, filled=filled)
        for drawn in target.marks:
            latched = target.current and drawn.value == "shift"
            mark = replace(drawn, value="shift-on") if latched else drawn
            self.mark(image, mark, rtl, chosen=chosen, override=style.ink)
        for run in target.runs:
            self.run(image, run, style.ink)
        box = target.box
        if chosen and target.look == "number":
            digit = max((run.em for run in target.runs), default=0.0) * CAP
            if box.h / 2 - digit / 2 > 3 + 2 * TICK:
                self._tick(image, box.x + box.w / 2, box.y + 3 + TICK, TICK, inverse=True)
            else:
                # A low cell has no room above its digit.
                at = 1.2 + TICK
                self._tick(image, box.right - at, box.y + at, TICK, inverse=True)
        elif inside:
            switch = target.look == "switch"
            reach = 9.0 if switch else min(6.1, box.h / 2)
            # On the side where words end: what stands where they begin stays whole.
            x = box.x + reach if rtl and not switch else box.right - reach
            self._tick(image, x, box.y + reach, 4.2 if switch else TICK)

    def _style(self, target: Target, state: State) -> _Style:
        theme, look = self.theme, target.look
        if look == "quiet":
            return _Style(None, None, 0.0)
        if state == "pressed":
            ink = theme.ink if look == "primary" else None
            return _Style(theme.press, theme.ink, PRESSED_BORDER, ink)
        if look == "primary" or (state == "chosen" and look not in ("card", "list", "switch")):
            return _Style(theme.accent, None, 0.0, theme.on_accent)
        if look == "field":
            return _Style(theme.surface, theme.ink, PRESSED_BORDER)
        if look == "button" or (look == "surface" and target.current):
            return _Style(theme.ground, theme.line, BORDER)
        return _Style(theme.surface, theme.line, BORDER)

    def run(
        self,
        image: Image.Image,
        run: Run,
        override: Rgb | None = None,
    ) -> None:
        """A block of text, its lines' capitals centred on their leading."""
        colour = override or self.theme.colour(run.colour)
        size = run.em * self.view.scale
        x = {"left": run.box.x, "center": run.box.x + run.box.w / 2, "right": run.box.right}
        for index, line in enumerate(run.lines):
            baseline = run.box.y + run.leading * (index + 0.5) + run.em * CAP / 2
            self.lettering.line(
                image,
                line,
                (
                    self.view.left + x[run.align] * self.view.scale,
                    round(self.view.top + baseline * self.view.scale),
                ),
                size,
                colour=colour,
                bold=run.bold,
                align=run.align,
            )

    def mark(  # noqa: PLR0912 - one short case for each kind of mark
        self,
        image: Image.Image,
        mark: Mark,
        rtl: bool,
        *,
        chosen: bool = False,
        override: Rgb | None = None,
        fraction: float = 1.0,
    ) -> None:
        """Something drawn; `fraction` is how full a bar stands."""
        theme, box = self.theme, mark.box
        match mark.kind:
            case "face":
                self._face(image, int(mark.value), box, chosen)
            case "icon":
                left, top, right, bottom = self.view.px(box)
                mask = shapes.icon(mark.value, right - left, bottom - top)
                image.paste(override or theme.ink, (left, top), mask)
            case "tick":
                self._tick(image, box.x + box.w / 2, box.y + box.h / 2, min(box.w, box.h) / 2)
            case "ring":
                self._ring_mark(image, box)
            case "alert":
                self._alert(image, box)
            case "ground":
                edge = theme.warn if theme.dark else None
                self.plate(image, box, 3, fill=theme.warn_ground, border=edge, width=BORDER)
            case "dots":
                self._dots(image, mark, rtl)
            case "logo":
                side = min(box.w, box.h)
                logo = Box(box.x, box.y + (box.h - side) / 2, side, side)
                self.plate(image, logo, side * 0.27, fill=theme.accent)
                self._disc(
                    image,
                    logo.x + side / 2,
                    logo.y + side / 2,
                    side * 0.2,
                    theme.ground if theme.dark else theme.on_accent,
                )
            case "bar":
                self.plate(image, box, box.h / 2, fill=theme.quiet)
                width = box.w * max(0.0, min(1.0, fraction))
                if width >= box.h:
                    x = box.right - width if rtl else box.x
                    full = Box(x, box.y, width, box.h)
                    self.plate(image, full, box.h / 2, fill=theme.accent)
            case "line":
                self.plate(image, box, 0, fill=theme.quiet)
            case "underline" | "caret":
                self.plate(image, box, min(box.w, box.h) / 2, fill=override or theme.accent)
            case "space-line":
                self.plate(image, box, box.h / 2, fill=override or theme.line)
            case "qr":
                # Dark on light in both themes: cameras read nothing else reliably.
                margin = _inset(box, -3.0)
                self.plate(image, margin, 1.5, fill=(255, 255, 255))
                left, top, right, bottom = self.view.px(margin)
                # A light ground is quiet too; four modules are what a code needs on a dark one.
                quiet = 4 if theme.dark else 2
                mask = shapes.qr(mark.value, min(right - left, bottom - top), quiet)
                image.paste((0, 0, 0) if theme.dark else theme.ink, (left, top), mask)

    def plate(
        self,
        image: Image.Image,
        box: Box,
        radius: float,
        *,
        fill: Rgb | None = None,
        border: Rgb | None = None,
        width: float = 0.0,
    ) -> None:
        """A rounded rectangle; `radius` and the border's `width` in mm."""
        # A border is centred on the box's edge, in whole pixels so that it stays calm.
        grow = width / 2 if border is not None else 0.0
        left, top, right, bottom = self.view.px(box, grow)
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        size = self.view.scale
        outer = (radius + grow) * size if radius else 0.0
        if border is not None:
            image.paste(border, (left, top), shapes.rounded(right - left, bottom - top, outer))
            line = max(1, round(width * size))
            left, top, right, bottom = left + line, top + line, right - line, bottom - line
            outer = max(0.0, outer - line)
        if fill is not None and right > left and bottom > top:
            image.paste(fill, (left, top), shapes.rounded(right - left, bottom - top, outer))

    def _ring(self, image: Image.Image, target: Target, fill: Rgb, width: float) -> None:
        inset = width / 2 - BORDER / 2
        self.plate(
            image,
            _inset(target.box, inset),
            target.radius - inset,
            fill=fill,
            border=self.theme.accent,
            width=width,
        )

    def _disc(self, image: Image.Image, x: float, y: float, radius: float, colour: Rgb) -> Px:
        box = self.view.px(Box(x - radius, y - radius, 2 * radius, 2 * radius))
        side = max(1, box[2] - box[0])
        image.paste(colour, (box[0], box[1]), shapes.disc(side))
        return box

    def _tick(
        self, image: Image.Image, x: float, y: float, radius: float, *, inverse: bool = False
    ) -> None:
        disc, stroke = self.theme.accent, self.theme.on_accent
        if inverse:
            disc, stroke = stroke, disc
        left, top, right, _ = self._disc(image, x, y, radius, disc)
        image.paste(stroke, (left, top), shapes.tick(max(1, right - left)))

    def _ring_mark(self, image: Image.Image, box: Box) -> None:
        """A hollow ring: not done yet."""
        left, top, right, bottom = self.view.px(box)
        side = max(4, min(right - left, bottom - top))
        mask = shapes.circle(side, max(2.0, 0.11 * side))
        image.paste(self.theme.line, (left, top), mask)

    def _alert(self, image: Image.Image, box: Box) -> None:
        """A disc with an exclamation mark: wrong."""
        side = min(box.w, box.h)
        disc = self._disc(image, box.x + side / 2, box.y + side / 2, side / 2, self.theme.warn)
        ink = self.theme.warn_ground
        image.paste(ink, disc[:2], shapes.alert(max(1, disc[2] - disc[0])))

    def _face(self, image: Image.Image, value: int, box: Box, chosen: bool) -> None:
        theme = self.theme
        left, top, right, bottom = self.view.px(box)
        side = max(8, min(right - left, bottom - top))
        left, top = (left + right - side) // 2, (top + bottom - side) // 2
        fill, line = theme.face_fill, theme.face_line
        if chosen and theme.dark:
            gap = round(0.085 * side / 2)
            image.paste(theme.accent, (left + gap, top + gap), shapes.disc(side - 2 * gap))
            line = theme.ground
        else:
            image.paste(fill, (left, top), shapes.disc(side))
            image.paste(line, (left, top), shapes.face_outline(side))
        image.paste(line, (left, top), shapes.face_features(value, side))

    def _dots(self, image: Image.Image, mark: Mark, rtl: bool) -> None:
        done, total = (int(part) for part in mark.value.split("/"))
        if total < 1:
            return
        radius = min(1.7, mark.box.h / 2)
        pitch = min(6.0, (mark.box.w - 2 * radius) / max(1, total - 1))
        x = mark.box.x + mark.box.w / 2 - pitch * (total - 1) / 2
        y = mark.box.y + mark.box.h / 2
        for index in range(total):
            filled = (total - 1 - index if rtl else index) < done
            box = self._disc(
                image,
                x + index * pitch,
                y,
                radius,
                self.theme.accent if filled else self.theme.line,
            )
            if not filled:
                line = max(1, round(BORDER * self.view.scale))
                inner = max(1, box[2] - box[0] - 2 * line)
                image.paste(self.theme.ground, (box[0] + line, box[1] + line), shapes.disc(inner))
