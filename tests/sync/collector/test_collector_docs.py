"""What centre.md says is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import sync.collector
from sync.collector import openapi, standing
from sync.collector.cli import collector
from sync.collector.store.tables import metadata
from sync.collector.web.columns import COLUMNS
from sync.contract import wire

TEXT = (Path(sync.collector.__file__).parent / "docs" / "centre.md").read_text()


def test_every_problem_code_is_documented_with_its_status() -> None:
    told = {code: int(status) for code, status in re.findall(r"\| `(\w+)` \| (\d{3}) \|", TEXT)}
    assert told == wire.PROBLEM_CODES


def test_every_table_is_documented() -> None:
    told = set(re.findall(r"`(\w+)`", TEXT.split("## Tables")[1].split("## A batch")[0]))
    assert set(metadata.tables) <= told


def test_every_quarantine_code_is_documented() -> None:
    source = (Path(sync.collector.__file__).parent / "reading.py").read_text()
    used = set(re.findall(r'return None, "(\w+)"', source))
    told = set(re.findall(r"\| `(\w+)` \| [^\d]", TEXT.split("Quarantine")[1].split("## ")[0]))
    assert used == told


def test_every_route_of_it_is_documented() -> None:
    told = set(re.findall(r"\| `(\w+ /v1/admin/[\w/{}]+)` \|", TEXT))
    routes = (route for route in openapi.ROUTES if route.path.startswith("/v1/admin/"))
    assert told == {f"{route.method.upper()} {route.path}" for route in routes}


def test_every_standing_is_documented() -> None:
    table = TEXT.split("## How a device stands")[1].split("## ")[0]
    told = re.findall(r"`([\w-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert sorted(told) == sorted(standing.STATES)


def test_every_column_of_the_fleet_page_is_documented_in_its_order() -> None:
    table = TEXT.split("| column | is |")[1].split("## ")[0]
    told = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert told == list(COLUMNS)


def test_every_command_named_exists() -> None:
    assert set(re.findall(r"hymio collector ([\w-]+)", TEXT)) <= set(collector.commands)
