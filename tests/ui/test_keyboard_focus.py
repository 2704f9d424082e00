"""The ring around the control the keyboard is on: seen on every look, cutting nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from PIL import Image, ImageChops

from kiosk.layout.compose import Composer
from kiosk.layout.order import controls
from kiosk.layout.page import Page, Target
from kiosk.ui.lettering import Lettering
from kiosk.ui.paint import Painter, State, View
from kiosk.ui.ring import LEAST, WIDTH
from kiosk.ui.theme import DARK, Rgb, Theme, light
from sync.contract.bundle import Screen
from tests.kiosk.layout.staff_pages import Screens
from tests.kiosk.layout.world import MEASURE, PANELS, bundle, services
from tests.ui.test_paint import contrast

LARGER = frozenset({"larger"})
LOW = LARGER | {"low"}
HIGH = msgspec.structs.replace(PANELS["21in-portrait"], top_mm_above_floor=1450)
HAZE = 48
"""Of 255: the outermost, half transparent pixels of a letter may lie under the ring's."""
CHOSEN = ("number", "card", "list", "switch")


def pages(panel: str | Screen, language: str, modes: frozenset[str]) -> Iterator[Page]:
    made = Composer(bundle(panel, services=services(9)), MEASURE, modes)
    yield made.rest(language)
    yield made.face(language, "s05", 1, 5)
    yield made.choice(language, "service", dots=(1, 5))
    yield made.offer(language, 4, 5)
    yield from (made.text(language, layer) for layer in ("lower", "upper", "symbols"))
    yield made.thanks(language)
    yield made.still(language)
    yield made.languages(language)
    yield made.access(language)
    if isinstance(panel, str) and language == "fi" and not modes:
        staff = dict(Screens(panel, language).every())
        yield from (staff[name] for name in STAFF)


STAFF = ("setup", "setup-address", "service-pin", "service-menu", "service")


def looks(
    panel: str | Screen, language: str, modes: frozenset[str], theme: Theme
) -> Iterator[tuple[str, Painter, Page, Target, State, State]]:
    """Every control at rest and, where it can be, chosen: without and with the ring."""
    for page in pages(panel, language, modes):
        view = View.fit(page.panel, page.panel.width_px, page.panel.height_px)
        painter = Painter(Lettering(MEASURE.fonts), theme, view)
        for target in controls(page):
            named = f"{panel} {language} {page.screen} {target.name}"
            yield named, painter, page, target, "rest", "focus"
            if target.look in CHOSEN and page.screen in ("rest", "face", "choice", "access"):
                yield named + " chosen", painter, page, target, "chosen", "chosen-focus"


def crop(painter: Painter, page: Page, target: Target, state: State) -> Image.Image:
    """The target alone, as the window paints it anew."""
    left, top, right, bottom = region = painter.region(target)
    image = Image.new("RGB", (right - left, bottom - top), painter.theme.ground)
    painter.moved(region).target(image, target, state, page.rtl)
    return image


CASES = [
    ("10in-landscape", "fi", frozenset[str]()),
    ("10in-landscape", "ar", frozenset[str]()),
    ("10in-portrait", "fi", frozenset[str]()),
    ("10in-portrait", "fi", LARGER),
    ("10in-portrait", "ru", LARGER),
    ("10in-landscape", "sv", LARGER),
    ("21in-portrait", "ar", frozenset[str]()),
    # Words on two lines fill the height of their cells.
    (HIGH, "en", LOW),
    (HIGH, "uk", LOW),
]


@pytest.mark.parametrize("theme", [light(), DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("panel", "language", "modes"), CASES)
def test_the_ring_is_seen_on_every_side_and_cuts_no_letter(
    panel: str | Screen, language: str, modes: frozenset[str], theme: Theme
) -> None:
    met = set()
    for said, painter, page, target, bare, ringed in looks(panel, language, modes, theme):
        met.add(target.look)
        rest, focus = (crop(painter, page, target, state) for state in (bare, ringed))
        ring = _differ(rest, focus)
        assert ring.getbbox() is not None, said
        # No pixel of the ring lies on what stands on the plate.
        empty = tuple(replace(run, lines=()) for run in target.runs)
        plate = crop(painter, page, replace(target, marks=(), runs=empty), bare)
        on_it = ImageChops.logical_and(ring, _differ(rest, plate, HAZE))
        assert on_it.getbbox() is None, said
        # From each side: at least as thick as asked for, told from both its neighbours.
        filled = target.look == "primary" or (target.look == "number" and "chosen" in bare)
        ink = theme.on_accent if filled else theme.ink
        # Thinner only where a word fills a key, or a filled button of Larger.
        full = target.look != "key" and not (modes and target.look == "primary")
        thick = round((WIDTH if full else LEAST) * painter.view.scale)
        for side in range(4):
            turned, mask = (each.rotate(90 * side, expand=True) for each in (focus, ring))
            found, before, after, width = _first_line(turned, mask, ink)
            assert width >= thick, said
            assert contrast(found, before) >= 3, f"{said} {side}: {found} beside {before}"
            assert contrast(found, after) >= 3, f"{said} {side}: {found} beside {after}"
    assert {"number", "card", "list", "button", "surface", "primary", "key", "switch"} <= met


def _differ(one: Image.Image, other: Image.Image, least: int = 0) -> Image.Image:
    bands = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return most.point(lambda value: 255 if value > least else 0).convert("1")


def _first_line(image: Image.Image, ring: Image.Image, ink: Rgb) -> tuple[Rgb, Rgb, Rgb, int]:
    """From the left edge inwards at half height: the ring's colour, its neighbours, its width."""
    y = image.height // 2
    middle = (0, y, image.width, y + 1)
    colours, drawn = image.crop(middle).tobytes(), ring.crop(middle).convert("L").tobytes()
    row: list[Rgb] = list(zip(colours[::3], colours[1::3], colours[2::3], strict=True))
    at = next(x for x in range(image.width) if drawn[x] and row[x] == ink)
    start = end = at
    while start > 0 and row[start - 1] == ink:
        start -= 1
    while end < image.width - 1 and row[end + 1] == ink:
        end += 1
    # The target's own rectangle ends here: beside it lies the screen's ground.
    outside = image.getpixel((0, 0)) if start == 0 else row[start - 1]
    return row[at], outside, row[end + 1], end - start + 1  # type: ignore[return-value]
