"""`hymio wipe`: erases what a device holds, by hand and on the spot."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from sync.datadir import DataDir, read_json
from sync.erasing import begun, erase
from sync.ledger import ledger

NO_NAME = "erase"
"""What is typed for a device that has no name."""


@click.command()
@click.option(
    "--data",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The data directory shared with the terminal.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--lose-unsent", is_flag=True, help="Erase answers too that the centre lacks.")
@click.option("--no-overwrite", is_flag=True, help="Delete only: quicker, and not erased.")
def wipe(root: Path, *, yes: bool, lose_unsent: bool, no_overwrite: bool) -> None:
    """Erase this device: its key, answers, configurations, and who it is.

    Terminal and sender must be stopped. Ends with 1, erasing nothing, when answers have not reached
    the centre; those on a stick count until their receipts are read. Flash memory may keep old
    bytes all the same: see the device's page.
    """
    data = DataDir(root)
    if not data.outbox_dir.is_dir():
        raise click.UsageError(f"{root} is not a terminal's data directory")
    try:
        with (
            _held(data.outbox_lock, "the terminal", "hymio-terminal"),
            _held(data.sync_lock, "the sender", "hymio-sync"),
        ):
            _wipe(data, yes=yes, lose_unsent=lose_unsent, overwrite=not no_overwrite)
    except OSError as error:
        _end(f"not everything is erased: {error}; the same command goes on")


def _wipe(data: DataDir, *, yes: bool, lose_unsent: bool, overwrite: bool) -> None:
    device = str((read_json(data.sender_json) or {}).get("device") or "")
    if begun(data):
        click.echo("an erasing that was cut short goes on")
    else:
        unsent, unknown = _unsent(data)
        bundles = len(list(data.config_dir.glob("*.bundle")))
        click.echo(f"to be erased: {device or 'a device without a name'} in {data.root}")
        click.echo(f"  {_count(bundles, 'configuration')}, the device's key, the outbox")
        click.echo(f"  {_count(unsent, 'record')} not at the centre")
        for line in unknown:
            click.echo(f"  {line}: it may hold records that are not at the centre")
        if (unsent or unknown) and not lose_unsent:
            _end(
                "nothing is erased: let the sender bring the answers to the centre, or put them on"
                " a stick and read the receipts; --lose-unsent erases them unsent"
            )
        if not yes:
            _ask(device or NO_NAME)
    erase(data, overwrite=overwrite)
    click.echo("erased" if overwrite else "deleted, and not written over")
    if device:
        click.echo(f"its key is worth nothing after: hymio fleet revoke {device}")


def _unsent(data: DataDir) -> tuple[int, list[str]]:
    """Records the centre lacks, and what cannot be told."""
    try:
        lines = ledger(data)
    except sqlite3.Error as error:
        return 0, [f"{data.sync_db.name} cannot be read ({error})"]
    unknown = [f"outbox {line.epoch} {line.note}" for line in lines if line.note]
    return sum(line.to_send + line.held for line in lines), unknown


def _ask(name: str) -> None:
    typed = click.prompt(f"type {name} to erase it", default="", show_default=False)
    if typed.strip() != name:
        _end("nothing is erased: that is another name")


@contextlib.contextmanager
def _held(lock: Path, who: str, unit: str) -> Iterator[None]:
    """Hold a lock, so that nobody writes into what is erased."""
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _end(f"nothing is erased: {who} runs; stop it first (systemctl stop {unit})")
        yield
    finally:
        os.close(fd)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _end(text: str) -> None:
    click.echo(f"hymio wipe: {text}", err=True)
    sys.exit(1)
