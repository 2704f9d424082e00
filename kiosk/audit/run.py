"""All screens of one configuration against all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kiosk.audit.checks import CHECKS, SETTINGS, Check
from kiosk.audit.figures import for_staff
from kiosk.audit.finding import Finding, Seen
from kiosk.every_staff import staff_shots
from kiosk.layout import every
from kiosk.layout.measure import PillowMeasure
from kiosk.layout.page import Page
from kiosk.ui.pages import MODES as SWITCHES
from kiosk.ui.pages import Modes, Pages
from kiosk.wording import STAFF_LANGUAGES
from sync.contract.bundle import Bundle

_PAGED: Final = ("choice", "privacy")
_MOST_PAGES: Final = 40
_SPEAKING: Final = "access-speech"
"""What the screens are called that only a speaking terminal shows."""


@dataclass
class Result:
    """What was found of one configuration in one language."""

    screens: int = 0
    checks: int = 0
    findings: list[Finding] = field(default_factory=list)


def offered(bundle: Bundle) -> tuple[str, ...]:
    """The switches this device's access sheet may have."""
    return tuple(each for each in SWITCHES if each != "speech" or bundle.speech.enabled)


def modes_of(bundle: Bundle) -> tuple[Modes, ...]:
    """As the device stands, every mode and pair of modes that moves something, and Dark."""
    moving = every.modes_of(bundle)
    dark = [mode | {"dark"} for mode in moving if "low" not in mode]
    return (*moving, *dark)


def configuration(bundle: Bundle) -> list[Finding]:
    """What the configuration alone decides."""
    pages = _pages(bundle, _Shared.measure())
    return [finding for each in SETTINGS for finding in each.look(bundle, pages)]


class _Shared:
    """What one process measures once."""

    _measure: PillowMeasure | None = None
    memory: dict[Any, Any] = {}  # noqa: RUF012 - one for all

    @classmethod
    def measure(cls) -> PillowMeasure:
        """Widths of texts."""
        cls._measure = cls._measure or PillowMeasure()
        return cls._measure


def _pages(bundle: Bundle, measure: PillowMeasure) -> Pages:
    return Pages(bundle, (bundle.screen.width_px, bundle.screen.height_px), measure)


def screens(
    bundle: Bundle, language: str, modes: Iterable[Modes], *, staff: bool = False
) -> Iterator[Seen]:
    """Every screen in one language and these modes; `staff`: those of set-up and service too."""
    pages = _pages(bundle, _Shared.measure())
    measured = _Shared.memory
    for mode in modes:
        for name, screen, args, states in every.shots(bundle, offered(bundle)):
            speaking = name.startswith(_SPEAKING)
            if "speech" in mode and not speaking:
                continue
            shown = mode | {"speech"} if speaking else mode
            page = pages.page(shown, screen, language, *args)
            yield Seen(name, page, shown, bundle, pages, states, measured)
            if screen in _PAGED:
                for number in range(1, _MOST_PAGES):
                    more = pages.page(shown, screen, language, *args[:1], number, *args[2:])
                    if more == page:
                        break
                    title = f"{name}-page-{number + 1}"
                    yield Seen(title, more, shown, bundle, pages, states, measured)
        if staff and not mode and language in STAFF_LANGUAGES:
            for name, screen, args, states in staff_shots(bundle, language):
                page = pages.page(mode, screen, language, *args)
                yield Seen(name, page, mode, bundle, pages, states, measured)


def checked(
    bundle: Bundle,
    language: str,
    modes: Sequence[Modes],
    *,
    checks: Sequence[Check] = CHECKS,
    staff: bool = False,
    keep: Callable[[Seen, Sequence[Finding]], None] | None = None,
) -> Result:
    """One language of one configuration; `keep` is given every screen and its findings."""
    result = Result()
    known: dict[tuple[Page, Modes], list[Finding]] = {}
    for seen in screens(bundle, language, modes, staff=staff):
        asked_here = [check for check in checks if asked(check, seen)]
        # A question with an answer chosen is the same page as without: looked at once.
        same = (seen.page, seen.modes)
        if same not in known:
            known[same] = [finding for check in asked_here for finding in check.look(seen)]
        found = [replace(finding, screen=seen.name) for finding in known[same]]
        result.screens += 1
        result.checks += len(asked_here)
        result.findings += found
        if keep is not None:
            keep(seen, found)
    return result


def asked(check: Check, seen: Seen) -> bool:
    """Dark changes colours alone; the access sheet shows which modes are on; staff hear nothing."""
    if check.heard and for_staff(seen.page):
        return False
    return check.colours or "dark" not in seen.modes or seen.page.screen == "access"
