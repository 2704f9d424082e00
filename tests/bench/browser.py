"""The terminal beside the same questions as a SurveyJS page in kiosk Chromium.

One Xvfb, one program on it at a time, by turns; the same finger at the same places, judged by the
same points of the framebuffer (browser_visitor). The page (page/) has the terminal's sizes, words
and order, no animation, and keeps each answer in IndexedDB with strict durability before the next
question shows; both are held to that on a disk made slow (browser_store). Each side starts on data
it has started on before. Xvfb has no GPU: both draw in software, Chromium without GL, which suits
it best here. Ratios are ours ÷ Chromium's: below 1 the terminal is the quicker or smaller one.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kiosk.fleet.resolve import load_path
from sync.contract.bundle import Bundle
from tests.bench import browser_stages
from tests.bench.browser_page import TUNED, command, served, site
from tests.bench.browser_store import waits_for_disk
from tests.bench.browser_visitor import Point, Visitor
from tests.bench.figures import Figure, quantiles
from tests.bench.process import busy_share, family, pss_mib
from tests.bench.screen import Screen, virtual_screen, wait_until
from tests.bench.terminal import without_numpy
from tests.faults.house import EXAMPLE, Child
from tests.faults.terminal import Terminal, prepared

READS_S = 0.5
"""Between two taps of a visitor."""
QUIET_MS = 10
GROUND = 0xF4F2ED
"""Where nothing stands, on both."""
START_S = 60.0
SETTLES_S = 2.0


@dataclass
class Side:
    """One of the two programs, and what was measured of it."""

    name: str
    words: Sequence[str]
    env: dict[str, str]
    visitor: Visitor
    log: Path
    child: Child | None = None
    start: list[float] = field(default_factory=list)
    pss: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    pressed: list[float] = field(default_factory=list)
    following: list[float] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """The first process of the family that runs now."""
        assert self.child is not None
        return self.child.pid

    def begin(self, ready: Callable[[], object]) -> float:
        """Start it; seconds until `ready`."""
        began = time.perf_counter()
        self.child = Child(self.words, self.log, self.env)
        ready()
        return time.perf_counter() - began

    def end(self, screen: Screen) -> None:
        """Stop it, and wait for an empty screen."""
        if self.child is None:
            return
        self.child.stop()
        self.child = None
        away = self.visitor.away
        wait_until(lambda: screen.framebuffer.pixel(*away) == 0, 10, what="an empty screen")


def measure(
    folder: Path,
    *,
    rounds: int = 3,
    taps: int = 20,
    visits: int = 6,
    idle_s: float = 20.0,
    presses: int = 60,
) -> list[Figure]:
    """Tap, next question, start, memory, idle load; ours ÷ theirs.

    Raises NotDurableError where a side does not wait for its disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        screen, sides = both(stack, folder)
        for turn in range(rounds):
            for side in sides[:: 1 if turn % 2 == 0 else -1]:
                _round(side, screen, taps, visits, idle_s)
        fsyncs = [_proof(side, screen, folder) for side in sides]
        stages = _stages(sides[0], screen, folder / "marks", presses)
    return [*_compared(*sides, fsyncs), *stages]


def both(
    stack: ExitStack, folder: Path, chosen: Sequence[int] = (0, 1)
) -> tuple[Screen, list[Side]]:
    """A screen, the terminal (0) and Chromium (1); each was started on it once, and stopped."""
    bundle = _bundle()
    size = bundle.screen.width_px, bundle.screen.height_px
    screen = stack.enter_context(virtual_screen(*size))
    terminal = Terminal(bundle, folder / "data", screen, folder / "terminal.log")
    stack.callback(terminal.close)
    address = stack.enter_context(served(site(bundle, folder / "site")))
    both_of_them = [
        _ours(terminal, folder),
        _theirs(terminal, command(address, folder / "profile", size, TUNED), folder),
    ]
    sides = [both_of_them[n] for n in chosen]
    for side in sides:
        stack.callback(side.end, screen)
        _meet(side, terminal)
    return screen, sides


def _bundle() -> Bundle:
    """The example device, hurried; the thanks stay until they are tapped away."""
    bundle = prepared(load_path(EXAMPLE / "devices" / "esim-0001.toml"), quiet_ms=QUIET_MS)
    timing = msgspec.structs.replace(bundle.timing, thanks_s=60.0, idle_s=60.0)
    return msgspec.structs.replace(bundle, timing=timing)


def _ours(terminal: Terminal, folder: Path) -> Side:
    env = {**terminal.env, "PYTHONPATH": str(without_numpy(folder / "hidden"))}
    log = folder / "terminal.log"
    return Side("terminal", terminal.command(), env, _visitor(terminal), log)


def _theirs(terminal: Terminal, words: Sequence[str], folder: Path) -> Side:
    home = folder / "home"
    home.mkdir()
    env = {**terminal.env, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    return Side("Chromium", words, env, _visitor(terminal), folder / "chromium.log")


def _visitor(terminal: Terminal) -> Visitor:
    """The terminal's places; the page has its own at the same."""
    language, survey, pages = (
        terminal.bundle.languages[0],
        terminal.bundle.survey,
        terminal.pages,
    )
    statements = survey.statements[: survey.count]
    places: list[Point] = [terminal.middle(pages.rest(language), "nps.7")]
    for n, statement in enumerate(statements, 1):
        page = pages.face(language, statement.id, n, len(statements) + 1)
        places.append(terminal.middle(page, "face.4"))
    places.append(terminal.middle(pages.thanks(language), "done"))
    picture = terminal.screen.framebuffer
    return Visitor(picture, terminal.finger, places, away=(picture.width // 2, 4))


def _meet(side: Side, terminal: Terminal) -> None:
    """The first start of its life: learn what it looks like. Not measured."""
    picture, away = terminal.screen.framebuffer, side.visitor.away

    def rests() -> bool:
        return terminal.resting() and picture.pixel(*away) == GROUND

    side.begin(lambda: wait_until(rests, START_S, what=f"the resting screen of {side.name}"))
    time.sleep(SETTLES_S)
    side.visitor.learn()
    side.end(terminal.screen)


def start(side: Side) -> float:
    """Start it again; seconds until its resting screen stands whole."""
    return side.begin(
        lambda: wait_until(side.visitor.resting, START_S, what=f"the resting screen of {side.name}")
    )


def _round(side: Side, screen: Screen, taps: int, visits: int, idle_s: float) -> None:
    side.start.append(start(side))
    time.sleep(SETTLES_S)
    side.pss.append(pss_mib(side.pid))
    side.idle.append(busy_share(side.pid, idle_s))
    side.pressed += [side.visitor.press() for _ in range(taps)]
    for _ in range(visits):
        # Not the last tap: Done stores nothing.
        side.following += side.visitor.visit(pause_s=READS_S)[:-1]
    side.end(screen)
    print(f"  {side.name}: started, rested, tapped", file=sys.stderr, flush=True)


def _proof(side: Side, screen: Screen, folder: Path) -> int:
    """That it waits for its disk; fsync calls of a visit."""
    start(side)
    time.sleep(SETTLES_S)
    log = folder / f"fsync-{side.name}"
    calls = waits_for_disk(side.visitor, family(side.pid), log, pause_s=READS_S)
    side.end(screen)
    return calls


def _stages(side: Side, screen: Screen, marks: Path, presses: int) -> list[Figure]:
    """The stages of a press, from a terminal with marks in it."""
    plain, (python, _, _, *words) = side.words, side.words
    side.words = [python, "-m", "tests.bench.browser_stages", str(marks), *words]
    start(side)
    time.sleep(SETTLES_S)
    found = []
    for _ in range(presses):
        known = len(browser_stages.read(marks))
        lasted = side.visitor.press()
        pressed = side.visitor.touched
        found.append((pressed, browser_stages.read(marks)[known], pressed + lasted))
    side.end(screen)
    side.words = plain
    return browser_stages.figures(found)


# --- figures --------------------------------------------------------------------------------------


def _compared(ours: Side, theirs: Side, fsyncs: Sequence[int]) -> list[Figure]:
    """Each measure: ours, theirs, and the ratio with its target."""
    durable = f"fsync in a visit: {fsyncs[0]} ours, {fsyncs[1]} Chromium's, each waited for"
    figures = []
    for what, attribute, unit, scale, target, note in (
        ("tap → pressed state", "pressed", "ms", 1000, 3, "a tuned probe stood at 5.4"),
        ("tap → next question, answer durable", "following", "ms", 1000, 1, durable),
        ("start → resting screen", "start", "s", 1, 1, "a probe stood at 0.94"),
        ("PSS of all processes", "pss", "MiB", 1, 1, "a probe stood at 0.28"),
        ("idle CPU", "idle", "% of a core", 1, 1, "a probe stood at 2.5"),
    ):
        pair: list[list[float]] = [getattr(side, attribute) for side in (ours, theirs)]
        for side, values in zip((ours, theirs), pair, strict=True):
            middle, late = quantiles(values)
            spread = f"p50; p95 {late * scale:.3g}, n = {len(values)}"
            figures.append(Figure(f"{side.name}: {what}", middle * scale, unit, spread))
        ratio = statistics.median(pair[0]) / statistics.median(pair[1])
        name = f"terminal ÷ Chromium: {what}"
        figures.append(Figure(name, ratio, "×", f"medians; {note}", target, "at most"))
    return figures
