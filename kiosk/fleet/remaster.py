"""An official Debian installer with our answers, packages and tickets in it.

The answers and scripts travel in the installer's initrd, to which the kernel allows an archive to
be appended: so they are there before the first question, whether started by BIOS or UEFI and from
whatever medium. Everything of Debian's stays as it is, the signed programs of Secure Boot too.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk.fleet import preseed
from kiosk.fleet.stick import Contents, write_files
from kiosk.fleet.usb import StickError

KERNELS = (
    # netinst and larger, by processor; then the small netboot image.
    ("/install.amd/vmlinuz", "/install.amd/initrd.gz"),
    ("/install.a64/vmlinuz", "/install.a64/initrd.gz"),
    ("/linux", "/initrd.gz"),
)
ISOLINUX = ("/isolinux/isolinux.cfg", "/isolinux.cfg")
GRUB = "/boot/grub/grub.cfg"
MEDIUM = "/.disk/base_installable"
"""Is there where the installer reads packages from the medium, which is then /cdrom."""


@dataclass(frozen=True)
class Image:
    """What an installer image has."""

    path: Path
    kernel: str
    initrd: str
    isolinux: str
    """Empty when it does not start by BIOS."""
    medium: bool
    """Whether the installer mounts it; otherwise everything travels in the initrd."""


def look(path: Path) -> Image:
    """Read an installer image. Raises StickError."""
    if not path.is_file():
        raise StickError(f"there is no file {path}: give a Debian installer, such as netinst")
    names = set(re.findall(r"^'(.*)'$", xorriso("-indev", str(path), "-find", "/"), re.MULTILINE))
    found = next((pair for pair in KERNELS if names.issuperset(pair)), None)
    if found is None or GRUB not in names:
        raise StickError(
            f"{path} is not a Debian installer that is known here: a netinst image or mini.iso of"
            " Debian 12 or 13 is"
        )
    menu = next((name for name in ISOLINUX if name in names), "")
    return Image(path, *found, menu, MEDIUM in names)


def remaster(image: Image, contents: Contents, texts: Mapping[str, str], out: Path) -> None:
    """Write the installer with everything in it, whole or not at all. Raises StickError."""
    with tempfile.TemporaryDirectory(prefix="hymio-stick-") as name:
        folder = Path(name)
        carried, tree = folder / "carried", folder / "initrd"
        for root in (carried, tree):
            root.mkdir()
        # The small image is gone from the installer's sight once it runs.
        write_files(contents, {}, carried if image.medium else tree)
        write_files(Contents((), (), {}), dict(texts), tree)
        initrd = folder / "initrd.gz"
        xorriso("-osirrox", "on", "-indev", str(image.path), "-extract", image.initrd, str(initrd))
        initrd.chmod(0o644)
        with initrd.open("ab") as file:
            file.write(gzip.compress(archive(tree), compresslevel=6, mtime=0))
        maps = ["-map", str(initrd), image.initrd]
        menus = {GRUB: preseed.grub(image.kernel, image.initrd)}
        if image.isolinux:
            menus[image.isolinux] = preseed.isolinux(image.kernel, image.initrd)
        for number, (where, text) in enumerate(menus.items()):
            menu = folder / f"menu-{number}"
            menu.write_text(text, encoding="utf-8")
            maps += ["-map", str(menu), where]
        for top in sorted(carried.iterdir()):
            maps += ["-map", str(top), f"/{top.name}"]
        part = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        try:
            xorriso(
                *("-indev", str(image.path), "-outdev", str(part)),
                # As Debian made it start: isolinux, and the EFI partition.
                *("-boot_image", "any", "replay"),
                *maps,
                "-commit",
            )
            part.replace(out)
        except OSError as error:
            raise StickError(f"{out} cannot be written: {error.strerror}") from None
        finally:
            with contextlib.suppress(OSError):
                part.unlink()


def archive(tree: Path) -> bytes:
    """The files below a folder as a cpio archive ("newc", which the kernel unpacks as root)."""
    made = bytearray()
    for number, path in enumerate(sorted(tree.rglob("*")), 1):
        mode = path.stat().st_mode
        folder = stat.S_ISDIR(mode)
        made += _entry(
            str(path.relative_to(tree)),
            b"" if folder else path.read_bytes(),
            number,
            stat.S_IFDIR | 0o755 if folder else stat.S_IFREG | (mode & 0o755),
        )
    return bytes(made + _entry("TRAILER!!!", b"", 0, 0))


def _entry(name: str, raw: bytes, number: int, mode: int) -> bytes:
    """One file: a header of hexadecimal numbers, name and content, each filled up to 4 bytes."""
    named = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(raw), 0, 0, 0, 0, len(named), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + named
    return head + b"\0" * (-len(head) % 4) + raw + b"\0" * (-len(raw) % 4)


def xorriso(*words: str) -> str:
    """Run xorriso; what it printed. Raises StickError."""
    program = shutil.which("xorriso")
    if program is None:
        raise StickError("xorriso is missing, which writes installer images: apt install xorriso")
    done = subprocess.run(  # noqa: S603 - words of ours, no shell
        [program, "-abort_on", "FAILURE", "-return_with", "FAILURE", "32", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "FAILURE" in line or "FATAL" in line]
        raise StickError(f"xorriso could not do it: {' '.join(said) or done.stderr[-300:]}")
    return done.stdout
