"""Charts as inline SVG: Vega-Lite drawn on the server, no script, no style attribute.

Each is drawn twice, for a desk and for a phone; the page shows the one that fits.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import vl_convert
from markupsafe import Markup, escape

INK: Final = "#14232B"
INK2: Final = "#43525A"
LINE: Final = "#6F7E86"
QUIET: Final = "#E6E3DB"
ACCENT: Final = "#0B5563"
PRESS: Final = "#D5E3E5"
WARN: Final = "#7A3E00"
PASSIVE: Final = "#C9C4B6"
FACES: Final = (WARN, "#C08A4E", "#DDD8CB", "#86AFB6", ACCENT)
"""From "completely disagree" to "completely agree"; always with words or figures."""
WIDTHS: Final = {"wide": 1072, "narrow": 316}

Spec = dict[str, Any]
Row = Mapping[str, object]

_FONT: Final = "Noto Sans, system-ui, sans-serif"
_CONFIG: Final[Spec] = {
    "aria": False,
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        **{"labelFont": _FONT, "labelFontSize": 13, "labelColor": INK2, "titleColor": INK2},
        **{"titleFontSize": 13, "titleFontWeight": 400, "gridColor": QUIET, "domain": False},
        **{"tickColor": QUIET, "labelPadding": 6},
    },
}
_numbers = itertools.count()
# The engine is one JavaScript runtime; requests take turns.
_engine = threading.Lock()


@lru_cache(maxsize=256)
def _svg(spec: str) -> str:
    with _engine:
        svg: str = vl_convert.vegalite_to_svg(json.loads(spec), vl_version="5.20")
    # `display` is set as an attribute; nothing here needs a style the policy would refuse.
    return svg


def draw(spec: Spec, label: str) -> Markup:
    """The SVG of a Vega-Lite spec, named for a screen reader, with ids of its own."""
    full = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": _CONFIG, **spec}
    svg = _svg(json.dumps(full, sort_keys=True, ensure_ascii=False))
    # Two charts on one page must not share an id.
    prefix = f"c{next(_numbers)}-"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = svg.replace("url(#", f"url(#{prefix}").replace('href="#', f'href="#{prefix}')
    svg = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", svg)
    # The markup is the drawing engine's own; every text in it came through JSON.
    return Markup(  # noqa: S704
        svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
    )


def both(spec: Any, label: str, *args: Any) -> Markup:
    """A chart at both widths: `spec(width, narrow, *args)` makes each."""
    parts = []
    for name, width in WIDTHS.items():
        svg = draw(spec(width, name == "narrow", *args), label)
        parts.append(Markup('<div class="chart {}">{}</div>').format(name, svg))
    return Markup("").join(parts)


def _values(rows: Sequence[Row]) -> Spec:
    return {"values": [dict(row) for row in rows]}


def gauge(width: int, narrow: bool, row: Row, target: float) -> Spec:
    """NPS on its scale: the interval as a band, the figure as a dot, the target as a tick."""
    x = {
        "type": "quantitative",
        "scale": {"domain": [-100, 100], "nice": False},
        "axis": {
            "title": None,
            "values": [-100, -50, 0, 50, 100],
            "grid": False,
            "ticks": True,
            "tickColor": LINE,
            "labelFlush": True,
            "labelExpr": "replace(datum.label, '-', '\u2212')",
        },
    }
    inner = (width if narrow else 372) - 24
    return {
        "width": inner,
        "height": 30,
        "padding": {"left": 12, "right": 12, "top": 2, "bottom": 2},
        "layer": [
            {
                "data": {"values": [{"a": -100, "b": 100}]},
                "mark": {"type": "bar", "height": 8, "color": QUIET, "cornerRadius": 4},
                "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}},
            },
            {
                "data": _values([row]),
                "mark": {"type": "bar", "height": 14, "color": "#9DBDC2", "cornerRadius": 7},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "data": {"values": [{"t": target}]},
                "mark": {"type": "tick", "size": 28, "thickness": 3, "color": INK},
                "encoding": {"x": {**x, "field": "t"}},
            },
            {
                "data": _values([row]),
                "mark": {
                    **{"type": "point", "filled": True, "size": 190, "color": ACCENT},
                    **{"stroke": "#FFFFFF", "strokeWidth": 2, "opacity": 1},
                },
                "encoding": {"x": {**x, "field": "nps"}},
            },
        ],
    }


def shares(width: int, narrow: bool, parts: Sequence[Row]) -> Spec:
    """Promoters, passives, detractors as one bar: rows `part, pct, from, to, label, ink`."""
    inner = width - 2 if narrow else 370
    colours = [WARN, PASSIVE, ACCENT]
    x = {"field": "from", "type": "quantitative", "axis": None, "scale": {"domain": [0, 100]}}
    return {
        "width": inner,
        "height": 40,
        "padding": 1,
        "data": _values(parts),
        "layer": [
            {
                "mark": {"type": "bar", "height": 40, "stroke": "#FFFFFF", "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "x2": {"field": "to"},
                    "color": {
                        **{"field": "part", "type": "nominal", "legend": None},
                        "scale": {"domain": ["d", "a", "p"], "range": colours},
                    },
                },
            },
            {
                "transform": [{"filter": "datum.pct >= 13"}],
                "mark": {"type": "text", "fontSize": 15, "fontWeight": 700, "font": _FONT},
                "encoding": {
                    "x": {**x, "field": "middle"},
                    "text": {"field": "label"},
                    "color": {"field": "ink", "type": "nominal", "scale": None},
                },
            },
        ],
    }


def trend(width: int, narrow: bool, rows: Sequence[Row], target: float, words: Row) -> Spec:
    """NPS by month or week with its interval: rows `at, order, nps, low, high, n`."""
    many = len(rows) > (6 if narrow else 16)
    step = max(1, -(-len(rows) // (4 if narrow else 13)))
    shown = [row["at"] for i, row in enumerate(rows) if (len(rows) - 1 - i) % step == 0]
    lows = [float(str(row["low"])) for row in rows if row["low"] is not None]
    bottom = min([0.0, *lows])
    floor = -100.0 if bottom < -50 else (-50.0 if bottom < 0 else 0.0)
    x = {
        "field": "at",
        "type": "ordinal",
        "sort": None,
        "axis": {
            **{"title": None, "labelAngle": 0, "values": shown if many else None},
            **{"ticks": False, "labelOverlap": False},
        },
    }
    # The target's name stands beside the plot, where no interval can cover it.
    right = 30 if narrow else 80
    y = {"type": "quantitative", "scale": {"domain": [floor, 100], "nice": False, "clamp": True}}
    axis = {
        **{"title": None, "tickCount": 5, "labelExpr": "replace(datum.label, '-', '\u2212')"},
        "ticks": False,
    }
    return {
        "width": {"step": (width - 46 - right) / max(1, len(rows))},
        "height": 220,
        "padding": {"left": 2, "right": 12, "top": 8, "bottom": 2},
        "data": _values(rows),
        "layer": [
            {
                "data": {"values": [{"t": target}]},
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": INK2},
                "encoding": {"y": {**y, "field": "t", "axis": axis}},
            },
            {
                "data": {
                    "values": [{"t": target, "label": words["short" if narrow else "target"]}]
                },
                "mark": {
                    **{"type": "text", "align": "left", "baseline": "middle", "dx": 6},
                    **{"fontSize": 13, "color": INK2, "x": "width", "font": _FONT},
                },
                "encoding": {"y": {**y, "field": "t"}, "text": {"field": "label"}},
            },
            {
                "transform": [{"filter": "isValid(datum.low)"}],
                "mark": {"type": "rule", "strokeWidth": 8, "strokeCap": "round", "color": PRESS},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2.5, "color": ACCENT},
                "encoding": {"x": x, "y": {**y, "field": "nps"}},
            },
            {
                "transform": [{"filter": "isValid(datum.nps)"}],
                "mark": {
                    **{"type": "point", "filled": True, "size": 70, "color": ACCENT},
                    **{"stroke": "#FFFFFF", "strokeWidth": 1.5, "opacity": 1},
                },
                "encoding": {"x": x, "y": {**y, "field": "nps"}},
            },
        ],
    }


def forest(width: int, narrow: bool, rows: Sequence[Row], target: float, total: Row) -> Spec:
    """Units under each other with their intervals: rows `name, nps, low, high, few`."""
    left = 0 if narrow else 300
    lows = [float(str(row["low"])) for row in rows]
    floor = -100.0 if min([0.0, *lows]) < -50 else (-50.0 if min([0.0, *lows]) < 0 else 0.0)
    beside: Spec = {
        **{"title": None, "labelLimit": left, "ticks": False, "labelColor": INK},
        **{"minExtent": left, "maxExtent": left, "labelFontSize": 13},
    }
    y: Spec = {"field": "name", "type": "ordinal", "sort": None}
    y["axis"] = None if narrow else beside
    # A phone has no room beside the lines, so the names stand above them.
    above: Spec = {
        "mark": {
            **{"type": "text", "align": "left", "dy": -15, "x": 0, "fontSize": 13},
            **{"color": INK, "font": _FONT, "limit": width - 30},
        },
        "encoding": {"y": y, "text": {"field": "name"}},
    }
    x = {
        "type": "quantitative",
        "scale": {"domain": [floor, 100], "nice": False},
        "axis": {
            **{"title": None, "tickCount": 4 if narrow else 6, "ticks": False},
            "labelExpr": "replace(datum.label, '-', '\u2212')",
        },
    }
    return {
        "width": width - left - 30,
        "height": {"step": 46 if narrow else 30},
        "padding": {"left": 2, "right": 12, "top": 4, "bottom": 2},
        "data": _values(rows),
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 8, "strokeCap": "round"},
                "encoding": {
                    **{"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
                    "color": {
                        **{"field": "few", "type": "nominal", "legend": None},
                        "scale": {"domain": [False, True], "range": ["#9DBDC2", QUIET]},
                    },
                },
            },
            {
                "data": {"values": [{"t": target}]},
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": INK2},
                "encoding": {"x": {**x, "field": "t"}},
            },
            {
                "data": _values([total]),
                "mark": {"type": "rule", "strokeWidth": 1.5, "color": ACCENT},
                "encoding": {"x": {**x, "field": "nps"}},
            },
            {
                "mark": {
                    **{"type": "point", "filled": True, "size": 90, "color": ACCENT},
                    **{"stroke": "#FFFFFF", "strokeWidth": 1.5, "opacity": 1},
                },
                "encoding": {"y": y, "x": {**x, "field": "nps"}},
            },
            *([above] if narrow else []),
        ],
    }


def faces(width: int, narrow: bool, rows: Sequence[Row], target: float) -> Spec:
    """One statement's five shares as a bar: rows `face, from, to, label, ink, pct`.

    The bar is laid from the highest face, so that the target share is one tick for all.
    """
    inner = (width if narrow else 620) - 4
    # A figure too narrow for its part, or under the target's mark, is left to the table.
    readable = f"datum.pct >= {14 if narrow else 7} && abs(datum.middle - {target}) > 4"
    x = {"field": "from", "type": "quantitative", "axis": None, "scale": {"domain": [0, 100]}}
    return {
        "width": inner,
        "height": 34,
        "padding": 1,
        "data": _values(rows),
        "layer": [
            {
                "mark": {"type": "bar", "height": 24, "stroke": "#FFFFFF", "strokeWidth": 1.5},
                "encoding": {
                    **{"x": x, "x2": {"field": "to"}},
                    "color": {
                        **{"field": "face", "type": "ordinal", "legend": None},
                        "scale": {"domain": [1, 2, 3, 4, 5], "range": list(FACES)},
                    },
                },
            },
            {
                "transform": [{"filter": readable}],
                "mark": {"type": "text", "fontSize": 13, "font": _FONT, "fontWeight": 600},
                "encoding": {
                    "x": {**x, "field": "middle"},
                    "text": {"field": "label"},
                    "color": {"field": "ink", "type": "nominal", "scale": None},
                },
            },
            {
                "data": {"values": [{"t": target}]},
                "mark": {"type": "tick", "size": 34, "thickness": 3, "color": INK},
                "encoding": {"x": {**x, "field": "t"}},
            },
        ],
    }
