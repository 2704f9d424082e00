"""What IT's commands share: options, reading the folder, printing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from kiosk.fleet import keys as keyfiles
from kiosk.fleet.edit import Edit
from kiosk.fleet.rules import one_of
from kiosk.fleet.tree import Tree

DOES_NOT_HOLD, WRONG_USE, CANNOT_REACH = 1, 2, 3

root_option = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("device-config"),
    show_default=True,
    help="The configuration folder.",
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
keys_option = click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HYMIO_KEYS",
    default=keyfiles.default_folder,
    show_default="~/.config/hymio/keys",
    help="Where the private keys lie; HYMIO_KEYS sets it too.",
)
url_option = click.option(
    "--url",
    default="",
    help="The centre's address; by default `endpoint.url` of organisation.toml.",
)
dry_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


def at_centre(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that works at the centre."""
    for option in (format_option, dry_option, url_option, keys_option, root_option):
        command = option(command)
    return command


def read_tree(root: Path) -> Tree:
    """Read the folder; wrong use when there is none."""
    if not root.is_dir():
        raise click.BadParameter(
            f"there is no folder {root}: begin one with `hymio fleet init`, or give --root",
            param_hint="--root",
        )
    return Tree.load(root)


def known_device(tree: Tree, device: str) -> None:
    """Wrong use when there is no such device."""
    if device not in tree.devices and f"devices/{device}.toml" not in tree.broken:
        remedy = one_of(device, tree.devices, "add it with `hymio fleet add-device`")
        raise click.BadParameter(f"there is no device {device}: {remedy}", param_hint="DEVICE")


def device_in_use(tree: Tree, device: str) -> None:
    """Wrong use when there is no such device, or it is retired."""
    known_device(tree, device)
    source = tree.devices.get(device)
    if source and (since := source.data.get("retired")):
        raise click.BadParameter(
            f"{device} is retired since {since}: to use it again, remove `retired` from"
            f" {source.file}",
            param_hint="DEVICE",
        )


def print_json(value: object) -> None:
    """Print for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def count(n: int, noun: str) -> str:
    """`1 device`, `2 devices`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dt.date | None:
    """Read an option's YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError:
        raise click.BadParameter(f'"{value}" is not a day: write it as 2026-04-01') from None


def editing(root: Path) -> Edit:
    """Begin an edit; wrong use when there is no such folder."""
    read_tree(root)
    return Edit(root)


def finish(
    edit: Edit,
    told: Sequence[str],
    *,
    dry_run: bool,
    form: str,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write an edit, or show it with `--dry-run`, and say what was done.

    Raises ConfigErrors and EditError as `Edit.write`; then nothing is written.
    """
    if dry_run:
        edit.judge()
    else:
        edit.write()
    if form == "json":
        print_json(
            {
                **(facts or {}),
                "dry_run": dry_run,
                "changed": [file for file in edit.changed if file not in edit.created],
                "created": edit.created,
                "told": list(told),
                **({"diff": edit.diff()} if dry_run else {}),
            }
        )
        return
    if not edit.changed:
        click.echo("; ".join(told) or "nothing to do: it stands so already")
        return
    if dry_run:
        click.echo(edit.diff(), nl=False)
    for sentence in told:
        click.echo(f"would be written: {sentence}" if dry_run else sentence)
