"""Commands about the files: validate, show, preview, schema."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from kiosk.fleet import fit, schema, validate
from kiosk.fleet.desk import (
    DOES_NOT_HOLD,
    count,
    format_option,
    known_device,
    print_json,
    read_tree,
    root_option,
)
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.explain import explain
from kiosk.fleet.resolve import resolve
from kiosk.fleet.tree import Tree
from kiosk.layout.kit import panel_of
from kiosk.layout.measure import FontError
from kiosk.layout.page import LOW_REACH_MM
from sync.contract.bundle import LANGUAGES

MODES = ("speech", "larger", "dark", "low")


@click.command("validate")
@root_option
@click.option("--no-fit", is_flag=True, help="Leave out whether all texts fit the panels.")
@format_option
def validate_command(root: Path, no_fit: bool, form: str) -> None:
    """Check every file and list all errors.

    Each with file, line, key, what is wrong and what to do. Every screen of every device is
    composed in every language to see whether it fits its panel.
    """
    tree = read_tree(root)
    found = validate.problems(tree)
    if not no_fit:
        found = sorted({*found, *_unfit(tree, found)})
    errors = [error for error in found if error.severity == "error"]
    warnings = [error for error in found if error.severity == "warning"]
    if form == "json":
        print_json(
            {
                "devices": len(tree.in_use),
                "retired": len(tree.devices) - len(tree.in_use),
                "locations": len(tree.locations),
                "errors": [error.as_dict() for error in errors],
                "warnings": [error.as_dict() for error in warnings],
            }
        )
    else:
        for error in (*errors, *warnings):
            click.echo(error.entry())
        click.echo(
            ", ".join(
                [
                    count(len(tree.in_use), "device"),
                    count(len(tree.locations), "location"),
                    count(len(errors), "error"),
                    *([count(len(warnings), "warning")] if warnings else []),
                ]
            )
        )
    if errors:
        sys.exit(DOES_NOT_HOLD)


def _unfit(tree: Tree, found: list[ConfigError]) -> list[ConfigError]:
    """What does not fit; where it cannot be measured, that is said."""
    try:
        return fit.told(tree, found)
    except FontError as error:
        click.echo(f"whether texts fit was not checked: {error}", err=True)
        return []


@click.command("show")
@click.argument("device")
@root_option
@click.option("--explain", "explained", is_flag=True, help="Name the file and line of each value.")
@format_option
def show_command(device: str, root: Path, explained: bool, form: str) -> None:
    """Show what holds on DEVICE; --explain says why."""
    tree = read_tree(root)
    known_device(tree, device)
    bundle = resolve(root, device)
    values = explain(tree, device)
    if form == "json":
        print_json([v.as_dict() for v in values] if explained else msgspec.to_builtins(bundle))
        return
    width = max(len(value.key) for value in values)
    for value in values:
        text = json.dumps(value.value, ensure_ascii=False)
        line = f"{value.key:{width}} = {text if len(text) <= 60 else text[:59] + '…'}"
        if explained:
            line += f"  ({value.origin}" + "".join(
                f"; instead of {json.dumps(o.value, ensure_ascii=False)} in {o}"
                for o in value.replaced
            )
            line += ")"
        click.echo(line)


@click.command("preview")
@click.argument("device")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder; by default preview/DEVICE.",
)
@click.option("--language", "languages", multiple=True, type=click.Choice(LANGUAGES))
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="MODE[,MODE]",
    help=f"Draw it in these modes too: {', '.join(MODES)}; low only on panels hung high.",
)
@click.option("--staff", is_flag=True, help="Draw the screens of set-up and service too.")
@root_option
def preview_command(  # noqa: PLR0917
    device: str,
    out: Path | None,
    languages: tuple[str, ...],
    modes: tuple[str, ...],
    staff: bool,
    root: Path,
) -> None:
    """Draw every screen of DEVICE in every language.

    Writes PNG files, and screens.json with every box in px and mm. Ends with 1 when something
    does not fit on the device's panel, and says what.
    """
    known_device(read_tree(root), device)
    bundle = resolve(root, device)
    wanted = [frozenset[str](), *(frozenset(mode.split(",")) for mode in modes)]
    strange = frozenset[str]().union(*wanted) - set(MODES)
    if strange:
        raise click.BadParameter(f"no mode {', '.join(strange)}", param_hint="--mode")
    if any("low" in mode for mode in wanted) and not panel_of(bundle.screen).offers_low:
        raise click.BadParameter(
            f"{device} has no low: its top edge is at most {LOW_REACH_MM:,.0f} mm above the floor"
            " (screen.top_mm_above_floor)",
            param_hint="--mode",
        )
    # Only now: everything else at IT's desk works without what draws.
    preview: Any = importlib.import_module("kiosk.ui.preview")
    out = out or Path("preview") / device
    try:
        screens = preview.render(bundle, out, languages, wanted, staff=staff)
    except OSError as error:
        raise click.BadParameter(
            f"{error.filename or out}: {error.strerror}", param_hint="--out"
        ) from None
    unfit = [screen for screen in screens if screen["problems"]]
    for screen in unfit:
        # The others follow from the first; screens.json has them all.
        first, *others = screen["problems"]
        click.echo(f"{screen['file']}: {first}{f'; {len(others)} more' if others else ''}")
    click.echo(
        f"{device}: {count(len(screens), 'picture')} and screens.json in {out},"
        f" {len(unfit)} that do not fit"
    )
    if unfit:
        sys.exit(DOES_NOT_HOLD)


@click.command("schema")
@root_option
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not current.")
def schema_command(root: Path, check: bool) -> None:
    """Write the JSON Schemas for editors.

    With them an editor completes keys, explains them and marks what is wrong.
    """
    read_tree(root)
    stale = schema.write(root / "schema", check=check)
    for path in stale:
        click.echo(f"{path} {'is not current' if check else 'written'}")
    if not stale:
        click.echo("all schemas are current")
    if check and stale:
        sys.exit(DOES_NOT_HOLD)


COMMANDS: tuple[click.Command, ...] = (
    validate_command,
    show_command,
    preview_command,
    schema_command,
)
