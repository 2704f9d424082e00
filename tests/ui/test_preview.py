"""Pictures of every screen, and where everything lies on them."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from kiosk.layout.compose import Composer
from kiosk.ui import preview
from sync.contract.bundle import Screen
from tests.ui.stage import PORTRAIT, bundle, services


def test_every_screen_and_language_with_its_places(tmp_path: Path) -> None:
    config = bundle(
        ("fi", "sv"),
        screen=Screen(width_px=640, height_px=400, width_mm=217),
        services=services(4),
        survey={"ask_service": True, "ask_respondent": True, "satisfied": True},
    )
    screens = preview.render(config, tmp_path)
    content = json.loads((tmp_path / "screens.json").read_text(encoding="utf-8"))
    assert content["screens"] == screens
    assert (content["device"], content["size_px"]) == ("esim-0001", [640, 400])
    names = {(screen["screen"], screen["language"]) for screen in screens}
    assert len(names) == len(screens)
    for language in ("fi", "sv"):
        assert {
            *("rest", "choice-service", "choice-respondent", "face-satisfied", "face-s05"),
            *("offer", "text-lower", "text-upper", "text-symbols", "warning", "thanks", "reply"),
            *("still", "still-language", "languages", "access", "privacy", "out-of-use", "closed"),
        } <= {name for name, spoken in names if spoken == language}
    for screen in screens:
        with Image.open(tmp_path / screen["file"]) as image:
            assert image.size == (640, 400)
        for target in screen["targets"]:
            x, y, width, height = target["box"]["px"]
            assert x >= 0 and y >= 0 and x + width <= 640 and y + height <= 400
            assert target["name"] and target["box"]["mm"][2] > 0
    rest = next(screen for screen in screens if screen["screen"] == "rest")
    assert {f"nps.{n}" for n in range(11)} <= {target["name"] for target in rest["targets"]}
    question = next(text for text in rest["texts"] if text["name"] == "question")
    assert question["text"].startswith("Kuinka todennäköisesti")
    assert question["font_mm"] > 9


def test_it_is_where_the_terminal_will_have_it(tmp_path: Path) -> None:
    config = bundle(("sv", "fi"), screen=PORTRAIT)
    screens = preview.render(config, tmp_path, ["sv"])
    page = Composer(config).rest("sv")
    rest = next(screen for screen in screens if screen["screen"] == "rest")
    places = {target["name"]: target["box"]["mm"] for target in rest["targets"]}
    for target in page.targets:
        box = target.box
        assert places[target.name] == [round(v, 2) for v in (box.x, box.y, box.w, box.h)]


def test_modes_have_pictures_of_their_own(tmp_path: Path) -> None:
    config = bundle(("fi",), screen=Screen(width_px=640, height_px=400, width_mm=217))
    modes = [frozenset[str](), frozenset({"dark"})]
    screens = preview.render(config, tmp_path, modes=modes)
    files = {screen["file"] for screen in screens}
    assert {"rest_fi.png", "rest_fi_dark.png"} <= files
    with Image.open(tmp_path / "rest_fi_dark.png") as image:
        assert image.getpixel((2, 2)) == (0, 0, 0)


def test_a_panel_hung_high_has_pictures_of_low_alone_and_with_larger(tmp_path: Path) -> None:
    high = Screen(width_px=640, height_px=360, width_mm=344, top_mm_above_floor=1180)
    modes = [frozenset({"low"}), frozenset({"low", "larger"})]
    screens = preview.render(bundle(("fi",), screen=high), tmp_path, modes=modes)
    assert [screen["file"] for screen in screens if screen["problems"]] == []
    for file in ("rest_fi_low.png", "rest_fi_larger_low.png"):
        found = next(screen for screen in screens if screen["file"] == file)
        numbers = [t["box"]["mm"] for t in found["targets"] if t["name"].startswith("nps.")]
        assert min(y for _, y, _, _ in numbers) >= 80


def test_the_access_sheet_is_drawn_as_it_is_while_it_speaks(tmp_path: Path) -> None:
    config = bundle(("fi",), screen=Screen(width_px=640, height_px=400, width_mm=217))
    screens = {screen["screen"]: screen for screen in preview.render(config, tmp_path)}
    speaking = {target["name"]: target for target in screens["access-speech"]["targets"]}
    assert {"speech.repeat", "speech.pause", "speech.quieter", "speech.louder"} <= set(speaking)
    assert speaking["mode.speech"]["current"]
    assert not {name for name in speaking if name == "mode.low"}
    paused = {target["name"] for target in screens["access-speech-paused"]["targets"]}
    assert "speech.resume" in paused and "restart" in paused and "speech.pause" not in paused
    plain = {target["name"] for target in screens["access"]["targets"]}
    assert not {name for name in plain if name.startswith("speech.")}


def test_screens_for_staff_are_drawn_when_asked_for_in_their_own_languages(tmp_path: Path) -> None:
    config = bundle(("ru", "sv"), screen=Screen(width_px=640, height_px=400, width_mm=217))
    plain = {screen["screen"] for screen in preview.render(config, tmp_path)}
    screens = preview.render(config, tmp_path, staff=True)
    more = [screen for screen in screens if screen["screen"] not in plain]
    assert {screen["language"] for screen in more} == {"fi", "sv", "en"}
    names = {screen["screen"] for screen in more}
    assert {"setup", "setup-code", "confirm", "check", "corners", "service", "service-pin"} <= names
    assert len({screen["file"] for screen in screens}) == len(screens)
