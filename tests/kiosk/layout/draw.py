"""Draws a page with Pillow, to look at beside the sketches; not part of the product.

python -m tests.kiosk.layout.draw OUT [panel] [language]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kiosk.layout.measure import fonts
from kiosk.layout.page import Box, Mark, Page, Run

SCALE = 4.0
"""Pixels a millimetre."""
COLOURS = {
    "ink": "#14232B",
    "ink-2": "#43525A",
    "on-accent": "#FFFFFF",
    "accent": "#0B5563",
    "warn": "#7A3E00",
    "line": "#6F7E86",
}


def _px(box: Box) -> tuple[float, float, float, float]:
    return box.x * SCALE, box.y * SCALE, box.right * SCALE, box.bottom * SCALE


def _run(draw: ImageDraw.ImageDraw, run: Run) -> None:
    for i, line in enumerate(run.lines):
        if not line:
            continue
        parts = [
            (part, ImageFont.truetype(str(part.font), run.em * SCALE))
            for part in fonts().segments(line, run.bold)
        ]
        ascent, descent = parts[0][1].getmetrics()
        top = (run.box.y + i * run.leading + run.leading / 2) * SCALE - (ascent + descent) / 2
        wide = sum(font.getlength(part.text) for part, font in parts)
        x = {
            "left": run.box.x * SCALE,
            "right": run.box.right * SCALE - wide,
            "center": (run.box.x + run.box.w / 2) * SCALE - wide / 2,
        }[run.align]
        for part, font in parts:
            at = (x, top + ascent)
            draw.text(at, part.text, font=font, fill=COLOURS[run.colour], anchor="ls")
            x += font.getlength(part.text)


def _mark(draw: ImageDraw.ImageDraw, mark: Mark) -> None:
    box = _px(mark.box)
    match mark.kind:
        case "face":
            draw.ellipse(box, fill="#FFE3A6", outline=COLOURS["ink"], width=5)
        case "tick":
            draw.ellipse(box, fill=COLOURS["accent"])
        case "dots":
            done, total = map(int, mark.value.split("/"))
            for i in range(total):
                x = mark.box.x + 6 * i
                dot = _px(Box(x, mark.box.y, 3.4, 3.4))
                draw.ellipse(
                    dot,
                    fill=COLOURS["accent"] if i < done else None,
                    outline=COLOURS["line"],
                )
        case "icon":
            draw.ellipse(box, outline=COLOURS["ink"], width=3)
        case _:
            draw.rectangle(box, fill=COLOURS["line"] if mark.kind == "line" else COLOURS["accent"])


def render(page: Page) -> Image.Image:
    """The page at four pixels a millimetre."""
    size = (round(page.panel.width_mm * SCALE), round(page.panel.height_mm * SCALE))
    image = Image.new("RGB", size, "#F4F2ED")
    draw = ImageDraw.Draw(image)
    for target in page.targets:
        fill = {"primary": COLOURS["accent"], "button": None, "quiet": None}.get(
            target.look, "#FFFFFF"
        )
        outline = None if target.look in ("quiet", "primary") else COLOURS["line"]
        draw.rounded_rectangle(
            _px(target.box),
            target.radius * SCALE,
            fill=None if target.current and target.look != "switch" else fill,
            outline=COLOURS["accent"] if target.current and target.look == "switch" else outline,
            width=2,
        )
    for mark in [*page.marks, *(m for t in page.targets for m in t.marks)]:
        _mark(draw, mark)
    for run in [*page.runs, *(r for t in page.targets for r in t.runs)]:
        _run(draw, run)
    return image


def sheet(pages: list[Page], columns: int) -> Image.Image:
    """Several pages of one panel beside each other."""
    images = [render(page) for page in pages]
    wide, high = images[0].size
    rows = -(-len(images) // columns)
    out = Image.new("RGB", (columns * (wide + 12), rows * (high + 12)), "#888888")
    for i, image in enumerate(images):
        out.paste(image, (6 + i % columns * (wide + 12), 6 + i // columns * (high + 12)))
    return out


def main() -> None:
    from tests.kiosk.layout import world

    out = Path(sys.argv[1])
    panel = sys.argv[2] if len(sys.argv) > 2 else "10in-landscape"
    language = sys.argv[3] if len(sys.argv) > 3 else "fi"
    pages = list(world.every_page(panel, language))
    image = sheet(pages, 4 if world.PANELS[panel].width_mm > 250 else 5)
    image.thumbnail((2600, 2600))
    image.save(out)
    for page in pages:
        for problem in page.problems:
            print(panel, problem)


if __name__ == "__main__":
    main()
