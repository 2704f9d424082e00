"""The terminal dies at random moments around a tap: acknowledged on screen ⊆ centre, once."""

from __future__ import annotations

import functools
import random
import time
from pathlib import Path

import pytest

from tests.faults.checkers import Tap, unexplained
from tests.faults.field import SEEDS, unbalanced_epochs
from tests.faults.house import House
from tests.faults.proxy import CuttingProxy
from tests.faults.terminal import ACCENT, Terminal, committed, prepared, terminal

pytestmark = pytest.mark.display
ROUNDS = 4
BACK_S = 180.0
"""For a sender that backs off the longer, the longer the network was away."""


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_screen_acknowledged_is_at_the_centre_once(
    home: House, number: int, tmp_path: Path, seed: int
) -> None:
    """The chosen state is the acknowledgement; the power goes within 40 ms of the release."""
    chance = random.Random(seed)
    bundle = prepared(home.bundles[number], hold_ms=250)
    data = home.device(f"terminal-{number}", number=number)
    taps = []
    with terminal(bundle, data, tmp_path / "terminal.log") as subject:
        for turn in range(ROUNDS):
            taps.append(_tap_and_die(subject, turn % 11, chance.uniform(0, 0.04)))
        # The one that lives closes what the dead left open.
        subject.start()
        assert subject.child is not None
        assert subject.child.stop() == 0
    home.hymio("sync", "--data", str(data), "--once")
    assert unbalanced_epochs(home, data) == []

    device = bundle.device
    answers = home.rows("select question, value from answers where device = ? order by id", device)
    assert unexplained(taps, [(str(q), int(v)) for q, v in answers]) == []
    ended = home.rows("select how, count(*) from visits where device = ? group by how", device)
    assert ended == [("interrupted", len(answers))] or not answers
    assert committed(data) == 2 * len(answers)


def _tap_and_die(subject: Terminal, score: int, after_s: float) -> Tap:
    """Start, tap a number, `kill -9` so long after the release; whether it stood as chosen."""
    child = subject.start()
    page, name = subject.pages.rest(subject.bundle.languages[0]), f"nps.{score}"
    subject.tap(page, name)
    time.sleep(after_s)
    # What was drawn before the kill was acknowledged, whoever looked first.
    shown = subject.shows(page, name, ACCENT)
    child.kill()
    shown = shown or subject.shows(page, name, ACCENT)
    subject.wait_for_nothing()
    return Tap("nps", score, acknowledged=shown)


def test_a_dead_network_in_the_middle_of_a_visit_changes_nothing_on_the_screen(
    home: House, number: int, tmp_path: Path
) -> None:
    bundle = prepared(home.bundles[number])
    with CuttingProxy(home.port) as proxy:
        data = home.device(f"terminal-{number}", at=proxy.url, number=number)
        sender = home.child(f"visit-sender-{number}", "sync", "--data", str(data))
        with terminal(bundle, data, tmp_path / "terminal.log") as subject:
            subject.start()
            language = bundle.languages[0]
            subject.tap_and_commit(subject.pages.rest(language), "nps.8")
            _until(functools.partial(_stored, home, bundle.device, 1))
            proxy.down()
            faces = [4, 2, 5]
            for n, (statement, face) in enumerate(
                zip(bundle.survey.statements, faces, strict=False), 1
            ):
                page = subject.pages.face(language, statement.id, n, 4)
                subject.tap_and_commit(page, f"face.{face}")
            assert _stored(home, bundle.device, 1)
            assert not _stored(home, bundle.device, 2)
            proxy.up()
            _until(functools.partial(_stored, home, bundle.device, 5))
            assert subject.child is not None
            assert subject.child.stop() == 0
        assert sender.stop() == 0
    assert unbalanced_epochs(home, data) == []
    answers = home.rows(
        "select value from answers where device = ? order by position", bundle.device
    )
    assert [value for (value,) in answers] == [8, *faces]


def _stored(home: House, device: str, number: int) -> bool:
    ((found,),) = home.rows("select count(*) from records where device = ?", device)
    return bool(found >= number)


def _until(condition: functools.partial[bool]) -> None:
    deadline = time.monotonic() + BACK_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {condition}"
        time.sleep(0.05)
