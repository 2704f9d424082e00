"""Fonts: which one draws a text, and what happens without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageFont

from kiosk.layout.kit import panel_of
from kiosk.layout.measure import FontError, PillowMeasure, fonts
from sync.contract.bundle import LANGUAGES, Screen
from tests.kiosk.layout.world import texts


def test_a_missing_font_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(FontError, match=r"NotoSans-Regular\.ttf .* fonts-noto-core"):
        fonts((tmp_path,))
    for style in ("Regular", "Bold"):
        (tmp_path / f"NotoSans-{style}.ttf").touch()
    with pytest.raises(FontError, match=r"NotoSansArabic-Regular\.ttf .* fonts-noto-core"):
        fonts((tmp_path,))


def has(path: Path, letter: str) -> bool:
    font = ImageFont.truetype(str(path), 40, layout_engine=ImageFont.Layout.BASIC)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffd"))


def test_the_check_for_missing_letters_can_fail() -> None:
    assert not has(fonts().arabic_regular, "/")
    assert not has(fonts().regular, "ع")
    assert has(fonts().regular, "ё")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wording_is_drawn_in_fonts_that_have_all_its_letters(language: str) -> None:
    files = fonts()
    holes = set()
    for bold in (False, True):
        letters: dict[Path, set[str]] = {}
        for text in texts()[language].values():
            for part in files.segments(text.replace("\u00ad", "").replace("\n", " "), bold):
                letters.setdefault(part.font, set()).update(part.text)
        for path, found in letters.items():
            holes |= {
                (path.name, letter) for letter in found - {" ", "\xa0"} if not has(path, letter)
            }
    assert not holes


def parts(text: str) -> list[tuple[str, str]]:
    """Left to right: what is drawn, and whether in the Arabic font."""
    files = fonts()
    return [
        (part.text, "ar" if part.font == files.arabic_regular else "")
        for part in files.segments(text, False)
    ]


def test_a_line_of_one_script_is_one_segment() -> None:
    assert parts("Русский") == [("Русский", "")]
    assert parts("0") == [("0", "")]
    assert parts("") == [("", "")]
    assert parts("في حالات الطوارئ اتصل بالرقم 112.") == [
        ("في حالات الطوارئ اتصل بالرقم 112.", "ar")
    ]
    assert fonts().segments("شكرًا", True)[0].font == fonts().arabic_bold


def test_arabic_with_signs_its_font_lacks_runs_from_right_to_left_in_segments() -> None:
    assert parts("العلاج/الخدمة") == [("الخدمة", "ar"), ("/", ""), ("العلاج", "ar")]
    # Brackets face each other again when their order is turned round.
    assert parts("لا (نعم)") == [("(", ""), ("نعم", "ar"), (")", ""), ("لا ", "ar")]


def test_words_of_another_script_keep_their_order_within_arabic() -> None:
    assert parts("الرقم (henkilötunnus) 12") == [
        (" 12", "ar"),
        ("(henkilötunnus)", ""),
        ("الرقم ", "ar"),
    ]
    assert parts("مركز Terveys asema 2 ja 3") == [
        (" 3", "ar"),
        ("Terveys asema 2 ja", ""),
        ("مركز ", "ar"),
    ]


def test_a_line_is_as_wide_as_its_segments() -> None:
    measure = PillowMeasure()
    whole = measure.width("العلاج/الخدمة", 10, False, "ar")
    each = [measure.width(text, 10, False, "ar") for text in ("العلاج", "/", "الخدمة")]
    assert whole == pytest.approx(sum(each))


def test_widths_scale_and_bold_is_wider() -> None:
    measure = PillowMeasure()
    small = measure.width("Kiitos", 5, False, "fi")
    assert measure.width("Kiitos", 10, False, "fi") == pytest.approx(2 * small)
    assert measure.width("Kiitos", 5, True, "fi") > small
    assert measure.width("Kii\u00adtos", 5, False, "fi") == pytest.approx(small)


@pytest.mark.parametrize("language", LANGUAGES)
def test_typed_text_is_as_wide_as_it_is_drawn(language: str) -> None:
    measure = PillowMeasure()
    for text in texts()[language].values():
        for line in text.replace("\u00ad", "").split("\n"):
            kept = measure.width(line, 7.7, False, language)
            assert measure.width(line, 7.7, False, language, keep=False) == pytest.approx(
                kept, abs=0.05
            )


def test_a_panel_without_height_and_distance_gets_both() -> None:
    ten = panel_of(Screen(width_px=1280, height_px=800, width_mm=217))
    assert ten.height_mm == pytest.approx(135.6, abs=0.1)
    assert ten.u == pytest.approx(7.70, abs=0.005)
    large = panel_of(Screen(width_px=1080, height_px=1920, width_mm=268))
    assert large.portrait
    assert large.u == pytest.approx(10.27, abs=0.005)
    assert panel_of(Screen(distance_mm=500)).distance_mm == 500
