"""Where a key stands: an error that names the wrong line sends a person to the wrong place."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from kiosk import paths
from kiosk.fleet.lines import dotted, locate

KEYS = st.text(st.sampled_from('ab.-_ "é#[]'), min_size=1, max_size=6)
SCALARS = (
    st.integers()
    | st.booleans()
    | st.text(st.sampled_from("x\"'\\#[]{}=,\n é"), max_size=12)
    | st.dates()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def paths_in(value: Any, base: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {base} if base else set()
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        found |= paths_in(item, (*base, key))
    return found


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_key_and_item_has_a_line(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    found = locate(text)
    assert set(found) == paths_in(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


TEXT = '''# comment with key = 1
top = "a # b"  # c = 2
[one]
text = """
inside = 5
""\\""""""
literal = \'\'\'
[two]
\'\'\'
list = [
  1, # first
  "]",
]
"dotted.key".x = { a = 1, b = [2] }
[[many]]
id = 1
[many.sub]
k = true
[[many]]
id = 2
[one.more]
when = 2026-11-22 10:00:00
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("one",), 3),
        (("one", "text"), 4),
        (("one", "literal"), 7),
        (("one", "list", 0), 11),
        (("one", "list", 1), 12),
        (("one", "dotted.key", "x", "b", 0), 14),
        (("many", 0, "id"), 16),
        (("many", 0, "sub", "k"), 18),
        (("many", 1), 19),
        (("many", 1, "id"), 20),
        (("one", "more", "when"), 22),
    ],
)
def test_line_of_each_kind_of_key(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert locate(TEXT)[path] == line


def test_every_line_of_the_example_holds_its_key() -> None:
    for file in paths.example_config().rglob("*.toml"):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for path, line in locate(text).items():
            if isinstance(path[-1], str):
                assert path[-1] in lines[line - 1], f"{file.name}: {dotted(path)}"


def test_paths_are_written_as_in_toml() -> None:
    assert dotted(("service", 2, "name", "a b")) == 'service[2].name."a b"'
