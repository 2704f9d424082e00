"""`hymio fleet audit`: every screen against the figures of accessibility."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from kiosk.fleet import fit, validate
from kiosk.fleet.desk import (
    CANNOT_REACH,
    DOES_NOT_HOLD,
    count,
    device_in_use,
    read_tree,
    root_option,
)
from kiosk.fleet.tree import Tree
from kiosk.layout.measure import FontError
from sync.contract.bundle import LANGUAGES

MODES = ("normal", "larger", "dark", "low", "speech")
STOPPED = 130


@click.command("audit")
@click.argument("device", required=False)
@click.option("--all", "every", is_flag=True, help="Every device in use; those alike once.")
@click.option("--language", "languages", multiple=True, type=click.Choice(LANGUAGES))
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="MODE[,MODE]",
    help=f"These modes alone: {', '.join(MODES)}; by default all that the device has.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the findings for programs; - is the standard output.",
)
@click.option(
    "--html",
    "html",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page with pictures into this folder.",
)
@click.option(
    "--pictures",
    type=click.Choice(("some", "all")),
    default="some",
    show_default=True,
    help="For --html: of what fails and of each screen in one language, or of all screens.",
)
@click.option("--staff", is_flag=True, help="Check the screens of set-up and service too.")
@root_option
def audit_command(  # noqa: PLR0917
    device: str | None,
    every: bool,
    languages: tuple[str, ...],
    modes: tuple[str, ...],
    json_file: Path | None,
    html: Path | None,
    pictures: str,
    staff: bool,
    root: Path,
) -> None:
    """Check every screen of DEVICE for accessibility.

    Each screen, language and mode is composed and painted as the device's own panel shows it, and
    checked: sizes, gaps, heights of letters, contrasts on pixels, missing letters, the order of
    controls, words for the ear, heights above the floor, time limits. Ends with 1 when something
    fails, and says what is required and what to do.
    """
    if json_file is not None and not (
        json_file.parent.is_dir() and os.access(json_file.parent, os.W_OK)
    ):
        # Now, and not after minutes of work.
        raise click.BadParameter(f"{json_file.parent} cannot be written", param_hint="--json")
    tree = read_tree(root)
    wanted = _devices(tree, device, every=every)
    validate.refuse(tree, None if every else wanted)
    # Only now: everything else at IT's desk works without what draws.
    audits: Any = importlib.import_module("kiosk.fleet.audit_devices")
    report: Any = importlib.import_module("kiosk.fleet.audit_report")
    asked = audits.named(modes)
    strange = sorted({part for mode in asked for part in mode} - set(MODES))
    if strange:
        raise click.BadParameter(f"no mode {', '.join(strange)}", param_hint="--mode")

    def progress(number: int, of: int) -> None:
        click.echo(f"audit: {number} of {count(of, 'part')}", err=True)

    try:
        if html is not None:
            html.mkdir(parents=True, exist_ok=True)
        found = audits.audit(
            tree,
            wanted,
            languages=languages,
            modes=asked,
            staff=staff,
            folder=html,
            every=pictures == "all",
            done=fit.paced(progress),
        )
        if html is not None:
            importlib.import_module("kiosk.fleet.audit_html").write(found, html)
        _print(report, found, json_file)
    except KeyboardInterrupt:
        click.echo("hymio: stopped", err=True)
        sys.exit(STOPPED)
    except FontError as error:
        click.echo(f"hymio: {error}", err=True)
        sys.exit(CANNOT_REACH)
    except BrokenPipeError:
        # Whoever read the output has enough of it.
        raise
    except OSError as error:
        # A full disk names no file.
        where = error.filename or html or json_file
        raise click.BadParameter(
            f"{where}: {error.strerror}", param_hint="--html or --json"
        ) from None
    if not sum(one.screens for one in found):
        raise click.UsageError("nothing was checked: no device has these languages and modes")
    if any(one.failures for one in found):
        sys.exit(DOES_NOT_HOLD)


def _devices(tree: Tree, device: str | None, *, every: bool) -> list[str]:
    if every == (device is not None):
        raise click.UsageError("name one DEVICE, or give --all")
    if device is not None:
        device_in_use(tree, device)
        return [device]
    if not tree.in_use:
        raise click.UsageError("no device is in use")
    return sorted(tree.in_use)


def _print(report: Any, found: Any, json_file: Path | None) -> None:
    text = json.dumps(report.as_dict(found), ensure_ascii=False, indent=2)
    if str(json_file) == "-":
        click.echo(text)
        return
    if json_file is not None:
        json_file.write_text(text + "\n", encoding="utf-8")
    for line in report.lines(found):
        click.echo(line)


COMMANDS: tuple[click.Command, ...] = (audit_command,)
