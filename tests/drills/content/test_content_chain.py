"""Short form: some poison through outbox, sender and centre, and some odd batches.

`make drill` does every kind, among 500, at several places, and on PostgreSQL.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.contract import wire
from tests.drills.content.chain import Sending, poisoned
from tests.drills.content.envelopes import Post, cases
from tests.drills.content.on_device import enrolled, receipt
from tests.drills.content.poison import kinds
from tests.faults.house import Child, House, house

KINDS = kinds()
CHOSEN = (
    *("answer: n of another type", "end: no at", "value 11", "U+0000", "invalid UTF-8"),
    *("450 lists deep, beside U+0000", "cut short", "one byte larger", "unknown fields"),
)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), devices=3) as found:
        yield found


def test_the_healthy_arrive_once_and_the_poison_is_put_aside(centre: House) -> None:
    device = Sending(centre)
    wrong = poisoned(device, [(name, KINDS[name]) for name in CHOSEN], of=40)
    device.close()
    assert wrong == []
    assert {fate for _, fate in device.fates.values()} == {"counted", "quarantined", "held"}


def test_a_batch_of_nothing_but_poison_goes_as_well(centre: House) -> None:
    device = Sending(centre, 1)
    wrong = poisoned(device, [("value 11", KINDS["value 11"])], of=30, at=range)
    device.close()
    assert wrong == [] and not device.healthy


@pytest.mark.parametrize("v", [0, 2, "1"])
def test_a_receipt_of_another_version_moves_nothing(v: object, tmp_path: Path) -> None:
    device, answering = enrolled(tmp_path)
    told = json.loads(receipt())
    for spoken, sent in ((v, False), (wire.VERSION, True)):
        answering.say = {"/v1/batches": (200, json.dumps({**told, "v": spoken}).encode(), {})}
        assert device.sender is not None
        device.sender.step(eager=True)
        assert sum(line.to_send for line in device.lines()) == (18 if sent else 20)
        assert sent or (device.sender.state == "unreachable" and device.sender.reason)
    device.close()


def test_odd_batches_are_stored_whole_or_not_at_all(centre: House) -> None:
    post = Post(centre, 1)
    before = post.count()
    added = 0
    for odd in cases(post, large=False):
        found = post.post(odd)
        assert found.status_code in odd.status, f"{odd.name}: {found.status_code} {found.text}"
        if found.status_code == 200:
            assert odd.check(found.json()), f"{odd.name}: {found.text}"
            added += odd.adds
    # Two of them are those of the other device.
    assert post.count() - before == added + 2


def test_a_record_that_is_taken_for_healthy_and_is_not_is_found_out(centre: House) -> None:
    device = Sending(centre)
    ((poison, _),) = [KINDS["value 11"]]
    wrong = poisoned(device, [("not poison at all", (poison, "counted"))], of=5)
    device.close()
    assert "not poison at all: quarantined, not counted" in wrong


WEAK = """
import sync.collector.reading as reading
proper = reading._read
def weak(raw):
    record, code = proper(raw)
    if code:
        raise KeyError(code)
    return record, code
reading._read = weak
from kiosk.cli import main
main()
"""
"""A centre that trips over what it cannot read."""


def test_a_centre_that_trips_over_poison_is_found_out(
    centre: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Sending(centre, 2)
    strong = centre.centre

    def child(name: str, *words: str, **_: str) -> Child:
        started = Child([sys.executable, "-c", WEAK, *words], tmp_path / f"{name}.log")
        centre.children.append(started)
        return started

    strong.stop()
    with monkeypatch.context() as patch:
        patch.setattr(centre, "child", child)
        centre.start_centre()
    try:
        wrong = poisoned(device, [("value 11", KINDS["value 11"])], of=8, turns=40)
    finally:
        device.close()
        # Nobody else shall meet the weak one.
        centre.centre.kill()
    assert any("not drained" in text for text in wrong)
    assert any("the centre answered 500" in text for text in wrong)
    assert any("the centre's log" in text for text in wrong)
