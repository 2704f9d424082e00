"""The invariants, as functions that return what is wrong: an empty list is a pass.

`test_checkers.py` shows that each of them can fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from sync.contract.records import Answer, Record

Counts = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Tap:
    """What a finger did, and whether the screen acknowledged it before the power went."""

    question: str
    value: int
    acknowledged: bool


def missing_or_doubled(acknowledged: Iterable[str], centre: Iterable[str]) -> list[str]:
    """Acknowledged record ids that the centre lacks, and ids it has more than once."""
    have = Counter(centre)
    return [
        *(f"{ident} was acknowledged and is not at the centre" for ident in acknowledged
          if ident not in have),
        *(f"{ident} is at the centre {n} times" for ident, n in have.items() if n > 1),
    ]  # fmt: skip


def disordered(ids: Sequence[str]) -> list[str]:
    """Ids of one device in the order of their positions: they rise as the answers were given."""
    return [
        f"{after} was given before {before}, and has the later position"
        for before, after in pairwise(ids)
        if after <= before
    ]


def unexplained(taps: Sequence[Tap], centre: Sequence[tuple[str, int]]) -> list[str]:
    """Whether the centre's answers of one device, in order, are what was tapped, in order.

    Every acknowledged tap must be there; one the power cut short may or may not be; nothing else.
    """

    @cache
    def fits(tap: int, answer: int) -> bool:
        if tap == len(taps):
            return answer == len(centre)
        here = taps[tap]
        arrived = answer < len(centre) and centre[answer] == (here.question, here.value)
        if arrived and fits(tap + 1, answer + 1):
            return True
        return not here.acknowledged and fits(tap + 1, answer)

    if fits(0, 0):
        return []
    return [f"tapped {list(taps)}", f"but the centre has {list(centre)}"]


def expected_counts(records: Iterable[Record]) -> Counter[tuple[str, int]]:
    """Answers by question and value, from the records alone: the highest `n` counts."""
    last: dict[tuple[str, str], Answer] = {}
    for record in records:
        if isinstance(record, Answer) and not record.test:
            place = (record.visit, record.question)
            if place not in last or record.n > last[place].n:
                last[place] = record
    return Counter(
        (answer.question, answer.value) for answer in last.values() if isinstance(answer.value, int)
    )


def differing(expected: Counts, found: Counts) -> list[str]:
    """Questions and values whose counts differ."""
    return [
        f"{question} = {value}: {expected.get((question, value), 0)} expected,"
        f" {found.get((question, value), 0)} counted"
        for question, value in sorted(expected.keys() | found.keys())
        if expected.get((question, value), 0) != found.get((question, value), 0)
    ]


def unbalanced(epochs: Iterable[Mapping[str, object]]) -> list[str]:
    """Epochs of a device's ledger where created is not the sum of the rest."""
    wrong = []
    for epoch in epochs:
        names = ("acknowledged", "quarantined", "held", "lost", "to_send")
        parts = {name: _whole(epoch, name) for name in names}
        created = _whole(epoch, "created")
        if created != sum(parts.values()) or min(parts.values()) < 0:
            wrong.append(f"{epoch.get('epoch')}: {created} created, but {parts}")
    return wrong


def _whole(epoch: Mapping[str, object], name: str) -> int:
    value = epoch[name]
    assert isinstance(value, int), f"{name} is {value!r}"
    return value
