"""`hymio sync` and `hymio ledger`."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from sync.carrying import CarryError
from sync.clock import Clock
from sync.datadir import DataDir
from sync.identity import KeyFileError, load_or_make
from sync.ledger import Line
from sync.ledger import ledger as read_ledger
from sync.sender import Sender
from sync.stick import StickError
from sync.stick_command import carry
from sync.watchdog import notify

ONCE_STALLED = 30
"""Exchanges without progress after which `--once` gives up; finding one refused record among five
hundred takes about twenty."""
LONGEST_S = 5.0
"""Between two looks at whether there is a new code."""

_data = click.option(
    "--data",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The data directory shared with the terminal.",
)

_stick = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@_data
@click.option("--once", is_flag=True, help="Send what there is and end, instead of staying.")
@click.option("--new-key", is_flag=True, help="Make the key that will follow, and end.")
@click.option(
    "--from-stick", type=_stick, help="Read receipts and a configuration from a USB stick, and end."
)
@click.option("--to-stick", type=_stick, help="Write what waits onto a USB stick, and end.")
def sync(
    root: Path, *, once: bool, new_key: bool, from_stick: Path | None, to_stick: Path | None
) -> None:
    """The sender: brings every record of the outbox to the centre.

    Without --once it stays until SIGTERM or Ctrl-C. With --once: 0 when all was sent (or there is
    nothing to send), 3 when the centre could not be reached, saying since when and how much waits.

    With --new-key the next exchange tells the centre of a new key, which then replaces this one.

    Where there is no network, a stick carries the records to the desk and the receipts back; the
    folder is where it is mounted. With both options, receipts first. 1 when the stick is full, a
    receipt or a configuration is refused, or the sender runs: it has to be stopped for a moment.
    """
    carried = from_stick is not None or to_stick is not None
    if once + new_key + carried > 1:
        raise click.UsageError("--once, --new-key and the two options for a stick go one by one")
    if carried and not (root / "outbox").is_dir():
        raise click.UsageError(f"{root} is not a terminal's data directory")
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    data = DataDir(root)
    os.umask(0o007)
    try:
        data.create()
        if new_key:
            load_or_make(data.key_new)
            click.echo("a new key is made; the sender tells the centre of it", err=True)
            return
        with _only_one(data):
            if carried:
                sys.exit(0 if carry(data, from_stick, to_stick) else 1)
            sender = Sender(
                data,
                clock=Clock(),
                monotonic=time.monotonic,
                chance=random.Random(),  # noqa: S311 - jitter
            )
            try:
                if once:
                    _once(sender)
                else:
                    _stay(sender)
            finally:
                sender.close()
    except (CarryError, StickError) as error:
        click.echo(f"hymio sync: {error}", err=True)
        sys.exit(1)
    except (OSError, sqlite3.Error, KeyFileError) as error:
        click.echo(f"hymio sync: the data directory {root} cannot be used: {error}", err=True)
        sys.exit(1)


def _stay(sender: Sender) -> None:
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        sender.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    # The data directory is open and the sender's own files are read: that is all it takes.
    notify("READY=1")
    while not stop.is_set():
        # From the loop, reached or not: a sender without network is alive.
        notify("WATCHDOG=1")
        # Never longer than some seconds: somebody may be typing a new code.
        stop.wait(min(sender.step(), LONGEST_S))
    notify("STOPPING=1")


def _once(sender: Sender) -> None:
    stalled, before = 0, -1
    while stalled < ONCE_STALLED:
        sender.step(eager=True)
        if sender.state == "wiped":
            click.echo("all is at the centre, and everything here is erased", err=True)
            return
        waiting = sender.waiting()
        wiping = sender.state == "wiping"
        if not wiping and (sender.drained() or (sender.state == "starting" and not waiting.lots)):
            click.echo("all is at the centre", err=True)
            return
        if sender.state not in ("ok", "starting", "wiping"):
            break
        stalled = stalled + 1 if waiting.backlog == before else 0
        before = waiting.backlog
    waiting = sender.waiting()
    if sender.drained() and not sender.reason:
        click.echo(
            "all is at the centre; everything here is erased once the terminal has closed its"
            " outbox",
            err=True,
        )
        return
    since = f" since {sender.since}" if sender.since else ""
    oldest = f", the oldest from {waiting.oldest}" if waiting.oldest else ""
    records = "1 record waits" if waiting.backlog == 1 else f"{waiting.backlog} records wait"
    why = sender.reason or "the centre answers, and some records do not get through now"
    click.echo(f"{sender.state}{since}: {why}; {records}{oldest}", err=True)
    sys.exit(1 if sender.state in ("disk", "no-key", "unconfirmed") else 3)


@contextlib.contextmanager
def _only_one(data: DataDir) -> Iterator[None]:
    """Hold the sender's lock; two senders would move one cursor."""
    fd = os.open(data.sync_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        click.echo(
            "hymio sync: the sender works in this data directory: stop it for a moment"
            " (systemctl stop hymio-sync)",
            err=True,
        )
        sys.exit(1)
    try:
        yield
    finally:
        os.close(fd)


@click.command()
@_data
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table")
def ledger(root: Path, shape: str) -> None:
    """What was created on this device, and where each record is.

    Per epoch (one outbox file): created = acknowledged + quarantined + held + lost + to send, in
    records. Exit 1 when an outbox file cannot be read.
    """
    data = DataDir(root)
    if not data.outbox_dir.is_dir():
        raise click.UsageError(f"{root} is not a terminal's data directory")
    try:
        lines = read_ledger(data)
    except sqlite3.Error as error:
        click.echo(f"hymio ledger: {data.sync_db} cannot be read: {error}", err=True)
        sys.exit(1)
    names = ("created", "acknowledged", "quarantined", "held", "lost", "to_send")
    total = {name: sum(getattr(line, name) for line in lines) for name in names}
    oldest = min((line.oldest_unsent for line in lines if line.oldest_unsent), default=None)
    if shape == "json":
        found = {"epochs": lines, "total": {**total, "oldest_unsent": oldest}}
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _table(lines, total)
    if any(line.note for line in lines):
        sys.exit(1)


def _table(lines: list[Line], total: dict[str, int]) -> None:
    heads = ("created", "acknowledged", "quarantined", "held", "lost", "to send")
    click.echo(f"{'epoch':<36}" + "".join(f"{head:>14}" for head in heads) + "  oldest unsent")
    for line in lines:
        numbers = [getattr(line, name) for name in total]
        row = f"{line.epoch:<36}" + "".join(f"{number:>14,}" for number in numbers)
        click.echo(f"{row}  {line.note or line.oldest_unsent or '-'}")
    click.echo(f"{'total':<36}" + "".join(f"{number:>14,}" for number in total.values()))
