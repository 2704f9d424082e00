"""Commands for devices without network: export, import."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from kiosk.fleet import carrying
from kiosk.fleet import keys as keyfiles
from kiosk.fleet.centre import open_admin, progress, trusted_key
from kiosk.fleet.desk import (
    DOES_NOT_HOLD,
    at_centre,
    count,
    known_device,
    print_json,
    read_tree,
)
from kiosk.fleet.errors import KeyFileError
from kiosk.fleet.usb import Stick
from sync.contract.bundle import fingerprint, key_text

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("export")
@click.argument("devices", nargs=-1, required=True, metavar="DEVICE...")
@click.option("--to", type=_FOLDER, required=True, help="The folder the stick is mounted at.")
@click.option(
    "--receipts", type=_FOLDER, help="Copy receipts from here: another stick that was imported."
)
@at_centre
def export_command(
    devices: tuple[str, ...],
    *,
    to: Path,
    receipts: Path | None,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Put the newest published configuration of each DEVICE onto a USB stick.

    The terminal takes it from there as if it came through the network, and puts its answers onto
    the stick, for `hymio fleet import`. Receipts an import wrote stay on the stick.
    """
    tree = read_tree(root)
    for device in devices:
        known_device(tree, device)
    stick = Stick(to)
    source = Stick(receipts) if receipts is not None else None
    with open_admin(tree, keys, url) as admin:
        trusted = trusted_key(tree, keys, admin)
        stick.ours_alone([trusted])
        if not dry_run:
            stick.check_writable()
            with progress(len(devices), "writing the stick") as step:
                for device in dict.fromkeys(devices):
                    carrying.put_newest(stick, device, admin, trusted)
                    if source is not None:
                        carrying.copy_receipts(source, stick, device)
                    step(device)
    found = [stick.carried(device) for device in dict.fromkeys(devices)]
    if form == "json":
        rows = [{"device": c.device, "versions": c.versions, "receipts": c.receipts} for c in found]
        print_json({"dry_run": dry_run, "stick": str(to), "devices": rows})
        return
    for carried in found:
        click.echo(f"{carried.device}: would be written" if dry_run else str(carried))
    click.echo(f"{count(len(found), 'device')} {'would be ' if dry_run else ''}on {to}")


@click.command("import")
@click.argument("folder", type=_FOLDER)
@at_centre
def import_command(
    folder: Path, *, root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """Bring the answers on a USB stick to the centre, and write its receipts onto the stick.

    FOLDER is where the stick is mounted. Each file goes to the centre exactly as its device signed
    it. Take the stick back to the device: with the receipts it knows that its answers arrived. Can
    be repeated; nothing is counted twice. Ends with 1 when a file is damaged or refused.
    """
    tree = read_tree(root)
    stick = Stick(folder)
    waiting = carrying.waiting(stick)
    signing = keyfiles.read(keys, keyfiles.ORGANISATION)
    brought: list[carrying.Brought] = []
    with open_admin(tree, keys, url) as admin:
        trusted = trusted_key(tree, keys, admin)
        mine = key_text(signing.public_key())
        if mine != trusted:
            raise KeyFileError(
                f"the centre names the organisation's key {fingerprint(trusted)}, yours is"
                f" {fingerprint(mine)}: devices would not believe your receipts"
            )
        if not dry_run:
            try:
                with progress(len(waiting), "uploading") as step:
                    for one in carrying.bring(stick, admin, signing):
                        brought.append(one)
                        step(one)
            finally:
                if len(brought) < len(waiting):
                    done = f"{len(brought)} of {count(len(waiting), 'file')}"
                    click.echo(f"hymio: {done} done; the same command begins anew", err=True)
    if form == "json":
        files = [one.as_dict() for one in brought]
        print_json({"dry_run": dry_run, "waiting": len(waiting), "files": files})
    else:
        _tell(waiting, brought, folder, dry_run=dry_run)
    if any(one.said != "received" for one in brought):
        sys.exit(DOES_NOT_HOLD)


def _tell(
    waiting: list[tuple[str, str]],
    brought: list[carrying.Brought],
    folder: Path,
    *,
    dry_run: bool,
) -> None:
    for one in brought:
        if one.said != "received":
            why = " ".join(filter(None, [one.code, one.reason]))
            click.echo(f"{one.device}/answers/{one.name}: {one.said}: {why}")
    files = Counter(device for device, _ in waiting)
    for device in sorted(files):
        good = [one for one in brought if one.device == device and one.said == "received"]
        records = sum(one.records for one in good)
        told = "to upload" if dry_run else f"{count(records, 'record')} received by the centre"
        click.echo(f"{device}: {count(files[device], 'file')}, {told}")
    if not waiting:
        click.echo(f"no answers on {folder}")
    elif not dry_run:
        click.echo("take the stick back to the devices: the receipts are on it")


COMMANDS: tuple[click.Command, ...] = (export_command, import_command)
