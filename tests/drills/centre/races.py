"""The same thing at two centres at once; a device that is changed while it sends; two commands."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import wire
from tests.bench.samples import records
from tests.drills.centre.couriers import Courier, fleet, judge
from tests.drills.centre.kills import BATCH, drain
from tests.drills.centre.process import LONG_S
from tests.drills.centre.servers import settled, under_load
from tests.drills.centre.site import Site
from tests.faults.wire import Row, WireDevice, rows

THREADS = 8


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment; results, or errors, in order."""
    meet = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(number: int) -> None:
        meet.wait(LONG_S)
        try:
            found[number] = works[number]()
        except Exception as error:  # noqa: BLE001 - judged by the caller
            found[number] = error

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * LONG_S)
    return found


def post_at_once(
    place: Site, device: WireDevice, batches: Sequence[wire.Batch]
) -> list[requests.Response | Exception]:
    """Post batches of one device at the same moment, in turn to each centre there is."""

    def poster(number: int) -> Callable[[], requests.Response]:
        twin = object.__new__(WireDevice)
        twin.__dict__.update(device.__dict__)
        twin.url = place.urls[number % len(place.ports)]
        return lambda: twin.post(batches[number])

    return at_once([poster(number) for number in range(len(batches))])


def answered(replies: Sequence[Any], allowed: Sequence[int]) -> list[str]:
    """Replies that are none of those allowed."""
    return [
        f"{reply!r} {getattr(reply, 'text', '')[:200]}"
        for reply in replies
        if getattr(reply, "status_code", 0) not in allowed
    ]


def same_batch(place: Site, rounds: int) -> list[str]:
    """The same batch, and overlapping ones, from many senders at once: stored and counted once."""
    courier = Courier(place)
    wrong: list[str] = []
    for turn in range(rounds):
        courier.make(3 * BATCH)
        tail = len(courier.rows)
        new = courier.rows[-3 * BATCH :]
        starts = [0 if turn % 2 else 7 * n for n in range(THREADS)]
        parts = [new[start : start + 2 * BATCH] for start in starts]
        batches = [courier.wire.batch(part, tail, first=1) for part in parts]
        wrong += answered(post_at_once(place, courier.wire, batches), [200])
        courier.cursor = tail - 3 * BATCH
        drain(courier)
    return wrong + judge(courier, drained=True) + place.differences()


def clones(place: Site) -> list[str]:
    """Two outboxes under one name at once: both count; other bytes under a known id do not."""
    device = WireDevice(place)
    mine, twins = rows(records(BATCH, seed=1)), rows(records(BATCH, seed=2))
    other = rows(records(BATCH, seed=3))
    forged = [Row(a.seq, a.id, b.raw) for a, b in zip(mine, other, strict=True)]
    batches = [device.batch(part, BATCH, first=1) for part in (mine, twins) * (THREADS // 2)]
    wrong = answered(post_at_once(place, device, batches), [200])
    last = [device.batch(forged, BATCH, first=1), *batches[: THREADS - 1]]
    replies = post_at_once(place, device, last)
    wrong += answered(replies, [200])
    ids = Counter(str(row[0]) for row in place.rows("select id from records"))
    if ids != Counter([row.id for row in (*mine, *twins)]):
        wrong.append(f"{ids.total()} records of two clones with {BATCH} each")
    ((forks, conflicts, new),) = place.rows("select forks, conflicts, new_epoch from epochs")
    if (forks, conflicts, bool(new)) != (BATCH, BATCH, True):
        wrong.append(f"{forks} forks, {conflicts} conflicts, new epoch: {new}")
    return wrong + place.differences()


def revoked(place: Site, rounds: int) -> list[str]:
    """A device is revoked in the middle of its batches, and enrolled anew."""
    wrong: list[str] = []
    courier = Courier(place)
    for _ in range(rounds):
        courier.make(THREADS * 10)
        tail = len(courier.rows)
        pieces = [courier.rows[n : n + 10] for n in range(tail - THREADS * 10, tail, 10)]
        batches = [courier.wire.batch(piece, tail, first=1) for piece in pieces]
        path = f"/v1/admin/devices/{courier.device}/revoke"
        revoking = threading.Thread(
            target=lambda path=path: place.admin("POST", path, {"reason": "drill"})
        )
        revoking.start()
        replies = post_at_once(place, courier.wire, batches)
        revoking.join()
        wrong += answered(replies, [200, 403])
        stored = {row[0] for row in place.rows("select id from records")}
        for piece, reply in zip(pieces, replies, strict=True):
            there = sum(row.id in stored for row in piece)
            if there != (len(piece) if reply.status_code == 200 else 0):  # type: ignore[union-attr]
                wrong.append(f"{there} of {len(piece)} stored, answered {reply!r}")
        wrong += answered(post_at_once(place, courier.wire, batches[:1]), [403])
        courier.wire = enrolled_again(place, courier.wire)
        courier.cursor = 0
        drain(courier)
    return wrong + judge(courier, drained=True) + courier.refused + place.differences()


def enrolled_again(place: Site, device: WireDevice) -> WireDevice:
    """The same outbox under a new key."""
    found = WireDevice(place)
    assert found.key is not device.key
    assert isinstance(found.key, Ed25519PrivateKey)
    found.epoch = device.epoch
    return found


def moved(place: Site, rounds: int) -> list[str]:
    """Devices' places and past are changed while they send: counts are those of a rebuild."""

    def trouble(turn: int) -> None:
        device = place.bundles[turn % len(place.bundles)].device
        town = {"id": "0009", "name": {"fi": "Muualla"}, "municipality": f"Town {turn}"}
        place.admin("PUT", "/v1/admin/catalogue", {"locations": [town]})
        window = {"device": device, "from": "2026-03-01", "to": "2026-03-31"}
        correction = {**window, "location": "0009", "reason": "drill"}
        place.admin("POST", "/v1/admin/corrections", correction)

    return under_load(place, rounds, len(place.bundles), trouble)


def command_beside(place: Site, words: Sequence[str], rounds: int = 3) -> list[str]:
    """A command of the centre runs on PostgreSQL while devices send."""
    wrong: list[str] = []

    def trouble(_turn: int) -> None:
        code = place.command(*words).wait()
        if code:
            wrong.append(f"{words[0]}: exit {code}")

    return wrong + under_load(place, rounds, 3, trouble)


def two_centres(place: Site) -> list[str]:
    """A second centre on one SQLite file says so and ends; the first goes on."""
    second = place.serve(0)
    code = second.wait()
    wrong = [] if code == 3 else [f"a second centre on one file: exit {code}"]
    if "is being written by another process" not in place.said():
        wrong.append("it does not say why")
    with fleet(place, 1) as senders:
        senders.make(BATCH)
        return wrong + settled(place, senders)


def newer_schema(place: Site) -> list[str]:
    """A centre on the schema of a newer program says so and ends; that of the older is named."""
    place.centre.stop()
    (before,) = place.rows("select version_num from alembic_version")[0]
    wrong = []
    for version, words in (("9999", "9999"), ("0001", "hymio collector migrate")):
        place.execute("update alembic_version set version_num = ?", version)
        code = place.serve(0).wait()
        if code != 1 or words not in place.said():
            wrong.append(f"on schema {version}: exit {code}")
    place.execute("update alembic_version set version_num = ?", before)
    place.start_centre()
    return wrong


def first_starts(places: Sequence[Site]) -> list[str]:
    """Several centres start at the same moment on one fresh database: all serve."""
    processes = at_once([lambda place=place: place.serve(place.port) for place in places])
    wrong = []
    for place, process in zip(places, processes, strict=True):
        try:
            place.ready(place.port, process)
        except AssertionError as error:
            wrong.append(str(error)[-600:])
    return wrong
