"""Fonts: which one draws a text, and what happens without them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from PIL import ImageFont

from kiosk.layout.kit import panel_of, pixels
from kiosk.layout.measure import FontError, PillowMeasure, fonts
from kiosk.layout.page import Box
from sync.contract.bundle import LANGUAGES, Screen
from tests.kiosk.layout.world import texts


def test_a_missing_font_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(FontError, match="fonts-noto-core"):
        fonts((tmp_path,))
    for name in ("NotoSans", "NotoSansArabic"):
        for style in ("Regular", "Bold"):
            (tmp_path / f"{name}-{style}.ttf").touch()
    with pytest.raises(FontError, match="fonts-dejavu-core"):
        fonts((tmp_path,))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wording_is_drawn_in_a_font_that_has_all_its_letters(language: str) -> None:
    files = fonts()
    holes = {}
    for bold in (False, True):
        for key, text in texts()[language].items():
            path = files.path(text, bold)
            font = ImageFont.truetype(str(path), 40, layout_engine=ImageFont.Layout.BASIC)
            missing = bytes(font.getmask("\U0010fffd"))
            for letter in set(text) - {"\u00ad", " ", "\n", "\xa0"}:
                if bytes(font.getmask(letter)) == missing:
                    holes[key, letter] = path.name
    assert not holes


def test_arabic_with_a_slash_or_latin_is_drawn_in_a_font_that_has_both() -> None:
    files = fonts()
    assert files.path("العلاج", False).name == "NotoSansArabic-Regular.ttf"
    assert files.path("العلاج، 112.", True).name == "NotoSansArabic-Bold.ttf"
    assert files.path("العلاج/الخدمة", False).name == "DejaVuSans.ttf"
    assert files.path("الرقم (henkilötunnus)", True).name == "DejaVuSans-Bold.ttf"
    assert files.path("Русский", True).name == "NotoSans-Bold.ttf"


def test_widths_scale_and_bold_is_wider() -> None:
    measure = PillowMeasure()
    small = measure.width("Kiitos", 5, False, "fi")
    assert measure.width("Kiitos", 10, False, "fi") == pytest.approx(2 * small)
    assert measure.width("Kiitos", 5, True, "fi") > small
    assert measure.width("Kii\u00adtos", 5, False, "fi") == pytest.approx(small)


def test_pixels_round_edges_so_that_neighbours_never_overlap_or_part() -> None:
    panel = panel_of(Screen(width_px=1280, height_px=800, width_mm=217))
    boxes = [Box(6 + i * 18.818, 60, 16.818, 36) for i in range(11)]
    edges = [pixels(box, panel) for box in boxes]
    gaps = {b[0] - a[2] for a, b in pairwise(edges)}
    assert gaps <= {11, 12, 13}
    left, top, right, bottom = pixels(Box(0, 0, panel.width_mm, panel.height_mm), panel)
    assert (left, top, right, bottom) == (0, 0, 1280, 800)


def test_a_panel_without_height_and_distance_gets_both() -> None:
    ten = panel_of(Screen(width_px=1280, height_px=800, width_mm=217))
    assert ten.height_mm == pytest.approx(135.6, abs=0.1)
    assert ten.u == pytest.approx(7.70, abs=0.005)
    large = panel_of(Screen(width_px=1080, height_px=1920, width_mm=268))
    assert large.portrait
    assert large.u == pytest.approx(10.27, abs=0.005)
    assert panel_of(Screen(distance_mm=500)).distance_mm == 500
