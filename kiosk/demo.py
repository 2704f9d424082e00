"""`hymio demo`: a centre, an enrolled terminal and its sender on this machine.

Everything goes through the same commands an administrator types; nothing is faked but the people,
and those only where there is no screen for real ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import tomlkit

from kiosk import paths
from kiosk.fleet.resolve import load_path
from kiosk.processes import Processes, answers, free_display, free_port, port_taken
from kiosk.visitors import Visitors
from sync.datadir import DataDir, write_json

DEVICE = "esim-0001"
SCREEN = (1280, 800)
USER = "demo"
START_TIMEOUT_S = 60.0


class DemoError(click.ClickException):
    """A step of the demo that did not work; nothing is left running."""

    exit_code = 3


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


class Demo:
    """The folder of one demo and what runs from it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.config = home / "device-config"
        self.data = DataDir(home / "terminal")
        self.database = f"sqlite:///{home / 'centre.db'}"
        self.keys = home / "keys"
        self.processes = Processes(home / "logs")
        self._state_file = home / "demo.json"
        self._state: dict[str, Any] = {}
        if self._state_file.exists():
            self._state = json.loads(self._state_file.read_text())
        if not self._state:
            self._state = {"port": port or free_port(), "password": secrets.token_urlsafe(9)}
        elif port and port != self._state["port"]:
            raise click.UsageError(
                f"the demo in {home} was enrolled at port {self._state['port']}; leave --port out,"
                " or start afresh in another HYMIO_HOME"
            )

    @property
    def url(self) -> str:
        """Where the centre listens."""
        return f"http://127.0.0.1:{self._state['port']}"

    @property
    def device_file(self) -> Path:
        """The terminal's own TOML."""
        return self.config / "devices" / f"{DEVICE}.toml"

    def hymio(self, *words: str, stdin: str = "") -> str:
        """Run one `hymio` command to its end and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*_hymio(), *words], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DemoError(f"`hymio {' '.join(words)}` said:\n{done.stderr or done.stdout}")
        return done.stdout

    def prepare(self) -> None:
        """Write configuration, keys, database and login, once; later starts find them."""
        if self._state.get("prepared"):
            # The program may be newer than the data.
            self.hymio("collector", "migrate", "--database", self.database)
            return
        _say("setting up: configuration, keys, database, login")
        shutil.copytree(paths.example_config(), self.config, dirs_exist_ok=True)
        self._point_at_this_centre()
        if not self.keys.exists():
            self.hymio("fleet", "keygen", "--keys", str(self.keys))
        self.hymio("collector", "migrate", "--database", self.database)
        operator = (self.keys / "operator.pub").read_text().strip()
        self.hymio(
            *("collector", "add-operator", "--database", self.database),
            *("--name", "demo", "--key", operator),
        )
        self.hymio(
            *("collector", "add-user", "--database", self.database),
            *("--name", USER, "--role", "admin", "--password-stdin"),
            stdin=self._state["password"] + "\n",
        )
        self._state["prepared"] = True
        self._save()

    def enrol(self) -> None:
        """Publish the configuration and hand the terminal its one-time code, once."""
        if self._state.get("enrolled"):
            return
        _say(f"publishing the configuration and enrolling {DEVICE}")
        admin = ("--root", str(self.config), "--keys", str(self.keys), "--url", self.url)
        self.hymio("fleet", "publish", *admin)
        reply = json.loads(self.hymio("fleet", "enrol", DEVICE, *admin, "--format", "json"))
        self.data.create()
        write_json(
            self.data.enrol_json,
            {
                "endpoint": self.url,
                "code": reply["code"],
                "organisation_key": (self.keys / "organisation.pub").read_text().strip(),
                "release": False,
                "proxy": "",
                "ca_file": "",
            },
        )
        self._state["enrolled"] = True
        self._save()

    def start_centre(self) -> None:
        """Start the centre and wait until it is ready."""
        port = self._state["port"]
        if port_taken(port):
            raise DemoError(
                f"port {port} is taken, and the terminal was enrolled at it: end what listens"
                " there (another demo?), or start afresh in another HYMIO_HOME"
            )
        self.processes.start(
            "centre",
            [*_hymio(), "collector", "serve", "--database", self.database, "--port", str(port)],
        )
        self._wait("centre", lambda: answers(port))

    def start_device(self, windowed: str, **env: str) -> None:
        """Start the terminal and its sender."""
        data = str(self.data.root)
        # What the last run left must not pass for this one's word that it is ready.
        self.data.terminal_json.unlink(missing_ok=True)
        self.processes.start("sender", [*_hymio(), "sync", "--data", data])
        self.processes.start(
            "terminal",
            [
                *(*_hymio(), "kiosk", "--config", str(self.device_file), "--data", data),
                *(["--windowed", windowed] if windowed else []),
            ],
            **env,
        )
        self._wait("terminal", self.data.terminal_json.exists)

    def start_display(self) -> str:
        """Start a virtual display and return its name."""
        if not shutil.which("Xvfb"):
            raise DemoError("no display here and no Xvfb: install xvfb, or set DISPLAY")
        number = free_display()
        size = f"{SCREEN[0]}x{SCREEN[1]}x24"
        self.processes.start(
            "display", ["Xvfb", f":{number}", "-screen", "0", size, "-nolisten", "tcp"]
        )
        self._wait("display", Path(f"/tmp/.X11-unix/X{number}").exists)  # noqa: S108 - X's own
        return f":{number}"

    def counts(self) -> tuple[int, int]:
        """Visits and answers at the centre."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.home / 'centre.db'}?mode=ro", uri=True)
        ) as db:
            (visits,) = db.execute("select count(*) from visits").fetchone()
            (given,) = db.execute("select count(*) from answers").fetchone()
        return visits, given

    def announce(self, display: str) -> None:
        """Say where everything is."""
        command = Path(sys.executable).with_name("hymio")
        _say(
            "\n".join(
                [
                    "",
                    f"  the page      {self.url}/",
                    f"  login         {USER} / {self._state['password']}",
                    f"  the numbers   {command} report --database {self.database}",
                    f"  the ledger    {command} ledger --data {self.data.root}",
                    f"  the screen    {display}",
                    "  to end it     Ctrl-C",
                    "",
                ]
            )
        )

    def watch(self) -> NoReturn:
        """Print the counts whenever they change; fail when a part ends by itself."""
        shown: tuple[int, int] | None = None
        while True:
            now = self.counts()
            if now != shown:
                _say(f"{_count(now[0], 'visit')}, {_count(now[1], 'answer')} at the centre")
                shown = now
            if ended := self.processes.ended():
                raise DemoError(
                    f"{ended[0]} ended with {ended[1]}:\n{self.processes.log_tail(ended[0])}"
                )
            time.sleep(0.5)

    def _point_at_this_centre(self) -> None:
        file = self.config / "organisation.toml"
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        document.setdefault("endpoint", tomlkit.table())["url"] = self.url
        file.write_text(tomlkit.dumps(document), encoding="utf-8")

    def _wait(self, name: str, ready: Any) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            if ended := self.processes.ended():
                raise DemoError(
                    f"{ended[0]} ended with {ended[1]}:\n{self.processes.log_tail(ended[0])}"
                )
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{name} is not ready after {START_TIMEOUT_S:.0f} s:\n"
                    f"{self.processes.log_tail(name)}"
                )
            time.sleep(0.05)

    def _save(self) -> None:
        write_json(self._state_file, self._state)
        self._state_file.chmod(0o600)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _hymio() -> list[str]:
    return [sys.executable, "-m", "kiosk.cli"]


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Turn SIGTERM into the same clean end as Ctrl-C."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command()
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HYMIO_HOME",
    default=Path.home() / ".hymio",
    show_default="~/.hymio",
    help="Where the demo writes everything; HYMIO_HOME sets it too.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="The centre's port; free by default.")
@click.option("--visitors", type=click.IntRange(0), default=6, show_default=True)
@click.option("--virtual", is_flag=True, help="Use a virtual display even where there is one.")
def demo(home: Path, port: int | None, visitors: int, virtual: bool) -> None:
    """Run centre, enrolled terminal and sender on this machine.

    Without a display a virtual one is started and VISITORS simulated people tap on it with real
    pointer events. Data survive a restart; Ctrl-C ends all of it.
    """
    home = home.expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    run = Demo(home, port or 0)
    headless = virtual or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    people: threading.Thread | None = None
    stop = threading.Event()
    with _ended_by_signal():
        try:
            run.prepare()
            run.start_centre()
            run.enrol()
            if headless:
                display = run.start_display()
                run.start_device("", DISPLAY=display)
                run.announce(f"none here, so a virtual one was started: DISPLAY={display}")
                guests = Visitors(load_path(run.device_file), run.data, display, stop)
                people = threading.Thread(target=guests.come, args=(visitors,), daemon=True)
                people.start()
            else:
                run.start_device(f"{SCREEN[0]}x{SCREEN[1]}")
                run.announce("a window on this display")
            run.watch()
        except KeyboardInterrupt:
            _say("\nending …")
        finally:
            # A second Ctrl-C must not leave half of it running.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stop.set()
            if people:
                people.join(5)
            run.processes.stop()
            signal.signal(signal.SIGINT, signal.default_int_handler)
    _say("ended; everything is kept in " + str(home))
