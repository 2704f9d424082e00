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
import random
import secrets
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.clock import Clock
from sync.contract.ids import uuid7
from sync.contract.records import NPS, Answer, End, Record, digest, freeze
from sync.contract.signing import sign
from sync.datadir import DataDir, write_json
from sync.epoch import New
from sync.ledger import ledger
from sync.outbox import Outbox, OutboxError
from sync.sender import Sender

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
STATEMENTS: Final = ("s01", "s02", "s03")
LOCATION: Final = "simulated"
PROGRESS_S: Final = 5.0
DRAIN_S: Final = 60.0
"""How long, after the last visit, the senders may still take."""


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


@dataclass
class Count:
    """What was made, by all terminals."""

    visits: int = 0
    answers: int = 0
    records: int = 0

    def add(self, made: list[Record]) -> None:
        """One visit's records are durable."""
        self.visits += 1
        self.answers += len(made) - 1
        self.records += len(made)


class Terminal:
    """One outbox and its sender; the sender has a thread of its own, as it has a process."""

    def __init__(self, root: Path, device: str, url: str, code: str, *, test: bool) -> None:
        self.data = DataDir(root)
        self._outbox = Outbox(self.data)
        self._test = test
        self._stop = threading.Event()
        self._chance = random.Random(device)  # noqa: S311 - visitors, and jitter
        write_json(self.data.enrol_json, {"endpoint": url, "code": code})
        self.sender: Sender | None = None
        self._thread = threading.Thread(target=self._send, name=device, daemon=True)
        self._thread.start()

    def visit(self, clock: Clock) -> list[Record]:
        """Store one visit, all its records in one transaction. Raises sqlite3.Error."""
        visit = uuid7()
        shown = [NPS, *STATEMENTS]
        made: list[Record] = [
            Answer(
                visit=visit,
                question=question,
                n=1,
                value=self._chance.randint(0, 10)
                if question == NPS
                else self._chance.randint(1, 5),
                language="en",
                survey="simulated@1",
                config=0,
                location=LOCATION,
                layout="simulated",
                position=position,
                at=clock.stamp(),
                test=self._test,
            )
            for position, question in enumerate(shown)
        ]
        made.append(
            End(
                visit=visit,
                how="completed",
                duration_ms=self._chance.randint(4000, 30000),
                shown=shown,
                skipped=[],
                selection="fixed",
                at=clock.stamp(),
                test=self._test,
            )
        )
        raws = [freeze(record) for record in made]
        self._outbox.append([New(uuid7(), raw, digest(raw)) for raw in raws])
        return made

    def _send(self) -> None:
        # SQLite connections belong to the thread that opened them.
        sender = Sender(self.data, clock=Clock(), monotonic=time.monotonic, chance=self._chance)
        self.sender = sender
        try:
            while not self._stop.is_set():
                self._stop.wait(min(sender.step(), 1.0))
        finally:
            sender.close()

    def close(self) -> None:
        """End the sender and close the outbox."""
        self._stop.set()
        if self.sender is not None:
            self.sender.stop()
        self._thread.join(10)
        self._outbox.close()

    def acknowledged(self) -> int:
        """Records the centre has, by the device's own ledger."""
        with contextlib.suppress(sqlite3.Error):
            return sum(line.acknowledged + line.quarantined for line in ledger(self.data))
        return 0


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


def _run(
    terminals: list[Terminal], rate: float, duration: float, stop: threading.Event, shape: str
) -> Count:
    count, clock = Count(), Clock()
    began = time.monotonic()
    told, turn = began, 0
    while not stop.is_set() and (not duration or time.monotonic() - began < duration):
        due = int((time.monotonic() - began) * rate) - count.visits
        for _ in range(due):
            count.add(terminals[turn % len(terminals)].visit(clock))
            turn += 1
        if shape == "table" and time.monotonic() - told >= PROGRESS_S:
            told = time.monotonic()
            click.echo(f"{count.visits} visits, {count.answers} answers made", err=True)
        stop.wait(min(0.05, 1 / rate))
    return count


def _drain(terminals: list[Terminal], records: int, stop: threading.Event) -> int:
    until = time.monotonic() + DRAIN_S
    while True:
        acknowledged = sum(terminal.acknowledged() for terminal in terminals)
        if acknowledged >= records or time.monotonic() > until or stop.is_set():
            return acknowledged
        time.sleep(0.2)


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
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table")
@click.option("--counted", is_flag=True, help="Do not mark the answers as tests: reports count.")
@click.option("--yes-really-send-test-data", "sure", is_flag=True, help="Also to another machine.")
def simulate(  # noqa: PLR0917 - click passes them by name
    terminals: int,
    rate: float,
    collector: str,
    operator_key: Path,
    duration: float,
    shape: str,
    counted: bool,
    sure: bool,
) -> None:
    """Real senders with real outboxes against a centre.

    Each terminal is enrolled there as a device of its own, `sim-…`. Ends after --duration or at
    Ctrl-C, then waits up to a minute for what is under way. Exit 0 when the centre has everything,
    3 when it could not be reached or lacks something.
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
    with tempfile.TemporaryDirectory(prefix="hymio-simulate-") as folder:
        try:
            operator.register(names)
            for name in names:
                code = operator.code(name)
                made.append(Terminal(Path(folder) / name, name, collector, code, test=not counted))
            count = _run(made, rate, duration, stop, shape)
            # Ctrl-C ended the visits; a second one ends the waiting too.
            stop.clear()
            acknowledged = _drain(made, count.records, stop)
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
        _report(count, acknowledged, made, shape)
    sys.exit(0 if acknowledged >= count.records else 3)


def _report(count: Count, acknowledged: int, terminals: list[Terminal], shape: str) -> None:
    found: dict[str, Any] = {
        "terminals": len(terminals),
        "visits": count.visits,
        "answers": count.answers,
        "records": count.records,
        "acknowledged": acknowledged,
    }
    if shape == "json":
        click.echo(json.dumps(found))
        return
    click.echo(
        f"{count.visits} visits, {count.answers} answers made by {len(terminals)} terminals;"
        f" {acknowledged} of {count.records} records acknowledged"
    )
