"""Terminal, sender and centre as processes that die, stop and are started anew as systemd would.

Somebody taps on the real window, and others answer all the time at a second device.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

from kiosk.layout.page import Page
from sync.datadir import DataDir, read_json
from tests.bench.screen import wait_until
from tests.faults.checkers import Tap, disordered, missing_or_doubled, unbalanced, unexplained
from tests.faults.field import FieldDevice, field_device
from tests.faults.house import Child, House, house
from tests.faults.terminal import ACCENT, SURFACE, Terminal, committed, prepared, terminal

LIMIT_S = 90.0
"""For what goes on by itself after a failure: a back-off and a busy machine are within it."""
HOLD_MS = 150
QUIET_MS = 300
"""As in the field: shorter, a busy machine reads what waited only after it."""
NAMES = ("terminal", "sender", "centre")


class Giver(threading.Thread):
    """Answers at a device of its own, all the time; its recorder lives in this thread."""

    def __init__(self, home: House, number: int) -> None:
        super().__init__(daemon=True)
        self._home, self._number = home, number
        self._stop_now = threading.Event()
        self._ready = threading.Event()
        self.device: FieldDevice | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Answer until told to stop."""
        chance = Random(self._number)
        try:
            with field_device(self._home, self._number) as device:
                self.device = device
                self._ready.set()
                while not self._stop_now.is_set():
                    device.commit(chance.randrange(1, 4))
                    self._stop_now.wait(chance.uniform(0.01, 0.08))
        except BaseException as error:  # noqa: BLE001 - told by `end`
            self.error = error
            self._ready.set()

    def begin(self) -> FieldDevice:
        """Start; the device once it is open."""
        self.start()
        assert self._ready.wait(60)
        assert self.device is not None, self.error
        return self.device

    def end(self) -> None:
        """No more answers."""
        self._stop_now.set()
        self.join(60)
        if self.error is not None:
            raise self.error


class Yard:
    """One centre, one real terminal with its sender, one device that never falls silent."""

    def __init__(self, home: House, subject: Terminal) -> None:
        self.home, self.subject = home, subject
        self.data = subject.data
        self.taps: list[Tap] = []
        self.giver = Giver(home, 1)
        self.device = self.giver.begin()
        self._senders: dict[Path, Child] = {}
        self._score = 0
        self.mind()

    # --- the service manager ----------------------------------------------------------------------

    @property
    def roots(self) -> tuple[Path, Path]:
        """The data directories: the terminal's, the other device's."""
        return self.data, self.device.root

    def mind(self) -> None:
        """Start what does not run."""
        if self.home.centre.ended is not None:
            self.home.start_centre()
        for root in self.roots:
            child = self._senders.get(root)
            if child is None or child.ended is not None:
                self._senders[root] = self.home.child(
                    f"sender-{root.name}", "sync", "--data", str(root)
                )
        if self.subject.child is None or self.subject.child.ended is not None:
            self.subject.start()

    def children(self, name: str) -> list[Child]:
        """The processes that go by a name; two senders, one of each device."""
        if name == "centre":
            return [self.home.centre]
        if name == "sender":
            return [self._senders[root] for root in self.roots]
        assert self.subject.child is not None
        return [self.subject.child]

    def kill(self, *names: str) -> None:
        """`kill -9`, all of them before anybody mourns."""
        doomed = [child for name in names for child in self.children(name)]
        for child in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        for child in doomed:
            child.wait(60)
        if "terminal" in names:
            self.subject.wait_for_nothing()

    @contextlib.contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT whatever happens."""
        pids = [child.pid for child in self.children(name)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            for pid in pids:
                wait_until(lambda pid=pid: state_of(pid) == "T", 30, poll_s=0.002)  # type: ignore[misc]
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    # --- visitors ---------------------------------------------------------------------------------

    def tap_first(self) -> int:
        """Tap a number on the resting screen; which."""
        subject = self.subject
        page = subject.pages.rest(subject.bundle.languages[0])
        subject.wait_for(subject.resting, "the resting screen")
        subject.quiet()
        self._score = (self._score + 1) % 11
        subject.tap(page, f"nps.{self._score}")
        return self._score

    def chosen(self, score: int) -> bool:
        """Whether a number stands as chosen."""
        page = self.subject.pages.rest(self.subject.bundle.languages[0])
        return self.subject.shows(page, f"nps.{score}", ACCENT)

    def visit(self) -> None:
        """A whole visit: the number, a face, Done."""
        self._score = (self._score + 1) % 11
        self.subject.visit(self._score, [1 + self._score % 5])
        statement = self.subject.bundle.survey.statements[0].id
        self.taps += [
            Tap("nps", self._score, acknowledged=True),
            Tap(statement, 1 + self._score % 5, acknowledged=True),
        ]

    def asks(self) -> bool:
        """Whether the question with the faces stands, with no face chosen."""
        page = self.face_page()
        return all(self.subject.shows(page, f"face.{n}", SURFACE) for n in range(1, 6))

    def face_page(self) -> Page:
        """The page with the faces."""
        bundle = self.subject.bundle
        statement = bundle.survey.statements[0].id
        return self.subject.pages.face(bundle.languages[0], statement, 1, 2)

    # --- what must hold ---------------------------------------------------------------------------

    def told(self, root: Path) -> dict[str, object]:
        """What a sender says of itself."""
        return read_json(DataDir(root).sender_json) or {}

    def _gone(self, root: Path) -> bool:
        lines = self.home.ledger(root)["epochs"]
        return not any(line["to_send"] for line in lines) and self.told(root).get("state") == "ok"

    def judged(self) -> list[str]:
        """No more answers are given: everything goes by itself; what is wrong then."""
        self.mind()
        if self.giver.is_alive():
            self.giver.end()
        assert self.subject.child is not None
        wrong = []
        if (code := self.subject.child.stop()) != 0:
            wrong.append(f"the terminal ended with {code}")
        for root in self.roots:
            try:
                wait_until(lambda root=root: self._gone(root), LIMIT_S, poll_s=0.5)  # type: ignore[misc]
            except TimeoutError:
                told = self.told(root)
                wrong.append(
                    f"{root.name} does not go on: {told.get('state')} {told.get('reason')}"
                )
            lines = self.home.ledger(root)["epochs"]
            wrong += unbalanced(lines)
            wrong += [f"{line['lost']} lost" for line in lines if line["lost"]]
        return wrong + self._at_the_centre()

    def _at_the_centre(self) -> list[str]:
        rows = self.home.rows
        found = [str(i) for (i,) in rows(
            "select id from records where device = ? order by epoch, seq", self.device.id
        )]  # fmt: skip
        wrong = missing_or_doubled(self.device.ids, found)
        if sorted(found) == sorted(self.device.ids) and found != self.device.ids:
            wrong.append("the order is not the one in which the answers were given")
        name = self.subject.bundle.device
        answers = rows("select question, value from answers where device = ? order by id", name)
        wrong += unexplained(self.taps, [(str(q), int(v)) for q, v in answers])
        ((stored, ids),) = rows(
            "select count(*), count(distinct id) from records where device = ?", name
        )
        order = [str(i) for (i,) in rows(
            "select id from records where device = ? order by epoch, seq", name
        )]  # fmt: skip
        wrong += disordered(order)
        if not stored == ids == committed(self.data):
            wrong.append(f"{committed(self.data)} on the disk, {stored} rows, {ids} ids")
        ((open_visits,),) = rows(
            "select count(*) from visits where device = ? and coalesce(how, '') = ''", name
        )
        if open_visits:
            wrong.append(f"{open_visits} visits without an end")
        self.home.centre.stop()
        self.home.hymio("collector", "verify", "--database", self.home.database)
        return wrong


def state_of(pid: int) -> str:
    """The letter of a process in /proc: T when it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextlib.contextmanager
def yard(folder: Path) -> Iterator[Yard]:
    """A yard where everything runs; all of it ended, whatever happens."""

    def ready(bundle: object) -> object:
        return prepared(bundle, hold_ms=HOLD_MS, quiet_ms=QUIET_MS, count=1)  # type: ignore[arg-type]

    with house(folder, devices=2, prepare=ready) as home:
        data = home.device("terminal")
        with terminal(home.bundles[0], data, folder / "terminal.log") as subject:
            found = Yard(home, subject)
            try:
                yield found
            finally:
                # Before the screen: where that is gone already, Xlib ends this process at once.
                home.close()
                with contextlib.suppress(BaseException):
                    found.giver.end()


def usage(pid: int) -> tuple[int, int, int]:
    """Open files, resident kB and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return (
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(fields["VmRSS"].split()[0]),
        int(fields["Threads"]),
    )


def grown(name: str, early: tuple[int, int, int], late: tuple[int, int, int]) -> list[str]:
    """What became more than generous bounds allow between two looks at a process."""
    bounds = (early[0] + 10, early[1] * 1.3 + 30_000, early[2] + 10)
    words = ("open files", "kB", "threads")
    return [
        f"the {name} had {was} {word}, and has {now}"
        for was, now, bound, word in zip(early, late, bounds, words, strict=True)
        if now > bound
    ]
