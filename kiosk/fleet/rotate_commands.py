"""`hymio fleet rotate`: new keys, for devices and for the organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import edits
from kiosk.fleet import keys as keyfiles
from kiosk.fleet import publish as publishing
from kiosk.fleet.admin import Admin
from kiosk.fleet.centre import confirmed, open_admin, progress, yes_option
from kiosk.fleet.desk import (
    at_centre,
    count,
    device_in_use,
    print_json,
    read_tree,
)
from kiosk.fleet.errors import AdminError, FleetError
from kiosk.fleet.rotation import Rotation
from sync.contract.bundle import fingerprint, key_text


@click.command("rotate")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--organisation", is_flag=True, help="The key that signs configurations, instead.")
@click.option("--force", is_flag=True, help="Change it although devices would be cut off.")
@yes_option
@at_centre
def rotate_command(
    devices: tuple[str, ...],
    *,
    organisation: bool,
    force: bool,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Have each DEVICE make a new key of its own, or change the organisation's.

    A device makes its key when it gets its next configuration, so publish afterwards. The
    organisation's key changes in two steps with one command: first the new key is made and
    announced, then, when every device has confirmed it, it takes the old one's place.
    """
    if organisation == bool(devices):
        raise click.UsageError("name a DEVICE, or give --organisation")
    tree = read_tree(root)
    if organisation:
        _rotate_organisation(root, keys, url, yes=yes, force=force, dry_run=dry_run, form=form)
        return
    for device in devices:
        device_in_use(tree, device)
    changed = [edits.raise_key_generation(root, d, dry_run=dry_run) for d in dict.fromkeys(devices)]
    if form == "json":
        files = [file for edit in changed for file in edit.changed]
        print_json({"dry_run": dry_run, "devices": list(devices), "files": files})
        return
    for edit in changed:
        click.echo(edit.diff(), nl=False) if dry_run else click.echo(f"{edit.changed[0]} written")
    verb = "would make" if dry_run else "makes"
    click.echo(f"{count(len(changed), 'device')} {verb} a new key with the next configuration")
    click.echo(f"now: hymio fleet publish {' '.join(devices)}")


def _rotate_organisation(
    root: Path, keys: Path, url: str, *, yes: bool, force: bool, dry_run: bool, form: str
) -> None:
    tree = publishing.sound_tree(root)
    with open_admin(tree, keys, url) as admin:
        rotation = Rotation(keys, tree, admin.organisation())
        step = rotation.step
        if step == "announce":
            lines = _announced(rotation, dry_run=dry_run)
        else:
            rows = admin.devices()
            behind = rotation.behind(rows) if step == "swap" else {}
            if behind and not force:
                raise AdminError(_lagging(behind))
            if not dry_run:
                confirmed("Change the organisation's key now?", yes)
                _publish_all(root, admin, rotation.swap(admin))
            lines = _changed(rotation, behind, rows, dry_run=dry_run)
    if form == "json":
        print_json({"dry_run": dry_run, "step": step, "told": lines})
    else:
        click.echo("\n".join(lines))


def _announced(rotation: Rotation, *, dry_run: bool) -> list[str]:
    if dry_run:
        return [f"a following key would be made, its public half in {rotation.public}"]
    public = rotation.announce()
    return [
        f"following key {fingerprint(public)}: {rotation.keys / 'next.key'}, {rotation.public}",
        "keep a copy of next.key in a safe",
        "now: hymio fleet publish; then, when every device has it, this command again",
    ]


def _lagging(behind: Mapping[str, str]) -> str:
    named = "\n".join(f"  {device} {why}" for device, why in sorted(behind.items()))
    return (
        f"{count(len(behind), 'device')} would refuse the new key, nothing is changed:\n"
        f"{named}\nwait for them, or leave them behind with --force"
    )


def _changed(
    rotation: Rotation,
    behind: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    *,
    dry_run: bool,
) -> list[str]:
    if dry_run:
        return ["the following key would take the place of the organisation's"]
    public = keyfiles.read_public(rotation.keys / "organisation.pub")
    labelled = sorted(str(row["id"]) for row in rows if row.get("open_code_until"))
    lines = [
        f"{fingerprint(public)} is the organisation's key from now on, and every configuration is"
        " published again",
        f"the old one is {rotation.keys / 'previous.key'}: destroy it when no device is behind",
        "give every other administrator the new organisation.key",
    ]
    lines += [f"{device} is left behind: enrol it anew" for device in sorted(behind)]
    if labelled:
        lines.append(f"labels made before do not fit any more: new ones for {', '.join(labelled)}")
    return lines


def _publish_all(root: Path, admin: Admin, key: Ed25519PrivateKey) -> None:
    """Every configuration, signed with the new key."""
    tree = publishing.sound_tree(root)
    found, mine = publishing.bundles(tree), key_text(key.public_key())
    try:
        plan = publishing.plan(tree, found, admin, mine, everything=True)
        with progress(len(plan.due), "publishing") as step:
            publishing.carry_out(plan, tree, admin, key, done=step)
    except (KeyboardInterrupt, FleetError):
        click.echo("hymio: the key has changed; now: hymio fleet publish --all", err=True)
        raise


COMMANDS: tuple[click.Command, ...] = (rotate_command,)
