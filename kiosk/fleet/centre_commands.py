"""Commands that need keys or the centre; here keygen and publish, and the list of all."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kiosk.fleet import (
    correction_commands,
    device_commands,
    differences,
    enrol_commands,
    fit,
    rotate_commands,
    status_commands,
    usb_commands,
)
from kiosk.fleet import keys as keyfiles
from kiosk.fleet import publish as publishing
from kiosk.fleet.admin import Admin
from kiosk.fleet.centre import open_admin, progress
from kiosk.fleet.desk import (
    at_centre,
    count,
    device_in_use,
    dry_option,
    format_option,
    keys_option,
    print_json,
    read_tree,
)
from kiosk.fleet.errors import AdminError, ConfigErrors
from kiosk.fleet.tree import Tree
from kiosk.layout.measure import FontError
from sync.contract.bundle import fingerprint, key_text

SHOWN = 12
"""Changes of one device that a dry run shows on a screen; JSON has them all."""


@click.command("keygen")
@keys_option
@click.option(
    "--only",
    type=click.Choice([keyfiles.ORGANISATION, keyfiles.OPERATOR]),
    help="Make one of the two; a second administrator needs an operator key alone.",
)
@dry_option
@format_option
def keygen_command(keys: Path, only: str | None, dry_run: bool, form: str) -> None:
    """Make the organisation's and your operator key.

    The first signs configurations, the second your requests to the centre. Existing keys are
    left alone. Keep a copy of organisation.key in a safe: devices trust nothing else.
    """
    made = {}
    for name in [only] if only else [keyfiles.ORGANISATION, keyfiles.OPERATOR]:
        new = keyfiles.make(keys, name, dry_run=dry_run)
        public = "" if dry_run and new else key_text(keyfiles.read(keys, name).public_key())
        made[name] = {"file": str(keys / f"{name}.key"), "new": new, "public": public}
    if form == "json":
        print_json(made)
        return
    for name, row in made.items():
        verb = ("would be made" if dry_run else "made") if row["new"] else "was there already"
        click.echo(f"{name}: {row['file']} {verb}")
        if row["public"]:
            click.echo(f"  public key   {row['public']}")
            click.echo(f"  fingerprint  {fingerprint(str(row['public']))}")
    if keyfiles.OPERATOR in made and made[keyfiles.OPERATOR]["public"]:
        click.echo("register the operator key at the centre:")
        click.echo(
            "  hymio collector add-operator --database URL --name YOU"
            f" --key {made[keyfiles.OPERATOR]['public']}"
        )


@click.command("publish")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--all", "everything", is_flag=True, help="Those that have not changed, too.")
@click.option(
    "--moved",
    "right",
    multiple=True,
    metavar="DEVICE",
    help="This folder is right about DEVICE's place and name, without a dated entry.",
)
@click.option("--no-fit", is_flag=True, help="Publish also what does not fit its panel.")
@at_centre
def publish_command(
    devices: tuple[str, ...],
    *,
    everything: bool,
    right: tuple[str, ...],
    no_fit: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Sign and upload the configurations that have changed.

    Of every DEVICE, when none is named. Nothing is uploaded while any file has an error, while a
    text to be uploaded does not fit its panel, or while the centre has a device at another place
    than this folder knows of. Each device gets the version after the highest the centre knows.
    --dry-run shows what would change, key by key.
    """
    read_tree(root)
    tree = publishing.sound_tree(root)
    for device in devices:
        device_in_use(tree, device)
    signing = keyfiles.read(keys, keyfiles.ORGANISATION)
    mine = key_text(signing.public_key())
    with open_admin(tree, keys, url) as admin:
        found = publishing.bundles(tree, devices)
        plan = publishing.plan(tree, found, admin, mine, everything=everything, right=right)
        if not no_fit:
            _fits(tree, [bundle.device for bundle in plan.due])
        for sentence in _lacking(tree, plan, admin):
            click.echo(f"hymio: {sentence}", err=True)
        if dry_run:
            _tell_plan(plan, admin, form)
            return
        try:
            with progress(len(plan.due), "publishing") as step:
                publishing.carry_out(plan, tree, admin, signing, done=step)
        except (KeyboardInterrupt, AdminError):
            if plan.published:
                done = f"{len(plan.published)} of {count(len(plan.due), 'device')} published"
                click.echo(f"hymio: {done}; the same command goes on from there", err=True)
            raise
    _tell_published(plan, admin.url, form)


def _fits(tree: Tree, devices: list[str]) -> None:
    """Raises ConfigErrors with what does not fit on them, AdminError when nobody can tell."""
    try:
        unfit = fit.told(tree, [], devices)
    except FontError as error:
        raise AdminError(
            f"nothing is published: whether texts fit cannot be checked: {error}; or give --no-fit"
        ) from None
    if unfit:
        click.echo("hymio: nothing is published (--no-fit publishes all the same):", err=True)
        raise ConfigErrors(unfit)


def _lacking(tree: Tree, plan: publishing.Plan, admin: Admin) -> list[str]:
    """What the centre has and this folder lacks; the states are asked for only when it matters."""
    strange = plan.known.get("placed", {}).keys() - tree.devices.keys()
    states = (
        {str(row.get("id")): str(row.get("state")) for row in admin.devices()} if strange else {}
    )
    return differences.lacking(tree, plan.known, admin.catalogue(), states)


def _tell_published(plan: publishing.Plan, where: str, form: str) -> None:
    if form == "json":
        told = {"versions": plan.published, "unchanged": plan.unchanged}
        print_json({"centre": where, "dry_run": False, **told})
        return
    for device, version in plan.published.items():
        click.echo(f"{device}: configuration {version} published")
    for device, version in plan.unchanged.items():
        click.echo(f"{device}: unchanged, configuration {version}")
    same = f", {len(plan.unchanged)} unchanged" if plan.unchanged else ""
    click.echo(f"{count(len(plan.published), 'device')} published at {where}{same}")


def _tell_plan(plan: publishing.Plan, admin: Admin, form: str) -> None:
    """What a publication would change, against what the centre has now."""
    versions = {bundle.device: plan.next_version(bundle.device) for bundle in plan.due}
    with progress(len(plan.due), "comparing") as step:
        changes = {}
        for bundle in plan.due:
            changes[bundle.device] = differences.changes(admin.bundle(bundle.device), bundle)
            step(bundle)
    if form == "json":
        told = {
            "versions": versions,
            "unchanged": plan.unchanged,
            "changes": {
                device: [change.as_dict() for change in found] for device, found in changes.items()
            },
        }
        print_json({"centre": admin.url, "dry_run": True, **told})
        return
    for device, found in changes.items():
        click.echo(f"{device}: configuration {versions[device]} would be published")
        if versions[device] == 1:
            click.echo("  its first")
            continue
        for change in found[:SHOWN]:
            click.echo(f"  {change.key}: {_short(change.before)} → {_short(change.after)}")
        if len(found) > SHOWN:
            click.echo(f"  and {len(found) - SHOWN} more; --format json has them all")
    for device, version in plan.unchanged.items():
        click.echo(f"{device}: unchanged, configuration {version}")
    same = f", {len(plan.unchanged)} unchanged" if plan.unchanged else ""
    click.echo(f"{count(len(versions), 'device')} would be published at {admin.url}{same}")


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


COMMANDS: tuple[click.Command, ...] = (
    keygen_command,
    publish_command,
    *status_commands.COMMANDS,
    *enrol_commands.COMMANDS,
    *device_commands.COMMANDS,
    *rotate_commands.COMMANDS,
    *correction_commands.COMMANDS,
    *usb_commands.COMMANDS,
)
"""What cli.py offers of this side."""
