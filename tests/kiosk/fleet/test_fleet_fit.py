"""A text that does not fit a device's own panel is said, with panel, screen, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.fleet import fit
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.tree import Tree
from kiosk.fleet.validate import problems
from kiosk.layout import measure
from tests.kiosk.fleet.county import County

LONG = (
    "Kotihoidon ja kuntouttavan arviointijakson asiakasohjausyksikkö sekä omaishoidon tuen"
    " palvelut kotona asuville"
)
ASKED = "Kuinka todennäköisesti suosittelisit palveluamme läheisillesi, ystävillesi tai " * 4


def few(county: County, *keep: str) -> None:
    """Leave only these devices."""
    for path in (county.root / "devices").glob("*.toml"):
        if path.stem not in keep:
            path.unlink()


def unfit(county: County) -> list[ConfigError]:
    tree = Tree.load(county.root)
    return fit.problems(tree, problems(tree))


def line_of(county: County, file: str, text: str) -> int:
    lines = (county.root / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_everything_in_the_example_county_fits(county: County) -> None:
    assert unfit(county) == []


def test_a_name_too_long_for_its_button_is_said_where_it_stands(county: County) -> None:
    few(county, "esim-0003", "esim-0004")
    county.edit("services.toml", 'fi = "Kotihoito"', f'fi = "{LONG}"')
    (error,) = unfit(county)
    assert (error.file, error.key) == ("services.toml", "service[14].name.fi")
    assert error.line == line_of(county, "services.toml", LONG)
    assert "esim-0003 (1080 × 1920 px, 268 × 476 mm)" in error.what
    assert "screen choice-service-older in fi" in error.what
    assert "1 more panel too" in error.what
    assert "short_name" in error.remedy
    county.edit("services.toml", f'fi = "{LONG}"', 'fi = "Kotihoito"')
    assert unfit(county) == []


def test_a_short_name_is_enough(county: County) -> None:
    few(county, "esim-0003")
    county.edit(
        "services.toml",
        'name = { fi = "Kotihoito"',
        'short_name = { fi = "Kotihoito", sv = "H", en = "H" }\nname = { fi = "' + LONG + '"',
    )
    assert unfit(county) == []


def test_a_question_too_long_is_said_in_the_survey(county: County) -> None:
    few(county, "esim-0009")
    with (county.root / "surveys/lobby.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[texts.fi]\n"nps.question" = "{ASKED}"\n')
    (error,) = unfit(county)
    assert (error.file, error.key) == ("surveys/lobby.toml", 'texts.fi."nps.question"')
    assert error.line == line_of(county, "surveys/lobby.toml", ASKED)
    assert "esim-0009 (1920 × 1080 px, 344 × 194 mm), screen rest in fi" in error.what


def test_a_notice_too_long_is_said_where_the_layer_that_holds_writes_it(county: County) -> None:
    few(county, "esim-0009")
    long = "\\n".join("abcdefghijklmn")
    county.edit(
        "locations/0024.toml", "[name]", f'[contact]\nfi = "Palautepalvelu\\n{long}"\n\n[name]'
    )
    (error,) = unfit(county)
    assert (error.file, error.key) == ("locations/0024.toml", "contact.fi")
    assert "shorten it" in error.remedy


def test_a_panel_too_small_is_one_error_at_its_millimetres(county: County) -> None:
    few(county, "esim-0002")
    line = county.edit(
        "devices/esim-0002.toml",
        "width_mm = 136\nheight_mm = 217",
        "width_mm = 68\nheight_mm = 109",
    )
    (error,) = unfit(county)
    assert (error.file, error.line, error.key) == ("devices/esim-0002.toml", line, "screen")
    assert "esim-0002 (800 × 1280 px, 68 × 109 mm)" in error.what


def test_a_panel_of_the_organisation_s_is_said_there(county: County) -> None:
    few(county, "esim-0008")
    panel = "width_px = 1280\nheight_px = 800\nwidth_mm = 217\nheight_mm = 136\n"
    county.edit("devices/esim-0008.toml", panel, "")
    county.edit("organisation.toml", "[endpoint]", "[screen]\nwidth_mm = 60\n\n[endpoint]")
    (error,) = unfit(county)
    assert (error.file, error.key) == ("organisation.toml", "screen")
    assert error.line == line_of(county, "organisation.toml", "width_mm = 60")


def test_devices_that_show_the_same_are_checked_once(county: County) -> None:
    few(county, "esim-0008")
    device = (county.root / "devices/esim-0008.toml").read_text(encoding="utf-8")
    place = (county.root / "locations/0018.toml").read_text(encoding="utf-8")
    place = place.replace('"0018"', '"0019"').replace("Lehtorannan", "Toinen")
    county.write("locations/0019.toml", place)
    for number in range(100, 120):
        ident, where = f"esim-0{number}", ("0018", "0019")[number % 2]
        text = device.replace("esim-0008", ident).replace('"0018"', f'"{where}"')
        county.write(f"devices/{ident}.toml", text.replace("Odotusaula", f"Aula {number}"))
    tree = Tree.load(county.root)
    steps: list[tuple[int, int]] = []
    assert fit.problems(tree, [], lambda *step: steps.append(step)) == []
    assert steps == [(1, 1)]


def test_a_device_whose_files_have_errors_is_left_out(county: County) -> None:
    few(county, "esim-0001", "esim-0002")
    county.edit("devices/esim-0002.toml", "width_mm = 136", "width_mm = 0")
    county.edit("services.toml", 'fi = "Suun terveydenhuolto"', f'fi = "{LONG}"')
    assert unfit(county) == []


def test_the_command_says_it_and_can_leave_it_out(county: County) -> None:
    few(county, "esim-0003")
    county.edit("services.toml", 'fi = "Kotihoito"', f'fi = "{LONG}"')
    done = county.run("validate")
    assert (done.exit_code, "service[14].name.fi: does not fit" in done.stdout) == (1, True)
    assert county.run("validate", "--no-fit").exit_code == 0


def test_without_the_screens_fonts_the_rest_is_still_checked(
    county: County, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few(county, "esim-0003")

    def none() -> None:
        raise measure.FontError("install the package fonts-noto-core")

    monkeypatch.setattr(measure, "fonts", none)
    done = county.run("validate")
    assert (done.exit_code, done.stdout) == (0, "1 device, 6 locations, 0 errors\n")
    assert "whether texts fit was not checked: install the package" in done.stderr


def test_low_is_drawn_only_for_a_panel_that_hangs_high(county: County, tmp_path: Path) -> None:
    refused = county.run("preview", "esim-0001", "--mode", "low", "--out", str(tmp_path / "1"))
    assert refused.exit_code == 2
    assert "at most 1,100 mm above the floor" in refused.output
    assert not (tmp_path / "1").exists()
    words = ("preview", "esim-0004", "--mode", "larger,low", "--language", "fi")
    told = county.ok(*words, "--out", str(tmp_path / "4"))
    assert "0 that do not fit" in told
    assert (tmp_path / "4" / "rest_fi_larger_low.png").is_file()
