"""`hymio kiosk`: the terminal on this screen."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import click

from kiosk.fleet.errors import ConfigErrors
from kiosk.fleet.resolve import load_path
from kiosk.ui.fallback import fallback_bundle
from sync.datadir import DataDir


def _size(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", value)
    if not found or not all(160 <= int(part) <= 8192 for part in found.groups()):
        raise click.BadParameter(f"{value!r} is not a size such as 1280x800")
    return int(found[1]), int(found[2])


@click.command()
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    required=True,
    help="The device's TOML file in device-config/, or a bundle. A newer verified bundle in the"
    " data directory wins.",
)
@click.option(
    "--data",
    "data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The data directory shared with the sender.",
)
@click.option(
    "--windowed",
    callback=_size,
    metavar="WxH",
    help="A window of this size in px instead of the whole screen, for development; the panel's"
    " millimetres stay as configured.",
)
def kiosk(config: Path, data: Path, windowed: tuple[int, int] | None) -> None:
    """The terminal: shows the questions, stores the answers."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    log = logging.getLogger("hymio.ui")
    fault = ""
    try:
        bundle = load_path(config)
    except (ConfigErrors, OSError) as error:
        # Nobody who stands in front of it can mend this; the reason goes to the log and status.
        log.error("no configuration: %s", error)
        bundle, fault = fallback_bundle(), f"no configuration: {error}"
    from kiosk.ui.app import Terminal  # noqa: PLC0415 - opens no window before its size is known

    Terminal(bundle, DataDir(data), windowed, fault=fault).run()
