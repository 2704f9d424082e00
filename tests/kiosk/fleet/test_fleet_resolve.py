"""From files to the bundle a terminal lives on, and the reasons for every value in it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from kiosk import paths
from kiosk.fleet import rules, schema
from kiosk.fleet.cli import fleet
from kiosk.fleet.errors import ConfigErrors
from kiosk.fleet.explain import explain
from kiosk.fleet.lines import dotted, locate
from kiosk.fleet.resolve import load_path, resolve
from kiosk.fleet.tree import Tree
from kiosk.wording import WordingError, themes, wording
from sync.contract.bundle import LANGUAGES, Bundle, as_json
from tests.kiosk.fleet.county import County

EXAMPLE = paths.example_config()
SUBJECTS = ("device", "location", "organisation", "survey")
DEVICES = sorted(path.stem for path in (EXAMPLE / "devices").glob("*.toml"))


@pytest.fixture(scope="module")
def example() -> dict[str, Bundle]:
    return {device: resolve(EXAMPLE, device) for device in DEVICES}


def test_the_example_is_a_whole_county(example: dict[str, Bundle]) -> None:
    assert len(DEVICES) == 10
    places = {b.location.id: b.location for b in example.values()}
    assert len(places) == 6
    assert len({place.municipality for place in places.values()}) == 4
    assert {b.survey.id for b in example.values()} == {"full", "lobby", "services"}
    assert len(example["esim-0003"].services) == 16
    assert example["esim-0003"].survey.ask_service
    full = example["esim-0001"].survey
    assert [s.id for s in full.statements] == list(themes())
    assert full.selection == "rotated"
    assert len(example["esim-0002"].survey.statements) == 3
    shapes = {(b.screen.width_px, b.screen.height_px, b.screen.width_mm) for b in example.values()}
    assert shapes == {
        (1280, 800, 217),
        (800, 1280, 136),
        (1920, 1080, 344),
        (1080, 1920, 268),
        (1920, 1080, 476),
    }


def test_a_bundle_is_complete_in_every_language_it_shows(example: dict[str, Bundle]) -> None:
    for bundle in example.values():
        assert set(bundle.texts) == set(bundle.languages)
        keys = {k for k in bundle.texts[bundle.languages[0]] if not k.endswith(".spoken")}
        for language in bundle.languages:
            texts = bundle.texts[language]
            assert keys <= set(texts)
            assert all(text.strip() for text in texts.values())
            named = [bundle.organisation.name, bundle.location.name, bundle.organisation.privacy]
            named += [bundle.organisation.contact, *(s.name for s in bundle.services)]
            assert all(names[language].strip() for names in named)
            for service in bundle.services:
                assert texts[f"group.{service.group}"]
            for statement in bundle.survey.statements:
                assert texts[f"statement.{statement.id}"]


def test_no_english_is_read_out_by_another_voice(example: dict[str, Bundle]) -> None:
    for language, texts in example["esim-0001"].texts.items():
        spoken = {key for key in texts if key.endswith(".spoken")}
        assert all(texts[key] == wording(language)[key] for key in spoken)
        # Every text that has a form for the ear brings it along, and no form comes alone.
        assert spoken == {f"{key}.spoken" for key in texts if f"{key}.spoken" in wording(language)}


def test_a_bundle_carries_only_the_statements_its_survey_asks(example: dict[str, Bundle]) -> None:
    for bundle in example.values():
        asked = {f"statement.{s.id}" for s in bundle.survey.statements}
        carried = {key for key in bundle.texts["fi"] if key.startswith("statement.")}
        assert {key.removesuffix(".spoken") for key in carried} == asked


def test_hours_are_given_for_every_day_and_can_be_read(example: dict[str, Bundle]) -> None:
    for bundle in example.values():
        assert tuple(bundle.location.hours) == rules.DAYS
        for text in bundle.location.hours.values():
            rules.spans(text)
    assert rules.spans("08:00-11:30,12:15-24:00") == [(480, 690), (735, 1440)]


def test_the_resting_language_can_differ_by_place(example: dict[str, Bundle]) -> None:
    assert example["esim-0006"].languages[0] == "sv"
    assert example["esim-0001"].languages[0] == "fi"


def test_a_bundle_can_be_loaded_from_its_toml_or_from_json(
    example: dict[str, Bundle], tmp_path: Path
) -> None:
    file = tmp_path / "one.json"
    file.write_bytes(as_json(example["esim-0004"]))
    assert load_path(file) == load_path(EXAMPLE / "devices/esim-0004.toml")


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "cannot be read"), (b"{", "does not fit"), (b'{"device": "x"}', "does not fit")],
)
def test_a_json_file_that_is_no_bundle_is_refused(
    tmp_path: Path, content: bytes | None, what: str
) -> None:
    file = tmp_path / "one.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigErrors, match=what):
        load_path(file)


def test_a_device_that_is_not_there_is_named_with_those_that_are(county: County) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_path(county.root / "devices/esim-0099.toml")
    (error,) = caught.value.errors
    assert error.what == "there is no such device"
    assert error.remedy.startswith("did you mean esim-0009?")


def test_wording_of_the_survey_replaces_the_program_s_own(county: County) -> None:
    county.edit(
        "surveys/lobby.toml",
        'statements = ["s05", "s06", "s09"]',
        'statements = ["s05", "own1"]\ncount = 2\nown.own1 = "access"',
    )
    county.edit("surveys/lobby.toml", "count = 3\n", "")
    text = "".join(
        f'[texts.{language}]\n"statement.own1" = "Q {language}"\n"done" = "D"\n'
        for language in LANGUAGES
    )
    with (county.root / "surveys/lobby.toml").open("a") as file:
        file.write(text)
    bundle = resolve(county.root, "esim-0002")
    assert [(s.id, s.theme) for s in bundle.survey.statements][1] == ("own1", "access")
    assert bundle.texts["uk"]["statement.own1"] == "Q uk"
    assert bundle.texts["uk"]["done"] == "D"


def test_names_fall_back_to_english(example: dict[str, Bundle]) -> None:
    name = example["esim-0001"].location.name
    assert name["uk"] == name["en"] != name["fi"]


def test_every_value_is_explained_by_a_line_that_says_it() -> None:
    tree = Tree.load(EXAMPLE)
    for device in DEVICES:
        for value in explain(tree, device):
            for origin in (value.origin, *value.replaced):
                if not origin.line:
                    assert origin.layer == "default"
                    continue
                text = (EXAMPLE / origin.file).read_text(encoding="utf-8")
                subject, _, rest = value.key.partition(".")
                key = rest if rest and subject in SUBJECTS else value.key
                at = {dotted(path): line for path, line in locate(text).items()}
                assert at[key] == origin.line, value


def test_explain_covers_every_setting_of_the_bundle() -> None:
    told = {value.key for value in explain(Tree.load(EXAMPLE), "esim-0003")}
    for table in ("screen", "touch", "timing", "endpoint", "storage"):
        bundle = msgspec.to_builtins(resolve(EXAMPLE, "esim-0003"))
        assert {f"{table}.{key}" for key in bundle[table]} <= told


def test_show_says_where_a_value_comes_from_and_what_it_replaced(county: County) -> None:
    line = county.edit(
        "devices/esim-0009.toml", 'location = "0024"', 'location = "0024"\nsurvey = "full"'
    )
    done = CliRunner().invoke(fleet, ["show", "esim-0009", "--root", str(county.root), "--explain"])
    assert done.exit_code == 0
    (told,) = [text for text in done.output.splitlines() if text.startswith("survey ")]
    assert f'"full"  (devices/esim-0009.toml:{line + 1}' in told
    assert 'instead of "lobby" in locations/0024.toml:6' in told


def test_show_gives_the_bundle_as_json() -> None:
    done = CliRunner().invoke(
        fleet, ["show", "esim-0001", "--root", str(EXAMPLE), "--format", "json"]
    )
    assert msgspec.convert(json.loads(done.stdout), Bundle) == resolve(EXAMPLE, "esim-0001")


def test_show_of_an_unknown_device_is_wrong_use() -> None:
    done = CliRunner().invoke(fleet, ["show", "nobody", "--root", str(EXAMPLE)])
    assert done.exit_code == 2
    assert "esim-0001" in done.output


# --- schemas --------------------------------------------------------------------------------------


def test_the_committed_schemas_are_current() -> None:
    assert schema.write(EXAMPLE / "schema", check=True) == []


def test_every_key_is_described() -> None:
    for kind in schema.FILES.values():
        for name, part in schema.schema(kind)["$defs"].items():
            assert part["description"], name
            assert part["additionalProperties"] is False
            for key, value in part["properties"].items():
                assert value.get("description"), f"{name}.{key}"


def test_every_example_file_names_its_schema() -> None:
    found = [file for file in EXAMPLE.rglob("*.toml") if file.parent != EXAMPLE / "os"]
    assert len(found) > 20
    for file in found:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("#:schema ")
        assert (file.parent / first.removeprefix("#:schema ")).is_file()


def test_a_stale_schema_is_noticed_and_rewritten(county: County) -> None:
    county.write("schema/device.schema.json", "{}")
    words = ["schema", "--root", str(county.root)]
    assert CliRunner().invoke(fleet, [*words, "--check"]).exit_code == 1
    assert CliRunner().invoke(fleet, words).exit_code == 0
    assert CliRunner().invoke(fleet, [*words, "--check"]).exit_code == 0


# --- the program's own wording --------------------------------------------------------------------


def test_wording_of_an_unknown_language_or_a_damaged_installation_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WordingError, match="'ee'"):
        wording("ee")
    monkeypatch.setattr(paths, "assets", lambda: tmp_path)
    with pytest.raises(WordingError, match=r"fi\.toml"):
        wording.__wrapped__("fi")


# --- preview --------------------------------------------------------------------------------------


def preview(root: Path, out: Path, *words: str) -> Result:
    return CliRunner().invoke(
        fleet, ["preview", "esim-0002", "--root", str(root), "--out", str(out), *words]
    )


def test_preview_draws_every_screen_and_says_that_all_fits(tmp_path: Path) -> None:
    done = preview(EXAMPLE, tmp_path, "--language", "sv")
    assert done.exit_code == 0, done.output
    screens = json.loads((tmp_path / "screens.json").read_text())["screens"]
    assert {screen["language"] for screen in screens} == {"sv"}
    assert {screen["file"] for screen in screens} == {f.name for f in tmp_path.glob("*.png")}
    assert f"{len(screens)} pictures" in done.output
    assert "0 that do not fit" in done.output


def test_preview_of_a_panel_too_small_names_the_screens(county: County, tmp_path: Path) -> None:
    county.edit(
        "devices/esim-0002.toml",
        "width_mm = 136\nheight_mm = 217",
        "width_mm = 68\nheight_mm = 109",
    )
    done = preview(county.root, tmp_path / "out", "--language", "fi")
    assert done.exit_code == 1
    assert "rest_fi.png: " in done.output


def test_preview_in_an_unknown_mode_is_wrong_use(tmp_path: Path) -> None:
    assert preview(EXAMPLE, tmp_path, "--mode", "huge").exit_code == 2


@pytest.mark.parametrize(
    "file",
    [
        "organisation.toml",
        "services.toml",
        "surveys/full.toml",
        "locations/0003.toml",
        "devices/esim-0001.toml",
    ],
)
def test_a_syntax_error_in_any_file_of_the_device_is_named_with_its_line(
    county: County, file: str
) -> None:
    path = county.root / file
    lines = path.read_text(encoding="utf-8").count("\n")
    path.write_text(path.read_text(encoding="utf-8") + "x = ]\n", encoding="utf-8")

    with pytest.raises(ConfigErrors) as caught:
        resolve(county.root, "esim-0001")

    assert (file, lines + 1) in [(error.file, error.line) for error in caught.value.errors]
