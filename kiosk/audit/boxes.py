"""Sizes, gaps, margins and heights above the floor: what the composed page alone says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from kiosk.audit.figures import (
    EPS,
    REACH_MM,
    REACH_STANDING_MM,
    least_gap,
    least_pitch,
    least_size,
    margin,
)
from kiosk.audit.finding import Finding, Seen
from kiosk.layout.order import controls
from kiosk.layout.page import Box, Page, Target


def sizes(seen: Seen) -> Iterator[Finding]:
    """Every target is as large as its kind must be, in millimetres."""
    page = seen.page
    for target in page.targets:
        wide, high = least_size(page, target, larger=seen.larger)
        box = target.box
        if box.w < wide - EPS or box.h < high - EPS:
            yield _small(seen, "target-size", target, box.w, box.h)
    for one, other in _neighbours(page):
        pitch = abs(other.box.x + other.box.w / 2 - one.box.x - one.box.w / 2)
        if pitch < least_pitch(page) - EPS:
            yield seen.finding(
                "target-size",
                one.name,
                f"pitch {pitch:.2f} mm",
                f"{least_pitch(page):g} mm",
                "fewer numbers in a row",
                box=one.box,
            )


def sizes_on_glass(seen: Seen) -> Iterator[Finding]:
    """The same after rounding to pixels, back in millimetres of the real panel.

    Edges are rounded, so that one pixel may be missing and no more.
    """
    page, view = seen.page, seen.painter.view
    across = page.panel.width_mm / page.panel.width_px
    down = page.panel.height_mm / page.panel.height_px
    for target in page.targets:
        wide, high = least_size(page, target, larger=seen.larger)
        left, top, right, bottom = view.px(target.box)
        w, h = (right - left) * across, (bottom - top) * down
        if w < wide - across or h < high - down:
            yield _small(seen, "target-pixels", target, w, h)


def _small(seen: Seen, check: str, target: Target, w: float, h: float) -> Finding:
    wide, high = least_size(seen.page, target, larger=seen.larger)
    return seen.finding(
        check,
        target.name,
        f"{w:.2f} × {h:.2f} mm",
        f"{wide:g} × {high:.3g} mm",
        "correct the panel's millimetres, shorten the texts, or use a larger panel",
        box=target.box,
    )


def _neighbours(page: Page) -> Iterator[tuple[Target, Target]]:
    numbers = sorted(
        (target for target in page.targets if target.look == "number"),
        key=lambda target: (round(target.box.y, 1), target.box.x),
    )
    for one, other in pairwise(numbers):
        if abs(one.box.y - other.box.y) < 1:
            yield one, other


def gaps(seen: Seen) -> Iterator[Finding]:
    """Targets stand apart."""
    for one, other in combinations(seen.page.targets, 2):
        apart = _apart(one.box, other.box)
        least = least_gap(seen.page, one, other)
        if 0 <= apart < least - EPS:
            yield seen.finding(
                "gap",
                f"{one.name} and {other.name}",
                f"{apart:.2f} mm",
                f"{least:g} mm",
                "move them apart",
                box=one.box,
            )


def overlaps(seen: Seen) -> Iterator[Finding]:
    """No target lies on another, no text under a target, no two texts on each other."""
    page = seen.page
    boxes = [(target.name, target.box, 0.0) for target in page.targets]
    boxes += [(f"text {run.name}", run.box, 0.0) for run in page.runs if run.lines]
    for (one, a, _), (other, b, _) in combinations(boxes, 2):
        if _apart(a, b) < -EPS:
            yield seen.finding(
                "overlap",
                f"{one} and {other}",
                f"{-_apart(a, b):.2f} mm on each other",
                "none",
                "shorten the texts, or use a larger panel",
                box=a,
            )
    for target in page.targets:
        for run in target.runs:
            if not _inside(run.box, target.box):
                yield seen.finding(
                    "overlap",
                    target.name,
                    "its text reaches out of it",
                    "inside",
                    "shorten the text",
                    box=target.box,
                )


def margins(seen: Seen) -> Iterator[Finding]:
    """Nothing to touch or to read stands at the panel's rim."""
    panel = seen.page.panel
    boxes = [(target.name, target.box, 0.0) for target in seen.page.targets]
    # The letters of the first line stand lower than their band.
    boxes += [(run.name, run.box, 0.14 * run.em) for run in seen.page.runs if run.lines]
    for name, box, air in boxes:
        least = margin(seen.page, name)
        free = min(box.x, box.y + air, panel.width_mm - box.right, panel.height_mm - box.bottom)
        if free < least - EPS:
            yield seen.finding(
                "margin",
                name,
                f"{free:.2f} mm from the rim",
                f"{least:g} mm",
                "correct the panel's millimetres, or use a larger panel",
                box=box,
            )


def reach(seen: Seen) -> Iterator[Finding]:
    """In Low everything operated is at most 1,100 mm above the floor, where the height is known."""
    top = seen.page.panel.top_mm_above_floor
    found = controls(seen.page)
    if not found or not top:
        return
    highest = min(found, key=lambda target: target.box.y)
    height = top - highest.box.y
    if "low" in seen.modes:
        if height > REACH_MM + EPS:
            yield seen.finding(
                "reach",
                highest.name,
                f"{height:.0f} mm above the floor",
                f"at most {REACH_MM:.0f} mm in Low",
                "hang the device lower",
                box=highest.box,
            )
    elif height > REACH_STANDING_MM + EPS:
        yield seen.finding(
            "reach",
            highest.name,
            f"{height:.0f} mm above the floor",
            f"at most {REACH_STANDING_MM:.0f} mm; Low brings it down",
            "hang the device lower if you can",
            box=highest.box,
            note=True,
        )


def _apart(a: Box, b: Box) -> float:
    """Millimetres between two boxes; negative where they share ground."""
    return max(b.x - a.right, a.x - b.right, b.y - a.bottom, a.y - b.bottom)


def _inside(box: Box, around: Box) -> bool:
    return (
        box.x >= around.x - EPS
        and box.y >= around.y - EPS
        and box.right <= around.right + EPS
        and box.bottom <= around.bottom + EPS
    )
