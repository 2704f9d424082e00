"""`hymio fleet stick`: an installer with packages, tickets and configurations."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.fleet import preseed, remaster, stick
from kiosk.fleet.desk import count, dry_option, format_option, print_json

README = """Files for a Debian installer on a USB stick, for machines that start by UEFI.

1. Format a stick as FAT32 and copy everything from a Debian netinst image onto it.
2. Copy everything here over it; boot/grub/grub.cfg is replaced.
3. Start the machine from the stick.

With `hymio fleet stick --installer FILE.iso` all of this is one image, for BIOS too.
"""


@click.command("stick")
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="With --installer the image to write; otherwise a folder.",
)
@click.option(
    "--packages",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder with hymio-device_*.deb, and with what it needs where there is no network.",
)
@click.option(
    "--installer",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A Debian installer (netinst or mini.iso of Debian 12 or 13) to put everything into.",
)
@click.option(
    "--usb",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder `enrol --usb` wrote: tickets and configurations.",
)
@click.option(
    "--erase-disk",
    is_flag=True,
    help="The machine's one disk is erased without a question. Without it the installer asks, and"
    " it always asks where a terminal's answers lie.",
)
@click.option(
    "--admin-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A public SSH key that may log in as hymio-admin. Without it nobody can, and nothing"
    " listens.",
)
@click.option("--timezone", default=preseed.Settings.timezone, show_default=True)
@click.option("--locale", default=preseed.Settings.locale, show_default=True)
@click.option("--keyboard", default=preseed.Settings.keyboard, show_default=True)
@click.option(
    "--mirror",
    default="",
    metavar="http://HOST/debian",
    help="A Debian mirror; by default the installer's own choice.",
)
@dry_option
@format_option
def stick_command(  # noqa: PLR0917 - click passes them by name
    devices: tuple[str, ...],
    out: Path,
    packages: Path,
    installer: Path | None,
    usb: Path | None,
    erase_disk: bool,
    admin_key: Path | None,
    timezone: str,
    locale: str,
    keyboard: str,
    mirror: str,
    dry_run: bool,
    form: str,
) -> None:
    """Write what installs a terminal unattended, up to the enrolment screen.

    For DEVICES, or for all that have a ticket. Nothing on it is a lasting secret: the tickets
    are one-time codes. An image is copied to a stick as a whole, for instance with `dd`.
    """
    contents = stick.collect(packages, usb, devices)
    settings = preseed.Settings(
        erase=erase_disk,
        timezone=timezone,
        locale=locale,
        keyboard=keyboard,
        mirror=mirror,
        hostname=contents.devices[0] if len(contents.devices) == 1 else "hymio",
        admin_key=preseed.admin_key(admin_key) if admin_key else "",
    )
    texts = preseed.texts(settings)
    image = remaster.look(installer) if installer else None
    _check_out(out, image)
    if not dry_run and image is not None:
        remaster.remaster(image, contents, texts, out)
    elif not dry_run:
        _write_folder(contents, texts, out)
    files = sorted({*contents.files, *texts})
    if form == "json":
        print_json(
            {
                "out": str(out),
                "installer": str(installer) if installer else None,
                "dry_run": dry_run,
                "erase_disk": erase_disk,
                "devices": contents.devices,
                "packages": contents.packages,
                "files": files,
                "bytes": contents.size,
            }
        )
        return
    for name in files:
        click.echo(name)
    verb = "would be written" if dry_run else "written"
    click.echo(
        f"{count(len(contents.packages), 'package')} and {count(len(contents.devices), 'device')}"
        f" ({contents.size / 1e6:.1f} MB) {verb} to {out}"
    )
    if erase_disk:
        click.echo("Whatever machine starts from it loses what is on its disk.", err=True)


def _check_out(out: Path, image: remaster.Image | None) -> None:
    if image is None and out.exists() and not out.is_dir():
        raise click.BadParameter(
            f"{out} is a file; without --installer a folder is written", param_hint="--out"
        )
    if image is not None and out.exists() and not out.is_file():
        raise click.BadParameter(
            f"{out} is not a file: write an image, then copy it to the stick with `dd`",
            param_hint="--out",
        )
    if image is not None and out.exists() and out.samefile(image.path):
        raise click.BadParameter("the installer itself is left as it is", param_hint="--out")
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")


def _write_folder(contents: stick.Contents, texts: dict[str, str], out: Path) -> None:
    menu = preseed.grub(*remaster.KERNELS[0], answers="/cdrom/preseed.cfg")
    more = {"boot/grub/grub.cfg": menu, "README-HYMIO.txt": README}
    try:
        stick.write_files(contents, {**texts, **more}, out)
    except OSError as error:
        raise click.BadParameter(
            f"{error.filename or out}: {error.strerror}", param_hint="--out"
        ) from None


COMMANDS = (stick_command,)
