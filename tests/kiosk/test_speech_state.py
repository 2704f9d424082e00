"""Whether a device speaks as it should: on the service screen and in terminal.json."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kiosk import wording
from kiosk.service_views import status_rows
from kiosk.setup_views import Texts
from kiosk.speech import state
from kiosk.speech.parts import Silence
from kiosk.ui.desk import Desk
from kiosk.ui.status import Status
from kiosk.wording import STAFF_LANGUAGES
from sync.contract.bundle import Speech
from sync.datadir import DataDir, read_json
from tests.kiosk.staffing import bundle, facts


class Voice(Silence):
    """One that says what it is told to say of itself."""

    def __init__(self, reason: str = "", *languages: str) -> None:
        self.reason = reason
        self._languages = languages

    def speaks(self, language: str) -> bool:
        return language in self._languages


CONFIGURED = bundle(languages=("fi", "sv", "ar"))
SILENT = bundle(languages=("fi", "sv", "ar"), speech=Speech(enabled=False))


@pytest.mark.parametrize(
    ("voice", "config", "found"),
    [
        (Voice("", "fi", "sv", "ar"), CONFIGURED, ""),
        (Voice("", "fi"), CONFIGURED, "no voice: sv, ar"),
        (Voice(state.NO_CARD, "fi", "sv", "ar"), CONFIGURED, state.NO_CARD),
        (Voice(state.NO_CARD), SILENT, state.OFF),
        (Voice(""), None, ""),
        (Silence(), CONFIGURED, state.NO_ENGINE),
    ],
)
def test_the_state_names_what_is_missing(voice: Any, config: Any, found: str) -> None:
    assert state.state(voice, config) == found


@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_the_service_screen_has_words_for_every_state(language: str) -> None:
    t = Texts(wording.staff, language)

    def row(found: str) -> Any:
        rows = status_rows(facts(speech=found), language, t, pin=True)
        return next(row for row in rows if row.label == t("service.speech"))

    assert row("").state == "ok"
    assert row(state.OFF).state == row(state.STARTING).state == ""
    faults = [state.NO_ENGINE, state.NO_CARD, state.ENGINE_FAILS, state.CARD_FAILS]
    faults.append("no voice: fi, ar")
    assert {row(found).state for found in faults} == {"bad"}
    assert "fi, ar" in row("no voice: fi, ar").value
    said = [row(found).value for found in ("", state.OFF, state.STARTING, *faults)]
    assert len(set(said)) == len(said)
    assert not set(said) & {*faults, state.OFF, state.STARTING}
    assert row("something rare").value == "something rare"


def test_desk_and_status_file_say_it(tmp_path: Any) -> None:
    data = DataDir(tmp_path)
    data.create()
    voice: Any = Voice(state.NO_CARD)
    desk = Desk(data, tmp_path / "stick", (1280, 800), voice=voice)
    assert desk.facts(CONFIGURED, "", "", full=False).speech == state.NO_CARD
    door: Any = SimpleNamespace(reason="", epoch="1", fill=0.0, alarms=[])
    status = Status(data, door)
    flow: Any = SimpleNamespace(down="", last_touch=None, voice=voice, bundle=CONFIGURED)
    status.write(flow)
    assert (read_json(data.terminal_json) or {})["speech"] == state.NO_CARD
    assert not status.changed(flow)
    voice.reason = state.CARD_FAILS
    assert status.changed(flow), "a card that fails is told at once"
