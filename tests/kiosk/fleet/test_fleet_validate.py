"""Whatever is wrong in the files is said with file, line, key and remedy, and all at once."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from kiosk.fleet import rules
from kiosk.fleet.cli import fleet
from kiosk.fleet.errors import ConfigErrors
from kiosk.fleet.resolve import resolve
from tests.kiosk.fleet.county import County

DEVICE = "devices/esim-0001.toml"
PLACE = "locations/0003.toml"
SURVEY = "surveys/lobby.toml"
TOP = "organisation.toml"


def test_the_example_county_is_sound(county: County) -> None:
    assert county.problems() == []


@dataclass
class Fault:
    """One edit that breaks the county; the error stands `below` lines under it."""

    file: str
    old: str
    new: str
    key: str
    what: str
    remedy: str
    below: int = 0


FAULTS = {
    "unknown key": Fault(
        DEVICE, "width_mm = 217", "widht_mm = 217", "screen.widht_mm", "unknown key", "width_mm?"
    ),
    "unknown key far from any": Fault(
        DEVICE, "[screen]", "zzz = 1\n[screen]", "zzz", "unknown key", "known here: languages"
    ),
    "wrong type": Fault(
        DEVICE, "width_px = 1280", 'width_px = "big"', "screen.width_px", 'is "big"', "whole number"
    ),
    "out of bounds": Fault(
        *(DEVICE, "width_px = 1280", "width_px = 12", "screen.width_px", "is 12"),
        "a whole number of at least 320",
    ),
    "table where a text belongs": Fault(
        SURVEY, "version = 1", "version = { a = 1 }", "version", "a table", "whole number"
    ),
    "text where a table belongs": Fault(
        PLACE, "[hours]", "touch = 5\n[hours]", "name.touch", "is 5", "text"
    ),
    "not one of the choices": Fault(
        *(SURVEY, 'selection = "fixed"', 'selection = "random"', "selection", 'is "random"'),
        "one of fixed, rotated",
    ),
    "missing key": Fault(SURVEY, "version = 1", "", "version", "is missing", "add version", -4),
    "unknown location": Fault(
        DEVICE,
        'location = "0003"',
        'location = "0300"',
        "location",
        "no location",
        "add locations/0300.toml",
    ),
    "unknown survey": Fault(
        TOP, 'survey = "full"', 'survey = "fulll"', "survey", 'no survey "fulll"', "full?"
    ),
    "unknown service": Fault(
        PLACE, '"dental", ', '"dentist", ', "services[1]", 'no service "dentist"', "services.toml"
    ),
    "unknown statement": Fault(
        SURVEY, '"s06"', '"s99"', "statements[1]", 'no statement "s99"', "[own]"
    ),
    "statement twice": Fault(SURVEY, '"s06"', '"s05"', "statements[1]", "twice", "remove one"),
    "more statements asked than listed": Fault(
        SURVEY, "count = 3", "count = 4", "count", "only 3 are listed", "write 3"
    ),
    "unknown text": Fault(
        *(SURVEY, "ask_comment = false", '[texts.fi]\n"nps.questoin" = "x"'),
        *('texts.fi."nps.questoin"', "no such text", "nps.question?", 1),
    ),
    "own statement without wording": Fault(
        *(SURVEY, "ask_comment = false", '[own]\nx1 = "access"'),
        *("own.x1", 'nothing in "fi"', '"statement.x1"', 1),
    ),
    "hours end before they begin": Fault(
        PLACE, '"08:00-15:00"', '"16:00-08:00"', "hours.fri", "ends before it begins", "two days"
    ),
    "hours overlap": Fault(
        *(PLACE, '"08:00-15:00"', '"08:00-12:00,11:00-15:00"', "hours.fri", "overlaps"),
        "in order",
    ),
    "not hours": Fault(PLACE, '"08:00-15:00"', '"8-15"', "hours.fri", '"8-15" is not', "08:00-"),
    "no such time": Fault(
        PLACE, '"08:00-15:00"', '"08:00-25:00"', "hours.fri", "not a time", "08:00-16:00"
    ),
    "not a day of the week": Fault(
        PLACE, 'fri = "08:00-15:00"', 'pe = "08:00-15:00"', "hours.pe", "not a day", "mon, tue"
    ),
    "time zone": Fault(
        *(TOP, '"Europe/Helsinki"', '"Europe/Turku"', "timezone", '"Europe/Turku" is not'),
        "Europe/Helsinki",
    ),
    "date": Fault(PLACE, '"2027-02-28"', '"28.2.2027"', "changed_until", "not a day", "2027-02-28"),
    "accent too light": Fault(
        TOP, '"#0B5563"', '"#3FA9BF"', "accent", "contrast 2.4", "nearest shade that passes is"
    ),
    "accent not a colour": Fault(
        TOP, '"#0B5563"', '"teal"', "accent", 'is "teal"', "six hexadecimal digits"
    ),
    "endpoint without https": Fault(
        TOP, "https://palaute", "http://palaute", "endpoint.url", "not encrypted", "https://"
    ),
    "endpoint with one slash": Fault(
        TOP, "https://palaute", "https:/palaute", "endpoint.url", "not a web address", "https://"
    ),
    "endpoint missing": Fault(
        TOP, 'url = "https://palaute.esimerkki.example"', "", "endpoint.url", "missing", "give", -1
    ),
    "locked in a location": Fault(
        PLACE,
        "[hours]",
        "[storage]\nkeep_days = 2\n[hours]",
        "storage.keep_days",
        "locked",
        "take it out of `locked`",
        1,
    ),
    "locked in a device": Fault(
        DEVICE,
        "[screen]",
        '[endpoint]\nurl = "https://x.example"\n[screen]',
        "endpoint.url",
        "locked endpoint",
        "remove it here",
        1,
    ),
    "locked key that is none": Fault(
        TOP, '"storage.keep_days"', '"storage.keep_day"', "locked[1]", "not a setting", "keep_days?"
    ),
    "panel turned, millimetres not": Fault(
        DEVICE,
        "width_px = 1280\nheight_px = 800",
        "width_px = 800\nheight_px = 1280",
        "screen.width_mm",
        "not be square",
        "in portrait",
        2,
    ),
    "unknown language": Fault(
        TOP, '"et", "ru"', '"ee", "ru"', "languages[3]", 'no language "ee"', "one of fi, sv"
    ),
    "language twice": Fault(TOP, '"et", "ru"', '"sv", "ru"', "languages[3]", "twice", "remove"),
    "name missing in Swedish": Fault(
        PLACE, 'sv = "Modellstads hälsostation"', "", "name", 'no name in "sv"', "add sv", -2
    ),
    "service name missing": Fault(
        "services.toml", ', en = "Home care"', "", "service[14].name", 'no name in "en"', "add en"
    ),
    "privacy notice missing": Fault(
        TOP,
        'et = """\nVastamine',
        'et = ""\nru2 = """\nVastamine',
        "privacy",
        'nothing in "et"',
        "take",
        -30,
    ),
    "contact missing": Fault(
        TOP, 'uk = "Служба', '"en-GB" = "Служба', "contact", 'nothing in "uk"', "add uk", -6
    ),
    "what changed missing in Arabic": Fault(
        PLACE, 'ar = "يمكن', 'ar2 = "يمكن', "changed", 'nothing in "ar"', "add ar", -7
    ),
    "service twice": Fault(
        *("services.toml", 'id = "dental"', 'id = "health-station"', "service[1].id"),
        *("already used on line 30", "another id"),
    ),
    "service id that means other": Fault(
        "services.toml", 'id = "dental"', 'id = "other"', "service[1].id", "stands for", "another"
    ),
    "group without a name": Fault(
        "services.toml",
        "[groups.social]\nfi = ",
        "[groups.social]\n[groups.more]\nfi = ",
        "groups.social",
        "is empty",
        "add fi",
    ),
    "service without a name": Fault(
        "services.toml",
        'name = { fi = "Kotihoito", sv = "Hemvård", en = "Home care" }',
        "name = {}",
        "service[14].name",
        "is empty",
        "add fi",
    ),
    "unknown group": Fault(
        "services.toml",
        'group = "older"\nname = { fi = "Kotihoito"',
        'group = "oldest"\nname = { fi = "Kotihoito"',
        "service[14].group",
        "no group",
        "older?",
    ),
    "device id used twice": Fault(
        "devices/esim-0002.toml",
        'id = "esim-0002"',
        'id = "esim-0001"',
        "id",
        "already used in devices/esim-0001.toml:3",
        "never reused",
    ),
    "place id used twice": Fault(
        *("locations/0007.toml", 'id = "0007"', 'id = "0003"', "id"),
        *("already used in locations/0003.toml:3", "never reused"),
    ),
    "survey id used twice": Fault(
        *("surveys/services.toml", 'id = "services"', 'id = "full"', "id"),
        *("already used in surveys/full.toml:4", "never reused"),
    ),
    "file named otherwise": Fault(
        DEVICE,
        'id = "esim-0001"',
        'id = "esim-0077"',
        "id",
        "not the file's name",
        "esim-0077.toml",
    ),
    "location id not opaque": Fault(
        PLACE, 'id = "0003"', 'id = "aula"', "id", 'is "aula"', "four to six digits"
    ),
    "own statement that is in the bank": Fault(
        SURVEY, "ask_comment = false", '[own]\ns01 = "access"', "own.s01", "bank", "another id", 1
    ),
    "phone address": Fault(
        SURVEY, "ask_comment = false", 'phone_url = "palaute"', "phone_url", "not a web", "https://"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_said_at_its_line_with_a_remedy(county: County, name: str) -> None:
    fault = FAULTS[name]
    line = county.edit(fault.file, fault.old, fault.new) + fault.below
    found = [e for e in county.errors() if e.key == fault.key and fault.what in e.what]
    assert found, [error.entry() for error in county.errors()]
    assert (found[0].file, fault.remedy in found[0].remedy) == (fault.file, True), found[0].entry()
    assert found[0].line == line, found[0].entry()
    lines = (county.root / fault.file).read_text(encoding="utf-8").splitlines()
    last = fault.key.split(".")[-1].split("[")[0].strip('"')
    if fault.what not in ("is missing", "missing"):
        assert last in lines[found[0].line - 1], found[0].entry()


@pytest.mark.parametrize(
    ("file", "text", "line", "what"),
    [
        (DEVICE, 'id = "esim-0001"\nlocation = \n', 2, "not TOML"),
        (DEVICE, 'id = "esim-0001"\nid = "x"\n', 2, "not TOML"),
        (SURVEY, 'id = "lobby\n', 1, "not TOML"),
        (SURVEY, 'id = "lobby"\nstatements = ["s01"', 2, "not TOML"),
        (PLACE, "[name\nfi = 1\n", 1, "not TOML"),
        (TOP, "a = 1\n[b]\n[b]\n", 3, "not TOML"),
        ("services.toml", "x = [1,,2]\n", 1, "not TOML"),
    ],
)
def test_a_syntax_error_is_said_at_its_line(
    county: County, file: str, text: str, line: int, what: str
) -> None:
    county.write(file, text)
    mine = [error for error in county.errors() if error.file == file]
    assert [(error.line, what in error.what) for error in mine] == [(line, True)]
    assert mine[0].remedy


def test_a_broken_file_is_not_also_reported_as_missing(county: County) -> None:
    county.write(PLACE, "[name\n")
    county.write("surveys/full.toml", "x =\n")
    assert {error.file for error in county.errors()} == {PLACE, "surveys/full.toml"}


def test_bytes_that_are_not_utf8(county: County) -> None:
    path = county.root / DEVICE
    path.write_bytes(path.read_bytes().replace("pääovi".encode(), "pääovi".encode("latin-1")))
    (error,) = county.errors()
    assert (error.file, error.line, "UTF-8" in error.what) == (DEVICE, 5, True)


def test_a_file_from_another_system_is_read_all_the_same(county: County) -> None:
    """With a byte order mark and two characters at each line's end."""
    for file in (DEVICE, TOP, SURVEY):
        path = county.root / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert county.problems() == []
    line = county.edit_bytes(DEVICE, b"width_mm = 217", b"widht_mm = 217")
    assert [(error.key, error.line) for error in county.errors()] == [("screen.widht_mm", line)]


def test_a_file_nested_without_end_is_an_error(county: County) -> None:
    county.write(DEVICE, "x = " + "[" * 5000 + "]" * 5000)
    assert [(e.file, e.what) for e in county.errors()] == [(DEVICE, "nested too deeply")]


def test_all_faults_of_all_files_are_said_at_once(county: County) -> None:
    together = ["unknown key", "hours overlap", "unknown statement", "accent too light"]
    together += ["unknown group", "time zone", "not one of the choices", "locked key that is none"]
    for name in together:
        county.edit(FAULTS[name].file, FAULTS[name].old, FAULTS[name].new)
    found = county.errors()
    for name in together:
        assert any(e.key == FAULTS[name].key and FAULTS[name].what in e.what for e in found), name
    assert len(found) == len(together), [error.entry() for error in found]
    assert found == sorted(found)


@pytest.mark.parametrize("name", ["unknown key", "wrong type", "table where a text belongs"])
def test_one_wrong_value_is_one_error(county: County, name: str) -> None:
    county.edit(FAULTS[name].file, FAULTS[name].old, FAULTS[name].new)
    assert len(county.errors()) == 1


def test_a_private_key_in_the_folder_is_an_error(county: County) -> None:
    county.write("keys/organisation.key", "-----BEGIN PRIVATE KEY-----\nMC4=\n")
    county.write("keys/broken.pub", "AAAA\n")
    assert {(e.file, e.what.split(":")[0]) for e in county.errors()} == {
        ("keys/organisation.key", "is a private key"),
        ("keys/broken.pub", "not a public key"),
    }


def test_missing_files_are_said(county: County) -> None:
    (county.root / TOP).unlink()
    (county.root / "services.toml").unlink()
    assert {(e.file, e.what) for e in county.errors()} == {
        (TOP, "the file is missing"),
        ("services.toml", "the file is missing"),
    }


def test_a_survey_that_never_asks_what_it_lists_is_a_warning(county: County) -> None:
    county.edit(SURVEY, "count = 3", "count = 2")
    (warning,) = county.problems()
    assert (warning.severity, warning.key) == ("warning", "selection")


@pytest.mark.parametrize("key", ["statement.s05", "other-or-unknown"])
def test_a_surveys_own_text_with_a_slash_should_have_a_form_for_the_ear(
    county: County, key: str
) -> None:
    written = f'[texts.fi]\n"{key}" = "Lääkäri/hoitaja"'
    county.edit(SURVEY, "ask_comment = false", written)
    (warning,) = county.problems()
    assert (warning.severity, warning.key.replace('"', "")) == ("warning", f"texts.fi.{key}")
    assert f'"{key}.spoken"' in warning.remedy
    county.edit(SURVEY, written, f'{written}\n"{key}.spoken" = "Lääkäri tai hoitaja"')
    assert county.problems() == []
    assert resolve(county.root, "esim-0002").texts["fi"][f"{key}.spoken"] == "Lääkäri tai hoitaja"


def test_wording_the_program_lacks_is_a_warning_outside_the_finished_languages(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosk.fleet import validate

    real = validate.wording
    monkeypatch.setattr(
        validate,
        "wording",
        lambda lang: {
            k: v for k, v in real(lang).items() if lang not in ("sv", "et") or k != "done"
        },
    )
    found = {(p.severity, p.file, p.what) for p in county.problems()}
    assert ("warning", TOP, 'the program has no "et" wording for done') in found
    assert ("error", TOP, 'the program has no "sv" wording for done') in found


def test_warnings_come_apart_from_errors(county: County) -> None:
    county.edit("locations/0003.toml", "[hours]", '[hours]\nmo = ""')
    county.edit("devices/esim-0005.toml", 'location = "0003"', 'location = "0002"')
    found = run(county, "--no-fit")[1].splitlines()
    assert [line.split(":")[0] for line in found[::2]] == [
        "locations/0003.toml",
        "devices/esim-0005.toml",
        "10 devices, 6 locations, 1 error, 1 warning",
    ]
    assert " warning: was[0].location: " in found[2]
    told = json.loads(run(county, "--no-fit", "--format", "json")[1])
    assert (len(told["errors"]), len(told["warnings"])) == (1, 1)


def test_an_error_stops_only_the_devices_it_concerns(county: County) -> None:
    county.edit("devices/esim-0002.toml", 'location = "0003"', 'location = "9999"')
    assert resolve(county.root, "esim-0001").device == "esim-0001"
    with pytest.raises(ConfigErrors) as caught:
        resolve(county.root, "esim-0002")
    assert [error.key for error in caught.value.errors] == ["location"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.8.8:8080"])
def test_http_is_for_this_machine_alone(host: str) -> None:
    assert rules.endpoint(f"http://{host}/hymio") is None
    assert rules.endpoint("http://127.example.fi") is not None


def test_the_shade_that_is_named_passes_and_is_the_nearest() -> None:
    for colour in ("#3FA9BF", "#FF0000", "#00FF00", "#FFFFFF", "#FFD83D"):
        shade = rules.darker(colour)
        assert rules.accent(shade) is None
        assert min(rules.contrast(shade, g) for g in (rules.GROUND, rules.ON_ACCENT)) < 4.9


def test_contrast_agrees_with_the_design() -> None:
    assert round(rules.contrast("#0B5563", "#F4F2ED"), 1) == 7.5
    assert round(rules.contrast("#0B5563", "#FFFFFF"), 1) == 8.4


def run(county: County, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(fleet, ["validate", "--root", str(county.root), *words])
    return result.exit_code, result.stdout


def test_the_command_counts_and_ends_with_0_or_1(county: County) -> None:
    assert run(county) == (0, "10 devices, 6 locations, 0 errors\n")
    line = county.edit(DEVICE, "width_mm = 217", "widht_mm = 217")
    code, output = run(county)
    assert code == 1
    assert output.startswith(f"{DEVICE}:{line}: screen.widht_mm: unknown key\n    → did you mean")
    assert output.endswith("10 devices, 6 locations, 1 error\n")


def test_the_command_speaks_json(county: County) -> None:
    line = county.edit(DEVICE, "width_mm = 217", "widht_mm = 217")
    code, output = run(county, "--format", "json")
    told = json.loads(output)
    assert (code, told["devices"], told["locations"], told["warnings"]) == (1, 10, 6, [])
    assert told["errors"] == [
        {
            "file": DEVICE,
            "line": line,
            "key": "screen.widht_mm",
            "what": "unknown key",
            "remedy": "did you mean width_mm?",
            "severity": "error",
        }
    ]


def test_a_folder_that_is_not_there_is_wrong_use(county: County) -> None:
    result = CliRunner().invoke(fleet, ["validate", "--root", str(county.root / "nowhere")])
    assert result.exit_code == 2
    assert "--root" in result.output
