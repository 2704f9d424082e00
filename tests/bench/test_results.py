"""What is recorded, and what the chart is drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench import results
from tests.bench.chart import bars, draw
from tests.bench.figures import Figure, write_between

ORDER = ["append", "sync", "report"]
APPEND = [
    Figure("append: rate", 1234.5678, "commits/s"),
    Figure("append: ours ÷ theirs", 0.8, "×", "a | b", 0.7),
]
SYNC = [
    Figure("sync: ours ÷ slow", 4.2, "×", "", 5),
    Figure("sync: ours ÷ absent", None, "×", "npm is missing", 5),
]


def _record(place: Path, **measured: list[Figure]) -> str:
    parts = {name: results.part(f"run {name}", "here", 1.0, fs) for name, fs in measured.items()}
    results.record(place, parts, ORDER)
    return (place / "RESULTS.md").read_text()


def test_a_part_measured_again_replaces_its_own_figures_only(tmp_path: Path) -> None:
    _record(tmp_path, sync=SYNC, append=APPEND)
    page = _record(tmp_path, append=[Figure("append: rate", 2.0, "commits/s")])
    kept = results.load(tmp_path)
    assert list(kept) == ["append", "sync"]
    assert [f.value for f in kept["append"].figures] == [2.0]
    assert list(kept["sync"].figures) == SYNC
    assert "ours ÷ theirs" not in page
    assert "sync: ours ÷ slow" in page
    assert json.loads((tmp_path / "results.json").read_text())["parts"]["sync"]["command"]


def test_the_page_says_what_was_missed_what_was_not_measured_and_what_not_run(
    tmp_path: Path,
) -> None:
    page = _record(tmp_path, append=APPEND, sync=SYNC)
    assert "**1 of 3 targets met.**" in page
    assert "* missed: sync: ours ÷ slow: 4.2 × (at least 5)" in page
    assert "* not measured: sync: ours ÷ absent (at least 5)" in page
    assert "| sync: ours ÷ absent | not measured | × | ≥ 5 not measured | npm is missing |" in page
    assert "| append: ours ÷ theirs | 0.8 | × | ≥ 0.7 met | a / b |" in page
    assert "## report\n\nNot run yet." in page


def test_figures_are_kept_to_four_digits(tmp_path: Path) -> None:
    _record(tmp_path, append=APPEND)
    assert results.load(tmp_path)["append"].figures[0].value == 1235


def test_the_chart_has_every_measured_ratio_and_nothing_else() -> None:
    found = bars([*APPEND, *SYNC, Figure("growth", 1.1, "×", "", 1.25, "at most")])
    assert [(b.label, b.value, b.target, b.met) for b in found] == [
        ("append: ours ÷ theirs", 0.8, 0.7, True),
        ("sync: ours ÷ slow", 4.2, 5, False),
        ("growth", 1.1, 1.25, True),
    ]


def test_a_bar_is_as_long_as_the_logarithm_of_its_ratio() -> None:
    picture = draw(bars([Figure(f"r{n}", float(n), "×") for n in (10, 100)]))
    shapes = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}rect")
    wide = [float(s.get("width", 0)) for s in shapes if float(s.get("x", 0)) and s.get("height")]
    assert wide[1] == pytest.approx(2 * wide[0], rel=0.01)


def test_a_target_is_marked_where_it_is_and_nothing_is_drawn_outside() -> None:
    picture = draw(bars([Figure("far <1", 0.0004, "×", "", 5), Figure("r", 3000.0, "×")]))
    tree = ElementTree.fromstring(picture)
    lines = [e for e in tree.iter() if e.get("class") == "target" and e.tag.endswith("line")]
    assert len(lines) == 2  # the mark, and the one that explains it
    for shape in tree.iter():
        for name in ("x", "x1", "x2"):
            assert 0 <= float(shape.get(name, 0)) <= 940


def test_figures_stand_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<begin>\nold\n<end>\nbelow\n")
    for _ in range(2):
        write_between(page, "<begin>\n", "<end>", "new")
    assert page.read_text() == "above\n<begin>\n\nnew\n\n<end>\nbelow\n"
    with pytest.raises(ValueError, match="marks"):
        write_between(page, "<other>", "<end>", "new")
