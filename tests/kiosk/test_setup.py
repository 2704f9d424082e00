"""Setting a terminal up: every way in, everything that goes wrong, the power at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import wording
from kiosk.layout.keys import Keys
from kiosk.layout.staff import Sheet
from kiosk.selfcheck import CORNERS
from kiosk.views import Corners, Trial
from sync.contract import code as codes
from tests.kiosk.staffing import CODE, ENDPOINT, TICKET, Site, facts, targets

WORDS = (
    *("code_unknown", "code_used", "code_expired", "device_revoked", "slow_down", "bad_endpoint"),
    *("not_encrypted", "key_mismatch", "bad_key", "no_answer", "certificate", "clock", "unsent"),
    *("not_a_centre", "disk", "bad_file"),
)


def typed_in() -> Site:
    site = Site()
    site.tap("setup.type")
    site.keys("palaute.example.fi")
    site.tap("setup.next")
    site.keys(CODE.replace("-", ""))
    site.tap("setup.next")
    return site


def at_confirm() -> Site:
    site = typed_in()
    site.sender("unconfirmed")
    site.configured()
    assert site.screen == "confirm"
    return site


def at_check() -> Site:
    site = at_confirm()
    site.tap("confirm.yes")
    site.sender("ok")
    site.see(facts=facts())
    return site


def touch_all(site: Site) -> None:
    site.tap("check.touch")
    for name in CORNERS:
        site.setup.act(f"corner.{name}")


def test_address_and_code_by_touch_make_a_wish_nobody_has_confirmed() -> None:
    site = typed_in()
    assert site.seen.wish == {"endpoint": ENDPOINT, "code": CODE, "confirmed": False}
    assert site.screen == "setup-working"
    assert site.seen.note["endpoint"] == ENDPOINT


def test_small_letters_and_dashes_of_a_keyboard_are_the_same_code() -> None:
    site = Site()
    site.tap("setup.type")
    site.scan("palaute.Example.fi", gap=0.2)
    site.scan(CODE.lower(), gap=0.2)
    assert site.seen.wish["code"] == CODE
    assert site.seen.wish["endpoint"] == ENDPOINT


def test_an_incomplete_code_and_a_letter_no_code_has_are_said_at_once() -> None:
    site = Site()
    site.tap("setup.type")
    site.keys("palaute.example.fi")
    site.tap("setup.next")
    site.keys("K7QMO")
    assert "O" in site.said
    view = site.view
    assert isinstance(view, Keys) and view.text == "K7QM"
    site.tap("setup.next")
    assert site.said == wording.staff("fi")["setup.code.incomplete"]
    assert not site.seen.wish


@pytest.mark.parametrize("address", ["", "palaute example", "https://", "a..b", "x:y"])
def test_what_is_no_address_goes_nowhere(address: str) -> None:
    site = Site()
    site.tap("setup.type")
    site.keys(address.replace(" ", ".") + ("." if address else ""))
    site.tap("setup.next")
    assert site.screen == "setup-endpoint"
    assert site.said


def test_the_address_of_an_earlier_try_is_remembered_and_can_be_changed() -> None:
    site = Site()
    site.see(note={"endpoint": ENDPOINT})
    site.setup.form.address = "palaute.example.fi"
    site.tap("setup.type")
    assert site.screen == "setup-code"
    site.tap("setup.address")
    assert site.screen == "setup-endpoint"


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("word", [*WORDS, "a_word_of_tomorrow"])
def test_every_trouble_has_its_sentence_and_keeps_what_was_typed(word: str, language: str) -> None:
    site = typed_in()
    site.setup.language = language
    site.sender("refused", word)
    known = wording.staff(language)
    assert site.said == known.get(f"setup.error.{word}", known["setup.error.other"])
    site.tap("setup.change")
    view = site.view
    assert isinstance(view, Keys) and codes.plain(view.text) == codes.plain(CODE)


def test_again_writes_the_file_again_and_forgets_what_was_said_before() -> None:
    site = typed_in()
    site.sender("refused", "code_unknown")
    site.tap("setup.again")
    assert site.said == ""
    site.sender("unconfirmed")
    site.configured()
    assert site.screen == "confirm"


def test_six_wrong_codes_in_a_row_are_six_sentences_and_no_dead_end() -> None:
    site = typed_in()
    for _ in range(6):
        site.sender("refused", "code_unknown")
        assert site.said
        site.tap("setup.change")
        site.keys("⌫A")
        site.tap("setup.next")
    assert site.screen == "setup-working"


def test_unreachable_goes_on_by_itself_once_the_network_is_there() -> None:
    site = typed_in()
    site.sender("unreachable", "no_answer")
    assert site.said
    site.sender("unconfirmed")
    site.configured()
    assert site.screen == "confirm"


def test_without_a_sender_it_says_so() -> None:
    site = typed_in()
    site.see(facts=facts(bundle=None, sender={}, running=False))
    site.wait(10)
    assert site.said == wording.staff("fi")["setup.error.no_sender"]


def test_a_centre_without_a_configuration_for_this_device_is_named() -> None:
    site = typed_in()
    site.sender("unconfirmed")
    site.wait(60)
    assert site.said == wording.staff("fi")["setup.error.no_config"]


def test_a_full_disk_is_said_where_it_happens() -> None:
    site = Site()
    site.disk_full = True
    site.scan(codes.to_qr(TICKET))
    assert site.said == wording.staff("fi")["setup.error.disk"]
    assert site.screen == "setup"


# --- scanner --------------------------------------------------------------------------------------


@pytest.mark.parametrize("enter", [True, False])
@pytest.mark.parametrize("screen", ["setup.type", "setup.stick", "setup.scan", ""])
def test_the_label_can_be_scanned_on_every_screen(screen: str, enter: bool) -> None:
    site = Site()
    if screen:
        site.tap(screen)
    site.scan(codes.to_qr(TICKET), enter=enter)
    assert site.seen.wish["code"] == CODE
    assert site.setup.form.endpoint == ENDPOINT


def test_a_label_scanned_into_a_half_typed_code_leaves_nothing_of_either_in_the_field() -> None:
    site = Site()
    site.setup.form.address = "palaute.example.fi"
    site.tap("setup.type")
    site.keys("K7QM")
    site.scan(codes.to_qr(TICKET)[:40])
    view = site.view
    assert isinstance(view, Keys) and view.text == "K7QM"
    assert site.said == wording.staff("fi")["setup.error.scan_partial"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (codes.to_qr(TICKET)[:-9], "scan_partial"),
        ("6414893400012", "scan_other"),
        ("https://example.fi/leaflet", "scan_other"),
        (codes.to_qr(TICKET).replace("Y", "z").lower(), "scan_layout"),
    ],
)
def test_what_is_no_label_of_ours_is_named(text: str, word: str) -> None:
    site = Site()
    site.scan(text)
    assert site.said == wording.staff("fi")[f"setup.error.{word}"]
    assert not site.seen.wish


def test_small_letters_of_a_scanner_do_not_matter() -> None:
    site = Site()
    site.scan(codes.to_qr(TICKET).lower())
    assert site.seen.wish["code"] == CODE


# --- stick ----------------------------------------------------------------------------------------


def test_a_stick_plugged_in_opens_its_screen_and_one_tap_enrols() -> None:
    site = Site()
    site.stick("tickets", TICKET)
    assert site.screen == "setup-stick"
    site.tap("stick.0")
    assert site.seen.wish["code"] == CODE


def test_with_several_devices_on_a_stick_one_is_chosen_by_its_name() -> None:
    site = Site()
    other = codes.Ticket(endpoint=ENDPOINT, code="2222-2222-2222-2222", device="esim-0075")
    site.stick("tickets", TICKET, other, damaged=("esim-0080",))
    view = site.view
    assert isinstance(view, Sheet)
    assert [choice.label for choice in view.choices] == ["esim-0074", "esim-0075"]
    assert "esim-0080" in site.said
    site.tap("stick.1")
    assert site.seen.wish["code"] == other.code


@pytest.mark.parametrize("what", ["none", "no-folder", "no-ticket", "damaged"])
def test_a_stick_without_a_ticket_says_what_it_lacks(what: str) -> None:
    site = Site()
    site.tap("setup.stick")
    site.stick(what)
    view = site.view
    assert isinstance(view, Sheet) and view.body and not view.choices
    site.tap("setup.back")


def test_a_stick_pulled_out_before_the_tap_changes_nothing() -> None:
    site = Site()
    site.stick("tickets", TICKET)
    site.stick("none")
    site.setup.act("stick.0")
    assert not site.seen.wish


# --- the right place ------------------------------------------------------------------------------


def test_the_place_is_named_and_confirming_keeps_the_very_wish() -> None:
    site = at_confirm()
    view = site.view
    assert isinstance(view, Sheet)
    shown = " ".join(row.value for row in view.rows)
    assert all(part in shown for part in ("esim-0074", "Salon terveysasema, Salo", "Aula"))
    site.tap("confirm.yes")
    assert site.seen.wish == {"endpoint": ENDPOINT, "code": CODE, "confirmed": True}
    assert site.screen == "check"


def test_the_fingerprint_is_shown_when_nothing_else_told_the_key() -> None:
    site = at_confirm()
    print_ = "12AB-34CD-56EF-7890"
    site.sender("unconfirmed", first_use=True)
    sender = {**site.seen.facts.sender, "fingerprint": print_}
    site.see(facts=facts(sender=sender))
    view = site.view
    assert isinstance(view, Sheet) and print_ in {row.value for row in view.rows}


def test_the_wrong_place_is_asked_twice_and_gives_the_code_back() -> None:
    site = at_confirm()
    site.tap("confirm.no", "sure.no", "confirm.no", "sure.yes")
    assert site.seen.wish["release"] is True
    assert site.screen == "setup-releasing"
    site.sender("unreachable", "no_answer")
    assert site.said
    site.sender("not-enrolled", "released")
    assert site.screen == "setup"
    assert site.said == wording.staff("fi")["setup.error.released"]


def test_the_question_returns_at_each_start_until_it_is_answered() -> None:
    site = at_confirm()
    assert [site.restart() for _ in range(3)] == ["confirm"] * 3
    site.tap("confirm.yes")
    assert site.restart() == "check"


# --- self-check and test --------------------------------------------------------------------------


def test_all_well_leads_to_the_test_answer_and_its_receipt_to_the_visits() -> None:
    site = at_check()
    touch_all(site)
    view = site.view
    assert isinstance(view, Sheet) and {row.state for row in view.rows} == {"ok"}
    site.tap("check.continue", "test.start")
    assert isinstance(site.view, Trial)
    site.setup.answered("e1", 2)
    assert site.screen == "test-wait"
    sender = {**site.seen.facts.sender, "have": {"e1": 1}}
    site.see(facts=facts(sender=sender))
    assert site.screen == "test-wait"
    sender |= {"have": {"e1": 2}, "last_contact": "2026-11-22T10:04:31.000+00:00"}
    site.see(facts=facts(sender=sender))
    view = site.view
    assert isinstance(view, Sheet) and "12:04:31" in view.rows[0].label
    site.tap("test.done")
    assert site.setup.wants == "visits"
    assert site.restart() == ""


def test_offline_the_test_answer_is_kept_and_nobody_has_to_wait() -> None:
    site = at_check()
    touch_all(site)
    site.tap("check.continue", "test.start")
    site.setup.answered("e1", 2)
    site.sender("unreachable", "no_answer")
    view = site.view
    assert isinstance(view, Sheet)
    assert view.rows[0].label == wording.staff("fi")["test.later"]
    site.tap("test.done")
    assert site.setup.wants == "visits"


def test_what_does_not_pass_is_warned_of_and_noted() -> None:
    site = at_check()
    site.see(facts=facts(synced=False, window=(800, 1280)))
    site.tap("check.touch")
    assert isinstance(site.view, Corners)
    site.tap("touch.skip", "check.continue")
    assert site.screen == "check-warn"
    site.tap("warn.yes")
    assert site.screen == "test"
    assert site.seen.note["failed"] == ["clock", "rotation", "touch"]


def test_a_corner_that_does_not_answer_ends_the_touch_test() -> None:
    site = at_check()
    site.tap("check.touch")
    site.setup.act("corner.tl")
    site.wait(31)
    assert "touch" in site.setup.failed


def test_who_leaves_after_confirming_does_not_keep_visitors_out() -> None:
    site = at_check()
    site.wait(901)
    assert site.setup.wants == "visits"
    assert site.restart() == ""


# --- power and again ------------------------------------------------------------------------------


def test_by_hand_without_confirmed_it_goes_straight_to_the_visits() -> None:
    site = Site()
    site.see(wish={"endpoint": ENDPOINT, "code": CODE})
    assert site.restart() == "enrol"
    site.sender("ok")
    site.configured()
    assert site.setup.wants == "visits"
    assert site.restart() == ""


def test_an_enrolment_begun_on_the_service_screen_can_be_given_up() -> None:
    site = at_check()
    before = dict(site.seen.wish)
    site.setup = type(site.setup)(
        site, lambda: site.now, wording.staff, site.seen, "enrol", alone=True
    )
    site.tap("setup.type")
    site.keys("⌫A")
    site.tap("setup.next") if site.setup.form.code_complete else None
    site.keys("2222222222222222")
    site.tap("setup.next")
    site.sender("refused", "code_unknown")
    # Cut short here, it comes back to where it was.
    assert site.restart() == "enrol"
    site.tap("setup.change", "setup.back", "setup.cancel")
    assert site.setup.wants == "visits"
    assert site.seen.wish == before


def anew() -> Site:
    """A confirmed device whose service screen asked to set it up again, with another code."""
    site = at_check()
    site.sender("ok")
    site.setup = type(site.setup)(
        site, lambda: site.now, wording.staff, site.seen, "enrol", alone=True
    )
    site.scan(codes.to_qr(codes.Ticket(endpoint=ENDPOINT, code="2222-2222-2222-2222")))
    assert site.screen == "setup-working"
    return site


def test_who_is_another_device_by_now_cannot_go_back_by_giving_up() -> None:
    site = anew()
    site.sender("unconfirmed")
    site.see(facts=replace(site.seen.facts, bundle=None))
    site.tap("setup.change")
    assert site.screen == "setup" and "setup.cancel" not in targets(site.view)


@pytest.mark.parametrize("restarted", [False, True])
def test_the_wrong_place_after_setting_up_again_begins_anew(restarted: bool) -> None:
    site = anew()
    site.sender("unconfirmed")
    site.configured()
    site.tap("confirm.no", "sure.yes")
    if restarted:
        assert site.restart() == "enrol"
    site.see(facts=replace(site.seen.facts, bundle=None))
    site.sender("not-enrolled", "released")
    assert site.screen == "setup" and "setup.cancel" not in targets(site.view)
    # Another code, and it is a device like any other.
    site.scan(codes.to_qr(TICKET))
    site.sender("unconfirmed")
    site.configured()
    assert site.screen == "confirm"
    site.tap("confirm.yes")
    assert site.seen.wish == {"endpoint": ENDPOINT, "code": CODE, "confirmed": True}


class Cut(Exception):  # noqa: N818 - no error
    """The power is gone."""


class Mains(Site):
    """A site whose power goes at the n-th file that is written, before or after."""

    def __init__(self, nth: int, *, after: bool) -> None:
        self.left, self.after = nth, after
        super().__init__()

    def _written(self, write: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Cut
        write()
        if self.left == 0:
            raise Cut

    def enrol(self, wish: Mapping[str, Any]) -> None:
        self._written(lambda: Site.enrol(self, wish))

    def note(self, note: Mapping[str, Any]) -> None:
        self._written(lambda: Site.note(self, note))

    def go_on(self, *, wrong: bool) -> None:
        """Whatever stands there, the next thing a person or the sender does."""
        match self.screen:
            case "setup":
                self.scan(codes.to_qr(TICKET))
            case "setup-working":
                self.configured()
                self.sender("unconfirmed")
            case "setup-releasing":
                self.see(facts=replace(self.seen.facts, bundle=None))
                self.sender("not-enrolled", "released")
            case "confirm":
                self.tap("confirm.no" if wrong else "confirm.yes")
            case "confirm-sure":
                self.tap("sure.yes")
            case "check":
                self.sender("ok")
                touch_all(self)
                self.tap("check.continue")
            case "check-warn":
                self.tap("warn.yes")
            case "test":
                self.tap("test.start")
            case "Trial":
                self.setup.answered("e1", 2)
            case "test-wait" | "test-done":
                self.tap("test.done")


@pytest.mark.parametrize("after", [False, True])
def test_the_power_may_go_at_any_file_and_it_still_ends_in_visits(after: bool) -> None:
    for nth in range(1, 30):
        site, stage = Mains(nth, after=after), "enrol"
        wrong = True
        for _ in range(40):
            try:
                site.go_on(wrong=wrong)
            except Cut:
                stage = site.restart()
            wrong = wrong and not site.seen.wish.get("release")
            if site.setup.wants or not stage:
                break
        assert site.seen.wish == {"endpoint": ENDPOINT, "code": CODE, "confirmed": True}, nth
        assert site.seen.note.get("stage") == "done", nth
        if site.left > 0:
            break
    assert 8 < nth < 29


EVENTS = ("type", "scan", "stick", "tap", "sender", "config", "power", "wait", "corner", "answered")


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 40)), max_size=40))
def test_nothing_one_does_confirms_by_accident_or_ends_nowhere(
    events: list[tuple[str, int]],
) -> None:
    site = Site()
    for what, number in events:
        shown = sorted(targets(site.view))
        before = dict(site.seen.wish)
        tapped = ""
        match what:
            case "type":
                site.keys("K7QM4T2P9XWB3HNA"[number % 16 :])
            case "scan":
                site.scan(codes.to_qr(TICKET)[: -number or None])
            case "stick":
                site.stick("tickets", TICKET)
            case "tap" if shown:
                tapped = shown[number % len(shown)]
                site.tap(tapped)
            case "sender":
                said = [("ok", ""), ("unconfirmed", ""), ("refused", "code_used")]
                state, word = said[number % 3]
                if state == "ok" and site.seen.wish.get("confirmed") is False:
                    state = "unconfirmed"
                site.sender(state, word)
            case "config" if site.seen.redeemed and site.seen.facts.sender.get("device"):
                site.configured()
            case "power":
                site.restart()
            case "wait":
                site.wait(number)
            case "corner":
                site.setup.act("corner.tl")
        if site.seen.wish.get("confirmed") and not before.get("confirmed"):
            assert tapped == "confirm.yes"
        # Whatever it is, it can be shown, and there is a way on or it goes on by itself.
        assert site.view is not None
        assert site.setup.wants in ("", "visits")


def test_every_sentence_the_screens_ask_for_exists_in_every_language() -> None:
    import re
    from pathlib import Path

    import kiosk

    folder = Path(kiosk.__file__).parent
    files = ("setup", "setup_views", "service_views", "seen", "awaited")
    code = "".join((folder / f"{name}.py").read_text() for name in files)
    groups = "setup|confirm|check|test|done|touch|service"
    keys = set(re.findall(rf'"((?:{groups})\.[a-z_.-]*[a-z])"', code))
    # Names of targets that have words of their own, or another's.
    keys -= {"setup.back", "setup.next", "setup.cancel", "sure.yes", "service.back", "service.yes"}
    keys -= {"check.touch", "touch.skip", "test.done", "test.skip"}
    keys |= {f"service.{name}" for name in ("check", "touch", "test", "enrol", "restart", "leave")}
    assert len(keys) > 80
    for language in ("fi", "sv", "en"):
        assert keys - set(wording.staff(language)) == set(), language
