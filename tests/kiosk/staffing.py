"""Set-up and service without a window: hands that remember, a clock we turn, a sender we play."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kiosk import wording
from kiosk.facts import Facts, Ledger
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.pin import Guesses
from kiosk.seen import Seen, stage_of
from kiosk.service import Service
from kiosk.setup import Setup
from kiosk.stick import Stick
from kiosk.views import View
from sync.contract import code as codes
from sync.contract.bundle import Bundle, Location, Organisation, Survey
from sync.contract.records import Stamp

CODE = "K7QM-4T2P-9XWB-3HNA"
ENDPOINT = "https://palaute.example.fi"
TICKET = codes.Ticket(endpoint=ENDPOINT, code=CODE, device="esim-0074", name="Aula, pääovi")


def pin_hash(pin: str, n: int = 2) -> str:
    salt = b"0123456789abcdef"
    raw = hashlib.scrypt(pin.encode(), salt=salt, n=n, r=8, p=1, dklen=32)
    return f"scrypt${n}$8$1${base64.b64encode(salt).decode()}${base64.b64encode(raw).decode()}"


def bundle(**fields: Any) -> Bundle:
    return Bundle(
        **{
            "device": "esim-0074",
            "version": 12,
            "name": "Aula, pääovi",
            "organisation": Organisation(id="esim", name={"fi": "Esimerkki"}),
            "location": Location(id="0031", name={"fi": "Salon terveysasema"}, municipality="Salo"),
            "survey": Survey(id="base", version=1),
            "texts": {},
            **fields,
        }
    )


def facts(**fields: Any) -> Facts:
    return Facts(
        **{
            "bundle": bundle(),
            "sender": {
                "state": "ok",
                "device": "esim-0074",
                "endpoint": ENDPOINT,
                "enrolment": {"state": "ok", "code": ""},
            },
            "networks": ("eth0",),
            "synced": True,
            "wall": "2026-11-22T12:00:00.000+02:00",
            "free": 5_000_000_000,
            "window": (1280, 800),
            "ledger": Ledger(created=9, acknowledged=9),
            **fields,
        }
    )


class Site:
    """One terminal, its disk, and the person setting it up."""

    def __init__(self, seen: Seen | None = None) -> None:
        self.now = 1000.0
        self.disk_full = False
        self.seen = seen or Seen()
        self.setup = Setup(self, lambda: self.now, wording.staff, self.seen)

    # --- the hands --------------------------------------------------------------------------------

    def enrol(self, wish: Mapping[str, Any]) -> None:
        if self.disk_full:
            raise OSError("no space left")
        known = dict(self.seen.wish), self.seen.redeemed
        same = {**known[0], "confirmed": 0} == {**wish, "confirmed": 0}
        self.seen = replace(
            self.seen, wish=dict(wish), heard=False, redeemed=same and self.seen.redeemed
        )

    def note(self, note: Mapping[str, Any]) -> None:
        if self.disk_full:
            raise OSError("no space left")
        self.seen = replace(self.seen, note=dict(note))

    # --- the world --------------------------------------------------------------------------------

    def see(self, **changes: Any) -> None:
        self.seen = replace(self.seen, **changes)
        self.setup.see(self.seen)

    def sender(self, state: str, code: str = "", **more: Any) -> None:
        """The sender has read enrol.json and says what became of it."""
        known = state in ("ok", "unconfirmed")
        says = {"state": state, "code": code, "reason": "…", "tries": 1, **more}
        sender = {**self.seen.facts.sender, "state": state, "enrolment": says}
        sender |= {"endpoint": ENDPOINT} if known else {}
        # A device that is enrolled stays so whatever becomes of a later code.
        if known or state == "not-enrolled":
            sender["device"] = "esim-0074" if known else ""
            sender["unconfirmed"] = "yes" if state == "unconfirmed" else ""
        self.see(
            facts=replace(self.seen.facts, sender=sender),
            heard=True,
            redeemed=known or code == "released",
        )

    def configured(self) -> None:
        self.see(facts=replace(self.seen.facts, bundle=bundle()))

    def stick(self, what: Any, *tickets: codes.Ticket, damaged: tuple[str, ...] = ()) -> None:
        self.see(stick=Stick(what, tickets, damaged))

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, max(self.now + 0.01, self.setup.tick()))
        self.setup.tick()

    def restart(self) -> str:
        """The power goes and comes back; the stage it comes back in."""
        stage = stage_of(self.seen)
        if stage:
            alone = "before" in self.seen.note
            self.setup = Setup(self, lambda: self.now, wording.staff, self.seen, stage, alone=alone)
        return stage

    # --- the person -------------------------------------------------------------------------------

    def tap(self, *names: str) -> None:
        for name in names:
            assert name in targets(self.view), f"{name} is not on {self.screen}"
            self.setup.act(name)

    def keys(self, text: str) -> None:
        for character in text:
            self.setup.act(f"key.{character}")

    def scan(self, text: str, *, enter: bool = True, gap: float = 0.01) -> None:
        for character in text:
            self.setup.typed(character)
            self.now += gap
        if enter:
            self.setup.typed("\n")
        else:
            self.wait(1)

    @property
    def view(self) -> View:
        return self.setup.view()

    @property
    def screen(self) -> str:
        view = self.view
        return view.screen if isinstance(view, Sheet | Keys) else type(view).__name__

    @property
    def said(self) -> str:
        """What is wrong, as the screen says it."""
        view = self.view
        return view.note if isinstance(view, Keys) else getattr(view, "warning", "")


def targets(view: View) -> set[str]:
    found = {action.name for action in getattr(view, "actions", ())}
    found |= {action.name for action in getattr(view, "choices", ())}
    return found | {f"language.{code}" for code in getattr(view, "languages", ())}


class Desk:
    """A service screen in use."""

    def __init__(self, stored: Mapping[str, object] | None = None, **fields: Any) -> None:
        self.now = 1000.0
        self.boot, self.synced = "boot-1", True
        self.kept: dict[str, object] = dict(stored or {})
        self.known = facts(**fields)
        self.service = self.open()

    def open(self) -> Service:
        self.guesses = Guesses(self.kept)
        self.service = Service(
            self,
            clock=lambda: self.now,
            stamp=self.stamp,
            words=wording.staff,
            facts=self.known,
            guesses=self.guesses,
        )
        return self.service

    def keep(self, guesses: Mapping[str, object]) -> None:
        self.kept = dict(guesses)

    def stamp(self) -> Stamp:
        return self.stamp_at(self.now)

    def stamp_at(self, now: float) -> Stamp:
        wall = datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=now)
        return Stamp(
            wall=wall.isoformat(),
            boottime_ms=round(now * 1000),
            boot=self.boot,
            synced=self.synced,
        )

    def tap(self, *names: str) -> None:
        for name in names:
            assert name in targets(self.service.view()), name
            self.service.act(name)

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until and not self.service.wants:
            self.now = min(until, max(self.now + 0.01, self.service.tick()))
            self.service.tick()

    def guess(self, pin: str) -> bool:
        """Type a PIN and have it checked; whether it was taken at all."""
        for digit in pin:
            self.service.act(f"key.{digit}")
        self.service.act("pin.ok")
        if self.service.to_verify is None:
            return False
        known = self.service.facts.bundle
        assert known is not None
        from kiosk.pin import verify

        self.service.verified(right=verify(known.pin_hash, self.service.to_verify))
        return True

    @property
    def screen(self) -> str:
        return self.service.screen
