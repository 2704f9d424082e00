"""Devices made from the protocol alone that send until everything is acknowledged, and remember.

They rewind when the centre says a lower `have`, try again after whatever is no receipt, and can be
held, so that the database is looked at when nothing is under way.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import requests

from sync.contract import wire
from sync.contract.records import Answer, Record
from sync.contract.settled import settle
from sync.contract.signing import content_digest
from tests.bench.samples import records
from tests.drills.centre.process import LONG_S, until
from tests.drills.centre.site import Site
from tests.faults.checkers import differing, expected_counts, missing_or_doubled
from tests.faults.wire import Row, WireDevice, rows

PAUSE_S = 0.05
"""Between two attempts, whatever the centre asks for: a drill has no hour."""
RETRYABLE = {200, 408, 429, 503}
"""All a device of a healthy fleet may be answered while things break."""

# Couriers are threads that read receipts at the same moment.
settle()


class Courier:
    """One device."""

    def __init__(
        self, site: Site, number: int = 0, *, size: int = 40, read_s: float = 20.0
    ) -> None:
        self.site = site
        self.size = size
        self.read_s = read_s
        self.wire = WireDevice(site, number)
        self.device = self.wire.device
        self.rows: list[Row] = []
        self.made: list[Record] = []
        self.cursor = 0
        self.pruned = 0
        """Rows up to here are gone from this device."""
        self.acknowledged: set[str] = set()
        self.ends = {0}
        """Where batches ended: a whole number of batches is stored, or one is there in part."""
        self.answers: Counter[str] = Counter()
        self.refused: list[str] = []
        """Answers no device should get, with their text."""
        self.rewound = 0
        self.via = ""
        """Another address than the centre's own: a proxy's."""
        self._turn = number
        self._seed = number * 1000
        self._session = requests.Session()

    def make(self, count: int) -> None:
        """So many records more to send."""
        self._seed += 1
        made = records(count, seed=self._seed)
        self.rows += rows(made, len(self.rows) + 1)
        self.made += made

    @property
    def drained(self) -> bool:
        """Whether all is acknowledged."""
        return self.cursor >= len(self.rows)

    def next(self) -> list[Row]:
        """The rows of the next batch."""
        start = max(self.cursor, self.pruned)
        return self.rows[start : start + self.size]

    def batch(self, items: Sequence[Row]) -> wire.Batch:
        """The envelope, with the `have` it was written for."""
        first = max(self.cursor, self.pruned) + 1
        found = self.wire.batch(items, len(self.rows), first=first)
        return msgspec.structs.replace(found, status={"have": self.cursor})

    def send(self) -> int:
        """Post the next batch; the status, 0 when no whole reply came."""
        items = self.next()
        if items:
            self.ends.add(items[-1].seq)
        # The next centre of several: as a load balancer would have it.
        self._turn += 1
        self.wire.url = self.via or self.site.urls[self._turn % len(self.site.ports)]
        try:
            reply = self._post(self.batch(items))
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
            self._session.close()
            self._session = requests.Session()
            return 0
        self.answers[str(reply.status_code)] += 1
        if reply.status_code == 200:
            self._receipt(reply, items)
        elif reply.status_code not in RETRYABLE:
            self.refused.append(f"{self.device}: {reply.status_code} {reply.text[:300]}")
        elif "Retry-After" not in reply.headers:
            self.refused.append(f"{self.device}: {reply.status_code} without Retry-After")
        return reply.status_code

    def _post(self, batch: wire.Batch) -> requests.Response:
        post = self._session.post

        class Bounded:
            """A session with this courier's patience."""

            @staticmethod
            def post(url: str, **options: object) -> requests.Response:
                return post(url, **{**options, "timeout": (5, self.read_s)})  # type: ignore[arg-type]

        return self.wire.post(batch, Bounded)  # type: ignore[arg-type]

    def _receipt(self, reply: requests.Response, items: Sequence[Row]) -> None:
        receipt = msgspec.json.decode(reply.content, type=wire.Receipt)
        body: bytes = reply.request.body  # type: ignore[assignment]
        assert (receipt.digest, receipt.epoch) == (content_digest(body), self.wire.epoch)
        last = items[-1].seq if items else self.cursor
        moved = min(receipt.have, last)
        self.rewound += moved < self.cursor
        self.cursor = moved
        self.acknowledged |= {row.id for row in self.rows[:moved]}


class Fleet:
    """Couriers that send at the same time, each in a thread; a context manager."""

    def __init__(self, couriers: Sequence[Courier]) -> None:
        self.couriers = list(couriers)
        self._go = threading.Event()
        self._go.set()
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self._at_work = 0
        self.broken: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(courier,), daemon=True)
            for courier in self.couriers
        ]

    def _run(self, courier: Courier) -> None:
        while not self._ends.is_set():
            if not self._enter():
                time.sleep(0.01)
                continue
            try:
                status = 200 if courier.drained else courier.send()
            except Exception as error:  # noqa: BLE001 - a receipt that is none is a finding
                self.broken.append(f"{courier.device}: {error!r}")
                return
            finally:
                with self._lock:
                    self._at_work -= 1
            if status != 200 or courier.drained:
                self._ends.wait(PAUSE_S)

    def _enter(self) -> bool:
        with self._lock:
            if not self._go.is_set():
                return False
            self._at_work += 1
            return True

    def hold(self) -> None:
        """Send no further batch, and wait until none is under way."""
        with self._lock:
            self._go.clear()
        until(lambda: self._at_work == 0, "no batch is under way", 2 * LONG_S)

    def release(self) -> None:
        """Go on."""
        self._go.set()

    def make(self, count: int) -> None:
        """So many records more on every device."""
        for courier in self.couriers:
            courier.make(count)

    def sent(self) -> int:
        """Records acknowledged so far."""
        return sum(courier.cursor for courier in self.couriers)

    def onwards(self, count: int) -> None:
        """Wait until so many records more are acknowledged."""
        goal = min(self.sent() + count, sum(len(courier.rows) for courier in self.couriers))
        until(lambda: self.broken or self.sent() >= goal, "batches get through")

    def drain(self) -> None:
        """Wait until everything is acknowledged. Raises AssertionError."""
        until(
            lambda: self.broken or all(courier.drained for courier in self.couriers),
            "everything is acknowledged",
            2 * LONG_S,
        )

    def wrong(self, *, drained: bool = True) -> list[str]:
        """What does not hold, with nothing under way."""
        found = list(self.broken)
        for courier in self.couriers:
            found += judge(courier, drained=drained) + courier.refused
        return found + self.couriers[0].site.differences()

    def __enter__(self) -> Fleet:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(LONG_S)


def judge(courier: Courier, *, drained: bool) -> list[str]:
    """One device: what was acknowledged is there, once, in whole batches, counted right."""
    site, device = courier.site, courier.device
    stored = site.rows("select id, seq, fork from records where device = ? order by seq", device)
    ids = [str(row[0]) for row in stored]
    must = [row.id for row in courier.rows] if drained else courier.acknowledged
    wrong = missing_or_doubled(must, ids)[:5]
    seqs = [int(row[1]) for row in stored]
    if seqs != list(range(1, len(seqs) + 1)):
        wrong.append(f"{device}: positions {seqs[:3]} ... {seqs[-3:]} are not one after the other")
    places = {row.id: row.seq for row in courier.rows}
    if any(places.get(str(ident), seq) != seq for ident, seq, _ in stored):
        wrong.append(f"{device}: records are not at the positions the device gave them")
    if seqs and seqs[-1] not in courier.ends and seqs[-1] != len(courier.rows):
        wrong.append(f"{device}: a batch is there in part, up to {seqs[-1]}")
    there = [record for row, record in zip(courier.rows, courier.made, strict=True)
             if row.seq <= len(seqs)]  # fmt: skip
    counted = {
        (str(question), int(value)): int(n)
        for question, value, n in site.rows(
            "select question, value, sum(n) from daily_counts where device = ?"
            " group by question, value",
            device,
        )
    }
    wrong += [f"{device}: {text}" for text in differing(expected_counts(there), counted)[:3]]
    (visits,) = site.rows("select count(*) from visits where device = ?", device)[0]
    if visits != len({record.visit for record in there if isinstance(record, Answer)}):
        wrong.append(f"{device}: {visits} visits")
    return wrong


@contextlib.contextmanager
def fleet(site: Site, devices: int = 1, **options: object) -> Iterator[Fleet]:
    """Couriers at work."""
    couriers = [Courier(site, number, **options) for number in range(devices)]  # type: ignore[arg-type]
    with Fleet(couriers) as found:
        yield found
