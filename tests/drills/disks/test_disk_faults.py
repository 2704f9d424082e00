"""Short form of the drill with a failing disk: some calls of a day; `make drill` fails each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.disks.card import CARDS, NOT_HERE, small_card
from tests.drills.disks.errors import FAULTS, KINDS, SYNCING, WRITING, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


WHENS = ("5", "12", "3+")


@pytest.mark.parametrize(("call", "error"), FAULTS, ids=str)
def test_after_an_error_of_the_disk_everything_goes_on_and_nothing_is_lost(
    call: str, error: str, server: Server
) -> None:
    for number, what in enumerate(KINDS):
        when = WHENS[(number + FAULTS.index((call, error))) % len(WHENS)]
        found = server.try_out(what=what, call=call, error=error, when=when)
        assert found["wrong"] == [], found
        assert found["injected"], found


def test_a_full_disk_turns_commits_away_and_takes_them_when_there_is_room(server: Server) -> None:
    found = server.try_out(what="day", call=WRITING, error="ENOSPC", when="2+")
    assert found["wrong"] == []
    assert found["refused"] > 0


def test_a_sync_that_fails_is_no_acknowledgement(server: Server) -> None:
    found = server.try_out(what="restart", call=SYNCING, error="EIO", when="1+")
    assert found["wrong"] == []
    assert found["refused"] > 0


# --- a file system of its own ---------------------------------------------------------------------


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_cannot_be_written_turns_commits_away_and_takes_them_again(
    name: str, tmp_path: Path
) -> None:
    with small_card(tmp_path / "card") as card:
        if card is None:
            pytest.skip(NOT_HERE)
        assert CARDS[name](card, tmp_path) == []
