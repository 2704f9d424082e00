"""What an installer stick carries: packages, and the tickets and configurations of devices.

Only what a device needs before it is enrolled: one-time codes, signed configurations, programs.
No key and no password is ever copied.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from kiosk.fleet.usb import Stick, StickError
from sync.contract.code import TicketError, read_ticket

MOST_BYTES = 64 << 20
"""Of `hymio/`: a device copies no more from a stick."""
DEVICE_PACKAGE = "hymio-device_"
PACKAGES = "hymio-installer/packages"
"""Where the packages lie on the stick."""


@dataclass(frozen=True)
class Contents:
    """What goes onto a stick: path on the stick (with `/`) to the file it is copied from."""

    devices: tuple[str, ...]
    packages: tuple[str, ...]
    files: dict[str, Path]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(path.stat().st_size for path in self.files.values())


def collect(packages: Path, usb: Path | None, devices: tuple[str, ...]) -> Contents:
    """Find what belongs on the stick. Raises StickError."""
    files = {f"{PACKAGES}/{path.name}": path for path in _packages(packages)}
    names = tuple(sorted(path.rsplit("/", 1)[1] for path in files))
    if usb is None:
        if devices:
            raise StickError(
                f"where are the tickets of {', '.join(devices)}? make them with"
                " `hymio fleet enrol DEVICE --usb FOLDER` and give the same folder with --usb"
            )
        return Contents((), names, files)
    root = usb / "hymio"
    found = devices or tuple(Stick(usb).devices())
    if not found:
        raise StickError(f"{root} has no device: `hymio fleet enrol DEVICE --usb {usb}`")
    for device in found:
        for path in _enrolment(root, device):
            files[f"hymio/{device}/{path.name}"] = path
    carried = sum(path.stat().st_size for name, path in files.items() if name.startswith("hymio/"))
    if carried > MOST_BYTES:
        raise StickError(
            f"tickets and configurations are {carried >> 20} MB, a device takes"
            f" {MOST_BYTES >> 20} MB from a stick: name fewer devices"
        )
    return Contents(found, names, files)


def _packages(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StickError(f"there is no folder {folder}: `make deb` writes the packages to build/")
    found = sorted(path for path in folder.glob("*.deb") if _is_file(path))
    if not any(path.name.startswith(DEVICE_PACKAGE) for path in found):
        raise StickError(f"{folder} has no {DEVICE_PACKAGE}*.deb: `make deb` writes it to build/")
    # A folder of build results holds the centre's package too.
    return [path for path in found if not path.name.startswith("hymio-centre_")]


def _enrolment(root: Path, device: str) -> list[Path]:
    """The ticket and configurations of one device, and nothing else that lies there."""
    ticket = root / device / "ticket.json"
    if not _is_file(ticket):
        raise StickError(
            f"{ticket} is missing: `hymio fleet enrol {device} --usb {root.parent}` writes it"
        )
    try:
        named = read_ticket(ticket.read_bytes()).device
    except TicketError as error:
        raise StickError(f"{ticket}: {error}; enrol the device again") from None
    if named and named != device:
        raise StickError(f"{ticket} is the ticket of {named}; enrol {device} again")
    bundles = sorted(path for path in (root / device).glob("*.bundle") if _is_file(path))
    return [ticket, *bundles]


def write_files(contents: Contents, texts: dict[str, str], out: Path) -> None:
    """Write a stick's files below a folder; texts are path to content. Raises OSError."""
    for name, text in texts.items():
        target = _target(out, name)
        target.write_text(text, encoding="utf-8")
        target.chmod(0o755 if name.endswith(".sh") else 0o644)
    for name, source in contents.files.items():
        shutil.copyfile(source, _target(out, name))


def _target(out: Path, name: str) -> Path:
    target = out / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _is_file(path: Path) -> bool:
    """A regular file, and no link to one elsewhere."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
