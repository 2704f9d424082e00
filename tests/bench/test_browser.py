"""The bench beside Chromium can fail: programs that pretend are told from one that stores.

The programs here draw into a file instead of a window, and need neither a browser nor npm.
"""

from __future__ import annotations

import json
import mmap
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import browser_store, browser_visitor
from tests.bench.browser_page import PAGE
from tests.bench.browser_stages import STAGES, spans_of
from tests.bench.browser_store import NotDurableError, waits_for_disk
from tests.bench.browser_visitor import Look, Visitor, look
from tests.bench.screen import wait_until

SIDE = 32
PROGRAM = """
import mmap, os, sys
picture, store, way = sys.argv[1:]
with open(picture, "r+b") as file:
    screen = mmap.mmap(file.fileno(), 0)
file = os.open(store, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
shown = 0
def draw(colour):
    screen[:] = colour.to_bytes(4, "little") * (len(screen) // 4)
def keep():
    os.write(file, b"an answer")
    if way != "relaxed":
        os.fsync(file)
draw(1)
while what := os.read(0, 1):
    if what == b"d":
        draw(100 + shown)
        continue
    shown = (shown + 1) % 5
    answers = shown > 0
    if answers and way != "early":
        keep()
    draw(1 + shown)
    if answers and way == "early":
        keep()
"""


class Screen:
    """A picture in a file."""

    width = height = SIDE

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(SIDE * SIDE * 4))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def pixel(self, x: int, y: int) -> int:
        at = (y * SIDE + x) * 4
        return int.from_bytes(self._map[at : at + 4], "little")

    def rows(self) -> bytes:
        return self._map[:]

    def clear(self) -> None:
        self._map[:] = bytes(SIDE * SIDE * 4)


class Finger:
    """Its touches go to whichever program runs."""

    program: subprocess.Popen[bytes]

    def _tell(self, what: bytes) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write(what)
        self.program.stdin.flush()

    def move(self, x: int, y: int) -> None:
        return

    def press(self) -> None:
        self._tell(b"d")

    def release(self) -> None:
        self._tell(b"u")


class Stage:
    """One screen, one finger, one visitor; programs come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finger = Finger()
        self.screen = Screen(folder / "picture")
        self.visitor = Visitor(self.screen, self.finger, [(4, 4)] * 5, away=(0, 0), still_s=0.05)

    def start(self, way: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-S", "-c", PROGRAM, self.folder / "picture"]
        self.finger.program = subprocess.Popen(
            [*words, self.folder / "store", way], stdin=subprocess.PIPE
        )
        wait_until(lambda: self.screen.pixel(0, 0) != 0, 20, what="its first picture")
        return self.finger.program

    def stop(self) -> None:
        program = self.finger.program
        assert program.stdin is not None
        program.stdin.close()
        program.wait(20)
        self.screen.clear()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("stage"))
    found.start("strict")
    try:
        found.visitor.learn()
    finally:
        found.stop()
    yield found


@pytest.fixture
def slower(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    monkeypatch.setattr(browser_store, "DELAY_S", 0.25)
    # A tap made again, because nothing came of it for a while, is another answer.
    monkeypatch.setattr(browser_visitor, "AGAIN_S", 60.0)


@pytest.mark.usefixtures("slower")
def test_a_program_that_waits_for_its_disk_passes(stage: Stage, tmp_path: Path) -> None:
    program = stage.start("strict")
    try:
        assert waits_for_disk(stage.visitor, [program.pid], tmp_path / "log", pause_s=0.0) == 4
    finally:
        stage.stop()


@pytest.mark.usefixtures("slower")
@pytest.mark.parametrize("way", ["relaxed", "early"])
def test_a_program_that_pretends_is_told_apart(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Relaxed durability, or the next question before the answer is stored."""
    # So slow a disk that a busy machine does not pass for it.
    monkeypatch.setattr(browser_store, "DELAY_S", 2.0)
    program = stage.start(way)
    try:
        with pytest.raises(NotDurableError, match="shows after"):
            waits_for_disk(stage.visitor, [program.pid], tmp_path / "log", pause_s=0.0)
    finally:
        stage.stop()


def test_a_page_half_drawn_does_not_stand(tmp_path: Path) -> None:
    screen = Screen(tmp_path / "picture")
    grid = [(x, y) for y in range(4, SIDE, 8) for x in range(4, SIDE, 8)]
    known = look([dict.fromkeys(grid, 0)], dict.fromkeys(grid, 7))
    half = SIDE * SIDE // 2
    screen._map[:] = (7).to_bytes(4, "little") * half + bytes(4 * half)
    assert not known.stands(screen)
    screen._map[:] = (7).to_bytes(4, "little") * 2 * half
    assert known.stands(screen)


def test_pictures_that_are_the_same_tell_nothing() -> None:
    with pytest.raises(ValueError, match="does not change"):
        look([{(0, 0): 1}], {(0, 0): 1})
    assert look([{(0, 0): 1, (4, 0): 1}], {(0, 0): 1, (4, 0): 2}) == Look((((4, 0), 2),) * 2)


def test_the_stages_of_a_press_add_up_to_it() -> None:
    names = [name for name, _ in STAGES[:-1]]
    marks = {name: 10.0 + n for n, name in enumerate(names, 1)}
    spans = spans_of(10.0, marks, 19.0)
    assert sum(spans.values()) == pytest.approx(9.0)
    # Seen before the swap returned: nothing comes after it.
    assert spans_of(10.0, marks, 15.5)["seen"] == 0
    with pytest.raises(KeyError):
        spans_of(10.0, {}, 19.0)


def test_the_page_names_its_packages_exactly_and_no_address() -> None:
    lock = json.loads((PAGE / "package-lock.json").read_text())
    wanted = json.loads((PAGE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        package = lock["packages"][f"node_modules/{name}"]
        assert package["version"] == version
        assert package["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(lock)
