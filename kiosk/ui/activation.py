"""Which configuration is in use: the newest bundle the sender left, if it is one of ours.

One carried by a USB stick counts as well, once the sender has said which device this is and whose
key it trusts; it is copied here, for the stick is pulled out again.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any, Final

import msgspec

from kiosk import stick
from kiosk.ui.fallback import UNKNOWN
from kiosk.wording import completed
from sync.contract import wire
from sync.contract.bundle import Bundle, BundleError, unpack
from sync.datadir import DataDir, read_json, write_bytes

CARRIED: Final = "carried"
"""Folder of what came by stick; the terminal writes it, as the sender writes `config`."""

log = logging.getLogger("hymio.ui")


class Activation:
    """Looks for newer bundles; a bad one is refused once, with its reason."""

    def __init__(self, data: DataDir, bundle: Bundle) -> None:
        self._data = data
        # Without a configuration of its own any device's will do, if it is signed by ours.
        self._device = "" if bundle.device == UNKNOWN else bundle.device
        self._version = bundle.version
        # Before the sender has said which keys it pinned at enrolment, the first bundle's chain
        # of keys is held: only the sender can write there, and it checks every file.
        self._pinned: tuple[str, ...] = ()
        self._seen: dict[str, int] = {}
        self._stamp = 0
        self.refused: list[dict[str, object]] = []
        self.changed = False
        """Whether `refused` changed since it was last looked at."""

    def anew(self, device: str) -> None:
        """This is another device now, or none: nothing of the one before counts."""
        self._device, self._version, self._pinned = device, 0, ()
        self._seen, self._stamp = {}, 0
        self.refused, self.changed = [], True
        if not device:
            shutil.rmtree(self._carried, ignore_errors=True)

    @property
    def _carried(self) -> Path:
        return self._data.root / CARRIED

    def carry(self, root: Path) -> None:
        """Copy the newest good bundle for this device from a stick; `newest` then finds it."""
        trusted = self._told()
        if not self._device or not trusted:
            return
        for version, path in stick.bundles(root, self._device):
            kept = self._carried / f"{version}.bundle"
            try:
                seen = path.stat().st_mtime_ns
                if version <= self._version or kept.exists() or self._seen.get(str(path)) == seen:
                    return
                self._seen[str(path)] = seen
                raw = stick.bundle_bytes(path)
                self._checked(raw, version, trusted)
                self._carried.mkdir(exist_ok=True)
                write_bytes(kept, raw)
            except (BundleError, OSError) as error:
                self._refuse(version, f"on the stick: {error}")
                continue
            self._stamp = 0
            return

    def newer(self) -> Bundle | None:
        """The newest good bundle above the version in use; cheap when nothing changed."""
        try:
            stamp = self._data.config_dir.stat().st_mtime_ns
        except OSError:
            return None
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        return self.newest()

    def newest(self) -> Bundle | None:
        """The newest good bundle above the version in use, which it becomes."""
        candidates = []
        for folder in (self._data.config_dir, self._carried):
            for path in folder.glob("*.bundle"):
                if path.stem.isdecimal() and int(path.stem) > self._version:
                    candidates.append((int(path.stem), path))
        for version, path in sorted(candidates, reverse=True):
            try:
                stat = path.stat()
                if self._seen.get(str(path)) == stat.st_mtime_ns:
                    continue
                self._seen[str(path)] = stat.st_mtime_ns
                raw = path.read_bytes()
                key = signer(raw)
                bundle = self._checked(raw, version, self._told() or self._pinned or (key,))
            except (BundleError, OSError) as error:
                self._refuse(version, str(error))
                continue
            self._version, self._device = bundle.version, bundle.device
            self._pinned = (key, *bundle.next_keys)
            self.refused = [entry for entry in self.refused if int(str(entry["version"])) > version]
            self.changed = True
            return bundle
        return None

    def _checked(self, raw: bytes, version: int, trusted: tuple[str, ...]) -> Bundle:
        """The bundle in a container, if all of it is as it should be. Raises BundleError."""
        bundle = unpack(raw, trusted=trusted, device=self._device)
        if bundle.version != version:
            raise BundleError(f"the file says version {version}, inside is {bundle.version}")
        _complete(bundle)
        return completed(bundle)

    def _refuse(self, version: int, reason: str) -> None:
        log.error("configuration %d refused: %s", version, reason)
        self.refused = [entry for entry in self.refused if entry["version"] != version]
        self.refused.append({"version": version, "reason": reason})
        self.changed = True

    def _told(self) -> tuple[str, ...]:
        """The organisation's keys the sender pinned, as its status says."""
        found = (read_json(self._data.sender_json) or {}).get("trusted")
        return tuple(map(str, found)) if isinstance(found, list) else ()


def signer(raw: bytes) -> str:
    """The key a container says it is signed with. Raises BundleError."""
    try:
        return str(msgspec.json.decode(raw, type=dict[str, Any])["key"])
    except (KeyError, *wire.UNREADABLE) as error:
        raise BundleError(f"the configuration file is damaged: {error}") from None


def _complete(bundle: Bundle) -> None:
    """Refuse what would leave a blank on the screen. Raises BundleError."""
    language = bundle.languages[0]
    if not bundle.texts.get(language, {}).get("nps.question"):
        raise BundleError(f"no wording of the first question in {language}")
