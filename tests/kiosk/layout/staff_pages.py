"""Every screen for staff with realistic content, for the layout's tests and to look at.

python -m tests.kiosk.layout.staff_pages OUT [panel] [language] [dark]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from kiosk.layout.compose import Composer
from kiosk.layout.keys import Keys
from kiosk.layout.page import Page
from kiosk.layout.staff import Action, Row, Sheet
from kiosk.ui.lettering import Lettering
from kiosk.ui.paint import Painter, View
from kiosk.ui.theme import DARK, light
from kiosk.wording import STAFF_LANGUAGES, staff
from sync.contract.bundle import Screen
from tests.kiosk.layout.world import MEASURE, PANELS, bundle

STAFF_PANELS = {
    **PANELS,
    "10in-135.6": Screen(width_px=1280, height_px=800, width_mm=217, height_mm=135.6),
    "unknown-landscape": Screen(width_px=1280, height_px=800, width_mm=217),
    "unknown-portrait": Screen(width_px=800, height_px=1280, width_mm=135.6),
}
SEVEN_INCH = Screen(width_px=1024, height_px=600, width_mm=154, height_mm=86)
ERRORS = (
    "code_unknown",
    "code_used",
    "code_expired",
    "device_revoked",
    "slow_down",
    "bad_endpoint",
    "not_encrypted",
    "key_mismatch",
    "bad_key",
    "no_answer",
    "certificate",
    "clock",
    "not_a_centre",
    "disk",
    "released",
    "ticket",
    "other",
    "no_sender",
    "no_config",
    "config_refused",
    "bad_file",
    "scan_partial",
    "scan_layout",
    "scan_other",
    "unsent",
)
FINGERPRINT = "3F9A-07C1-5B2E-D840"
PLACES = (
    ("varha-0074", "Salon terveysasema, Aula pääovi"),
    ("varha-0075", "Salon terveysasema, Laboratorio"),
    ("varha-0076", "Salon hammashoitola"),
    ("varha-0077", "Paimion terveysasema, Aula"),
    ("varha-0078", "Someron terveysasema, Ilmoittautuminen"),
    ("varha-0079", "Turun kaupunginsairaala, Päivystyspoliklinikka"),
)


class Screens:
    """The staff's screens of one panel and language."""

    def __init__(self, panel: str | Screen, language: str) -> None:
        screen = STAFF_PANELS[panel] if isinstance(panel, str) else panel
        self.composer = Composer(bundle(screen), MEASURE)
        self.language = language
        self.words = staff(language)

    def act(self, *keys: str) -> tuple[Action, ...]:
        """Ways on; the last one is meant."""
        return tuple(Action(key, self.words[key], key == keys[-1]) for key in keys)

    def sheet(self, screen: str, title: str, **parts: object) -> Page:
        return self.composer.staff(self.language, Sheet(screen, self.words[title], **parts))  # type: ignore[arg-type]

    def setup(self) -> Iterator[tuple[str, Page]]:
        t = self.words
        ways = tuple(
            Action(f"setup.{way}", t[f"setup.{way}"], note=t[f"setup.{way}.note"], icon=icon)
            for way, icon in (("type", "keyboard"), ("stick", "stick"), ("scan", "scanner"))
        )
        yield (
            "start",
            self.sheet(
                "setup",
                "setup.title",
                body=t["setup.body"],
                rows=(Row(t["setup.version"], "Hymiö 0.3.0"),),
                choices=ways,
                languages=STAFF_LANGUAGES,
            ),
        )
        devices = tuple(Action(f"stick.{name}", name, note=place) for name, place in PLACES)
        for page in (0, 1):
            yield (
                f"stick-{page}",
                self.sheet(
                    "setup-stick",
                    "setup.stick.choose",
                    choices=devices * (1 + 2 * page),
                    actions=self.act("setup.stick.other", "next")[:1],
                    page=page,
                ),
            )
        ways_on = self.act("back", "next")
        yield "endpoint", self.keys("address", "https://palaute.var", ways_on, "setup-endpoint")
        yield (
            "endpoint-bad",
            self.keys(
                "address",
                "https://palaute.varsinais-suomen-hyvinvointialue.fi/hymio/",
                ways_on,
                "setup-endpoint",
                "setup.error.bad_endpoint",
            ),
        )
        yield "code", self.keys("code", "K7QM-4T2P-9X__-____", ways_on, "setup-code")
        ways_on = self.act("back", "setup.address", "next")
        yield (
            "code-bad",
            self.keys(
                "code", "K7QM-4T2P-9XWB-3HNA", ways_on, "setup-code", "setup.error.code_unknown"
            ),
        )
        yield (
            "working",
            self.sheet(
                "setup-working",
                "setup.working.title",
                rows=(
                    Row(t["setup.working.key"], t["state.ok"], "ok"),
                    Row(t["setup.working.connect"], t["state.doing"], "wait"),
                    Row(t["setup.working.config"], t["state.wait"], "wait"),
                ),
                actions=self.act("cancel", "next")[:1],
            ),
        )

    def errors(self) -> Iterator[tuple[str, Page]]:
        for word in ERRORS:
            yield (
                word,
                self.sheet(
                    "setup-error",
                    "setup.error.title",
                    warning=self.words[f"setup.error.{word}"],
                    rows=(
                        Row(self.words["setup.endpoint.title"], "https://palaute.varha.fi"),
                        Row(self.words["setup.code.title"], "K7QM-4T2P-9XWB-3HNA"),
                    ),
                    actions=self.act("setup.change", "setup.again"),
                ),
            )

    def keys(
        self, kind: str, text: str, actions: tuple[Action, ...], screen: str, note: str = ""
    ) -> Page:
        title = {
            "address": "setup.endpoint.title",
            "code": "setup.code.title",
            "digits": "service.pin.title",
        }[kind]
        words = self.words[note].format(seconds=60) if note else ""
        made = Keys(screen, self.words[title], kind, text, actions, words)  # type: ignore[arg-type]
        return self.composer.keys(self.language, made)

    def place(self) -> Iterator[tuple[str, Page]]:
        t = self.words
        rows = (
            Row(t["confirm.device"], "varha-0074"),
            Row(t["confirm.place"], "Salon terveysasema"),
            Row(t["confirm.name"], "Aula pääovi"),
            Row(t["confirm.fingerprint"], FINGERPRINT),
        )
        yes_no = self.act("confirm.no", "confirm.yes")
        yield (
            "confirm",
            self.sheet(
                "confirm",
                "confirm.title",
                rows=rows[:3],
                actions=yes_no,
                languages=STAFF_LANGUAGES,
            ),
        )
        yield (
            "confirm-print",
            self.sheet(
                "confirm", "confirm.title", body=t["confirm.compare"], rows=rows, actions=yes_no
            ),
        )
        yield (
            "sure",
            self.sheet(
                "confirm",
                "confirm.sure.title",
                body=t["confirm.sure"],
                actions=self.act("cancel", "confirm.sure.yes"),
            ),
        )
        states = ("ok", "bad", "ok", "bad", "wait", "ok", "ok")
        names = ("network", "clock", "tls", "endpoint", "touch", "rotation", "disk")
        for suffix, found in (("mixed", states), ("bad", ("bad",) * 7)):
            yield (
                f"check-{suffix}",
                self.sheet(
                    "check",
                    "check.title",
                    rows=tuple(
                        Row(
                            t[f"check.{name}"],
                            t["check.wait" if state == "wait" else f"check.{name}.{state}"],
                            state,
                        )
                        for name, state in zip(names, found, strict=True)
                    ),
                    actions=self.act("check.again", "check.skip"),
                ),
            )
        words = ("no_answer", "clock", "certificate", "not_a_centre", "disk", "no_sender", "clock")
        for page in (0, 1):
            yield (
                f"check-words-{page}",
                self.sheet(
                    "check",
                    "check.title",
                    rows=tuple(
                        Row(t[f"check.{name}"], t[f"setup.error.{word}"] + " (HTTP 502)", "bad")
                        for name, word in zip(names, words, strict=True)
                    ),
                    actions=self.act("check.touch.start", "check.continue"),
                    page=page,
                ),
            )
        yield (
            "corners",
            self.composer.corners(
                self.language,
                t["touch.title"],
                frozenset({"tl", "c"}),
                t["touch.left"].format(n=3),
                self.act("touch.skip", "next")[:1],
            ),
        )
        waiting = Row(t["test.waiting"], state="wait")
        received = Row(t["test.received"].format(time="12:04:31"), state="ok")
        saved = Row(t["test.saved"], state="ok")
        start = self.act("check.continue")
        body = t["test.body"]
        yield "test", self.sheet("test", "test.title", body=body, rows=(saved, waiting))
        yield (
            "received",
            self.sheet("test", "test.title", body=body, rows=(saved, received), actions=start),
        )
        yield (
            "later",
            self.sheet(
                "test",
                "test.title",
                body=body,
                warning=t["test.later"],
                rows=(saved,),
                actions=start,
            ),
        )
        yield (
            "done",
            self.sheet(
                "done",
                "done.title",
                body=t["done.body"],
                rows=rows[:3],
                actions=self.act("done.start"),
            ),
        )

    def service(self) -> Iterator[tuple[str, Page]]:
        t = self.words
        facts = (
            ("device", "varha-0074"),
            ("place", "Salon terveysasema, Aula pääovi"),
            ("version", "0.3.0"),
            ("config", "12"),
            ("config-since", "2026-11-22 07:30"),
            ("created", "1 284"),
            ("acknowledged", "1 280"),
            ("to-send", "4"),
            ("lost", "0"),
            ("last-contact", "2026-11-22 11:58:04"),
            ("clock", "2026-11-22 12:04:31"),
            ("disk", "21,4 Gt"),
        )
        rows = tuple(Row(t[f"service.{key}"], value) for key, value in facts)
        actions = tuple(
            Action(f"service.{name}", t[f"service.{name}"], name == "close")
            for name in ("clean", "pin", "close")
        )
        yield "service", self.sheet("service", "service.title", rows=rows, actions=actions)
        refused = "13: device-config/surveys/lobby.toml:14: statements.s21: unknown statement"
        states = (
            Row(t["service.refused"], refused, "bad"),
            Row(t["service.held"], "0"),
            Row(t["service.oldest"], "2026-11-22 12:04"),
            Row(t["service.state"], t["setup.error.no_sender"], "bad"),
            Row(t["service.window"], "1280 × 800", "ok"),
            Row(t["confirm.fingerprint"], FINGERPRINT),
        )
        for page in range(4):
            yield (
                f"service-states-{page}",
                self.sheet(
                    "service",
                    "service.title",
                    rows=(*rows[:5], states[0], *rows[5:], *states[1:]),
                    actions=actions,
                    languages=STAFF_LANGUAGES,
                    page=page,
                ),
            )
        names = ("check", "touch", "test", "enrol", "restart", "leave")
        menu = tuple(Action(f"service.{name}", t[f"service.{name}"]) for name in names)
        yield (
            "menu",
            self.sheet(
                "service-menu",
                "service.menu.title",
                choices=menu,
                actions=self.act("back", "service.close"),
            ),
        )
        cancel = self.act("cancel", "next")[:1]
        yield "pin", self.keys("digits", "•••", cancel, "pin")
        yield "pin-wrong", self.keys("digits", "", cancel, "pin", "service.pin.wrong")
        yield "pin-locked", self.keys("digits", "", cancel, "pin", "service.pin.locked")
        yield "cleaning", self.composer.cleaning(self.language)
        for name in ("leave", "restart", "enrol"):
            unsent = t["service.enrol.unsent"].format(number=4)
            yield (
                f"confirm-{name}",
                self.sheet(
                    f"service-{name}",
                    f"service.confirm-{name}.title",
                    warning=unsent if name == "enrol" else "",
                    body=t[f"service.confirm-{name}.body"],
                    actions=self.act("cancel", f"service.confirm-{name}.yes"),
                ),
            )

    def every(self) -> Iterator[tuple[str, Page]]:
        """Name and page of all of them."""
        yield from self.setup()
        yield from self.errors()
        yield from self.place()
        yield from self.service()


def draw(page: Page, *, dark: bool = False) -> Image.Image:
    """The page as the window shows it."""
    panel = page.panel
    view = View.fit(panel, panel.width_px, panel.height_px)
    return Painter(Lettering(MEASURE.fonts), DARK if dark else light(), view).page(page)


def main() -> None:
    out = Path(sys.argv[1])
    panels = sys.argv[2].split(",") if len(sys.argv) > 2 else list(STAFF_PANELS)
    languages = sys.argv[3].split(",") if len(sys.argv) > 3 else STAFF_LANGUAGES
    dark = len(sys.argv) > 4
    for panel in panels:
        for language in languages:
            made = list(Screens(panel, language).every())
            for name, page in made:
                for problem in page.problems:
                    print(panel, name, problem)
            images = [draw(page, dark=dark) for _, page in made]
            wide = 620 if images[0].width > images[0].height else 400
            high = round(wide * images[0].height / images[0].width)
            columns = 3 if wide > 500 else 5
            count = columns * (4 if wide > 500 else 3)
            for start in range(0, len(images), count):
                part = images[start : start + count]
                rows = -(-len(part) // columns)
                sheet = Image.new("RGB", (columns * (wide + 8), rows * (high + 8)), "#888888")
                for i, image in enumerate(part):
                    small = image.resize((wide, high), Image.Resampling.LANCZOS)
                    sheet.paste(
                        small, (4 + i % columns * (wide + 8), 4 + i // columns * (high + 8))
                    )
                suffix = "_dark" if dark else ""
                sheet.save(out / f"{panel}_{language}{suffix}_{start // count}.png")


if __name__ == "__main__":
    main()
