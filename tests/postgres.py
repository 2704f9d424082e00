"""A PostgreSQL server of its own for a test run: Debian's programs, a directory, no network."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
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

    def __init__(self, root: Path) -> None:
        self._root = root

    def database(self) -> str:
        """A new, empty database; its URL."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as admin:
            admin.execute(f"create database {name}")
        return f"postgresql://postgres@/{name}?host={self._root}"

    def _dsn(self, name: str) -> str:
        return f"host={self._root} user=postgres dbname={name}"


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
def running() -> Iterator[Cluster]:
    """A cluster for the length of a block; nothing of it stays."""
    where = programs()
    root = Path(tempfile.mkdtemp(prefix="hymio-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(root, "postgres")
        data = root / "data"
        made = [str(where / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
        made += ["--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        _run(made, root)
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={root} -c fsync=off"
            " -c max_connections=200"
        )
        control = [str(where / "pg_ctl"), "-D", str(data), "-l", str(root / "log"), "-w"]
        _run([*control, "-o", options, "start"], root)
        try:
            yield Cluster(root)
        finally:
            _run([*control, "-m", "immediate", "stop"], root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
