"""What set-up and service screen see of a device, and the panel that goes dark."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk import wording
from kiosk.selfcheck import checks
from kiosk.service_views import status_rows
from kiosk.setup_views import Texts, check_row
from kiosk.ui.aside import Aside
from kiosk.ui.dark import AFTER_S, Dark
from kiosk.ui.desk import Desk, networks, sender_running
from sync.datadir import DataDir, write_json
from tests.kiosk.staffing import bundle, facts


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    found = DataDir(tmp_path / "data")
    found.create()
    return found


def test_a_sender_is_there_as_long_as_it_holds_its_lock(data: DataDir) -> None:
    assert not sender_running(data)
    fd = os.open(data.sync_lock, os.O_RDWR | os.O_CREAT)
    assert not sender_running(data)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert sender_running(data)
    os.close(fd)
    assert not sender_running(data)
    # Where the kernel does not tell, nobody is accused.
    assert sender_running(data, Path("/nowhere"))


def test_the_sender_speaks_of_this_very_file_or_of_one_before(
    data: DataDir, tmp_path: Path
) -> None:
    desk = Desk(data, tmp_path / "stick", (1280, 800))
    desk.enrol({"endpoint": "https://x.example.fi", "code": "K7QM-4T2P-9XWB"})
    seen = data.enrol_json.stat().st_mtime_ns
    write_json(data.sender_json, {"enrolment": {"state": "refused", "seen": seen}})
    assert desk.see(None, "", "", full=True).heard
    before = desk.turn
    os.utime(data.enrol_json, ns=(seen + 5, seen + 5))
    look = desk.see(None, "", "", full=False)
    assert not look.heard and look.turn == before
    desk.note({"stage": "check"})
    assert desk.turn > before
    assert desk.see(None, "", "", full=False).note["stage"] == "check"


def test_a_disk_that_takes_nothing_is_seen(data: DataDir, tmp_path: Path) -> None:
    desk = Desk(data, tmp_path, (1280, 800))
    (data.root / "setup.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        desk.note({})
    assert not desk.facts(None, "", "", full=False).writable


def test_interfaces_that_are_up(tmp_path: Path) -> None:
    for name, state in (("lo", "unknown"), ("eth0", "up"), ("wlan0", "down")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text(state + "\n")
    assert networks(tmp_path) == ("eth0",)
    assert networks(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("changed", "bad"),
    [
        ({"synced": False}, {"clock"}),
        ({"clock_wrong": True}, {"clock"}),
        ({"networks": (), "running": False}, {"network", "endpoint"}),
        ({"free": 1 << 20}, {"disk"}),
        ({"writable": False}, {"disk"}),
        ({"window": (800, 1280)}, {"rotation"}),
        ({"refused": "13: damaged"}, {"config"}),
        ({"bundle": None}, {"config"}),
        (
            {
                "sender": {
                    "state": "unreachable",
                    "device": "esim-0074",
                    "endpoint": "https://x.example.fi",
                    "enrolment": {"state": "ok", "code": "certificate"},
                }
            },
            {"tls", "endpoint"},
        ),
    ],
)
def test_each_thing_that_can_fail_fails_alone(changed: dict[str, object], bad: set[str]) -> None:
    found = checks(facts(**changed), frozenset({"tl", "tr", "bl", "br", "c"}))
    assert {check.name for check in found if check.result != "ok"} == bad


@pytest.mark.parametrize(
    ("now", "off", "wrong"),
    [
        (datetime(1970, 1, 1, 2, tzinfo=UTC), None, True),
        (datetime(2099, 1, 1, tzinfo=UTC), None, False),
        (datetime(2099, 1, 1, tzinfo=UTC), 3, False),
        (datetime(2099, 1, 1, tzinfo=UTC), -86400, True),
    ],
)
def test_a_clock_is_wrong_before_the_build_or_far_from_the_centres(
    data: DataDir, monkeypatch: pytest.MonkeyPatch, now: datetime, off: int | None, wrong: bool
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: int(now.timestamp() * 1e9))
    write_json(data.sender_json, {"clock_off_s": off})
    found = Desk(data, data.root, (1280, 800)).facts(None, "", "", full=False)
    assert found.clock_wrong is wrong


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_clock_nobody_set_is_not_called_wrong(language: str) -> None:
    t = Texts(wording.staff, language)
    said = {
        word: check_row(checks(facts(**changed), frozenset())[1], t).value
        for word, changed in (
            ("unset", {"synced": False}),
            ("wrong", {"synced": False, "clock_wrong": True}),
            ("ok", {}),
        )
    }
    words = wording.staff(language)
    assert said == {
        "unset": words["check.clock.unset"],
        "wrong": words["check.clock.bad"],
        "ok": words["check.clock.ok"],
    }


def test_an_older_configuration_on_a_stick_is_named_on_the_service_screen(
    data: DataDir, tmp_path: Path
) -> None:
    folder = tmp_path / "stick" / "hymio" / "esim-0074"
    folder.mkdir(parents=True)
    desk, t = Desk(data, tmp_path / "stick", (1280, 800)), Texts(wording.staff, "en")
    told = []
    for version in (11, 12):
        (folder / f"{version}.bundle").touch()
        found = desk.facts(bundle(), "", "", full=False)
        told.append([row.value for row in status_rows(found, "en", t, pin=True)])
    assert [any("11, older" in value for value in rows) for rows in told] == [True, False]


# --- the dark panel -------------------------------------------------------------------------------


class Display:
    def __init__(self, says: str | None) -> None:
        self.now, self.says = 0.0, says
        self.did: list[str] = []
        self.dark = Dark(lambda: self.now, self.run)

    def run(self, command: Sequence[str]) -> str | None:
        if len(command) > 1:
            self.did.append(" ".join(command))
        return self.says if command[0] == "wlr-randr" else ""


def test_closed_for_a_minute_it_goes_dark_and_wakes_at_a_touch_or_when_it_opens() -> None:
    display = Display('DSI-1 "panel"\n  Enabled: yes\n')
    assert display.dark.tick(closed=True) == AFTER_S
    display.now = AFTER_S
    display.dark.tick(closed=True)
    display.dark.tick(closed=True)
    assert display.did == ["wlr-randr --output DSI-1 --off"]
    assert display.dark.wake()
    assert not display.dark.wake()
    display.now += AFTER_S / 2
    display.dark.tick(closed=True)
    assert len(display.did) == 2
    display.now += AFTER_S
    display.dark.tick(closed=True)
    display.dark.tick(closed=False)
    assert display.did[2:] == ["wlr-randr --output DSI-1 --off", "wlr-randr --output DSI-1 --on"]


def test_without_a_compositor_that_can_the_x_server_is_asked() -> None:
    display = Display(None)
    display.dark.tick(closed=True)
    display.now = AFTER_S + 1
    display.dark.tick(closed=True)
    assert display.did == ["xset dpms force off"]


# --- work aside -----------------------------------------------------------------------------------


def test_work_aside_is_taken_once_and_a_failure_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    aside: Aside[int] = Aside("sum")
    assert aside.take() is None
    assert aside.start(lambda: 5)
    assert not aside.start(lambda: 6)
    found = None
    while found is None:
        time.sleep(0.005)
        found = aside.take()
    assert found == 5 and not aside.busy
    aside.start(lambda: 1 // 0)
    while aside.busy:
        time.sleep(0.005)
        assert aside.take() is None
    assert "sum failed" in caplog.text
