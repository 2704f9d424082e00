"""What a power cut may leave of what was not synced."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from tests.drills.power.model import Names, Pending, Write

SECTOR = 512

Crash = tuple[str, list[Pending]]
"""What kind of crash it is, and what reached the disk, in order."""


def crashes(
    pending: Sequence[Pending], chance: random.Random, *, thorough: bool
) -> Iterator[Crash]:
    """The ways this can end; the thorough ones take every sector boundary."""
    yield "dropped", []
    if not pending:
        return
    yield "kept", list(pending)
    yield "half", list(pending[: len(pending) // 2])
    yield from _torn(pending, chance, thorough=thorough)
    for _ in range(3 if thorough else 1):
        yield "shuffled", [item for item in pending if chance.random() < 0.5]
        yield "sectors", list(_sectors(pending, chance))
    yield "names only", [item for item in pending if isinstance(item, Names)]
    yield "contents only", [item for item in pending if not isinstance(item, Names)]
    yield "lengths", [_only_length(item) for item in pending]
    if thorough:
        yield "last alone", list(pending[-1:])
        yield "all but the last", list(pending[:-1])
        yield "rubbish", list(_rubbish(pending, chance))


def _torn(pending: Sequence[Pending], chance: random.Random, *, thorough: bool) -> Iterator[Crash]:
    """The last write broke off at a sector's end."""
    for at in reversed(range(len(pending))):
        last = pending[at]
        if isinstance(last, Write) and (ends := boundaries(last)):
            for end in ends if thorough else [chance.choice(ends)]:
                part = Write(last.node, last.at, last.data[:end])
                yield "torn", [*pending[:at], part, *pending[at + 1 :]]
            return


def boundaries(write: Write) -> list[int]:
    """Where in its data a write crosses from one sector into the next."""
    first = SECTOR - write.at % SECTOR
    return list(range(first, len(write.data), SECTOR))


def _sectors(pending: Sequence[Pending], chance: random.Random) -> Iterator[Pending]:
    """Every sector of every write is there or not, by chance."""
    for item in pending:
        if not isinstance(item, Write):
            if chance.random() < 0.5:
                yield item
            continue
        cuts = [0, *boundaries(item), len(item.data)]
        for start, end in itertools.pairwise(cuts):
            if chance.random() < 0.5:
                yield Write(item.node, item.at + start, item.data[start:end])


def _only_length(item: Pending) -> Pending:
    """The file grew, and its new part holds nothing yet."""
    if not isinstance(item, Write):
        return item
    return Write(item.node, item.at + len(item.data), b"")


def _rubbish(pending: Sequence[Pending], chance: random.Random) -> Iterator[Pending]:
    """The file grew, and its new part holds what the disk held there before."""
    for item in pending:
        if isinstance(item, Write):
            old = max(0, min(len(item.data), len(item.node.data) - item.at))
            if old < len(item.data):
                data = chance.randbytes(len(item.data) - old)
                yield Write(item.node, item.at + old, data)
        else:
            yield item
