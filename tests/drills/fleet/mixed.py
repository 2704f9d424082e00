"""Devices that are revoked, enrolled again, moved, cloned, or go by another's name."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from sync.contract.ids import uuid7
from sync.contract.records import Answer, digest, freeze
from sync.datadir import DataDir, read_json, write_json
from sync.epoch import New
from sync.outbox import Outbox
from tests.bench.samples import records
from tests.drills.part import Row
from tests.faults.checkers import missing_or_doubled, unbalanced
from tests.faults.house import Child, House, house
from tests.faults.wire import WireDevice, rows

WAIT_S = 60.0
MANY = 24_000
"""Records of a device that something happens to in mid-drain: a dozen batches."""


class Device:
    """A data directory with a backlog, its sender a process; all it ever stored is known."""

    def __init__(self, home: House, number: int, count: int = MANY) -> None:
        self.home, self.number, self.id = home, number, home.bundles[number].device
        self.root = home.device(f"mixed-{self.id}", number=number)
        self.ids: list[str] = []
        self.answer(count)

    def answer(self, count: int, *, machine: str = "m1", location: str = "0031") -> list[str]:
        """Store so many records, as on that machine and at that place; their ids."""
        box = Outbox(DataDir(self.root), machine=lambda: machine)
        new = []
        for record in records(count, seed=len(self.ids) + 7):
            if isinstance(record, Answer):
                record = msgspec.structs.replace(record, location=location)  # noqa: PLW2901
            raw = freeze(record)
            new.append(New(uuid7(), raw, digest(raw)))
        box.append(new)
        box.close()
        ids = [row.id for row in new]
        self.ids += ids
        return ids

    def clone(self, name: str) -> Device:
        """The same card in another machine."""
        found = object.__new__(Device)
        found.home, found.number, found.id = self.home, self.number, self.id
        found.root = self.root.with_name(name)
        shutil.copytree(self.root, found.root, ignore=shutil.ignore_patterns("*.lock"))
        found.ids = list(self.ids)
        return found

    def sender(self) -> Child:
        """Start the sender."""
        return self.home.child(f"sender-{self.root.name}", "sync", "--data", str(self.root))

    def status(self) -> dict[str, Any]:
        """What the sender says of itself."""
        return read_json(DataDir(self.root).sender_json) or {}

    def total(self, name: str) -> int:
        """A sum of the ledger."""
        return int(self.home.ledger(self.root)["total"][name])

    def stored(self) -> list[str]:
        """Ids at the centre under this device's name."""
        found = self.home.rows("select id from records where device = ?", self.id)
        return [str(ident) for (ident,) in found]

    def enrol(self) -> None:
        """Have the sender redeem a fresh code."""
        wish = {"endpoint": self.home.url, "code": self.home.code(self.id)}
        write_json(DataDir(self.root).enrol_json, wish)

    def wrong(self) -> list[str]:
        """What does not add up once all is sent."""
        return [
            *missing_or_doubled(self.ids, self.stored())[:5],
            *unbalanced(self.home.ledger(self.root)["epochs"]),
        ]


def wait(condition: Callable[[], object], what: str) -> list[str]:
    """Wait for it; what did not come about, in words."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if condition():
            return []
        time.sleep(0.02)
    return [f"not within {WAIT_S:.0f} s: {what}"]


def revoked(home: House, number: int, count: int = MANY) -> Row:
    """Revoked while it drains, and enrolled again."""
    device = Device(home, number, count)
    sender = device.sender()
    wrong = wait(device.stored, "the first batch")
    home.admin("POST", f"/v1/admin/devices/{device.id}/revoke", {"reason": "lost"})
    had = len(device.stored())
    if had >= len(device.ids):
        wrong.append("it was drained before it was revoked: nothing was tried")
    late = device.answer(10)
    wrong += wait(lambda: device.status().get("state") == "revoked", "the sender says revoked")
    reason = str(device.status().get("reason", ""))
    if "revoked" not in reason or "kept" not in reason:
        wrong.append(f"it does not say why: {reason!r}")
    stored = device.stored()
    if set(late) & set(stored):
        wrong.append("a revoked device got records in")
    if device.total("created") != len(device.ids) or not device.total("to_send"):
        wrong.append("a revoked device did not keep its answers")
    device.enrol()
    wrong += wait(lambda: len(device.stored()) >= len(device.ids), "everything at the centre")
    wrong += wait(lambda: device.total("to_send") == 0, "an empty ledger")
    sender.stop()
    note = f"{had:,} of {len(device.ids):,} records at the centre when it was revoked"
    return Row("revoked in mid-drain, then enrolled again", 1, wrong + device.wrong(), note)


def moved(home: House, number: int, count: int = MANY) -> Row:
    """Moved to another place while it drains: answers count where they were given."""
    device = Device(home, number, count)
    sender = device.sender()
    wrong = wait(device.stored, "the first batch")
    here, there = (bundle.location for bundle in home.bundles[:2])
    bundle = home.bundles[device.number]
    other = there if bundle.location.id != there.id else here
    home.bundles[device.number] = msgspec.structs.replace(
        bundle, version=bundle.version + 1, location=other
    )
    home.publish()
    if len(device.stored()) >= len(device.ids):
        wrong.append("it was drained before it was moved: nothing was tried")
    device.answer(50, location=other.id)
    wrong += wait(lambda: len(device.stored()) >= len(device.ids), "everything at the centre")
    wrong += wait(lambda: device.total("to_send") == 0, "an empty ledger")
    sender.stop()
    counted = dict(
        home.rows(
            "select location, sum(n) from daily_counts where device = ? and question = 'nps'"
            " group by location",
            device.id,
        )
    )
    expected = {"0031": -(-count // 5), other.id: 10}
    if {place: int(n) for place, n in counted.items()} != expected:
        wrong.append(f"answers counted {counted}, given {expected}")
    return Row("moved in mid-drain", 1, wrong + device.wrong())


def cloned(home: House, number: int) -> Row:
    """A card copied in mid-drain, both machines answering and sending at the same time."""
    device = Device(home, number, 6_000)
    wrong: list[str] = []
    if device.home.child("once", "sync", "--data", str(device.root), "--once").wait(WAIT_S):
        wrong.append("the first drain failed")
    device.answer(2_000)
    twin = device.clone(f"twin-{device.id}")
    # Another machine begins another file; one that cannot tell itself from the first goes on in it.
    own = [*device.answer(3_000), *twin.answer(3_000, machine="m2")]
    same = device.clone(f"same-{device.id}")
    own += [*device.answer(500), *same.answer(500)]
    all_of_them = [device, twin, same]
    everything = {*device.ids, *twin.ids, *same.ids}
    senders = [each.sender() for each in all_of_them]
    wrong += wait(lambda: len(set(device.stored())) >= len(everything), "everything of all three")
    wrong += wait(lambda: all(e.total("to_send") == 0 for e in all_of_them), "empty ledgers")
    for sender in senders:
        sender.stop()
    wrong += missing_or_doubled(everything, device.stored())[:5]
    for each in all_of_them:
        wrong += unbalanced(home.ledger(each.root)["epochs"])
    forks = home.rows("select sum(forks) from epochs where device = ?", device.id)[0][0]
    if not forks:
        wrong.append("nobody noticed that two machines wrote one file")
    listed = home.admin("GET", "/v1/admin/devices")
    mine = [entry for entry in _entries(listed) if entry["id"] == device.id]
    if not mine or not mine[0].get("clone_suspected"):
        wrong.append("the operator is not told of the clone")
    if not same.status().get("new_epoch") and not device.status().get("new_epoch"):
        wrong.append("neither machine was asked to begin another file")
    note = f"{len(everything):,} records of three machines, {int(forks or 0):,} at a taken position"
    return Row("a card cloned in mid-drain, three machines send", 3, wrong, note)


def _entries(listed: Any) -> list[dict[str, Any]]:
    found = listed["devices"] if isinstance(listed, dict) else listed
    return list(found)


def foreign(home: House, number: int) -> Row:
    """One device with another's key id, another's signature, another's file."""
    a, b = WireDevice(home, number), WireDevice(home, number + 1)
    wrong: list[str] = []
    mine, yours = rows(records(50, seed=1)), rows(records(50, seed=2))
    a.send(mine, 50)
    b.send(yours, 50)
    # The key id of A over a signature of B: nobody's.
    forged = _swapped(a, b)
    if forged != (401, "bad_signature"):
        wrong.append(f"a signature under another's key id: {forged}")
    # A's key at B's file: it is A's file of that name, and B's stays as it is.
    a.epoch, own = b.epoch, a.epoch
    receipt = a.send(rows(records(5, seed=3)), 5)
    if receipt.have != 5:
        wrong.append(f"A's key at B's file: have {receipt.have}")
    # A says B's records are its own.
    a.send(yours, 50)
    a.epoch = own
    for device, count in ((a, 105), (b, 50)):
        found = home.rows(
            "select count(*), count(distinct id) from records where device = ?", device.device
        )
        if found != [(count, count)]:
            wrong.append(f"{device.device}: {found} instead of {count}")
    if b.send([], 50).have != 50:
        wrong.append("B's file was moved by A")
    return Row("another's key id, signature, file and records", 4, wrong)


def _swapped(a: WireDevice, b: WireDevice) -> tuple[int, str]:
    """A batch signed by B's key that claims to be A's."""
    import base64
    import gzip

    import requests

    from sync.contract.signing import sign

    body = gzip.compress(msgspec.json.encode(a.batch(rows(records(5, seed=9)), 5)), 1)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    headers |= sign("POST", "/v1/batches", headers, body, b.key)
    ids = [base64.b64encode(each.key.public_key().public_bytes_raw()).decode() for each in (a, b)]
    headers = {name: value.replace(ids[1], ids[0]) for name, value in headers.items()}
    reply = requests.post(a.url + "/v1/batches", data=body, headers=headers, timeout=30)
    return reply.status_code, reply.json().get("code", "")


def mixed(folder: Path, *, database: str = "") -> Iterator[Row]:
    """All of it, at one centre."""
    with house(folder, database=database, devices=6) as home:
        yield revoked(home, 0)
        yield moved(home, 1)
        yield cloned(home, 2)
        yield foreign(home, 3)
