"""The accessibility statement claims nothing without naming what holds it."""

from __future__ import annotations

import re
from pathlib import Path

from kiosk.fleet.cli import fleet

ROOT = Path(__file__).resolve().parents[1]
STATEMENT = (ROOT / "kiosk/docs/accessibility.md").read_text(encoding="utf-8")
VERDICTS = ("conforms", "partly", "does not", "not tested", "n/a")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in STATEMENT.splitlines()
    if re.match(r"\| \d", line)
]


def test_every_clause_has_one_of_the_verdicts_and_a_reason() -> None:
    assert len(ROWS) > 120
    for row in ROWS:
        assert len(row) == 4, row
        assert row[2] in VERDICTS and row[3], row
        held = re.search(r"`tests/|`hymio |\]\(|by design", row[3])
        assert held or row[2] != "conforms", row


def test_every_test_named_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", STATEMENT))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
    commands = set(re.findall(r"`hymio fleet (\w+)`", STATEMENT))
    assert commands <= set(fleet.commands)


def test_every_criterion_of_wcag_2_2_a_and_aa_is_there_once() -> None:
    table = STATEMENT.split("## WCAG 2.2")[1].split("\n## ")[0]
    found = re.findall(r"^\| (\d\.\d\.\d+) ", table, re.MULTILINE)
    assert len(found) == len(set(found)) == 55


def test_what_only_people_and_instruments_can_tell_is_not_claimed() -> None:
    verdict = {row[0]: row[2] for row in ROWS}
    for clause in ("4.2.1", "5.1.3.12", "5.1.6.1", "8.3.4", "8.5"):
        assert verdict[clause] != "conforms", clause
    for missing in ("No blind person", "real tablet", "sound meter", "No native reader"):
        assert missing in STATEMENT
