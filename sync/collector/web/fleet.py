"""The fleet page, computed before a template sees it: filter, order, sums, files."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime

from sync.collector.reports.as_text import safe
from sync.collector.reports.words import Words
from sync.collector.standing import Ledger, Standing, total
from sync.collector.web.columns import COLUMNS, Line
from sync.collector.web.fleet_address import ATTENTION, FleetAddress
from sync.collector.web.health import LEDGER, Fleet, fleet_of, rank


@dataclass(frozen=True)
class FleetPage:
    """Everything the template needs."""

    address: FleetAddress
    fleet: Fleet
    """All devices, whatever the filter."""
    lines: list[Line]
    """Those shown, in order."""
    ledger: Ledger
    """Of those shown."""
    states: list[str]
    municipalities: list[str]
    """What can be chosen; the filter itself always can."""


def fleet_page(
    devices: list[Standing], address: FleetAddress, words: Words, now: datetime
) -> FleetPage:
    """Filter, sort, sum. `now` is in the centre's time zone."""
    zone = now.tzinfo
    assert zone is not None, "now is an aware instant"  # noqa: S101 - for mypy
    lines = [Line(one, words, zone, now) for one in devices]
    shown = _ordered([line for line in lines if _wanted(line, address)], address)
    states = {one.state for one in devices} | {address.state} - {"", ATTENTION}
    towns = {one.municipality for one in devices} | {address.municipality}
    return FleetPage(
        address=address,
        fleet=fleet_of(devices),
        lines=shown,
        ledger=total(line.standing for line in shown),
        states=sorted((state for state in states if words.has(f"state.{state}")), key=rank),
        municipalities=sorted(towns - {""}, key=words.sort_key),
    )


def _wanted(line: Line, address: FleetAddress) -> bool:
    one = line.standing
    if address.state == ATTENTION:
        if not one.worry:
            return False
    elif address.state not in ("", one.state):
        return False
    if address.municipality not in ("", one.municipality):
        return False
    seen = " ".join((one.id, one.name, line.place, one.municipality, one.program)).casefold()
    return all(word in seen for word in address.text.casefold().split())


def _ordered(lines: list[Line], address: FleetAddress) -> list[Line]:
    """In the order asked for; what nobody knows comes last, equals by name."""
    column = COLUMNS[address.sort]
    name, ident = COLUMNS["name"], COLUMNS["id"]
    lines = sorted(lines, key=lambda line: (name.sort_key(line), ident.sort_key(line)))
    known = [line for line in lines if column.sort_key(line) not in (None, "")]
    blank = [line for line in lines if column.sort_key(line) in (None, "")]
    return sorted(known, key=column.sort_key, reverse=address.falling) + blank


def as_csv(page: FleetPage, words: Words) -> str:
    """The lines shown, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if words.comma else ",", lineterminator="\r\n")
    writer.writerow([words(f"column.device.{key}") for key in COLUMNS])
    for line in page.lines:
        writer.writerow([safe(column.text(line)) for column in COLUMNS.values()])
    return out.getvalue()


def as_json(page: FleetPage, now: datetime) -> str:
    """The lines shown, for a program: English names, instants in UTC, null where unknown."""
    found = {
        "v": 1,
        "as_of": now.isoformat(timespec="seconds"),
        "filter": {
            "state": page.address.state,
            "municipality": page.address.municipality,
            "text": page.address.text,
        },
        "devices": [
            {column.key: column.plain(line) for column in COLUMNS.values()} for line in page.lines
        ],
        "total": {name: getattr(page.ledger, name) for name in LEDGER},
    }
    return json.dumps(found, ensure_ascii=False, indent=2)
