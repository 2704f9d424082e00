"""Commands that change what is there: rename, move, move-location, merge-service, pin."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from kiosk import pin
from kiosk.fleet import additions, edits, pins
from kiosk.fleet.desk import day, dry_option, editing, finish, format_option, root_option

since_option = click.option(
    "--from", "since", callback=day, metavar="YYYY-MM-DD", help="First day it holds; else today."
)


@click.command("rename")
@click.argument("ident", metavar="DEVICE|LOCATION|SERVICE")
@root_option
@click.option("--name", "texts", multiple=True, required=True, help='fi="…" by language.')
@since_option
@click.option("--undated", is_flag=True, help="The former name was a mistake: do not keep it.")
@dry_option
@format_option
def rename_command(  # noqa: PLR0917 - click passes them by name
    ident: str,
    root: Path,
    texts: tuple[str, ...],
    since: dt.date | None,
    undated: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Give a device, place or service another name.

    The former name is kept with its last day, for reports of that time. Names in languages not
    given stay as they are.
    """
    if undated and since:
        raise click.UsageError("--undated and --from do not go together")
    edit = editing(root)
    kinds = edits.kinds(edit, ident)
    if len(kinds) != 1:
        what = f"is a {' and a '.join(kinds)}" if kinds else "is no device, location or service"
        raise click.BadParameter(
            f'"{ident}" {what}; see `hymio fleet list`', param_hint="DEVICE|LOCATION|SERVICE"
        )
    if kinds[0] == "device":
        if len(texts) > 1:
            raise click.BadParameter("a device has one name", param_hint="--name")
        names = {"": texts[0].strip()}
    else:
        names = additions.names(texts, additions.name_languages(edit))
    first = None if undated else since or edit.today
    told = edits.rename(edit, kinds[0], ident, names, first)
    finish(edit, told, dry_run=dry_run, form=form, facts={"kind": kinds[0], "id": ident})


@click.command("move")
@click.argument("device")
@root_option
@click.option("--to", required=True, help="Id of the place it stands at now.")
@since_option
@dry_option
@format_option
def move_command(  # noqa: PLR0917 - click passes them by name
    device: str, root: Path, to: str, since: dt.date | None, dry_run: bool, form: str
) -> None:
    """Move DEVICE to another place.

    Answers keep the place they were given at, and nothing on the device is deleted. The device
    learns its new place with the next `publish`.
    """
    edit = editing(root)
    told = edits.move(edit, device, to, since or edit.today)
    finish(edit, told, dry_run=dry_run, form=form, facts={"id": device, "to": to})


@click.command("move-location")
@click.argument("location")
@root_option
@click.option("--municipality", required=True, help="Municipality it lies in now.")
@since_option
@dry_option
@format_option
def move_location_command(  # noqa: PLR0917 - click passes them by name
    location: str, root: Path, municipality: str, since: dt.date | None, dry_run: bool, form: str
) -> None:
    """Have LOCATION belong to another municipality, as after a merger of municipalities."""
    edit = editing(root)
    told = edits.move_location(edit, location, municipality, since or edit.today)
    facts = {"id": location, "municipality": municipality}
    finish(edit, told, dry_run=dry_run, form=form, facts=facts)


@click.command("merge-service")
@click.argument("old")
@root_option
@click.option("--into", required=True, help="Id of the service that goes on.")
@click.option(
    "--from",
    "since",
    callback=day,
    metavar="YYYY-MM-DD",
    help="First day; else today. It may be to come.",
)
@dry_option
@format_option
def merge_service_command(  # noqa: PLR0917 - click passes them by name
    old: str, root: Path, into: str, since: dt.date | None, dry_run: bool, form: str
) -> None:
    """Merge service OLD into another.

    From that day on devices offer the other in its place, once they are published to. Answers
    given before stay with OLD.
    """
    edit = editing(root)
    told = edits.merge_service(edit, old, into, since or edit.today)
    finish(edit, told, dry_run=dry_run, form=form, facts={"id": old, "into": into})


@click.command("pin")
@root_option
@click.option("--device", default="", help="For this device alone.")
@click.option("--stdin", "piped", is_flag=True, help="Read the PIN from standard input.")
@dry_option
@format_option
def pin_command(root: Path, device: str, piped: bool, dry_run: bool, form: str) -> None:
    """Set the PIN of the service screen: six digits or more.

    Only its hash is written. Whoever can read the files can still try all PINs of six digits
    against it in hours: keep the folder among administrators, or choose more digits.
    """
    edit = editing(root)
    set_before = edits.pin_hash(edit, device)  # what is wrong with DEVICE is said before asking
    digits = (
        sys.stdin.readline().strip()
        if piped
        else str(click.prompt("PIN", hide_input=True, confirmation_prompt="The same again"))
    )
    fault = pins.weak(digits)
    if fault:
        raise click.BadParameter(fault, param_hint="PIN")
    if not pin.verify(set_before, digits):
        told = edits.set_pin(edit, pins.hashed(digits), device)
    else:
        told = []
    finish(edit, told, dry_run=dry_run, form=form, facts={"device": device})


COMMANDS: tuple[click.Command, ...] = (
    rename_command,
    move_command,
    move_location_command,
    merge_service_command,
    pin_command,
)
