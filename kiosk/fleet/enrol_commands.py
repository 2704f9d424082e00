"""Commands about codes: enrol, replace, cancel-code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from kiosk.fleet import enrol as enrolment
from kiosk.fleet import labels
from kiosk.fleet.centre import confirmed, open_admin, trusted_key, yes_option
from kiosk.fleet.desk import (
    at_centre,
    device_in_use,
    print_json,
    read_tree,
)
from kiosk.fleet.errors import AdminError
from kiosk.fleet.issue import Issue, Output, span, tell, told
from kiosk.fleet.publish import sound_tree
from kiosk.fleet.resolve import build, resolve
from kiosk.fleet.rules import MOST_NAMED

ONE, MANY = "72h", "30d"
"""How long a code lives when nothing is said."""

_valid_option = click.option(
    "--valid", default="", metavar="SPAN", help=f"How long: 45m, 72h, 30d. [default: {ONE}]"
)
_labels_option = click.option(
    "--labels",
    "pdf",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a PDF of labels to print.",
)
_sheet_option = click.option(
    "--sheet",
    type=click.Choice(list(labels.SHEETS)),
    default="a4-24",
    show_default=True,
    help="Labels of 70 x 37 mm (24 on A4), 70 x 42.3 mm (21), or each on a page of 70 x 37 mm.",
)
_usb_option = click.option(
    "--usb",
    type=click.Path(file_okay=False, path_type=Path),
    help="Put code and configuration onto a USB stick: the folder it is mounted at.",
)


@click.command("enrol")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--new", is_flag=True, help="All that were never enrolled and have no open code.")
@click.option("--all", "again", is_flag=True, help="With --new: those with an open code, too.")
@click.option(
    *("--valid", "valid"),
    default="",
    metavar="SPAN",
    help=f"How long: 45m, 72h, 30d.  [default: {ONE}; with --new {MANY}]",
)
@_labels_option
@_sheet_option
@_usb_option
@at_centre
def enrol_command(
    devices: tuple[str, ...],
    *,
    new: bool,
    again: bool,
    valid: str,
    pdf: Path | None,
    sheet: str,
    usb: Path | None,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Make a one-time code with which each DEVICE enrols.

    Codes are made here; the centre learns only their hashes. A new code ends the device's earlier
    one. The label and the stick carry the code and nothing that lasts.
    """
    if new == bool(devices):
        raise click.UsageError("name a DEVICE, or give --new for all that were never enrolled")
    if again and not new:
        raise click.UsageError("--all goes with --new")
    lives = span(valid or (MANY if new else ONE))
    output = Output.checked(pdf, sheet, usb)
    tree = sound_tree(root) if new else read_tree(root)
    for device in devices:
        device_in_use(tree, device)
    found = [resolve(root, device) for device in dict.fromkeys(devices)]
    with open_admin(tree, keys, url) as admin:
        trusted = trusted_key(tree, keys, admin)
        rows = admin.devices()
        taken = enrolment.taken(rows, devices)
        if taken:
            raise AdminError(
                f"{', '.join(taken)}: a terminal is enrolled there and sends → to put another in"
                " its place: hymio fleet replace DEVICE"
            )
        lacking = _unpublished(rows, tree.in_use if new else devices)
        if new:
            if lacking:
                click.echo(f"hymio: left out, {lacking}", err=True)
            published = [str(row["id"]) for row in rows if row.get("version")]
            mine = tree.in_use.keys() & set(published)
            chosen = enrolment.waiting(rows, mine, again=again)
            found = [build(tree, device) for device in chosen]
        elif lacking:
            raise AdminError(lacking)
        issue = Issue(admin, trusted, lives, tree.zone, endpoint=url, dry_run=dry_run)
        made = issue.make(found, output)
    (told if form == "json" else tell)(issue, made, output)


@click.command("replace")
@click.argument("device")
@click.option("--now", is_flag=True, help="The present terminal may only empty its outbox already.")
@_valid_option
@_labels_option
@_sheet_option
@_usb_option
@yes_option
@at_centre
def replace_command(
    device: str,
    *,
    now: bool,
    valid: str,
    pdf: Path | None,
    sheet: str,
    usb: Path | None,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Put another terminal in DEVICE's place, with a new code.

    It takes over name, place and configuration. As soon as it sends, the present terminal's key
    becomes drain-only: it may still send the answers on its disk, and nothing else. With --now it
    becomes so at once; for a stolen terminal use `hymio fleet revoke`.
    """
    lives = span(valid or ONE)
    output = Output.checked(pdf, sheet, usb)
    tree = read_tree(root)
    device_in_use(tree, device)
    bundle = resolve(root, device)
    with open_admin(tree, keys, url) as admin:
        trusted = trusted_key(tree, keys, admin)
        rows = admin.devices()
        if lacking := _unpublished(rows, [device]):
            raise AdminError(lacking)
        first = bool(enrolment.waiting(rows, [device], again=True))
        if now and not dry_run:
            confirmed(f"{device}: its present terminal takes no new answers from now on.", yes)
        way = {"replace": True, "now": now, "dry_run": dry_run}
        issue = Issue(admin, trusted, lives, tree.zone, endpoint=url, **way)
        made = issue.make([bundle], output)
    if form == "json":
        told(issue, made, output)
        return
    tell(issue, made, output)
    if first:
        click.echo("no terminal was enrolled there yet: nothing is replaced")
        return
    when = "from now on" if now else "as soon as the new one sends"
    click.echo(
        f"the present terminal's key is drain-only {when}: it may send what is on its disk,"
        " and nothing else"
    )


def _unpublished(rows: Iterable[Mapping[str, Any]], devices: Iterable[str]) -> str:
    """A sentence about those of the devices that the centre has no configuration of, or none."""
    published = {row.get("id") for row in rows if row.get("version")}
    lacking = sorted(set(devices) - published)
    if not lacking:
        return ""
    more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
    return f"not published yet: {', '.join(lacking[:MOST_NAMED])}{more} → hymio fleet publish"


@click.command("cancel-code")
@click.argument("devices", nargs=-1, required=True, metavar="DEVICE...")
@at_centre
def cancel_command(
    devices: tuple[str, ...], *, root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """End the open codes of each DEVICE, as when a label is lost.

    A terminal that has already sent with its code stays enrolled: see `hymio fleet revoke`.
    """
    tree = read_tree(root)
    with open_admin(tree, keys, url) as admin:
        if not dry_run:
            for device in devices:
                admin.cancel_codes(device)
    if form == "json":
        print_json({"dry_run": dry_run, "cancelled": list(devices)})
        return
    for device in devices:
        click.echo(f"{device}: its open codes {'would end' if dry_run else 'have ended'}")


COMMANDS: tuple[click.Command, ...] = (enrol_command, replace_command, cancel_command)
