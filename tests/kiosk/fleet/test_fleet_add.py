"""From an empty folder to devices: init, add-location, add-device, add-devices, list."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.fleet.cli import fleet
from kiosk.fleet.guide import WORK, example
from kiosk.fleet.resolve import resolve
from tests.kiosk.fleet.county import EXAMPLE, County

NEW = ["--id", "varha", "--name", "fi=Varsinais-Suomen hyvinvointialue", "--name"]
NEW += ["sv=Egentliga Finlands välfärdsområde", "--endpoint", "https://palaute.varha.example"]
PLACE = ["add-location", "--name", "Salon terveysasema", "--municipality", "Salo"]
DEVICE = ["add-device", "--location", "0001", "--name", "Aula, pääovi"]


@pytest.fixture
def empty(tmp_path: Path) -> County:
    return County(tmp_path / "device-config")


@pytest.fixture
def begun(empty: County) -> County:
    empty.ok("init", *NEW)
    return empty


def test_from_nothing_to_a_device_that_validates(empty: County) -> None:
    empty.ok("init", *NEW)
    assert empty.run("validate", "--no-fit").output == "0 devices, 0 locations, 0 errors\n"
    said = empty.ok(*PLACE, "--languages", "fi,sv", "--hours", "mon-fri=08:00-16:00")
    assert said.startswith("0001  Salon terveysasema, Salo\nlocations/0001.toml written\n")
    said = empty.ok(*DEVICE)
    assert said.startswith("varha-0001\n#:schema ")
    text = (empty.root / "devices/varha-0001.toml").read_text(encoding="utf-8")
    assert text in said
    assert text.count("\n") <= 8
    assert empty.ok("validate").endswith("1 device, 1 location, 0 errors, 1 warning\n")
    bundle = resolve(empty.root, "varha-0001")
    assert bundle.name == "Aula, pääovi"
    assert bundle.location.hours["fri"] == "08:00-16:00"
    assert bundle.location.hours["sat"] == ""
    assert bundle.languages == ("fi", "sv")
    assert bundle.endpoint.url == "https://palaute.varha.example"
    assert "schema/" in (empty.root / "README.md").read_text(encoding="utf-8")
    assert empty.run("schema", "--check").exit_code == 0


# --- init -----------------------------------------------------------------------------------------


def test_init_twice_does_nothing_and_leaves_edits_alone(begun: County) -> None:
    begun.edit("organisation.toml", "#0B5563", "#0B5564")
    before = begun.files()
    assert begun.ok("init", *NEW).startswith("nothing to do")
    assert begun.files() == before


def test_init_in_a_dry_run_makes_not_even_the_folder(empty: County) -> None:
    assert '+id = "varha"' in empty.ok("init", *NEW, "--dry-run")
    assert not empty.root.exists()


def test_init_goes_on_where_it_was_interrupted(begun: County) -> None:
    whole = begun.files()
    (begun.root / "organisation.toml").unlink()
    (begun.root / "surveys/lobby.toml").unlink()
    begun.ok("init", *NEW)
    assert begun.files() == whole


def test_init_leaves_another_folder_alone(begun: County, tmp_path: Path) -> None:
    done = begun.run("init", "--id", "other", "--name", "fi=Muu")
    assert (done.exit_code, 'the folder of "varha" already' in done.output) == (2, True)
    home = County(tmp_path / "home")
    home.root.mkdir()
    home.write("letter.txt", "dear")
    done = home.run("init", *NEW)
    assert (done.exit_code, "letter.txt" in done.output) == (2, True)
    assert list(home.files()) == ["letter.txt"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--id", "Varha!", "--name", "fi=X"], "small letters"),
        (["--id", "varha", "--name", "fi=X", "--endpoint", "http://x.example"], "https://"),
        (["--id", "varha", "--name", "fi=X", "--languages", "fi,xx"], 'no language "xx"'),
        (["--id", "varha", "--name", "fi=X", "--prefix", "A B"], "small letters"),
    ],
)
def test_init_with_something_wrong_makes_nothing(
    empty: County, words: list[str], what: str
) -> None:
    done = empty.run("init", *words)
    assert (done.exit_code, what in done.output) == (1, True), done.output
    assert not empty.root.exists()


def test_init_without_an_endpoint_says_where_to_write_it(empty: County) -> None:
    assert "endpoint.url" in empty.ok("init", "--id", "varha", "--name", "fi=Varha")
    empty.ok(*PLACE)
    done = empty.run(*DEVICE)
    assert (done.exit_code, "endpoint.url: is missing" in done.output) == (1, True)


def test_prefix_and_municipalities_hold_from_then_on(empty: County) -> None:
    empty.ok("init", *NEW, "--prefix", "laite", "--municipality-list", "Salo,Turku")
    done = empty.run(*PLACE[:-1], "Sallo")
    assert (done.exit_code, "did you mean Salo?" in done.output) == (1, True)
    empty.ok(*PLACE)
    assert empty.ok(*DEVICE).startswith("laite-0001\n")


# --- one place, one device ------------------------------------------------------------------------


def test_adding_the_same_again_does_nothing(begun: County) -> None:
    begun.ok(*PLACE)
    begun.ok(*DEVICE, "--panel", "10in-portrait")
    before = begun.files()
    assert begun.ok(*PLACE).startswith("nothing to do")
    assert begun.ok(*DEVICE, "--panel", "10in-portrait").startswith("nothing to do")
    assert begun.run(*PLACE, "--hours", "mon=08:00-09:00").exit_code == 2
    assert begun.run(*DEVICE, "--panel", "21in-portrait").exit_code == 2
    assert begun.files() == before


def test_ids_go_on_above_all_that_any_file_names_or_named(county: County) -> None:
    words = ["--name", "fi=A", "--name", "sv=B", "--name", "en=C"]
    words += ["--municipality", "Lehtoranta"]
    with (county.root / "devices/esim-0001.toml").open("a") as file:
        file.write('\n[[was]]\nuntil = "2025-02-01"\nlocation = "0040"\n')
    assert json.loads(county.ok("add-location", *words, "--format", "json"))["id"] == "0041"
    county.write("locations/0044.toml", "broken [")
    words[1] = "fi=D"
    assert json.loads(county.ok("add-location", *words, "--format", "json"))["id"] == "0045"
    county.write("devices/esim-0012.toml", "broken [")
    done = county.ok("add-device", "--location", "0045", "--name", "X", "--format", "json")
    assert json.loads(done)["id"] == "esim-0013"


def test_a_name_without_a_language_stands_for_all_and_says_so(begun: County) -> None:
    said = begun.ok(*PLACE)
    place = tomllib.loads((begun.root / "locations/0001.toml").read_text(encoding="utf-8"))
    assert place["name"] == {"fi": "Salon terveysasema", "sv": "Salon terveysasema"}
    assert 'hymio fleet rename 0001 --undated --name sv="…"' in said
    begun.ok("rename", "0001", "--undated", "--name", "sv=Salo hvc")
    assert begun.errors() == []


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--name", "fi=Vain suomeksi", "--municipality", "Salo"], 1, 'no name in "sv"'),
        ([*PLACE[1:], "--hours", "ma-pe=08:00-16:00"], 2, "mon-fri=08:00-16:00"),
        ([*PLACE[1:], "--hours", "fri-mon=08:00-16:00"], 2, "mon-fri=08:00-16:00"),
        ([*PLACE[1:], "--hours", "mon=16:00-08:00"], 1, "ends before it begins"),
        ([*PLACE[1:], "--services", "dental"], 1, 'no service "dental"'),
        ([*PLACE[1:], "--languages", "fi,sw"], 1, 'no language "sw"'),
        ([*PLACE[1:], "--survey", "loby"], 1, "did you mean lobby?"),
        (["--name", "x", "--municipality", ""], 1, "municipality"),
    ],
)
def test_a_place_that_would_be_an_error_is_not_added(
    begun: County, words: list[str], code: int, what: str
) -> None:
    before = begun.files()
    done = begun.run("add-location", *words)
    assert (done.exit_code, what in done.output) == (code, True), done.output
    assert begun.files() == before


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--location", "0001", "--name", "x", "--panel", "10in-portait"], 2, "10in-portrait"),
        (["--location", "0001", "--name", "x", "--panel", "1280x800@136x217"], 1, "not be square"),
        (["--location", "0002", "--name", "x"], 2, "did you mean 0001?"),
        (["--location", "0001", "--name", ""], 1, "name"),
        (["--location", "0001", "--name", "x", "--id", "Aula"], 1, "small letters"),
    ],
)
def test_a_device_that_would_be_an_error_is_not_added(
    begun: County, words: list[str], code: int, what: str
) -> None:
    begun.ok(*PLACE)
    before = begun.files()
    done = begun.run("add-device", *words)
    assert (done.exit_code, what in done.output) == (code, True), done.output
    assert begun.files() == before


def test_a_panel_can_be_given_in_pixels_and_millimetres(begun: County) -> None:
    begun.ok(*PLACE)
    begun.ok(*DEVICE, "--panel", "1920x1200px@258.5x161.5mm")
    screen = resolve(begun.root, "varha-0001").screen
    assert (screen.width_px, screen.height_px) == (1920, 1200)
    assert (screen.width_mm, screen.height_mm) == (258.5, 161.5)


# --- many devices ---------------------------------------------------------------------------------

LIST = """\
place;municipality;name;panel;id;place_sv
Salon terveysasema;Salo;Aula, pääovi;10in-portrait;;Salo hälsostation
Salon terveysasema;Salo;"Neuvola; 2. kerros";;;
Turun sairaala;Turku;Aula;21in-portrait;varha-0100;Åbo sjukhus

"""


def add_devices(county: County, text: str | bytes, *words: str) -> tuple[int, str]:
    file = county.root.parent / "list.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    done = county.run("add-devices", "--csv", str(file), *words)
    return done.exit_code, done.output.replace(f"{file}:", "list.csv:")


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("form", ["plain", "bom", "excel"])
def test_a_list_is_read_as_any_program_writes_it(begun: County, delimiter: str, form: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(csv.reader(io.StringIO(LIST), delimiter=";"))
    text = out.getvalue()
    if form == "excel":
        text = f"sep={delimiter}\r\n{text}"
    raw = text.encode("utf-8-sig" if form == "bom" else "utf-8")
    assert add_devices(begun, raw, "--create-locations")[0] == 0
    assert begun.errors() == []
    assert {d: resolve(begun.root, d).name for d in ("varha-0001", "varha-0002", "varha-0100")} == {
        "varha-0001": "Aula, pääovi",
        "varha-0002": "Neuvola; 2. kerros",
        "varha-0100": "Aula",
    }
    place = resolve(begun.root, "varha-0100").location
    assert (place.name["fi"], place.name["sv"]) == ("Turun sairaala", "Åbo sjukhus")


def test_a_list_can_be_read_twice_and_from_standard_input(begun: County) -> None:
    shown = begun.ok("add-devices", "--csv", "-", "--create-locations", "--dry-run", stdin=LIST)
    assert "+++ b/devices/varha-0100.toml" in shown
    assert not (begun.root / "devices").exists()
    begun.ok("add-devices", "--csv", "-", "--create-locations", stdin=LIST)
    before = begun.files()
    told = begun.ok("add-devices", "--csv", "-", "--format", "json", stdin=LIST)
    assert json.loads(told)["there"] == ["varha-0001", "varha-0002", "varha-0100"]
    assert begun.files() == before
    more = LIST.rstrip() + "\nSalon terveysasema;Salo;Käytävä;;;\n"
    assert "varha-0101  at 0001" in begun.ok("add-devices", "--csv", "-", stdin=more)


def test_everything_wrong_in_a_list_is_said_with_line_and_column_and_nothing_is_written(
    begun: County,
) -> None:
    begun.ok(*PLACE)
    before = begun.files()
    wrong = """\
location;place;municipality;name;panel;id
0001;;;Aula;10in-portait;
0009;;;Aula;;
;Salon terveysasem;Salo;Aula;;
;Salon terveysasema;Salo;;;
;;;Aula;;
0001;;;"Ovi
kaksi riviä";;varha-0007
0001;;;Toinen;;varha-0007
0001;;;Toinen;;
0001;;;Kolmas;;Ei tunnus
"""
    code, said = add_devices(begun, wrong)
    assert code == 1
    found = [line.split(" ")[:2] for line in said.splitlines() if line.startswith("list.csv")]
    assert found == [
        ["list.csv:2:", "panel:"],
        ["list.csv:3:", "location:"],
        ["list.csv:4:", "place:"],
        ["list.csv:5:", "name:"],
        ["list.csv:6:", "place:"],
        ["list.csv:9:", "id:"],
        ["list.csv:10:", "name:"],
        ["list.csv:11:", "id:"],
    ]
    assert "did you mean Salon terveysasema?" in said
    assert begun.files() == before


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("nimi;place\nx;y\n", "list.csv:1: nimi: unknown column"),
        ("place;municipality\nx;y\n", "list.csv:1: name: is missing"),
        ("name\nx\n", "list.csv:1: location: is missing"),
        ("name;name;location\nx;y;0001\n", "list.csv:1: name: stands twice"),
        ("name;location\nx;0001;z\n", "list.csv:2: has 3 columns"),
        ('name;location\n"x;0001\n', "not CSV"),
        ("name;location\npääovi;0001\n".encode("latin-1"), "list.csv:2: not UTF-8"),
        ("name;location;panel\nx;0001;100x900@10x10\n", "list.csv:2: screen.width_px"),
        ("place;municipality;name\nUusi;;x\n", "list.csv:2: municipality: is empty"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(begun: County, text: str | bytes, what: str) -> None:
    begun.ok(*PLACE)
    before = begun.files()
    code, said = add_devices(begun, text, "--create-locations")
    assert (code, what in said) == (1, True), said
    assert begun.files() == before


def test_a_device_that_is_there_otherwise_is_said(begun: County) -> None:
    begun.ok(*PLACE)
    begun.ok(*DEVICE)
    code, said = add_devices(begun, "location;name;panel\n0001;Aula, pääovi;10in-portrait\n")
    assert (code, "varha-0001 is there already with other screen" in said) == (1, True)
    code, said = add_devices(begun, "location;name;id\n0001;Muu;varha-0001\n")
    assert (code, "varha-0001 is there already with other name" in said) == (1, True)


# --- list -----------------------------------------------------------------------------------------


def test_list_sorts_as_people_count_and_speaks_csv_and_json(county: County) -> None:
    rows = json.loads(county.ok("list", "locations", "--sort", "devices", "--format", "json"))
    assert [row["devices"] for row in rows] == sorted(row["devices"] for row in rows)
    text = county.ok("list", "devices", "--format", "csv", "--sort", "panel")
    table = list(csv.DictReader(io.StringIO(text)))
    assert len(table) == 10
    assert table[0]["panel"] == "10in-landscape"
    assert table[0]["place"]
    merged = next(r for r in county.ok("list", "services").splitlines() if "substance-abuse" in r)
    assert "2025-03-31  mental-health" in merged
    done = county.run("list", "--sort", "colour")
    assert (done.exit_code, "municipality" in done.output) == (2, True)


@pytest.mark.parametrize("command", sorted(fleet.commands))
def test_every_command_explains_itself(command: str) -> None:
    said = CliRunner().invoke(fleet, [command, "--help"])
    assert (said.exit_code, said.output.startswith("Usage: ")) == (0, True)
    line = example(command)
    assert said.output.rstrip().endswith(f"Example:\n    {line}"), "whole, to be copied"
    words = shlex.split(line)[3:]
    fleet.commands[command].make_context(command, words)


def test_the_commands_stand_in_the_order_of_the_work() -> None:
    names = [name for group in WORK.values() for name in group]
    assert sorted(names) == sorted(fleet.commands)
    said = CliRunner().invoke(fleet, ["--help"]).output
    at = [said.index(f"\n  {name} ") for name in names]
    assert at == sorted(at)


def test_the_guide_names_only_commands_and_options_there_are() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    named = re.findall(r"(?:hymio fleet |`)([a-z]+(?:-[a-z]+)*)( [^`|\n]*)?", text)
    found = [(command, words) for command, words in named if command in fleet.commands]
    assert len({command for command, _ in found}) >= 20
    for command, words in found:
        options = {name for p in fleet.commands[command].params for name in p.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= options, command
    assert set(re.findall(r"hymio fleet ([a-z-]+)", text)) <= set(fleet.commands)
