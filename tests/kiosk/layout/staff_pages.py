"""Every screen for staff with realistic content, for the layout's tests and to look at.

python -m tests.kiosk.layout.staff_pages OUT [panel] [language] [dark]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from kiosk.every_staff import staff_shots
from kiosk.layout.compose import Composer
from kiosk.layout.keys import Keys
from kiosk.layout.page import Page
from kiosk.layout.staff import Action
from kiosk.ui.lettering import Lettering
from kiosk.ui.paint import Painter, View
from kiosk.ui.theme import DARK, light
from kiosk.wording import STAFF_LANGUAGES, staff
from sync.contract.bundle import Screen
from tests.kiosk.layout.world import MEASURE, PANELS, bundle
from tests.kiosk.staffing import pin_hash

STAFF_PANELS = {
    **PANELS,
    "10in-135.6": Screen(width_px=1280, height_px=800, width_mm=217, height_mm=135.6),
    "unknown-landscape": Screen(width_px=1280, height_px=800, width_mm=217),
    "unknown-portrait": Screen(width_px=800, height_px=1280, width_mm=135.6),
}
SEVEN_INCH = Screen(width_px=1024, height_px=600, width_mm=154, height_mm=86)
ERRORS = (
    "code_unknown",
    "code_used",
    "code_expired",
    "device_revoked",
    "slow_down",
    "bad_endpoint",
    "not_encrypted",
    "key_mismatch",
    "bad_key",
    "no_answer",
    "certificate",
    "clock",
    "not_a_centre",
    "disk",
    "released",
    "ticket",
    "other",
    "no_sender",
    "no_config",
    "config_refused",
    "bad_file",
    "scan_partial",
    "scan_layout",
    "scan_other",
    "unsent",
)


class Screens:
    """The staff's screens of one panel and language, and any other a test makes up."""

    def __init__(self, panel: str | Screen, language: str) -> None:
        screen = STAFF_PANELS[panel] if isinstance(panel, str) else panel
        self.bundle = bundle(
            screen, version=12, name="Aula, pääovi", leave_allowed=True, pin_hash=pin_hash("1234")
        )
        self.composer = Composer(self.bundle, MEASURE)
        self.language = language
        self.words = staff(language)

    def keys(
        self, kind: str, text: str, actions: tuple[Action, ...], screen: str, note: str = ""
    ) -> Page:
        title = {
            "address": "setup.endpoint.title",
            "code": "setup.code.title",
            "digits": "service.pin.title",
        }[kind]
        made = Keys(screen, self.words[title], kind, text, actions, note)  # type: ignore[arg-type]
        return self.composer.keys(self.language, made)

    def every(self) -> Iterator[tuple[str, Page]]:
        """Name and page of all of them."""
        for name, method, args, _ in staff_shots(self.bundle, self.language):
            yield name, getattr(self.composer, method)(self.language, *args)


def draw(page: Page, *, dark: bool = False) -> Image.Image:
    """The page as the window shows it."""
    panel = page.panel
    view = View.fit(panel, panel.width_px, panel.height_px)
    return Painter(Lettering(MEASURE.fonts), DARK if dark else light(), view).page(page)


def main() -> None:
    out = Path(sys.argv[1])
    panels = sys.argv[2].split(",") if len(sys.argv) > 2 else list(STAFF_PANELS)
    languages = sys.argv[3].split(",") if len(sys.argv) > 3 else STAFF_LANGUAGES
    dark = len(sys.argv) > 4
    for panel in panels:
        for language in languages:
            made = list(Screens(panel, language).every())
            for name, page in made:
                for problem in page.problems:
                    print(panel, name, problem)
            images = [draw(page, dark=dark) for _, page in made]
            wide = 620 if images[0].width > images[0].height else 400
            high = round(wide * images[0].height / images[0].width)
            columns = 3 if wide > 500 else 5
            count = columns * (4 if wide > 500 else 3)
            for start in range(0, len(images), count):
                part = images[start : start + count]
                rows = -(-len(part) // columns)
                sheet = Image.new("RGB", (columns * (wide + 8), rows * (high + 8)), "#888888")
                for i, image in enumerate(part):
                    small = image.resize((wide, high), Image.Resampling.LANCZOS)
                    sheet.paste(
                        small, (4 + i % columns * (wide + 8), 4 + i // columns * (high + 8))
                    )
                suffix = "_dark" if dark else ""
                sheet.save(out / f"{panel}_{language}{suffix}_{start // count}.png")


if __name__ == "__main__":
    main()
