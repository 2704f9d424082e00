"""IT's office: a real centre over HTTP, an administrator's keys, a county's files, devices."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import keys
from kiosk.fleet.admin import Admin
from kiosk.fleet.cli import fleet
from sync.collector.store import tables
from sync.contract import bundle as bundles
from sync.contract import code as codes
from tests.kiosk.fleet.county import County
from tests.sync.collector.world import Centre, Device

SEEN = {"version": "0.1.0", "config": 1, "config_since": "2026-03-02T08:00:00+00:00"}


class Office:
    """One administrator at one desk."""

    def __init__(
        self,
        centre: Centre,
        county: County,
        folder: Path,
        name: str = "maija",
        *,
        registered: bool = False,
    ) -> None:
        self.centre, self.county, self.keys = centre, county, folder
        self.url = f"http://127.0.0.1:{centre.port}"
        centre.clock.at = float(int(time.time()))
        if registered:
            return
        assert CliRunner().invoke(fleet, ["keygen", "--keys", str(folder)]).exit_code == 0
        with centre.store.tx() as tx:
            tx.run(
                "insert into operators(name, key, created_ms) values (?, ?, 0)",
                (name, (folder / "operator.pub").read_text().strip()),
            )

    def colleague(self, folder: Path, county: County, name: str = "pekka") -> Office:
        """Another administrator, with the same organisation key and an own checkout."""
        other = Office.__new__(Office)
        folder.mkdir()
        for part in ("organisation.key", "organisation.pub"):
            (folder / part).write_bytes((self.keys / part).read_bytes())
            (folder / part).chmod(0o600)
        other.__init__(self.centre, county, folder, name)  # type: ignore[misc]
        return other

    @property
    def organisation(self) -> str:
        return bundles.key_text(keys.read(self.keys, "organisation").public_key())

    def fleet(self, command: str, *words: str, typed: str | None = None) -> Result:
        own = ["--root", str(self.county.root), "--keys", str(self.keys), "--url", self.url]
        return CliRunner().invoke(fleet, [command, *words, *own], input=typed)

    def ok(self, command: str, *words: str) -> str:
        done = self.fleet(command, *words)
        assert done.exit_code == 0, done.output
        return done.output

    def edit(self, command: str, *words: str) -> None:
        """A command about the files alone."""
        done = CliRunner().invoke(fleet, [command, *words, "--root", str(self.county.root)])
        assert done.exit_code == 0, done.output

    def json(self, command: str, *words: str) -> Any:
        done = self.fleet(command, *words, "--format", "json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def admin(self) -> Admin:
        return Admin(self.url, keys.read(self.keys, "operator"))

    def row(self, device: str) -> dict[str, Any]:
        """What the centre says of a device."""
        with self.admin() as admin:
            return next(row for row in admin.devices() if row["id"] == device)

    def versions(self) -> dict[str, int]:
        with self.admin() as admin:
            return dict(admin.organisation()["versions"])

    def audited(self) -> list[tuple[str, str]]:
        """Who did what, in order."""
        with self.centre.store.tx() as tx:
            return [tuple(row) for row in tx.rows("select who, what from audit order by no")]

    def terminal(self, device: str, location: str = "0003") -> Device:
        """A device, not enrolled yet."""
        return Device(self.centre, device, location)

    def enrolled(self, device: str, location: str = "0003", **status: Any) -> Device:
        """A device that was enrolled with a code of the desk and has sent once."""
        found = self.terminal(device, location)
        code = self.json("enrol", device)["code"]
        assert found.enrol(codes.secret(code)).status == 200
        found.send([], status=SEEN | {"config": self.versions()[device]} | status)
        return found


Memory = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""Table -> its columns and rows."""


def remembered(centre: Centre) -> Memory:
    """Everything a centre knows."""
    found: Memory = {}
    with centre.store.tx() as tx:
        for table in tables.metadata.sorted_tables:
            if table.name != "meta":
                columns = tuple(column.name for column in table.columns)
                listed = ", ".join(f'"{name}"' for name in columns)
                found[table.name] = (columns, tx.rows(f'select {listed} from "{table.name}"'))
    return found


def recall(centre: Centre, memory: Memory) -> None:
    """Teach it to a centre that has just been cleaned."""
    with centre.store.tx() as tx:
        tx.run("delete from operators")
        for name, (columns, rows) in memory.items():
            tx.insert(name, columns, rows)


def few(county: County) -> County:
    """Four devices are enough for most questions, and quicker."""
    for number in range(5, 11):
        (county.root / f"devices/esim-{number:04}.toml").unlink()
    return county


def stranger() -> str:
    """Some other organisation's public key."""
    return bundles.key_text(Ed25519PrivateKey.generate().public_key())
