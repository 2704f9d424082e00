"""The data directory: where terminal and sender meet, and nowhere else.

Each file has one writer; everyone else opens it read-only. Small files are replaced by rename, so
a reader sees the old or the new one and never half of one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


class DataDir:
    """The paths below one data directory; knows nothing of their content."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Make the directories, durably: setgid, for the group only, nothing for others.

        Raises OSError.
        """
        old = os.umask(0o007)
        try:
            for folder in (self.root, self.outbox_dir, self.config_dir):
                missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
                folder.mkdir(parents=True, exist_ok=True)
                if missing:
                    # mkdir's mode is cut by the umask and never carries setgid.
                    folder.chmod(0o2770)
                for made in missing:
                    sync_dir(made.parent)
            # Whoever made them may have died before syncing them.
            sync_dir(self.root)
        finally:
            os.umask(old)

    @property
    def outbox_dir(self) -> Path:
        """Folder of the epochs' files; written by the terminal."""
        return self.root / "outbox"

    def epoch_file(self, epoch: str) -> Path:
        """The outbox file of one epoch."""
        return self.outbox_dir / f"{epoch}.db"

    @property
    def current_json(self) -> Path:
        """Which epoch the terminal writes to; written by the terminal."""
        return self.outbox_dir / "current.json"

    @property
    def outbox_lock(self) -> Path:
        """Held (flock) by the one process that writes the outbox."""
        return self.outbox_dir / "writer.lock"

    @property
    def sync_db(self) -> Path:
        """The sender's memory: cursors, exceptions, clocks, identity."""
        return self.root / "sync.db"

    @property
    def sync_lock(self) -> Path:
        """Held (flock) by the one sender."""
        return self.root / "sync.lock"

    @property
    def terminal_json(self) -> Path:
        """The terminal's status."""
        return self.root / "terminal.json"

    @property
    def sender_json(self) -> Path:
        """The sender's status."""
        return self.root / "sender.json"

    @property
    def enrol_json(self) -> Path:
        """Code and endpoint for the sender to redeem; written by the terminal or by IT."""
        return self.root / "enrol.json"

    @property
    def config_dir(self) -> Path:
        """Verified bundles; written by the sender."""
        return self.root / "config"

    def bundle_file(self, version: int) -> Path:
        """The verified bundle of one configuration version."""
        return self.config_dir / f"{version}.bundle"

    @property
    def key(self) -> Path:
        """The device's private key, 0600."""
        return self.root / "key"

    @property
    def key_new(self) -> Path:
        """The key that will follow, while both are taken."""
        return self.root / "key.new"

    @property
    def key_enrol(self) -> Path:
        """The key a code is redeemed with when the one here belongs to another device."""
        return self.root / "key.enrol"


def sync_dir(folder: Path) -> None:
    """Make a folder's entries durable: a file fsynced under a lost name is lost. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_bytes(path: Path, raw: bytes, *, mode: int = 0o660) -> None:
    """Replace a file by rename, durable before it returns. Raises OSError."""
    # A name of its own: two writers by mistake must not mix their bytes in one temporary file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            # The umask would take the group's write bit, and the group is how the two users meet.
            os.fchmod(fd, mode)
            file.write(raw)
            file.flush()
            os.fsync(fd)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_dir(path.parent)


def write_json(path: Path, obj: Any) -> None:
    """Replace a small JSON file by rename, durable before it returns. Raises OSError."""
    write_bytes(path, json.dumps(obj, ensure_ascii=False, indent=1).encode() + b"\n")


def json_of(raw: bytes) -> Any:
    """The JSON value in a small file, in whichever UTF an editor wrote it.

    Raises ValueError, RecursionError.
    """
    found = json.loads(raw)
    # Half a character would come back when it is told to somebody.
    json.dumps(found, ensure_ascii=False).encode()
    return found


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a small JSON file; None when there is no file or it holds no object."""
    try:
        found = json_of(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
