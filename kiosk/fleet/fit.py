"""Whether every text fits every device's own panel: each screen is composed as the device would.

Devices that would show the same on the same panel are checked once.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import click
import msgspec

from kiosk.fleet.desk import count
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.resolve import build
from kiosk.fleet.shown import Known, Texts
from kiosk.fleet.tree import Tree
from kiosk.layout.compose import Composer
from kiosk.layout.every import modes_of, shots
from kiosk.layout.kit import panel_of
from kiosk.layout.measure import PillowMeasure
from kiosk.layout.page import Page
from sync.contract.bundle import Bundle, Screen, as_json

PAGED = ("choice", "privacy")
MOST_PAGES = 40

Done = Callable[[int, int], None]
"""Called with how many of how many panels are checked."""


@dataclass
class _Unfit:
    """One text, or the panel itself, and where it shows."""

    first: str
    screens: set[str] = field(default_factory=set)


def problems(
    tree: Tree,
    found: Sequence[ConfigError],
    done: Done | None = None,
    *,
    devices: Collection[str] | None = None,
) -> list[ConfigError]:
    """What does not fit, of the devices whose files are free of errors among `found`.

    `devices`: of these alone; else of all in use. Raises FontError where the screens' fonts are
    not installed.
    """
    wrong = {error.file for error in found if error.severity == "error"}
    alike: dict[bytes, list[str]] = {}
    bundles: dict[bytes, Bundle] = {}
    for ident, source in tree.in_use.items():
        if (devices is not None and ident not in devices) or wrong & tree.chain(source):
            continue
        bundle = build(tree, ident)
        key = as_json(what_shows(bundle))
        alike.setdefault(key, []).append(ident)
        bundles.setdefault(key, bundle)
    measure = PillowMeasure()
    errors: list[ConfigError] = []
    texts: dict[Known, list[ConfigError]] = {}
    for number, (key, same) in enumerate(alike.items(), start=1):
        for known, error in _panel(tree, bundles[key], same, measure):
            if known is None:
                errors.append(error)
            else:
                texts.setdefault(known, []).append(error)
        if done is not None:
            done(number, len(alike))
    for first, *others in texts.values():
        more = f"; {count(len(others), 'more panel')} too" if others else ""
        errors.append(dataclasses.replace(first, what=first.what + more))
    return sorted(errors)


def told(
    tree: Tree, found: Sequence[ConfigError], devices: Collection[str] | None = None
) -> list[ConfigError]:
    """`problems`, with progress on stderr where it takes a while."""

    def progress(number: int, of: int) -> None:
        click.echo(f"whether texts fit: {number} of {count(of, 'panel')}", err=True)

    return problems(tree, found, paced(progress), devices=devices)


def paced(done: Done, every_s: float = 2.0) -> Done:
    """Calls `done` only every so often, and at the end of what took that long."""
    last = time.monotonic()

    def step(number: int, of: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_s:
            last = now
            done(number, of)

    return step


def what_shows(bundle: Bundle) -> Bundle:
    """The bundle without what no screen shows."""
    plain = msgspec.structs.replace(
        bundle.location, id="", name={}, municipality="", timezone="", hours={}
    )
    return Bundle(
        device="",
        organisation=bundle.organisation,
        location=plain,
        languages=bundle.languages,
        survey=bundle.survey,
        services=bundle.services,
        texts=bundle.texts,
        screen=_hung(bundle.screen),
    )


def _hung(screen: Screen) -> Screen:
    """The panel without a height above the floor that changes nothing."""
    if panel_of(screen).offers_low:
        return screen
    return msgspec.structs.replace(screen, top_mm_above_floor=0)


def _panel(
    tree: Tree, bundle: Bundle, devices: list[str], measure: PillowMeasure
) -> Iterator[tuple[Known | None, ConfigError]]:
    """The errors of one panel: its own, or else each text of IT's that does not fit."""
    texts = Texts(tree, bundle, devices[0])
    unfit: dict[Known | None, _Unfit] = {}
    total = 0
    for name, page in _pages(bundle, measure):
        total += 1
        for problem in page.problems:
            what = texts.behind(page, problem)
            entry = unfit.setdefault(what, _Unfit(f"screen {name} in {page.language}: {problem}"))
            entry.screens.add(f"{name} {page.language}")
    screen = bundle.screen
    millimetres = f"{texts.panel.width_mm:g} × {texts.panel.height_mm:.0f} mm"
    panel = f"{screen.width_px} × {screen.height_px} px, {millimetres}"
    whose = devices[0] + (f" and {len(devices) - 1} more" if len(devices) > 1 else "")
    seen = f"`hymio fleet preview {devices[0]}` shows it"
    if None in unfit:
        # Too small for the program's own words: what else does not fit says nothing yet.
        entry = unfit[None]
        error = texts.at_screen(
            f"{len(entry.screens)} of {total} screens do not fit {whose} ({panel});"
            f" the first is {entry.first}",
            f"correct the millimetres, or use a larger panel (kiosk/docs/panels.md); {seen}",
        )
        yield None, error
        return
    for known, entry in unfit.items():
        assert known is not None  # noqa: S101 - asked above
        more = f" and {len(entry.screens) - 1} more" if len(entry.screens) > 1 else ""
        first, _, problem = entry.first.partition(": ")
        error = known.error(
            f"does not fit {whose} ({panel}), {first}{more}: {problem}", f"{known.remedy}; {seen}"
        )
        yield known, error


def _pages(bundle: Bundle, measure: PillowMeasure) -> Iterator[tuple[str, Page]]:
    """Every page there is, with its screen's name, in every language and mode."""
    for mode in modes_of(bundle):
        composer = Composer(bundle, measure, mode)
        suffix = f" ({', '.join(sorted(mode))})" if mode else ""
        for language in bundle.languages:
            seen = set()
            for name, screen, args, _ in shots(bundle):
                if (screen, args) in seen:
                    continue  # another look of the same page
                seen.add((screen, args))
                compose: Callable[..., Page] = getattr(composer, screen)
                first = compose(language, *args)
                yield name + suffix, first
                if screen in PAGED:
                    for number in range(1, MOST_PAGES):
                        question, rest = args[:1], args[2:]
                        page = compose(language, *question, number, *rest)
                        if page == first:
                            break
                        yield f"{name} page {number + 1}{suffix}", page
