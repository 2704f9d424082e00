"""`hymio kiosk`: the terminal on this screen."""

from __future__ import annotations

import logging
import re
import shlex
import sys
from pathlib import Path

import click

from kiosk.speech.speaker import open_voice
from kiosk.ui.activation import Activation, signer
from kiosk.ui.env import NoWindowError
from kiosk.ui.fallback import fallback_bundle
from sync.contract.bundle import Bundle, BundleError, decode, unpack
from sync.datadir import DataDir

log = logging.getLogger("hymio.ui")


def _size(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", value)
    if not found or not all(160 <= int(part) <= 8192 for part in found.groups()):
        raise click.BadParameter(f"{value!r} is not a size such as 1280x800")
    return int(found[1]), int(found[2])


def _words(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    try:
        return tuple(shlex.split(value)) or None if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    help="The device's TOML file in device-config/, or a bundle, for development and the demo. A"
    " newer verified bundle in the data directory wins. Without it the terminal is set up on its"
    " screen, and has what the sender fetched.",
)
@click.option(
    "--data",
    "data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The data directory shared with the sender.",
)
@click.option(
    "--stick",
    "stick",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/run/hymio/stick"),
    show_default=True,
    help="Where a USB stick's folder `hymio` appears.",
)
@click.option(
    "--blank/--no-blank",
    "blank",
    default=None,
    help="Switch the panel off outside opening hours (wlr-randr or xset); by default where the"
    " whole screen is used.",
)
@click.option(
    "--windowed",
    callback=_size,
    metavar="WxH",
    help="A window of this size in px instead of the whole screen, for development; the panel's"
    " millimetres stay as configured.",
)
@click.option(
    "--prompts",
    "prompts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Recordings said instead of the engine's voice; by default `prompts` in the data"
    " directory.",
)
@click.option(
    "--player",
    "player",
    callback=_words,
    metavar="COMMAND",
    help="What plays speech, given as WAV on its standard input, instead of aplay.",
)
@click.option(
    "--speech-log",
    "speech_log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is said to this file, one JSON line each: for development, as it holds what"
    " visitors hear and write.",
)
def kiosk(
    *,
    config: Path | None,
    data: Path,
    stick: Path,
    blank: bool | None,
    windowed: tuple[int, int] | None,
    prompts: Path | None,
    player: tuple[str, ...] | None,
    speech_log: Path | None,
) -> None:
    """The terminal: shows the questions, stores the answers.

    Exit codes: 0 asked to end or to restart, 1 a turn of the program fails again and again, 3 no
    display, 4 left to the system on the service screen.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    folder, fault = DataDir(data), ""
    bundle: Bundle | None
    try:
        bundle = _load(config) if config is not None else None
    except (BundleError, OSError) as error:
        # Nobody in front of the screen can mend this: it says "out of use", the log says why.
        bundle, fault = fallback_bundle(), f"no configuration: {error}"
        log.error(fault)
    except _BrokenFilesError as error:
        if Activation(folder, fallback_bundle()).newest() is None:
            click.echo(str(error), err=True)
            sys.exit(1)
        # What was published is good, and it wins.
        bundle = fallback_bundle()
        log.error("%s cannot be used: %s", config, error)
    from kiosk.ui.app import Terminal  # noqa: PLC0415 - opens no window before its size is known

    voice = open_voice(prompts=prompts or data / "prompts", player=player, log=speech_log)
    try:
        terminal = Terminal(
            bundle,
            folder,
            windowed,
            stick=stick,
            fault=fault,
            blank=windowed is None if blank is None else blank,
            voice=voice,
        )
    except NoWindowError as error:
        voice.close()
        click.echo(f"hymio kiosk: {error}", err=True)
        sys.exit(3)
    sys.exit(terminal.run())


class _BrokenFilesError(Exception):
    """IT's files have errors; the text lists all of them."""


def _load(path: Path) -> Bundle:
    """The configuration behind a device's TOML, a signed bundle or plain JSON.

    Raises _BrokenFilesError, BundleError, OSError.
    """
    if path.suffix == ".toml":
        # A device in the field has bundles and need not have what reads IT's files.
        from kiosk.fleet.errors import ConfigErrors  # noqa: PLC0415
        from kiosk.fleet.resolve import load_path  # noqa: PLC0415

        try:
            return load_path(path)
        except ConfigErrors as error:
            raise _BrokenFilesError(str(error)) from None
    raw = path.read_bytes()
    try:
        key = signer(raw)
    except BundleError:
        return decode(raw)
    return unpack(raw, trusted=(key,))
