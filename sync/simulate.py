"""`hymio simulate`: many terminals' outboxes and senders against one centre, for load and drills.

Everything is real but the visitors: each terminal has its own data directory, key, enrolment and
sender; all run as threads of this process. Answers are marked as tests, so no report counts them.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import logging
import os
import secrets
import signal
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.clock import Clock
from sync.contract.settled import settle
from sync.contract.signing import sign
from sync.outbox import OutboxError
from sync.simulated import LOCATION, Count, Terminal

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
PROGRESS_S: Final = 5.0
Tell = Callable[[str], None]


class CentreError(Exception):
    """The centre cannot be reached, or refuses what the simulation needs."""


class Operator:
    """The admin calls a simulation needs, signed by an operator's key. Raises CentreError."""

    def __init__(self, url: str, key: Ed25519PrivateKey) -> None:
        self.url, self._key = url.rstrip("/"), key
        self._prefix = urlsplit(self.url).path
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, body: object) -> None:
        """One signed request."""
        raw = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        headers |= sign(method, self._prefix + path, headers, raw, self._key)
        try:
            reply = self._session.request(
                *(method, self.url + path),
                data=raw,
                headers=headers,
                timeout=(10, 60),
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise CentreError(f"cannot reach {self.url}: {error}") from None
        if reply.status_code != 200:
            raise CentreError(f"{path}: the centre says {reply.status_code} {reply.text[:200]}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def register(self, devices: list[str]) -> None:
        """Make the place and the devices known."""
        place = {"id": LOCATION, "name": {"en": "Simulated"}, "municipality": "Simulated"}
        listed = [{"id": name, "name": name, "location": LOCATION} for name in devices]
        self.call("PUT", "/v1/admin/catalogue", {"locations": [place], "devices": listed})

    def code(self, device: str) -> str:
        """A one-time code, good for an hour."""
        code = "".join(secrets.choice(LETTERS) for _ in range(12))
        until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 3600))
        body = {"code_sha256": hashlib.sha256(code.encode()).hexdigest(), "expires_at": until}
        self.call("POST", f"/v1/admin/devices/{device}/codes", body)
        return code


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise click.UsageError(f"{path} is not a private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise click.UsageError(f"{path} is not an Ed25519 key")
    return key


def _check_target(url: str, sure: bool) -> None:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not sure:
        raise click.UsageError(
            f"{url} is not on this machine: with --yes-really-send-test-data it is sent there"
        )


class Progress:
    """Says on stderr, every few seconds, how far it is; nothing where a program reads."""

    def __init__(self, shape: str) -> None:
        self._shown = shape == "table"
        self._told = time.monotonic()

    def tell(self, words: Callable[[], str]) -> None:
        """Say it, if it is time."""
        if self._shown and time.monotonic() - self._told >= PROGRESS_S:
            self._told = time.monotonic()
            click.echo(words(), err=True)


def _acknowledged(terminals: list[Terminal]) -> int:
    return sum(terminal.acknowledged() for terminal in terminals)


def _run(
    terminals: list[Terminal],
    rate: float,
    duration: float,
    *,
    stop: threading.Event,
    progress: Progress,
) -> Count:
    count, clock = Count(), Clock()
    began = time.monotonic()
    turn = 0
    while not stop.is_set() and (not duration or time.monotonic() - began < duration):
        due = int((time.monotonic() - began) * rate) - count.visits
        for _ in range(due):
            count.add(terminals[turn % len(terminals)].visit(clock))
            turn += 1
        progress.tell(
            lambda: (
                f"{count.visits} visits, {count.answers} answers made;"
                f" {_acknowledged(terminals)} of {count.records} records acknowledged"
            )
        )
        stop.wait(min(0.05, 1 / rate))
    return count


def _drain(
    terminals: list[Terminal],
    records: int,
    wait_s: float,
    *,
    stop: threading.Event,
    progress: Progress,
) -> int:
    until = time.monotonic() + wait_s
    while True:
        acknowledged = _acknowledged(terminals)
        if acknowledged >= records or time.monotonic() > until or stop.is_set():
            return acknowledged
        progress.tell(partial("{} of {} records acknowledged".format, acknowledged, records))
        stop.wait(0.2)


def _keys() -> Path:
    """Where `hymio fleet keygen` leaves keys."""
    return Path(os.environ.get("HYMIO_KEYS") or Path.home() / ".config" / "hymio" / "keys")


@click.command()
@click.option("--terminals", type=click.IntRange(1, 2000), required=True, help="How many.")
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    required=True,
    help="Visits a second, in all.",
)
@click.option("--collector", required=True, help="The centre's address.")
@click.option(
    "--operator-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=lambda: _keys() / "operator.key",
    show_default="operator.key of `hymio fleet keygen`: HYMIO_KEYS, or ~/.config/hymio/keys",
    help="Private key of an operator registered there (PEM).",
)
@click.option("--duration", type=click.FloatRange(0), default=0.0, help="Seconds; 0: to Ctrl-C.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds, after the last visit, for what is under way.",
)
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table")
@click.option("--counted", is_flag=True, help="Do not mark the answers as tests: reports count.")
@click.option("--yes-really-send-test-data", "sure", is_flag=True, help="Also to another machine.")
def simulate(  # noqa: PLR0917 - click passes them by name
    terminals: int,
    rate: float,
    collector: str,
    operator_key: Path,
    duration: float,
    wait_s: float,
    shape: str,
    counted: bool,
    sure: bool,
) -> None:
    """Real senders with real outboxes against a centre.

    Each terminal is enrolled there as a device of its own, `sim-…`. Ends after --duration or at
    Ctrl-C, then waits for what is under way; Ctrl-C again ends that, too. Meanwhile the centre may
    be stopped and started: the senders wait for it. Exit 0 when the centre has everything, 3 when
    it could not be reached or lacks something.
    """
    _check_target(collector, sure)
    key = _load_key(operator_key)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run = secrets.token_hex(3)
    names = [f"sim-{run}-{number:04d}" for number in range(1, terminals + 1)]
    operator = Operator(collector, key)
    made: list[Terminal] = []
    progress = Progress(shape)
    with tempfile.TemporaryDirectory(prefix="hymio-simulate-") as folder:
        try:
            operator.register(names)
            settle()
            for name in names:
                if stop.is_set():
                    break
                progress.tell(lambda: f"{len(made)} of {terminals} terminals enrolled")
                code = operator.code(name)
                made.append(Terminal(Path(folder) / name, name, collector, code, test=not counted))
            began = time.monotonic()
            count = _run(made, rate, duration, stop=stop, progress=progress)
            # Ctrl-C ended the visits; a second one ends the waiting too.
            stop.clear()
            acknowledged = _drain(made, count.records, wait_s, stop=stop, progress=progress)
            seconds = time.monotonic() - began
        except CentreError as error:
            click.echo(f"hymio simulate: {error}", err=True)
            sys.exit(3)
        except (OSError, sqlite3.Error, OutboxError) as error:
            click.echo(f"hymio simulate: a simulated disk fails: {error}", err=True)
            sys.exit(1)
        finally:
            operator.close()
            for terminal in made:
                terminal.close()
        _report(count, acknowledged, made, seconds, shape)
    sys.exit(0 if acknowledged >= count.records else 3)


def _report(
    count: Count, acknowledged: int, terminals: list[Terminal], seconds: float, shape: str
) -> None:
    waits = sorted(wait for terminal in terminals for wait in terminal.waits)
    after = {
        "median": round(statistics.median(waits), 2) if waits else None,
        "p95": round(waits[int(0.95 * (len(waits) - 1))], 2) if waits else None,
        "slowest": round(waits[-1], 2) if waits else None,
    }
    found: dict[str, Any] = {
        "terminals": len(terminals),
        "visits": count.visits,
        "answers": count.answers,
        "records": count.records,
        "acknowledged": acknowledged,
        "seconds": round(seconds, 1),
        "records_per_s": round(acknowledged / seconds, 1),
        "acknowledged_after_s": after,
    }
    if shape == "json":
        click.echo(json.dumps(found))
        return
    click.echo(
        f"{count.visits} visits, {count.answers} answers made by {len(terminals)} terminals;"
        f" {acknowledged} of {count.records} records acknowledged"
    )
    click.echo(f"{found['records_per_s']} records a second in {found['seconds']} s")
    if waits:
        click.echo(
            f"a visit was at the centre after {after['median']} s (median),"
            f" {after['p95']} s (95 %), {after['slowest']} s (slowest)"
        )
