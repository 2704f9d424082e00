"""The durable buffer on the device: epochs as files, one of them current, one writer under flock.

OutboxError
├── OutboxLocked    another process writes this outbox
└── OutboxBroken    no epoch can be opened or begun
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sync import opening, salvage
from sync.contract.ids import is_uuid, uuid7
from sync.datadir import DataDir, read_json, sync_dir, write_json
from sync.epoch import Dated, EpochFile, EpochReader, New, Row, build

log = logging.getLogger("hymio.outbox")

WARN_AT: Final = 0.70
STOP_AT: Final = 0.95
"""Share of the space given at which no new visit begins."""
ALARMS_KEPT: Final = 20
_SERIALS: Final = (
    "/sys/firmware/devicetree/base/serial-number",
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/board_serial",
    "/etc/machine-id",
)
_EPOCHS: Final = "[!.]*.db"
_CORRUPT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class OutboxError(Exception):
    """What can go wrong with an outbox as a whole."""


class OutboxLocked(OutboxError):  # noqa: N818 - says what is the case
    """Another process writes this outbox."""


class OutboxBroken(OutboxError):  # noqa: N818
    """No epoch can be opened or begun."""


def machine_id() -> str:
    """What tells this machine from a clone of its disk; empty where nothing does."""
    parts = []
    for name in _SERIALS:
        with contextlib.suppress(OSError):
            parts.append(Path(name).read_text(errors="replace").strip("\0\n "))
    for card in sorted(Path("/sys/class/net").glob("e*")):
        # Only addresses burnt into a card; 0 means permanent.
        with contextlib.suppress(OSError):
            if (card / "addr_assign_type").read_text().strip() == "0" and (
                card / "device"
            ).exists():
                parts.append((card / "address").read_text().strip())
    found = "|".join(part for part in parts if part)
    return hashlib.sha256(found.encode()).hexdigest()[:16] if found else ""


def is_corruption(error: BaseException) -> bool:
    """Whether an SQLite error says that the file itself is damaged."""
    if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.IntegrityError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        # An empty file is a sound database without tables.
        return code & 0xFF in _CORRUPT or str(error).startswith("no such table")
    # No code: raised by our own check.
    return type(error) is sqlite3.DatabaseError


class Outbox:
    """The writing end; at most one in a data directory at a time.

    Raises OutboxLocked, OutboxBroken.
    """

    def __init__(
        self,
        data: DataDir,
        *,
        new_epoch: Callable[[], str] = uuid7,
        machine: Callable[[], str] = machine_id,
        now: Callable[[], str] = lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        wait_s: float = 2.0,
    ) -> None:
        self._data = data
        self._new_epoch = new_epoch
        self._machine = machine()
        self._now = now
        self._lock = _lock(data, wait_s)
        self.file: EpochFile
        try:
            self._open()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def epoch(self) -> str:
        """The current epoch."""
        return self.file.epoch

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """What went wrong in this outbox, oldest first: `at`, `what`, `epoch` and numbers."""
        found = (read_json(self._data.current_json) or {}).get("alarms")
        return found if isinstance(found, list) else []

    # --- opening ----------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._sweep()
            self._finish_salvage()
            pointer = read_json(self._data.current_json)
            epoch = str((pointer or {}).get("epoch", ""))
            path = self._data.epoch_file(epoch)
            if pointer is None or not is_uuid(epoch):
                # Cut before the first pointer was written, there is a file with nothing in it.
                known = any(map(opening.holds_rows, self._data.outbox_dir.glob(_EPOCHS)))
                self.begin("which file is current was lost" if known else "")
            elif not path.exists():
                wal = salvage.wal_bytes(path)
                if wal:
                    self.set_aside(epoch, "the file is gone, its WAL is not", wal=wal)
                else:
                    self.begin("the current file is gone")
            elif pointer.get("machine", "") != self._machine:
                # The disk of another machine, or another board: two must not write one epoch.
                self.begin("this is another machine", alarm="cloned")
            else:
                self._open_current(path)
        except (sqlite3.Error, OSError) as error:
            raise OutboxBroken(f"the outbox cannot be opened: {error}") from error

    def _open_current(self, path: Path) -> None:
        # SQLite throws a WAL away whose header is damaged, and ends at the first damaged frame:
        # what was acknowledged would be gone without a word. So it is read before SQLite may.
        wal = salvage.wal_bytes(path)
        verdict = opening.weigh(path, wal)
        if verdict == "damaged":
            self.set_aside(path.stem, "file and WAL do not make a sound database", wal=wal)
            return
        if verdict == "strange":
            name = opening.put_away(path, self._stamp())
            log.error("the WAL beside %s is not its own: put away", path.name)
            self._alarm("strange-wal", path.stem, file=name)
            wal = b""
        try:
            file = EpochFile(path)
            try:
                file.check()
                if file.meta().get("salvaged"):
                    raise _Sealed
                mended, damage = opening.mend(file, wal)
                tail, sent = file.tail(), opening.sent_up_to(self._data, path.stem)
            except BaseException:
                file.close()
                raise
        except _Sealed:
            self.begin("")
        except sqlite3.Error as error:
            if not is_corruption(error):
                raise
            self.set_aside(path.stem, str(error), wal=wal)
        else:
            self.file = file
            if mended:
                log.warning("%d rows of %s came back from its WAL", mended, path.name)
            if damage:
                self._alarm("wal", path.stem, saved=mended)
            if tail < sent:
                # What took a position the sender is past would never be sent.
                why = f"the file ends at {tail}, and the centre has {sent}"
                self.begin(why, alarm="rolled-back")

    def _sweep(self) -> None:
        # Files begun when the power went, under the names they have until they are whole.
        for path in self._data.outbox_dir.glob(".*"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _finish_salvage(self) -> None:
        for folder in salvage.unfinished(self._data.outbox_dir):
            epoch, saved, tail = salvage.take_out(folder)
            self._alarm("corrupt", epoch, saved=saved, tail=tail, folder=folder.name)

    def reopen(self) -> None:
        """Close and open again, checking; a damaged file is set aside. Raises OutboxBroken."""
        self._close_file()
        self._open()

    # --- epochs -----------------------------------------------------------------------------------

    def begin(self, why: str, *, alarm: str = "") -> None:
        """Begin a new epoch; the old one's file stays for the sender. Raises OSError,
        sqlite3.Error.
        """
        epoch = self._new_epoch()
        build(self._data.epoch_file(epoch), {"epoch": epoch, "began": self._now()})
        file = EpochFile(self._data.epoch_file(epoch))
        old = self.file.epoch if hasattr(self, "file") else ""
        try:
            self._point(epoch)
        except BaseException:
            file.close()
            raise
        if old:
            self._close_file()
        self.file = file
        if why:
            log.error("new outbox file %s: %s", epoch, why)
            self._alarm(alarm or "new-epoch", epoch, why=why)

    def set_aside(self, epoch: str, why: str, *, wal: bytes = b"") -> None:
        """Set a damaged epoch aside, put its whole rows back under its name, and go on in a new
        file when it was the current one. Raises OSError, sqlite3.Error.

        `wal` is what the WAL held before SQLite had a chance to remove it.
        """
        path = self._data.epoch_file(epoch)
        current = epoch == (read_json(self._data.current_json) or {}).get("epoch")
        # Closing a damaged file may remove its WAL as well.
        wal = wal or salvage.wal_bytes(path)
        if current:
            self._close_file()
        log.error("outbox %s is damaged: %s", epoch, why)
        if path.exists() or wal:
            folder = salvage.set_aside(path, self._stamp(), wal)
            try:
                _, saved, tail = salvage.take_out(folder)
                self._alarm("corrupt", epoch, why=why, saved=saved, tail=tail, folder=folder.name)
            except (OSError, sqlite3.Error) as error:
                # The new file matters more now; the next start takes out what can be taken.
                log.error("salvage of %s is not done yet: %s", epoch, error)
        if current:
            self.begin("")

    def _stamp(self) -> str:
        return "".join(c for c in self._now() if c.isalnum()) + f"-{os.urandom(2).hex()}"

    def inode(self, epoch: str) -> int:
        """The inode of an epoch's file, 0 without one: tells it from the one salvaged from it."""
        try:
            return self._data.epoch_file(epoch).stat().st_ino
        except OSError:
            return 0

    def epochs(self) -> list[str]:
        """All epochs with a file here, the current one last."""
        found = sorted(path.stem for path in self._data.outbox_dir.glob(_EPOCHS))
        return sorted(found, key=lambda epoch: epoch == self.epoch)

    def _point(self, epoch: str) -> None:
        write_json(
            self._data.current_json,
            {"v": 1, "epoch": epoch, "machine": self._machine, "alarms": self.alarms},
        )

    def _alarm(self, what: str, epoch: str, **facts: object) -> None:
        pointer = read_json(self._data.current_json) or {"v": 1, "epoch": "", "machine": ""}
        alarm = {"at": self._now(), "what": what, "epoch": epoch, **facts}
        pointer["alarms"] = [*self.alarms, alarm][-ALARMS_KEPT:]
        # An alarm that cannot be written must not keep answers from being stored.
        with contextlib.suppress(OSError):
            write_json(self._data.current_json, pointer)

    # --- writing ----------------------------------------------------------------------------------

    def append(self, rows: Sequence[New]) -> None:
        """Store records, all or none, durable before it returns. Raises sqlite3.Error."""
        self.file.append(rows)

    def recent(self, limit: int) -> list[Row]:
        """The newest rows across epochs, oldest first; older files only where the current one
        is short. A file that cannot be read is left out.
        """
        rows = self.file.last(limit)
        for epoch in reversed(self.epochs()[:-1]):
            if len(rows) >= limit:
                break
            with contextlib.suppress(sqlite3.Error), _reader(self._data, epoch) as reader:
                tail = reader.tail()
                rows = reader.rows(max(0, tail - limit + len(rows)), limit) + rows
        return rows

    def prune(
        self,
        have: Mapping[str, int],
        before_id: str,
        keep: Mapping[str, Collection[int]],
        dated: Dated = lambda *_: True,
    ) -> int:
        """Delete a few of the rows the centre has and that are older than `before_id`, as
        `EpochFile.prune` does.

        Raises sqlite3.Error.
        """
        gone = 0
        for epoch in self.epochs():
            bounds = (have.get(epoch, 0), before_id, keep.get(epoch, ()), 500, dated)
            if not bounds[0]:
                continue
            if epoch == self.epoch:
                gone += self.file.prune(*bounds)
                continue
            file = EpochFile(self._data.epoch_file(epoch))
            try:
                gone += file.prune(*bounds)
            finally:
                file.close()
        return gone

    # --- space ------------------------------------------------------------------------------------

    def fill(self, max_bytes: int) -> float:
        """Share of the space given, or of what the disk has left for us if that is less."""
        used = self.file.used_bytes()
        mine = {self.file.path.name, f"{self.file.path.name}-wal", "ballast"}
        for path in self._data.outbox_dir.glob("**/*"):
            with contextlib.suppress(OSError):
                if path.name not in mine and path.is_file():
                    used += path.stat().st_size
        disk = os.statvfs(self._data.outbox_dir)
        room = min(max_bytes, used + disk.f_bavail * disk.f_frsize)
        return min(1.0, used / room) if room > 0 else 1.0

    def keep_ballast(self, size: int) -> bool:
        """Have a file of `size` bytes that can be dropped when the disk is full.

        False when there is no room for it now. Never raises.
        """
        path = self._data.outbox_dir / "ballast"
        try:
            if size <= 0 or (path.exists() and path.stat().st_size == size):
                return True
            disk = os.statvfs(path.parent)
            if disk.f_bavail * disk.f_frsize < 4 * size:
                return False
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            log.warning("no ballast: %s", error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return False
        return True

    def drop_ballast(self) -> bool:
        """Free the ballast; False when there was none."""
        try:
            (self._data.outbox_dir / "ballast").unlink()
            sync_dir(self._data.outbox_dir)
        except OSError:
            return False
        return True

    # --- closing ----------------------------------------------------------------------------------

    def _close_file(self) -> None:
        with contextlib.suppress(sqlite3.Error, AttributeError):
            self.file.close()

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._close_file()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class _Sealed(Exception):  # noqa: N818
    """The current file is a salvaged one: it takes no new rows."""


def _lock(data: DataDir, wait_s: float) -> int:
    try:
        data.create()
        fd = os.open(data.outbox_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as error:
        raise OutboxBroken(f"the data directory cannot be used: {error}") from error
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError:
            if time.monotonic() >= deadline:
                os.close(fd)
                raise OutboxLocked(f"another terminal writes {data.outbox_dir}") from None
        time.sleep(0.05)


def _reader(data: DataDir, epoch: str) -> EpochReader:
    return EpochReader(data.epoch_file(epoch))
