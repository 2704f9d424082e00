"""What may be published by the number of answers, and that nothing hidden can be computed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.collector.reports.model import Shown, Unit
from sync.collector.reports.publish import by_count, protect
from tests.sync.reports.centre import Centre


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (0, Shown.HIDDEN),
        (4, Shown.HIDDEN),
        (5, Shown.UNDER10),
        (9, Shown.UNDER10),
        (10, Shown.INDICATIVE),
        (29, Shown.INDICATIVE),
        (30, Shown.FULL),
    ],
)
def test_steps(n: int, shown: Shown) -> None:
    assert by_count(n) == shown


def test_a_hidden_unit_takes_the_next_smallest_with_it(centre: Centre) -> None:
    for place, n in (("a", 3), ("b", 40), ("c", 200), ("d", 12)):
        centre.answers({10: n}, location=place)
    found = centre.save().json("--public")
    shown = {row["key"]: row["shown"] for row in found["rows"]}
    assert shown == {"a": "hidden", "b": "full", "c": "full", "d": "hidden"}
    hidden = [row for row in found["rows"] if row["shown"] == "hidden"]
    for row in hidden:
        figures = {key: value for key, value in row.items() if key not in ("key", "name", "shown")}
        assert set(figures.values()) == {None}, figures
    assert found["total"]["n"] == 255


def test_what_each_step_prints(centre: Centre) -> None:
    for place, n in (("a", 6), ("b", 7), ("c", 20), ("d", 200)):
        centre.answers({10: n}, location=place)
    rows = {row["key"]: row for row in centre.save().json("--public")["rows"]}
    assert (rows["a"]["shown"], rows["a"]["n"], rows["a"]["nps"]) == ("under10", None, None)
    assert (rows["c"]["shown"], rows["c"]["nps"], rows["c"]["mean"]) == ("indicative", 100, None)
    assert (rows["d"]["shown"], rows["d"]["mean"]) == ("full", 10.0)
    printed = centre.run("--public", "--language", "en").output
    assert "n < 10" in printed
    assert "indicative" in printed
    assert "13" not in printed.replace("2025", "")


def test_staff_see_every_count(centre: Centre) -> None:
    centre.answers({10: 3}, location="a").answers({10: 40}, location="b").save()
    assert [row["n"] for row in centre.json()["rows"]] == [3, 40]


def test_the_order_tells_nothing_of_hidden_units(centre: Centre) -> None:
    for place, n in (("a", 1), ("b", 9), ("c", 4), ("d", 50), ("e", 90)):
        centre.answers({10: n}, location=place)
    rows = centre.save().json("--public", "--sort", "count")["rows"]
    assert [row["key"] for row in rows] == ["e", "d", "a", "b", "c"]


def test_extra_columns_do_not_give_a_hidden_unit_away(centre: Centre) -> None:
    centre.answers({10: 3}, service="a").answers({10: 12}, service="b")
    centre.answers({10: 90}, service="c").save()
    for form in ("csv", "table"):
        lines = centre.run("--by", "service", "--public", "--format", form).output.splitlines()
        hidden = [line for line in lines if "ei julkaista" in line]
        assert len(hidden) == 2
        assert not any(
            character.isdigit() for line in hidden for character in line.split(";2025")[0]
        )


@given(st.lists(st.integers(0, 60), max_size=12))
def test_what_is_withheld_cannot_be_computed_from_the_total(sizes: list[int]) -> None:
    rows = [Unit(f"u{i}", "", Counter({10: n})) for i, n in enumerate(sizes)]
    total = Unit("", "", Counter({10: sum(sizes)}))
    protect(total, rows)
    withheld = [r for r in rows if r.n and r.shown in (Shown.HIDDEN, Shown.UNDER10)]
    for row in rows:
        if row.n < 10 and row.n:
            assert row.shown in (Shown.HIDDEN, Shown.UNDER10)
        if row.n < 5:
            assert row.n == 0 or row.shown == Shown.HIDDEN
    if withheld and total.shown not in (Shown.HIDDEN, Shown.UNDER10):
        assert len(withheld) >= 2
        assert sum(r.n for r in withheld) >= 10
