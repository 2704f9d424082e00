"""Commands that change what is there: they change that, keep what was, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk import pin
from kiosk.fleet import edits
from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import ConfigErrors, EditError
from kiosk.fleet.resolve import resolve
from kiosk.fleet.tree import Tree
from tests.kiosk.fleet.county import EXAMPLE, County, lost_lines

DEVICE = "devices/esim-0001.toml"
PLACE = "locations/0003.toml"
SERVICES = "services.toml"


def read(county: County, file: str) -> dict[str, Any]:
    return tomllib.loads((county.root / file).read_text(encoding="utf-8"))


def service(county: County, ident: str) -> dict[str, Any]:
    return next(entry for entry in read(county, SERVICES)["service"] if entry["id"] == ident)


EDITS = {
    "a device": ["rename", "esim-0001", "--name", "Aula, sivuovi"],
    "a place": ["rename", "0003", "--name", "fi=Uusi", "--name", "sv=Ny"],
    "a place moved": ["move-location", "0003", "--municipality", "Koivusalmi"],
    "a service": ["rename", "dental", "--name", "fi=Hammashoito"],
    "a device moved": ["move", "esim-0001", "--to", "0007"],
    "services merged": ["merge-service", "laboratory", "--into", "outpatient"],
    "a mistake": ["rename", "0003", "--undated", "--name", "fi=Uusi"],
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_shown_made_and_not_made_twice(county: County, name: str) -> None:
    words = EDITS[name]
    before = county.files()
    shown = county.ok(*words, "--dry-run")
    assert county.files() == before
    assert "+++ b/" in shown
    assert "would be written: " in shown
    first = county.ok(*words)
    after = county.files()
    (file,) = [file for file in after if after[file] != before[file]]
    assert list(after) == list(before), "nothing but the file is left in the folder"
    assert all(line in shown for line in first.splitlines())
    assert county.errors() == []
    told = json.loads(county.ok(*words, "--format", "json"))
    assert (told["changed"], told["told"]) == ([], [])
    assert county.ok(*words) == "nothing to do: it stands so already\n"
    assert county.files() == after
    assert lost_lines(before[file], after[file]) <= 2, "no more than the values themselves"


def test_the_former_name_is_kept_with_its_last_day(county: County) -> None:
    former = read(county, PLACE)["name"]
    county.ok("rename", "0003", "--name", "fi=Uusi nimi", "--from", "2026-04-01")
    place = read(county, PLACE)
    assert place["name"] == {**former, "fi": "Uusi nimi"}
    assert place["was"] == [{"until": "2026-03-31", "name": former}]


def test_by_default_a_change_holds_from_today_on(county: County) -> None:
    # The organisation's day: this machine may have another, and it may end meanwhile.
    days = [Tree.load(county.root).today]
    county.ok("move", "esim-0001", "--to", "0007")
    days.append(Tree.load(county.root).today)
    device = read(county, DEVICE)
    (was,) = device["was"]
    assert (device["location"], was["location"]) == ("0007", "0003")
    assert was["until"] in [(day - dt.timedelta(days=1)).isoformat() for day in days]


def test_a_move_says_that_answers_stay_and_nothing_is_deleted(county: County) -> None:
    said = county.ok("move", "esim-0001", "--to", "0007")
    assert "answers keep the place they were given at, and nothing on the device is deleted" in said
    assert resolve(county.root, "esim-0001").location.id == "0007"


def test_two_changes_on_one_day_are_one_entry(county: County) -> None:
    former = read(county, DEVICE)
    county.ok("move", "esim-0001", "--to", "0007", "--from", "2026-04-01")
    county.ok("rename", "esim-0001", "--name", "B", "--from", "2026-04-01")
    county.ok("rename", "esim-0001", "--name", "C", "--from", "2026-04-01")
    assert read(county, DEVICE)["was"] == [
        {"until": "2026-03-31", "location": "0003", "name": former["name"]}
    ]


def test_history_grows_at_its_end_and_not_before(county: County) -> None:
    county.ok("move", "esim-0005", "--to", "0012", "--from", "2026-04-01")
    assert [w["until"] for w in read(county, "devices/esim-0005.toml")["was"]] == [
        "2025-08-31",
        "2026-03-31",
    ]
    before = county.files()
    done = county.run("move", "esim-0005", "--to", "0018", "--from", "2026-03-01")
    assert done.exit_code == 2
    assert "changed later" in done.output
    assert county.files() == before


def test_a_change_is_not_made_before_its_day(county: County) -> None:
    before = county.files()
    for words in (EDITS["a place"], EDITS["a device moved"], EDITS["a place moved"]):
        done = county.run(*words, "--from", "2999-01-01")
        assert (done.exit_code, "still to come" in done.output) == (2, True)
    assert county.files() == before


def test_services_may_be_merged_ahead_of_the_day(county: County) -> None:
    county.ok("merge-service", "laboratory", "--into", "outpatient", "--from", "2999-01-01")
    entry = service(county, "laboratory")
    assert (entry["until"], entry["merged_into"]) == ("2998-12-31", "outpatient")
    assert "laboratory" in resolve(county.root, "esim-0001").location.services
    done = county.run("merge-service", "laboratory", "--into", "ward")
    assert (done.exit_code, "was merged into outpatient" in done.output) == (2, True)


def test_a_renamed_service_keeps_its_id_and_other_languages(county: County) -> None:
    former = service(county, "dental")["name"]
    county.ok("rename", "dental", "--name", "fi=Hammashoito", "--from", "2026-04-01")
    entry = service(county, "dental")
    assert entry["name"] == {**former, "fi": "Hammashoito"}
    assert entry["was"] == [{"until": "2026-03-31", "name": former}]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["rename", "esim-9999", "--name", "x"], "no device, location or service"),
        (["rename", "esim-0001", "--name", "x", "--name", "y"], "one name"),
        (["rename", "esim-0001", "--name", "x", "--undated", "--from", "2026-01-01"], "together"),
        (["rename", "0003", "--name", "fi=x", "--from", "1.4.2026"], "2026-04-01"),
        (["move", "esim-0001", "--to", "0004"], "did you mean"),
        (["move", "esim-99", "--to", "0007"], 'no device "esim-99"'),
        (["move-location", "0004", "--municipality", "Koivusalmi"], 'no location "0004"'),
        (["merge-service", "dentl", "--into", "ward"], "did you mean dental?"),
        (["merge-service", "dental", "--into", "wrd"], "did you mean ward?"),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(county: County, words: list[str], what: str) -> None:
    before = county.files()
    done = county.run(*words)
    assert (done.exit_code, what in done.output) == (2, True), done.output
    assert county.files() == before


def test_an_edit_that_would_be_an_error_is_not_made(county: County) -> None:
    before = county.files()
    done = county.run("move-location", "0003", "--municipality", "Koivusalmmi")
    assert done.exit_code == 1
    assert "did you mean Koivusalmi?" in done.output
    assert county.run("merge-service", "dental", "--into", "dental").exit_code == 1
    assert county.files() == before


def test_a_file_with_errors_is_not_edited(county: County) -> None:
    county.edit(DEVICE, "width_mm = 217", "widht_mm = 217")
    before = county.files()
    done = county.run("move", "esim-0001", "--to", "0007")
    assert (done.exit_code, "did you mean width_mm?" in done.output) == (1, True)
    county.write(SERVICES, "x = [")
    done = county.run("merge-service", "dental", "--into", "ward")
    assert (done.exit_code, "services.toml:1: not TOML" in done.output) == (1, True)
    assert {file for file, raw in county.files().items() if raw != before[file]} == {SERVICES}


def test_an_error_elsewhere_does_not_stop_an_edit(county: County) -> None:
    county.edit("devices/esim-0002.toml", "width_mm = 136", "widht_mm = 136")
    county.ok("move", "esim-0001", "--to", "0007")


def test_a_file_changed_meanwhile_is_not_overwritten(county: County) -> None:
    edit = Edit(county.root)
    edits.move(edit, "esim-0001", "0007", edit.today)
    county.edit(DEVICE, "Aula, pääovi", "Aula, sivuovi")
    before = county.files()
    with pytest.raises(EditError, match="changed meanwhile"):
        edit.write()
    assert county.files() == before


def test_a_disk_that_takes_nothing_leaves_everything(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = county.files()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = county.run("move", "esim-0001", "--to", "0007")
    assert done.exit_code == 2
    assert f"{county.root}: No space left on device" in done.output
    assert county.files() == before


def test_rights_line_ends_and_byte_order_mark_stay(county: County) -> None:
    path = county.root / DEVICE
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    county.ok("move", "esim-0001", "--to", "0007")
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert path.stat().st_mode & 0o777 == 0o640


# --- orders to a device ---------------------------------------------------------------------------


def test_orders_are_written_into_the_device_s_file(county: County) -> None:
    assert edits.raise_key_generation(county.root, "esim-0001", dry_run=True).changed == [DEVICE]
    assert resolve(county.root, "esim-0001").key_generation == 0
    edits.raise_key_generation(county.root, "esim-0001")
    edits.raise_key_generation(county.root, "esim-0001")
    assert edits.order_wipe(county.root, "esim-0001").changed == [DEVICE]
    assert edits.order_wipe(county.root, "esim-0001").changed == []
    found = resolve(county.root, "esim-0001")
    assert (found.key_generation, found.wipe) == (2, True)
    edits.order_wipe(county.root, "esim-0001", ordered=False)
    assert not resolve(county.root, "esim-0001").wipe
    with pytest.raises(EditError, match="did you mean"):
        edits.order_wipe(county.root, "esim-001")


# --- the PIN --------------------------------------------------------------------------------------


def test_a_pin_is_kept_as_a_hash_the_terminal_can_check(county: County) -> None:
    county.ok("pin", "--stdin", stdin="582914\n")
    stored = resolve(county.root, "esim-0001").pin_hash
    assert "582914" not in (county.root / "organisation.toml").read_text(encoding="utf-8")
    assert pin.verify(stored, "582914")
    assert not pin.verify(stored, "582915")
    assert "nothing to do" in county.ok("pin", "--stdin", stdin="582914\n")
    county.ok("pin", "--device", "esim-0002", stdin="7391846\n7391846\n")
    assert pin.verify(resolve(county.root, "esim-0002").pin_hash, "7391846")
    assert resolve(county.root, "esim-0001").pin_hash == stored


@pytest.mark.parametrize(
    "digits",
    ["", "12345", "000000", "123456", "987654", "890123", "121212", "123123", "58291a", "1" * 13],
)
def test_a_pin_that_is_easily_guessed_is_refused(county: County, digits: str) -> None:
    before = county.files()
    assert county.run("pin", "--stdin", stdin=f"{digits}\n").exit_code == 2
    assert county.files() == before


def test_a_pin_typed_otherwise_the_second_time_is_asked_again(county: County) -> None:
    done = county.run("pin", stdin="582914\n582915\n582914\n582914\n")
    assert done.exit_code == 0
    assert "582914" not in done.output
    assert pin.verify(resolve(county.root, "esim-0001").pin_hash, "582914")


def test_a_pin_hash_written_by_hand_is_an_error(county: County) -> None:
    county.edit("organisation.toml", "timezone =", 'pin_hash = "582914"\ntimezone =')
    assert [(e.key, "hymio fleet pin" in e.remedy) for e in county.errors()] == [("pin_hash", True)]


# --- whatever is edited ---------------------------------------------------------------------------

NAMES = st.text(st.sampled_from("aÄ \"'\\#=[]{}\n\tж"), min_size=1, max_size=9)
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 10, 31))
STEPS = st.one_of(
    st.tuples(st.just("rename"), st.sampled_from(["esim-0001", "0018", "dental", "mental-health"])),
    st.tuples(st.just("move"), st.sampled_from(["0003", "0007", "0031"])),
    st.tuples(st.just("moved"), st.sampled_from(["Koivusalmi", "Honkakoski"])),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(STEPS, NAMES, DAYS), min_size=1, max_size=4))
def test_any_edits_in_any_order_leave_a_sound_folder_and_all_other_lines(
    steps: list[tuple[tuple[str, str], str, dt.date]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "device-config"
        shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("schema", "os"))
        county = County(root)
        before = county.files()
        edit = Edit(root)
        for (what, target), name, day in sorted(steps, key=lambda step: step[2]):
            try:
                if what == "move":
                    edits.move(edit, "esim-0005", target, day)
                elif what == "moved":
                    edits.move_location(edit, "0018", target, day)
                else:
                    (kind,) = edits.kinds(edit, target)
                    names = {"": name} if kind == "device" else {"fi": name, "sv": name}
                    edits.rename(edit, kind, target, names, day)
            except EditError:
                continue
        try:
            edit.write()
        except ConfigErrors:
            assert county.files() == before
            return
        assert county.errors() == []
        for file, raw in county.files().items():
            # Only a line with an edited value may be gone: a place's two names and municipality.
            assert lost_lines(before[file], raw) <= 3
