"""A folder with a Debian in it, and what is done to packages there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUITES = {"12": "bookworm", "13": "trixie"}


class Chroot:
    """A folder with a Debian in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failed = 0

    def run(
        self, *words: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with /proc of its own."""
        return subprocess.run(self.words(*words), env=self.env(env), check=False, **PIPES)

    @staticmethod
    def env(more: dict[str, str] | None = None) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **(more or {}),
        }

    def words(self, *words: str) -> list[str]:
        inside = 'mount -t proc proc /proc && exec "$@"'
        space = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*space, "chroot", str(self.root), "sh", "-c", inside, "sh", *words]

    def sender(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run something as the sender's user."""
        return self.run("setpriv", "--reuid=hymio-sync", "--regid=hymio", "--clear-groups", *words)

    def check(self, what: str, holds: object, why: str = "") -> None:
        """Print one line of the result."""
        print(
            f"{'ok    ' if holds else 'FAILED'} {what}" + ("" if holds else f"\n{why}"), flush=True
        )
        self.failed += not holds

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")


PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


@contextmanager
def fresh(debian: str, folder: Path) -> Iterator[Chroot]:
    """A new minimal Debian, removed at the end."""
    site = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"],
        check=True,
        **PIPES,
    ).stdout.split()
    kept = folder / f"{SUITES[debian]}.tar"
    if not kept.exists():
        line = f"deb {site[0]} {SUITES[debian]} main"
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", SUITES[debian], str(kept), line],
            check=True,
        )
    root = Path(tempfile.mkdtemp(prefix="hymio-chroot-"))
    try:
        subprocess.run(["tar", "-xf", str(kept), "-C", str(root)], check=True)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        chroot = Chroot(root)
        chroot.run("apt-get", "update", "-qq")
        yield chroot
    finally:
        shutil.rmtree(root)


def listing(chroot: Chroot) -> set[str]:
    """Every path where a package may leave something."""
    found = set()
    for top in ("etc", "opt", "usr", "var/lib", "run"):
        for folder, names, files in os.walk(chroot.root / top):
            found |= {str(Path(folder, x).relative_to(chroot.root)) for x in (*names, *files)}
    mine = re.compile(r"hymio|^etc/.*(ctrl-alt-del|getty@tty1)|clock-epoch")
    known = re.compile(r"^var/lib/(dpkg|apt)/|multi-user.target.wants|getty.target.wants")
    return {x for x in found if mine.search(x) and not known.search(x)}


def install(chroot: Chroot, package: Path, what: str) -> None:
    shutil.copy(package, chroot.path("/tmp"))
    words = ["apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}"]
    done = chroot.run(*words)
    chroot.check(f"{package.name}: {what}", done.returncode == 0, done.stdout[-3000:])


def sound(chroot: Chroot) -> None:
    """Units against the very programs and units of this Debian."""
    units = [
        f"/{path.relative_to(chroot.root)}"
        for path in sorted(chroot.path("/usr/lib/systemd/system").glob("hymio-*"))
    ]
    done = chroot.run("systemd-analyze", "verify", *units)
    chroot.check("systemd-analyze verify", not done.returncode and not done.stdout, done.stdout)


def end(process: subprocess.Popen[Any]) -> None:
    """End what runs inside; unshare passes no signal on, and setpriv forgets whose child it is."""
    os.killpg(process.pid, signal.SIGKILL)
