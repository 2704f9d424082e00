"""A PostgreSQL server of its own for a test run: Debian's programs, a directory, no network."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg


class PostgresMissingError(RuntimeError):
    """PostgreSQL's programs are not installed (Debian: postgresql)."""


def programs() -> Path:
    """The newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    if not found:
        raise PostgresMissingError("no /usr/lib/postgresql/*/bin: install postgresql")
    return found[-1].parent


class Cluster:
    """A running server, reached through a socket in its own directory."""

    def __init__(self, root: Path, options: str) -> None:
        self._root = root
        self._options = options
        self.data = root / "data"

    def database(self) -> str:
        """A new, empty database; its URL."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as admin:
            admin.execute(f"create database {name}")
        return f"postgresql://postgres@/{name}?host={self._root}"

    def _dsn(self, name: str) -> str:
        return f"host={self._root} user=postgres dbname={name}"

    def control(self, *words: str) -> None:
        """`pg_ctl` on this server."""
        command = [str(programs() / "pg_ctl"), "-D", str(self.data), "-l", str(self._root / "log")]
        _run([*command, "-w", *words], self._root)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.control("-o", self._options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `smart`, `fast` or `immediate`."""
        self.control("-m", mode, "stop")

    def pids(self) -> list[int]:
        """The server's processes, the postmaster first; empty when it does not run."""
        try:
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        except (OSError, ValueError, IndexError):
            return []
        return [postmaster, *map(int, children.split())] if _alive(postmaster) else []

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """SIGSTOP of every process of the server, and SIGCONT whatever happens."""
        found = self.pids()
        try:
            for pid in found:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """`kill -9` of every process of the server, and wait until all are gone."""
        found = self.pids()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while any(_alive(pid) for pid in found):
            assert time.monotonic() < deadline, "PostgreSQL does not die"
            time.sleep(0.01)
        # In a container nobody may wait for an orphan: its number would pass for a running server.
        for left in (self.data / "postmaster.pid", *self._root.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _as_postgres(command: list[str]) -> list[str]:
    # The server refuses to run as root.
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def _run(command: list[str], root: Path) -> None:
    # Into a file: the server started would keep a captured pipe open for good.
    with (root / "said").open("ab") as said:
        done = subprocess.run(
            _as_postgres(command), cwd="/", stdout=said, stderr=said, timeout=120, check=False
        )
    if done.returncode:
        raise PostgresMissingError((root / "said").read_text(errors="replace"))


@contextlib.contextmanager
def running(*, place: Path | None = None, **settings: object) -> Iterator[Cluster]:
    """A cluster for the length of a block; nothing of it stays.

    Without settings it is fast and may lose everything in a power cut; `fsync="on"` and any other
    setting can be given. `place` is the folder it is made in.
    """
    root = Path(tempfile.mkdtemp(prefix="hymio-pg-", dir=place))
    wanted = {"fsync": "off", "max_connections": 200, **settings}
    options = f"-c listen_addresses='' -c unix_socket_directories={root}"
    options += "".join(f" -c {name}={value}" for name, value in wanted.items())
    cluster = Cluster(root, options)
    try:
        if os.geteuid() == 0:
            shutil.chown(root, "postgres")
        made = [str(programs() / "initdb"), "-D", str(cluster.data), "-U", "postgres"]
        made += ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        _run(made, root)
        try:
            cluster.start()
            yield cluster
        finally:
            if cluster.pids():
                cluster.stop("immediate")
    finally:
        shutil.rmtree(root, ignore_errors=True)
