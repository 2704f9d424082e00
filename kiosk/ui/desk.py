"""The files and facts behind set-up and service screen: read, and written by the terminal alone."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from kiosk import stick
from kiosk.facts import Facts, Ledger
from kiosk.seen import Seen
from kiosk.speech.parts import Silence, Voice
from kiosk.speech.state import state
from kiosk.ui.activation import CARRIED
from sync import clock, ledger
from sync.build import clock_problem
from sync.contract.bundle import Bundle
from sync.datadir import DataDir, read_json, write_json
from sync.status import version
from sync.wish import Wish, read_wish

log = logging.getLogger("hymio.ui")

CLOCK_OFF_S: Final = 120
"""A clock further from the centre's than this is wrong."""


class Desk:
    """What set-up and service screen see of a data directory, and what they write into it."""

    def __init__(
        self,
        data: DataDir,
        stick_dir: Path,
        window: tuple[int, int],
        *,
        running: Callable[[DataDir], bool] | None = None,
        voice: Voice | None = None,
    ) -> None:
        self._data, self._stick, self._window = data, stick_dir, window
        self._running = running or sender_running
        self._voice = voice or Silence()
        self._writable = True
        self.turn = 0
        """Counts what was written here: a look that began before it is old."""

    @property
    def _setup_json(self) -> Path:
        return self._data.root / "setup.json"

    @property
    def _service_json(self) -> Path:
        return self._data.root / "service.json"

    # --- looking ----------------------------------------------------------------------------------

    def see(self, bundle: Bundle | None, since: str, refused: str, *, full: bool) -> Seen:
        """One look at everything; `full` with the ledger, which takes longest."""
        turn, wish = self.turn, read_wish(self._data.enrol_json)
        try:
            written = self._data.enrol_json.stat().st_mtime_ns
        except OSError:
            written = 0
        facts = self.facts(bundle, since, refused, full=full)
        return Seen(
            wish=read_json(self._data.enrol_json) or {},
            note=read_json(self._setup_json) or {},
            facts=facts,
            stick=stick.read(self._stick),
            heard=facts.enrolment.get("seen") == written,
            turn=turn,
            redeemed=isinstance(wish, Wish) and wish.mark == facts.sender.get("redeemed"),
        )

    def facts(self, bundle: Bundle | None, since: str, refused: str, *, full: bool) -> Facts:
        """What is known about the device now."""
        now = clock.stamp()
        sender = read_json(self._data.sender_json) or {}
        return Facts(
            bundle=bundle,
            config_since=since,
            refused=refused,
            sender=sender,
            running=self._running(self._data),
            networks=networks(),
            synced=now.synced,
            clock_wrong=_clock_wrong(sender),
            wall=now.wall,
            free=_free(self._data.root),
            writable=self._writable and os.access(self._data.root, os.W_OK),
            window=self._window,
            ledger=_ledger(self._data) if full else None,
            failed=_names((read_json(self._setup_json) or {}).get("failed")),
            version=version(),
            speech=state(self._voice, bundle),
            on_stick=_on_stick(self._stick, bundle),
        )

    def guesses(self) -> Mapping[str, object]:
        """Wrong PINs, as they were kept."""
        return read_json(self._service_json) or {}

    def forget(self) -> None:
        """Leave nothing of a device that was erased."""
        for path in (self._setup_json, self._service_json):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        shutil.rmtree(self._data.root / CARRIED, ignore_errors=True)

    # --- writing ----------------------------------------------------------------------------------

    def enrol(self, wish: Mapping[str, Any]) -> None:
        """Replace enrol.json. Raises OSError."""
        self._write(self._data.enrol_json, wish)

    def note(self, note: Mapping[str, Any]) -> None:
        """Replace setup.json. Raises OSError."""
        self._write(self._setup_json, note)

    def keep(self, guesses: Mapping[str, object]) -> None:
        """Replace service.json. Raises OSError."""
        self._write(self._service_json, guesses)

    def _write(self, path: Path, content: Mapping[str, Any]) -> None:
        self._writable = False
        self.turn += 1
        write_json(path, {"v": 1, **content} if path != self._data.enrol_json else dict(content))
        self._writable = True


def sender_running(data: DataDir, locks: Path = Path("/proc/locks")) -> bool:
    """Whether somebody holds the sender's lock; True where nobody can tell.

    Read from the kernel's list: trying the lock could keep a sender from starting.
    """
    try:
        inode = data.sync_lock.stat().st_ino
    except OSError:
        return False
    try:
        lines = locks.read_text().splitlines()
    except OSError:
        return True
    held = [line.split() for line in lines]
    return any(
        "FLOCK" in words and any(word.endswith(f":{inode}") for word in words) for words in held
    )


def networks(root: Path = Path("/sys/class/net")) -> tuple[str, ...]:
    """Interfaces that are up, this machine's own aside."""
    found = []
    try:
        for card in sorted(root.iterdir()):
            state = (card / "operstate").read_text().strip()
            if card.name != "lo" and state == "up":
                found.append(card.name)
    except OSError:
        log.debug("no list of network interfaces")
    return tuple(found)


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _on_stick(root: Path, bundle: Bundle | None) -> int:
    found = stick.bundles(root, bundle.device) if bundle is not None else []
    return found[0][0] if found else 0


def _clock_wrong(sender: Mapping[str, Any]) -> bool:
    off = sender.get("clock_off_s")
    if isinstance(off, int):
        return abs(off) > CLOCK_OFF_S
    return bool(clock_problem(time.time_ns() // 1_000_000))


def _free(root: Path) -> int:
    try:
        disk = os.statvfs(root)
    except OSError:
        return -1
    return disk.f_bavail * disk.f_frsize


def _ledger(data: DataDir) -> Ledger | None:
    try:
        lines = ledger.ledger(data)
    except (sqlite3.Error, OSError) as error:
        log.error("the ledger cannot be read: %s", error)
        return None
    return Ledger(
        created=sum(line.created for line in lines),
        acknowledged=sum(line.acknowledged for line in lines),
        to_send=sum(line.to_send for line in lines),
        held=sum(line.held for line in lines),
        lost=sum(line.lost for line in lines),
        oldest_unsent=min((line.oldest_unsent for line in lines if line.oldest_unsent), default=""),
    )
