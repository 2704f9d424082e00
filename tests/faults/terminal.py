"""A real terminal in a real window, and a finger that taps its targets by name."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from kiosk.layout.page import Page, Target
from kiosk.ui import field
from kiosk.ui.pages import Modes, Pages
from kiosk.ui.paint import State
from sync.contract import bundle as bundles
from tests.bench.screen import Pointer, Screen, virtual_screen, wait_until
from tests.faults.house import Child

ACCENT = 0x0B5563
SURFACE = 0xFFFFFF
FINGER_S = 0.03
LIMIT_S = 60.0
"""For whatever comes on its own: long, since a busy machine must not look like a broken program."""
POLL_S = 0.005
"""Between two looks; a poll without a pause takes the processor from the terminal it waits for."""
LATE_S = 0.15
"""A busy terminal notices so much later that its picture is on the screen: it counts from then."""
AGAIN_S = 15.0
"""Where the screen stands as before so long after a tap, people tap again."""
NOBODY: Modes = frozenset()
KEYS = {" ": "space", "\n": "enter"}
"""Keys of the glass whose name is not the character they write."""


def prepared(
    bundle: bundles.Bundle, *, hold_ms: int = 0, quiet_ms: int = 40, **survey: Any
) -> bundles.Bundle:
    """A bundle for machines: short pauses, the first statements always, other survey fields."""
    fixed = {
        **{"selection": "fixed", "count": 3, "ask_comment": False},
        **{"ask_service": False, "ask_respondent": False},
        **survey,
    }
    return msgspec.structs.replace(
        bundle,
        survey=msgspec.structs.replace(bundle.survey, **fixed),
        timing=msgspec.structs.replace(bundle.timing, hold_ms=hold_ms),
        touch=msgspec.structs.replace(bundle.touch, quiet_ms=quiet_ms),
        location=msgspec.structs.replace(bundle.location, hours={}),
    )


class Terminal:
    """`hymio kiosk` on a virtual screen."""

    def __init__(self, bundle: bundles.Bundle, data: Path, screen: Screen, log: Path) -> None:
        self.bundle = bundle
        self.data = data
        self.screen = screen
        self.looks = Pages(bundle, (bundle.screen.width_px, bundle.screen.height_px))
        """Composes and paints, as the terminal does."""
        self.pages = self.looks.composer(NOBODY)
        self.finger = Pointer(screen.name)
        self._log = log
        self._config = log.with_suffix(".bundle")
        self._config.write_bytes(bundles.as_json(bundle))
        # What a killed one leaves in /tmp goes with the test's folder.
        self.env = {"DISPLAY": screen.name, "TMPDIR": str(log.parent)}
        self.options: tuple[str, ...] = ()
        """More words for the command."""
        self.child: Child | None = None
        self.again = 1
        """So often may a tap be made again that came to nothing: too soon, on a busy machine."""

    def command(self) -> list[str]:
        """How the terminal is started."""
        words = ("kiosk", "--config", str(self._config), "--data", str(self.data), *self.options)
        return [sys.executable, "-m", "kiosk.cli", *words]

    def start(self, *, wait: bool = True) -> Child:
        """Start it; with `wait`, until the resting screen stands and its loop turns."""
        before = self._told_at()
        self.child = Child(self.command(), self._log, self.env)
        if wait:
            self.arrives(self.pages.rest(self.bundle.languages[0]))
            # It tells how it is in its loop's first turn; taps before are lost.
            self.wait_for(lambda: self._told_at() != before, "its status")
            self.quiet()
        return self.child

    def _told_at(self) -> int:
        try:
            return (self.data / "terminal.json").stat().st_mtime_ns
        except OSError:
            return 0

    def wait_for(self, condition: Any, what: str, timeout_s: float = LIMIT_S) -> float:
        """Wait for something on the screen; says what the terminal wrote when it never comes."""

        def there() -> bool:
            if self.child is not None and self.child.ended is not None:
                raise AssertionError(f"the terminal ended: {self.child.said()[-3000:]}")
            return bool(condition())

        try:
            return wait_until(there, timeout_s, poll_s=POLL_S, what=what)
        except TimeoutError as error:
            said = self.child.said()[-3000:] if self.child else ""
            raise AssertionError(f"{error}\n{said}") from None

    def close(self) -> None:
        """End the process and the finger."""
        if self.child is not None and self.child.ended is None:
            self.child.kill()
        self.finger.close()

    # --- looking ----------------------------------------------------------------------------------

    def painted(
        self, page: Page, *, text: str = "", modes: Modes = NOBODY, **states: State
    ) -> bytes:
        """What stands on the screen with a page, `text` in its field: RGB, row by row."""
        painter = self.looks.painter(modes, page.screen)
        image = painter.page(page, states)
        if page.screen == "text":
            patch = field.text_patch(page, text, self.looks, modes)
            assert patch is not None
            region, draw = patch
            size = (region[2] - region[0], region[3] - region[1])
            part = Image.new("RGB", size, painter.theme.ground)
            draw(part, painter.moved(region))
            image.paste(part, region[:2])
        return image.tobytes()

    def picture(self) -> Image.Image:
        """What stands on the screen now."""
        buffer = self.screen.framebuffer
        size = (buffer.width, buffer.height)
        return Image.frombuffer("RGB", size, buffer.rows(), "raw", "BGRX", 0, 1)

    def sees(self, page: Page, *, text: str = "", modes: Modes = NOBODY, **states: State) -> None:
        """Wait until every pixel is as `painted` says."""
        wanted = self.painted(page, text=text, modes=modes, **states)
        last = b""

        def there() -> bool:
            nonlocal last
            before, last = last, self.screen.framebuffer.rows()
            return last != before and self.picture().tobytes() == wanted

        marked = f", {states}" if states else ""
        self.wait_for(there, f"the screen {page.screen}{marked}{text and f', {text!r} in it'}")

    def arrives(self, page: Page, **states: State) -> None:
        """Wait until a page stands, and takes taps."""
        self.sees(page, **states)
        self.quiet()

    def quiet(self) -> None:
        """What stands on the screen now takes taps after this."""
        time.sleep(self.bundle.touch.quiet_ms / 1000 + LATE_S)

    def resting(self, language: str = "") -> bool:
        """Whether the resting screen stands, in the given or the resting language."""
        page = self.looks.page(NOBODY, "rest", language or self.bundle.languages[0])
        return all(self.shows(page, f"nps.{n}", SURFACE) for n in range(11))

    def shows(self, page: Page, name: str, colour: int) -> bool:
        """Whether a target's body has a colour."""
        return self.colour(page, name) == colour

    def colour(self, page: Page, name: str) -> int:
        """0xRRGGBB of a target's body: inside its border, beside what it holds."""
        return self.screen.framebuffer.pixel(*self.body(page, name))

    @staticmethod
    def target(page: Page, name: str) -> Target:
        """A target by its name."""
        return next(target for target in page.targets if target.name == name)

    def body(self, page: Page, name: str) -> tuple[int, int]:
        """A pixel of a target that shows its fill: 1.7 mm inside its lower left corner."""
        target, scale = self.target(page, name), page.panel.px_per_mm
        inset = target.radius * 0.3 + 0.9
        return (
            round((target.box.x + inset) * scale),
            round((target.box.bottom - inset) * scale),
        )

    def wait_for_nothing(self) -> None:
        """Wait until the dead terminal's window is gone: the next one draws on an empty screen."""
        page = self.pages.rest(self.bundle.languages[0])
        colours = [SURFACE, ACCENT]
        wait_until(
            lambda: self.colour(page, "nps.0") not in colours,
            LIMIT_S,
            poll_s=POLL_S,
            what="an empty screen",
        )

    # --- touching ---------------------------------------------------------------------------------

    def middle(self, page: Page, name: str) -> tuple[int, int]:
        """The middle of a target in pixels."""
        box, scale = self.target(page, name).box, page.panel.px_per_mm
        return round((box.x + box.w / 2) * scale), round((box.y + box.h / 2) * scale)

    def press(self, page: Page, name: str) -> None:
        """Put the finger down on a target."""
        self.finger.move(*self.middle(page, name))
        self.finger.press()

    def tap(self, page: Page, name: str) -> None:
        """Press and release in the middle of a target."""
        self.press(page, name)
        time.sleep(FINGER_S)
        self.finger.release()

    def settle(self, *other_than: bytes) -> None:
        """Wait until one picture, and none of those given, has stood longer than a chosen state
        stands and a screen stays quiet.
        """
        span = (self.bundle.timing.hold_ms + self.bundle.touch.quiet_ms) / 1000 + 0.1
        deadline = time.monotonic() + LIMIT_S
        picture, since = b"", time.monotonic()
        while time.monotonic() - since < span or picture in other_than:
            now = self.screen.framebuffer.rows()
            if now != picture:
                picture, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise AssertionError("the screen does not come to rest, or never changed")
            time.sleep(0.02)

    def turn(self, page: Page, name: str) -> None:
        """Tap, and wait until what comes of it stands on the screen."""
        before = self.screen.framebuffer.rows()
        self.press(page, name)
        time.sleep(FINGER_S)
        pressed = self.screen.framebuffer.rows()
        self.finger.release()
        self.settle(before, pressed)

    def tap_and_commit(self, page: Page, name: str, records: int = 1) -> None:
        """Tap an answer of the page that comes, and wait until its record is on disk."""
        before = committed(self.data)
        self.arrives(page)
        stood = self.screen.framebuffer.rows()

        def stored() -> bool:
            return committed(self.data) >= before + records

        self.tap(page, name)
        if self.again:
            with contextlib.suppress(TimeoutError):
                wait_until(stored, AGAIN_S, poll_s=POLL_S)
            if committed(self.data) == before and self.screen.framebuffer.rows() == stood:
                self.again -= 1
                self.tap(page, name)
        self.wait_for(stored, f"{name} on disk")

    def write(self, page: Page, text: str) -> None:
        """Type on the keys of the glass, each once what was typed before stands in the field."""
        self.arrives(page)
        for end, letter in enumerate(text, 1):
            if text[end - 2 : end - 1] == letter:
                # The same key again within this time is a bounce.
                time.sleep(self.bundle.touch.key_repeat_ms / 1000)
            self.tap(page, f"key.{KEYS.get(letter, letter)}")
            self.sees(page, text=text[:end])

    def speak(self, language: str) -> None:
        """Choose a language on the resting screen."""
        rest = self.pages.rest(self.bundle.languages[0])
        self.arrives(rest)
        self.tap(rest, f"language.{language}")
        self.arrives(self.pages.rest(language))

    def visit(self, score: int, faces: list[int], language: str = "") -> None:
        """A whole visit without text: the number, the faces, Done."""
        language = language or self.bundle.languages[0]
        if language != self.bundle.languages[0]:
            self.speak(language)
        self.tap_and_commit(self.pages.rest(language), f"nps.{score}")
        statements = self.bundle.survey.statements[: self.bundle.survey.count]
        for done, (statement, face) in enumerate(zip(statements, faces, strict=True), 1):
            page = self.pages.face(language, statement.id, done, len(faces) + 1)
            self.tap_and_commit(page, f"face.{face}")
        thanks = self.thanks(language)
        self.arrives(thanks)
        self.tap(thanks, "done")
        self.arrives(self.pages.rest(self.bundle.languages[0]))

    def thanks(self, language: str) -> Page:
        """The thanks of today."""
        return self.pages.thanks(language, time.strftime("%Y-%m-%d"))


def committed(data: Path) -> int:
    """Records ever committed in the outbox files: what another process can see is on disk.

    In WAL mode with synchronous=FULL a commit becomes visible only after its fsync.
    """
    total = 0
    for file in (data / "outbox").glob("*.db"):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db,
        ):
            total += db.execute("select coalesce(max(seq), 0) from records").fetchone()[0]
    return total


@contextlib.contextmanager
def terminal(bundle: bundles.Bundle, data: Path, log: Path) -> Iterator[Terminal]:
    """A terminal on a screen of its own, not started yet; ended with its screen."""
    with virtual_screen(bundle.screen.width_px, bundle.screen.height_px) as screen:
        found = Terminal(bundle, data, screen, log)
        try:
            yield found
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                found.close()
