"""The centre and its commands are killed: at every call, before and after a commit, at a start."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import alembic.command

from sync.collector.store import Store, schema
from tests.drills.centre.couriers import Courier, fleet, judge
from tests.drills.centre.process import Meddled, until
from tests.drills.centre.site import MIGRATING, Site, is_ready
from tests.faults.house import free_port
from tests.faults.proxy import CuttingProxy, Fault

CALLS = {True: "pwrite64,fdatasync", False: "sendto,recvfrom"}
"""What a batch is made of, on SQLite and on PostgreSQL; a kill comes before the call is done."""
BATCH = 40
MOMENT_S = 0.1
"""A kill comes up to so long after a receipt: a few batches."""


def spread_out(count: int, wanted: int) -> list[int]:
    """At most so many numbers from 1 to `count`, evenly."""
    if count <= wanted:
        return list(range(1, count + 1))
    return sorted({1 + n * (count - 1) // (wanted - 1) for n in range(wanted)})


def count_calls(place: Site, courier: Courier, calls: str) -> int:
    """How many calls one batch makes, in the thread that makes most."""
    courier.make(BATCH)
    with Meddled(place.centre, calls, "", "") as traced:
        assert courier.send() == 200
    return traced.counts()[0]


def in_a_batch(place: Site, wanted: int, calls: str = "") -> tuple[int, list[str]]:
    """SIGKILL at calls of a batch's transaction, one after the other: cases, what is wrong."""
    calls = calls or CALLS[place.sqlite]
    courier = Courier(place, size=BATCH)
    courier.make(BATCH)
    assert courier.send() == 200
    wrong: list[str] = []
    killed = 0
    for number in spread_out(count_calls(place, courier, calls), wanted):
        courier.make(BATCH)
        with Meddled(place.centre, calls, "signal=SIGKILL", str(number)):
            if courier.send() != 200:
                place.centre.wait()
                killed += 1
        place.watch()
        found = _after(place, courier)
        wrong += [f"killed at call {number} of {calls}: {text}" for text in found]
    if not killed:
        wrong.append("no centre was killed")
    return killed, wrong


def _after(place: Site, courier: Courier) -> list[str]:
    """What is wrong after a kill, and after the batch was sent again."""
    if place.centre.ended is None:
        place.centre.kill()
    place.settle()
    wrong = judge(courier, drained=False) + place.differences()
    place.start_centre()
    drain(courier)
    return wrong + judge(courier, drained=True) + courier.refused + place.differences()


def drain(courier: Courier, attempts: int = 400) -> None:
    """Send until everything is acknowledged. Raises AssertionError."""
    for _ in range(attempts):
        if courier.drained:
            return
        courier.send()
    raise AssertionError(f"not drained: {courier.answers}")


def before_the_reply(place: Site, rounds: int) -> tuple[int, list[str]]:
    """SIGKILL when the commit is done and the reply on its way."""
    wrong: list[str] = []
    with CuttingProxy(place.port) as proxy:
        courier = Courier(place, size=BATCH)
        courier.via = proxy.url
        for turn in range(rounds):
            courier.make(BATCH)
            proxy.arm(Fault(reply_bytes=0))
            status = courier.send()
            place.centre.kill()
            place.settle()
            there = place.rows("select count(*) from records where device = ?", courier.device)
            if (status, there[0][0]) != (0, len(courier.rows)):
                wrong.append(f"round {turn}: the batch is not there although an answer was sent")
            wrong += _after(place, courier)
    return rounds, wrong


def anywhere(place: Site, rounds: int, devices: int, seed: int) -> tuple[int, list[str]]:
    """SIGKILL while several devices send, at no particular moment; background passes go on."""
    wrong: list[str] = []
    chance = random.Random(seed)
    with fleet(place, devices, size=BATCH) as senders:
        for turn in range(rounds):
            senders.make(6 * BATCH)
            senders.onwards((1 + turn % 3) * BATCH)
            time.sleep(chance.uniform(0, MOMENT_S))
            place.watch()
            place.centre.kill()
            senders.hold()
            place.settle()
            wrong += [f"round {turn}: {text}" for text in senders.wrong(drained=False)]
            place.start_centre()
            senders.release()
        senders.drain()
        senders.hold()
        until(lambda: pending(place) == 0, "the flags are up to date again")
        wrong += senders.wrong()
    return rounds, wrong


def pending(place: Site) -> int:
    """Devices whose flags the background pass has still to look at."""
    return int(place.rows("select count(*) from unmarked where done < turn")[0][0])


def commands(place: Site, words: Sequence[str], wanted: int) -> tuple[int, list[str]]:
    """A command killed at its calls, each time done again to its end."""
    place.centre.stop()
    wrong: list[str] = []
    count = _traced(place, words)
    points = spread_out(count, wanted)
    for number in points:
        place.execute("update unmarked set done = 0, day = ''")
        place.execute("update answers set text = 'said' where kind = 'text'")
        _traced(place, words, kill_at=number)
        wrong += [f"{words[0]} killed at {number}: {text}" for text in place.differences()]
        code = place.command(*words).wait()
        if code:
            wrong.append(f"{words[0]} again after a kill at {number}: exit {code}")
        wrong += [f"{words[0]} again after {number}: {text}" for text in place.differences()]
    place.start_centre()
    return len(points), wrong


def _traced(place: Site, words: Sequence[str], kill_at: int = 0) -> int:
    """Run a command under strace; how many calls it made. Killed at one of them if so wanted.

    `serve` is over when it is ready.
    """
    if words[0] == "serve":
        words = ("serve", "--port", str(place.port))
    gate = place.folder / "gate"
    gate.touch()
    process = place.command(*words, gate=gate)
    calls = CALLS[place.sqlite]
    with Meddled(process, calls, "signal=SIGKILL" if kill_at else "", str(kill_at)) as traced:
        gate.unlink()
        serves = words[0] == "serve"
        until(lambda: process.ended is not None or (serves and is_ready(place.port)), "done")
    if process.ended is None:
        process.kill()
    place.settle()
    return 0 if kill_at else max(traced.counts(), default=1)


def old_database(url: str) -> None:
    """A database of the first schema with a device and a visit in it."""
    config = schema._config()
    with MIGRATING, Store(url) as store, store.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
        connection.exec_driver_sql("insert into meta(key, value) values ('centre', 'c1')")
        connection.exec_driver_sql("insert into devices(id, name) values ('d1', 'Aula')")
        connection.exec_driver_sql("insert into visits(device, visit) values ('d1', 'v1')")


def migrations(
    folder: Path, url: Callable[[], str], words: Sequence[str], *, old: bool, wanted: int
) -> tuple[int, list[str]]:
    """`migrate` or the first `serve` killed at its calls, on a fresh or on an old database."""
    folder.mkdir(parents=True, exist_ok=True)

    def once(kill_at: int = 0) -> tuple[int, list[str]]:
        place = Site(folder / str(kill_at), database=url())
        place.folder.mkdir()
        if old:
            old_database(place.database)
        try:
            count = _traced(place, words, kill_at)
            return count, _migrated(place, old=old) if kill_at else []
        finally:
            place.close()
            shutil.rmtree(place.folder)

    count, wrong = once()
    points = spread_out(count, wanted)
    for number in points:
        wrong += [f"killed at {number} of {count}: {text}" for text in once(number)[1]]
    return len(points), wrong


def _migrated(place: Site, *, old: bool) -> list[str]:
    wrong = []
    if old and (code := place.command("migrate").wait()):
        wrong.append(f"migrate again: exit {code}")
    port = free_port()
    centre = place.serve(port)
    until(lambda: centre.ended is not None or is_ready(port), "the centre starts")
    if centre.ended is not None:
        return [*wrong, f"the centre does not start: {centre.said()[-500:]}"]
    if old and place.rows("select d.name, v.visit from devices d join visits v on v.device = d.id"
                          " join unmarked u on u.device = d.id") != [("Aula", "v1")]:  # fmt: skip
        wrong.append("what was there is gone")
    if len(place.rows("select value from meta where key = 'centre'")) != 1:
        wrong.append("the centre has no id")
    centre.kill()
    return wrong
