"""The chart of ratios: horizontal bars on a logarithmic axis, from 1 to the ratio, targets marked.

Plain SVG of our own, in the colours of the reader's light or dark setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from tests.bench.figures import Figure, number

Scale = Callable[[float], float]
"""A ratio to its x."""
WIDTH, LABELS, RIGHT = 940, 392, 150
ROW, BAR, HEAD = 26, 12, 50
STYLE = """
text { font: 13px system-ui, "Noto Sans", sans-serif; fill: #1c2b33; }
.head { font-weight: 600; font-size: 14px; }
.soft { fill: #5a6a74; }
.end { text-anchor: end; }
.mid { text-anchor: middle; }
.paper { fill: #ffffff; }
.grid { stroke: #dfe5e9; }
.one { stroke: #5a6a74; }
.met { fill: #0b7a75; }
.missed { fill: #c2410c; }
.none { fill: #8796a1; }
.target { stroke: #1c2b33; stroke-width: 2; }
.bold { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e3e9ec; }
  .soft { fill: #9fb0ba; }
  .paper { fill: #12191d; }
  .grid { stroke: #2a353b; }
  .one { stroke: #9fb0ba; }
  .met { fill: #35b5ac; }
  .missed { fill: #f5874f; }
  .none { fill: #6d7d87; }
  .target { stroke: #e3e9ec; }
}
"""
PANELS: dict[Literal["at least", "at most"], str] = {
    "at least": "More is better: rates, ours ÷ theirs",
    "at most": "Less is better: times, memory and growth",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One ratio of the chart."""

    label: str
    value: float
    target: float | None
    sense: Literal["at least", "at most"]
    met: bool | None


def bars(figures: Iterable[Figure]) -> list[Bar]:
    """The chart's inputs: every measured ratio, which is what has the unit ×."""
    return [
        Bar(f.name, f.value, f.target, f.sense, f.met)
        for f in figures
        if f.unit == "×" and f.value is not None and f.value > 0
    ]


def draw(found: Sequence[Bar]) -> str:
    """The chart as an SVG document."""
    numbers = [n for bar in found for n in (bar.value, bar.target) if n] or [1.0]
    low = math.floor(min(-1.0, *(math.log10(n) for n in numbers)))
    high = math.ceil(max(1.0, *(math.log10(n) for n in numbers)))

    def at(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return LABELS + share * (WIDTH - RIGHT - LABELS)

    body: list[str] = []
    top = 12
    for sense, title in PANELS.items():
        mine = [bar for bar in found if bar.sense == sense]
        if mine:
            body += _panel(title, mine, top, at, range(low, high + 1))
            top += HEAD + ROW * len(mine) + 14
    body += _legend(top)
    height = top + 34
    words = "; ".join(f"{bar.label} {number(bar.value)} times" for bar in found)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" role="img">',
            f"<title>Ratios measured by make bench</title><desc>{escape(words)}</desc>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
            *body,
            "</svg>\n",
        )
    )


def _panel(
    title: str, mine: Sequence[Bar], top: float, at: Scale, decades: Sequence[int]
) -> list[str]:
    """A heading, the axis, and a row for each bar."""
    first = top + HEAD
    bottom = first + ROW * len(mine)
    lines = [_text(16, top + 14, title, "head")]
    for power in decades:
        x = at(10**power)
        kind = "one" if power == 0 else "grid"
        lines.append(_line(x, first - 6, x, bottom, kind))
        lines.append(_text(x, first - 12, f"{10.0**power:g} ×", "soft mid"))
    for n, bar in enumerate(mine):
        lines += _row(bar, first + ROW * n + ROW / 2, at)
    return lines


def _row(bar: Bar, y: float, at: Scale) -> list[str]:
    kind = {True: "met", False: "missed", None: "none"}[bar.met]
    left, right = sorted((at(1.0), at(bar.value)))
    wide = max(right - left, 2.0)
    lines = [
        _text(LABELS - 12, y + 4.5, bar.label, "end"),
        f'<rect class="{kind}" x="{left:.1f}" y="{y - BAR / 2:.1f}" width="{wide:.1f}"'
        f' height="{BAR}" rx="2"/>',
        _text(WIDTH - RIGHT + 12, y + 4.5, f"{number(bar.value)} ×", "bold"),
    ]
    if bar.target is not None:
        x = at(bar.target)
        sign = "≥" if bar.sense == "at least" else "≤"
        mark = "✓" if bar.met else "✗"
        lines.append(_line(x, y - 10, x, y + 10, "target"))
        lines.append(
            _text(WIDTH - RIGHT + 76, y + 4.5, f"{mark} {sign} {bar.target:g}", f"soft {kind}")
        )
    return lines


def _legend(top: float) -> list[str]:
    lines = []
    x = float(LABELS)
    for kind, words in (("met", "target met"), ("missed", "missed"), ("none", "no target")):
        lines.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="14" height="{BAR}" rx="2"/>'
        )
        lines.append(_text(x + 20, top + 11, words, "soft"))
        x += 46 + 6.8 * len(words)
    lines.append(_line(x + 6, top - 2, x + 6, top + 14, "target"))
    lines.append(_text(x + 16, top + 11, "target", "soft"))
    return lines


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
