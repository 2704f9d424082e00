"""Erasing a data directory: keys, answers, configurations, and who this device was."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.datadir import DataDir, read_json, sync_dir, write_json

log = logging.getLogger("hymio.sync")

_PIECE: Final = 1 << 20


def erase(data: DataDir, overwrite: bool = True) -> None:
    """Erase everything but the locks and the terminal's status; sender.json then says `wiped`.

    Nobody may have the outbox or sync.db open. Cut short, it goes on when called again; `begun`
    tells. `overwrite` writes over each file before it is unlinked, which flash memory does not
    promise to honour. Raises OSError for the first file that resisted, after all others went.
    """
    if not begun(data):
        # Its old bytes get a name to be overwritten under.
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            os.link(data.sender_json, data.root / ".sender.json.erased")
        write_json(data.sender_json, {"v": 1, "state": "erasing"})
    resisted: list[OSError] = []
    for path in _files(data):
        try:
            _erase_file(path, overwrite=overwrite)
        except OSError as error:
            log.error("%s cannot be erased: %s", path, error)
            resisted.append(error)
    for folder in sorted(_folders(data), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    for folder in (data.outbox_dir, data.config_dir, data.root):
        with contextlib.suppress(FileNotFoundError):
            sync_dir(folder)
    if resisted:
        raise resisted[0]
    write_json(data.sender_json, {"v": 1, "state": "wiped"})
    log.warning("the data directory is erased")


def begun(data: DataDir) -> bool:
    """Whether erasing began and was cut short: it has to be brought to its end."""
    return (read_json(data.sender_json) or {}).get("state") == "erasing"


def _files(data: DataDir) -> Iterator[Path]:
    for folder in (data.outbox_dir, data.config_dir, data.root / "carried"):
        for path in list(folder.rglob("*")):
            if (path.is_symlink() or not path.is_dir()) and path.suffix != ".lock":
                yield path
    # By name, for a wrong directory must survive; what a cut short write left begins with a dot.
    for pattern in ("enrol.json", "setup.json", "service.json", ".*", "key*", "sync.db*"):
        for path in list(data.root.glob(pattern)):
            if path.is_symlink() or path.is_file():
                yield path


def _folders(data: DataDir) -> list[Path]:
    return [path for path in data.outbox_dir.rglob("*") if path.is_dir()]


def _erase_file(path: Path, *, overwrite: bool) -> None:
    if overwrite:
        try:
            # Never through a link: it may lead out of the directory. Nor waiting at a pipe.
            fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENXIO, errno.ENOENT):
                raise
        else:
            with os.fdopen(fd, "wb", buffering=0, closefd=True) as file:
                left = os.fstat(fd).st_size
                while left > 0:
                    left -= file.write(os.urandom(min(left, _PIECE)))
                os.fsync(fd)
    path.unlink(missing_ok=True)
