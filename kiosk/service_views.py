"""What the service screen shows: its state in words; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kiosk.facts import Facts, moment
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.layout.table import Row
from kiosk.selfcheck import NAMES
from kiosk.setup_views import Texts
from kiosk.speech import state
from kiosk.views import LANGUAGES, Cleaning, View

SPEECH: Final = {
    "": "ready",
    state.OFF: "off",
    state.NO_ENGINE: "no-engine",
    state.NO_CARD: "no-card",
    state.ENGINE_FAILS: "engine-fails",
    state.CARD_FAILS: "card-fails",
}
"""State of the voice to `service.speech.…`."""

if TYPE_CHECKING:
    from kiosk.service import Service


def view(service: Service) -> View:
    """The screen the service stands on."""
    t = Texts(service.words, service.language)
    match service.screen:
        case "cleaning":
            return Cleaning(service.cleaning_left)
        case "pin":
            return _pin(service, t)
        case "menu":
            choices = tuple(t.action(f"service.{name}") for name in service.offered)
            back = (
                t.action("service.back", "back"),
                t.action("service.close", primary=True),
            )
            return Sheet("service-menu", t("service.menu.title"), choices=choices, actions=back)
        case "ask":
            return _ask(service, t)
    ways = [t.action("service.clean")]
    if service.pin_usable:
        ways.append(t.action("service.pin"))
    return Sheet(
        "service",
        t("service.title"),
        rows=status_rows(service.facts, service.language, t, pin=service.pin_usable),
        actions=(*ways, t.action("service.close", primary=True)),
        languages=LANGUAGES,
        page=service.page,
    )


def _pin(service: Service, t: Texts) -> Keys:
    left = round(service.locked_s + 0.499)
    note = ""
    if service.checking:
        note = t("service.pin.checking")
    elif left:
        note = t("service.pin.locked", seconds=left)
    elif service.wrong:
        note = t("service.pin.wrong")
    ways = (
        t.action("service.back", "back"),
        t.action("pin.ok", "service.pin.ok", primary=True),
    )
    dots = "●" * len(service.digits)
    return Keys("pin", t("service.pin.title"), "digits", dots, ways, note)


def _ask(service: Service, t: Texts) -> Sheet:
    unsent = service.unsent
    warning = ""
    if service.asked == "enrol" and unsent != 0:
        number = "?" if unsent is None else str(unsent)
        warning = t("service.enrol.unsent", number=number)
    return Sheet(
        "service-ask",
        t(f"service.confirm-{service.asked}.title"),
        t(f"service.confirm-{service.asked}.body"),
        actions=(
            t.action("service.back", "no"),
            t.action("service.yes", f"service.confirm-{service.asked}.yes", primary=True),
        ),
        warning=warning,
    )


def status_rows(facts: Facts, language: str, t: Texts, *, pin: bool) -> tuple[Row, ...]:
    """The status, what is wrong marked as such."""
    bundle, sender = facts.bundle, facts.sender
    rows: list[Row] = []
    if bundle is not None:
        place = bundle.location
        name = place.name.get(language) or next(iter(place.name.values()), "")
        rows += [
            Row(t("service.device"), ", ".join(p for p in (bundle.device, bundle.name) if p)),
            Row(t("service.place"), ", ".join(p for p in (name, place.municipality) if p)),
        ]
    rows += [Row(t("service.version"), facts.version), *_configuration(facts, t)]
    rows += _ledger(facts, t)
    rows += _network(facts, t)
    zone = facts.timezone
    clock = t(f"service.clock.{facts.clock}")
    rows.append(
        Row(
            t("service.clock"),
            f"{moment(facts.wall, zone)}, {clock}",
            "ok" if facts.clock == "synced" else "bad",
        )
    )
    free = f"{facts.free / 1e9:.1f} GB" if facts.free >= 0 else "?"
    rows.append(Row(t("service.disk"), free, "ok" if facts.writable else "bad"))
    rows += [_window(facts, t), _speech(facts, t)]
    failed = [t(f"check.{name}") for name in facts.failed if name in NAMES]
    if failed:
        rows.append(Row(t("service.checks"), ", ".join(failed), "bad"))
    if not pin:
        rows.append(Row(t("service.pin"), t("service.pin.none")))
    if sender.get("fingerprint"):
        rows.append(Row(t("confirm.fingerprint"), str(sender["fingerprint"])))
    return tuple(rows)


def _configuration(facts: Facts, t: Texts) -> list[Row]:
    bundle = facts.bundle
    if bundle is None:
        rows = [Row(t("service.config"), t("service.config.none"), "bad")]
    else:
        since = moment(facts.config_since, facts.timezone)
        rows = [Row(t("service.config"), str(bundle.version))]
        if since:
            rows.append(Row(t("service.config-since"), since))
        if 0 < facts.on_stick < bundle.version:
            rows.append(
                Row(t("service.on-stick"), t("service.on-stick.older", version=facts.on_stick))
            )
    if facts.refused:
        rows.append(Row(t("service.refused"), facts.refused, "bad"))
    return rows


def _ledger(facts: Facts, t: Texts) -> list[Row]:
    ledger = facts.ledger
    if ledger is None:
        return [Row(t("service.created"), t("service.unknown"), "bad")]
    rows = [
        Row(t("service.created"), str(ledger.created)),
        Row(t("service.acknowledged"), str(ledger.acknowledged)),
        Row(t("service.to-send"), str(ledger.to_send)),
    ]
    for name, number in (("held", ledger.held), ("lost", ledger.lost)):
        rows.append(Row(t(f"service.{name}"), str(number), "bad" if number else ""))
    if ledger.oldest_unsent:
        rows.append(Row(t("service.oldest"), moment(ledger.oldest_unsent, facts.timezone)))
    return rows


def _network(facts: Facts, t: Texts) -> list[Row]:
    sender = facts.sender
    state = str(sender.get("state", ""))
    if not facts.running:
        said, good = t.trouble("no_sender"), False
    elif state in ("ok", "starting"):
        said, good = t("service.state.ok"), True
    elif state == "unconfirmed":
        said, good = t("service.state.unconfirmed"), False
    else:
        word = str(facts.enrolment.get("code", ""))
        reason = str(sender.get("reason", ""))
        # The sender's own sentence is English; better than none where no word is known.
        said, good = (t.trouble(word) if word else f"{state}: {reason}".strip(": ")), False
    last = moment(str(sender.get("last_contact") or ""), facts.timezone)
    return [
        Row(t("service.state"), said, "ok" if good else "bad"),
        Row(t("service.last-contact"), last or t("service.never")),
    ]


def _window(facts: Facts, t: Texts) -> Row:
    width, height = facts.window
    value = f"{width} × {height}"
    if facts.bundle is None:
        return Row(t("service.window"), value)
    screen = facts.bundle.screen
    same = (width, height) == (screen.width_px, screen.height_px)
    if not same:
        value = t(
            "service.window.other", window=value, panel=f"{screen.width_px} × {screen.height_px}"
        )
    return Row(t("service.window"), value, "ok" if same else "bad")


def _speech(facts: Facts, t: Texts) -> Row:
    label, found = t("service.speech"), facts.speech
    if found == state.STARTING:
        return Row(label, t("check.wait"))
    if found.startswith(state.NO_VOICE):
        missing = found.removeprefix(state.NO_VOICE)
        return Row(label, t("service.speech.no-voice", languages=missing), "bad")
    # What has no words of its own is better said in English than not at all.
    value = t(f"service.speech.{SPEECH[found]}") if found in SPEECH else found
    if found == state.OFF:
        return Row(label, value)
    return Row(label, value, "bad" if found else "ok")
