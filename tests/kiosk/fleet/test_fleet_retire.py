"""retire: a device goes out of use for good, and its id is never given again."""

from __future__ import annotations

import json

from click.testing import CliRunner

from kiosk.fleet.cli import fleet
from kiosk.fleet.tree import Tree
from sync.contract import code as codes
from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import SEEN, Office
from tests.sync.collector.world import answer, item

FILE = "devices/esim-0004.toml"
WORDS = ("retire", "esim-0004", "--reason", "rikki", "--yes")


def test_a_retired_device_keeps_its_file_and_is_left_out_of_everything(published: Office) -> None:
    told = published.ok(*WORDS)
    assert "esim-0004 is retired: it is not published any more, and its id stays taken" in told
    assert "the centre takes from it only what is on its disk: rikki" in told
    today = Tree.load(published.county.root).today.isoformat()
    assert f'retired = "{today}"' in (published.county.root / FILE).read_text(encoding="utf-8")
    assert published.row("esim-0004")["state"] == "retired"
    assert "esim-0004" not in published.ok("publish", "--all")
    (row,) = [
        row
        for row in json.loads(listed(published.county, "--format", "json"))
        if row["id"] == "esim-0004"
    ]
    assert row["retired"] == today
    new = published.json("enrol", "--new", "--dry-run")
    assert "esim-0004" not in [one["device"] for one in new["devices"]]


def listed(county: County, *words: str) -> str:
    done = CliRunner().invoke(fleet, ["list", *words, "--root", str(county.root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_can_be_said_again_and_first_without_doing_it(published: Office) -> None:
    before, files = published.audited(), published.county.files()
    shown = published.ok(*WORDS, "--dry-run")
    assert "+retired = " in shown
    assert "would be written: esim-0004 is retired" in shown
    assert (published.audited(), published.county.files()) == (before, files)
    published.ok(*WORDS)
    after = published.audited()
    assert published.ok(*WORDS) == "nothing to do: it stands so already\n"
    assert published.audited() == after


def test_answers_on_its_disk_still_arrive_and_new_codes_are_refused(published: Office) -> None:
    terminal = published.enrolled("esim-0004")
    published.ok(*WORDS)
    terminal.send([item(1, answer(visit="left"))], status=SEEN | {"config": 1})
    with published.centre.store.tx() as tx:
        assert tx.value("select count(*) from visits") == 1
    for command in ("enrol", "replace", "publish", "wipe"):
        done = published.fleet(command, "esim-0004")
        assert done.exit_code == 2, command
        assert "esim-0004 is retired since" in done.output
        assert f"remove `retired` from {FILE}" in done.output


def test_taken_back_by_hand_it_enrols_again(published: Office) -> None:
    published.ok(*WORDS)
    path = published.county.root / FILE
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if not line.startswith("retired")), encoding="utf-8"
    )
    published.ok("publish")
    code = published.json("enrol", "esim-0004")["code"]
    assert published.terminal("esim-0004").enrol(codes.secret(code)).status == 200


def test_its_place_and_id_are_free_and_taken(county: County) -> None:
    path = county.root / "devices/esim-0010.toml"
    text = path.read_text(encoding="utf-8")
    data = Tree.load(county.root).devices["esim-0010"].data
    path.write_text(text.replace("\nname = ", '\nretired = "2026-01-31"\nname = ', 1), "utf-8")
    words = ["--location", data["location"], "--name", data["name"], "--root", str(county.root)]
    done = CliRunner().invoke(fleet, ["add-device", *words, "--format", "json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["id"] == "esim-0011", "another machine, another id"


def test_a_day_that_is_none_or_to_come_is_said(county: County) -> None:
    for day, what in (("2026-02-30", "is not a day"), ("2999-01-01", "is still to come")):
        county.edit(FILE, "\nname = ", f'\nretired = "{day}"\nname = ')
        (error,) = [e for e in county.problems() if e.severity == "error"]
        assert (error.file, error.key) == (FILE, "retired")
        assert what in error.what
        county.edit(FILE, f'\nretired = "{day}"', "")
