"""Pixels: what is painted where, and that a state never leaves its rectangle."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PIL import Image, ImageChops

from kiosk.layout.page import Box, Mark, Panel
from kiosk.ui import shapes
from kiosk.ui.entry import Entry, tail
from kiosk.ui.pages import Pages
from kiosk.ui.paint import Painter, State, View
from kiosk.ui.theme import DARK, Rgb, light
from sync.contract.bundle import Screen
from tests.ui.stage import PORTRAIT, bundle

NOBODY = frozenset[str]()


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(bundle(), (1280, 800))


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG's contrast ratio."""

    def luminance(colour: Rgb) -> float:
        parts = [v / 255 for v in colour]
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_pixels_round_edges_so_that_neighbours_never_overlap_or_part() -> None:
    view = View.fit(Panel(1280, 800, 217, 135.625, 450), 1280, 800)
    edges = [view.px(Box(6 + i * 18.818, 60, 16.818, 36)) for i in range(11)]
    gaps = {after[0] - before[2] for before, after in pairwise(edges)}
    assert gaps <= {11, 12, 13}
    assert view.px(Box(0, 0, 217, 135.625)) == (0, 0, 1280, 800)


@pytest.mark.parametrize("theme", [light(), DARK], ids=["light", "dark"])
def test_colours_keep_their_contrast(theme: object) -> None:
    assert isinstance(theme, type(DARK))
    for ground in (theme.ground, theme.surface):
        assert contrast(theme.ink, ground) >= 14
        assert contrast(theme.ink_2, ground) >= 7
        assert contrast(theme.line, ground) >= 3
        assert contrast(theme.accent, ground) >= 7
    assert contrast(theme.on_accent, theme.accent) >= 7
    assert contrast(theme.ink, theme.press) >= 11
    assert contrast(theme.face_line, theme.face_fill) >= 12
    assert contrast(theme.warn, theme.warn_ground) >= 7


@pytest.mark.parametrize("state", ["pressed", "chosen", "focus"])
@pytest.mark.parametrize(("screen", "args"), [("rest", ()), ("face", ("s05", 1, 5))])
def test_a_state_changes_its_own_rectangle_and_nothing_else(
    pages: Pages, screen: str, args: tuple[object, ...], state: State
) -> None:
    page = pages.page(NOBODY, screen, "fi", *args)
    painter = pages.painter(NOBODY)
    rest = painter.page(page)
    for target in page.targets:
        if target.look == "quiet":
            continue
        changed = painter.page(page, {target.name: state})
        box = ImageChops.difference(rest, changed).getbbox()
        region = painter.region(target)
        assert box is not None, f"{target.name} looks the same {state}"
        assert region[0] <= box[0] and region[1] <= box[1], target.name
        assert box[2] <= region[2] and box[3] <= region[3], target.name


def test_chosen_is_told_by_more_than_colour(pages: Pages) -> None:
    page = pages.page(NOBODY, "rest", "fi")
    painter = pages.painter(NOBODY)
    target = next(target for target in page.targets if target.name == "nps.8")
    region = painter.region(target)
    grey = [
        painter.page(page, {"nps.8": state}).crop(region).convert("L")
        for state in ("rest", "chosen")
    ]
    # The tick: a light disc in the upper part of a dark cell.
    x, y = grey[1].width // 2, round(6.6 * pages.view.scale) + 3
    assert grey[1].getpixel((x - round(2.6 * pages.view.scale), y)) > 200  # type: ignore[operator]
    assert grey[1].getpixel((x, grey[1].height - 12)) < 110  # type: ignore[operator]


def test_faces_differ_and_look_straight_ahead() -> None:
    features = [shapes.face_features(value, 177) for value in (1, 2, 3, 4, 5)]
    assert len({mask.tobytes() for mask in features}) == 5
    for mask in features:
        mirrored = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        difference = ImageChops.difference(mask, mirrored).getextrema()
        assert difference[1] <= 96, "a face is not symmetrical"  # type: ignore[operator]


def test_mouths_bend_from_down_to_up() -> None:
    middles = []
    for value in (1, 2, 3, 4):
        mask = shapes.face_features(value, 200)
        column = [mask.getpixel((100, y)) for y in range(90, 200)]
        corner = mask.crop((0, 90, 100, 200)).getbbox()
        assert corner is not None
        edge = [mask.getpixel((corner[0] + 6, y)) for y in range(90, 200)]
        middles.append(_centre(column) - _centre(edge))
    assert middles == sorted(middles)
    assert middles[1] < -10
    assert abs(middles[2]) < 1
    assert middles[3] > 10


def _centre(column: list[object]) -> float:
    inked = [y for y, value in enumerate(column) if isinstance(value, int) and value > 127]
    return sum(inked) / len(inked)


def test_a_line_stands_with_its_capitals_centred(pages: Pages) -> None:
    page = pages.page(NOBODY, "rest", "fi")
    painter = pages.painter(NOBODY)
    image = painter.page(page).convert("L")
    target = next(target for target in page.targets if target.name == "nps.1")
    left, top, right, bottom = painter.region(target)
    inner = image.crop((left + 12, top + 12, right - 12, bottom - 12)).point(
        lambda value: 255 if value < 120 else 0
    )
    box = inner.getbbox()
    assert box is not None
    above, below = box[1], inner.height - box[3]
    assert abs(above - below) <= 3


def test_a_panel_of_another_shape_is_centred() -> None:
    panel = Panel(1280, 800, 217, 135.6, 450)
    view = View.fit(panel, 1280, 1024)
    assert view.px(Box(0, 0, 217, 135.6)) == (0, 112, 1280, 912)
    assert view.mm(0, 112) == pytest.approx((0, 0), abs=0.05)


def test_arabic_is_shaped_and_runs_to_the_left() -> None:
    pages = Pages(bundle(), (1280, 800))
    lettering = pages.painter(NOBODY).lettering
    joined, apart = lettering.width("سس", 50), 2 * lettering.width("س", 50)
    assert joined < apart - 2


def test_the_bar_empties_towards_its_start(pages: Pages) -> None:
    painter = pages.painter(NOBODY)
    mark = Mark("bar", Box(10, 10, 100, 3))
    widths = []
    for rtl in (False, True):
        image = Image.new("RGB", (1280, 800), painter.theme.ground)
        painter.mark(image, mark, rtl, fraction=0.25)
        accent = painter.theme.accent
        y = round(11.5 * pages.view.scale)
        inked = [x for x in range(1280) if image.getpixel((x, y)) == accent]
        widths.append((min(inked), max(inked)))
    scale = pages.view.scale
    assert widths[0] == (pytest.approx(10 * scale, abs=2), pytest.approx(35 * scale, abs=2))
    assert widths[1] == (pytest.approx(85 * scale, abs=2), pytest.approx(110 * scale, abs=2))


@pytest.mark.parametrize(
    "screen", [Screen(), PORTRAIT, Screen(width_px=1920, height_px=1080, width_mm=476)]
)
def test_every_screen_paints_in_every_language(screen: Screen) -> None:
    from kiosk.layout.every import shots

    config = bundle(screen=screen)
    pages = Pages(config, (screen.width_px, screen.height_px))
    painter: Painter = pages.painter(NOBODY)
    for language in ("fi", "ar"):
        for _, name, args, states in shots(config):
            image = painter.page(pages.page(NOBODY, name, language, *args), states)
            assert len(image.getcolors(1_000_000) or []) > 8, name


def test_only_the_end_of_a_long_text_is_shown_and_lines_are_kept() -> None:
    def wrap(line: str) -> list[str]:
        return [line[i : i + 5] for i in range(0, len(line), 5)]

    assert tail("", 2, wrap) == [""]
    assert tail("abcdefg", 2, wrap) == ["abcde", "fg"]
    assert tail("abcdefghijkl", 2, wrap) == ["fghij", "kl"]
    assert tail("ab\n", 2, wrap) == ["ab", ""]


def test_shift_holds_for_one_letter_and_layers_latch() -> None:
    entry = Entry()
    for key in ("⇧", "A", "a", "123", "1", "1", "123", "space", "enter", "x", "⌫"):
        entry.key(key)
    assert entry.text == "Aa11 \n"
    assert entry.layer == "lower"
    for _ in range(3000):
        entry.key("y")
    assert len(entry.text) == 2000
    entry.clear()
    assert entry.text == ""


@pytest.mark.parametrize("language", ["fi", "ru", "ar"])
def test_the_tick_of_a_chosen_face_covers_neither_the_face_nor_its_words(
    pages: Pages, language: str
) -> None:
    larger = frozenset({"larger"})
    page = pages.page(larger, "face", language, "s05", 1, 5)
    assert page.arrangement.startswith("face-list")
    painter = pages.painter(larger)
    rest = painter.page(page)
    for target in page.targets:
        if target.look != "card":
            continue
        chosen = painter.page(page, {target.name: "chosen"})
        for box in (target.marks[0].box, target.runs[0].box):
            inner = Box(box.x, box.y + 2, box.w, box.h - 4)
            region = pages.view.px(inner)
            differ = ImageChops.difference(rest.crop(region), chosen.crop(region))
            assert differ.getbbox() is None, target.name
