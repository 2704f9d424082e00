"""`hymio fleet audit` as IT uses it, and its page in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, sync_playwright

from kiosk.fleet.cli import fleet
from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import few
from tests.web.chromium import ARGS, CONTRAST, DESK, PATIENCE_MS, PHONE

HYMIO = (sys.executable, "-m", "kiosk.cli", "fleet", "audit")
SHORT = ("--language", "fi", "--mode", "normal")


def audit(county: County, *words: str) -> Result:
    """The command in this process; those about processes start it as one."""
    done = CliRunner().invoke(fleet, ["audit", *words, "--root", str(county.root)])
    assert not isinstance(done.exception, Exception), done.exception
    return done


def broken(county: County) -> County:
    """A service whose name the fonts cannot write, and a countdown nobody measured."""
    few(county)
    county.edit("services.toml", 'fi = "Kotihoito"', 'fi = "翻訳"')
    return county


def test_a_device_that_passes_ends_with_0(county: County) -> None:
    done = audit(few(county), "esim-0002", *SHORT)
    assert done.exit_code == 0, done.stdout
    assert re.search(r"^esim-0002 +\d+ +\d+ +0 +1$", done.stdout, re.MULTILINE)
    assert "height: screen.top_mm_above_floor" in done.stdout


def test_what_fails_is_told_with_figure_and_remedy_and_ends_with_1(county: County) -> None:
    done = audit(broken(county), "esim-0003", *SHORT)
    assert done.exit_code == 1
    assert "glyph: choice.home-care" in done.stdout
    assert "no letter for “翻” (U+7FFB" in done.stdout
    assert "→ write it with other characters" in done.stdout


def test_programs_read_it_from_the_standard_output_or_a_file(
    county: County, tmp_path: Path
) -> None:
    done = audit(broken(county), "esim-0003", *SHORT, "--json", "-")
    told = json.loads(done.stdout)
    assert told["failures"] == len(told["devices"][0]["failures"]) > 0
    first = next(each for each in told["devices"][0]["failures"] if each["check"] == "glyph")
    assert (first["language"], first["mode"], first["screen"][:14]) == (
        "fi",
        "normal",
        "choice-service",
    )
    assert len(first["box_mm"]) == 4
    file = tmp_path / "audit.json"
    done = audit(county, "esim-0003", *SHORT, "--json", str(file))
    assert json.loads(file.read_text(encoding="utf-8")) == told
    assert done.stdout.startswith("device")


def test_pictures_are_of_one_language_unless_all_are_asked_for(
    county: County, tmp_path: Path
) -> None:
    few(county)
    words = ("esim-0002", "--language", "fi", "--language", "sv", "--mode", "normal", "--html")
    for pictures, languages in (("some", {"fi"}), ("all", {"fi", "sv"})):
        folder = tmp_path / pictures
        assert audit(county, *words, str(folder), "--pictures", pictures).exit_code == 0
        drawn = {path.stem.split("_")[2] for path in folder.glob("*.jpg")}
        assert drawn == languages
        told = "--pictures all" in (folder / "index.html").read_text(encoding="utf-8")
        assert told == (pictures == "some")


def test_the_screens_for_staff_are_looked_at_where_asked(county: County, tmp_path: Path) -> None:
    few(county)
    done = audit(county, "esim-0002", *SHORT, "--staff", "--html", str(tmp_path))
    assert done.exit_code == 0, done.stdout
    assert list(tmp_path.glob("*_service-menu_fi_normal.jpg"))


def test_all_devices_are_looked_at_by_several_processes(county: County) -> None:
    few(county)
    done = audit(county, "--all", "--language", "sv", "--mode", "low", "--json", "-")
    assert done.exit_code == 0, done.stdout
    told = json.loads(done.stdout)
    screens = {one["devices"][0]: one["screens"] for one in told["devices"]}
    # Low is offered where a panel is high, and nothing else is looked at then.
    assert {device for device, n in screens.items() if n} == {"esim-0003", "esim-0004"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name one DEVICE, or give --all"),
        (("esim-0001", "--all"), "name one DEVICE, or give --all"),
        (("esim-0099",), "there is no device esim-0099"),
        (("esim-0001", "--mode", "loud"), "no mode loud"),
        (("esim-0002", "--mode", "low"), "nothing was checked"),
        (("esim-0001", "--html", "/dev/null/page"), "--html"),
        (("esim-0001", "--json", "/dev/null/audit.json"), "/dev/null cannot be written"),
        ((*SHORT, "esim-0002", "--json", "/dev/full"), "/dev/full: No space left on device"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what(
    county: County, words: tuple[str, ...], said: str
) -> None:
    done = audit(county, *words)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_whoever_closes_the_pipe_hears_nothing_more(county: County) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*HYMIO, "esim-0002", *SHORT, "--json", "-", "--root", str(few(county).root)],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    os.close(write)
    assert [line for line in done.stderr.splitlines() if not line.startswith("audit: ")] == []


def test_a_text_far_too_long_is_told_once_with_its_screens(county: County, tmp_path: Path) -> None:
    long = f'ask_comment = false\n[texts.fi]\n"nps.question" = "{"Kuinka hyvin? " * 40}"'
    few(county).edit("surveys/lobby.toml", "ask_comment = false", long)
    done = audit(county, "esim-0002", *SHORT)
    assert done.exit_code == 1
    # The question stands, an answer is chosen, an answer is pressed: three screens.
    assert done.stdout.count("fit: page (rest fi normal and 2 more screens)") == 1
    shown = county.run("preview", "esim-0002", "--language", "fi", "--out", str(tmp_path))
    assert re.search(r"^rest_fi\.png: .*; \d+ more$", shown.output, re.MULTILINE)
    assert "Box(" not in shown.output


def test_files_with_errors_are_said_first(county: County) -> None:
    county.edit("organisation.toml", 'accent = "#0B5563"', 'accent = "#F0C040"')
    done = audit(county, "esim-0001", *SHORT)
    assert (done.exit_code, "organisation.toml" in done.stderr) == (1, True)


def alive(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


@contextlib.contextmanager
def auditing(county: County, *words: str) -> Iterator[subprocess.Popen[str]]:
    """An audit of all devices as a program, some of its parts done."""
    with subprocess.Popen(
        [*HYMIO, "--all", *words, "--root", str(few(county).root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr
        assert running.stderr.readline().startswith("audit: ")
        yield running


def end_within(group: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(group) == []


def test_its_processes_end_with_it_however_it_ends(county: County) -> None:
    began = time.monotonic()
    with auditing(county) as running:
        part_s = time.monotonic() - began
        assert len(alive(running.pid)) > 1
        # A closed window, a logout: no time to tell its processes.
        running.kill()
    # Less than the part of an audit a process is at would take it.
    end_within(running.pid, 2 + part_s / 3)


def test_stopped_with_a_key_it_leaves_nothing_behind(county: County) -> None:
    with auditing(county, "--mode", "normal") as running:
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.endswith("hymio: stopped\n")
    assert "Traceback" not in said
    end_within(running.pid, 30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=ARGS, timeout=PATIENCE_MS
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    county = broken(County.copied(folder / "device-config"))
    assert audit(county, "esim-0003", *SHORT, "--html", str(folder / "page")).exit_code == 1
    return folder / "page"


@pytest.mark.browser
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_shows_what_failed_and_every_screen(
    browser: Browser, report: Path, viewport: Any
) -> None:
    page = browser.new_page(viewport=viewport)
    page.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.add(request.url.partition(":")[0]))
    page.goto(f"file://{report / 'index.html'}")
    assert page.title().startswith("Audit of screens: ")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    failed = page.locator("#failures article", has_text="glyph: choice.home-care").first
    failed.locator("img").scroll_into_view_if_needed()
    assert "choice.home-care" in (failed.locator("img").get_attribute("alt") or "")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    pictures = page.locator("#screens img")
    first = pictures.first
    assert "failure" in (first.get_attribute("alt") or ""), "what fails stands first"
    for image in page.locator("img").all():
        assert image.get_attribute("alt")
        image.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.images].every(each => each.complete && each.naturalWidth > 0)"
    )
    told = int(page.locator("#devices td.number").first.inner_text())
    assert pictures.count() == told
    assert page.evaluate(CONTRAST) == []
    assert (said, asked) == ([], {"file"})
    page.close()


@pytest.mark.browser
def test_the_page_is_reached_with_keys_and_needs_no_script(browser: Browser, report: Path) -> None:
    assert "<script" not in (report / "index.html").read_text(encoding="utf-8")
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto(f"file://{report / 'index.html'}")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "DIV", "SUMMARY"} <= reached
    headings = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].map(each => Number(each.tagName[1]))"
    )
    steps = pairwise(headings)
    assert all(after - before <= 1 for before, after in steps), "no level is left out"
    context.close()
