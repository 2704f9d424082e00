"""Everything here that parses bytes from outside, one harness each, in one table.

A harness gives the bytes to the product. It returns when they were read or refused with the error
the docstring names; whatever else is raised is a finding, and so is what takes too long.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drills.content.mutate import mutate

SLOW_S = 20.0
"""One input that takes longer hangs, on whatever machine."""
LARGE = 256 << 20
"""Bytes of Python's memory that no input of 64 KiB may take."""

Reader = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Input:
    """One parser: `open(folder)` gives its harness, with a folder of its own to work in."""

    name: str
    seeds: Callable[[], list[bytes]]
    """Real examples, made when asked for."""
    open: Callable[[Path], Reader]
    runs: int = 400
    """Mutations in `make test`."""


def simple(name: str, seeds: Callable[[], list[bytes]], read: Reader, runs: int = 400) -> Input:
    """A parser that needs no folder."""
    return Input(name, seeds, lambda _: read, runs)


def table() -> dict[str, Input]:
    """All of them, by name."""
    from tests.drills.content import at_centre, at_desk, on_device, on_disk, on_stick

    places = (at_centre, on_device, on_stick, on_disk, at_desk)
    return {each.name: each for place in places for each in place.INPUTS}


def tried(read: Reader, raw: bytes) -> str:
    """What is wrong with how these bytes are read; empty: nothing."""
    began = time.process_time()
    try:
        read(raw)
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]}"
    took = time.process_time() - began
    return f"took {took:.0f} s" if took > SLOW_S else ""


def mutated(given: Input, seed: int, runs: int) -> Iterator[bytes]:
    """The examples, then so many inputs made of them, the same for the same seed."""
    examples = given.seeds()
    yield from examples
    chance = random.Random(f"{given.name} {seed}")
    pool = [b"", *examples]
    for number in range(runs):
        # Mostly whole examples: what was changed once is seldom read to its end.
        begun = chance.choice(examples if examples and chance.random() < 0.7 else pool)
        raw = mutate(begun, chance, pool)
        if number % 4 == 0:
            # Several changes meet only where changed inputs are changed again.
            pool.append(raw)
        yield raw


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Fail when what is done inside takes more memory than any input is worth."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
        assert peak < LARGE, f"{what}: {peak >> 20} MiB"
    finally:
        tracemalloc.stop()
