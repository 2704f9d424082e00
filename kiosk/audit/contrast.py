"""Contrasts measured on painted pixels: text, borders, icons, faces, marks and the focus ring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from PIL import Image

from kiosk.audit.figures import PART, TEXT, least_contrast
from kiosk.audit.finding import Finding, Seen
from kiosk.audit.pixels import along, changed, inside
from kiosk.layout.order import choices, controls
from kiosk.layout.page import Box, Mark, Run, Target
from kiosk.ui.paint import Painter, Px, State

_AROUND: Final = 2.0
"""Ground painted around a target, mm."""
_EDGE: Final = 1.2
"""How far inside its box a target's edge is looked for, mm."""
_TALL: Final = 26
"""Controls higher than this have their mark elsewhere, mm."""
_SAMPLE: Final = "Hxö"
"""Stands for what a visitor writes."""
_DECORATION: Final = frozenset({"logo", "ground", "line", "bar", "qr"})
"""Measured elsewhere, or excepted."""
_ASK = "choose a darker accent, or tell the makers of the program"

Measured = tuple[str, float, float]
"""What was measured, the contrast found and the one required."""


def targets(seen: Seen) -> Iterator[Finding]:
    """Every target at rest, pressed, chosen and in focus."""
    operated = {target.name for target in controls(seen.page)}
    answers = {target.name for target in choices(seen.page)}
    for target in seen.page.targets:
        for state in _states(target.name in operated, target.name in answers):
            for what, found, required in seen.remembered(
                _key(seen, target, state),
                lambda target=target, state=state: list(  # type: ignore[misc]
                    _target(seen, target, state)
                ),
            ):
                if found < required:
                    where = target.name if state == "rest" else f"{target.name}, {state}"
                    yield _weak(seen, where, what, found, required, target.box)


def texts(seen: Seen) -> Iterator[Finding]:
    """Every text that is no target's, against what lies under it."""
    for run in seen.page.runs:
        if not run.lines:
            continue
        under = [mark for mark in seen.page.marks if mark.kind == "ground"]
        words = len(run.lines) if "dark" in seen.modes else run.lines
        key = ("text", words, run.em, run.bold, run.colour, bool(under))
        found = seen.remembered(key, lambda run=run, under=under: _text(seen, run, under))  # type: ignore[misc]
        required = least_contrast(run.em, bold=run.bold)
        if found < required:
            yield _weak(seen, run.name, "text", found, required, run.box)


def marks(seen: Seen) -> Iterator[Finding]:
    """Everything drawn on the page itself: progress, ticks, codes, the countdown's bar."""
    for mark in seen.page.marks:
        if mark.kind in ("logo", "ground", "line"):
            continue
        plain = Mark(mark.kind, Box(8, 8, mark.box.w, mark.box.h), mark.value)
        found = seen.remembered(
            ("mark", plain.kind, plain.value, round(plain.box.w, 1), round(plain.box.h, 1)),
            lambda plain=plain: _mark(seen.painter, plain, rtl=seen.page.rtl),  # type: ignore[misc]
        )
        if found < PART:
            yield _weak(seen, mark.kind, mark.kind, found, PART, mark.box)


def _weak(  # noqa: PLR0917
    seen: Seen, where: str, what: str, found: float, required: float, box: Box
) -> Finding:
    check = "contrast-text" if what.startswith("text") else "contrast-part"
    return seen.finding(check, where, f"{what} {found:.2f} : 1", f"{required:g} : 1", _ASK, box=box)


def _states(operated: bool, answers: bool) -> tuple[State, ...]:
    if not operated:
        return ("rest",)
    if not answers:
        return "rest", "pressed", "focus"
    return "rest", "pressed", "focus", "chosen", "chosen-focus"


def _key(seen: Seen, target: Target, state: State) -> tuple[object, ...]:
    """What decides the colours: not where the target stands, nor exactly how large it is."""
    every_word = state == "rest" and "dark" not in seen.modes
    return (
        "target",
        target.look,
        state,
        target.current,
        seen.page.rtl,
        target.box.h > _TALL,
        tuple(
            # Every word is measured once; another state or theme changes all their colours alike.
            (run.lines if every_word else len(run.lines), round(run.em), run.bold, run.colour)
            for run in target.runs
        ),
        tuple((mark.kind, mark.value, round(mark.box.w / 2)) for mark in target.marks),
    )


def _target(seen: Seen, target: Target, state: State) -> Iterator[Measured]:
    painter, rtl = seen.painter, seen.page.rtl
    runs = tuple(run if run.lines else replace(run, lines=(_SAMPLE,)) for run in target.runs)
    target = replace(target, runs=runs)

    def painted(target: Target, state: State, box: Box, around: float) -> Image.Image:
        return _painted(painter, target, state, painter.view.px(box, around), rtl=rtl)

    for i, run in enumerate(runs):
        if target.look == "quiet" and run.name == "logo":
            required = TEXT
        else:
            required = least_contrast(run.em, bold=run.bold)
        without = replace(target, runs=runs[:i] + runs[i + 1 :])
        # No more than the text's own place is painted: most of a control is not near it.
        shots = (painted(each, state, run.box, run.em) for each in (without, target))
        yield f"text “{' '.join(run.lines)}”", changed(*shots), required
    for i, mark in enumerate(target.marks):
        if mark.kind in _DECORATION:
            continue
        without = replace(target, marks=target.marks[:i] + target.marks[i + 1 :])
        shots = (painted(each, state, mark.box, _AROUND) for each in (without, target))
        yield mark.kind, changed(*shots), PART
        if mark.kind == "face":
            features = painted(target, state, _middle(mark.box), 0.0)
            yield "features of the face", inside(features), PART
    if target.look == "quiet":
        return
    if state in ("focus", "chosen-focus"):
        # Where the ring runs depends on all that stands on the control.
        shots = (painted(target, each, target.box, _AROUND) for each in (_calm(state), state))
        yield "focus ring", changed(*shots), PART
    yield from seen.remembered(
        ("plate", target.look, state, target.current, rtl, target.box.h > _TALL),
        lambda: list(_plate(painter, target, state, rtl=rtl)),
    )


def _plate(painter: Painter, target: Target, state: State, *, rtl: bool) -> Iterator[Measured]:
    """Edges and the mark of a choice, whatever stands on the control."""
    bare = replace(target, runs=(), marks=())
    region = painter.view.px(target.box, _AROUND)
    stands = _painted(painter, bare, state, region, rtl=rtl)
    yield "border", _border(painter, bare, stands, region), PART
    if state == "chosen":
        off = replace(bare, current=False)
        calm = _painted(painter, off, "rest", region, rtl=rtl)
        yield "mark of the choice", changed(calm, stands), PART


def _calm(state: State) -> State:
    return "chosen" if state == "chosen-focus" else "rest"


def _painted(
    painter: Painter, target: Target, state: State, region: Px, *, rtl: bool
) -> Image.Image:
    size = (region[2] - region[0], region[3] - region[1])
    image = Image.new("RGB", size, painter.theme.ground)
    painter.moved(region).target(image, target, state, rtl)
    return image


def _middle(box: Box) -> Box:
    """The inner part of a face: its fill, eyes and mouth, nothing of its outline."""
    part = 0.2
    return Box(box.x + part * box.w, box.y + part * box.h, 0.6 * box.w, 0.6 * box.h)


def _border(painter: Painter, bare: Target, image: Image.Image, region: Px) -> float:
    """The weakest of the four edges, each against the ground outside."""
    left, top, right, bottom = painter.moved(region).view.px(bare.box)
    depth = max(2, round(_EDGE * painter.view.scale))
    across, down = (left + right) // 2, (top + bottom) // 2
    ground = painter.theme.ground
    lines = (
        [(left + i, down) for i in range(-2, depth)],
        [(right - i, down) for i in range(-1, depth)],
        [(across, top + i) for i in range(-2, depth)],
        [(across, bottom - i) for i in range(-1, depth)],
    )
    wide, high = image.size
    return min(
        along(image, [(x, y) for x, y in line if 0 <= x < wide and 0 <= y < high], ground)
        for line in lines
    )


def _text(seen: Seen, run: Run, under: list[Mark]) -> float:
    painter = seen.painter
    region = painter.view.px(run.box, 2.0)
    size = (max(1, region[2] - region[0]), max(1, region[3] - region[1]))
    moved = painter.moved(region)
    before = Image.new("RGB", size, painter.theme.ground)
    for mark in under:
        moved.mark(before, mark, seen.page.rtl)
    after = before.copy()
    moved.run(after, run)
    return changed(before, after)


def _mark(painter: Painter, mark: Mark, *, rtl: bool) -> float:
    region = painter.view.px(mark.box, 4.0)
    size = (region[2] - region[0], region[3] - region[1])
    before = Image.new("RGB", size, painter.theme.ground)
    after = before.copy()
    painter.moved(region).mark(after, mark, rtl)
    # A code is read on its own white.
    return inside(after) if mark.kind == "qr" else changed(before, after)
