"""From an empty folder to "received by the centre": the eight steps, as IT types them.

`pytest tests/test_provisioning.py -s` prints how long each took.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sync.contract import bundle as bundles
from sync.contract import code as codes
from sync.contract.records import Answer, End
from tests.bench.screen import virtual_screen, wait_until
from tests.faults.house import START_TIMEOUT_S, Child, free_port
from tests.ui.looking import records
from tests.ui.staffed import SIZE, Field

pytestmark = pytest.mark.display


class Desk:
    """An administrator's shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.took: list[tuple[str, float]] = []
        self._env = {**os.environ, "HYMIO_KEYS": str(folder / "keys"), "LC_ALL": "C.UTF-8"}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.took.append((name, time.perf_counter() - began))

    def run(self, *words: str) -> str:
        """Run `hymio …`, which must end with 0; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "kiosk.cli", *words],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def fleet(self, *words: str) -> str:
        return self.run("fleet", *words)

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--format", "json"))


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An empty centre on SQLite: its address and its database."""
    url, database = f"http://127.0.0.1:{(port := free_port())}", str(tmp_path / "centre.db")
    words = ("collector", "serve", "--database", database, "--port", str(port))
    child = Child([sys.executable, "-m", "kiosk.cli", *words], tmp_path / "centre.log")
    try:
        wait_until(lambda: _alive(url), START_TIMEOUT_S, poll_s=0.1, what=f"a centre at {url}")
        yield url, database
    finally:
        child.stop()


def _alive(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def test_eight_steps_from_an_empty_folder_to_received(
    centre: tuple[str, str], tmp_path: Path
) -> None:
    url, database = centre
    desk = Desk(tmp_path)
    with desk.step("0 once: folder, keys, operator"):
        names = ("--name", "fi=Esimerkin hyvinvointialue", "--name", "sv=Exempel välfärdsområde")
        desk.fleet("init", "--id", "esim", *names, "--endpoint", url)
        desk.fleet("keygen")
        key = (tmp_path / "keys" / "operator.pub").read_text().strip()
        desk.run(
            *("collector", "add-operator", "--database", database, "--name", "maija", "--key", key)
        )
    with desk.step("1 add-location"):
        place = ("--name", "Salon terveysasema", "--municipality", "Salo", "--languages", "fi,sv")
        assert "0001" in desk.fleet("add-location", *place)
    with desk.step("2 add-device"):
        assert "esim-0001" in desk.fleet(
            "add-device", "--location", "0001", "--name", "Aula, pääovi"
        )
    with desk.step("3 validate"):
        assert "1 device, 1 location, 0 errors" in desk.fleet("validate")
    with desk.step("4 preview"):
        assert " 0 that do not fit" in desk.fleet("preview", "esim-0001", "--out", "preview")
    with desk.step("5 publish, enrol"):
        desk.fleet("publish")
        told = desk.json("fleet", "enrol", "esim-0001", "--valid", "72h", "--labels", "label.pdf")
        code = codes.plain((told[0] if isinstance(told, list) else told)["code"])
        assert (tmp_path / "label.pdf").read_bytes().startswith(b"%PDF-")
    with ExitStack() as stack:
        screen = stack.enter_context(virtual_screen(*SIZE))
        on_site = tmp_path / "device"
        on_site.mkdir()
        field = Field(None, screen, on_site)  # type: ignore[arg-type] - a centre of our own
        stack.callback(field.close)
        with desk.step("6 power on, type address and code"):
            field.start()
            field.send()
            field.press("setup.type")
            field.keys(url)
            field.press("setup.next")
            field.keys(code)
            field.press("setup.next")
            field.wait((field.data / "config" / "1.bundle").is_file, "the configuration")
            field.configured(_published(field.data))
            field.until("confirm")
            assert field.read("terminal.json")["setup"] == "confirm"
        with desk.step("7 right place, self-check, test answer"):
            # The second question, and back: it was the right place after all.
            field.press("confirm.no", "sure.no", "confirm.yes")
            field.until("check")
            field.press("check.touch")
            field.press(*(f"corner.{name}" for name in ("tl", "tr", "bl", "br", "c")))
            field.press("check.continue")
            if field.shadow.setup.screen == "warn":
                # A machine for tests may have no clock that is synchronised.
                field.press("warn.yes")
            field.press("test.start", "nps.7")
            field.shadow.setup.answered("", 0)
            field.wait(
                lambda: (field.shadow.see(), field.shadow.setup.received)[1], "received by …"
            )
            field.press("test.done")
        field.wait(lambda: field.shows(field.rest()), "the first question")
        told = field.read("terminal.json")
        assert (told["setup"], told["config"], told["display"]) == ("", 1, "1280x800")
        with desk.step("8 status"):
            status = desk.fleet("status")
            # What the check on site found about this machine's clock and network may follow.
            cells = re.split(r" {2,}", status.splitlines()[1])
            place = "0001 Salon terveysasema, Aula, pääovi"
            assert cells[:4] == ["esim-0001", place, "enrolled", "1"], status
            assert cells[5].endswith(" ago") and cells[6] == "0", status
        field.tap(field.rest(), "nps.9")
        field.wait(lambda: _answered(desk, database) == 1, "the visitor's answer in the report")
        kept = records(field.data)
    test, end, visitor = kept[:3]
    assert isinstance(test, Answer) and isinstance(end, End) and isinstance(visitor, Answer)
    assert (test.value, end.visit) == (7, test.visit)
    assert (test.test, end.test, visitor.test) == (True, True, False)
    # The test answer was 7: had it been counted, it would be seen.
    report = desk.json("report", "--database", database, "--by", "device")
    assert report["rows"][0]["mean"] == 9
    print(f"\n{'step':<42} seconds")
    for name, seconds in desk.took:
        print(f"{name:<42} {seconds:7.1f}")


def _published(data: Path) -> bundles.Bundle:
    raw = (data / "config" / "1.bundle").read_bytes()
    return bundles.unpack(raw, trusted=(json.loads(raw)["key"],))


def _answered(desk: Desk, database: str) -> int:
    rows = desk.json("report", "--database", database, "--by", "device")["rows"]
    return int(rows[0]["n"]) if rows else 0
