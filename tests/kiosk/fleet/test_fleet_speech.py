"""Speech as IT sets it for the organisation, a place or a device, and how own texts are said."""

from __future__ import annotations

import pytest

from kiosk.fleet.resolve import resolve
from kiosk.wording import wording
from tests.kiosk.fleet.county import County

TOP, PLACE, DEVICE = "organisation.toml", "locations/0003.toml", "devices/esim-0002.toml"
SURVEY = "surveys/lobby.toml"


def add(county: County, file: str, text: str) -> None:
    """Tables at the end of a file."""
    path = county.root / file
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")


def test_a_device_is_over_its_place_and_a_place_over_the_organisation(county: County) -> None:
    plain = resolve(county.root, "esim-0002").speech
    assert (plain.enabled, plain.loudspeaker, plain.volume, plain.rate_wpm) == (True, True, 60, 150)
    add(county, TOP, "[speech]\nvolume = 40\nrate_wpm = 120")
    add(county, PLACE, "[speech]\nloudspeaker = false\nvolume = 50")
    add(county, DEVICE, "[speech]\nvolume = 70")
    assert county.problems() == []
    own = resolve(county.root, "esim-0002").speech
    assert (own.enabled, own.loudspeaker, own.volume, own.rate_wpm) == (True, False, 70, 120)
    # Another device of the same place.
    there = resolve(county.root, "esim-0001").speech
    assert (there.loudspeaker, there.volume, there.rate_wpm) == (False, 50, 120)
    shown = county.ok("show", "esim-0002", "--explain")
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith("speech.")}
    assert DEVICE in lines["speech.volume"] and PLACE in lines["speech.loudspeaker"]
    assert TOP in lines["speech.rate_wpm"]


@pytest.mark.parametrize("locked", ["speech", "speech.volume"])
def test_a_locked_volume_is_the_organisations(county: County, locked: str) -> None:
    county.edit(TOP, '"leave_allowed"]', f'"leave_allowed", "{locked}"]')
    add(county, TOP, "[speech]\nvolume = 40")
    assert county.problems() == []
    add(county, PLACE, "[speech]\nvolume = 90")
    (error,) = county.errors()
    assert (error.file, error.key) == (PLACE, "speech.volume")
    assert "locked" in error.what
    assert resolve(county.root, "esim-0010").speech.volume == 40


@pytest.mark.parametrize(
    ("written", "key", "said"),
    [
        ("volume = 5", "volume", "10"),
        ("volume = 101", "volume", "100"),
        ('volume = "loud"', "volume", "write a whole number"),
        ("rate_wpm = 400", "rate_wpm", "300"),
        ("loudspeaker = 1", "loudspeaker", "write true or false"),
        ("loud = true", "loud", "loudspeaker"),
    ],
)
def test_a_wrong_value_is_told_with_file_line_and_remedy(
    county: County, written: str, key: str, said: str
) -> None:
    add(county, DEVICE, f"[speech]\n{written}")
    (error,) = county.errors()
    lines = (county.root / DEVICE).read_text(encoding="utf-8").splitlines()
    assert (error.file, error.key) == (DEVICE, f"speech.{key}")
    assert lines[error.line - 1] == written
    assert said in f"{error.what} {error.remedy}", error


@pytest.mark.parametrize("key", ["nps.question", "statement.s09"])
def test_a_question_written_anew_does_not_keep_the_old_spoken_sentence(
    county: County, key: str
) -> None:
    assert f"{key}.spoken" in wording("fi")
    county.edit(
        SURVEY, "ask_comment = false", f'ask_comment = false\n[texts.fi]\n"{key}" = "Uusi?"'
    )
    texts = resolve(county.root, "esim-0002").texts
    assert texts["fi"][key] == "Uusi?"
    assert f"{key}.spoken" not in texts["fi"]
    # Written anew in Finnish alone.
    for language, mine in texts.items():
        if language != "fi":
            assert mine.get(f"{key}.spoken") == wording(language).get(f"{key}.spoken")
