"""PostgreSQL under a centre that goes on running: killed, restarted, locked, full, slow."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import requests

from tests import postgres
from tests.drills.centre.couriers import Fleet, fleet
from tests.drills.centre.kills import BATCH, MOMENT_S, pending
from tests.drills.centre.process import until
from tests.drills.centre.site import Site, is_ready

MOST_CONNECTIONS = 40
"""Of one centre: two pools of twenty."""
PER_ROUND = 6 * BATCH


def admin(place: Site) -> psycopg.Connection[Any]:
    """A session beside the centre's, each statement a transaction."""
    return psycopg.connect(place.database, autocommit=True)


def under_load(
    place: Site, rounds: int, devices: int, trouble: Callable[[int], None], **options: object
) -> list[str]:
    """Do something to the server, again and again, while devices send; then all must be there."""
    with fleet(place, devices, size=BATCH, **options) as senders:
        for turn in range(rounds):
            senders.make(PER_ROUND)
            senders.onwards(BATCH)
            trouble(turn)
        return settled(place, senders)


def settled(place: Site, senders: Fleet) -> list[str]:
    """What is wrong once everything has been sent, and nobody has restarted the centre."""
    senders.drain()
    senders.hold()
    until(lambda: pending(place) == 0, "the flags are up to date again")
    wrong = senders.wrong()
    if not all(is_ready(port) for port in place.ports):
        wrong.append("a centre is not ready afterwards")
    if not place.sqlite and (count := place.connections()) > MOST_CONNECTIONS * len(place.ports):
        wrong.append(f"{count} connections are open")
    wrong += [f"{text} was answered" for text in silent(place, senders)]
    place.watch()
    return wrong


def silent(place: Site, senders: Fleet) -> list[str]:
    """500s beyond those the log has something about."""
    told = place.said().count("a request failed")
    seen = sum(courier.answers["500"] for courier in senders.couriers)
    return [f"500 {seen} times, {told} of them in the log, and it"] if seen > told else []


def killed(place: Site, cluster: postgres.Cluster, rounds: int, seed: int) -> list[str]:
    """`kill -9` of the whole server; one acknowledged commit more or less would show."""
    chance = random.Random(seed)

    def trouble(turn: int) -> None:
        time.sleep(chance.uniform(0, MOMENT_S))
        cluster.kill()
        if turn % 2:
            until(lambda: not is_ready(place.port), "the centre says it is not ready")
        cluster.start()

    return under_load(place, rounds, 3, trouble)


def restarted(place: Site, cluster: postgres.Cluster, rounds: int) -> list[str]:
    """Restarted, orderly and at once."""

    def trouble(turn: int) -> None:
        cluster.stop("immediate" if turn % 2 else "fast")
        cluster.start()

    return under_load(place, rounds, 3, trouble)


def frozen(place: Site, cluster: postgres.Cluster, patience_s: float) -> list[str]:
    """SIGSTOP of the whole server: connections stand, nothing is answered, nobody restarts."""
    with fleet(place, 3, size=BATCH, read_s=patience_s) as senders:
        senders.make(PER_ROUND)
        senders.onwards(BATCH)
        with cluster.stopped():
            senders.make(PER_ROUND)
            until(lambda: in_vain(senders) >= 3, "every device has given up three times")
            wrong = ["the centre says it is ready"] if is_ready(place.port, 20) else []
            livez = requests.get(f"http://127.0.0.1:{place.port}/livez", timeout=20).status_code
            wrong += [] if livez == 200 else [f"/livez says {livez}"]
        for courier in senders.couriers:
            courier.read_s = 20
        return wrong + settled(place, senders)


def in_vain(senders: Fleet) -> int:
    """How often each device has waited in vain, or was told to come later."""
    return min(c.answers["ReadTimeout"] + c.answers["503"] for c in senders.couriers)


def terminated(place: Site, rounds: int) -> list[str]:
    """Single backends terminated, or their statement cancelled, while they work."""
    with admin(place) as session:

        def trouble(turn: int) -> None:
            done = "pg_terminate_backend" if turn % 2 else "pg_cancel_backend"
            for _ in range(10):
                session.execute(
                    f"select {done}(pid) from pg_stat_activity where datname = current_database()"  # type: ignore[arg-type]
                    " and application_name = 'hymio' and state <> 'idle'"
                )
                time.sleep(0.01)

        return under_load(place, rounds, 3, trouble)


def deadlocks(place: Site) -> int:
    """How many the server has broken in this database."""
    with admin(place) as session:
        session.execute("select pg_stat_clear_snapshot()")
        found = session.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert found
    return int(found[0])


def crossed(place: Site, rounds: int) -> tuple[int, list[str]]:
    """Another session takes counts and devices in the other order: deadlocks, what is wrong."""

    def trouble(_turn: int) -> None:
        with psycopg.connect(place.database) as session, contextlib.suppress(psycopg.Error):
            session.execute("lock table hourly_counts in share row exclusive mode")
            with admin(place) as watching:
                until(lambda: _waiting(watching), "a batch waits for the counts")
            session.execute("select id from devices for update")
            session.commit()

    wrong = under_load(place, rounds, 3, trouble)
    # What a session has seen is told when it ends, or after a second.
    until(lambda: deadlocks(place) > 0, "a deadlock has been counted")
    return deadlocks(place), wrong


def _waiting(session: psycopg.Connection[Any]) -> bool:
    found = session.execute(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name = 'hymio' and wait_event_type = 'Lock'"
    ).fetchone()
    return bool(found and found[0])


def neighbours(place: Site, devices: int) -> tuple[int, list[str]]:
    """Devices of one place, with counts in common, send at once: deadlocks, what is wrong."""
    wrong = under_load(place, 3, devices, lambda _turn: None)
    time.sleep(1.1)
    return deadlocks(place), wrong


@contextlib.contextmanager
def setting(place: Site, name: str, value: str) -> Iterator[None]:
    """A setting of the database for a while, for new connections and those there are."""
    with admin(place) as session:
        database = session.info.dbname

        def put(text: str) -> None:
            session.execute(f"alter database {database} {text}")  # type: ignore[arg-type]
            session.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = 'hymio'"
            )

        put(f"set {name} = {value}")
        try:
            yield
        finally:
            # Where it may be nothing that can be written.
            session.execute("set default_transaction_read_only = off")
            put(f"reset {name}")


def isolated(place: Site, level: str) -> list[str]:
    """Transactions that fail to serialise are done again, inside or by the device."""
    with setting(place, "default_transaction_isolation", f"'{level}'"):
        return under_load(place, 2, 4, lambda _turn: None)


def refusing(place: Site, name: str, value: str) -> list[str]:
    """A setting under which nothing can be stored: 503, not ready, and by itself again."""
    with fleet(place, 2, size=BATCH) as senders:
        senders.make(PER_ROUND)
        senders.onwards(BATCH)
        with setting(place, name, value):
            wrong = refuses(place, senders)
        return wrong + settled(place, senders)


def refuses(place: Site, senders: Fleet) -> list[str]:
    """Wait until every device is told to come later, and the centre is not ready."""
    before = [courier.answers["503"] for courier in senders.couriers]
    senders.make(PER_ROUND)

    def told() -> bool:
        now = [courier.answers["503"] for courier in senders.couriers]
        return all(b > a for a, b in zip(before, now, strict=True))

    until(told, "every device is answered 503")
    until(lambda: not is_ready(place.port), "the centre says it is not ready")
    livez = requests.get(f"http://127.0.0.1:{place.port}/livez", timeout=20).status_code
    return [] if livez == 200 else [f"/livez says {livez}"]


def exhausted(place: Site, most: int) -> list[str]:
    """Other sessions sit on every connection of the server."""
    with fleet(place, 2, size=BATCH) as senders:
        senders.make(PER_ROUND)
        senders.onwards(BATCH)
        with contextlib.ExitStack() as sitting:

            def sit() -> bool:
                with contextlib.suppress(psycopg.OperationalError):
                    place_for_centre.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'hymio'"
                    )
                    for _ in range(most):
                        other = psycopg.connect(place.database.replace("postgres@", "guest@"))
                        sitting.enter_context(other)
                return any(courier.answers["503"] > 1 for courier in senders.couriers)

            with admin(place) as place_for_centre:
                place_for_centre.execute(
                    "do $$ begin create role guest login; exception"
                    " when duplicate_object then null; end $$"
                )
                senders.make(PER_ROUND)
                until(sit, "a device is answered 503")
        return settled(place, senders)


def slow(place: Site, seconds: float) -> list[str]:
    """A lock is held for longer than the devices wait: they come again and again, stored once."""
    with fleet(place, 3, size=BATCH, read_s=seconds / 4) as senders:
        senders.make(2 * BATCH)
        senders.onwards(BATCH)
        with psycopg.connect(place.database) as session:
            session.execute("select id from devices for update")
            senders.make(2 * BATCH)
            given_up = "ReadTimeout"
            until(
                lambda: all(courier.answers[given_up] >= 3 for courier in senders.couriers),
                "every device has given up three times",
            )
            session.rollback()
        for courier in senders.couriers:
            courier.read_s = 20
        return settled(place, senders)


def many(place: Site, senders: int) -> list[str]:
    """More requests at once than the pool has connections, some of them for pages."""
    ends = threading.Event()
    seen: list[str] = []

    def read() -> None:
        while not ends.is_set():
            try:
                reply = requests.get(f"http://127.0.0.1:{place.port}/login", timeout=60)
            except requests.RequestException as error:
                seen.append(f"a page: {error!r}")
                return
            if reply.status_code >= 500 and reply.status_code != 503:
                seen.append(f"a page: {reply.status_code}")

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        wrong = under_load(place, 2, senders, lambda _turn: None)
    finally:
        ends.set()
        for reader in readers:
            reader.join()
    return wrong + seen[:3]
