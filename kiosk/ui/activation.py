"""Which configuration is in use: the newest bundle the sender left, if it is one of ours."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from kiosk.ui.fallback import UNKNOWN
from sync.contract.bundle import Bundle, BundleError, unpack
from sync.datadir import DataDir, read_json

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
        for path in self._data.config_dir.glob("*.bundle"):
            if path.stem.isdigit() and int(path.stem) > self._version:
                candidates.append((int(path.stem), path))
        for version, path in sorted(candidates, reverse=True):
            try:
                stat = path.stat()
                if self._seen.get(path.name) == stat.st_mtime_ns:
                    continue
                self._seen[path.name] = stat.st_mtime_ns
                raw = path.read_bytes()
                key = signer(raw)
                trusted = self._told() or self._pinned or (key,)
                bundle = unpack(raw, trusted=trusted, device=self._device)
                if bundle.version != version:
                    raise BundleError(
                        f"the file says version {version}, inside is {bundle.version}"
                    )
                _complete(bundle)
            except (BundleError, OSError) as error:
                log.error("configuration %d refused: %s", version, error)
                self.refused = [entry for entry in self.refused if entry["version"] != version]
                self.refused.append({"version": version, "reason": str(error)})
                self.changed = True
                continue
            self._version, self._device = bundle.version, bundle.device
            self._pinned = (key, *bundle.next_keys)
            self.refused = [entry for entry in self.refused if int(str(entry["version"])) > version]
            self.changed = True
            return bundle
        return None

    def _told(self) -> tuple[str, ...]:
        """The organisation's keys the sender pinned, as its status says."""
        found = (read_json(self._data.sender_json) or {}).get("trusted")
        return tuple(map(str, found)) if isinstance(found, list) else ()


def signer(raw: bytes) -> str:
    """The key a container says it is signed with. Raises BundleError."""
    try:
        return str(msgspec.json.decode(raw, type=dict[str, Any])["key"])
    except (msgspec.MsgspecError, KeyError, RecursionError) as error:
        raise BundleError(f"the configuration file is damaged: {error}") from None


def _complete(bundle: Bundle) -> None:
    """Refuse what would leave a blank on the screen. Raises BundleError."""
    language = bundle.languages[0]
    if not bundle.texts.get(language, {}).get("nps.question"):
        raise BundleError(f"no wording of the first question in {language}")
