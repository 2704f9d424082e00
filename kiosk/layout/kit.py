"""What every screen is composed with: the panel's units, texts, and a draft that checks itself."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

from kiosk.layout.measure import Measure, is_arabic
from kiosk.layout.page import LOW_REACH_MM, Align, Box, Colour, Look, Mark, Page, Panel, Run, Target
from kiosk.layout.wrap import balance
from sync.contract.bundle import Bundle, Screen

RTL: Final = frozenset({"ar"})
"""Languages written from right to left."""
GAP: Final = 2.0
BAR_LEAST: Final = 16.0
"""Height of the bar's buttons, mm."""
KEY_GAP: Final = 1.2
"""Between keys, where a narrow panel would leave them under 9 mm."""
SMALL: Final = 0.73
COMPACT: Final = (1.0, 0.9, 0.85, 0.8, 0.73)
QUESTION: Final = (1.33, 1.27, 1.2)
DISPLAY: Final = 1.75
REACH: Final = 320.0
"""On tall panels everything touchable stays this low, mm."""
TALL_MIDDLE: Final = 0.74
"""Where the middle of what is touched stands on a tall panel, as a share of its height."""
_INCH: Final = 25.4
_ROOMY: Final = 135.0
"""Shorter side of a panel with room for letters to be read from 450 mm."""
_NEAREST: Final = 0.9
_EPS: Final = 0.01


def panel_of(screen: Screen) -> Panel:
    """The panel a configuration describes; missing height and distance are worked out."""
    height = screen.height_mm or screen.width_mm * screen.height_px / screen.width_px
    diagonal = (screen.width_mm**2 + height**2) ** 0.5
    return Panel(
        width_px=screen.width_px,
        height_px=screen.height_px,
        width_mm=screen.width_mm,
        height_mm=height,
        distance_mm=screen.distance_mm or _distance(diagonal / _INCH, min(screen.width_mm, height)),
        top_mm_above_floor=screen.top_mm_above_floor,
    )


def _distance(inches: float, shorter: float) -> float:
    """From how far a panel is read: a bent arm below 12 inches, an arm's length from 15 on.

    What lies between grows evenly: letters for 600 mm leave a panel of 12 inches no room. A panel
    less than 135 mm high or wide is read from nearer. The sheet to install by states it.
    """
    near = 450.0 * min(1.0, max(_NEAREST, shorter / _ROOMY))
    return round((near + 150.0 * min(1.0, max(0.0, (inches - 12) / 3))) / 5) * 5.0


@dataclass(frozen=True, slots=True)
class Para:
    """A text broken into lines at one size."""

    lines: tuple[str, ...]
    em: float
    leading: float
    width: float
    """Of the widest line, mm."""
    fits: bool = True
    language: str = ""
    bold: bool = False
    text: str = ""
    """As it is said: in one piece."""

    @property
    def height(self) -> float:
        """All lines, mm."""
        return len(self.lines) * self.leading

    def tight(self) -> Para:
        """One line alone needs no room for the marks of a line above or below it."""
        if len(self.lines) > 1:
            return self
        return replace(self, leading=min(self.leading, 1.3 * self.em))


_PARAS: Final[WeakKeyDictionary[Measure, dict[tuple[str, str, float, float, bool], Para]]] = (
    WeakKeyDictionary()
)
"""Texts broken into lines, by what measured them: shared by the modes, and by panels alike."""


class Kit:
    """The units of one panel, and the texts of one bundle measured for it."""

    def __init__(self, bundle: Bundle, measure: Measure, modes: frozenset[str]) -> None:
        self.bundle = bundle
        self.measure = measure
        self.modes = modes
        self.panel = panel_of(bundle.screen)
        self.u = self.panel.u
        self.w = self.panel.width_mm
        self.h = self.panel.height_mm
        self.small_panel = (self.w**2 + self.h**2) ** 0.5 < 12 * _INCH
        self.margin = 6.0 if self.small_panel else 10.0
        self.inner = self.w - 2 * self.margin
        self.right = self.w - self.margin
        # In Larger on an upright panel its words may need two lines.
        bar = (2.45 if "larger" in modes and self.panel.portrait else 2.1) * self.u
        self.bar_h = max(BAR_LEAST, bar)
        self.narrow = self.w < 150
        self.tall = self.h > 400
        self.lowered = "low" in modes and self.panel.offers_low
        """The mode Low, on a panel where it changes something."""
        self.reach = self._reach()
        """Nothing is to be touched above this y; 0 where a hand reaches all of the glass."""
        self._paras = _PARAS.setdefault(measure, {})

    def smaller(self, part: float) -> Kit:
        """The same panel with everything at a part of its size, where nothing else can be done."""
        made = copy.copy(self)
        made.u, made.bar_h, made.margin = part * self.u, part * self.bar_h, part * self.margin
        return made

    @property
    def larger(self) -> bool:
        """Text and targets together."""
        return "larger" in self.modes

    def _reach(self) -> float:
        reach = self.h - REACH if self.tall else 0.0
        if self.lowered:
            reach = max(reach, self.panel.top_mm_above_floor - LOW_REACH_MM)
        return reach

    @property
    def placed(self) -> bool:
        """Whether what is touched has a place of its own, apart from what is read."""
        return self.reach > 0

    @property
    def text_y(self) -> float:
        """Where what is only read may begin: on tall panels near what is touched."""
        return self.h - REACH if self.tall else self.margin + 1

    def low(self, block: float, bottom: float, below: float = 0.0) -> float:
        """Top of a block to be touched where `placed`, `bottom` being the bar's top.

        On a tall panel its middle is at 0.74 of the height. All of it is within reach, above the
        bar and, where that leaves room, under `below`; what is too high stands right on the bar.
        """
        middle = TALL_MIDDLE * self.h if self.tall else (self.reach + bottom - 4) / 2
        return min(bottom - 4 - block, max(self.reach, middle - block / 2, below))

    def room(self, bottom: float) -> float:
        """Height in which something can be touched above the bar, whose top is `bottom`."""
        return bottom - 4 - max(self.reach, self.margin, self.h - REACH)

    def sizes(self, sizes: Sequence[float]) -> tuple[float, ...]:
        """`sizes` as far as the modes allow: in Larger nothing is below 1.0 u."""
        return tuple(size for size in sizes if size >= 1.0) if self.larger else tuple(sizes)

    @property
    def bar_y(self) -> float:
        """Top of the bar's last row."""
        return self.h - self.margin - self.bar_h

    @property
    def header_y(self) -> float:
        """Top of logo and privacy button."""
        return self.margin * (1.5 if self.tall else 1.0)

    @property
    def info_h(self) -> float:
        """Height of the privacy button."""
        return max(14.0, 1.5 * self.u)

    def text(self, language: str, key: str) -> str:
        """The wording of `key`. Raises KeyError when no language has it."""
        return self.bundle.text(language, key)

    def name(self, language: str, names: dict[str, str]) -> str:
        """A name given by language: this one's, the resting language's, or any; "" if none."""
        for code in (language, *self.bundle.languages):
            if names.get(code):
                return names[code]
        return next(iter(names.values()), "")

    def spoken(self, language: str, key: str) -> str:
        """The wording of `key` for the ear: `<key>.spoken` where given, "" where neither is."""
        own = self.bundle.texts.get(language, {})
        return own.get(f"{key}.spoken") or own.get(key) or ""

    def length(self, text: str, em: float, language: str, bold: bool = False) -> float:
        """Millimetres of one unbroken line; `em` in mm."""
        return self.measure.width(text, em, bold, language)

    def para(self, text: str, language: str, width: float, em: float, bold: bool = False) -> Para:
        """`text` in lines at most `width` wide; `em` in mm."""
        key = (text, language, width, em, bold)
        found = self._paras.get(key)
        if found is None:

            def measured(line: str) -> float:
                return self.measure.width(line, em, bold, language)

            lines = balance(text, width, measured)
            widest = max(map(measured, lines))
            leading = em * (1.5 if is_arabic(text) else 1.2)
            fits = widest <= width + _EPS
            whole = text.replace("\u00ad", "")
            found = Para(lines, em, leading, widest, fits, language, bold, whole)
            self._paras[key] = found
        return found

    def paragraph(self, lines: tuple[str, ...], language: str, em: float, leading: float) -> Para:
        """Lines already broken, as a paragraph."""
        widest = max((self.length(line, em, language) for line in lines), default=0.0)
        return Para(lines, em, leading, widest, language=language)

    def fit(
        self,
        text: str,
        language: str,
        width: float,
        sizes: Sequence[float],
        *,
        most: int,
        bold: bool = False,
    ) -> Para:
        """The first of `sizes` (in u) at which `text` takes at most `most` lines.

        Where none does, the last with `fits` false.
        """
        for size in sizes:
            para = self.para(text, language, width, size * self.u, bold)
            if para.fits and len(para.lines) <= most:
                return para
        return replace(para, fits=False)


class Draft:
    """A page in the making."""

    def __init__(self, kit: Kit, screen: str, language: str) -> None:
        self.kit = kit
        self.screen = screen
        self.language = language
        self.rtl = language in RTL
        self.edge = kit.margin
        """What stays free around everything, mm."""
        self.arrangement = ""
        self.targets: list[Target] = []
        self.runs: list[Run] = []
        self.marks: list[Mark] = []
        self.problems: list[str] = []

    @property
    def start(self) -> Align:
        """Where lines begin."""
        return "right" if self.rtl else "left"

    @property
    def end(self) -> Align:
        """Where lines end."""
        return "left" if self.rtl else "right"

    def text(self, key: str) -> str:
        """The wording of `key` in this page's language."""
        return self.kit.text(self.language, key)

    def mirrored(self, box: Box) -> Box:
        """`box`, on the other side where the page reads from the right."""
        return Box(self.kit.w - box.right, box.y, box.w, box.h) if self.rtl else box

    def problem(self, what: str) -> None:
        """Note what does not fit."""
        self.problems.append(f"{self.screen} {self.language}: {what}")

    def say(
        self,
        name: str,
        para: Para,
        box: Box,
        *,
        colour: Colour = "ink",
        align: Align | None = None,
    ) -> Run:
        """A paragraph at the top of `box` as a run; a problem where it does not fit."""
        fits = para.fits and para.height <= box.h + _EPS and para.width <= box.w + _EPS
        if not fits:
            self.problem(f"text {name} does not fit {box.w:.1f} x {box.h:.1f} mm: {para.lines}")
        return Run(
            name=name,
            lines=para.lines,
            box=box,
            em=para.em,
            leading=para.leading,
            bold=para.bold,
            colour=colour,
            align=align or self.start,
            language=para.language or self.language,
            text=para.text,
        )

    def write(
        self,
        name: str,
        para: Para,
        x: float,
        y: float,
        w: float,
        *,
        colour: Colour = "ink",
        align: Align | None = None,
    ) -> float:
        """Put a paragraph on the page; the y below it."""
        box = Box(x, y, w, para.height)
        self.runs.append(self.say(name, para, box, colour=colour, align=align))
        return box.bottom

    def centred(
        self, name: str, para: Para, box: Box, *, colour: Colour = "ink", align: Align = "center"
    ) -> Run:
        """A paragraph in the middle of `box`'s height."""
        if para.height > box.h + _EPS:
            self.problem(f"text {name} is {para.height:.1f} mm high, its box {box.h:.1f}")
        at = Box(box.x, box.y + (box.h - para.height) / 2, box.w, para.height)
        return self.say(name, para, at, colour=colour, align=align)

    def button(
        self,
        name: str,
        para: Para,
        box: Box,
        *,
        look: Look = "button",
        pad: float = 3.0,
        label: str = "",
        radius: float = 3.0,
        marks: tuple[Mark, ...] = (),
        current: bool = False,
        align: Align = "center",
    ) -> Target:
        """A target with its words in the middle."""
        inner = Box(box.x + pad, box.y, box.w - 2 * pad, box.h)
        colour: Colour = "on-accent" if look == "primary" else "ink"
        run = self.centred(name, para, inner, colour=colour, align=align)
        target = Target(name, label or para.text, box, look, radius, (run,), marks, current)
        self.targets.append(target)
        return target

    def page(self) -> Page:
        """The finished page, with everything that is wrong with it."""
        self._check()
        suffix = "-rtl" if self.rtl and self.arrangement else ""
        return Page(
            screen=self.screen,
            language=self.language,
            panel=self.kit.panel,
            targets=tuple(self.targets),
            runs=tuple(self.runs),
            marks=tuple(self.marks),
            arrangement=self.arrangement + suffix,
            rtl=self.rtl,
            problems=tuple(self.problems),
        )

    def _check(self) -> None:
        kit, edge = self.kit, self.edge - _EPS
        boxes = [(t.name, t.box, 0.0) for t in self.targets]
        # The first line's letters stand 0.2 em below the top of their band.
        boxes += [(r.name, r.box, 0.14 * r.em) for r in self.runs]
        for name, box, air in boxes:
            if (
                box.x < edge
                or box.y < edge - air
                or box.right > kit.w - edge
                or box.bottom > kit.h - edge
                or box.w <= 0
                or box.h <= 0
            ):
                self.problem(f"{name} is outside the margins: {box}")
        placed = [(t.box.x, t.box.y, t.box.right, t.box.bottom, t) for t in self.targets]
        for i, (x, y, right, bottom, one) in enumerate(placed):
            for left, top, end, low, other in placed[i + 1 :]:
                if left - right >= GAP or x - end >= GAP or top - bottom >= GAP or y - low >= GAP:
                    continue
                gap = KEY_GAP if one.look == other.look == "key" else GAP
                if (
                    max(left - right, x - end) < gap - _EPS
                    and max(top - bottom, y - low) < gap - _EPS
                ):
                    self.problem(f"{one.name} and {other.name} are less than {gap:g} mm apart")
        for run in self.runs:
            for target in self.targets:
                a, b = run.box, target.box
                if (
                    min(a.right, b.right) - max(a.x, b.x) > _EPS
                    and min(a.bottom, b.bottom) - max(a.y, b.y) > _EPS
                ):
                    self.problem(f"text {run.name} lies under {target.name}")
