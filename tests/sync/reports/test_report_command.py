"""`hymio report` as a person meets it: numbers, languages, order, wrong use."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kiosk.cli import cli
from sync.collector.reports.model import BY
from sync.collector.store import tables as t
from tests.sync.reports.centre import QUESTION, Centre

GOOD = {10: 80, 8: 15, 3: 5}
POOR = {10: 60, 8: 25, 3: 15}


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("by", BY)
def test_every_breakdown_in_every_language_and_format(
    centre: Centre, by: str, form: str, language: str
) -> None:
    centre.answers(GOOD).answers({5: 4, 2: 1}, question="s05").save()
    result = centre.run("--by", by, "--format", form, "--language", language)
    assert result.exit_code == 0, result.output
    if form == "json":
        found = json.loads(result.stdout)
        assert found["headline"]["nps"] == 75
        assert found["total"]["n"] == sum(row["n"] for row in found["rows"])
        assert found["rows"][0]["n"] == (5 if by in ("statement", "theme") else 100)
    elif form == "csv":
        rows = list(
            csv.reader(io.StringIO(result.output), delimiter=";" if language != "en" else ",")
        )
        assert len({len(row) for row in rows}) == 1
        assert rows[-1][0] == {"fi": "Yhteensä", "sv": "Totalt", "en": "Total"}[language]
    else:
        assert "NPS 75 (62–84)" in result.output
        assert {"fi": "palautelaite", "sv": "responsterminal", "en": "terminal"}[language] in (
            result.output
        )


def test_csv_speaks_the_reader_s_spreadsheet(centre: Centre) -> None:
    centre.answers({10: 54, 8: 22, 0: 113}).save()
    finnish = centre.run("--format", "csv", "--language", "fi").output.splitlines()
    english = centre.run("--format", "csv", "--language", "en").output.splitlines()
    assert finnish[1].split(";")[3:7] == ["\u221231", "\u221243,2", "\u221218,2", "28,6"]
    assert english[1].split(",")[3:7] == ["-31", "-43.2", "-18.2", "28.6"]


def test_a_name_cannot_be_a_formula(centre: Centre) -> None:
    centre.insert(
        t.locations,
        {"id": "l1", "name": {"fi": '=HYPERLINK("x")'}, "municipality": "", "services": []},
    )
    centre.answers(GOOD).save()
    row = list(csv.reader(io.StringIO(centre.run("--format", "csv").output), delimiter=";"))[1]
    assert row[0] == '\'=HYPERLINK("x")'


def test_test_answers_are_left_out(centre: Centre) -> None:
    centre.answers(GOOD).answers({0: 500}, test=True).save()
    assert centre.json()["total"]["n"] == 100


def test_unknown_service_is_a_printed_row_and_stands_last(centre: Centre) -> None:
    centre.answers(GOOD).answers(POOR, service="other").answers({9: 3}, service="öljy").save()
    found = centre.json("--by", "service", "--language", "en")
    assert [row["name"] for row in found["rows"]] == ["öljy", "Other / don't know", "not stated"]
    assert "not stated" in centre.run("--by", "service", "--language", "en").output


def test_units_without_answers_and_silent_devices_stand_apart(centre: Centre) -> None:
    centre.answers(GOOD).save()
    now = datetime.now(UTC)
    for name, hours in (("d1", 1), ("far", 30), ("gone", 900)):
        seen = int((now - timedelta(hours=hours)).timestamp() * 1000)
        state = "retired" if name == "gone" else "active"
        centre.insert(t.devices, {"id": name, "state": state, "last_seen_ms": seen})
    found = centre.json("--by", "device")
    assert [row["key"] for row in found["rows"]] == ["d1"]
    assert [row["key"] for row in found["without_answers"]] == ["far"]
    assert [row["key"] for row in found["silent"]] == ["far"]


def test_a_device_of_a_closed_place_is_not_silent(centre: Centre) -> None:
    shut = json.dumps(dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ""))
    for place, hours in (("open", ""), ("shut", shut)):
        centre.insert(t.locations, {"id": place, "name": {}, "services": [], "hours": hours})
        seen = int((datetime.now(UTC) - timedelta(hours=30)).timestamp() * 1000)
        centre.insert(
            t.devices, {"id": place, "location": place, "state": "active", "last_seen_ms": seen}
        )
    assert [one["key"] for one in centre.answers(GOOD).save().json()["silent"]] == ["open"]


def test_the_headline_is_raw_and_the_cleaned_figure_stands_below_it(centre: Centre) -> None:
    centre.answers(GOOD).answers({0: 20}, flagged=True).save()
    found = centre.json()
    assert (found["total"]["n"], found["total"]["nps"]) == (120, 46)
    assert (found["cleaned"]["n"], found["cleaned"]["nps"]) == (100, 75)
    assert (found["flagged"]["n"], found["flagged"]["nps"]) == (20, -100)


def test_where_cleaning_changes_nothing_it_is_not_mentioned(centre: Centre) -> None:
    centre.answers(GOOD).answers({10: 80, 8: 15, 3: 5}, flagged=True).save()
    found = centre.json()
    assert (found["cleaned"], found["flagged"]) == (None, None)


def test_change_is_judged_from_a_hundred_answers_per_side(centre: Centre) -> None:
    centre.answers(GOOD, day="2025-09-15").answers(POOR, day="2025-08-15")
    centre.answers({10: 99}, day="2025-09-15", location="l2")
    centre.answers({10: 99}, day="2025-08-15", location="l2").save()
    args = ("--from", "2025-09-01", "--to", "2025-09-30", "--compare-to", "previous")
    rows = {row["key"]: row for row in centre.json(*args)["rows"]}
    assert (rows["l1"]["change"], rows["l1"]["z"], rows["l1"]["p"]) == (30, 3.185, 0.0014)
    assert rows["l1"]["verdict"] == "more-than-chance"
    assert (rows["l2"]["verdict"], rows["l2"]["z"]) == ("too-few", None)


def test_the_director_s_sentence(centre: Centre) -> None:
    centre.answers({10: 140, 8: 48, 5: 10}, day="2025-09-15")
    centre.answers({10: 135, 8: 48, 5: 13}, day="2025-08-15").save()
    args = ("--from", "2025-09-01", "--to", "2025-09-30", "--compare-to", "2025-08")
    wanted = {
        "en": "NPS 66 (57–73), target 80. Change +3: within chance.",
        "fi": "NPS 66 (57–73), tavoite 80. Muutos +3: sattuman rajoissa.",
        "sv": "NPS 66 (57–73), mål 80. Förändring +3: inom slumpens gränser.",
    }
    for language, sentence in wanted.items():
        assert centre.json(*args, "--language", language)["sentence"] == sentence
        assert centre.run(*args, "--language", language).output.startswith(sentence)


def test_period_ends_are_included(centre: Centre) -> None:
    for day in ("2025-08-31", "2025-09-01", "2025-09-30", "2025-10-01"):
        centre.answers({10: 1}, day=day)
    centre.save()
    assert centre.json("--from", "2025-09-01", "--to", "2025-09-30")["total"]["n"] == 2


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["Ahola", "Mäki", "Äänekoski"]),
        ("count", ["Äänekoski", "Ahola", "Mäki"]),
        ("mean", ["Mäki", "Ahola", "Äänekoski"]),
        ("nps", ["Mäki", "Äänekoski", "Ahola"]),
    ],
)
def test_order(centre: Centre, sort: str, order: list[str]) -> None:
    centre.answers({6: 8, 9: 2, 7: 10}, device="Ahola").answers({10: 3}, device="Mäki")
    centre.answers({10: 15, 0: 15}, device="Äänekoski").save()
    found = centre.json("--by", "device", "--sort", sort)
    assert [row["name"] for row in found["rows"]] == order


def test_statements_show_faces_share_and_interval(centre: Centre) -> None:
    centre.survey(
        texts={"fi": {"statement.s05": "Henkilökunta kohteli minua hyvin"}}, s05="encounter"
    )
    centre.answers({5: 24, 4: 3, 3: 1, 1: 2}, question="s05").save()
    (row,) = centre.json("--by", "statement")["rows"]
    assert row["name"] == "Henkilökunta kohteli minua hyvin"
    assert (row["theme"], row["theme_name"]) == ("encounter", "Kohtaaminen")
    assert row["counts"] == [2, 0, 1, 3, 24]
    assert (row["fully_agree_pct"], row["fully_agree_low"], row["fully_agree_high"]) == (
        80.0,
        62.7,
        90.5,
    )


def test_a_changed_wording_is_another_statement(centre: Centre) -> None:
    centre.survey("a@1", texts={"fi": {"s05": "Minua kuunneltiin", "nps": "Suosittelisitko?"}})
    centre.survey("a@2", texts={"fi": {"s05": "Minua kuultiin", "nps": "Suosittelisitko?"}})
    centre.survey("a@3", texts={"fi": {"s05": "Minua kuultiin", "nps": "Suositteletko?"}})
    for number in (1, 2, 3):
        centre.answers({5: number}, question="s05", survey=f"a@{number}")
        centre.answers({10: number}, survey=f"a@{number}")
    found = centre.save().json("--by", "statement")
    assert sorted((row["surveys"], row["n"]) for row in found["rows"]) == [
        ("a@1", 1),
        ("a@2, a@3", 5),
    ]
    assert [q["surveys"] for q in found["questions"]] == [["a@1", "a@2"], ["a@3"]]


def test_a_theme_pools_its_statements(centre: Centre) -> None:
    centre.survey(s05="encounter", s06="encounter", s09="information")
    centre.answers({5: 2}, question="s05").answers({5: 1, 1: 3}, question="s06")
    centre.answers({4: 1}, question="s09").answers({5: 9}, question="satisfied").save()
    found = centre.json("--by", "theme")
    rows = {row["key"]: (row["n"], row["fully_agree_pct"]) for row in found["rows"]}
    assert rows == {"encounter": (6, 50.0), "information": (1, 0.0)}
    assert found["total"]["n"] == 7
    assert found["satisfied"]["n"] == 9
    printed = centre.run("--by", "theme", "--language", "en").output
    assert "Satisfied with the service: Mean 5.00, Answers 9" in printed
    assert (
        "Satisfied with the service: n < 10"
        in centre.run("--by", "theme", "--language", "en", "--public").output
    )


def test_the_question_is_named(centre: Centre) -> None:
    centre.survey()
    centre.answers(GOOD).save()
    for language, text in QUESTION.items():
        assert text in centre.run("--language", language).output


def test_late_arrivals_are_counted(centre: Centre) -> None:
    def record(number: int, day: str, received: str) -> None:
        ms = int(datetime.fromisoformat(received).timestamp() * 1000)
        ident = {"device": "d1", "visit": f"v{number}"}
        centre.insert(
            t.records,
            ident | {"id": f"r{number}", "epoch": "e", "seq": number, "sha256": b"", "day": day,
                     "received_ms": ms},
        )  # fmt: skip
        centre.insert(t.visits, ident | {"day": day})
        centre.insert(
            t.answers,
            ident
            | {"question": "nps", "id": f"r{number}", "kind": "scale", "value": 9, "day": day},
        )

    record(1, "2025-09-20", "2025-09-20T12:00:00+03:00")
    record(2, "2025-09-30", "2025-09-30T23:59:59+03:00")
    record(3, "2025-09-30", "2025-10-01T00:00:01+03:00")
    record(4, "2025-10-01", "2025-10-01T09:00:00+03:00")
    record(5, "2025-09-21", "2025-10-09T09:00:00+03:00")
    args = ("--from", "2025-09-01", "--to", "2025-09-30")
    assert centre.json(*args)["late"] == {"n": 2, "complete": True}
    assert (
        "2 answers came after the period had ended." in centre.run(*args, "--language", "en").output
    )
    assert centre.json()["late"] is None


def test_an_empty_centre_says_so(centre: Centre) -> None:
    for form in ("table", "csv", "json"):
        for by in BY:
            result = centre.run("--by", by, "--format", form)
            assert result.exit_code == 0, result.output
    assert centre.json()["total"]["nps"] is None
    assert "Ei vastauksia tällä jaksolla." in centre.run().output


@pytest.mark.parametrize(
    "args",
    [
        ("--by", "weather"),
        ("--from", "1.2.2025"),
        ("--from", "2025-02-30"),
        ("--from", "2025-03-01", "--to", "2025-02-01"),
        ("--compare-to", "previous"),
        ("--compare-to", "soon"),
        ("--language", "ru"),
        ("--sort", "colour"),
        ("--format", "xml"),
    ],
)
def test_wrong_use_exits_2_and_says_what_is_right(centre: Centre, args: tuple[str, ...]) -> None:
    result = centre.run(*args)
    assert result.exit_code == 2
    assert "Error" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////nowhere/at/all.db", 3),
        ("postgresql://u:p@127.0.0.1:1/x", 3),
        ("mysql://host/db", 2),
        ("", 2),
    ],
)
def test_a_database_out_of_reach(url: str, code: int) -> None:
    result = CliRunner().invoke(cli, ["report", "--database", url])
    assert result.exit_code == code, result.output
    assert result.output
    assert "u:p" not in result.output


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    assert CliRunner().invoke(cli, ["report", "--database", f"sqlite:///{path}"]).exit_code == 3
    assert not path.exists()


def test_json_keeps_counts_and_printed_numbers_together(centre: Centre) -> None:
    centre.answers(GOOD).save()
    total: dict[str, Any] = centre.json()["total"]
    assert total == {
        "shown": "full",
        "n": 100,
        "nps": 75,
        "nps_exact": 75.0,
        "nps_low": 62.1,
        "nps_high": 83.6,
        "promoters": 80,
        "passives": 15,
        "detractors": 5,
        "promoters_pct": 80.0,
        "passives_pct": 15.0,
        "detractors_pct": 5.0,
        "mean": 9.35,
    }
