"""status: how devices stand, told to people and to programs."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosk.fleet import status, status_commands
from sync.collector import standing
from tests.kiosk.fleet.office import SEEN, Office
from tests.sync.collector.world import answer, items


def test_the_line_of_the_eight_steps_is_seen(published: Office) -> None:
    terminal = published.enrolled("esim-0001")
    terminal.send(items([answer("v1")]), status=SEEN)
    told = published.ok("status", "esim-0001").splitlines()
    assert told[0].startswith("esim-0001, ")
    assert told[0].endswith(", Aula, pääovi")
    assert told[1].startswith("  enrolled, configuration 1, seen ")
    assert re.search(r"\d (s|min) ago, outbox 0$", told[1])


def test_the_table_tells_what_needs_telling(published: Office) -> None:
    published.enrolled("esim-0001")
    published.ok("enrol", "esim-0002")
    refused = [{"version": 2, "reason": "signed by a key this device does not trust"}]
    stuck = published.enrolled("esim-0003")
    stuck.send(
        items([answer("v1")]),
        status=SEEN | {"refused": refused, "checks_failed": ["clock", "touch"]},
        tail_seq=41,
    )
    published.ok("publish", "esim-0001", "--all")
    rows = {line.split()[0]: line for line in published.ok("status").splitlines()}
    assert "enrolled" in rows["esim-0001"]
    assert "1 (published 2)" in rows["esim-0001"]
    assert "never enrolled" in rows["esim-0002"]
    assert "code open until 20" in rows["esim-0002"]
    assert "configuration 2 refused: signed by a key" in rows["esim-0003"]
    assert "failed on site: clock, touch" in rows["esim-0003"]
    assert "  40" in rows["esim-0003"]
    assert rows["esim-0004"].split()[-2:] == ["never", "-"]


def test_states_are_chosen_sorted_and_checked(published: Office) -> None:
    published.enrolled("esim-0002")
    stubborn = published.enrolled("esim-0003")
    stubborn.send([], status=SEEN | {"refused": [{"version": 2, "reason": "x"}]})
    assert published.fleet("status", "--check").exit_code == 1
    assert published.fleet("status", "esim-0002", "--check").exit_code == 0
    only = published.json("status", "--state", "refused")
    assert [row["id"] for row in only] == ["esim-0003"]
    worst = published.json("status", "--sort", "state")
    assert worst[0]["id"] == "esim-0003"
    never = published.json("status", "--state", "never-enrolled, ok", "--sort", "seen")
    assert [row["id"] for row in never] == ["esim-0001", "esim-0004", "esim-0002"]
    strange = published.fleet("status", "--state", "sleepy")
    assert strange.exit_code == 2
    assert "no state sleepy" in strange.output


def test_a_spreadsheet_gets_plain_values(published: Office) -> None:
    published.enrolled("esim-0001", last_touch="2026-11-01T10:00:00+00:00")
    rows = list(csv.DictReader(io.StringIO(published.ok("status", "--format", "csv"))))
    assert [row["device"] for row in rows] == [f"esim-{n:04}" for n in range(1, 5)]
    assert rows[0]["state"] in {"ok", "quiet"}
    assert (rows[0]["active"], rows[0]["published"], rows[0]["outbox"]) == ("1", "1", "0")
    assert rows[0]["seen"].startswith("20")
    assert (rows[1]["seen"], rows[1]["outbox"]) == ("", "")


def test_wrong_use_is_not_called_unreachable(office: Office, tmp_path: Path) -> None:
    office.keys = tmp_path / "none"
    office.url = "http://127.0.0.1:1"
    done = office.fleet("status")
    assert done.exit_code == 2
    assert "operator.key is missing" in done.output
    office.county.edit("organisation.toml", 'url = "https://palaute.esimerkki.example"', "")
    office.url = ""
    assert office.fleet("status").exit_code == 2


def test_an_unknown_operator_is_named_by_fingerprint(office: Office) -> None:
    with office.centre.store.tx() as tx:
        tx.run("delete from operators where name = 'maija'")
    done = office.fleet("status")
    assert done.exit_code == 1
    assert "operator key " in done.output
    assert "add-operator" in done.output


def test_watching_ends_with_the_first_word_that_fails(office: Office) -> None:
    assert office.fleet("status", "--watch", "0").exit_code == 2
    office.url = "http://127.0.0.1:1"
    assert office.fleet("status", "--watch", "1").exit_code == 3


def test_the_states_are_those_the_centre_knows() -> None:
    assert set(status.STATES) == set(standing.STATES)
    assert set(status.WORRIES) == set(standing.WORRIES)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_shown_as_it_is(text: str) -> None:
    assert status.when(text, dt.datetime.now(dt.UTC)) == text


def test_ctrl_c_is_how_a_watch_ends(published: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(status_commands, "time", SimpleNamespace(sleep=pressed))
    done = published.fleet("status", "--watch", "5")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.count("\nesim-0001 ") == 1


def test_a_device_nobody_knows_is_told_from_one_not_published(published: Office) -> None:
    assert "the centre does not know esim-0099, nor does this folder" in (
        published.fleet("status", "esim-0099").output
    )
    published.edit("add-device", "--location", "0003", "--name", "Uusi")
    assert "does not know esim-0005: publish first" in published.fleet("status", "esim-0005").output
