"""The order of controls: all of them, once, as one reads, and all within reach of keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kiosk.audit.figures import touch_test
from kiosk.audit.finding import Finding, Seen
from kiosk.layout.order import controls
from kiosk.layout.page import Target
from kiosk.ui.cursor import Cursor

_TELL = "tell the makers of the program"
_ARROWS = ("left", "right", "up", "down")


def complete(seen: Seen) -> Iterator[Finding]:
    """Every target that can be operated stands in the order exactly once."""
    order = [target.name for target in controls(seen.page)]
    for target in seen.page.targets:
        if target.look in ("quiet", "field") or touch_test(target.name):
            continue
        times = order.count(target.name)
        if times != 1:
            yield seen.finding(
                "order",
                target.name,
                f"{times} times in the order of controls",
                "once",
                _TELL,
                box=target.box,
            )


def reachable(seen: Seen) -> Iterator[Finding]:
    """Every control is reached by `next` alone, and by arrows alone."""
    found = controls(seen.page)
    if not found:
        return
    yield from _lacking(seen, found, _by_next(seen, len(found)), "next")
    yield from _lacking(seen, found, _by_arrows(seen, len(found)), "the arrow keys")


def _lacking(seen: Seen, found: tuple[Target, ...], met: set[str], how: str) -> Iterator[Finding]:
    for target in found:
        if target.name not in met:
            yield seen.finding(
                "keys", target.name, f"not reached with {how}", "reached", _TELL, box=target.box
            )


def _by_next(seen: Seen, count: int) -> set[str]:
    cursor = Cursor()
    cursor.screen(seen.page)
    return {at.name for _ in range(count + 1) if (at := cursor.move("next")) is not None}


def _by_arrows(seen: Seen, count: int) -> set[str]:
    cursor = Cursor()
    cursor.screen(seen.page)
    first = cursor.move("next")
    met = {first.name} if first else set()
    waiting = list(met)
    while waiting and len(met) < count:
        name = waiting.pop()
        for key in _ARROWS:
            cursor.go(name)
            at = cursor.move(key)
            if at is not None and at.name not in met:
                met.add(at.name)
                waiting.append(at.name)
    return met


def reading(seen: Seen) -> Iterator[Finding]:
    """The order goes along each row as the language reads, and from row to row downwards.

    Upwards once at most: from the bar to the header.
    """
    found = controls(seen.page)
    jumps = 0
    for one, other in pairwise(found):
        a, b = one.box, other.box
        if b.y >= a.bottom - 0.1:
            continue
        if min(a.bottom, b.bottom) - max(a.y, b.y) > 0.3 * min(a.h, b.h):
            if (b.x > a.x) != seen.page.rtl:
                continue
            what = "against the direction of reading"
        else:
            jumps += 1
            if jumps <= 1:
                continue
            what = "back upwards"
        yield seen.finding(
            "reading-order",
            f"{one.name} to {other.name}",
            what,
            "as the language reads",
            _TELL,
            box=b,
        )
