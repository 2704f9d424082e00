"""Who is in front: the gesture on the visitors' screens, and the way back to them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from kiosk.ui.curtain import Curtain
from kiosk.ui.desk import Desk
from kiosk.ui.front import Front
from sync.contract.records import Answer, End
from sync.datadir import DataDir, write_json
from tests.kiosk.staffing import pin_hash
from tests.ui.stage import Stage

CORNERS = ((3, 3), (214, 3), (3, 132))


class House(Stage):
    """A stage whose screen staff can take; the glass is the same for both."""

    def __init__(self, root: Path, **fields: Any) -> None:
        super().__init__(**fields)
        self.data = DataDir(root / "data")
        self.data.create()
        curtain = Curtain(self.glass)
        self.flow.glass = curtain
        self.front = Front(
            self.flow,
            curtain,
            self.glass,
            desk=Desk(self.data, root / "stick", (1280, 800)),
            door=self.disk,  # type: ignore[arg-type]
            now=lambda: self.now,
            in_use=lambda: (self.bundle, "2026-11-22T10:00:00+02:00", ""),
        )

    def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, max(self.front.tick(), self.now + 0.01))
        self.front.tick()

    def touch(self, at: tuple[float, float], held_s: float = 0.1) -> None:
        self.front.finger("down", 1, *at)
        self.pass_by(held_s)
        self.front.finger("up", 1, *at)
        self.pass_by(0.3)

    def gesture(self) -> None:
        self.touch(self.middle("logo"), 5.2)
        for at in CORNERS:
            self.touch(at)


def test_it_opens_on_the_first_question_and_gives_the_screen_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.gesture()
    assert house.screen == "service"
    house.front.typed("482913\n")
    assert house.disk.records == []
    house.pass_by(61)
    assert house.screen == "rest"
    house.touch(house.middle("nps.8"))
    house.pass_by(1)
    assert [answer.value for answer in house.answers] == [8]


@pytest.mark.parametrize("why", ["closed", "out-of-use"])
def test_it_opens_where_nobody_can_answer(tmp_path: Path, why: str) -> None:
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "")
    house = House(tmp_path, location={"hours": hours if why == "closed" else {}})
    house.disk.accepting = why == "closed"
    house.flow.reset()
    house.pass_by(0.5)
    assert house.screen == why
    house.gesture()
    assert house.screen == "service"


def test_an_open_visit_is_ended_and_nothing_of_it_stays(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.touch(house.middle("nps.3"))
    house.pass_by(1)
    house.touch(house.middle("back"))
    house.pass_by(1)
    house.gesture()
    assert house.screen == "service"
    assert [end.how for end in house.ends] == ["interrupted"]
    house.pass_by(61)
    assert house.glass.states == {}


def test_an_answer_the_disk_refused_is_still_stored_behind_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.disk.full = True
    house.touch(house.middle("nps.3"))
    house.pass_by(10)
    assert house.screen == "out-of-use"
    house.gesture()
    assert house.screen == "service"
    house.disk.full = False
    house.pass_by(10)
    assert house.screen == "service"
    answer, end = house.disk.records
    assert isinstance(answer, Answer) and isinstance(end, End)
    assert (answer.value, end.how) == (3, "interrupted")


def test_fingers_that_do_not_mean_it_reach_the_visit(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.touch(house.middle("logo"), 5.2)
    # Whoever only rested a hand on the logo answers as always.
    house.touch(house.middle("nps.6"))
    house.pass_by(1)
    assert [answer.value for answer in house.answers] == [6]


def test_the_pin_is_checked_beside_the_window(tmp_path: Path) -> None:
    house = House(tmp_path, pin_hash=pin_hash("4829"))
    house.gesture()
    house.touch(house.middle("service.pin"))
    for digit in "4829":
        house.touch(house.middle(f"key.{digit}"))
    house.touch(house.middle("pin.ok"))
    deadline = time.monotonic() + 60
    while house.screen != "service-menu":
        time.sleep(0.01)
        house.front.tick()
        assert time.monotonic() < deadline
    house.pass_by(0.4)
    house.touch(house.middle("service.restart"))
    house.touch(house.middle("service.yes"))
    assert house.front.wants == "restart"


def test_an_unconfirmed_device_asks_at_its_start(tmp_path: Path) -> None:
    house = House(tmp_path)
    write_json(house.data.enrol_json, {"endpoint": "https://x.fi", "code": "K7QM-4T2P-9XWB"})
    house.front.begin()
    # Redeemed or not, what IT wrote by hand needs no word on the screen.
    assert not house.front.setting_up
    wish = {"endpoint": "https://x.fi", "code": "K7QM-4T2P-9XWB", "confirmed": False}
    write_json(house.data.enrol_json, wish)
    house.front.begin()
    assert house.screen == "setup-working"
    assert house.front.told()["setup"] == "enrol"
