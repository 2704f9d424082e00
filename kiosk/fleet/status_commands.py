"""`hymio fleet status`: how the devices stand."""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path

import click

from kiosk.fleet import status
from kiosk.fleet.centre import open_admin
from kiosk.fleet.desk import (
    DOES_NOT_HOLD,
    keys_option,
    print_json,
    read_tree,
    root_option,
    url_option,
)
from kiosk.fleet.errors import AdminError
from kiosk.fleet.tree import Tree


@click.command("status")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--state", "states", metavar="STATE[,STATE]", default="", help="Only these.")
@click.option("--sort", type=click.Choice(list(status.SORTS)), default="device", show_default=True)
@click.option("--check", is_flag=True, help="Exit with 1 when somebody should look into one.")
@click.option(
    "--watch", type=click.IntRange(min=1), metavar="SECONDS", help="Again and again, until Ctrl-C."
)
@root_option
@keys_option
@url_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
def status_command(
    devices: tuple[str, ...],
    *,
    states: str,
    sort: str,
    check: bool,
    watch: int | None,
    root: Path,
    keys: Path,
    url: str,
    form: str,
) -> None:
    """How each DEVICE stands, or all of them.

    Named devices are told in sentences, all of them in a table. States: ok, quiet and silent
    (nothing heard in opening hours), mute (heard, but no answers for a week), stuck (answers wait
    for more than a day), refused (will not take its configuration), clone-suspected,
    never-enrolled, unconfirmed, wiped, retired, revoked.
    """
    wanted = [state.strip() for state in states.split(",") if state.strip()]
    strange = set(wanted) - set(status.STATES)
    if strange:
        known = ", ".join(status.STATES)
        raise click.BadParameter(
            f"no state {', '.join(sorted(strange))}: write one of {known}", param_hint="--state"
        )
    tree = read_tree(root)
    with open_admin(tree, keys, url) as admin:
        while True:
            found = admin.devices()
            lacking = set(devices) - {str(row.get("id")) for row in found}
            if lacking:
                names = ", ".join(sorted(lacking))
                here = lacking <= tree.devices.keys()
                what = ": publish first" if here else ", nor does this folder"
                raise AdminError(f"the centre does not know {names}{what}")
            mine = [row for row in found if not devices or row.get("id") in devices]
            rows = status.chosen(mine, wanted, sort)
            if watch and sys.stdout.isatty():
                click.clear()
            _tell(rows, form, _languages(tree), named=bool(devices))
            if not watch:
                break
            try:
                time.sleep(watch)
            except KeyboardInterrupt:  # how a watch is meant to end
                break
    if check and any(status.worries(row) for row in rows):
        sys.exit(DOES_NOT_HOLD)


def _languages(tree: Tree) -> tuple[str, ...]:
    """The organisation's, as far as the file can be read."""
    return (
        tree.organisation.value.languages if tree.organisation and tree.organisation.value else ()
    )


def _tell(rows: list[status.Row], form: str, languages: tuple[str, ...], *, named: bool) -> None:
    now = dt.datetime.now(dt.UTC)
    if form == "json":
        print_json(rows)
    elif form == "csv":
        click.echo(status.as_csv(rows), nl=False)
    elif named:
        for row in rows:
            click.echo(status.sentences(row, now, languages))
    else:
        click.echo(status.table(rows, now, languages))


COMMANDS: tuple[click.Command, ...] = (status_command,)
