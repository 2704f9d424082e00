"""`hymio fleet mounting`: the installation sheet to print and to tick."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kiosk.fleet import mounting_pdf, panels, validate
from kiosk.fleet.centre import progress
from kiosk.fleet.desk import (
    DOES_NOT_HOLD,
    count,
    device_in_use,
    dry_option,
    format_option,
    print_json,
    read_tree,
    root_option,
)
from kiosk.fleet.errors import FleetError
from kiosk.fleet.labels import name_of
from kiosk.fleet.mounting import Mounting, generic, mounting
from kiosk.fleet.mounting_words import LANGUAGES
from kiosk.fleet.resolve import build
from kiosk.fleet.rules import one_of
from kiosk.fleet.tree import Tree
from kiosk.layout.measure import FontError, PillowMeasure
from sync.contract.bundle import Bundle


class SheetError(FleetError):
    """A sheet that cannot be drawn or written; the text says what to do."""


@click.command("mounting")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--location", default="", metavar="ID", help="All devices of one place.")
@click.option("--all", "every", is_flag=True, help="All devices in use.")
@click.option(
    "--panel",
    "kind",
    default="",
    metavar="PANEL",
    help=f"No device but a panel: {', '.join(panels.PANELS)}, or 1280x800@217x136.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The PDF to write.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of the sheet; by default the first of the organisation's.",
)
@root_option
@dry_option
@format_option
def mounting_command(
    devices: tuple[str, ...],
    *,
    location: str,
    every: bool,
    kind: str,
    out: Path,
    language: str | None,
    root: Path,
    dry_run: bool,
    form: str,
) -> None:
    """Draw the installation sheet of each DEVICE: heights, raised dot, free floor, a list to tick.

    One A4 page a device. Ends with 1 when a control is out of reach at the height configured, and
    says by how much to move the panel.
    """
    if [bool(devices), bool(location), every, bool(kind)].count(True) != 1:
        raise click.UsageError("give DEVICE..., or --location, or --all, or --panel")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise click.BadParameter(f"{out.parent} cannot be written", param_hint="--out")
    tree = read_tree(root)
    chosen = _chosen(tree, devices, location) if not kind else sorted(tree.in_use)[:1]
    if not chosen:
        raise click.UsageError("there is no device in use: `hymio fleet add-device` adds one")
    validate.refuse(tree, None if every else chosen)
    found = [build(tree, device) for device in chosen]
    language = language or next((code for code in found[0].languages if code in LANGUAGES), "en")
    try:
        sheets = _kind(found[0], kind) if kind else _sheets(found, language)
        if not dry_run:
            _write(sheets, language, found[0].organisation.accent, out)
    except FontError as error:
        raise SheetError(str(error)) from None
    _tell(sheets, out, dry_run=dry_run, form=form)
    if any(sheet.remedy for sheet in sheets):
        sys.exit(DOES_NOT_HOLD)


def _chosen(tree: Tree, devices: Sequence[str], location: str) -> list[str]:
    """The devices asked for, each once; wrong use where there are none."""
    if location:
        if location not in tree.locations:
            remedy = one_of(location, tree.locations, "add it with `hymio fleet add-location`")
            raise click.BadParameter(
                f"there is no location {location}: {remedy}", param_hint="--location"
            )
        here = [
            ident
            for ident, source in tree.in_use.items()
            if str(source.data.get("location")) == location
        ]
        if not here:
            raise click.BadParameter(f"no device stands at {location}", param_hint="--location")
        return here
    for device in devices:
        device_in_use(tree, device)
    return list(dict.fromkeys(devices)) or list(tree.in_use)


def _sheets(found: Sequence[Bundle], language: str) -> list[Mounting]:
    measure = PillowMeasure()
    sheets = []
    with progress(len(found), "looking where controls are") as step:
        for bundle in found:
            place = name_of(bundle.location.name, (language, *bundle.languages))
            made = mounting(bundle, measure, place=place)
            if made.page.problems:
                raise SheetError(
                    f"{bundle.device}: its screens do not fit: `hymio fleet validate` says why"
                )
            sheets.append(made)
            step(bundle)
    return sheets


def _kind(bundle: Bundle, kind: str) -> list[Mounting]:
    try:
        screen = panels.panel(kind)
        made = generic(bundle, screen, PillowMeasure())
    except ValueError as error:  # of which msgspec's are
        raise click.BadParameter(str(error), param_hint="--panel") from None
    if made.page.problems:
        raise SheetError(f"{kind}: its screens do not fit: correct the pixels and millimetres")
    return [made]


def _write(sheets: Sequence[Mounting], language: str, accent: str, out: Path) -> None:
    """All of it or nothing."""
    raw = mounting_pdf.pdf(sheets, language, accent=accent)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        part.write_bytes(raw)
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise SheetError(f"{out}: cannot be written: {error.strerror}") from None


def _tell(sheets: Sequence[Mounting], out: Path, *, dry_run: bool, form: str) -> None:
    if form == "json":
        print_json(
            {
                "dry_run": dry_run,
                "file": str(out),
                "sheets": [
                    {
                        "device": sheet.device,
                        "top_mm_above_floor": sheet.top,
                        "measured": sheet.measured,
                        "advised_mm": sheet.advised,
                        "highest_control_mm": round(sheet.highest, 1),
                        "lowest_control_mm": round(sheet.lowest, 1),
                        "move": sheet.remedy and {sheet.remedy.way: sheet.remedy.by},
                    }
                    for sheet in sheets
                ],
            }
        )
        return
    for sheet in sheets:
        click.echo(_line(sheet))
    verb = "would be written" if dry_run else "written"
    click.echo(f"{out}: {count(len(sheets), 'page')} {verb}")


def _line(sheet: Mounting) -> str:
    name = sheet.device or "panel"
    if sheet.remedy:
        remedy = sheet.remedy
        return (
            f"{name}: top at {sheet.top:g} mm, a control at {remedy.height} mm is out of reach"
            f" → {remedy.way} the panel by {remedy.by} mm"
        )
    if sheet.measured:
        return f"{name}: top at {sheet.top:g} mm, every control within reach"
    return (
        f"{name}: height unknown, {sheet.top:g} mm advised"
        " → measure it and write [screen] top_mm_above_floor"
    )


COMMANDS: tuple[click.Command, ...] = (mounting_command,)
