"""`hymio sync --from-stick` and `--to-stick`: what is told to whoever plugged the stick in."""

from __future__ import annotations

import random
import time
from pathlib import Path

import click

from sync.carrying import Carrying, Written
from sync.clock import Clock
from sync.datadir import DataDir
from sync.returning import Outcome
from sync.sender import Sender
from sync.stick import Stick


def carry(data: DataDir, source: Path | None, target: Path | None) -> bool:
    """Read receipts and configuration from one folder, write answers to the other; whether all
    went well. The caller holds the sender's lock.

    Raises CarryError, StickError, KeyFileError, sqlite3.Error, OSError of the device's own files.
    """
    well = True
    chance = random.Random()  # noqa: S311 - jitter
    with Carrying(data, clock=Clock(), monotonic=time.monotonic, chance=chance) as carrying:
        device = carrying.device
        if source is not None:
            try:
                well = _read(carrying.from_stick(Stick(source, device)), device, source)
            finally:
                _tell(data, chance)
        if target is not None:
            well = _wrote(carrying.to_stick(Stick(target, device)), device, target) and well
    return well


def _tell(data: DataDir, chance: random.Random) -> None:
    """Bring sender.json up to date before the terminal prunes by it, as the sender does."""
    Sender(data, clock=Clock(), monotonic=time.monotonic, chance=chance).close()


def _read(outcomes: list[Outcome], device: str, folder: Path) -> bool:
    for outcome in outcomes:
        word = f"{outcome.what}: " if outcome.what == "refused" else ""
        click.echo(f"{outcome.name}: {word}{outcome.text}")
    if not outcomes:
        click.echo(f"nothing for {device} on {folder}")
    return all(outcome.what != "refused" for outcome in outcomes)


def _wrote(written: Written, device: str, folder: Path) -> bool:
    records = "1 record" if written.records == 1 else f"{written.records:,} records"
    files = "1 file" if written.files == 1 else f"{written.files:,} files"
    oldest = f", the oldest from {written.oldest}" if written.oldest else ""
    click.echo(f"{device}: {records} in {files} on {folder}{oldest}")
    left = written.waiting - written.records
    for problem in written.problems:
        click.echo(f"hymio sync: {problem}", err=True)
    if written.problems and left > 0:
        click.echo(f"hymio sync: {left:,} of {written.waiting:,} are not on it", err=True)
    if written.files:
        click.echo("bring it to the desk (hymio fleet import), and back here with the receipts")
    elif not written.problems:
        click.echo("there is no outbox yet: start the terminal once")
    return not written.problems
