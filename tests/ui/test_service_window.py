"""The service screen in a real window: the gesture, the cleaning lock, the PIN."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.pin import FREE, Guesses
from kiosk.views import Cleaning
from sync import clock
from sync.contract.bundle import Bundle, pack
from sync.contract.records import End
from sync.datadir import DataDir, write_json
from tests.bench.screen import virtual_screen
from tests.faults.house import example
from tests.faults.terminal import LIMIT_S
from tests.kiosk.staffing import pin_hash
from tests.ui.looking import records
from tests.ui.staffed import SIZE, Field, quick

pytestmark = pytest.mark.display
Go = Callable[..., Field]
PIN = "4829"
KEY = Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def config() -> Bundle:
    return quick(example(1), pin_hash=pin_hash(PIN, n=2**14))


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Go]:
    """A terminal that has a configuration, showing the first question."""
    with ExitStack() as stack:

        def go(config: Bundle, **env: str) -> Field:
            screen = stack.enter_context(virtual_screen(*SIZE))
            found = Field(None, screen, tmp_path)
            stack.callback(found.close)
            data = DataDir(found.data)
            data.create()
            data.bundle_file(1).write_bytes(pack(config, KEY))
            found.start(**env)
            found.configured(config)
            found.arrives(found.rest())
            return found

        yield go


@pytest.fixture
def address() -> Iterator[Path]:
    """Of a socket: it has room for 108 bytes, whatever the folder of tests is called."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder) / "notify"


def _listen(path: Path, said: list[str]) -> None:
    """What a service manager hears, until the program says that it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)
        while not said or said[-1] != "STOPPING=1":
            said.append(manager.recv(100).decode())


def test_it_ends_an_open_visit_and_restarts_by_pin(
    field: Go, config: Bundle, address: Path
) -> None:
    said: list[str] = []
    listening = threading.Thread(target=_listen, args=(address, said))
    listening.start()
    subject = field(config, NOTIFY_SOCKET=str(address), WATCHDOG_USEC="400000")
    subject.tap(subject.rest(), "nps.4")
    subject.wait(lambda: len(records(subject.data)) == 1, "an answer")
    face = subject.face()
    subject.arrives(face)
    subject.tap(face, "back")
    # Its words: the pressed "back" is another picture, too, and the chosen number yet another.
    subject.wait(lambda: subject.says(subject.rest(), "question"), "the first question again")
    subject.quiet()
    subject.service()
    service = subject.opened(config)
    (_, end) = records(subject.data)
    assert isinstance(end, End) and end.how == "interrupted"
    subject.use(service, "service.pin")
    for pin in ("0000", PIN):
        subject.wait(lambda: subject.says(subject.page(service.view()), "title"), "the PIN")
        subject.use(service, *(f"key.{digit}" for digit in pin), "pin.ok")
        wrong = 0 if pin == PIN else 1
        subject.wait(
            lambda wrong=wrong: (
                subject.read("service.json").get("wrong") == wrong
                and subject.read("terminal.json")["service"]["wrong"] == wrong
            ),
            "the PIN checked",
        )
        service.verified(right=pin == PIN)
        if wrong:
            # Counted before it is checked; keys count again once it is said to be wrong.
            subject.arrives(subject.page(service.view()))
    assert service.screen == "menu"
    subject.use(service, "service.restart", "service.yes")
    assert subject.kiosk is not None
    assert subject.kiosk.wait(LIMIT_S) == 0
    assert len(records(subject.data)) == 2
    listening.join(LIMIT_S)
    assert (said[0], said[-1]) == ("READY=1", "STOPPING=1")
    # From the loop, at least twice as often as asked for: ten seconds were some fifty words.
    assert said.count("WATCHDOG=1") > 20


def test_a_lock_outlives_a_restart_and_wiping_the_glass_leaves_no_answer(
    field: Go, config: Bundle, tmp_path: Path
) -> None:
    guesses = Guesses()
    for _ in range(FREE):
        guesses.count(clock.stamp())
    # A quarter of an hour: the first minute may be over before a busy machine has typed the PIN.
    guesses.wrong = wrong = FREE + 4
    data = DataDir(tmp_path / "data")
    data.create()
    write_json(data.root / "service.json", guesses.kept())
    subject = field(config)
    subject.service()
    service = subject.opened(config)
    assert subject.read("terminal.json")["service"]["locked_until"]
    subject.use(service, "service.pin", *(f"key.{digit}" for digit in PIN), "pin.ok")
    assert service.screen == "pin"
    subject.use(service, "service.back", "service.clean")
    subject.wait(lambda: subject.says(subject.page(Cleaning(1.0)), "title"), "the lock")
    for x in range(60, SIZE[0], 170):
        for y in (40, 400, 760):
            subject.touch(x, y, 0.01)
    assert subject.says(subject.page(Cleaning(1.0)), "title")
    assert records(subject.data) == []
    # Long after the PIN was typed: it was not even tried.
    assert subject.read("service.json")["wrong"] == wrong

    # IT takes it out of use meanwhile: no more visits, and the sender may erase everything.
    gone = msgspec.structs.replace(config, version=2, wipe=True)
    (subject.data / "config" / "2.bundle").write_bytes(pack(gone, KEY))
    subject.wait(lambda: subject.read("terminal.json")["state"] == "wiped", "out of use")
    for path in (subject.data / "config").glob("*.bundle"):
        path.unlink()
    assert subject.kiosk is not None
    assert subject.kiosk.wait(LIMIT_S) == 0
    assert not (subject.data / "service.json").exists()
