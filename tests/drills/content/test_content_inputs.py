"""Short form: each parser with its examples and some hundred inputs made of them.

`make drill` gives each of them to a coverage-guided fuzzer.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.drills.content import planted
from tests.drills.content.inputs import Input, bounded, mutated, simple, table, tried
from tests.drills.content.mutate import TOKENS, everywhere, mutate
from tests.drills.power.cuts import shelf

TABLE = table()


def failures(given: Input, folder: Path, runs: int) -> list[str]:
    read = given.open(folder)
    found = ((tried(read, raw), raw) for raw in mutated(given, 1, runs))
    return [f"{wrong} <- {raw[:300]!r}" for wrong, raw in found if wrong]


@pytest.mark.parametrize("name", TABLE)
def test_whatever_the_bytes_they_are_read_or_refused(name: str) -> None:
    with shelf() as folder:
        assert failures(TABLE[name], folder, TABLE[name].runs) == []


def test_every_example_is_read_without_much_memory(tmp_path: Path) -> None:
    given = TABLE["batch"]
    with bounded(given.name):
        assert failures(given, tmp_path, 20) == []


def test_a_parser_that_raises_something_else_is_found(tmp_path: Path) -> None:
    careless = simple("careless", lambda: [b'{"a":1}'], lambda raw: json.loads(raw)["a"])
    found = failures(careless, tmp_path, 100)
    assert any("JSONDecodeError" in text for text in found)
    assert any("KeyError" in text for text in found)


def test_the_planted_mistake_is_one() -> None:
    assert tried(planted.read, b"hymio") == "RuntimeError: planted"
    assert not any(tried(planted.read, raw) for raw in (b"", b"h", b"hymi", b"hymix", b"x"))


def test_mutations_are_the_same_for_the_same_seed() -> None:
    given = TABLE["record"]
    assert list(mutated(simple("x", lambda: [b"{}"], print), 3, 50)) == list(
        mutated(simple("x", lambda: [b"{}"], print), 3, 50)
    )
    assert given.seeds()


def test_every_place_of_a_document_gets_every_token() -> None:
    found = set(everywhere(b'{"a":[1]}'))
    assert b'{"a": [NaN]}' in found and b'{"a": 1e999}' in found and b"{}" in found
    assert len(found) >= 3 * len(set(TOKENS))


def test_a_mutation_stays_within_its_bound() -> None:
    from random import Random

    chance = Random(1)
    assert all(len(mutate(b"[" * 50, chance, most=64)) <= 64 for _ in range(100))
