"""What befalls the processes of a yard; each action returns what is wrong right then."""

from __future__ import annotations

import time
from random import Random

from tests.bench.screen import wait_until
from tests.drills.processes.yard import HOLD_MS, NAMES, QUIET_MS, Yard
from tests.faults.checkers import Tap
from tests.faults.house import HYMIO, Child
from tests.faults.terminal import committed

FACE = 3


def killed(yard: Yard, chance: Random, *names: str) -> list[str]:
    """A tap, and within moments `kill -9`; then all of it goes on."""
    if "terminal" not in names:
        time.sleep(chance.uniform(0, 0.3))
        yard.kill(*names)
        yard.visit()
        yard.mind()
        return []
    score = yard.tap_first()
    time.sleep(chance.uniform(0, 0.04))
    # What was drawn before the kill was acknowledged, whoever looked first.
    shown = yard.chosen(score)
    yard.subject.child.kill()  # type: ignore[union-attr]
    shown = shown or yard.chosen(score)
    others = [name for name in names if name != "terminal"]
    if others:
        yard.kill(*others)
    yard.subject.wait_for_nothing()
    yard.taps.append(Tap("nps", score, acknowledged=shown))
    yard.mind()
    return []


def ended(yard: Yard, chance: Random, name: str) -> list[str]:
    """SIGTERM in the middle of things: it ends with 0, and what was said holds."""
    wrong = []
    score = yard.tap_first() if name == "terminal" else -1
    time.sleep(chance.uniform(0, 0.2))
    shown = score >= 0 and yard.chosen(score)
    for child in yard.children(name):
        if (code := child.stop()) != 0:
            wrong.append(f"the {name} ended with {code} on SIGTERM")
    if score >= 0:
        yard.subject.wait_for_nothing()
        yard.taps.append(Tap("nps", score, acknowledged=shown))
    yard.mind()
    return wrong


def any_of(yard: Yard, chance: Random) -> list[str]:
    """One, two or all of them die."""
    return killed(yard, chance, *chance.sample(NAMES, chance.randrange(1, 4)))


def screen_stopped(yard: Yard, chance: Random) -> list[str]:
    """The terminal stands still around a change of screens, and people tap on what they see."""
    subject, statement = yard.subject, yard.subject.bundle.survey.statements[0].id
    page = yard.face_page()
    before = committed(yard.data)
    score = yard.tap_first()
    yard.taps.append(Tap("nps", score, acknowledged=False))
    if chance.random() < 0.5:
        wait_until(lambda: yard.chosen(score), 30, poll_s=0.0005)
        time.sleep(HOLD_MS / 1000 + chance.uniform(-0.01, 0.03))
    else:
        time.sleep(chance.uniform(0, 0.4))
    with yard.stopped("terminal"):
        time.sleep(0.1)
        seen = yard.asks()
        for _ in range(3):
            subject.tap(page, f"face.{FACE}")
        # Longer than a screen stays quiet; what was drawn before the stop may come late.
        time.sleep(2 * QUIET_MS / 1000)
        seen = seen or yard.asks()
    # It takes what waited, and comes to rest in one screen or another.
    subject.settle()
    stored = committed(yard.data) - before
    wrong = []
    if not seen and stored > 1:
        wrong.append("a tap that waited became an answer to a question nobody saw")
    if stored:
        yard.taps[-1] = Tap("nps", score, acknowledged=True)
    if stored > 1:
        yard.taps.append(Tap(statement, FACE, acknowledged=True))
    yard.kill("terminal")
    yard.mind()
    return wrong


def sender_stopped(yard: Yard, seconds: float) -> list[str]:
    """The sender stands still and keeps its lock; answers go on, others are turned away."""
    wrong = []
    with yard.stopped("sender"):
        until = time.monotonic() + seconds
        given = len(yard.device.ids)
        yard.visit()
        wrong += turned_away(yard, "sync", "--data", str(yard.data), "--once")
        time.sleep(max(0.0, until - time.monotonic()))
        wait_until(lambda: len(yard.device.ids) > given, 30, poll_s=0.05)
    return wrong


def turned_away(yard: Yard, *words: str) -> list[str]:
    """A second one on the same directory ends with 1 and says why."""
    child = Child([*HYMIO, *words], yard.home.folder / "second.log")
    yard.home.children.append(child)
    code = child.wait(60)
    said = child.said()[-200:]
    return [] if code == 1 else [f"hymio {words[0]}: {code}, {said}"]


def centre_stopped(yard: Yard, seconds: float) -> list[str]:
    """The centre stands still, longer than a sender waits; nobody else does."""
    with yard.stopped("centre"):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yard.visit()
        told = [yard.told(root) for root in yard.roots]
    return [
        f"its sender says {says.get('state')}, though nothing answers"
        for says in told
        if seconds > 45 and says.get("state") != "unreachable"
    ]


def two_at_once(yard: Yard) -> list[str]:
    """A second sender, a wipe, a ledger beside all that runs: one writer, and numbers that fit."""
    wrong = turned_away(yard, "sync", "--data", str(yard.data))
    wrong += turned_away(yard, "wipe", "--data", str(yard.data), "--yes", "--lose-unsent")
    for root in yard.roots:
        for line in yard.home.ledger(root)["epochs"]:
            parts = ("acknowledged", "quarantined", "held", "lost", "to_send")
            if line["created"] != sum(line[part] for part in parts):
                wrong.append(f"the ledger does not add up: {line}")
    yard.visit()
    return wrong


def second_terminal(yard: Yard) -> list[str]:
    """Two terminals on one outbox: the second takes no answers until the first is gone."""
    first = yard.subject.child
    assert first is not None
    before = committed(yard.data)
    second = Child(
        yard.subject.command(), yard.home.folder / "second-terminal.log", yard.subject.env
    )
    yard.home.children.append(second)
    wrong = []
    wait_until(
        lambda: "another terminal writes" in second.said() or second.ended is not None, 60,
        poll_s=0.05,
    )  # fmt: skip
    if second.ended is not None:
        wrong.append(f"a second terminal ended with {second.ended}: {second.said()[-300:]}")
    if committed(yard.data) != before:
        wrong.append("a second terminal wrote into the outbox")
    first.kill()
    # It has the screen, and takes visits as soon as it has the outbox.
    yard.subject.child = second
    yard.subject.wait_for(yard.subject.resting, "the second terminal in use", 60)
    yard.visit()
    return wrong
