"""The part of `make drill` about the centre: its processes, its databases, its backups."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests import postgres
from tests.drills.centre import backups, ends, kills, races, rooms, servers
from tests.drills.centre.process import STOPPED, can_meddle
from tests.drills.centre.site import Site, site
from tests.drills.part import Options, Row

MOST_MB = 300
"""What a centre may take at most, whatever happens; a third of it is the program itself."""
Found = list[str] | tuple[int, list[str]]


class NotHereError(Exception):
    """This cannot be tried on this machine."""


@dataclass(frozen=True)
class Bench:
    """What the rows share."""

    folder: Path
    cluster: postgres.Cluster | None
    step: int

    def database(self, kind: str) -> str:
        """A new database; empty: a SQLite file in the site's folder."""
        if kind == "SQLite":
            return ""
        if self.cluster is None:
            raise NotHereError("PostgreSQL is not installed")
        return self.cluster.database()

    def points(self, most: int) -> int:
        """How many of many alike."""
        return max(2, most // self.step)


Work = Callable[[Site], Found]
Try = Callable[[Bench, Path], tuple[Found, int]]


def at(kind: str, work: Work, *, centres: int = 1, devices: int = 1, **options: Any) -> Try:
    """A row on a site of its own: what is found, and the most memory in MiB."""

    def attempt(bench: Bench, folder: Path) -> tuple[Found, int]:
        url = options.get("database") or bench.database(kind)
        with site(folder, database=url, devices=devices, weakened="quick_marks") as place:
            for _ in range(centres - 1):
                place.another()
            found = work(place)
            place.watch()
            return found, place.most_mb

    return attempt


def traced(attempt: Callable[[Bench], Try]) -> Try:
    """A row that needs strace."""

    def checked(bench: Bench, folder: Path) -> tuple[Found, int]:
        if not can_meddle():
            raise NotHereError("strace may not hold other processes here")
        return attempt(bench)(bench, folder)

    return checked


def own_server(work: Callable[[Site, postgres.Cluster], Found], **settings: object) -> Try:
    """A row on a PostgreSQL server of its own."""

    def attempt(bench: Bench, folder: Path) -> tuple[Found, int]:
        bench.database("PostgreSQL")
        with postgres.running(fsync="on", **settings) as cluster:
            run = partial(work, cluster=cluster)
            return at("", run, devices=3, database=cluster.database())(bench, folder)  # type: ignore[arg-type]

    return attempt


def full(kind: str) -> Try:
    """A row on a small disk of its own."""

    def attempt(bench: Bench, folder: Path) -> tuple[Found, int]:
        size = rooms.SMALL if kind == "SQLite" else rooms.LARGER
        with contextlib.ExitStack() as stack:
            disk = stack.enter_context(rooms.small_disk(bench.folder / f"disk-{kind}", size))
            if disk is None:
                raise NotHereError("mounting takes root, and a kernel that lets us")
            if kind == "SQLite":
                return at(
                    kind,
                    partial(rooms.full, disk=disk),
                    devices=2,
                    database=f"sqlite:///{disk}/centre.db",
                )(bench, folder)
            bench.database(kind)
            small = {"fsync": "on", "max_wal_size": "64MB", "min_wal_size": "32MB"}
            cluster = stack.enter_context(postgres.running(place=disk, **small))
            work = partial(rooms.full, disk=disk, cluster=cluster)
            return at(kind, work, devices=2, database=cluster.database())(bench, folder)

    return attempt


def migrations(kind: str, words: Sequence[str], *, old: bool) -> Try:
    """A schema made or changed, and cut short."""

    def attempt(bench: Bench, folder: Path) -> tuple[Found, int]:
        numbers = iter(range(1000))

        def url() -> str:
            return bench.database(kind) or f"sqlite:///{folder / f'{next(numbers)}.db'}"

        return kills.migrations(folder, url, words, old=old, wanted=bench.points(4)), 0

    return traced(lambda _bench: attempt)


def starts(bench: Bench, folder: Path) -> tuple[Found, int]:
    """Several first starts at once."""
    url = bench.database("PostgreSQL")
    places = []
    for number in range(3):
        (folder / str(number)).mkdir(parents=True)
        places.append(Site(folder / str(number), database=url))
    try:
        return races.first_starts(places), 0
    finally:
        for place in places:
            place.close()


def rows(seed: int = 1) -> dict[str, Try]:
    """Every row by its name; the seed chooses moments."""
    found: dict[str, Try] = {}
    for kind in ("SQLite", "PostgreSQL"):
        both = 2 if kind == "PostgreSQL" else 1
        found |= {
            f"{kind}: centre killed at a call of a batch": traced(
                lambda bench, kind=kind: at(  # type: ignore[misc]
                    kind, partial(kills.in_a_batch, wanted=bench.points(16))
                )
            ),
            f"{kind}: centre killed between commit and reply": at(
                kind, partial(kills.before_the_reply, rounds=4)
            ),
            f"{kind}: centre killed under load, passes in the background": at(
                kind, partial(kills.anywhere, rounds=6, devices=3, seed=seed), devices=3
            ),
            f"{kind}: schema upgrade killed": migrations(kind, ["migrate"], old=True),
            f"{kind}: first start killed": migrations(kind, ["serve"], old=False),
            f"{kind}: the same batch many times at once": at(
                kind, partial(races.same_batch, rounds=6), centres=both
            ),
            f"{kind}: two clones at once": at(kind, races.clones, centres=both),
            f"{kind}: revoked while sending, enrolled anew": at(
                kind, partial(races.revoked, rounds=4), centres=both
            ),
            f"{kind}: moved and corrected while sending": at(
                kind, partial(races.moved, rounds=4), centres=both, devices=3
            ),
            f"{kind}: restored from a copy while sending": at(kind, backups.restored, devices=3),
            f"{kind}: restored, and pruned on the device": at(kind, backups.pruned),
            f"{kind}: SIGTERM, SIGTERM twice, SIGHUP, SIGINT": at(kind, signals, devices=3),
            f"{kind}: SIGTERM with a batch under way": at(kind, ends.in_flight),
            f"{kind}: schema of another version": at(kind, races.newer_schema),
            f"{kind}: disk full": full(kind),
        }
        for words in (("rebuild",), ("purge", "--text-days", "0"), ("flags",), ("restored",)):
            found[f"{kind}: {words[0]} killed at a call"] = traced(
                lambda bench, kind=kind, words=words: at(  # type: ignore[misc]
                    kind, partial(filled, words=words, wanted=bench.points(4)), devices=2
                )
            )
    found |= {
        "SQLite: errors of the disk": traced(
            lambda _bench: at(
                "SQLite", partial(rooms.failing, errors=("EIO", "ENOSPC"), calls=(1, 5))
            )
        ),
        "SQLite: file taken by another process": at("SQLite", rooms.taken, devices=2),
        "SQLite: two centres": at("SQLite", races.two_centres),
        "PostgreSQL: several first starts": starts,
        "PostgreSQL: server killed": own_server(partial(servers.killed, rounds=4, seed=seed)),
        "PostgreSQL: server restarted": own_server(partial(servers.restarted, rounds=4)),
        "PostgreSQL: server stopped (SIGSTOP)": own_server(partial(servers.frozen, patience_s=2)),
        "PostgreSQL: connections all taken": own_server(
            lambda place, cluster: servers.exhausted(place, 30),
            max_connections=30,
        ),
    }
    on_server: dict[str, Work] = {
        "backends terminated, statements cancelled": partial(servers.terminated, rounds=6),
        "deadlocks with another session": partial(servers.crossed, rounds=4),
        "neighbours at once": partial(servers.neighbours, devices=6),
        "repeatable read": partial(servers.isolated, level="repeatable read"),
        "serializable": partial(servers.isolated, level="serializable"),
        "read-only": partial(servers.refusing, name="default_transaction_read_only", value="on"),
        "statements time out": partial(servers.refusing, name="statement_timeout", value="1"),
        "slower than the devices wait": partial(servers.slow, seconds=2),
        "many devices and readers": partial(servers.many, senders=12),
        "restored under a running centre": partial(backups.restored, running=True),
    }
    for words in (("rebuild",), ("purge", "--text-days", "0"), ("flags",), ("restored",)):
        on_server[f"{words[0]} beside batches"] = partial(races.command_beside, words=words)
    for name, work in on_server.items():
        devices = 12 if "many" in name else 6
        found[f"PostgreSQL: {name}"] = at("PostgreSQL", work, devices=devices)
    return found


def signals(place: Site) -> Found:
    """Every way in which a centre is told to end."""
    endings = [[ends.TERM], [ends.TERM, ends.TERM], [ends.HUP], [ends.INT]]
    return len(endings), ends.told(place, endings)


def filled(place: Site, words: Sequence[str], wanted: int) -> Found:
    """A command on a database with something in it."""
    with servers.fleet(place, 2) as senders:
        senders.make(200)
        senders.drain()
    return kills.commands(place, words, wanted)


def one(bench: Bench, name: str, attempt: Try, number: int) -> Row:
    """Try a row."""
    try:
        found, memory = attempt(bench, bench.folder / str(number))
    except NotHereError as error:
        return Row(name, 0, skipped=str(error))
    except Exception as error:  # noqa: BLE001 - a drill that does not come to its end has failed
        return Row(name, 1, [f"{type(error).__name__}: {error}"[:600]])
    cases, wrong = found if isinstance(found, tuple) else (1, found)
    if memory > MOST_MB:
        wrong = [*wrong, f"the centre took {memory} MiB"]
    if name.endswith(("deadlocks with another session", "neighbours at once")):
        return Row(name, 1, wrong, f"{cases} deadlocks, centre {memory} MiB")
    return Row(name, cases, wrong, f"centre {memory} MiB" if memory else "")


def drill(options: Options) -> Iterator[Row]:
    """All of it, some rows at the same time: they mostly wait."""
    STOPPED.clear()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hymio-drill-")))
        # PostgreSQL's own user passes through, to a disk in there.
        folder.chmod(0o711)
        cluster = None
        with contextlib.suppress(postgres.PostgresMissingError):
            cluster = stack.enter_context(
                postgres.running(fsync="on", deadlock_timeout="50ms", max_connections=400)
            )
        bench = Bench(folder, cluster, options.step)
        pool = ThreadPoolExecutor(options.workers + 1)
        stack.callback(pool.shutdown, cancel_futures=True)
        # Said first, so that what is under way ends at once when the drill is stopped.
        stack.callback(STOPPED.set)
        waiting = [
            pool.submit(one, bench, name, attempt, number)
            for number, (name, attempt) in enumerate(rows(options.seed).items())
        ]
        for row in waiting:
            yield row.result()
