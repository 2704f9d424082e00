"""A whole installation for tests: a centre, operators' keys, enrolled devices, child processes.

Everything is started by the commands an administrator types and ended by `close`, whatever
happened in between.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet.resolve import load_path
from sync.contract import bundle as bundles
from sync.contract.signing import sign

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "device-config"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
HYMIO = (sys.executable, "-m", "kiosk.cli")


_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on now, given once; processes side by side have others to choose from.

    Below those the kernel gives to connections and to whoever asks for any: a centre that starts
    seconds later, or again on the same port, still finds it free.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw") or os.getpid()
    first = 20_000 + int(worker) % 12 * 1000
    mine = [port for port in range(first, min(first + 1000, low)) if port not in _given]
    random.SystemRandom().shuffle(mine)
    for port in (*mine, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found = int(probe.getsockname()[1])
            _given.add(found)
            return found
    raise AssertionError("no port is free")


def example(number: int) -> bundles.Bundle:
    """The configuration of example device 1, 2 …, as published the first time.

    There are ten files; beyond them they come again under other names.
    """
    found = load_path(EXAMPLE / "devices" / f"esim-{(number - 1) % 10 + 1:04d}.toml")
    return msgspec.structs.replace(
        # The example's address is nobody's: devices of these tests stay where they enrolled.
        found,
        version=1,
        device=f"esim-{number:04d}",
        endpoint=bundles.Endpoint(),
    )


class Child:
    """A child process with a log file; killed at the end if it has not gone by itself."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] = {}) -> None:
        self.command = list(command)
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **env},
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def ended(self) -> int | None:
        """The exit code once it has ended."""
        return self._process.poll()

    def kill(self) -> None:
        """`kill -9`: no handler runs, nothing is flushed."""
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> int:
        """Ask it to end; kill what does not. Returns the exit code."""
        if self.ended is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} does not end: {self.said()[-2000:]}") from None

    def wait(self, timeout_s: float) -> int:
        """Wait for its own end."""
        return self._process.wait(timeout_s)

    def said(self) -> str:
        """What it wrote so far, by all its starts with this log."""
        return self.log.read_text(errors="replace")


class House:
    """One centre and the devices enrolled at it."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "",
        devices: int = 1,
        prepare: Callable[[bundles.Bundle], bundles.Bundle] = lambda bundle: bundle,
    ) -> None:
        self.folder = folder
        self.database = database or f"sqlite:///{folder / 'centre.db'}"
        self.port = free_port()
        self.bundles = [prepare(example(n)) for n in range(1, devices + 1)]
        """What is published, one device each; `prepare` may change the example's."""
        self.children: list[Child] = []
        self._operator = Ed25519PrivateKey.generate()
        self.organisation_key = Ed25519PrivateKey.generate()
        self._centre: Child | None = None

    # --- the centre -------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the centre listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def centre(self) -> Child:
        """The running centre."""
        assert self._centre is not None, "the centre was not started"
        return self._centre

    def start_centre(self) -> Child:
        """Start the centre on its port and wait until it answers."""
        self._centre = self.child("centre", "collector", "serve", *self._where())
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return self._centre
            if self._centre.ended is not None or time.monotonic() > deadline:
                raise AssertionError(f"the centre does not start:\n{self._centre.said()[-3000:]}")
            time.sleep(0.02)

    def _where(self) -> tuple[str, ...]:
        return ("--database", self.database, "--port", str(self.port))

    def open(self) -> House:
        """Register the operator, which makes the database, start the centre, publish devices."""
        public = bundles.key_text(self._operator.public_key())
        self.hymio(
            *("collector", "add-operator", "--database", self.database),
            *("--name", "tests", "--key", public),
        )
        self.start_centre()
        self.publish()
        return self

    def publish(self) -> None:
        """Tell the centre the organisation, its catalogue and the devices' bundles."""
        first = self.bundles[0]
        self.admin(
            "PUT",
            "/v1/admin/organisation",
            {
                "id": first.organisation.id,
                "name": first.organisation.name,
                "key": bundles.key_text(self.organisation_key.public_key()),
                "next_keys": [],
                "timezone": "Europe/Helsinki",
                "targets": {"nps": 80, "fully_agree_pct": 80},
            },
        )
        self.admin("PUT", "/v1/admin/catalogue", catalogue(self.bundles))
        for bundle in self.bundles:
            path = f"/v1/admin/devices/{bundle.device}/bundle"
            self.admin("PUT", path, bundles.pack(bundle, self.organisation_key))

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """A signed operator's request; returns the reply's JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        headers = {"Content-Type": "application/json"}
        headers |= sign(method, path, headers, raw, self._operator)
        reply = requests.request(method, self.url + path, data=raw, headers=headers, timeout=20)
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text[:500]}"
        return reply.json() if reply.content else None

    # --- devices ----------------------------------------------------------------------------------

    def code(self, device: str) -> str:
        """A fresh one-time enrolment code."""
        letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
        code = "".join(secrets.choice(letters) for _ in range(12))
        self.admin(
            "POST",
            f"/v1/admin/devices/{device}/codes",
            {"code_sha256": hashlib.sha256(code.encode()).hexdigest()},
        )
        return "-".join(code[i : i + 4] for i in range(0, 12, 4))

    def device(self, name: str, *, at: str = "", number: int = 0) -> Path:
        """A data directory with a code for its sender to redeem; `at` is another endpoint."""
        from sync.datadir import DataDir, write_json

        data = DataDir(self.folder / name)
        data.create()
        write_json(
            data.enrol_json,
            {
                "endpoint": at or self.url,
                "code": self.code(self.bundles[number].device),
                "organisation_key": bundles.key_text(self.organisation_key.public_key()),
                "release": False,
                "proxy": "",
                "ca_file": "",
            },
        )
        return Path(data.root)

    # --- commands ---------------------------------------------------------------------------------

    def child(self, name: str, *words: str, **env: str) -> Child:
        """Start a `hymio` command that stays."""
        started = Child([*HYMIO, *words], self.folder / f"{name}.log", env)
        self.children.append(started)
        return started

    def hymio(self, *words: str, expect: int = 0) -> str:
        """Run a `hymio` command to its end; returns what it printed."""
        done = subprocess.run(
            [*HYMIO, *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == expect, f"hymio {words}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def report(self, *words: str) -> Any:
        """`hymio report --format json`."""
        return json.loads(
            self.hymio("report", "--database", self.database, *words, "--format", "json")
        )

    def ledger(self, data: Path) -> Any:
        """`hymio ledger --format json`."""
        return json.loads(self.hymio("ledger", "--data", str(data), "--format", "json"))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the centre's database, read beside the running centre; placeholders are `?`."""
        if not self.database.startswith("sqlite"):
            import psycopg

            with psycopg.connect(self.database) as connection:
                return connection.execute(query.replace("?", "%s"), values).fetchall()
        file = re.sub("^sqlite:///", "", self.database)
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def close(self) -> None:
        """End every child that still runs."""
        for child in reversed(self.children):
            if child.ended is None:
                child.kill()
        self.children.clear()


def catalogue(devices: Sequence[bundles.Bundle]) -> dict[str, Any]:
    """The catalogue these bundles make: locations, services, surveys with texts, devices."""
    surveys = {}
    for bundle in devices:
        questions = ("nps", *(f"statement.{s.id}" for s in bundle.survey.statements))
        surveys[bundle.survey.ref] = {
            "ref": bundle.survey.ref,
            "scale": bundle.survey.scale,
            "texts": {
                language: {q: bundle.texts[language].get(q, q) for q in questions}
                for language in bundle.languages
            },
            "statements": [{"id": s.id, "theme": s.theme} for s in bundle.survey.statements],
        }
    services = {s.id: s for bundle in devices for s in bundle.services}
    places = {bundle.location.id: bundle.location for bundle in devices}
    return {
        "locations": [
            {
                "id": place.id,
                "name": place.name,
                "municipality": place.municipality,
                "timezone": place.timezone,
                "services": list(place.services),
            }
            for place in places.values()
        ],
        "services": [{"id": s.id, "name": s.name, "group": s.group} for s in services.values()],
        "surveys": list(surveys.values()),
        "devices": [{"id": b.device, "name": b.name, "location": b.location.id} for b in devices],
    }


@contextlib.contextmanager
def house(folder: Path, **options: Any) -> Iterator[House]:
    """An opened house, closed at the end."""
    found = House(folder, **options)
    try:
        yield found.open()
    finally:
        found.close()
