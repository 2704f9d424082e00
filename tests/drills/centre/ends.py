"""A centre is told to end in the middle of its work."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence

import psycopg

from tests.drills.centre.couriers import fleet
from tests.drills.centre.kills import BATCH
from tests.drills.centre.process import until
from tests.drills.centre.servers import settled
from tests.drills.centre.site import Site

TERM, HUP, INT = signal.SIGTERM, signal.SIGHUP, signal.SIGINT


def told(place: Site, endings: Sequence[Sequence[signal.Signals]]) -> list[str]:
    """Signals while devices send: exit 0, nothing half done, all there after the next start."""
    wrong: list[str] = []
    with fleet(place, 3, size=BATCH) as senders:
        for numbers in endings:
            senders.make(6 * BATCH)
            senders.onwards(BATCH)
            place.watch()
            for number in numbers:
                # The second may find it gone.
                with contextlib.suppress(ProcessLookupError):
                    place.centre.send(number)
            code = place.centre.wait()
            senders.hold()
            names = " ".join(number.name for number in numbers)
            if code:
                wrong.append(f"after {names}: exit {code}")
            wrong += [f"after {names}: {t}" for t in senders.wrong(drained=False)]
            place.start_centre()
            senders.release()
        wrong += settled(place, senders)
    return wrong


@contextlib.contextmanager
def blocked(place: Site) -> Iterator[None]:
    """No batch can be stored."""
    if place.sqlite:
        file = place.database.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("begin immediate")
            yield
            other.execute("rollback")
    else:
        with psycopg.connect(place.database) as other_session:
            other_session.execute("select id from devices for update")
            yield
            other_session.rollback()


def in_flight(place: Site) -> list[str]:
    """SIGTERM, twice, with a batch under way that has to wait: no one else is let in, it is
    answered, and then the centre ends."""
    wrong = []
    with fleet(place, 1, size=BATCH) as senders:
        courier = senders.couriers[0]
        senders.make(BATCH)
        senders.drain()
        senders.hold()
        with blocked(place):
            courier.make(BATCH)
            statuses: list[int] = []
            sending = threading.Thread(target=lambda: statuses.append(courier.send()), daemon=True)
            sending.start()
            until(lambda: _at_work(place), "the batch is at work")
            place.centre.send(TERM)
            until(lambda: _closed(place.port), "nobody else is let in")
            place.centre.send(TERM)
            if place.centre.ended is not None or statuses:
                wrong.append("it did not wait for the batch at work")
        sending.join(60)
        if statuses != [200]:
            wrong.append(f"the batch under way was answered {statuses}")
        if code := place.centre.wait():
            wrong.append(f"exit {code}")
        place.start_centre()
        senders.release()
        return wrong + settled(place, senders)


def _at_work(place: Site) -> bool:
    import requests

    text = requests.get(f"{place.url}/metrics", timeout=20).text
    return "hymio_requests_waiting 1.0" in text


def _closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
