"""Commands that need keys or the centre: keygen, publish, enrol, status."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from kiosk.fleet import enrol as enrolment
from kiosk.fleet import keys as keyfiles
from kiosk.fleet import publish as publishing
from kiosk.fleet import rules
from kiosk.fleet.admin import Admin
from kiosk.fleet.desk import (
    count,
    dry_option,
    format_option,
    keys_option,
    known_device,
    print_json,
    read_tree,
    root_option,
    url_option,
)
from kiosk.fleet.errors import AdminError, KeyFileError
from kiosk.fleet.resolve import resolve
from kiosk.fleet.status import table as status_table
from kiosk.fleet.tree import Tree
from sync.contract.bundle import fingerprint, key_text


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
@click.argument("devices", nargs=-1)
@root_option
@keys_option
@url_option
@dry_option
@format_option
def publish_command(  # noqa: PLR0917 - click passes them by name
    devices: tuple[str, ...], root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """Sign and upload the configuration of DEVICES.

    Of all, when none is named. Nothing is uploaded while any file has an error. Each device
    gets the version after the highest the centre knows.
    """
    read_tree(root)
    tree = publishing.sound_tree(root)
    for device in devices:
        known_device(tree, device)
    found = publishing.bundles(tree, devices)
    signing = keyfiles.read(keys, keyfiles.ORGANISATION)
    with _admin(tree, keys, url) as admin:
        if dry_run:
            versions = admin.organisation().get("versions", {})
            published = {b.device: versions.get(b.device, 0) + 1 for b in found}
        else:
            with _progress(len(found)) as step:
                published = publishing.publish(tree, found, admin, signing, done=step)
        where = admin.url
    if form == "json":
        print_json({"centre": where, "dry_run": dry_run, "versions": published})
        return
    verb = "would be published" if dry_run else "published"
    for device, version in published.items():
        click.echo(f"{device}: configuration {version} {verb}")
    click.echo(f"{count(len(published), 'device')} {verb} at {where}")


@click.command("enrol")
@click.argument("device")
@click.option("--valid", default="72h", show_default=True, help="How long: 45m, 72h, 30d.")
@root_option
@keys_option
@url_option
@dry_option
@format_option
def enrol_command(  # noqa: PLR0917 - click passes them by name
    device: str, valid: str, root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """Make a one-time code with which DEVICE enrols.

    The code is made here; the centre learns only its hash. A new code ends the device's earlier
    one.
    """
    try:
        span = enrolment.lifetime(valid)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--valid") from None
    tree = read_tree(root)
    known_device(tree, device)
    resolve(root, device)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    with _admin(tree, keys, url) as admin:
        trusted = str(admin.organisation().get("key", ""))
        if not trusted:
            raise AdminError("the centre has no configuration of this organisation: publish first")
        _trusted_here(tree, keys, trusted)
        if dry_run:
            click.echo(f"{device}: would get a code valid until {_local(now + span)}", err=True)
            return
        made = enrolment.enrol(device, admin, trusted, valid=span, now=now)
        where = admin.url
    if form == "json":
        print_json(
            {
                "device": device,
                "code": made.code,
                "expires_at": made.expires_at.isoformat(),
                "endpoint": where,
                "organisation_key": trusted,
                "fingerprint": fingerprint(trusted),
            }
        )
        return
    click.echo(made.code)
    click.echo(f"  device       {device}")
    click.echo(f"  endpoint     {where}")
    click.echo(f"  valid until  {_local(made.expires_at)}")
    click.echo(f"  fingerprint  {fingerprint(trusted)}  (the device shows the same)")


@click.command("status")
@click.argument("devices", nargs=-1)
@root_option
@keys_option
@url_option
@format_option
def status_command(devices: tuple[str, ...], root: Path, keys: Path, url: str, form: str) -> None:
    """What the centre knows of DEVICES, or of all."""
    tree = read_tree(root)
    with _admin(tree, keys, url) as admin:
        found = admin.devices()
    lacking = set(devices) - {str(row.get("id")) for row in found}
    if lacking:
        raise AdminError(f"the centre does not know {', '.join(sorted(lacking))}: publish first")
    rows = [row for row in found if not devices or row.get("id") in devices]
    if form == "json":
        print_json(rows)
    else:
        click.echo(status_table(rows, dt.datetime.now(dt.UTC)))


def _admin(tree: Tree, keys: Path, url: str) -> Admin:
    data = tree.organisation.data if tree.organisation else {}
    settings = data.get("endpoint", {})
    where = url or settings.get("url", "")
    fault = rules.endpoint(where)
    if fault:
        raise click.BadParameter(f"{fault.what}; {fault.remedy}", param_hint="--url")
    return Admin(where, keyfiles.read(keys, keyfiles.OPERATOR), proxy=settings.get("proxy", ""))


def _trusted_here(tree: Tree, keys: Path, trusted: str) -> None:
    """The fingerprint on a label must be our organisation's, whatever the endpoint says."""
    for path in (tree.root / "keys" / "organisation.pub", keys / "organisation.pub"):
        if path.is_file():
            ours = keyfiles.read_public(path)
            if trusted and trusted != ours:
                raise KeyFileError(
                    f"the centre names the organisation's key {fingerprint(trusted)}, {path} says"
                    f" {fingerprint(ours)}: is this the right centre?"
                )
            return


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[object], None]]:
    """A bar on a terminal, nothing in a log."""
    with click.progressbar(
        length=total, label="publishing", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield functools.partial(_advance, bar)


def _advance(bar: Any, _: object) -> None:
    bar.update(1)


def _local(when: dt.datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M %Z")


COMMANDS: tuple[click.Command, ...] = (
    keygen_command,
    publish_command,
    enrol_command,
    status_command,
)
"""What cli.py offers of this side."""
