"""What IT's commands share: options, reading the folder, printing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kiosk.fleet import keys as keyfiles
from kiosk.fleet.resolve import known
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


def read_tree(root: Path) -> Tree:
    """Read the folder; wrong use when there is none."""
    if not root.is_dir():
        raise click.BadParameter(
            f"there is no folder {root} here; give one with --root", param_hint="--root"
        )
    return Tree.load(root)


def known_device(tree: Tree, device: str) -> None:
    """Wrong use when there is no such device."""
    if device not in tree.devices and f"devices/{device}.toml" not in tree.broken:
        raise click.BadParameter(f"there is no device {device}; {known(tree)}", param_hint="DEVICE")


def print_json(value: object) -> None:
    """Print for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def count(n: int, noun: str) -> str:
    """`1 device`, `2 devices`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
