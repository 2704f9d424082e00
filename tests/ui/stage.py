"""A terminal without a window: a glass that remembers, a disk that can be full, a clock we turn."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from PIL import Image

from kiosk.layout.page import Page, Target
from kiosk.recorder import RecorderError
from kiosk.speech.parts import Utterance, Voice
from kiosk.ui.flow import Flow
from kiosk.ui.pages import Pages
from kiosk.ui.paint import Painter, Px, State
from kiosk.ui.parts import Draw, World
from kiosk.wording import wording
from sync.contract.bundle import (
    Bundle,
    Location,
    Organisation,
    Screen,
    Service,
    Statement,
    Survey,
)
from sync.contract.records import Answer, End, Record, Stamp

LANGUAGES = ("fi", "sv", "en", "et", "ru", "uk", "ar")
PORTRAIT = Screen(width_px=800, height_px=1280, width_mm=136)


def bundle(languages: tuple[str, ...] = LANGUAGES, **fields: Any) -> Bundle:
    survey = {
        "id": "base",
        "version": 1,
        "statements": tuple(Statement(id=f"s0{i}") for i in (5, 6, 7)),
        **fields.pop("survey", {}),
    }
    place = {"id": "l1", "name": {"fi": "Asema"}, "municipality": "Esimerkkilä"}
    return Bundle(
        device="esim-0001",
        version=1,
        organisation=Organisation(
            id="esim",
            name={"fi": "Esimerkin hyvinvointialue", "sv": "Exempel välfärdsområde"},
            contact=dict.fromkeys(languages, "02 000 0000"),
            privacy=dict.fromkeys(languages, "Vastaukset ovat nimettömiä. " * 8),
            changed={"fi": "ajanvaraus vastaa nyt klo 7–17."},
        ),
        location=Location(**{**place, **fields.pop("location", {})}),
        languages=languages,
        survey=Survey(**survey),
        texts={language: dict(wording(language)) for language in languages},
        **fields,
    )


def services(number: int) -> tuple[Service, ...]:
    return tuple(
        Service(id=f"v{n}", name={"fi": f"Palvelu {n:02}", "sv": f"Tjänst {n:02}"})
        for n in range(number)
    )


class RememberingGlass:
    """What the window would show."""

    def __init__(self) -> None:
        self.page: Page | None = None
        self.painter: Painter | None = None
        self.states: dict[str, State] = {}
        self.patches: dict[str, Image.Image] = {}
        self.prepared: list[Page] = []
        self.kept: set[str] = set()
        self.history: list[str] = []

    def show(self, page: Page, painter: Painter, states: Mapping[str, State]) -> None:
        self.page, self.painter, self.states = page, painter, dict(states)
        self.patches.clear()
        self.history.append(page.screen)

    def state(self, name: str, state: State) -> None:
        self.states.pop(name, None)
        if state != "rest":
            self.states[name] = state

    def patch(self, name: str, region: Px, draw: Draw) -> None:
        assert self.painter is not None
        image = Image.new("RGB", (region[2] - region[0], region[3] - region[1]))
        draw(image, self.painter.moved(region))
        self.patches[name] = image

    def prepare(self, page: Page, painter: Painter) -> object:
        self.prepared.append(page)
        return None

    def keep(self) -> None:
        if self.page is not None:
            self.kept.add(self.page.screen)

    def forget(self) -> None:
        self.states.clear()
        self.patches.clear()


class Disk:
    """A recorder that can refuse."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.accepting = True
        self.full = False
        self.attempts = 0

    def commit(self, *records: Record) -> None:
        self.attempts += 1
        if self.full:
            raise RecorderError("no space left")
        self.records += records

    def counts_by_question(self, days: int) -> dict[str, int]:
        return {}


class RememberingVoice:
    """A voice whose words are read instead of heard; it speaks until it is told that it ended."""

    available = True
    headphones = False
    reason = ""
    rate_wpm = 0

    def __init__(self) -> None:
        self.said: list[Utterance] = []
        """Everything ever said."""
        self.now: list[Utterance] = []
        """What sounds, and what waits behind it."""
        self.paused = False
        self.volume = 60
        self.languages: tuple[str, ...] = LANGUAGES
        self.forgotten = 0

    @property
    def busy(self) -> bool:
        return bool(self.now)

    def speaks(self, language: str) -> bool:
        return language in self.languages

    def say(self, parts: Utterance, *, after: bool = False) -> None:
        assert parts, "nothing to say"
        self.paused = False
        if not after:
            self.now.clear()
        self.said.append(parts)
        self.now.append(parts)

    def repeat(self) -> None:
        if self.said:
            self.say(self.said[-1])

    def stop(self) -> None:
        self.now.clear()
        self.paused = False

    def forget(self) -> None:
        self.stop()
        self.forgotten = len(self.said)

    def pause(self) -> None:
        self.paused = self.busy

    def resume(self) -> None:
        self.paused = False

    def set_volume(self, percent: int) -> None:
        self.volume = percent

    def use(self, *, rate_wpm: int) -> None:
        self.rate_wpm = rate_wpm

    def close(self) -> None:
        self.stop()

    def finish(self) -> None:
        """It has said everything."""
        self.now.clear()

    @property
    def heard(self) -> list[str]:
        """Every utterance as one text, without the signs that end its parts."""
        return [" ".join(part.text.rstrip(" .,") for part in parts) for parts in self.said]

    @property
    def last(self) -> str:
        """What was said last."""
        return self.heard[-1] if self.said else ""


class Stage:
    """One terminal and the person in front of it."""

    def __init__(
        self, config: Bundle | None = None, *, voice: Voice | None = None, **fields: Any
    ) -> None:
        self.now = 1000.0
        self.synced = True
        self.glass, self.disk = RememberingGlass(), Disk()
        self.bundle = config or bundle(**fields)
        world = World(lambda: self.now, self.stamp, self.new_id, Random(1))
        self._ids = 0
        screen = self.bundle.screen
        self.pages = Pages(self.bundle, (screen.width_px, screen.height_px))
        self.flow = Flow(self.pages, self.glass, self.disk, world, voice)
        self.wait(1)

    def stamp(self) -> Stamp:
        return Stamp(
            wall="2026-11-22T12:00:00.000+02:00",
            boottime_ms=round(self.now * 1000),
            boot="b",
            synced=self.synced,
        )

    def new_id(self) -> str:
        self._ids += 1
        return f"visit-{self._ids}"

    @property
    def screen(self) -> str:
        assert self.glass.page is not None
        return self.glass.page.screen

    @property
    def language(self) -> str:
        assert self.glass.page is not None
        return self.glass.page.language

    def target(self, name: str) -> Target:
        assert self.glass.page is not None
        found = {target.name: target for target in self.glass.page.targets}
        assert name in found, f"{name} is not on {self.screen}: {sorted(found)}"
        return found[name]

    def middle(self, name: str) -> tuple[float, float]:
        box = self.target(name).box
        return box.x + box.w / 2, box.y + box.h / 2

    def wait(self, seconds: float) -> None:
        """Time passes; the loop turns when it asked to, as in the real one."""
        until = self.now + seconds
        while True:
            due = self.flow.tick()
            if due > until:
                break
            self.now = max(due, self.now + 1e-4)
        self.now = until
        self.flow.tick()

    def down(self, name: str, touch: object = 1) -> None:
        self.flow.finger("down", touch, *self.middle(name))

    def up(self, at: tuple[float, float], touch: object = 1) -> None:
        self.flow.finger("up", touch, *at)

    def tap(self, name: str, *, pause: float = 0.7) -> None:
        """Press and release in the middle, then wait as people do."""
        at = self.middle(name)
        self.flow.finger("down", 1, *at)
        self.flow.finger("up", 1, *at)
        self.wait(pause)

    def type(self, text: str) -> None:
        for character in text:
            self.tap({" ": "key.space"}.get(character, f"key.{character}"), pause=0.2)

    @property
    def answers(self) -> list[Answer]:
        return [record for record in self.disk.records if isinstance(record, Answer)]

    @property
    def ends(self) -> list[End]:
        return [record for record in self.disk.records if isinstance(record, End)]
