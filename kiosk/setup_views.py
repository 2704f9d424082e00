"""What set-up shows: its state in words; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk import facts
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.layout.staffbar import Action
from kiosk.layout.table import Row
from kiosk.selfcheck import CORNERS, Check
from kiosk.views import LANGUAGES, Corners, Trial, View, Words
from sync.contract import code as codes

if TYPE_CHECKING:
    from kiosk.setup import Setup


class Texts:
    """The staff wording of one language, with the values filled in."""

    def __init__(self, words: Words, language: str) -> None:
        self._words = words(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key. Raises KeyError."""
        text = self._words[key]
        return text.format(**values) if values else text

    def trouble(self, word: str) -> str:
        """The sentence for a machine word; the general one for a word of a newer sender."""
        return self._words.get(f"setup.error.{word}") or self._words["setup.error.other"]

    def checked(self, name: str, result: str) -> str:
        """The sentence for what a line of the self-check found: its result, or a machine word."""
        return self._words.get(f"check.{name}.{result}") or self.trouble(result)

    def action(self, name: str, key: str = "", *, primary: bool = False) -> Action:
        """A way on, by the wording of its name."""
        return Action(name, self._words[key or name], primary)


def view(setup: Setup) -> View:
    """The screen set-up stands on."""
    t = Texts(setup.words, setup.language)
    found: dict[str, Callable[[Setup, Texts], View]] = {
        "start": _start,
        "address": _keys,
        "code": _keys,
        "stick": _stick,
        "scan": _scan,
        "working": _working,
        "releasing": _working,
        "confirm": _confirm,
        "sure": _sure,
        "check": _check,
        "warn": _warn,
        "corners": _corners,
        "trial": lambda *_: Trial(),
    }
    return found.get(setup.screen, _test)(setup, t)


def _problem(setup: Setup, t: Texts) -> str:
    return t(setup.problem) if setup.problem else ""


def _start(setup: Setup, t: Texts) -> Sheet:
    ways = [("setup.type", "keyboard"), ("setup.stick", "stick"), ("setup.scan", "scanner")]
    choices = tuple(Action(name, t(name), note=t(f"{name}.note"), icon=icon) for name, icon in ways)
    cancel = (t.action("setup.cancel", "cancel"),) if setup.returns else ()
    version = setup.seen.facts.version
    rows = (Row(t("setup.version"), version),) if version else ()
    return Sheet(
        "setup",
        t("setup.title"),
        t("setup.body"),
        rows=rows,
        choices=choices,
        actions=cancel,
        warning=_problem(setup, t),
        languages=LANGUAGES,
    )


def _keys(setup: Setup, t: Texts) -> Keys:
    form, note = setup.form, _problem(setup, t)
    ways: tuple[Action, ...]
    if setup.screen == "address":
        shown = form.address if "://" in form.address else "https://" + form.address
        ways = (t.action("setup.back", "back"), t.action("setup.next", "next", primary=True))
        return Keys("setup-endpoint", t("setup.endpoint.title"), "address", shown, ways, note)
    if form.strange:
        note = t("setup.code.strange", letter=form.strange)
    elif not note and form.code_complete and len(form.code) == codes.BODY:
        note = t("setup.code.short")
    ways = (
        t.action("setup.back", "back"),
        t.action("setup.address"),
        t.action("setup.next", "next", primary=True),
    )
    title = t("setup.code.title")
    return Keys("setup-code", title, "code", codes.grouped(form.code), ways, note)


def _stick(setup: Setup, t: Texts) -> Sheet:
    stick = setup.seen.stick
    choices = tuple(
        Action(f"stick.{n}", ticket.device, note=ticket.name or ticket.endpoint)
        for n, ticket in enumerate(stick.tickets)
    )
    body = {
        "none": "setup.stick.body",
        "no-folder": "setup.stick.none",
        "no-ticket": "setup.stick.empty",
        "damaged": "setup.error.ticket",
        "tickets": "setup.stick.choose",
    }[stick.what]
    warning = _problem(setup, t)
    if stick.damaged and stick.tickets and not warning:
        warning = t("setup.stick.damaged", devices=", ".join(stick.damaged))
    return Sheet(
        "setup-stick",
        t("setup.stick.title"),
        t(body),
        choices=choices,
        actions=(t.action("setup.back", "back"),),
        warning=warning,
        page=setup.page,
    )


def _scan(setup: Setup, t: Texts) -> Sheet:
    return Sheet(
        "setup-scan",
        t("setup.scan.title"),
        t("setup.scan.body"),
        actions=(t.action("setup.back", "back"),),
        warning=_problem(setup, t),
    )


def _working(setup: Setup, t: Texts) -> Sheet:
    word = setup.awaited.trouble(setup.seen)
    warning = _problem(setup, t) or (t.trouble(word) if word else "")
    ways = (t.action("setup.change"), t.action("setup.again", primary=True)) if warning else ()
    if setup.screen == "releasing":
        return Sheet("setup-releasing", t("setup.releasing"), actions=ways, warning=warning)
    heard, redeemed = setup.seen.heard, setup.seen.redeemed
    done = (heard or redeemed, redeemed, setup.arrived)
    rows = tuple(
        Row(t(f"setup.working.{step}"), state="ok" if good else "wait")
        for step, good in zip(("key", "connect", "config"), done, strict=True)
    )
    if warning:
        at = done.index(False) if False in done else 2
        rows = (*rows[:at], Row(rows[at].label, state="bad"), *rows[at + 1 :])
    return Sheet(
        "setup-working",
        t("setup.working.title"),
        setup.form.endpoint,
        rows=rows,
        actions=ways or (t.action("setup.change"),),
        warning=warning,
    )


def _sure(_setup: Setup, t: Texts) -> Sheet:
    return Sheet(
        "confirm-sure",
        t("confirm.sure.title"),
        t("confirm.sure"),
        actions=(t.action("sure.no", "no"), t.action("sure.yes", "confirm.sure.yes", primary=True)),
    )


def _confirm(setup: Setup, t: Texts) -> Sheet:
    seen = setup.seen.facts
    assert seen.bundle is not None  # noqa: S101 - without one this screen is not reached
    bundle, place = seen.bundle, seen.bundle.location
    name = place.name.get(setup.language) or next(iter(place.name.values()), "")
    rows = [
        Row(t("confirm.place"), ", ".join(part for part in (name, place.municipality) if part)),
        Row(t("confirm.name"), bundle.name),
        Row(t("confirm.device"), bundle.device),
    ]
    body = ""
    if seen.enrolment.get("first_use"):
        rows.append(Row(t("confirm.fingerprint"), str(seen.sender.get("fingerprint", ""))))
        body = t("confirm.compare")
    return Sheet(
        "confirm",
        t("confirm.title"),
        body,
        rows=tuple(rows),
        actions=(t.action("confirm.no"), t.action("confirm.yes", primary=True)),
        warning=_problem(setup, t),
        languages=LANGUAGES,
        page=setup.page,
    )


def check_row(check: Check, t: Texts) -> Row:
    """One line of the self-check."""
    if check.result == "wait":
        return Row(t(f"check.{check.name}"), t("check.touch.wait"), "wait")
    said = t.checked(check.name, check.word or check.result)
    detail = f" ({check.detail})" if check.detail else ""
    return Row(t(f"check.{check.name}"), said + detail, check.result)


def _corners(setup: Setup, t: Texts) -> Corners:
    left = t("touch.left", n=len(CORNERS - setup.hit))
    return Corners(t("touch.title"), setup.hit, left, (t.action("touch.skip"),))


def _warn(setup: Setup, t: Texts) -> Sheet:
    return Sheet(
        "check-warn",
        t("check.failed"),
        t("check.failed.body"),
        rows=tuple(check_row(check, t) for check in setup.checks if check.result != "ok"),
        actions=(t.action("warn.no", "back"), t.action("warn.yes", "check.skip")),
        page=setup.page,
    )


def _check(setup: Setup, t: Texts) -> Sheet:
    untried = setup.touched is None
    return Sheet(
        "check",
        t("check.title"),
        rows=tuple(check_row(check, t) for check in setup.checks),
        actions=(
            t.action("check.touch", "check.touch.start", primary=untried),
            t.action("check.continue", primary=not untried),
        ),
        warning=_problem(setup, t),
        page=setup.page,
    )


def _test(setup: Setup, t: Texts) -> Sheet:
    if setup.screen == "test":
        return Sheet(
            "test",
            t("test.title"),
            t("test.body"),
            warning=_problem(setup, t),
            actions=(t.action("test.skip", "touch.skip"), t.action("test.start", primary=True)),
        )
    seen = setup.seen.facts
    done = (t.action("test.done", "done.start", primary=True),)
    if setup.received:
        at = facts.clock_time(setup.received, seen.timezone)
        row = Row(t("test.received", time=at), state="ok")
        return Sheet("test-done", t("done.title"), t("done.body"), rows=(row,), actions=done)
    offline = not seen.running or seen.sender.get("state") not in ("ok", "starting")
    row = Row(t("test.later" if offline else "test.waiting"), state="wait")
    return Sheet("test-wait", t("test.title"), rows=(row,), actions=done)
