"""The installation sheet: measured on the page as a printer would draw it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest

from kiosk.fleet import mounting_pdf, mounting_views
from kiosk.fleet.mounting import (
    DOT_LEFT,
    LOW_FROM,
    REACH,
    Mounting,
    advised,
    generic,
    mounting,
)
from kiosk.fleet.mounting_words import LANGUAGES, WORDS
from kiosk.fleet.panels import PANELS, panel
from kiosk.fleet.resolve import resolve
from kiosk.layout.compose import Composer
from kiosk.layout.kit import panel_of
from kiosk.layout.measure import PillowMeasure
from sync.contract.bundle import Bundle
from tests.kiosk.fleet.county import EXAMPLE, County

DPI = 200
MM_PER_PX = 25.4 / DPI
ACCENT = (0x0B, 0x55, 0x63)


@pytest.fixture(scope="module")
def measure() -> PillowMeasure:
    return PillowMeasure()


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return resolve(EXAMPLE, "esim-0001")


def hung(bundle: Bundle, measure: PillowMeasure, name: str, top: float = 0.0) -> Mounting:
    screen = panel(name) | {"top_mm_above_floor": top}
    return generic(bundle, screen, measure)


def picture(raw: bytes, page: int = 0) -> Any:
    with pypdfium2.PdfDocument(raw) as document:
        return document[page].render(scale=DPI / 72).to_pil().convert("RGB")


def said(raw: bytes) -> list[str]:
    """The text of each page, as one would search it."""
    with pypdfium2.PdfDocument(raw) as document:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append(re.sub(r"\s+", " ", text.get_text_range().replace("\ufffe", "-")))
            text.close()
            page.close()
        return found


def letters(raw: bytes) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Each letter of the first page with left, top, right, bottom in mm."""
    point = 25.4 / 72
    with pypdfium2.PdfDocument(raw) as document:
        page = document[0]
        high = page.get_height()
        text: Any = page.get_textpage()
        found = []
        for at in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(at)
            box = (left * point, (high - top) * point, right * point, (high - bottom) * point)
            found.append((text.get_text_range(at, 1), box))
        text.close()
        page.close()
        return found


def accent_box(raw: bytes) -> tuple[float, float, float, float]:
    """The filled access button in the front view: left, top, right, bottom in mm."""
    seen = picture(raw)
    x, y, w, h = mounting_pdf.FRONT
    first, last = round(y / MM_PER_PX), round((y + h) / MM_PER_PX)
    left, right = round(x / MM_PER_PX), round((x + w) / MM_PER_PX)
    near = [
        (across, down)
        for down in range(first, last)
        for across in range(left, right)
        if max(abs(a - b) for a, b in zip(seen.getpixel((across, down)), ACCENT, strict=True)) < 8
    ]
    acrosses, downs = [a for a, _ in near], [d for _, d in near]
    edges = min(acrosses), min(downs), max(acrosses) + 1, max(downs) + 1
    return tuple(edge * MM_PER_PX for edge in edges)  # type: ignore[return-value]


@pytest.mark.parametrize("name", PANELS)
def test_button_dot_and_glass_stand_on_the_page_where_the_layout_has_them(
    bundle: Bundle, measure: PillowMeasure, name: str
) -> None:
    made = hung(bundle, measure, name)
    screen = msgspec.convert(panel(name), type(bundle.screen))
    page = Composer(msgspec.structs.replace(bundle, screen=screen), measure).rest("fi")
    box = next(target.box for target in page.targets if target.name == "access")
    assert made.dot == (DOT_LEFT, pytest.approx(made.panel.height_mm - box.y - box.h / 2))

    raw = mounting_pdf.pdf([made], "en")
    left, top, right, bottom = accent_box(raw)
    scale = mounting_views.front_scale(made, mounting_pdf.FRONT)
    assert (right - left) == pytest.approx(box.w / scale, abs=0.3)
    assert (bottom - top) == pytest.approx(box.h / scale, abs=0.3)

    # The dot is the white spot in the dark frame straight left of the button.
    seen = picture(raw)
    middle = (top + bottom) / 2
    row = [seen.getpixel((px, round(middle / MM_PER_PX))) for px in range(seen.width)]
    start = round((left - (box.x + DOT_LEFT) / scale) / MM_PER_PX)
    glass = left - box.x / scale
    frame = round((glass - 8.5 / scale) / MM_PER_PX), round((glass - 0.2) / MM_PER_PX)
    white = [px for px in range(*frame) if min(row[px]) > 200]
    assert sum(white) / len(white) == pytest.approx(start, abs=0.5 / MM_PER_PX)
    column = [seen.getpixel((start, py)) for py in range(seen.height)]
    high = round(middle / MM_PER_PX)
    lit = [py for py in range(high - 15, high + 15) if min(column[py]) > 200]
    assert sum(lit) / len(lit) * MM_PER_PX == pytest.approx(middle, abs=0.5)

    text = said(raw)[0]
    assert f"{DOT_LEFT:.0f} mm left of the lit area and {made.dot[1]:.0f} mm above" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("top", [0, 1700])
def test_nothing_overflows_the_page_and_no_two_letters_meet(
    bundle: Bundle, measure: PillowMeasure, name: str, language: str, top: float
) -> None:
    made = hung(bundle, measure, name, top)
    assert (made.remedy is None) == (top == 0)
    raw = mounting_pdf.pdf([made], language)
    found = [(letter, box) for letter, box in letters(raw) if letter.strip()]
    for letter, (x1, y1, x2, y2) in found:
        assert x1 > 12 and x2 < 198 and y1 > 10 and y2 < 292, letter
    found.sort(key=lambda each: each[1][0])
    for at, (letter, one) in enumerate(found):
        for other_letter, other in found[at + 1 :]:
            if other[0] > one[2]:
                break
            over = min(one[2], other[2]) - other[0], min(one[3], other[3]) - max(one[1], other[1])
            assert over[0] < 0.35 or over[1] < 0.2, (letter, other_letter, one, other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_sheet_can_be_searched_in_its_language(
    bundle: Bundle, measure: PillowMeasure, language: str
) -> None:
    text = said(mounting_pdf.pdf([hung(bundle, measure, "10in-landscape")], language))[0]
    for key in ("title", "seated", "standing", "floor", "dot", "jack", "check", "check.8"):
        assert WORDS[language][key] in text, key
    for figure in ("1 220", "760", "1 500", "1 015", "380", "top_mm_above_floor = 1100"):
        assert figure.replace(" ", "," if language == "en" else " ") in text or figure in text
    assert "EN 301 549 V3.2.1" in text


def test_the_languages_have_the_same_words_and_no_others() -> None:
    assert set(WORDS) == set(LANGUAGES)
    assert WORDS["fi"].keys() == WORDS["sv"].keys() == WORDS["en"].keys()
    for key, text in WORDS["en"].items():
        fields = set(re.findall(r"{\w+}", text))
        for language in ("fi", "sv"):
            assert set(re.findall(r"{\w+}", WORDS[language][key])) == fields, (language, key)


@pytest.mark.parametrize("name", PANELS)
def test_at_the_height_advised_every_control_is_within_reach(
    bundle: Bundle, measure: PillowMeasure, name: str
) -> None:
    made = hung(bundle, measure, name)
    assert not made.measured
    assert made.top == advised(made.panel)
    assert made.remedy is None
    assert REACH[0] <= made.lowest < made.highest <= LOW_FROM + 0.5


@pytest.mark.parametrize(("name", "top"), [("21in-portrait", 1450.0), ("15in-landscape", 1180.0)])
def test_where_the_glass_reaches_higher_the_mode_low_brings_every_control_down(
    bundle: Bundle, measure: PillowMeasure, name: str, top: float
) -> None:
    made = hung(bundle, measure, name, top)
    assert made.low and made.remedy is None
    assert made.highest <= LOW_FROM + 0.5
    (text,) = said(mounting_pdf.pdf([made], "en"))
    assert "offers Lower down" in text and "beyond reach" not in text


def test_a_panel_too_high_or_too_low_is_told_how_far_to_move_and_that_is_far_enough(
    bundle: Bundle, measure: PillowMeasure
) -> None:
    for top, way in ((1700.0, "lower"), (450.0, "raise")):
        made = hung(bundle, measure, "10in-landscape", top)
        remedy = made.remedy
        assert remedy is not None and remedy.way == way
        moved = top - remedy.by if way == "lower" else top + remedy.by
        assert hung(bundle, measure, "10in-landscape", moved).remedy is None
        text = said(mounting_pdf.pdf([made], "en"))[0]
        assert f"{remedy.way.capitalize()} the panel by {remedy.by:,} mm" in text


def test_each_device_of_the_example_has_a_page_with_its_name_and_what_to_do(
    county: County, tmp_path: Path
) -> None:
    out = tmp_path / "sheets.pdf"
    done = county.run("mounting", "--all", "--out", str(out), "--format", "json")
    told = json.loads(done.stdout)["sheets"]
    assert done.exit_code == int(any(sheet["move"] for sheet in told))
    pages = said(out.read_bytes())
    assert len(pages) == len(told) == 10
    for sheet, text in zip(told, pages, strict=True):
        assert sheet["device"] in text
        top = f"{sheet['top_mm_above_floor']:,.0f}".replace(",", " ")
        assert f"{top} mm" in text
        if not sheet["measured"]:
            assert f"kirjaa tiedostoon {sheet['device']}.toml kohtaan [screen]" in text
            assert "top_mm_above_floor = 1100" in text


def test_a_place_a_device_and_a_kind_of_panel_have_their_own_sheets(
    county: County, tmp_path: Path
) -> None:
    out = tmp_path / "sheet.pdf"
    told = county.ok("mounting", "--location", "0003", "--out", str(out), "--language", "sv")
    assert "2 pages written" in told
    for name, text in zip(("esim-0001", "esim-0002"), said(out.read_bytes()), strict=True):
        assert f"{name} · Modellstads hälsostation" in text
    county.ok("mounting", "esim-0001", "esim-0001", "--out", str(out))
    assert len(said(out.read_bytes())) == 1
    county.ok("mounting", "--panel", "15in-landscape", "--out", str(out), "--language", "en")
    (text,) = said(out.read_bytes())
    assert "Any device with this panel" in text and "344 × 194 mm" in text


def test_a_dry_run_writes_nothing_and_a_second_run_gives_the_same_bytes(
    county: County, tmp_path: Path
) -> None:
    out = tmp_path / "sheet.pdf"
    assert "would be written" in county.ok("mounting", "esim-0001", "--out", str(out), "--dry-run")
    assert list(tmp_path.glob("*.pdf")) == []
    county.ok("mounting", "esim-0001", "--out", str(out))
    first = out.read_bytes()
    county.ok("mounting", "esim-0001", "--out", str(out))
    assert out.read_bytes() == first
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ((), 2, "give DEVICE..., or --location, or --all, or --panel"),
        (("esim-0001", "--all"), 2, "give DEVICE..."),
        (("esim-9999",), 2, "there is no device esim-9999"),
        (("--location", "9999"), 2, "there is no location 9999"),
        (("--panel", "huge"), 2, '"huge" is no panel: write one of 10in-landscape'),
        (("--panel", "1x1@1x1"), 2, "width_px"),
        (("--panel", "1280x800@60x40"), 2, "its screens do not fit"),
    ],
)
def test_bad_input_is_told_in_a_sentence_and_nothing_is_written(
    county: County, tmp_path: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    out = tmp_path / "sheet.pdf"
    done = county.run("mounting", *words, "--out", str(out))
    assert done.exit_code == code, done.output
    assert why in done.output
    assert not out.exists()


def test_an_error_in_the_device_file_and_a_folder_that_is_missing_are_told(
    county: County, tmp_path: Path
) -> None:
    missing = county.run("mounting", "esim-0001", "--out", str(tmp_path / "none" / "a.pdf"))
    assert missing.exit_code == 2 and "cannot be written" in missing.output
    (tmp_path / "file").touch()
    inside = county.run("mounting", "esim-0001", "--out", str(tmp_path / "file" / "a.pdf"))
    assert inside.exit_code == 2 and "cannot be written" in inside.output
    county.edit("devices/esim-0001.toml", "width_mm = 217", "width_mm = -1")
    broken = county.run("mounting", "esim-0001", "--out", str(tmp_path / "a.pdf"))
    assert broken.exit_code == 1 and "screen.width_mm" in broken.output
    assert county.run("mounting", "esim-0002", "--out", str(tmp_path / "a.pdf")).exit_code == 0


@pytest.mark.parametrize("command", ["mounting", "audit"])
@pytest.mark.parametrize("which", ["esim-0010", "--all"])
def test_a_device_file_that_is_not_toml_is_told_and_not_left_out(
    county: County, tmp_path: Path, command: str, which: str
) -> None:
    file = county.root / "devices/esim-0010.toml"
    file.write_text(file.read_text(encoding="utf-8") + "x = [", encoding="utf-8")
    out = ("--out", str(tmp_path / "a.pdf")) if command == "mounting" else ()
    done = county.run(command, which, *out)
    assert done.exit_code == 1 and "devices/esim-0010.toml" in done.output
    assert list(tmp_path.glob("*.pdf")) == []


def test_no_sheet_is_drawn_of_screens_that_do_not_fit(county: County, tmp_path: Path) -> None:
    long = f'ask_comment = false\n[texts.fi]\n"nps.question" = "{"Kuinka hyvin? " * 40}"'
    county.edit("surveys/lobby.toml", "ask_comment = false", long)
    done = county.run("mounting", "esim-0002", "--out", str(tmp_path / "a.pdf"))
    assert done.exit_code == 2 and "esim-0002: its screens do not fit" in done.output
    assert not (tmp_path / "a.pdf").exists()


def test_the_panel_s_own_height_is_kept_when_it_is_written(
    bundle: Bundle, measure: PillowMeasure
) -> None:
    screen = msgspec.structs.replace(bundle.screen, top_mm_above_floor=1050.0)
    made = mounting(msgspec.structs.replace(bundle, screen=screen), measure, place="Salo")
    assert made.measured and made.top == 1050 and made.place == "Salo"
    assert made.bottom == 1050 - panel_of(screen).height_mm
    assert not made.low
    text = said(mounting_pdf.pdf([made], "fi"))[0]
    assert "Kuva-alan yläreuna on 1 050 mm" in text and "esim-0001 · Salo" in text
