"""What the configuration alone decides: time limits and the organisation's colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PIL import Image

from kiosk.audit.figures import COUNTDOWN_S, IDLE_S, IDLE_TEXT_S, TEXT, THANKS_S
from kiosk.audit.finding import Finding
from kiosk.audit.pixels import Rgb, contrast
from kiosk.layout.page import Box
from kiosk.ui.pages import Pages
from sync.contract.bundle import Bundle


def timing(bundle: Bundle, pages: Pages) -> Iterator[Finding]:  # noqa: ARG001
    """Time limits: 20 s to say that one is still there, WCAG 2.2.1; the rest is advice."""
    times = bundle.timing
    if times.countdown_s < COUNTDOWN_S:
        yield _finding(
            "timing",
            "timing.countdown_s",
            f"{times.countdown_s:g} s",
            f"at least {COUNTDOWN_S:g} s",
            "set it to 20 or more",
        )
    for key, value, least in (
        ("idle_s", times.idle_s, IDLE_S),
        ("idle_text_s", times.idle_text_s, IDLE_TEXT_S),
        ("thanks_s", times.thanks_s, THANKS_S),
    ):
        if value < least:
            yield _finding(
                "timing",
                f"timing.{key}",
                f"{value:g} s",
                f"{least:g} s is the design's figure",
                "slow readers need it",
                note=True,
            )


def height(bundle: Bundle, pages: Pages) -> Iterator[Finding]:  # noqa: ARG001
    """Without the panel's height above the floor nothing can be said of reach."""
    if not bundle.screen.top_mm_above_floor:
        yield _finding(
            "height",
            "screen.top_mm_above_floor",
            "height unknown",
            "mm from the floor to the glass's top edge",
            "measure it and write it in the device's file: then reach is checked",
            note=True,
        )


def accent(bundle: Bundle, pages: Pages) -> Iterator[Finding]:
    """The organisation's colour, painted: on the ground, and under the words on it."""
    painter = pages.painter(frozenset())
    theme = painter.theme
    region = painter.view.px(Box(20, 20, 20, 20))
    image = Image.new("RGB", (region[2] - region[0], region[3] - region[1]), theme.ground)
    painter.moved(region).plate(image, Box(20, 20, 20, 20), 0, fill=theme.accent)
    painted: Any = image.getpixel((image.width // 2, image.height // 2))
    colour: Rgb = (painted[0], painted[1], painted[2])
    for where, other in (("on the ground", theme.ground), ("under white words", theme.on_accent)):
        found = contrast(colour, other)
        if found < TEXT:
            yield _finding(
                "accent",
                bundle.organisation.accent,
                f"{found:.2f} : 1 {where}",
                f"{TEXT:g} : 1",
                "choose a darker shade: `hymio fleet validate` names the nearest",
            )


def _finding(
    check: str, control: str, found: str, required: str, remedy: str, *, note: bool = False
) -> Finding:
    return Finding(
        check,
        "configuration",
        "",
        "",
        control,
        found,
        required,
        remedy,
        "note" if note else "failure",
    )
