"""The peers' programs: pinned versions, installed once into folders of their own under `build/`.

PeerMissing
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACE = ROOT / "build" / "peers"
PYTHON_PINS = ROOT / "requirements" / "peers.txt"
NODE_PINS = ("package.json", "package-lock.json", ".npmrc")
HERE = Path(__file__).parent
INSTALL_S = 900.0


class PeerMissing(RuntimeError):  # noqa: N818 - says what is the case
    """A peer that cannot be installed or started here, and why in one line."""


@functools.cache
def python() -> Path:
    """A Python that has the Python peers. Raises PeerMissing."""
    venv = PLACE / "venv"
    program = venv / "bin" / "python"

    def install() -> None:
        shutil.rmtree(venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(venv)])
        pip = [str(program), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--require-hashes", "-r", str(PYTHON_PINS)])

    _once(venv, PYTHON_PINS.read_bytes() + sys.version.encode(), install)
    return program


@functools.cache
def node() -> tuple[str, dict[str, str]]:
    """The Node program and the environment in which it finds its peers. Raises PeerMissing."""
    programs = [shutil.which(name) for name in ("node", "npm")]
    if not all(programs):
        raise PeerMissing("node and npm are not installed (Debian: nodejs npm)")
    place = PLACE / "node"

    def install() -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in NODE_PINS:
            shutil.copy(HERE / name, place)
        # leveldown brings its built library along; nothing else wants a script.
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _run([str(programs[1]), "ci", *quiet], cwd=place)

    _once(place, b"".join((HERE / name).read_bytes() for name in NODE_PINS), install)
    modules = str(place / "node_modules")
    return str(programs[0]), {**os.environ, "NODE_PATH": modules, "NODE_ENV": "production"}


def _once(place: Path, pins: bytes, install: Callable[[], None]) -> None:
    """Install unless these very pins are there; the stamp is written last."""
    stamp, wanted = place / ".pins", hashlib.sha256(pins).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing peers into {place.relative_to(ROOT)} …", file=sys.stderr, flush=True)
    install()
    stamp.write_text(wanted)


def _run(command: Sequence[str], cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"{Path(command[0]).name}: {type(error).__name__}") from error
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if "rror" in line), lines[-1] if lines else "")
        raise PeerMissing(f"{Path(command[0]).name} cannot install the peers: {said[:120]}")
