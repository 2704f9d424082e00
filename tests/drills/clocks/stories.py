"""What happens to clocks, as short stories about a device; all are judged alike."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.drills.clocks.machine import ELSEWHERE, HELSINKI, LOOK_S, YEARS_MS, Kiosk

Story = Callable[[Kiosk, random.Random], None]
HOURS_S = 3600
BIRTH_MS = 30_000
"""Half a minute after 1970 began: no clock, no network."""


def no_clock(kiosk: Kiosk, chance: random.Random) -> None:
    """Boot at 1970, answers are given; then time arrives, before or after the network does."""
    kiosk.machine.says(BIRTH_MS)
    kiosk.broken = chance.random() < 0.5
    kiosk.gives(5)
    kiosk.runs(chance.uniform(0, 900))
    kiosk.machine.passes(chance.uniform(0, 6 * HOURS_S))
    kiosk.gives(5, ELSEWHERE)
    if chance.random() < 0.5:
        kiosk.broken = False
        kiosk.runs(chance.uniform(0, 600))
    kiosk.machine.ntp()
    kiosk.gives(5)


def off_before_time_came(kiosk: Kiosk, chance: random.Random) -> None:
    """Boot at 1970, answers, power off; the same again; time arrives in the third boot."""
    kiosk.machine.says(BIRTH_MS)
    kiosk.broken = True
    for _ in range(2):
        kiosk.gives(chance.randrange(1, 6), chance.choice((HELSINKI, ELSEWHERE)))
        kiosk.machine.passes(chance.uniform(0, 5 * HOURS_S))
        # Wall times repeat themselves, to the millisecond.
        kiosk.reboots(BIRTH_MS)
    kiosk.broken = False
    kiosk.gives(3)
    kiosk.machine.ntp()


def off_after_time_came(kiosk: Kiosk, chance: random.Random) -> None:
    """The clock is set after the answers; the power goes before they are sent."""
    kiosk.machine.says(BIRTH_MS)
    kiosk.broken = True
    kiosk.gives(4, ELSEWHERE)
    kiosk.machine.passes(chance.uniform(0, 20 * HOURS_S))
    kiosk.machine.ntp()
    kiosk.runs(60)
    kiosk.reboots(BIRTH_MS)
    kiosk.broken = False
    kiosk.gives(2)


def mid_visit(kiosk: Kiosk, chance: random.Random) -> None:
    """A battery that lies: ten years forwards, or backwards, between two answers; NTP mends it."""
    kiosk.gives(3)
    kiosk.machine.says(kiosk.machine.true + chance.choice((1, -1)) * YEARS_MS)
    kiosk.gives(3, chance.choice((HELSINKI, ELSEWHERE)))
    kiosk.runs(chance.uniform(0, 600))
    kiosk.machine.ntp()
    kiosk.gives(3)


def called_synchronised(kiosk: Kiosk, chance: random.Random) -> None:
    """Somebody sets the clock ten years ahead, and the system goes on calling it right."""
    kiosk.machine.ntp()
    kiosk.gives(2)
    kiosk.runs(30)
    kiosk.machine.says(kiosk.machine.true + YEARS_MS)
    kiosk.gives(3, chance.choice((HELSINKI, ELSEWHERE)))
    # Before the terminal tends: it can only believe such a clock.
    for _ in range(chance.randrange(4)):
        kiosk.sender.step()  # type: ignore[union-attr]
    kiosk.machine.ntp()


def before_sending(kiosk: Kiosk, chance: random.Random) -> None:
    """A step between commit and send, by hours or years."""
    kiosk.machine.synced = chance.random() < 0.5
    kiosk.gives(6)
    _step(kiosk, chance)
    kiosk.runs(chance.uniform(1, 60))
    kiosk.machine.ntp()


def during_a_batch(kiosk: Kiosk, chance: random.Random) -> None:
    """The clock is stepped while the batch is on its way there, or the receipt on its way back."""
    if chance.random() < 0.5:
        kiosk.machine.ntp()
    kiosk.runs(5)
    kiosk.gives(chance.randrange(1, 30))

    def step() -> None:
        if chance.random() < 0.7:
            _step(kiosk, chance)

    kiosk.before, kiosk.after = (step, _nothing) if chance.random() < 0.5 else (_nothing, step)
    kiosk.runs(120)
    kiosk.before = kiosk.after = _nothing
    kiosk.machine.ntp()


def during_a_pause(kiosk: Kiosk, chance: random.Random) -> None:
    """The clock is stepped while the sender waits: no wait becomes longer, none is cut short."""
    kiosk.machine.ntp()
    kiosk.runs(20)
    kiosk.broken = True
    kiosk.gives(3)
    kiosk.runs(chance.uniform(10, 1800))
    kiosk.broken = False
    _step(kiosk, chance)
    # The loop looks at the clock again once in a while; no pause is measured finer than that.
    asked, begun = kiosk.sender._not_before, kiosk.machine.mono  # type: ignore[union-attr]
    assert asked - begun < 2 * 86_400, "a pause of years"
    posts = len(kiosk.posts)
    kiosk.runs(asked - begun - LOOK_S)
    assert len(kiosk.posts) == posts, "a pause was cut short by a step of the clock"
    kiosk.runs(3 * LOOK_S)
    assert len(kiosk.posts) > posts, "a pause outlived what was asked"
    kiosk.machine.ntp()


def suspended(kiosk: Kiosk, chance: random.Random) -> None:
    """Asleep for hours in a visit, before sending and in a pause: only boot time goes on."""
    kiosk.machine.synced = chance.random() < 0.5
    kiosk.gives(2)
    kiosk.machine.passes(chance.uniform(1, 40) * HOURS_S, asleep=True)
    kiosk.gives(2, ELSEWHERE)
    kiosk.runs(chance.uniform(0, 20))
    kiosk.machine.passes(chance.uniform(1, 40) * HOURS_S, asleep=True)
    kiosk.gives(2)


def any_order(kiosk: Kiosk, chance: random.Random) -> None:
    """All of it, in any order."""
    machine = kiosk.machine
    for _ in range(chance.randrange(8, 25)):
        match chance.randrange(9):
            case 0 | 1 | 2:
                kiosk.gives(chance.randrange(1, 8), chance.choice((HELSINKI, ELSEWHERE)))
            case 3:
                kiosk.runs(chance.choice((1, 30, 600)))
            case 4:
                machine.passes(chance.uniform(0, 30) * HOURS_S, asleep=True)
            case 5 if not machine.synced:
                _step(kiosk, chance)
            case 6:
                machine.ntp()
                machine.passes(11)
            case 7:
                kiosk.reboots(chance.choice((BIRTH_MS, machine.true, machine.true + YEARS_MS)))
            case 8:
                kiosk.broken = not kiosk.broken
    kiosk.broken = False


def _nothing() -> None:
    pass


def _step(kiosk: Kiosk, chance: random.Random) -> None:
    by = chance.choice((1, -1)) * chance.choice((HOURS_S * 1000, 9 * HOURS_S * 1000, YEARS_MS))
    kiosk.machine.says(kiosk.machine.wall + by)
    # As the kernel does when somebody sets it.
    kiosk.machine.synced = False


STORIES: dict[str, Story] = {
    "boot at 1970, time arrives": no_clock,
    "boot at 1970, off before time arrives": off_before_time_came,
    "boot at 1970, off after time arrived": off_after_time_came,
    "ten years off in mid-visit": mid_visit,
    "ten years ahead, called synchronised": called_synchronised,
    "a step between commit and send": before_sending,
    "a step during a batch": during_a_batch,
    "a step during a pause": during_a_pause,
    "suspended": suspended,
    "any order": any_order,
}
