"""A terminal in the field: its window, its sender, the centre, and the person setting it up."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from kiosk import wording
from kiosk.layout.page import Page
from kiosk.pin import Guesses
from kiosk.seen import Seen
from kiosk.service import Service
from kiosk.setup import Setup
from kiosk.ui.desk import Desk
from kiosk.ui.fallback import fallback_bundle
from kiosk.ui.pages import Pages
from kiosk.views import Cleaning, Corners, Keys, Sheet, View
from sync import clock
from sync.contract import code as codes
from sync.contract.bundle import Bundle, Touch, key_text
from sync.datadir import DataDir
from tests.bench.screen import Pointer, Screen, wait_until
from tests.faults.house import Child, House
from tests.faults.terminal import LATE_S, LIMIT_S
from tests.ui.looking import xdotool

SIZE = (1280, 800)
QUIET = Touch(quiet_ms=0, key_repeat_ms=0)


def quick(bundle: Bundle, **fields: Any) -> Bundle:
    """The example's bundle for fingers of machines."""
    survey = msgspec.structs.replace(bundle.survey, selection="fixed", ask_comment=False)
    timing = msgspec.structs.replace(bundle.timing, hold_ms=0)
    location = msgspec.structs.replace(bundle.location, hours={})
    return msgspec.structs.replace(
        bundle, survey=survey, timing=timing, touch=QUIET, location=location, **fields
    )


class Shadow:
    """The same set-up without a window: which page must stand there, by the same files."""

    def __init__(self, data: Path, stick: Path) -> None:
        self._desk = Desk(DataDir(data), stick, SIZE)
        self.bundle: Bundle | None = None
        self.setup = Setup(self, time.monotonic, wording.staff, self.look())

    def enrol(self, wish: Mapping[str, Any]) -> None:
        """The real one writes it."""

    def note(self, note: Mapping[str, Any]) -> None:
        """The real one writes it."""

    def look(self) -> Seen:
        return self._desk.see(self.bundle, "", "", full=False)

    def see(self) -> str:
        """Look at the files; the screen that must stand there now."""
        self.setup.see(self.look())
        return self.setup.screen


class Field:
    """`hymio kiosk --data DIR --stick DIR` and, when asked for, `hymio sync` beside it."""

    def __init__(self, house: House | None, screen: Screen, folder: Path) -> None:
        self.house = house
        self.screen, self.folder = screen, folder
        self.data, self.stick = folder / "data", folder / "stick"
        self.finger = Pointer(screen.name)
        self.kiosk: Child | None = None
        self.sender: Child | None = None
        self._pages = Pages(fallback_bundle(SIZE), SIZE)
        self._composed: dict[tuple[str, View], Page] = {}
        self._painted: tuple[Page, Image.Image] | None = None
        self._last = b""
        """What the window showed when it was last compared with what is painted."""
        self.language = "fi"
        self.shadow = Shadow(self.data, self.stick)

    # --- processes --------------------------------------------------------------------------------

    def start(self, **env: str) -> Child:
        before = self._told_at()
        words = ("kiosk", "--data", str(self.data), "--stick", str(self.stick), "--no-blank")
        self.kiosk = Child(
            [sys.executable, "-m", "kiosk.cli", *words],
            self.folder / "kiosk.log",
            {"DISPLAY": self.screen.name, "TMPDIR": str(self.folder), **env},
        )
        # Its loop turns once it has told how it is: taps before are lost with the window's birth.
        self.wait(lambda: self._told_at() != before, "the terminal")
        return self.kiosk

    def _told_at(self) -> int:
        try:
            return (self.data / "terminal.json").stat().st_mtime_ns
        except OSError:
            return 0

    def send(self) -> Child:
        words = ("sync", "--data", str(self.data))
        self.sender = Child([sys.executable, "-m", "kiosk.cli", *words], self.folder / "sync.log")
        return self.sender

    def close(self) -> None:
        for child in (self.kiosk, self.sender):
            if child is not None and child.ended is None:
                child.kill()
        self.finger.close()

    def read(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.data / name).read_text())
        except FileNotFoundError:
            return {}
        return found

    def configured(self, bundle: Bundle | None) -> None:
        """From here on the window is drawn with this bundle, or as one nobody has set up."""
        self._pages = Pages(bundle or fallback_bundle(SIZE), SIZE)
        self._composed.clear()
        self.shadow.bundle = bundle

    def code(self, number: int = 0) -> str:
        """A fresh code of a device, its last group checking the organisation's key."""
        assert self.house is not None
        code = codes.make(key_text(self.house.organisation_key.public_key()))
        self.house.admin(
            "POST",
            f"/v1/admin/devices/{self.house.bundles[number].device}/codes",
            {"code_sha256": codes.sha256(code)},
        )
        return code

    # --- looking ----------------------------------------------------------------------------------

    def picture(self) -> Image.Image:
        buffer = self.screen.framebuffer
        size = (buffer.width, buffer.height)
        return Image.frombuffer("RGB", size, buffer.rows(), "raw", "BGRX", 0, 1)

    def wait(self, condition: Any, what: str, timeout_s: float = LIMIT_S) -> None:
        def there() -> bool:
            if self.kiosk is not None and self.kiosk.ended is not None:
                raise AssertionError(f"the terminal ended: {self.kiosk.said()[-3000:]}")
            return bool(condition())

        try:
            wait_until(there, timeout_s, poll_s=0.03, what=what)
        except TimeoutError as error:
            self.picture().save(self.folder / "last.png")
            said = self.kiosk.said()[-2000:] if self.kiosk else ""
            sent = self.sender.said()[-2000:] if self.sender else ""
            raise AssertionError(f"{error}\n{said}\n{sent}") from None

    def page(self, view: View) -> Page:
        """A view as a page; the same one for the same view."""
        key = (self.language, view)
        if key not in self._composed:
            self._composed[key] = self._compose(view)
        return self._composed[key]

    def _compose(self, view: View) -> Page:
        composer = self._pages.composer(frozenset())
        match view:
            case Sheet():
                return composer.staff(self.language, view)
            case Keys():
                return composer.keys(self.language, view)
            case Corners():
                return composer.corners(
                    self.language, view.title, view.hit, view.left, view.actions
                )
            case Cleaning():
                return composer.cleaning(self.language)
        return self.rest()

    def rest(self) -> Page:
        bundle = self._pages.bundle
        return self._pages.page(frozenset(), "rest", bundle.languages[0])

    def face(self) -> Page:
        """The first statement after the number."""
        bundle = self._pages.bundle
        statement = bundle.survey.statements[0].id
        total = bundle.survey.count + 1
        return self._pages.page(frozenset(), "face", bundle.languages[0], statement, 1, total)

    def painted(self, page: Page) -> Image.Image:
        """The page as the terminal paints it."""
        if self._painted is None or self._painted[0] is not page:
            self._painted = (page, self._pages.painter(frozenset(), page.screen).page(page))
            self._last = b""
        return self._painted[1]

    def shows(self, page: Page) -> bool:
        """Whether the window shows exactly this page."""
        wanted = self.painted(page)
        if self._last and self._last == self.screen.framebuffer.rows():
            # It did not the last time, and stands still.
            return False
        self._last = self.screen.framebuffer.rows()
        if self.picture().tobytes() != wanted.tobytes():
            return False
        self._last = b""
        return True

    def arrives(self, page: Page) -> None:
        """Wait until a page stands, and takes taps."""
        self.wait(lambda: self.shows(page), f"the screen {page.screen}")
        self.quiet()

    def quiet(self) -> None:
        """What stands in the window now takes taps after this."""
        time.sleep(self._pages.bundle.touch.quiet_ms / 1000 + LATE_S)

    def says(self, page: Page, name: str) -> bool:
        """Whether a run of text of the page stands where it belongs, whatever else is shown."""
        run = next(run for run in page.runs if run.name == name)
        region = self._pages.view.px(run.box)
        return self.picture().crop(region).tobytes() == self.painted(page).crop(region).tobytes()

    def texts(self, key: str, **values: object) -> str:
        text = wording.staff(self.language)[key]
        return text.format(**values) if values else text

    # --- touching ---------------------------------------------------------------------------------

    def tap(self, page: Page, name: str) -> None:
        target = next(target for target in page.targets if target.name == name)
        left, top, right, bottom = self._pages.view.px(target.box)
        self.touch((left + right) // 2, (top + bottom) // 2)

    def touch(self, x: int, y: int, held_s: float = 0.04) -> None:
        self.finger.move(x, y)
        self.finger.press()
        time.sleep(held_s)
        self.finger.release()
        time.sleep(0.03)

    def stands(self) -> Page:
        """Wait until the window shows what set-up must show now, and takes taps."""
        found: list[Page] = []

        def there() -> bool:
            self.shadow.see()
            found[:] = [self.page(self.shadow.setup.view())]
            return self.shows(found[0])

        self.wait(there, "the screen of the set-up")
        self.quiet()
        return found[0]

    def press(self, *names: str) -> None:
        """Tap targets of the set-up, each on the screen it stands on."""
        for name in names:
            self.tap(self.stands(), name)
            self.shadow.setup.act(name)

    def keys(self, text: str) -> None:
        """Type on the keys of the screen."""
        page, before = self.stands(), ""
        for character in text:
            if character == before:
                # The same key twice within a moment is a bounce.
                self.stands()
                time.sleep(self._pages.bundle.touch.key_repeat_ms / 1000)
            self.tap(page, f"key.{character}")
            self.shadow.setup.act(f"key.{character}")
            before = character

    def until(self, screen: str, timeout_s: float = LIMIT_S) -> Page:
        """Wait until the files lead to a screen of the set-up, and it stands there."""
        self.wait(lambda: self.shadow.see() == screen, f"the screen {screen}", timeout_s)
        return self.stands()

    def scan(self, text: str) -> None:
        """A scanner types a label and Enter.

        Once more where nothing came of it, as people do: a machine so busy that half a second
        passes between two characters is no scanner.
        """
        before = self._stood()
        self.shadow.setup.typed(text + "\n")
        for last in (False, False, True):
            xdotool(self, "type", "--delay", "2", text + "\n")  # type: ignore[arg-type]
            try:
                self.wait(lambda: self._stood() != before, "what comes of a scan", LIMIT_S / 2)
            except AssertionError:
                if last:
                    raise
            else:
                return

    def _stood(self) -> tuple[bytes, bytes]:
        """What the window shows, and what the sender is to do."""
        wish = self.data / "enrol.json"
        return self.screen.framebuffer.rows(), wish.read_bytes() if wish.exists() else b""

    def service(self) -> None:
        """Hold the logo, then three corners.

        Once more where nothing came of it, as people do: a machine so busy that it hears too late
        of the finger holds no five seconds.
        """
        logo = next(target for target in self.rest().targets if target.name == "logo")
        left, top, right, bottom = self._pages.view.px(logo.box)
        before = self._opened()
        for last in (False, False, True):
            self.touch((left + right) // 2, (top + bottom) // 2, 6.5)
            for x, y in ((5, 5), (SIZE[0] - 5, 5), (5, SIZE[1] - 5)):
                self.touch(x, y)
            try:
                self.wait(lambda: self._opened() != before, "the gesture", LIMIT_S / 2)
            except AssertionError:
                if last:
                    raise
            else:
                return

    def _opened(self) -> object:
        """When the service screen was opened last."""
        return self.read("terminal.json").get("service", {}).get("opened")

    def opened(self, bundle: Bundle) -> Service:
        """Wait for the service screen; a shadow of it that says where its targets are."""
        told = self.read("terminal.json")
        desk = Desk(DataDir(self.data), self.stick, SIZE)
        facts = desk.facts(bundle, told["config_since"], "", full=True)
        service = Service(
            desk,
            clock=time.monotonic,
            stamp=clock.stamp,
            words=wording.staff,
            facts=facts,
            guesses=Guesses(desk.guesses()),
        )
        self.wait(lambda: self.says(self.page(service.view()), "title"), "the service screen")
        self.quiet()
        return service

    def use(self, service: Service, *names: str) -> None:
        """Tap targets of the service screen."""
        for name in names:
            page = self.page(service.view())
            self.wait(lambda page=page: self.says(page, "title"), f"where {name} is")
            self.tap(page, name)
            service.act(name)
