"""Renamed places and services, merged services: today's name, and a word of what was before."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.collector.store import open_store
from sync.collector.store import tables as t
from tests import postgres
from tests.sync.reports.centre import Centre

MERGED = {"until": "2025-09-30", "merged_into": "suu"}
HAMMAS = {"fi": "Hammashoito", "sv": "Tandvård", "en": "Dental care"}
SUU = {"fi": "Suun terveydenhuolto", "sv": "Munhälsa", "en": "Oral health"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.running() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, centre: Centre) -> Centre:
    """The same on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return centre
    other = Centre(request.getfixturevalue("cluster").database())
    open_store(other.url, fresh=True).close()
    return other


def services(centre: Centre, *rows: dict[str, Any]) -> None:
    blank = {"name": {}, "grouping": "", "since": "", "until": "", "merged_into": "", "history": ""}
    centre.insert(t.services, *({**blank, **row} for row in rows))


def rows(centre: Centre, *args: str) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in centre.json(*args)["rows"]}


def test_a_merged_service_is_counted_under_its_successor(either: Centre) -> None:
    services(
        either,
        {"id": "suu", "name": SUU},
        {"id": "hammas", "name": HAMMAS, **MERGED},
        {"id": "koulu", "name": {"fi": "Kouluhammas"}, "until": "2024-12-31",
         "merged_into": "hammas"},
    )  # fmt: skip
    either.answers({10: 40}, service="suu", day="2025-10-02", location="a")
    either.answers({10: 30, 0: 10}, service="hammas", day="2025-09-02", location="b")
    either.answers({9: 1}, service="koulu", day="2024-09-02", location="c").save()
    found = rows(either, "--by", "service")
    assert set(found) == {"suu"}
    assert (found["suu"]["n"], found["suu"]["units"]) == (81, 3)
    assert found["suu"]["includes"] == [
        {"key": "hammas", "name": "Hammashoito", "until": "2025-09-30"},
        {"key": "koulu", "name": "Kouluhammas", "until": "2024-12-31"},
    ]
    # Only what answers of the period came under is mentioned.
    since = ("--by", "service", "--from", "2025-10-01")
    assert rows(either, *since)["suu"]["includes"] == []
    assert either.json(*since)["without_answers"] == []


@pytest.mark.parametrize(
    ("language", "includes", "formerly"),
    [
        ("fi", "sisältää: Hammashoito 30.9.2025 asti", "31.8.2025 asti nimellä Keskusta"),
        ("sv", "omfattar Tandvård till och med 30.9.2025",
         "till och med 31.8.2025 under namnet Centrum"),
        ("en", "includes Dental care until 30 Sep 2025", "called Keskusta until 31 Aug 2025"),
    ],
)  # fmt: skip
def test_the_note_says_so_in_every_form(
    centre: Centre, language: str, includes: str, formerly: str
) -> None:
    services(centre, {"id": "suu", "name": SUU}, {"id": "hammas", "name": HAMMAS, **MERGED})
    centre.answers({10: 40}, service="hammas").answers({10: 40}, day="2025-08-31").save()
    was = [{"until": "2025-08-31", "name": {"fi": "Keskusta", "sv": "Centrum"}}]
    centre.insert(
        t.locations,
        {"id": "l1", "name": {"fi": "Asema"}, "services": [], "history": json.dumps(was)},
    )
    for by, note in (("service", includes), ("location", formerly)):
        assert note in centre.run("--by", by, "--language", language).output
        text = centre.run("--by", by, "--language", language, "--format", "csv").output
        table = list(csv.reader(io.StringIO(text), delimiter="," if language == "en" else ";"))
        assert any(note in cell for cell in table[1]), table[1]


def test_today_s_name_stands_in_the_row_and_the_former_once(either: Centre) -> None:
    was = [
        {"until": "2024-12-31", "name": {"fi": "Vanhin"}},
        {"until": "2025-03-31", "municipality": "Salo"},
        {"until": "2025-06-30", "name": {"fi": "Vanha"}},
        {"until": "2999-12-31", "name": {"fi": "Nykyinen"}},
    ]
    either.insert(
        t.locations,
        {"id": "l1", "name": {"fi": "Tuleva"}, "services": [], "history": json.dumps(was)},
    )
    either.answers({10: 40}, day="2024-12-31").answers({10: 1}, day="2025-06-30")
    either.answers({10: 40}, day="2025-07-01").save()
    oldest, old = (
        {"name": "Vanhin", "until": "2024-12-31"},
        {"name": "Vanha", "until": "2025-06-30"},
    )
    for period, former in (
        ((), [oldest, old]),
        (("--from", "2025-01-01"), [old]),
        (("--from", "2025-06-30", "--to", "2025-06-30"), [old]),
        (("--from", "2025-07-01"), []),
        (("--to", "2024-12-31"), [oldest]),
    ):
        found = rows(either, *period)["l1"]
        assert (found["name"], found["formerly"]) == ("Nykyinen", former), period


def test_a_merger_that_is_still_to_come_changes_nothing(centre: Centre) -> None:
    ahead = {"until": "2999-12-31", "merged_into": "suu"}
    services(centre, {"id": "suu", "name": SUU}, {"id": "hammas", "name": HAMMAS, **ahead})
    centre.answers({10: 4}, service="hammas").save()
    found = centre.json("--by", "service")
    assert [row["key"] for row in found["rows"]] == ["hammas"]
    assert [one["key"] for one in found["without_answers"]] == ["suu"]


def test_a_service_that_was_not_given_is_not_missed(centre: Centre) -> None:
    services(
        centre,
        {"id": "ended", "until": "2025-06-30"},
        {"id": "new", "since": "2025-10-01"},
        {"id": "given", "since": "2025-06-30", "until": "2025-10-01"},
    )
    centre.answers({10: 1}).save()
    period = ("--from", "2025-07-01", "--to", "2025-09-30")
    found = centre.json("--by", "service", *period)["without_answers"]
    assert [one["key"] for one in found] == ["given"]


def test_what_is_withheld_does_not_tell_what_is_in_it(centre: Centre) -> None:
    services(centre, {"id": "suu", "name": SUU}, {"id": "hammas", "name": HAMMAS, **MERGED})
    centre.answers({10: 3}, service="hammas").answers({10: 50}, service="other").save()
    found = rows(centre, "--by", "service", "--public")
    assert (found["suu"]["shown"], found["suu"]["includes"]) == ("hidden", None)
    assert "Hammashoito" not in centre.run("--by", "service", "--public").output


def test_a_comparison_follows_the_merger(centre: Centre, tmp_path: Path) -> None:
    services(centre, {"id": "suu", "name": SUU}, {"id": "hammas", "name": HAMMAS, **MERGED})
    centre.answers({10: 200}, service="suu", day="2025-10-15")
    centre.answers({0: 100, 10: 100}, service="hammas", day="2025-09-15").save()
    period = ("--from", "2025-10-01", "--to", "2025-10-31", "--compare-to", "previous")
    row = rows(centre, "--by", "service", *period)["suu"]
    assert (row["before"]["n"], row["change"]) == (200, 100)
    # Nothing of this period came under the old name.
    assert row["includes"] == []
