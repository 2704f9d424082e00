"""The example organisation, every panel and every language, for the layout's tests."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from kiosk.layout.compose import Composer
from kiosk.layout.measure import PillowMeasure
from kiosk.layout.page import Page
from sync.contract.bundle import (
    LANGUAGES,
    Bundle,
    Location,
    Organisation,
    Screen,
    Service,
    Statement,
    Survey,
)

WORDING = Path(__file__).parents[3] / "assets" / "wording"
STATEMENTS = tuple(f"s{n:02}" for n in range(1, 19))
PANELS = {
    "10in-landscape": Screen(width_px=1280, height_px=802, width_mm=217, height_mm=136),
    "10in-portrait": Screen(width_px=802, height_px=1280, width_mm=136, height_mm=217),
    "15in-landscape": Screen(width_px=1920, height_px=1080, width_mm=345, height_mm=194),
    "15in-portrait": Screen(width_px=1080, height_px=1920, width_mm=194, height_mm=345),
    "21in-portrait": Screen(width_px=1080, height_px=1920, width_mm=268, height_mm=476),
    "21in-landscape": Screen(width_px=1920, height_px=1080, width_mm=476, height_mm=268),
}
SUPPORTED = {
    "10.1 16:9": Screen(width_px=1920, height_px=1080, width_mm=223.6),
    "10.1 16:9 upright": Screen(width_px=1080, height_px=1920, width_mm=125.8),
    "10.1 1024x600": Screen(width_px=1024, height_px=600, width_mm=222.7),
    "10.1 1024x600 upright": Screen(width_px=600, height_px=1024, width_mm=130.5),
    "10.4 4:3": Screen(width_px=1024, height_px=768, width_mm=211.2),
    "11.6 16:9": Screen(width_px=1920, height_px=1080, width_mm=256.8),
    "11.6 16:9 upright": Screen(width_px=1080, height_px=1920, width_mm=144.8),
    "12.1 16:10": Screen(width_px=1280, height_px=800, width_mm=261),
    "12.1 16:10 upright": Screen(width_px=800, height_px=1280, width_mm=163),
    "12.3 3:2": Screen(width_px=1920, height_px=1280, width_mm=260),
    "13.3 16:9": Screen(width_px=1920, height_px=1080, width_mm=293.5),
    "13.3 16:9 upright": Screen(width_px=1080, height_px=1920, width_mm=165.1),
    "14 16:9": Screen(width_px=1920, height_px=1080, width_mm=309.9),
    "15 4:3": Screen(width_px=1024, height_px=768, width_mm=304.1),
    "17 5:4": Screen(width_px=1280, height_px=1024, width_mm=337.9),
    "23.8 16:9": Screen(width_px=1920, height_px=1080, width_mm=527),
    "27 16:9": Screen(width_px=1920, height_px=1080, width_mm=597.7),
    "32 16:9": Screen(width_px=1920, height_px=1080, width_mm=698.4),
    "32 16:9 upright": Screen(width_px=1080, height_px=1920, width_mm=392.9),
}
"""Panels beside those of the sketches, as kiosk/docs/panels.md lists them."""
MEASURE = PillowMeasure()


@cache
def texts() -> dict[str, dict[str, str]]:
    return {
        language: tomllib.loads((WORDING / f"{language}.toml").read_text("utf-8"))
        for language in LANGUAGES
    }


def bundle(panel: str | Screen = "10in-landscape", **changes: object) -> Bundle:
    made = Bundle(
        device="example-1",
        organisation=Organisation(
            id="example",
            name={"fi": "Esimerkin hyvinvointialue", "sv": "Exempel välfärdsområde"},
            changed={"fi": "ajanvaraus vastaa nyt klo 7–17."},
        ),
        location=Location(id="clinic", name={"fi": "Terveysasema"}, municipality="091"),
        languages=LANGUAGES,
        survey=Survey(
            id="example", version=1, statements=tuple(Statement(id=s) for s in STATEMENTS)
        ),
        texts=texts(),
        screen=PANELS[panel] if isinstance(panel, str) else panel,
    )
    return msgspec.structs.replace(made, **changes)


def services(count: int, groups: int = 0) -> tuple[Service, ...]:
    return tuple(
        Service(
            id=f"service-{n}",
            name={"fi": f"Palvelu {n}", "sv": f"Tjänst {n}", "en": f"Service {n}"},
            group=f"group-{n % groups}" if groups else "",
        )
        for n in range(count)
    )


@cache
def composer(panel: str = "10in-landscape", modes: frozenset[str] = frozenset()) -> Composer:
    return Composer(bundle(panel), MEASURE, modes)


def every_page(
    panel: str | Screen, language: str, modes: frozenset[str] = frozenset()
) -> Iterator[Page]:
    """One page of every screen; faces with three statements only."""
    made = Composer(
        bundle(
            panel,
            services=services(9),
            survey=msgspec.structs.replace(
                bundle(panel).survey, phone_url="https://palaute.example/t/esim-0001"
            ),
        ),
        MEASURE,
        modes,
    )
    plain = Composer(bundle(panel), MEASURE, modes)
    yield made.rest(language)
    yield from (made.face(language, question, 1, 3) for question in ("s05", "s07", "satisfied"))
    yield made.choice(language, "service", dots=(1, 5))
    yield made.choice(language, "service", 1, dots=(1, 5))
    yield made.choice(language, "respondent", dots=(1, 5))
    yield made.offer(language, 4, 5)
    yield plain.offer(language, 4, 5)
    yield from (made.text(language, layer) for layer in ("lower", "upper", "symbols"))
    yield made.warning(language, ("identity-code", "email", "phone"))
    yield made.thanks(language)
    yield made.reply(language)
    yield made.still(language)
    yield made.still(language, confirm=True)
    yield made.languages(language)
    yield made.access(language)
    yield made.privacy(language)
    yield made.privacy(language, 1)
    yield made.out_of_use(language)
    yield made.closed(language)
    yield made.cleaning(language)
    yield made.loading(language)
