"""PouchDB on a device of its own, replicating to express-pouchdb: two Node processes on leveldb."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from sync.contract.ids import uuid7
from sync.contract.records import Record, freeze
from tests.bench.naive import BATCH
from tests.bench.peers import HERE, PeerMissing, node


class Pouch:
    """Both ends. Raises PeerMissing."""

    name = "PouchDB → express-pouchdb"
    note = (
        "leveldb at both ends, which syncs nothing unless told;"
        f" {BATCH} a batch (100, as it comes, and 2,000 are slower)"
    )
    share = 1.0

    def __init__(self, folder: Path) -> None:
        program, env = node()
        self._folder = folder
        for place in ("centre", "device"):
            (folder / place).mkdir(parents=True)
        self._log = (folder / "log").open("ab")
        self._children: list[subprocess.Popen[str]] = []

        def start(*words: str) -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [program, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=env,
                cwd=folder,
                text=True,
            )
            self._children.append(child)
            return child

        try:
            centre = start(str(HERE / "centre.js"), str(folder / "centre"))
            url = self._line(centre)
            self._device = start(str(HERE / "device.js"), str(folder / "device"), url, str(BATCH))
            self._line(self._device)
        except BaseException:
            self.close()
            raise
        self.pids = [centre.pid]

    def _line(self, child: subprocess.Popen[str]) -> str:
        assert child.stdout is not None
        line = child.stdout.readline().strip()
        if not line:
            said = (self._folder / "log").read_text(errors="replace").strip()[-200:]
            raise PeerMissing(f"PouchDB does not run: {said}")
        return line

    def _ask(self, line: str) -> Any:
        assert self._device.stdin is not None
        self._device.stdin.write(f"{line}\n")
        self._device.stdin.flush()
        return json.loads(self._line(self._device))

    def add(self, made: Sequence[Record]) -> None:
        """Put records into the local database."""
        file = self._folder / "add"
        file.write_bytes(
            b"\n".join(
                msgspec.json.encode({"_id": uuid7(), **msgspec.json.decode(freeze(record))})
                for record in made
            )
        )
        self._ask(f"add {file}")

    def send(self) -> tuple[int, float]:
        """Replicate what is new; records and seconds, timed inside the device."""
        done = self._ask("send")
        assert not done["failed"], done
        return done["sent"], done["seconds"]

    def stored(self) -> int:
        """Documents at the centre."""
        return int(self._ask("stored")["stored"])

    def close(self) -> None:
        """End both."""
        for child in reversed(self._children):
            child.kill()
            child.communicate()
        self._log.close()
