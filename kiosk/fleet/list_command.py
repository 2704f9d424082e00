"""`hymio fleet list`: the devices, places and services there are."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from kiosk.fleet import panels
from kiosk.fleet.desk import print_json, read_tree, root_option
from kiosk.fleet.tree import Tree

Row = dict[str, str]


def devices(tree: Tree) -> list[Row]:
    """One row a device: where it stands and what it is."""
    found = []
    for ident, source in tree.devices.items():
        place = tree.locations.get(str(source.data.get("location")))
        settings = tree.merged(source).data
        found.append(
            {
                "id": ident,
                "location": str(source.data.get("location", "")),
                "place": _name(place.data.get("name", {})) if place else "",
                "municipality": place.data.get("municipality", "") if place else "",
                "name": source.data.get("name", ""),
                "panel": panels.name_of(settings["screen"]),
                "survey": settings["survey"],
                "languages": " ".join(settings["languages"]),
                "retired": str(source.data.get("retired", "")),
            }
        )
    return found


def locations(tree: Tree) -> list[Row]:
    """One row a place."""
    standing = [str(source.data.get("location")) for source in tree.in_use.values()]
    return [
        {
            "id": ident,
            "name": _name(source.data.get("name", {})),
            "municipality": source.data.get("municipality", ""),
            "devices": str(standing.count(ident)),
            "services": " ".join(source.data.get("services", ())) or "all",
        }
        for ident, source in tree.locations.items()
    ]


def services(tree: Tree) -> list[Row]:
    """One row a service, with the days it is offered."""
    entries = tree.services.data.get("service", ()) if tree.services else ()
    return [
        {
            "id": entry["id"],
            "name": _name(entry["name"]),
            "group": entry.get("group", ""),
            "from": entry.get("from", ""),
            "until": entry.get("until", ""),
            "merged_into": entry.get("merged_into", ""),
        }
        for entry in entries
    ]


KINDS: Mapping[str, Callable[[Tree], list[Row]]] = {
    "devices": devices,
    "locations": locations,
    "services": services,
}


@click.command("list")
@click.argument("what", type=click.Choice(list(KINDS)), default="devices")
@root_option
@click.option("--sort", default="id", show_default=True, metavar="COLUMN", help="Sort by it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
def list_command(what: str, root: Path, sort: str, form: str) -> None:
    """List the devices, locations or services there are."""
    rows = KINDS[what](read_tree(root))
    columns = list(rows[0]) if rows else ["id"]
    if sort not in columns:
        raise click.BadParameter(f"no column {sort}: {', '.join(columns)}", param_hint="--sort")
    rows.sort(key=lambda row: (_as_people_count(row[sort]), row["id"]))
    if form == "json":
        print_json(rows)
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        click.echo(f"no {what}")
    else:
        widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
        for cells in (columns, *(row.values() for row in rows)):
            padded = (f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
            click.echo("  ".join(padded).rstrip())


def _as_people_count(text: str) -> tuple[int, str]:
    """2 before 10, and words after numbers."""
    return (int(text), "") if text.isdecimal() else (sys.maxsize, text.casefold())


def _name(names: Mapping[str, Any]) -> str:
    return str(next(iter(names.values()), ""))


COMMANDS: tuple[click.Command, ...] = (list_command,)
