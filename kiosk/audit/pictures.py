"""Pictures for the report: every screen small, and what failed large with its control outlined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from kiosk.audit.finding import Finding, Seen, mode_name
from kiosk.layout.page import Box
from kiosk.ui.paint import State

_SMALL: Final = 320
"""Longer side of a small picture, px."""
_LARGE: Final = 1280
_AROUND: Final = 1.5
"""Room between a control and its outline, mm."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One screen's pictures, as file names."""

    screen: str
    language: str
    mode: str
    small: str
    failures: int
    large: dict[tuple[str, str], str]
    """(check, control) -> the picture with the control outlined."""


def draw(seen: Seen, findings: Sequence[Finding], folder: Path, device: str) -> Shown:
    """Write the pictures of one screen. Raises OSError."""
    stem = "_".join(
        [device, seen.name, seen.page.language, mode_name(seen.modes).replace("+", "-")]
    )
    image = seen.painter.page(seen.page, dict(seen.states))
    small = f"{stem}.jpg"
    _scaled(image, _SMALL).save(folder / small, quality=70)
    failed = [finding for finding in findings if finding.severity == "failure"]
    large: dict[tuple[str, str], str] = {}
    for finding in failed:
        key = (finding.check, finding.control)
        if key in large:
            continue
        # Several findings of one control share a picture.
        name = f"{stem}_{len(set(large.values())) + 1}.png"
        same = next((large[k] for k in large if k[1] == finding.control), None)
        large[key] = same or name
        if same is None:
            _scaled(_outlined(seen, image, finding), _LARGE).save(folder / name, compress_level=6)
    return Shown(seen.name, seen.page.language, mode_name(seen.modes), small, len(failed), large)


def _outlined(seen: Seen, image: Image.Image, finding: Finding) -> Image.Image:
    """The screen with a frame around what failed; in the state that failed."""
    name, _, state = finding.control.partition(", ")
    if state in ("pressed", "chosen", "focus", "chosen-focus"):
        states: dict[str, State] = {**seen.states, name: state}  # type: ignore[dict-item]
        image = seen.painter.page(seen.page, states)
    marked = image.copy()
    if finding.box:
        left, top, right, bottom = seen.painter.view.px(Box(*finding.box), _AROUND)
        pen = ImageDraw.Draw(marked)
        # Black and yellow: one of them stands out on any ground.
        for grow, colour in ((4, (0, 0, 0)), (0, (255, 214, 0))):
            frame = (left - grow, top - grow, right + grow, bottom + grow)
            pen.rectangle(frame, outline=colour, width=4)
    return marked


def _scaled(image: Image.Image, longer: int) -> Image.Image:
    part = longer / max(image.size)
    if part >= 1:
        return image
    size = (round(image.width * part), round(image.height * part))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=1.0)
