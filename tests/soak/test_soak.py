"""The soak's own judgement, and a short soak of the real terminal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak import __main__ as command
from tests.soak.samples import Sample, rising
from tests.soak.visitor import choose

LEVEL = Sample(
    visits=0,
    records=0,
    seconds=0.0,
    own_mib=100.0,
    sender_mib=30.0,
    handles=16,
    threads=6,
    objects=50_000,
    disk_bytes=600,
    frame_ms=5.0,
    late_ms=9.0,
    work_ms=40.0,
)


def samples(change: Callable[[Sample, int], Sample]) -> list[Sample]:
    return [change(replace(LEVEL, visits=n * 1000), n) for n in range(100)]


def test_what_wobbles_is_level() -> None:
    assert rising(samples(lambda s, n: replace(s, own_mib=s.own_mib + n % 3))) == []


def test_what_grows_while_warming_up_is_level() -> None:
    assert rising(samples(lambda s, n: replace(s, own_mib=s.own_mib + min(n, 20)))) == []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(
            ("own_mib", 0.1),
            ("sender_mib", 0.1),
            ("handles", 0.1),
            ("threads", 0.1),
            ("objects", 30.0),
        ),
        *(("disk_bytes", 1.0), ("work_ms", 0.1), ("frame_ms", 0.05)),
    ],
)
def test_what_grows_slowly_is_noticed(name: str, step: float) -> None:
    grown = samples(lambda s, n: replace(s, **{name: getattr(s, name) + n * step}))
    assert [text.partition(":")[0] for text in rising(grown)] == [name]


def test_too_few_samples_are_no_proof() -> None:
    with pytest.raises(ValueError, match="too few"):
        rising([LEVEL] * 9)


def test_most_people_answer_and_nobody_starts_speech() -> None:
    chance = random.Random(1)
    names = [*(f"nps.{n}" for n in range(11)), "language.sv", "access", "mode.speech"]
    chosen = Counter(choose(names, chance).partition(".")[0] for _ in range(2000))
    assert chosen["nps"] > 1700
    assert chosen["language"] and chosen["access"] and chosen[""]
    assert not chosen["mode"]


def test_a_screen_without_a_way_on_is_a_fault() -> None:
    with pytest.raises(ValueError, match="nothing to tap"):
        choose(["speech.repeat"], random.Random(1))


@pytest.mark.parametrize("counts", [(7, 7, 7, 6), (7, 7, 6, 6), (7, 6, 6, 6), (6, 7, 7, 7)])
def test_a_record_too_many_or_too_few_is_noticed(counts: tuple[int, int, int, int]) -> None:
    assert command.unequal(7, 7, 7, 7) == []
    assert command.unequal(*counts) != []


@pytest.mark.display
def test_a_short_soak_reaches_the_centre_as_it_was_tapped(tmp_path: Path) -> None:
    *_, found = command.soak(tmp_path, visits=12, seed=1, size=(640, 400))
    # Twelve visits only warm up: what rises is judged over many.
    assert [text for text in found.wrong if text.partition(":")[0] not in command.LIMITS] == []
    assert found.samples[-1].visits >= 12
    assert found.samples[-1].records >= 24
