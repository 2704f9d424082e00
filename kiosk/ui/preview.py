"""Every screen in every language as PNG, and `screens.json` with where everything lies.

Painted with the very code that fills the window's textures, so no display is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kiosk.every_staff import staff_shots
from kiosk.layout.every import Shot, shots
from kiosk.layout.measure import is_arabic
from kiosk.layout.page import Box, Page, Run
from kiosk.ui import field
from kiosk.ui.pages import MODES, Modes, Pages
from kiosk.wording import STAFF_LANGUAGES
from sync.contract.bundle import Bundle

SAMPLE = {
    "fi": "Odotin lähes tunnin, mutta hoitaja oli todella",
    "sv": "Jag väntade nästan en timme, men skötaren var verkligen",
    "en": "I waited nearly an hour, but the nurse was really",
    "et": "Ootasin peaaegu tund aega, aga õde oli väga",
    "ru": "Я ждал почти час, но медсестра была очень",
    "uk": "Я чекав майже годину, але медсестра була дуже",
    "ar": "انتظرت قرابة ساعة لكن الممرضة كانت",
}


def render(
    bundle: Bundle,
    out: Path,
    languages: Sequence[str] = (),
    modes: Iterable[Modes] = (frozenset(),),
    *,
    size: tuple[int, int] | None = None,
    staff: bool = False,
) -> list[dict[str, Any]]:
    """Write the pictures and `screens.json` into `out`; returns the file's `screens`.

    `languages` empty means all of the bundle's; `size` is in px, the panel's own by default;
    `staff` adds the screens of set-up and service in their languages.
    Raises OSError when `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    pages = Pages(bundle, size or (bundle.screen.width_px, bundle.screen.height_px))
    screens = []
    for mode, language, (name, screen, args, states) in _shots(bundle, languages, modes, staff):
        # While it speaks its sheet has more on it.
        shown = mode | {"speech"} if name.startswith("access-speech") else mode
        page = pages.page(shown, screen, language, *args)
        image = pages.painter(mode, screen).page(page, states)
        _finish(page, image, pages, mode)
        file = "_".join([name, language, *sorted(mode)]) + ".png"
        # Level 1: five times faster, a tenth larger.
        image.save(out / file, compress_level=1)
        screens.append(_describe(name, file, page, pages, mode))
    panel = pages.composer(frozenset()).panel
    content = {
        "device": bundle.device,
        "config": bundle.version,
        "size_px": [pages.view.width, pages.view.height],
        "size_mm": [panel.width_mm, round(panel.height_mm, 2)],
        "distance_mm": panel.distance_mm,
        "screens": screens,
    }
    (out / "screens.json").write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return screens


def _shots(
    bundle: Bundle, languages: Sequence[str], modes: Iterable[Modes], staff: bool
) -> Iterator[tuple[Modes, str, Shot]]:
    for mode in modes:
        for language in languages or bundle.languages:
            yield from ((mode, language, shot) for shot in shots(bundle, MODES))
    if staff:
        for language in STAFF_LANGUAGES:
            if not languages or language in languages:
                found = staff_shots(bundle, language)
                yield from ((frozenset(), language, shot) for shot in found)


def _finish(page: Page, image: Any, pages: Pages, modes: Modes) -> None:
    """What the window draws over a page: some text, a bar three quarters full."""
    patches = []
    if page.screen == "text":
        sample = SAMPLE.get(page.language, SAMPLE["en"])
        patches.append(field.text_patch(page, sample, pages, modes))
    if page.screen == "still":
        patches.append(field.bar_patch(page, 0.7, pages))
    painter = pages.painter(modes)
    for patch in patches:
        if patch is not None:
            region, draw = patch
            part = image.crop(region)
            draw(part, painter.moved(region))
            image.paste(part, region[:2])


def _describe(name: str, file: str, page: Page, pages: Pages, modes: Modes) -> dict[str, Any]:
    def box(found: Box) -> dict[str, Any]:
        left, top, right, bottom = pages.view.px(found)
        return {
            "mm": [round(v, 2) for v in (found.x, found.y, found.w, found.h)],
            "px": [left, top, right - left, bottom - top],
        }

    def text(run: Run, target: str) -> dict[str, Any]:
        return {
            "name": run.name,
            "target": target,
            "text": " ".join(run.lines).replace("\u00ad", ""),
            "lines": list(run.lines),
            "box": box(run.box),
            "font_mm": round(run.em, 2),
            "font_px": round(run.em * pages.view.scale, 2),
            "bold": run.bold,
            "rtl": any(is_arabic(line) for line in run.lines),
        }

    texts = [text(run, "") for run in page.runs]
    for target in page.targets:
        texts += [text(run, target.name) for run in target.runs]
    return {
        "screen": name,
        "language": page.language,
        "modes": sorted(modes),
        "file": file,
        "size_px": [pages.view.width, pages.view.height],
        "size_mm": [page.panel.width_mm, round(page.panel.height_mm, 2)],
        "arrangement": page.arrangement,
        "targets": [
            {
                "name": target.name,
                "label": target.label,
                "box": box(target.box),
                "current": target.current,
            }
            for target in page.targets
        ],
        "texts": texts,
        "problems": list(page.problems),
    }
