"""A device whose every kind of exchange a trick befalls, and what has to hold meanwhile.

The real Sender with the real Link over real sockets, at a real centre in a process of its own.
Time is the drill's: what the sender waits for is added up, and attempts are counted.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.clock import Clock
from sync.contract import bundle as bundles
from sync.datadir import DataDir, read_json, write_json
from sync.fetching import here_now
from sync.link import Link, Reply
from sync.sender import Sender
from tests.bench.screen import wait_until
from tests.drills.network.middle import Middle, Trick, length_of, read_exactly, read_head
from tests.faults.field import FieldDevice
from tests.faults.house import House

POINTS = ("enrolment", "first batch", "middle batch", "last batch", "heartbeat", "configuration")
HANG_S = 0.5
"""The deadline of an exchange that hangs."""
CALM_S = 30.0
"""The deadline of any other, and how long the drill waits for what has to come."""
STEPS = 400
"""Steps within which a goal is reached."""
LEAP_S = 30.0
"""Between two looks."""


class TrialLink(Link):
    """A Link that asks a trial before each exchange."""

    def __init__(self, trial: Trial, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, deadline_s=CALM_S)
        self._trial = trial

    def post(self, path: str, body: bytes, key: Ed25519PrivateKey) -> Reply:
        """POST, told of."""
        kind = "enrolment" if path == "/v1/enrol" else kind_of(body)
        return self._trial.exchange(self, kind, partial(super().post, path, body, key))

    def get(self, path: str, key: Ed25519PrivateKey, headers: dict[str, str]) -> Reply:
        """GET, told of."""
        return self._trial.exchange(self, "configuration", partial(super().get, path, key, headers))

    def bound(self, seconds: float) -> None:
        """Another deadline for what comes."""
        self._deadline_s = seconds


def kind_of(body: bytes) -> str:
    """Which of the points a batch is."""
    batch = msgspec.json.decode(body)
    if not batch["items"]:
        return "heartbeat"
    first, last = batch["items"][0]["seq"], batch["items"][-1]["seq"]
    return (
        "first batch" if first == 1 else "last batch" if last == batch["tail_seq"]
        else "middle batch"
    )  # fmt: skip


class Trial:
    """One device and one trick after the other; what is wrong is in `wrong`."""

    def __init__(
        self, home: House, number: int, middle: Middle, *, seed: int = 1, **wish: str
    ) -> None:
        self.home, self.middle = home, middle
        self.field = FieldDevice(home, number, at=middle.url)
        self.data = DataDir(self.field.root)
        # Another endpoint, a proxy, a ca_file.
        write_json(self.data.enrol_json, {**(read_json(self.data.enrol_json) or {}), **wish})
        self.now = 1000.0
        self.wrong: list[str] = []
        self.cases = 0
        self.good: dict[str, int] = {}
        """Exchanges that brought a whole reply and no trick, by kind."""
        self._waiting: set[str] = set()
        self._perhaps = False
        self._choose: Callable[[str], Trick | None] = lambda _: None
        self._played: list[tuple[str, Trick]] = []
        self._number = number
        self.sender = Sender(
            self.data,
            clock=Clock(),
            monotonic=lambda: self.now,
            chance=random.Random(seed),
            link=partial(TrialLink, self),
        )

    def close(self) -> None:
        """Close both halves."""
        self.sender.close()
        self.field.close()

    # --- exchanges --------------------------------------------------------------------------------

    def exchange(self, link: TrialLink, kind: str, ask: Callable[[], Reply]) -> Reply:
        """Let the sender have its exchange, with a trick when it is its turn."""
        trick = self._choose(kind)
        if trick is None:
            reply = ask()
            self.good[kind] = self.good.get(kind, 0) + 1
            return reply
        self.cases += 1
        self._played.append((kind, trick))
        link.bound(HANG_S if trick.hangs else CALM_S)
        self.middle.play(trick)
        try:
            return ask()
        finally:
            link.bound(CALM_S)
            # What hangs ends only with its connection, which the sender has to give up.
            if not self.middle.played.wait(CALM_S):
                self.blame(kind, trick, "still going on" if trick.hangs else "did not come to be")
            self.middle.stop()

    def each(self, trick: Trick, kinds: Sequence[str]) -> None:
        """Have a trick befall the next exchange of each of these kinds."""
        self._waiting = set(kinds)
        # A changed bit may ask for other batches, and then there is none in the middle.
        self._perhaps = trick.fails is None

        def choose(kind: str) -> Trick | None:
            if kind not in self._waiting:
                return None
            self._waiting.discard(kind)
            return trick

        self._choose = choose

    def some(self, choose: Callable[[str], Trick | None]) -> None:
        """Have this choose a trick, or none, for each exchange."""
        self._choose = choose

    def blame(self, kind: str, trick: Trick, what: str) -> None:
        """Note what does not hold."""
        self.wrong.append(f"{trick.name}, {kind}: {what}")

    # --- steps ------------------------------------------------------------------------------------

    def until(self, goal: Callable[[], bool], what: str) -> None:
        """Step, untouched by anybody, until a goal is reached."""
        for _ in range(STEPS):
            pause = self.step()
            self._played.clear()
            if goal():
                return
            # A look a second is not what this is about.
            self.now += max(pause, LEAP_S if pause else 0.0)
        self.wrong.append(f"{what}: not reached, {self.sender.state}: {self.sender.reason}")

    def step(self) -> float:
        """One step of the sender, judged; the seconds it wants to rest."""
        before = self.acknowledged()
        pause = self.sender.step()
        if self._played:
            now = self.acknowledged()
            if now > self._stored():
                self.wrong.append(f"{self._played}: more is acknowledged than the centre has")
            for kind, trick in self._played:
                self._judge(kind, trick, now != before, pause)
        return pause

    def acknowledged(self) -> int:
        """Records the ledger counts as being at the centre."""
        return self.field.check_ledger()["acknowledged"]

    def _stored(self) -> int:
        query = "select count(*) from records where device = ?"
        return int(self.home.rows(query, self.field.id)[0][0])

    def _judge(self, kind: str, trick: Trick, moved: bool, pause: float) -> None:
        told = read_json(self.data.sender_json) or {}
        if trick.fails and "batch" in kind and moved:
            self.blame(kind, trick, "acknowledged by what is no receipt")
        why = _why(kind, told)
        if trick.fails and not why and not (trick.halves and "batch" in kind):
            self.blame(kind, trick, "the sender does not say why it waits")
        if "Error" in why or "Pool" in why:
            self.blame(kind, trick, f"said in a library's words: {why}")
        if trick.fails is False and (why or ("batch" in kind and not moved)):
            self.blame(kind, trick, f"harmless, and the sender is stopped by it: {why}")
        if pause > trick.longest_s:
            self.blame(kind, trick, f"waits for {pause:.0f} s")

    # --- a life -----------------------------------------------------------------------------------

    def live(self, trick: Trick, points: Sequence[str] = POINTS) -> None:
        """Enrol, send, beat and fetch, with the trick at each of the points."""
        self.field.commit(30, together=30)
        self.each(trick, [point for point in POINTS[:2] if point in points])
        self.until(self.drained, "first batch")
        self.field.commit(200, together=50)
        self.each(trick, [point for point in POINTS[2:4] if point in points])
        self.until(self.drained, "drain")
        for point, goal in (("heartbeat", self._beat()), ("configuration", self._fetched())):
            if point in points:
                self.each(trick, [point])
                self.until(goal(), point)
        self.deliver_kept()
        self.check()

    def deliver_kept(self) -> None:
        """Bring the centre the requests that somebody kept, newer ones having come before."""
        for request in self.middle.kept:
            deliver(self.home.port, request)
        self.middle.kept.clear()

    def drained(self) -> bool:
        """Whether all is sent, and no trick is left to play."""
        return self.sender.drained() and (not self._waiting or self._perhaps)

    def _beat(self) -> Callable[[], Callable[[], bool]]:
        def begin() -> Callable[[], bool]:
            had = self.good.get("heartbeat", 0)
            return lambda: self.good.get("heartbeat", 0) > had and self.drained()

        return begin

    def _fetched(self) -> Callable[[], Callable[[], bool]]:
        def begin() -> Callable[[], bool]:
            memory = self.sender._memory
            version = here_now(self.data, memory) + 1
            bundle = msgspec.structs.replace(self.home.bundles[self._number], version=version)
            path = f"/v1/admin/devices/{bundle.device}/bundle"
            self.home.admin("PUT", path, bundles.pack(bundle, self.home.organisation_key))
            return lambda: here_now(self.data, memory) == version and self.drained()

        return begin

    def check(self) -> None:
        """What has to hold when all is sent."""
        try:
            self.field.check_centre()
        except AssertionError as error:
            self.wrong.append(f"the centre: {error}")
        sums = self.field.check_ledger()
        if sums["acknowledged"] != sums["created"] or sums["created"] != len(self.field.ids):
            self.wrong.append(f"the ledger: {sums}")
        # The thread of an exchange ends a moment after it has said what came of it.
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not _exchanges(), CALM_S, poll_s=0.01)
        if stuck := _exchanges():
            self.wrong.append(f"{stuck} exchanges that were given up still run")


def _exchanges() -> int:
    """How many exchanges run in this process."""
    return sum(each.name == "hymio-link" for each in threading.enumerate())


def _why(kind: str, told: dict[str, Any]) -> str:
    """What sender.json says about why something is not done."""
    if kind == "enrolment":
        return str(told["enrolment"]["reason"])
    if kind == "configuration":
        return str(told["config_refused"])
    return str(told["reason"])


def deliver(port: int, request: bytes) -> None:
    """Bring the centre a request that somebody kept."""
    with socket.create_connection(("127.0.0.1", port), CALM_S) as centre:
        centre.sendall(request)
        head = read_head(centre)
        read_exactly(centre, length_of(head))
