"""`hymio fleet stick`: an installer with packages, tickets and configurations."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.fleet import stick
from kiosk.fleet.desk import count, dry_option, format_option, print_json


@click.command("stick")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder to be copied to a stick.",
)
@click.option(
    "--packages",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder with hymio-device_*.deb, and with what it needs where there is no network.",
)
@click.option(
    "--usb",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder `enrol --usb` wrote: tickets and configurations.",
)
@dry_option
@format_option
def stick_command(
    devices: tuple[str, ...], out: Path, packages: Path, usb: Path | None, dry_run: bool, form: str
) -> None:
    """Write what installs a terminal unattended, up to the enrolment screen.

    For DEVICES, or for all that have a ticket. Nothing on it is a lasting secret: the tickets
    are one-time codes.
    """
    contents = stick.collect(packages, usb, devices)
    if not dry_run:
        try:
            stick.write_files(contents, {}, out)
        except OSError as error:
            raise click.BadParameter(
                f"{error.filename or out}: {error.strerror}", param_hint="--out"
            ) from None
    if form == "json":
        print_json(
            {
                "out": str(out),
                "dry_run": dry_run,
                "devices": contents.devices,
                "packages": contents.packages,
                "files": sorted(contents.files),
                "bytes": contents.size,
            }
        )
        return
    verb = "would be written" if dry_run else "written"
    for name in sorted(contents.files):
        click.echo(name)
    click.echo(
        f"{count(len(contents.packages), 'package')} and {count(len(contents.devices), 'device')}"
        f" ({contents.size / 1e6:.1f} MB) {verb} to {out}"
    )


COMMANDS = (stick_command,)
