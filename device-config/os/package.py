"""Builds the Debian packages: `make deb`, or `python device-config/os/package.py --help`.

A package is a virtual environment at /opt/hymio around Debian's own Python, with wheels whose
hashes are pinned, plus the files of this folder. All dependencies have wheels, so any machine with
pip and dpkg-deb builds for both Debian releases and both processors. Two builds of one commit are
the same, byte for byte.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

OS = Path(__file__).resolve().parent
ROOT = OS.parent.parent

PYTHONS = {"12": "3.11", "13": "3.13"}
"""Debian release to the minor version of its Python, for which the wheels are built."""
GLIBC = {"12": 36, "13": 41}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PACKAGES = ("device", "centre")

FILES: dict[str, dict[str, str]] = tomllib.loads((OS / "files.toml").read_text(encoding="utf-8"))
"""Package to place in it to file of this folder."""
PRIVATE = "centre/centre.env"
"""Holds a database's password once it is filled in."""
LINKS = {
    "device": {
        "etc/systemd/system/ctrl-alt-del.target": "/dev/null",
        "etc/systemd/system/getty@tty1.service": "/dev/null",
    },
    "centre": {},
}
"""Masked: no keyboard restarts the terminal, and its screen never shows a login."""


@dataclass(frozen=True)
class Target:
    """What is built."""

    package: str
    debian: str
    arch: str
    version: str
    epoch: int
    """Seconds since 1970 that stand on every file."""

    @property
    def name(self) -> str:
        """The package's name."""
        return f"hymio-{self.package}"

    @property
    def python(self) -> str:
        """The minor version of its Python."""
        return PYTHONS[self.debian]

    @property
    def site(self) -> str:
        """Where the libraries lie."""
        return f"opt/hymio/lib/python{self.python}/site-packages"

    @property
    def file(self) -> str:
        """The package's file name."""
        return f"{self.name}_{self.version}_{self.arch}.deb"


def debian_version(project: str, debian: str) -> str:
    """`0.2.0rc1` for Debian 12 as `0.2.0~rc1+deb12`: sorted before 0.2.0 and before Debian 13's."""
    plain = re.sub(r"\.?(a|b|rc|dev)(\d+)", r"~\1\2", project)
    if not re.fullmatch(r"[0-9][A-Za-z0-9.+~]*", plain):
        raise SystemExit(f"{project!r} is no version a Debian package can have")
    return f"{plain}+deb{debian}"


def control(target: Target, kilobytes: int) -> str:
    """The control file."""
    major, minor = target.python.split(".")
    return fill(
        (OS / target.package / "control").read_text(encoding="utf-8"),
        target,
        ARCH=target.arch,
        SIZE=str(kilobytes),
        PYTHON=target.python,
        PYTHON_NEXT=f"{major}.{int(minor) + 1}",
    )


def scripts(target: Target) -> dict[str, str]:
    """The maintainer scripts."""
    found = {"preinst": OS / "preinst"}
    for name in ("postinst", "prerm", "postrm"):
        found[name] = OS / target.package / name
    return {name: fill(path.read_text(encoding="utf-8"), target) for name, path in found.items()}


def fill(text: str, target: Target, **more: str) -> str:
    """Put the values in their places; an unknown place is an error."""
    values = {"VERSION": target.version, "PACKAGE": target.name, **more}
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)


def lay_out(target: Target, tree: Path) -> None:
    """Everything but the libraries: this folder's files, the environment, the build date."""
    for where, source in {"usr/bin/hymio": "hymio", **FILES[target.package]}.items():
        mode = 0o600 if source == PRIVATE else (OS / source).stat().st_mode & 0o755
        put(tree / where, (OS / source).read_bytes(), mode)
    for where, to in LINKS[target.package].items():
        (tree / where).parent.mkdir(parents=True, exist_ok=True)
        (tree / where).symlink_to(to)
    put(
        tree / "opt/hymio/pyvenv.cfg",
        b"home = /usr/bin\ninclude-system-site-packages = false\n"
        + f"version = {target.python}\n".encode(),
        0o644,
    )
    (tree / "opt/hymio/bin").mkdir(parents=True)
    (tree / "opt/hymio/bin/python3").symlink_to(f"/usr/bin/python{target.python}")
    if target.package == "device":
        # systemd sets no clock to before this file's time.
        put(tree / "usr/lib/clock-epoch", b"", 0o644)
    put(
        tree / f"usr/share/doc/{target.name}/copyright",
        (ROOT / "LICENSE").read_bytes(),
        0o644,
    )


def libraries(target: Target, tree: Path) -> None:
    """The pinned wheels and the program itself, for the target's Python and processor."""
    site = tree / target.site
    platforms = [f"manylinux_2_{n}" for n in range(GLIBC[target.debian], 4, -1)]
    platforms += ["manylinux2014", "manylinux2010", "manylinux1", "linux"]
    tags = [f"--platform={name}_{MACHINES[target.arch]}" for name in platforms]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT, f"{folder}/source", symlinks=True, ignore=skip)
        common = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-cache-dir"]
        pip("wheel", *common, "--no-build-isolation", "-w", folder, f"{folder}/source")
        wheel = next(str(path) for path in Path(folder).glob("hymio-*.whl"))
        only = [
            f"--python-version={target.python}",
            "--implementation=cp",
            "--only-binary=:all:",
            "--no-compile",
            *tags,
            f"--target={site}",
        ]
        pins = ROOT / "requirements" / f"{target.package}.txt"
        pip("install", *common, "--require-hashes", *only, "-r", str(pins))
        pip("install", *common, *only, wheel)
    # Commands of libraries, with the building machine's path in their first line, and examples.
    for name in ("bin", "share"):
        shutil.rmtree(site / name, ignore_errors=True)
    # Where the wheel lay while it was built, and its line in the list of files.
    for path in site.glob("*.dist-info/direct_url.json"):
        path.unlink()
        record = path.with_name("RECORD")
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(x for x in lines if "/direct_url.json," not in x), "utf-8")
    # `sync.build` reads it: a clock that says earlier is wrong.
    put(site / "sync/built.txt", f"{target.epoch}\n".encode(), 0o644)


def skip(path: str, names: list[str]) -> set[str]:
    """What of the checkout does not go into the program."""
    away = {name for name in names if name == "__pycache__" or name.endswith(".egg-info")}
    if Path(path) == ROOT:
        away |= set(names) - {
            *("kiosk", "sync", "assets", "device-config"),
            *("pyproject.toml", "README.md", "LICENSE"),
        }
    return away


def build(target: Target, out: Path) -> Path:
    """Build one package; the file written."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hymio-deb-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        lay_out(target, tree)
        libraries(target, tree)
        settle(tree, target.epoch)
        total = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir())
        put(tree / "DEBIAN/control", control(target, -(-total // 1024)).encode(), 0o644)
        kept = sorted(w for w in FILES[target.package] if w.startswith("etc/"))
        put(tree / "DEBIAN/conffiles", "".join(f"/{w}\n" for w in kept).encode(), 0o644)
        for name, text in scripts(target).items():
            put(tree / "DEBIAN" / name, text.encode(), 0o755)
        settle(tree / "DEBIAN", target.epoch)
        part, made = Path(folder) / target.file, out / target.file
        run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(part)],
            SOURCE_DATE_EPOCH=str(target.epoch),
        )
        # Never half a package under its name.
        shutil.copyfile(part, out / f".{target.file}")
        (out / f".{target.file}").replace(made)
    return made


def settle(tree: Path, epoch: int) -> None:
    """Modes and times that depend on nothing of this machine."""
    for path in (tree, *sorted(tree.rglob("*"))):
        if not path.is_symlink():
            mode = path.stat().st_mode
            if path.is_dir():
                path.chmod(0o755)
            elif mode & 0o777 != 0o600:
                path.chmod(0o755 if mode & 0o100 else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def put(path: Path, raw: bytes, mode: int) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    path.chmod(mode)


def pip(*words: str) -> None:
    """Run this environment's pip."""
    run([sys.executable, "-m", "pip", *words])


def run(words: list[str], **env: str) -> None:
    """Run a command; its failure ends the build."""
    # Kept quiet unless it fails: what is wanted is the package.
    done = subprocess.run(  # noqa: S603 - a fixed list of words
        words,
        env={**os.environ, "PIP_NO_INPUT": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{words[0]} failed ({done.returncode})")


def epoch_of_commit() -> int:
    """When the last commit was made; SOURCE_DATE_EPOCH where there is none."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    found = subprocess.run(  # noqa: S603 - a fixed list of words
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],  # noqa: S607 - by PATH on purpose
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(found.stdout)


def here() -> tuple[str, str]:
    """This machine's Debian release and architecture."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r'^VERSION_ID="?(\d+)', text, re.MULTILINE)
    release = found[1] if found and found[1] in PYTHONS else "12"
    arch = subprocess.run(
        ["dpkg", "--print-architecture"],  # noqa: S607 - by PATH on purpose
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    return release, arch


def main() -> None:
    """Build what is asked for, and print names and sizes."""
    release, arch = here()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--package", choices=PACKAGES, action="append")
    parser.add_argument("--debian", choices=sorted(PYTHONS), default=release)
    parser.add_argument("--arch", choices=sorted(MACHINES), default=arch)
    parser.add_argument("--version", default=project["version"])
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    asked = parser.parse_args()
    for package in asked.package or PACKAGES:
        target = Target(
            package,
            asked.debian,
            asked.arch,
            debian_version(asked.version, asked.debian),
            epoch_of_commit(),
        )
        made = build(target, asked.out)
        sys.stdout.write(f"{made}: {made.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
