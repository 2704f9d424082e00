"""The installation sheet as a PDF: one A4 page a device (EN 301 549 V3.2.1, 8.3.6)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from kiosk.fleet import mounting_views as views
from kiosk.fleet.mounting import DOT_LEFT, FLOOR, KNEE, REACH, SIGHT, TOE, TURNING, Mounting
from kiosk.fleet.mounting_paper import (
    A4,
    BODY,
    BOLD,
    HEAD,
    LINE,
    NOTE,
    REGULAR,
    SOFT,
    TITLE,
    WARN,
    WARN_GROUND,
    Paper,
)
from kiosk.fleet.mounting_words import CHECKS, WORDS, number
from kiosk.layout.measure import fonts

MARGIN: Final = 14.0
WIDTH: Final = A4[0] - 2 * MARGIN
GUTTER: Final = 8.0
FRONT: Final = (MARGIN, 126.5, (WIDTH - GUTTER) / 2, 80.0)
"""Room of the front view: x, y, w, h."""


def pdf(
    sheets: Sequence[Mounting],
    language: str,
    *,
    accent: str = "#0B5563",
    done: Callable[[Mounting], None] = lambda _: None,
) -> bytes:
    """A document of a page for each. Raises measure.FontError."""
    for name, path in ((REGULAR, fonts().regular), (BOLD, fonts().bold)):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    file = io.BytesIO()
    # Nothing of the machine or the time of printing goes into the document.
    size = (A4[0] * mm, A4[1] * mm)
    canvas = Canvas(file, pagesize=size, invariant=1, lang=language)
    canvas.setTitle(f"Hymiö: {WORDS[language]['title']}")
    for hung in sheets:
        _Sheet(Paper(canvas, accent), hung, language).draw()
        canvas.showPage()
        done(hung)
    canvas.save()
    return file.getvalue()


class _Sheet:
    """One page."""

    def __init__(self, paper: Paper, hung: Mounting, language: str) -> None:
        self._paper, self._hung, self._language = paper, hung, language
        self._words: Mapping[str, str] = WORDS[language]
        self._values = self._figures()

    def draw(self) -> None:
        """From top to bottom."""
        self._head()
        self._heights()
        self._front()
        self._instructions()
        self._checks()
        self._foot()

    def _figures(self) -> dict[str, str]:
        hung = self._hung
        file = f"{hung.device or 'ID'}.toml"
        left, up = hung.dot
        whole = {
            "top": hung.top,
            "bottom": hung.bottom,
            "highest": hung.highest,
            "lowest": hung.lowest,
            "left": left,
            "up": up,
            "across": DOT_LEFT + hung.access.x + hung.access.w / 2,
            "wide": FLOOR[0],
            "deep": FLOOR[1],
            "turn": TURNING,
            "knee": KNEE[0],
            "kneedeep": KNEE[1],
            "toe": TOE[0],
            "toedeep": TOE[1],
            "sight": SIGHT,
            "low": REACH[0],
            "high": REACH[1],
        }
        told = {key: number(value, self._language) for key, value in whole.items()}
        return {**told, "plain": f"{hung.top:g}", "file": file}

    def _say(self, key: str) -> str:
        # Figures and their units stay on one line.
        return self._words[key].format(**self._values).replace(" mm", "\xa0mm")

    def _head(self) -> None:
        paper, hung, words = self._paper, self._hung, self._words
        panel = hung.panel
        paper.word(words["title"], MARGIN, 16, TITLE, bold=True)
        right = A4[0] - MARGIN
        paper.word(words["product"], right, 16.4, BODY, colour=SOFT, align="right")
        paper.line((MARGIN, 22), (right, 22), colour=paper.accent, width=0.8)
        named = " · ".join(part for part in (hung.device, hung.place, hung.spot) if part)
        paper.word(named or words["any"], MARGIN, 28, HEAD, bold=True)
        about = words["panel"].format(
            wide=number(panel.width_mm, self._language),
            high=number(panel.height_mm, self._language),
            px=f"{panel.width_px} × {panel.height_px}",
            distance=number(panel.distance_mm, self._language),
        )
        paper.word(about, MARGIN, 33, BODY, colour=SOFT)

    def _heights(self) -> None:
        paper, words = self._paper, self._words
        top = 44.0
        seated, standing, floor = MARGIN + 13.0, MARGIN + 82.5, A4[0] - MARGIN - 60.0
        for x, key in ((MARGIN, "seated"), (standing, "standing"), (floor, "floor")):
            paper.word(words[key], x, top - 3.5, HEAD, bold=True)
        scale = words["scale"].format(scale=f"{views.SIDE:g}")
        paper.word(scale, A4[0] - MARGIN, top - 3.5, NOTE, colour=SOFT, align="right")
        views.Side(paper, seated, top, self._hung, self._language).seated(words)
        views.Side(paper, standing, top, self._hung, self._language).standing(words)
        views.floor(paper, (floor, top + 5.4), self._hung, self._language, words)

    def _front(self) -> None:
        x, y = FRONT[:2]
        scale = f"{views.front_scale(self._hung, FRONT):g}"
        scale = scale if self._language == "en" else scale.replace(".", ",")
        self._paper.word(self._words["front"].format(scale=scale), x, y - 4.5, HEAD, bold=True)
        views.front(self._paper, FRONT, self._hung, self._language, self._words)

    def _instructions(self) -> None:
        x = FRONT[0] + FRONT[2] + GUTTER
        y, width = FRONT[1] - 6.7, A4[0] - MARGIN - x
        hung = self._hung
        height = self._say("height.measured" if hung.measured else "height.advised")
        if not hung.remedy:
            height += " " + self._say("height.low" if hung.low else "height.reach")
        y = self._block(x, y, width, "height", height)
        if hung.remedy:
            y = self._warning(x, y, width)
        for head, text in (
            ("dot.head", "dot.text"),
            ("room", "room.text"),
            ("light", "light.text"),
        ):
            y = self._block(x, y, width, head, self._say(text))

    def _block(self, x: float, y: float, width: float, head: str, text: str) -> float:
        y = self._paper.text(self._words[head], x, y, width, HEAD, bold=True)
        return self._paper.text(text, x, y + 0.4, width) + 2.2

    def _warning(self, x: float, y: float, width: float) -> float:
        paper, remedy = self._paper, self._hung.remedy
        assert remedy is not None  # noqa: S101 - asked by the caller
        text = self._words[f"warn.{remedy.way}"].format(
            height=number(remedy.height, self._language), by=number(remedy.by, self._language)
        )
        lines = paper.lines(text, width - 5, bold=True)
        high = len(lines) * BODY * 1.28 + 3
        paper.box(x, y, width, high, fill=WARN_GROUND, radius=1.2)
        paper.text(text, x + 2.5, y + 1.5, width - 5, bold=True, colour=WARN)
        return y + high + 2.6

    def _checks(self) -> None:
        paper = self._paper
        y = 218.0
        paper.word(self._words["check"], MARGIN, y, HEAD, bold=True)
        column = (WIDTH - GUTTER) / 2
        half = CHECKS // 2
        for start in (0, half):
            x, at = MARGIN + (column + GUTTER) * bool(start), y + 4.4
            for nth in range(start, start + half):
                paper.box(x, at, 3.4, 3.4, line=LINE, width=0.3, radius=0.5)
                below = paper.text(self._say(f"check.{nth + 1}"), x + 6, at - 0.2, column - 6)
                at = max(below, at + 3.4) + 1.4

    def _foot(self) -> None:
        paper = self._paper
        y = 274.0
        labels = self._words["fields"].split("|")
        column = (WIDTH - 2 * GUTTER) / 3
        for nth, label in enumerate(labels):
            x = MARGIN + nth * (column + GUTTER)
            paper.line((x, y), (x + column, y), colour=LINE, width=0.3)
            paper.word(label, x, y + 2.6, NOTE, colour=SOFT)
        paper.text(self._say("sources"), MARGIN, y + 6.4, WIDTH, NOTE, colour=SOFT)
