"""Setting a terminal up in a real window, with a real sender and a real centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from sync.contract import code as codes
from sync.contract.records import Answer, End
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


def test_from_the_first_key_to_the_first_visit_by_touch(field: Go, home: House) -> None:
    subject = field()
    subject.press("setup.type")
    subject.keys(home.url)
    subject.press("setup.next")
    subject.keys(codes.plain(subject.code(0)))
    subject.send()
    subject.press("setup.next")
    subject.configured(home.bundles[0])
    subject.until("confirm")
    assert subject.read("terminal.json")["setup"] == "confirm"
    # The second question, and back: it was the right place after all.
    subject.press("confirm.no", "sure.no", "confirm.yes")
    subject.until("check")
    subject.press("check.touch")
    subject.press(*(f"corner.{name}" for name in ("tl", "tr", "bl", "br", "c")))
    subject.press("check.continue")
    if subject.shadow.setup.screen == "warn":
        # A machine for tests may have no clock that is synchronised, nor a network.
        subject.press("warn.yes")
    subject.press("test.start", "nps.7")
    subject.shadow.setup.answered("", 0)
    subject.wait(
        lambda: (subject.shadow.see(), subject.shadow.setup.received)[1], "the centre's receipt"
    )
    subject.press("test.done")
    subject.wait(lambda: subject.shows(subject.rest()), "the first question")
    answer, end = records(subject.data)
    assert isinstance(answer, Answer) and isinstance(end, End)
    assert (answer.value, answer.test, end.test, end.visit) == (7, True, True, answer.visit)
    told = subject.read("terminal.json")
    assert (told["setup"], told["config"], told["display"]) == ("", 1, "1280x800")
    # Visits are visits again.
    subject.tap(subject.rest(), "nps.9")
    subject.wait(lambda: len(records(subject.data)) == 3, "a visitor's answer")
    visitors = records(subject.data)[2]
    assert isinstance(visitors, Answer) and not visitors.test


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
        subject.scan(codes.to_qr(ticket(subject, 1, f"2222-2222-222{n + 2}-2222")))
        subject.wait(
            lambda: (
                subject.shadow.see(),
                subject.shadow.setup.awaited.trouble(subject.shadow.look()),
            )[1],
            "a sentence",
        )
        subject.stands()
    (subject.stick / "hymio" / "esim-0002").mkdir(parents=True)
    good = subject.stick / "hymio" / "esim-0002" / "ticket.json"
    (subject.stick / "hymio" / "esim-0009").mkdir()
    (subject.stick / "hymio" / "esim-0009" / "ticket.json").write_bytes(b"{ torn")
    good.write_bytes(msgspec.json.encode(ticket(subject, 1)))
    subject.press("setup.change", "setup.stick", "stick.0")
    subject.configured(home.bundles[1])
    # The centre may ask for patience after so many wrong ones.
    subject.wait(
        lambda: (
            subject.shadow.see() == "confirm"
            or subject.read("sender.json")["enrolment"]["code"] == "slow_down"
        ),
        "the right code, or to be asked for patience",
    )
