"""One device's folder on a USB stick: `hymio/<device>/`, as the desk reads and writes it.

The file system is FAT, anyone may have written to it, and it is pulled out at any moment: nothing
is followed that is a link, and every file is written whole beside its place and then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from sync.contract import carried
from sync.datadir import sync_dir

MAX_BUNDLE_BYTES: Final = 8 << 20
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCKED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


class StickError(Exception):
    """The stick cannot be used; the text says what to do."""


class Stick:
    """What a stick holds of one device. Listing and writing raise StickError."""

    def __init__(self, folder: Path, device: str) -> None:
        self._parts = [folder / "hymio", folder / "hymio" / device]
        self._here = self._parts[-1]

    def names(self, folder: str) -> list[str]:
        """The files of `answers` or `receipts`, by epoch and seq."""
        found = (path.name for path in self._files(self._here / folder))
        return sorted(name for name in found if carried.is_name(name))

    def read(self, folder: str, name: str) -> bytes:
        """One of them; of a larger one only so much that it shows. Raises OSError."""
        with (self._here / folder / name).open("rb") as file:
            return file.read(carried.MAX_FILE_BYTES + 1)

    def bundles(self) -> list[tuple[int, Path]]:
        """Version, as the name says, and file of the configurations, the newest first."""
        found = (path for path in self._files(self._here) if path.suffix == ".bundle")
        return sorted(((int(p.stem), p) for p in found if p.stem.isdecimal()), reverse=True)

    def put_answers(self, name: str, raw: bytes) -> None:
        """Write a carried batch, durable before it returns, in place of one of the same name."""
        folder = self._here / "answers"
        temporary = folder / f"{name}.part"
        try:
            self._make(folder)
            # Never through a link somebody left there.
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / name)
            _settle(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StickError(_advice(error)) from None

    def remove(self, folder: str, name: str) -> None:
        """Remove what is no longer of use; left there it does no harm."""
        with contextlib.suppress(OSError):
            (self._here / folder / name).unlink()

    def sweep(self) -> None:
        """Remove what a write that was cut short left behind."""
        for path in self._files(self._here / "answers"):
            if path.suffix == ".part":
                self.remove("answers", path.name)

    def _files(self, folder: Path) -> list[Path]:
        try:
            if any(part.is_symlink() or not part.is_dir() for part in (*self._parts, folder)):
                return []
            return [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
        except OSError as error:
            raise StickError(f"the stick cannot be read ({error.strerror})") from None

    def _make(self, folder: Path) -> None:
        for part in (*self._parts, folder):
            if part.is_symlink():
                raise OSError(errno.EPERM, f"{part.name} is a link")
            if not part.is_dir():
                part.mkdir()
                _settle(part.parent)


def _settle(folder: Path) -> None:
    """Make a folder's names durable; some file systems cannot be asked to. Raises OSError."""
    try:
        sync_dir(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "the stick is full: make room on it, or go on with another one"
    if error.errno in _LOCKED:
        return (
            f"the stick cannot be written ({error.strerror}): take off its write protection, or"
            " mount it so that the sender's user may write"
        )
    return f"the stick does not work ({error.strerror}): plug it in again, or take another one"
