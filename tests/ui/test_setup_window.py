"""Setting a terminal up in a real window, real sender and centre: when things go wrong.

The way where all goes well, by touch alone, is tests/test_provisioning.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from sync.contract import code as codes
from tests.bench.screen import virtual_screen
from tests.faults.house import House, house
from tests.ui.looking import records
from tests.ui.staffed import SIZE, Field, quick

pytestmark = pytest.mark.display
Go = Callable[[], Field]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("centre"), devices=2, prepare=quick) as found:
        yield found


@pytest.fixture
def field(home: House, tmp_path: Path) -> Iterator[Go]:
    """A terminal nobody has set up, in its window; the sender is started by the test."""
    with ExitStack() as stack:

        def go() -> Field:
            screen = stack.enter_context(virtual_screen(*SIZE))
            found = Field(home, screen, tmp_path)
            stack.callback(found.close)
            found.start()
            return found

        yield go


def ticket(subject: Field, number: int, code: str = "") -> codes.Ticket:
    return codes.Ticket(
        endpoint=subject.house.url,
        code=code or subject.code(number),
        device=subject.house.bundles[number].device,
        name=subject.house.bundles[number].name,
    )


def answered(subject: Field, code: str) -> bool:
    """Whether the sender has said what is wrong with this code."""
    seen = subject.shadow.look()
    subject.shadow.setup.see(seen)
    given = codes.plain(str(seen.wish.get("code", "")))
    return given == codes.plain(code) and bool(subject.shadow.setup.awaited.trouble(seen))


def test_scanned_cut_short_in_the_wrong_place_then_wrong_codes_and_a_stick(
    field: Go, home: House
) -> None:
    subject = field()
    subject.stands()
    subject.scan("6414893400012")
    subject.stands()
    subject.scan(codes.to_qr(ticket(subject, 1)))
    subject.stands()
    subject.send()
    subject.configured(home.bundles[1])
    subject.until("confirm")
    assert subject.kiosk is not None
    subject.kiosk.kill()
    subject.start()
    # Nobody has said so yet: the question returns.
    subject.until("confirm")
    assert records(subject.data) == []
    subject.press("confirm.no", "sure.yes")
    subject.configured(None)
    subject.wait(lambda: subject.shadow.see() == "start", "the code given back")
    enrolment = subject.read("sender.json")["enrolment"]
    assert (enrolment["state"], enrolment["code"]) == ("not-enrolled", "released")
    assert not list((subject.data / "config").glob("*.bundle"))

    # Six wrong codes, each with its sentence; then a stick with the right one.
    subject.stands()
    for n in range(6):
        wrong = f"2222-2222-222{n + 2}-2222"
        subject.scan(codes.to_qr(ticket(subject, 1, wrong)))
        subject.wait(lambda wrong=wrong: answered(subject, wrong), f"a sentence about {wrong}")
        subject.stands()
    subject.press("setup.change")
    subject.stands()
    # A stick that is plugged in here shows its list; from there back, and the list asked for.
    (subject.stick / "hymio" / "esim-0002").mkdir(parents=True)
    good = subject.stick / "hymio" / "esim-0002" / "ticket.json"
    (subject.stick / "hymio" / "esim-0009").mkdir()
    (subject.stick / "hymio" / "esim-0009" / "ticket.json").write_bytes(b"{ torn")
    good.write_bytes(msgspec.json.encode(ticket(subject, 1)))
    subject.until("stick")
    subject.press("setup.back", "setup.stick", "stick.0")
    subject.configured(home.bundles[1])
    # The centre may ask for patience after so many wrong ones.
    subject.wait(
        lambda: (
            subject.shadow.see() == "confirm"
            or subject.read("sender.json")["enrolment"]["code"] == "slow_down"
        ),
        "the right code, or to be asked for patience",
    )
