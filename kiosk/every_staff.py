"""Every screen for staff by name, with what a device might report: for previews and checks.

The machines of set-up and service are put on each of their screens; what they say is their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kiosk import wording
from kiosk.facts import Facts, Ledger
from kiosk.layout.every import Shot
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.pin import Guesses
from kiosk.seen import Seen
from kiosk.selfcheck import CORNERS
from kiosk.service import ASKED, Service
from kiosk.setup import Setup
from kiosk.stick import Stick
from kiosk.views import LANGUAGES, Corners, View
from sync.contract import code as codes
from sync.contract.bundle import Bundle
from sync.contract.records import Stamp

ENDPOINT: Final = "https://palaute.varsinais-suomen-hyvinvointialue.fi/hymio/"
CODE: Final = "K7QM4T2P9XWB3HNA"
FINGERPRINT: Final = "3F9A-07C1-5B2E-D840"
NOW: Final = "2026-11-22T12:04:31.000+02:00"
_BEFORE: Final = "2026-11-22T11:58:04.000+02:00"
_PLACES: Final = (
    "Salon terveysasema, Aula pääovi",
    "Salon terveysasema, Laboratorio",
    "Salon hammashoitola",
    "Someron terveysasema, Ilmoittautuminen",
    "Turun kaupunginsairaala, Päivystyspoliklinikka",
)
_ERROR: Final = re.compile(r"setup\.error\.(\w+)")


class _Nothing:
    """Hands and keeper that keep nothing."""

    def enrol(self, wish: Mapping[str, Any]) -> None:
        """Nobody reads it."""

    def note(self, note: Mapping[str, Any]) -> None:
        """Nobody reads it."""

    def keep(self, guesses: Mapping[str, object]) -> None:
        """Nobody reads it."""


def errors() -> tuple[str, ...]:
    """Machine words of what can go wrong in set-up, each with its sentence."""
    found = (_ERROR.fullmatch(key) for key in wording.staff(LANGUAGES[0]))
    return tuple(match[1] for match in found if match)


def sound(bundle: Bundle) -> Facts:
    """A device that does its work."""
    screen = bundle.screen
    enrolment = {"state": "ok", "code": "", "first_use": True}
    return Facts(
        bundle=bundle,
        config_since="2026-11-20T07:30:00.000+02:00",
        sender={
            "state": "ok",
            "device": bundle.device,
            "endpoint": ENDPOINT,
            "last_contact": _BEFORE,
            "fingerprint": FINGERPRINT,
            "enrolment": enrolment,
        },
        networks=("eth0",),
        synced=True,
        wall=NOW,
        free=21_400_000_000,
        window=(screen.width_px, screen.height_px),
        ledger=Ledger(created=1284, acknowledged=1280, to_send=4, oldest_unsent=_BEFORE),
        version="1.0.0",
    )


def troubled(bundle: Bundle) -> Facts:
    """A device on which nearly everything is wrong."""
    found = sound(bundle)
    sender = {**found.sender, "state": "offline", "enrolment": {"code": "certificate"}}
    return replace(
        found,
        refused="13: surveys/lobby.toml:14: statements.s21: unknown statement",
        sender=sender,
        networks=(),
        synced=False,
        free=80_000_000,
        window=(found.window[1], found.window[0]),
        ledger=Ledger(created=1284, acknowledged=900, to_send=379, held=3, lost=2),
        failed=("clock", "rotation", "touch"),
        on_stick=max(0, bundle.version - 1),
    )


def staff_shots(bundle: Bundle, language: str) -> Iterator[Shot]:
    """Set-up from its first screen to its last, then the service screen with all it opens."""
    yield from _setup(bundle, language)
    yield from _service(bundle, language)


def _shot(name: str, view: View) -> Shot:
    match view:
        case Sheet():
            return name, "staff", (view,), {}
        case Keys():
            return name, "keys", (view,), {}
        case Corners():
            return name, "corners", (view.title, view.hit, view.left, view.actions), {}
    return name, "cleaning", (), {}


def _setup(bundle: Bundle, language: str) -> Iterator[Shot]:
    facts = sound(bundle)
    new = Seen(facts=Facts(version=facts.version))

    def shown(name: str, screen: str, seen: Seen = new, **state: object) -> Shot:
        setup = Setup(_Nothing(), _still, wording.staff, seen)
        setup.language, setup.screen = language, screen
        for key, value in state.items():
            setattr(setup, key, value)
        return _shot(name, setup.view())

    def typed(name: str, screen: str, problem: str = "") -> Shot:
        setup = Setup(_Nothing(), _still, wording.staff, new)
        setup.language, setup.screen, setup.problem = language, screen, problem
        setup.form.address = ENDPOINT.removeprefix("https://")
        setup.form.code = CODE if problem else CODE[:10]
        return _shot(name, setup.view())

    yield shown("setup", "start")
    yield typed("setup-address", "address")
    yield typed("setup-address-wrong", "address", "setup.error.bad_endpoint")
    yield typed("setup-code", "code")
    yield typed("setup-code-wrong", "code", "setup.error.code_unknown")
    yield shown("setup-scan", "scan")
    for what in ("none", "no-folder", "no-ticket", "damaged"):
        yield shown(f"setup-stick-{what}", "stick", replace(new, stick=Stick(what)))
    tickets = tuple(
        codes.Ticket(endpoint=ENDPOINT, code=CODE, device=f"varha-{74 + n:04}", name=place)
        for n, place in enumerate(_PLACES)
    )
    stick = replace(new, stick=Stick("tickets", tickets))
    yield shown("setup-stick", "stick", stick)
    partly = replace(new, stick=Stick("tickets", tickets * 4, damaged=("varha-0099",)))
    for page in range(2):
        yield shown(f"setup-stick-{page + 1}", "stick", partly, page=page)
    yield shown("setup-working", "working", replace(new, heard=True))
    for word in errors():
        yield shown(f"setup-error-{word}", "working", problem=f"setup.error.{word}")
    yield shown("setup-releasing", "releasing")
    yield from _placed(facts, shown)


def _placed(facts: Facts, shown: Callable[..., Shot]) -> Iterator[Shot]:
    """From the question whether this is the right place on."""
    assert facts.bundle is not None  # noqa: S101 - it is a device's
    seen = Seen(facts=facts, heard=True, redeemed=True)
    wrong = replace(seen, facts=troubled(facts.bundle))
    known = {**facts.sender, "enrolment": {"state": "ok"}}
    yield shown("confirm", "confirm", replace(seen, facts=replace(facts, sender=known)))
    yield shown("confirm-first", "confirm", seen)
    yield shown("confirm-sure", "sure", seen)
    yield shown("check", "check", seen)
    yield shown("check-passed", "check", seen, touched=CORNERS)
    for page in range(2):
        yield shown(f"check-wrong-{page + 1}", "check", wrong, touched=frozenset(), page=page)
        yield shown(f"check-warn-{page + 1}", "warn", wrong, touched=frozenset(), page=page)
    yield shown("corners", "corners", seen, hit=frozenset({"tl", "c"}))
    yield shown("test", "test", seen)
    yield shown("test-waiting", "waiting", seen)
    yield shown("test-later", "waiting", wrong)
    yield shown("test-received", "waiting", seen, received=NOW)


def _service(bundle: Bundle, language: str) -> Iterator[Shot]:
    facts = sound(bundle)

    def shown(name: str, screen: str, seen: Facts = facts, **state: object) -> Shot:
        service = Service(
            _Nothing(),
            clock=_still,
            stamp=_stamp,
            words=wording.staff,
            facts=seen,
            guesses=state.pop("guesses", None) or Guesses(),  # type: ignore[arg-type]
            language=language,
        )
        service.screen = screen
        for key, value in state.items():
            setattr(service, key, value)
        return _shot(name, service.view())

    yield shown("service", "status")
    for page in range(3):
        yield shown(f"service-wrong-{page + 1}", "status", troubled(bundle), page=page)
    yield shown("service-none", "status", Facts(wall=NOW, version=facts.version))
    locked = Guesses()
    for _ in range(5):
        locked.count(_stamp())
    yield shown("service-pin", "pin", digits="123")
    yield shown("service-pin-wrong", "pin", wrong=True)
    yield shown("service-pin-checking", "pin", checking=True)
    yield shown("service-pin-locked", "pin", guesses=locked)
    yield shown("service-menu", "menu")
    for asked in ASKED:
        yield shown(f"service-{asked}", "ask", asked=asked)
    yield shown("service-cleaning", "cleaning")


def _still() -> float:
    """A clock that stands."""
    return 0.0


def _stamp() -> Stamp:
    return Stamp(wall=NOW, boot="", boottime_ms=0, synced=True)
