"""Commands that end what a device has: retire, revoke, wipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kiosk.fleet import edits
from kiosk.fleet import keys as keyfiles
from kiosk.fleet import publish as publishing
from kiosk.fleet.admin import Admin
from kiosk.fleet.centre import confirmed, open_admin, yes_option
from kiosk.fleet.desk import (
    at_centre,
    count,
    device_in_use,
    editing,
    finish,
    known_device,
    print_json,
    read_tree,
)
from kiosk.fleet.errors import AdminError

ENDED = ("retired", "revoked")
"""What the centre calls devices it takes nothing new from."""


@click.command("retire")
@click.argument("device")
@click.option("--reason", required=True, help="For the audit log: place closed, broken …")
@yes_option
@at_centre
def retire_command(
    device: str,
    *,
    reason: str,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Take DEVICE out of use for good.

    Writes `retired` with today's date into its file, which stays: no other device ever gets its
    id. The terminal may still send the answers on its disk, and takes no new ones. To erase it,
    order `wipe` before.
    """
    tree = read_tree(root)
    known_device(tree, device)
    edit = editing(root)
    told = edits.retire(edit, device)
    edit.judge()
    with open_admin(tree, keys, url) as admin:
        states = {row.get("id"): row.get("state") for row in admin.devices()}
        due = states.get(device) not in (None, *ENDED)
        if not dry_run and (due or told):
            confirmed(f"Retire {device}? It takes no more answers.", yes)
        if due:
            told.append(f"the centre takes from it only what is on its disk: {reason}")
        if due and not dry_run:
            admin.retire(device, reason)
    facts = {"device": device, "reason": reason, "told_the_centre": due}
    finish(edit, told, dry_run=dry_run, form=form, facts=facts)


@click.command("revoke")
@click.argument("device")
@click.option("--reason", required=True, help="For the audit log: stolen, broken …")
@yes_option
@at_centre
def revoke_command(
    device: str,
    *,
    reason: str,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Take nothing more from DEVICE, as when it is stolen.

    Its keys and open codes end at once, and with them the answers it has not sent. Answers the
    centre has stay. A terminal that is only exchanged is better replaced: see `replace`.
    """
    tree = read_tree(root)
    with open_admin(tree, keys, url) as admin:
        row = _row(admin, device)
        waiting = int((row.get("ledger") or {}).get("to_send") or 0)
        if not dry_run:
            lost = (
                f" {count(waiting, 'answer')} it had when last heard are lost." if waiting else ""
            )
            confirmed(f"Revoke {device}? Nothing it sends is taken any more.{lost}", yes)
            admin.revoke(device, reason)
    if form == "json":
        print_json({"dry_run": dry_run, "device": device, "reason": reason, "unsent": waiting})
        return
    click.echo(f"{device} {'would be' if dry_run else 'is'} revoked: {reason}")
    if not dry_run:
        click.echo(f"a new terminal in its place: hymio fleet enrol {device}")


@click.command("wipe")
@click.argument("device")
@click.option("--cancel", is_flag=True, help="Take the order back, while it is not carried out.")
@yes_option
@at_centre
def wipe_command(
    device: str,
    *,
    cancel: bool,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Have DEVICE send every answer and then erase its data.

    Writes `wipe = true` into its file and publishes it. The terminal takes no more answers as soon
    as it has the order, and erases itself when the centre has all it had; `status` shows wiped.
    """
    device_in_use(read_tree(root), device)
    signing = keyfiles.read(keys, keyfiles.ORGANISATION)
    if not cancel and not dry_run:
        confirmed(f"Wipe {device}? It takes no more answers and erases its data.", yes)
    edit = edits.order_wipe(root, device, ordered=not cancel, dry_run=dry_run)
    published: dict[str, int] = {}
    if not dry_run:
        tree = publishing.sound_tree(root)
        with open_admin(tree, keys, url) as admin:
            found = publishing.bundles(tree, [device])
            published = publishing.publish(tree, found, admin, signing)
    if form == "json":
        told = {"device": device, "wipe": not cancel, "files": edit.changed}
        print_json({"dry_run": dry_run, **told, "versions": published})
        return
    if dry_run:
        click.echo(edit.diff(), nl=False)
    version = published.get(device)
    if cancel and not edit.changed and not version:
        click.echo(f"{device}: no order to wipe stands")
        return
    what = "the order to wipe is taken back" if cancel else "erases itself once all is sent"
    given = "would be ordered" if dry_run else f"configuration {version}" if version else "ordered"
    click.echo(f"{device}: {what} ({given})")


def _row(admin: Admin, device: str) -> dict[str, Any]:
    found = next((row for row in admin.devices() if row.get("id") == device), None)
    if found is None:
        raise AdminError(f"the centre does not know {device}")
    return found


COMMANDS: tuple[click.Command, ...] = (retire_command, revoke_command, wipe_command)
